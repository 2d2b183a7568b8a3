//! A file of lines that grows at its end and stays whole: what was torn off is cut off.

use super::write::atomic_with;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file of lines, open for one process, which knows the places of its lines.
#[derive(Debug)]
pub(super) struct AppendFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl AppendFile {
    /// Opens a file, or starts one. Nothing counts as read yet: see [`AppendFile::keep`].
    pub fn open(path: PathBuf) -> Result<AppendFile> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("opening", &path))?;
        Ok(AppendFile { path, file, length: 0 })
    }

    /// Opens a file to read it alone, while another process may add to it.
    pub fn look(path: PathBuf) -> Result<AppendFile> {
        let file = File::open(&path).map_err(Error::io("opening", &path))?;
        Ok(AppendFile { path, file, length: 0 })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that count.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads the whole file from its start.
    pub fn reader(&self) -> io::Result<BufReader<File>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    /// Counts the next bytes of a file that is being read as whole lines.
    pub fn keep(&mut self, bytes: u64) {
        self.length += bytes;
    }

    /// Ends the last line, which has come to its end but for the line break.
    pub fn end_line(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(b"\n")?;
        self.length += 1;
        Ok(())
    }

    /// Cuts off whatever follows the bytes that count. A file that ends there is left alone, its
    /// time of change too.
    pub fn cut(&self) -> io::Result<()> {
        if self.file.metadata()?.len() == self.length {
            return Ok(());
        }
        self.file.set_len(self.length)
    }

    /// Adds lines at the end, and gives the place where they begin. `what` is being done, in the
    /// words of an error.
    pub fn append(&mut self, bytes: &[u8], what: &'static str) -> Result<u64> {
        let start = self.length;
        let written =
            self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.write_all(bytes));
        if let Err(error) = written {
            // Half a line must not stay before the next one. Should even this fail, opening the
            // file repairs it.
            let _ = self.file.set_len(start);
            return Err(Error::io(what, &self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(start)
    }

    /// The bytes at a place, fewer at the end of the file.
    pub fn read_at(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        self.file.seek(SeekFrom::Start(offset))?;
        (&self.file).take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes what was written last over a power cut.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Replaces the file by one with these parts of it, in this order; the file as it was stays
    /// until the new one is whole.
    pub fn replace(&mut self, parts: impl Iterator<Item = (u64, u64)>) -> Result<()> {
        let mut from = self.reader().map_err(Error::io("reading", &self.path))?;
        let mut written = 0;
        atomic_with(&self.path, |out| {
            let mut at = 0;
            for (offset, length) in parts {
                // Seeking empties the buffer: only where lines are not in a row.
                if at != offset {
                    from.seek(SeekFrom::Start(offset))?;
                }
                let copied = io::copy(&mut from.by_ref().take(length), out)?;
                if copied < length {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the file was shortened by another program",
                    ));
                }
                at = offset + length;
                written += length;
            }
            Ok(())
        })?;
        *self = AppendFile::open(self.path.clone())?;
        self.length = written;
        Ok(())
    }
}
