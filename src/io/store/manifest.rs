//! The store's description of an installed model, compared with its folder.

use crate::error::{Error, Result};
use crate::io::catalog::{Model, ModelFile, reads, writes};
use crate::io::files::{disk, sync};
use crate::types::Lang;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

const MANIFEST: &str = "manifest.json";
const MANIFEST_LIMIT: u64 = 16 << 20;

/// One file of an installed model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Name below the model's folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hex, of the bytes as they were installed.
    pub sha256: String,
    /// Where it came from.
    pub source: String,
}

impl StoredFile {
    /// Whether this is the file that a list names, by content.
    pub(in crate::io) fn is(&self, file: &ModelFile) -> bool {
        self.size == file.size && file.sha256.as_ref() == Some(&self.sha256)
    }
}

/// Whether every file that the catalog lists is among the stored ones, by content. Where it lists
/// none, any are right.
pub(in crate::io) fn same_files(entry: &Model, stored: &[StoredFile]) -> bool {
    entry.files.iter().all(|file| stored.iter().any(|stored| stored.is(file)))
}

/// The description of an installed model, kept in its folder as `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Catalog id, Hub name as it was asked for, or the name given at import.
    pub id: String,
    /// Name of its licence, if known.
    pub licence: Option<String>,
    /// Where the licence can be read.
    pub licence_url: Option<String>,
    /// When it was installed (UTC, RFC 3339).
    pub installed: String,
    /// Languages that it reads, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Lang>,
    /// Languages that it writes, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Lang>,
    /// What whoever looks at it should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Its files.
    pub files: Vec<StoredFile>,
}

impl Manifest {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).fold(0, u64::saturating_add)
    }

    /// Whether it is known to read the one language and to write the other; what is not said is not
    /// asked.
    pub fn fits(&self, from: Option<&Lang>, to: Option<&Lang>) -> bool {
        from.is_none_or(|from| reads(&self.from, from)) && to.is_none_or(|to| writes(&self.to, to))
    }

    pub(in crate::io) fn now() -> String {
        humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
    }

    /// Writes the manifest into a model's folder, and waits until it is on the disk.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::model(&self.id, format!("its manifest cannot be written: {e}")))?;
        fs::write(&path, text).map_err(disk("writing", &path))?;
        sync(&path)
    }
}

/// Whether a model can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there.
    Absent,
    /// There, but not usable: why.
    Broken(String),
    /// There, complete by name and size.
    Ready(Manifest),
}

impl State {
    /// The state of the model in a folder. Names and sizes of its files are compared with the
    /// manifest, not their contents.
    pub(super) fn of(folder: &Path) -> Result<State> {
        let path = folder.join(MANIFEST);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(if folder.exists() {
                    State::Broken("its manifest.json is missing".into())
                } else {
                    State::Absent
                });
            }
            Err(e) => return Err(Error::io("reading", &path)(e)),
        };
        let mut text = String::new();
        let manifest: Manifest = match file
            .take(MANIFEST_LIMIT)
            .read_to_string(&mut text)
            .map(|_| serde_json::from_str(&text))
        {
            Ok(Ok(manifest)) => manifest,
            Ok(Err(e)) => {
                return Ok(State::Broken(format!("its manifest.json cannot be read: {e}")));
            }
            Err(e) => return Ok(State::Broken(format!("its manifest.json cannot be read: {e}"))),
        };
        for file in &manifest.files {
            match fs::metadata(folder.join(&file.path)) {
                Ok(meta) if meta.len() == file.size => {}
                Ok(meta) => {
                    return Ok(State::Broken(format!(
                        "{} has {} bytes instead of {}",
                        file.path,
                        meta.len(),
                        file.size
                    )));
                }
                Err(e) => return Ok(State::Broken(format!("{}: {e}", file.path))),
            }
        }
        Ok(State::Ready(manifest))
    }
}
