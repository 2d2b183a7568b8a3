//! Taking a folder or GGUF file that is already on the machine into the store.

use super::Store;
use super::manifest::{Manifest, StoredFile, same_files};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Model, Source, builtin_file};
use crate::io::files::{copy, create_dir, discard, disk, sha256_of};
use crate::io::layout::files_of;
use crate::io::names::is_plain_name;
use crate::io::progress::Progress;
use std::fs;
use std::path::{Path, PathBuf};

/// A model on its way into the store.
struct Import<'a> {
    store: &'a Store,
    /// The name that it gets.
    name: &'a str,
    /// The entry of the catalog of that name, if there is one.
    entry: Option<&'a Model>,
    /// The folder in which it is put together.
    staging: PathBuf,
    progress: &'a dyn Progress,
    stop: &'a CancelToken,
}

/// A file to copy: where it is, its name in the model's folder, its size.
type Original = (PathBuf, String, u64);

impl Store {
    /// Copies a GGUF file, or the model's files of a folder in the Hub's layout, into the store
    /// under `name`.
    ///
    /// A name of the catalog is taken only for the very files that the catalog lists, if it lists
    /// any; where it leaves that to the Hub, the user's word is taken.
    pub fn import(
        &self,
        path: &Path,
        name: &str,
        catalog: &Catalog,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<Manifest> {
        if !is_plain_name(name) {
            let message = "a name is made of letters, digits, `.`, `_` and single `-`, and begins and ends with a letter or digit";
            return Err(Error::Usage(format!(
                "{name:?} cannot name a model: {message}; choose another with --name"
            )));
        }
        let originals = originals(path)?;
        let _lock = self.lock(name, progress, stop)?;
        let staging = self.partial_of(name)?;
        discard(&staging)?;
        create_dir(&staging)?;
        let import =
            Import { store: self, name, entry: catalog.get(name), staging, progress, stop };
        let result = import.run(&originals);
        if result.is_err() {
            discard(&import.staging)?;
        }
        result
    }
}

/// The files of the model at `path`.
fn originals(path: &Path) -> Result<Vec<Original>> {
    let (folder, names) = files_of(path)?;
    let original = |name: String| {
        let file = folder.join(&name);
        let size = fs::metadata(&file).map_err(Error::io("reading", &file))?.len();
        Ok((file, name, size))
    };
    names.into_iter().map(original).collect()
}

impl Import<'_> {
    fn run(&self, originals: &[Original]) -> Result<Manifest> {
        self.progress.start(self.name, originals.iter().map(|(_, _, size)| size).sum());
        let mut stored = self.copy(originals)?;
        stored.extend(self.builtin_files(&stored)?);
        if let Some(entry) = self.entry
            && !same_files(entry, &stored)
        {
            let message = "is a name of the catalog, and these are not the files that the catalog lists (SHA-256 differs); import them under another name";
            return Err(Error::model(self.name, message));
        }
        let manifest = Manifest {
            id: self.name.into(),
            licence: self.entry.map(|e| e.licence.name.clone()),
            licence_url: self.entry.map(|e| e.licence.url.clone()),
            installed: Manifest::now(),
            from: Vec::new(),
            to: Vec::new(),
            notes: Vec::new(),
            files: stored,
        };
        self.store.install(&self.staging, &manifest)?;
        self.progress.finish();
        Ok(manifest)
    }

    fn copy(&self, originals: &[Original]) -> Result<Vec<StoredFile>> {
        let mut done = 0;
        let mut stored = Vec::new();
        for (from, file, _) in originals {
            let to = self.staging.join(file);
            let size = copy(from, &to, self.stop, &|n| self.progress.position(done + n))?;
            done += size;
            stored.push(StoredFile {
                path: file.clone(),
                size,
                sha256: sha256_of(&to, self.stop, &|_| ())?,
                source: format!("import of {}", from.display()),
            });
        }
        Ok(stored)
    }

    /// Writes the listed files that are part of the program: they need not be brought along.
    fn builtin_files(&self, stored: &[StoredFile]) -> Result<Vec<StoredFile>> {
        let mut written = Vec::new();
        for file in self.entry.map_or(&[][..], |entry| &entry.files) {
            let builtin = file.sources.iter().find_map(|source| match source {
                Source::Builtin { name } => Some((source, builtin_file(name)?)),
                _ => None,
            });
            let Some((source, bytes)) =
                builtin.filter(|_| stored.iter().all(|s| s.path != file.path))
            else {
                continue;
            };
            let to = self.staging.join(&file.path);
            fs::write(&to, bytes).map_err(disk("writing", &to))?;
            written.push(StoredFile {
                path: file.path.clone(),
                size: bytes.len() as u64,
                sha256: sha256_of(&to, self.stop, &|_| ())?,
                source: source.to_string(),
            });
        }
        Ok(written)
    }
}
