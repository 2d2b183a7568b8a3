//! A file of articles: its place, its id, its format.

use crate::types::Format;
use std::path::{Path, PathBuf};

/// The name of standard input in ids, records and messages.
pub const STDIN: &str = "<stdin>";

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// Unique among the files of the run: the path below the input folder, with `/`.
    pub id: String,
    /// The format that its name promises; without one the content decides.
    pub format: Option<Format>,
    /// Where it is a copy of: an address. Messages and records then name that and not its path.
    pub copy_of: Option<String>,
}

impl FoundFile {
    /// Standard input as a file.
    pub fn stdin() -> Self {
        FoundFile { path: PathBuf::from("-"), id: STDIN.into(), format: None, copy_of: None }
    }

    /// Whether this is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The path as it stands in messages and records.
    pub fn name(&self) -> String {
        match &self.copy_of {
            Some(origin) => origin.clone(),
            None if self.is_stdin() => STDIN.into(),
            None => shown(&self.path),
        }
    }
}

/// A path as people and records see it: `/` between its parts, bytes that are no text as `%FF`.
pub(super) fn shown(path: &Path) -> String {
    let out = shown_bytes(path.as_os_str().as_encoded_bytes());
    if std::path::MAIN_SEPARATOR == '/' { out } else { out.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The bytes of a name as people and records see them.
pub(super) fn shown_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
