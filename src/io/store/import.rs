//! Taking a folder or GGUF file that is already on the machine into the store.

use super::{Manifest, Store, StoredFile, create_dir, discard, disk, sha256_of};
use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Source, builtin_file, is_plain_name};
use crate::io::fetch::{Progress, Stop, files_of, same_files};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

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
        stop: Stop<'_>,
    ) -> Result<Manifest> {
        if !is_plain_name(name) {
            let message = "a name is made of letters, digits, `.`, `_` and single `-`, and begins and ends with a letter or digit";
            return Err(Error::Usage(format!(
                "{name:?} cannot name a model: {message}; choose another with --name"
            )));
        }
        let (folder, names) = files_of(path)?;
        let mut files = Vec::new();
        for name in names {
            let file = folder.join(&name);
            let size = fs::metadata(&file).map_err(Error::io("reading", &file))?.len();
            files.push((file, name, size));
        }
        let _lock = self.lock(name, progress, stop)?;
        let staging = self.partial_of(name)?;
        discard(&staging)?;
        create_dir(&staging)?;
        let result = self.import_into(&staging, &files, name, catalog, progress, stop);
        if result.is_err() {
            discard(&staging)?;
        }
        result
    }

    fn import_into(
        &self,
        staging: &Path,
        files: &[(PathBuf, String, u64)],
        name: &str,
        catalog: &Catalog,
        progress: &dyn Progress,
        stop: Stop<'_>,
    ) -> Result<Manifest> {
        progress.start(name, files.iter().map(|f| f.2).sum());
        let mut done = 0;
        let mut stored = Vec::new();
        for (from, file, _) in files {
            let to = staging.join(file);
            let size = copy(from, &to, stop, &|n| progress.position(done + n))?;
            done += size;
            let sha256 = sha256_of(&to, stop, &|_| ())?;
            stored.push(StoredFile {
                path: file.clone(),
                size,
                sha256,
                source: format!("import of {}", from.display()),
            });
        }
        let entry = catalog.get(name);
        // What is part of the program need not be brought along.
        for file in entry.map_or(&[][..], |entry| &entry.files) {
            let builtin = file.sources.iter().find_map(|source| match source {
                Source::Builtin { name } => Some((source, builtin_file(name)?)),
                _ => None,
            });
            if let Some((source, bytes)) =
                builtin.filter(|_| stored.iter().all(|s| s.path != file.path))
            {
                let to = staging.join(&file.path);
                fs::write(&to, bytes).map_err(disk("writing", &to))?;
                let (size, sha256) = (bytes.len() as u64, sha256_of(&to, stop, &|_| ())?);
                stored.push(StoredFile {
                    path: file.path.clone(),
                    size,
                    sha256,
                    source: source.to_string(),
                });
            }
        }
        if let Some(entry) = entry
            && !same_files(entry, &stored)
        {
            let message = "is a name of the catalog, and these are not the files that the catalog lists (SHA-256 differs); import them under another name";
            return Err(Error::model(name, message));
        }
        let manifest = Manifest {
            id: name.into(),
            licence: entry.map(|e| e.licence.name.clone()),
            licence_url: entry.map(|e| e.licence.url.clone()),
            installed: Manifest::now(),
            files: stored,
        };
        self.install(staging, &manifest)?;
        progress.finish();
        Ok(manifest)
    }
}

/// Copies a file in steps, so that it can be stopped; returns its size.
pub(in crate::io) fn copy(
    from: &Path,
    to: &Path,
    stop: Stop<'_>,
    done: &dyn Fn(u64),
) -> Result<u64> {
    let mut source = File::open(from).map_err(Error::io("reading", from))?;
    let mut target = File::create(to).map_err(disk("writing", to))?;
    let mut buffer = vec![0; 1 << 20];
    let mut copied = 0;
    loop {
        if stop() {
            return Err(Error::Interrupted);
        }
        let n = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::io("reading", from)(e)),
        };
        target.write_all(&buffer[..n]).map_err(disk("writing", to))?;
        copied += n as u64;
        done(copied);
    }
    target.sync_all().map_err(disk("writing", to))?;
    Ok(copied)
}
