//! The copy of the registry on this machine: a line that says where it is from, which version it is
//! and when it was seen to be the present one, then the registry as it came.

use super::REGISTRY_LIMIT;
use crate::error::{Error, Result};
use crate::io::files::{create_dir, disk};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The age up to which nobody is asked for a newer one.
const FRESH: u64 = 24 * 3600;

/// The copy.
pub(super) struct LocalCopy {
    /// Where it is from.
    pub place: String,
    /// The server's name for this version.
    pub etag: Option<String>,
    /// Whether its files are where it says itself, whatever place of models is configured: it was
    /// made of records.
    pub is_own: bool,
    /// When it was seen to be the present one, in seconds since 1970.
    seen: u64,
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    place: String,
    etag: Option<String>,
    #[serde(default)]
    is_own: bool,
    seen: u64,
}

impl LocalCopy {
    pub fn new(place: &str, etag: Option<String>, body: Vec<u8>) -> LocalCopy {
        LocalCopy { place: place.into(), etag, is_own: false, seen: now(), body }
    }

    /// The copy at a path; `None` when there is none, or it is damaged.
    pub fn read(path: &Path) -> Option<LocalCopy> {
        let mut bytes = Vec::new();
        let limit = REGISTRY_LIMIT as u64 * 2;
        File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let Head { place, etag, is_own, seen } = serde_json::from_slice(&bytes[..end]).ok()?;
        bytes.drain(..=end);
        Some(LocalCopy { place, etag, is_own, seen, body: bytes })
    }

    /// Whether it is from there, and not a day old. A time that is still to come is no age.
    pub fn is_fresh(&self, place: &str) -> bool {
        let age = now().checked_sub(self.seen);
        self.place == place && age.is_some_and(|age| age < FRESH)
    }

    /// Writes it by one rename, so that whoever reads finds all of the one or all of the other.
    pub fn write(&self, path: &Path) -> Result<()> {
        let LocalCopy { place, etag, is_own, seen, body } = self;
        let head = Head { place: place.clone(), etag: etag.clone(), is_own: *is_own, seen: *seen };
        let head = serde_json::to_string(&head).map_err(|e| Error::Usage(e.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        create_dir(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(disk("writing", path))?;
        file.write_all(head.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.write_all(body))
            .map_err(disk("writing", path))?;
        file.persist(path).map_err(|e| disk("writing", path)(e.error))?;
        Ok(())
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}
