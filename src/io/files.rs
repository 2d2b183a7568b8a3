//! Files on the disk: hashed and copied in steps that can be stopped, made to last, deleted.

use super::folders::CACHE_VARIABLE;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// SHA-256 of `bytes` in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file in hex; `done` hears how many bytes have been read.
pub(super) fn sha256_of(path: &Path, stop: &CancelToken, done: &dyn Fn(u64)) -> Result<String> {
    let file = File::open(path).map_err(Error::io("reading", path))?;
    let mut hash = Sha256::new();
    for_each_chunk(file, path, stop, done, |bytes| {
        hash.update(bytes);
        Ok(())
    })?;
    Ok(hex(&hash.finalize()))
}

/// Copies a file; returns its size. `done` hears how many bytes have been copied.
pub(super) fn copy(from: &Path, to: &Path, stop: &CancelToken, done: &dyn Fn(u64)) -> Result<u64> {
    let source = File::open(from).map_err(Error::io("reading", from))?;
    let mut target = File::create(to).map_err(disk("writing", to))?;
    let size = for_each_chunk(source, from, stop, done, |bytes| {
        target.write_all(bytes).map_err(disk("writing", to))
    })?;
    target.sync_all().map_err(disk("writing", to))?;
    Ok(size)
}

/// Reads a file piece by piece, and looks between two of them whether to stop; returns its size.
fn for_each_chunk(
    mut file: File,
    path: &Path,
    stop: &CancelToken,
    done: &dyn Fn(u64),
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    loop {
        stop.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(read),
            Ok(n) => {
                take(&buffer[..n])?;
                read += n as u64;
                done(read);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("reading", path)(e)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// [`Error::io`] for what is written: a full disk has a message of its own.
pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |e| match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Fetch {
            what: path.display().to_string(),
            message: format!(
                "no space left there ({e}). Free some, or choose another folder with --cache-dir or {CACHE_VARIABLE}; \
                 what has come is kept, and the next run goes on from there"
            ),
        },
        _ => Error::io(action, &path)(e),
    }
}

/// Opens a file with its first `keep` bytes, to append to.
pub(super) fn open_to_append(path: &Path, keep: u64) -> Result<File> {
    let open = || {
        let mut file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.set_len(keep)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(keep))?;
        Ok(file)
    };
    open().map_err(disk("writing", path))
}

/// Waits until a written file is on the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(disk("writing", path))
}

/// Makes a folder and those above it.
pub(super) fn create_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(disk("creating the folder", dir))
}

/// Deletes a file or folder that may not be there.
pub(super) fn discard(path: &Path) -> Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("removing", path)(e)),
        _ => Ok(()),
    }
}

/// Bytes of all files below a folder, as far as they can be seen.
pub(super) fn size_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .fold(0, u64::saturating_add)
}
