//! The store: the folder in which models are kept between runs.
//!
//! ```text
//! <cache>/models/<name>/           an installed model: its files, manifest.json, licence texts
//! <cache>/models/.partial/<name>/  what has come so far of one that is being fetched
//! <cache>/models/.locks/           one lock file a model, never deleted
//! ```
//! A model appears under its name by one rename, when all its files are there and verified.

mod import;
mod lock;
mod manifest;
mod origin;

use super::files::{create_dir, discard, sha256_of, size_below};
use super::folders;
use super::names::{HubName, is_plain_name};
use super::progress::Progress;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use import::ImportAs;
pub use lock::Lock;
pub(super) use manifest::same_files;
pub use manifest::{Manifest, State, StoredFile};

/// The folder of models.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in the given cache folder, in `POLYGIST_CACHE`, or else in the platform's cache
    /// folder. Nothing is created yet.
    pub fn open(cache: Option<&Path>) -> Result<Store> {
        let root = folders::cache(cache)?;
        Ok(Store { root })
    }

    /// The cache folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that a model has, or would have.
    pub fn path_of(&self, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(folder_name(id)?))
    }

    /// Whether the model is there. Compares names and sizes, not contents; see [`Store::verify`]
    /// for those.
    pub fn state(&self, id: &str) -> Result<State> {
        Ok(match State::of(&self.path_of(id)?)? {
            State::Ready(manifest) if manifest.id != id => {
                State::Broken(format!("its folder holds {}", manifest.id))
            }
            state => state,
        })
    }

    /// Every model in the store with its state, by name.
    pub fn installed(&self) -> Result<Vec<(String, State)>> {
        let models = self.models();
        let entries = match fs::read_dir(&models) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("reading the folder", &models)(e)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("reading the folder", &models))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !entry.path().is_dir() {
                continue;
            }
            match State::of(&entry.path())? {
                State::Ready(manifest) => found.push((manifest.id.clone(), State::Ready(manifest))),
                state => found.push((id_of_folder(&name), state)),
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Reads every byte of an installed model again; returns a line for each file that has changed
    /// since it was installed.
    pub fn verify(
        &self,
        id: &str,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<Vec<String>> {
        let manifest = match self.state(id)? {
            State::Ready(manifest) => manifest,
            State::Broken(why) => return Ok(vec![why]),
            State::Absent => {
                return Err(Error::model(
                    id,
                    "is not installed; `polygist models list` shows what is",
                ));
            }
        };
        let folder = self.path_of(id)?;
        let mut faults = Vec::new();
        let mut done = 0;
        progress.start(id, manifest.size());
        for file in &manifest.files {
            let found =
                sha256_of(&folder.join(&file.path), stop, &|n| progress.position(done + n))?;
            if found != file.sha256 {
                faults
                    .push(format!("{}: SHA-256 should be {}, is {found}", file.path, file.sha256));
            }
            done += file.size;
        }
        progress.finish();
        Ok(faults)
    }

    /// Deletes a model and what has come of it so far; returns the bytes that are free again.
    pub fn remove(&self, id: &str, progress: &dyn Progress, stop: &CancelToken) -> Result<u64> {
        let folder = self.path_of(id)?;
        let partial = self.partial_of(id)?;
        if !folder.exists() && !partial.exists() {
            return Err(Error::model(id, "is not installed; `polygist models list` shows what is"));
        }
        let _lock = self.lock(id, progress, stop)?;
        // Out of sight first: a reader finds the model whole or not at all.
        let to_delete = self.trash_path("removed", id)?;
        let mut freed = 0;
        for dir in [&folder, &partial] {
            if !dir.exists() {
                continue;
            }
            freed += size_below(dir);
            discard(&to_delete)?;
            create_dir(&self.models().join(".partial"))?;
            fs::rename(dir, &to_delete).map_err(Error::io("removing", dir))?;
            discard(&to_delete)?;
        }
        Ok(freed)
    }

    /// Waits until no other process or thread changes this model, and holds it.
    pub fn lock(&self, id: &str, progress: &dyn Progress, stop: &CancelToken) -> Result<Lock> {
        let dir = self.models().join(".locks");
        create_dir(&dir)?;
        Lock::acquire(&dir.join(format!("{}.lock", folder_name(id)?)), id, progress, stop)
    }

    /// The folder in which a model is put together.
    pub(super) fn partial_of(&self, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(".partial").join(folder_name(id)?))
    }

    /// Makes the model that lies complete in `staging` appear under its name.
    pub(super) fn install(&self, staging: &Path, manifest: &Manifest) -> Result<()> {
        manifest.write(staging)?;
        let folder = self.path_of(&manifest.id)?;
        let replaced = self.trash_path("replaced", &manifest.id)?;
        discard(&replaced)?;
        if folder.exists() {
            fs::rename(&folder, &replaced).map_err(Error::io("replacing", &folder))?;
        }
        fs::rename(staging, &folder).map_err(Error::io("installing", &folder))?;
        discard(&replaced)
    }

    /// A path beside the partial folders, for what is about to be deleted; no model has a name that
    /// begins with a dot.
    fn trash_path(&self, what: &str, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(".partial").join(format!(".{what}-{}", folder_name(id)?)))
    }

    fn models(&self) -> PathBuf {
        self.root.join("models")
    }
}

/// The name of a model's folder.
///
/// # Errors
/// When the id is neither a plain name nor one of the Hub, as `..`.
fn folder_name(id: &str) -> Result<String> {
    match is_plain_name(id) || HubName::parse(id).is_some() {
        true => Ok(id.replace('/', "--").replace(':', "+")),
        false => Err(Error::model(
            id,
            "cannot be the name of a model; `polygist models list` shows what is there",
        )),
    }
}

/// The inverse of [`folder_name`], for folders whose manifest cannot tell the id.
fn id_of_folder(name: &str) -> String {
    name.replace("--", "/").replace('+', ":")
}
