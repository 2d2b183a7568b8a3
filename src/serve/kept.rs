//! Files that are kept until they are fetched: in a folder of their own, so many, for so long. They
//! are found by names that nobody guesses; what a client calls its file is never part of a path.

use super::failure::Failure;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a file is kept.
const KEPT: Duration = Duration::from_secs(30 * 60);
/// Most files, and most bytes of all of them.
const MOST_FILES: usize = 1000;
const MOST_BYTES: usize = 1 << 30;

/// See the module.
pub struct Kept {
    folder: TempDir,
    files: Mutex<BTreeMap<String, File>>,
}

struct File {
    name: String,
    bytes: usize,
    since: Instant,
}

impl Kept {
    /// A folder for them, which goes with the server.
    pub fn new() -> Result<Kept> {
        let folder = TempDir::with_prefix("polygist-serve-");
        let folder = folder.map_err(Error::io("creating a folder in", std::env::temp_dir()))?;
        Ok(Kept { folder, files: Mutex::default() })
    }

    /// Keeps a file; the id to find it by.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn put(&self, name: String, bytes: &[u8]) -> Result<String, Failure> {
        let id = id()?;
        self.tidy();
        {
            let mut files = self.files();
            let all: usize = files.values().map(|file| file.bytes).sum();
            if files.len() >= MOST_FILES || all + bytes.len() > MOST_BYTES {
                let message = "too many translated files wait to be fetched; ask again later";
                return Err(Failure::busy(message, Duration::from_secs(60)));
            }
            let file = File { name, bytes: bytes.len(), since: Instant::now() };
            files.insert(id.clone(), file);
        }
        let path = self.folder.path().join(&id);
        if let Err(error) = std::fs::write(&path, bytes) {
            self.files().remove(&id);
            return Err(Failure::internal(format!("{}: {error}", path.display())));
        }
        Ok(id)
    }

    /// A file, by its id and the name that it was kept under.
    pub fn get(&self, id: &str, name: &str) -> Option<Vec<u8>> {
        let is_here = self.files().get(id).is_some_and(|file| file.name == name);
        is_here.then(|| std::fs::read(self.folder.path().join(id)).ok()).flatten()
    }

    /// Removes what was kept long enough.
    pub fn tidy(&self) {
        self.files().retain(|id, file| {
            let stays = file.since.elapsed() < KEPT;
            if !stays {
                // What cannot be removed now goes with the folder.
                let _ = std::fs::remove_file(self.folder.path().join(id));
            }
            stays
        });
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 128 random bits in hex.
///
/// # Errors
/// When the system has none.
pub fn id() -> Result<String, Failure> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
