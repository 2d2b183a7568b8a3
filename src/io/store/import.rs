//! Taking a folder or GGUF file that is already on the machine into the store.

use super::Store;
use super::manifest::{Manifest, State, StoredFile, same_files};
use super::origin::{Origin, name_of};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Model, Source, builtin_file};
use crate::io::files::{copy, create_dir, discard, disk, sha256_of};
use crate::io::layout::packed_files_of;
use crate::io::names::is_plain_name;
use crate::io::progress::Progress;
use crate::io::unpack::unpack;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that a packed file may have when it is unpacked.
const MAX_UNPACKED: u64 = 4 << 30;

/// How an imported model is kept.
#[derive(Clone, Debug, Default)]
pub struct ImportAs {
    /// The name to keep it under; by default the one that its folder or file suggests.
    pub name: Option<String>,
    /// Whether a model of that name is replaced.
    pub force: bool,
}

/// A model on its way into the store.
struct Import<'a> {
    store: &'a Store,
    /// The name that it gets.
    name: &'a str,
    /// The entry of the catalog of that name, if there is one.
    entry: Option<&'a Model>,
    /// What its folder tells of it.
    origin: &'a Origin,
    /// The folder in which it is put together.
    staging: PathBuf,
    progress: &'a dyn Progress,
    stop: &'a CancelToken,
}

/// A file to copy.
struct Original {
    from: PathBuf,
    /// Its name in the model's folder.
    name: String,
    size: u64,
    is_packed: bool,
}

impl Store {
    /// Copies a GGUF file, or the model's files of a folder in the Hub's layout, in Firefox's or
    /// translateLocally's, into the store. What is packed by gzip or zstd there is unpacked.
    ///
    /// A name of the catalog is taken only for the very files that the catalog lists, if it lists
    /// any; where it leaves that to the Hub, the user's word is taken.
    pub fn import(
        &self,
        path: &Path,
        keep: &ImportAs,
        catalog: &Catalog,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<Manifest> {
        let (folder, files) = packed_files_of(path)?;
        let origin = Origin::of(path, &files);
        let name = keep.name.as_ref().or(origin.name.as_ref());
        let name = name.ok_or_else(|| Error::Usage("which name? Say it with --name".into()))?;
        if !is_plain_name(name) {
            let message = "a name is made of letters, digits, `.`, `_` and single `-`, and begins and ends with a letter or digit";
            return Err(Error::Usage(format!(
                "{name:?} cannot name a model: {message}; choose another with --name"
            )));
        }
        let letters = origin.pair.as_ref().and_then(|pair| pair.letters());
        let originals: Result<Vec<Original>> = files
            .into_iter()
            .map(|file| {
                let from = folder.join(&file.name);
                let size = fs::metadata(&from).map_err(Error::io("reading", &from))?.len();
                let is_packed = file.name != file.plain;
                let name = letters.as_ref().map(|letters| name_of(&file.plain, letters));
                Ok(Original { from, name: name.unwrap_or(file.plain), size, is_packed })
            })
            .collect();
        let originals = originals?;
        let _lock = self.lock(name, progress, stop)?;
        if !keep.force && self.state(name)? != State::Absent {
            let message = "is in the store already; choose another name with --name, or replace it with --force";
            return Err(Error::model(name, message));
        }
        let staging = self.partial_of(name)?;
        discard(&staging)?;
        create_dir(&staging)?;
        let entry = catalog.get(name);
        let import = Import { store: self, name, entry, origin: &origin, staging, progress, stop };
        let result = import.run(&originals);
        if result.is_err() {
            discard(&import.staging)?;
        }
        result
    }
}

impl Import<'_> {
    fn run(&self, originals: &[Original]) -> Result<Manifest> {
        self.progress.start(self.name, originals.iter().map(|original| original.size).sum());
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
            licence: self.entry.map(|e| e.licence.name.clone()).or(self.origin.licence.clone()),
            licence_url: self.entry.map(|e| e.licence.url.clone()),
            installed: Manifest::now(),
            from: self.origin.pair.as_ref().map(|pair| pair.from.clone()).unwrap_or_default(),
            to: self.origin.pair.as_ref().map(|pair| pair.to.clone()).unwrap_or_default(),
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
        for Original { from, name, size, is_packed } in originals {
            let to = self.staging.join(name);
            create_dir(to.parent().unwrap_or(&self.staging))?;
            let length = match is_packed {
                true => unpack(from, &to, MAX_UNPACKED, self.stop)?
                    .map_err(|why| Error::model(from.display().to_string(), why))?,
                false => copy(from, &to, self.stop, &|n| self.progress.position(done + n))?,
            };
            done += size;
            stored.push(StoredFile {
                path: name.clone(),
                size: length,
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
