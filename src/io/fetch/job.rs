//! A model's files on their way into the store: what a source of bytes is given, and how it may
//! fail.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, LooseFile, ModelFile};
use crate::io::files::{create_dir, disk, open_to_append};
use crate::io::layout::is_licence;
use crate::io::progress::Progress;
use std::fs::{self, File};
use std::path::PathBuf;

/// The reason why a source did not give a file.
pub(super) enum Failure {
    /// This source cannot; the next one may.
    Source(String),
    /// As [`Failure::Source`]: nobody answers at its address, which is said once.
    Unreachable(String),
    /// No source can help: stopped on request, or the disk is full.
    Fatal(Error),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure::Fatal(e)
    }
}

/// The files of a model, before they are fetched.
pub(super) struct Listing {
    pub files: Vec<ModelFile>,
    /// Files whose size and checksum nobody tells.
    pub loose: Vec<LooseFile>,
    pub licence: Option<Licence>,
    /// The commit, where the files have no other pin.
    pub commit: Option<String>,
    /// What whoever looks at the installed model should know.
    pub notes: Vec<String>,
}

/// One file on its way.
pub(super) struct Job<'a> {
    /// The file that is expected.
    pub file: &'a ModelFile,
    /// Where its bytes gather.
    pub part: PathBuf,
    /// A folder for whatever a source needs on the way.
    pub work: PathBuf,
    /// Where licence texts that come along are kept.
    pub licences: PathBuf,
    /// Bytes of the files before this one.
    pub base: u64,
    pub progress: &'a dyn Progress,
    pub stop: &'a CancelToken,
}

impl Job<'_> {
    /// The number of bytes that are there.
    pub fn have(&self) -> Result<u64> {
        match fs::metadata(&self.part) {
            Ok(meta) => Ok(meta.len()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(Error::io("reading", &self.part)(e)),
        }
    }

    /// Opens the part file with its first `keep` bytes, to append to.
    pub fn open(&self, keep: u64) -> Result<File> {
        open_to_append(&self.part, keep)
    }

    /// Tells how many bytes of this file are there.
    pub fn position(&self, done: u64) {
        self.progress.position(self.base + done.min(self.file.size));
    }

    /// Writes a licence text that came with a source beside the model.
    pub fn keep_licence(&self, package: &str, name: &str, text: &[u8]) -> Result<()> {
        debug_assert!(is_licence(name));
        create_dir(&self.licences)?;
        let path = self.licences.join(format!("{package}-{name}"));
        fs::write(&path, text).map_err(disk("writing", &path))
    }
}
