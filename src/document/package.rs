//! Containers: documents that are zip archives of parts.
//!
//! What is not read is never unpacked: it is copied as it is packed. What is read is counted by its
//! unpacked bytes, whatever its header says of its size.

use super::Settings;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// More members than this no document has.
const MEMBERS: u64 = 65_535;
/// The record at the end of an archive, that of a large one, its locator, and a member's entry.
const END: usize = 22;
const LARGE_END: usize = 56;
const LOCATOR: usize = 20;
const ENTRY: usize = 46;

/// A container that is read and changed.
pub(super) struct Package<'a> {
    bytes: &'a [u8],
    archive: ZipArchive<Cursor<&'a [u8]>>,
    changed: HashMap<String, Vec<u8>>,
    /// What may still be unpacked, and the limit that this was at first.
    left: usize,
    limit: usize,
}

/// An error about the document, as a phrase that follows its name.
pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::input("", message)
}

impl<'a> Package<'a> {
    /// Opens a container of a `kind` that the user knows: `a Word document (.docx)`.
    ///
    /// # Errors
    /// When the bytes are no zip archive, too many, cut off, or such that two programs would read
    /// different things in them.
    pub fn open(bytes: &'a [u8], settings: &Settings, kind: &str) -> Result<Package<'a>> {
        let limit = settings.max_bytes;
        if bytes.len() > limit {
            return Err(bad(format!("has {} bytes, more than the limit of {limit}", bytes.len())));
        }
        if let Some(found) = other(bytes) {
            return Err(bad(format!("expected {kind}, found {found}")));
        }
        let broken = |e| bad(format!("expected {kind}, found a broken zip archive: {e}"));
        let count = check_directory(bytes).map_err(broken)?;
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(e.to_string()))?;
        if archive.len() as u64 != count {
            return Err(broken("its directory can be read in two ways".into()));
        }
        check_members(&mut archive, bytes.len() as u64).map_err(broken)?;
        Ok(Package { bytes, archive, changed: HashMap::new(), left: limit, limit })
    }

    /// Whether there is a part of a name.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// The names of all parts, in the container's order.
    pub fn names(&self) -> Vec<String> {
        self.archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
    }

    /// The bytes of a part; `None` if there is none of that name.
    ///
    /// # Errors
    /// When they cannot be unpacked, or are more than what is left of the limit.
    pub fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(index) = self.archive.index_for_name(name) else { return Ok(None) };
        let member = self.archive.by_index_raw(index).map_err(|e| unreadable(name, &e))?;
        if member.encrypted() {
            return Err(bad(format!("is protected by a password ({name}); save it without one")));
        }
        drop(member);
        let member = self.archive.by_index(index).map_err(|e| unreadable(name, &e))?;
        let mut bytes = Vec::new();
        let wanted = self.left as u64 + 1;
        member
            .take(wanted)
            .read_to_end(&mut bytes)
            .map_err(|e| bad(format!("cannot be unpacked ({name}: {e}); it is damaged")))?;
        if bytes.len() > self.left {
            let limit = self.limit;
            return Err(bad(format!("unpacks to more than the limit of {limit} bytes ({name})")));
        }
        self.left -= bytes.len();
        Ok(Some(bytes))
    }

    /// The bytes of a part that there has to be.
    ///
    /// # Errors
    /// Those of [`Package::read`], and when there is none.
    pub fn expect(&mut self, name: &str, kind: &str) -> Result<Vec<u8>> {
        let message = || bad(format!("expected {kind}, found no {name} in it"));
        self.read(name)?.ok_or_else(message)
    }

    /// Puts other bytes in the place of a part's.
    pub fn replace(&mut self, name: &str, bytes: Vec<u8>) {
        self.changed.insert(name.into(), bytes);
    }

    /// The container with what was replaced in it; to the byte the same where nothing was. The part
    /// `first` is written first and not packed: it tells the kind of the document.
    ///
    /// # Errors
    /// When a member's bytes cannot be copied.
    pub fn finish(mut self, first: Option<&str>) -> Result<Vec<u8>> {
        if self.changed.is_empty() {
            return Ok(self.bytes.to_vec());
        }
        let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(self.bytes.len())));
        writer.set_raw_comment(self.archive.comment().into()).map_err(|e| unwritable(&e))?;
        let first = first.and_then(|name| self.archive.index_for_name(name));
        for index in first.into_iter().chain((0..self.archive.len()).filter(|i| Some(*i) != first))
        {
            let must_store = Some(index) == first;
            self.copy(index, must_store, &mut writer)?;
        }
        Ok(writer.finish().map_err(|e| unwritable(&e))?.into_inner())
    }

    fn copy(
        &mut self,
        index: usize,
        must_store: bool,
        writer: &mut ZipWriter<Cursor<Vec<u8>>>,
    ) -> Result<()> {
        let member = self.archive.by_index_raw(index).map_err(|e| unwritable(&e))?;
        let is_stored = member.compression() == CompressionMethod::Stored;
        let name = member.name().map_err(|e| unwritable(&e))?.into_owned();
        let options = member.options();
        let new = match self.changed.remove(&name) {
            Some(bytes) => bytes,
            None if must_store && !is_stored => {
                drop(member);
                self.read(&name)?.unwrap_or_default()
            }
            None => return writer.raw_copy_file(member).map_err(|e| unwritable(&e)),
        };
        let method = match must_store || is_stored {
            true => CompressionMethod::Stored,
            false => CompressionMethod::Deflated,
        };
        let options: SimpleFileOptions = options.compression_method(method).large_file(false);
        writer.start_file(name, options).map_err(|e| unwritable(&e))?;
        writer.write_all(&new).map_err(|e| unwritable(&ZipError::Io(e)))
    }
}

fn unreadable(name: &str, e: &ZipError) -> Error {
    bad(format!("cannot be unpacked ({name}: {e}); it is damaged"))
}

fn unwritable(e: &ZipError) -> Error {
    bad(format!("cannot be copied ({e}); it is damaged"))
}

/// What bytes that are no zip archive are instead.
fn other(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 4] = [
        (
            b"\xD0\xCF\x11\xE0",
            "an Office document that is of an old format or protected by a password; save it \
             without one, in the format of today",
        ),
        (b"%PDF-", "a PDF document"),
        (b"{\\rtf", "an RTF document"),
        (b"<", "XML or HTML that is in no container"),
    ];
    if bytes.starts_with(b"PK") {
        return None;
    }
    let found = kinds.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, what)| *what);
    found.or(bytes.is_empty().then_some("no bytes at all"))
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// Counts the members in the directory, before anything is allocated for as many as its end claims:
/// a forged claim made the `zip` crate reserve gigabytes. Names that are there twice are refused:
/// which of the two is meant differs from program to program.
fn check_directory(bytes: &[u8]) -> Result<u64, String> {
    const CUT: &str = "its directory is not where it should be; it is cut off or damaged";
    let last = bytes.len().checked_sub(END).ok_or(CUT)?;
    let ends = |at: &usize| {
        bytes[*at..].starts_with(b"PK\x05\x06")
            && number(bytes, at + 20, 2).is_some_and(|n| at + END + n as usize <= bytes.len())
    };
    let end = (last.saturating_sub(0xffff)..=last).rev().find(ends).ok_or(CUT)?;
    let locator = end.checked_sub(LOCATOR).filter(|at| bytes[*at..].starts_with(b"PK\x06\x07"));
    let (record, at_count, at_length, width) = match locator {
        Some(locator) => (locator.checked_sub(LARGE_END).ok_or(CUT)?, 32, 40, 8),
        None => (end, 10, 12, 4),
    };
    let count = number(bytes, record + at_count, if width == 8 { 8 } else { 2 }).ok_or(CUT)?;
    let length = number(bytes, record + at_length, width).ok_or(CUT)?;
    if count > MEMBERS {
        return Err(format!("it would have {count} members, more than any document"));
    }
    let start = usize::try_from(length).ok().and_then(|length| record.checked_sub(length));
    let mut rest = &bytes[start.ok_or(CUT)?..record];
    let mut names = HashSet::new();
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(CUT.into());
        }
        let sizes = [28, 30, 32].map(|at| number(rest, at, 2).unwrap_or(0) as usize);
        let name = rest.get(ENTRY..ENTRY + sizes[0]).ok_or(CUT)?;
        if !names.insert(name) {
            return Err(format!("{} is in it twice", String::from_utf8_lossy(name)));
        }
        rest = rest.get(ENTRY + sizes.iter().sum::<usize>()..).ok_or(CUT)?;
    }
    Ok(count)
}

/// Refuses members that lead out of the folder that somebody unpacks them into, that are not all
/// there, or that share their bytes: of those, a copy would grow without end.
fn check_members(archive: &mut ZipArchive<Cursor<&[u8]>>, size: u64) -> Result<(), String> {
    let mut sum = 0;
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|e| e.to_string())?;
        let name = member.name().map_err(|e| e.to_string())?.into_owned();
        let is_outside = name.starts_with(['/', '\\'])
            || name.contains('\0')
            || name.split(['/', '\\']).any(|part| part == "..");
        if is_outside {
            return Err(format!("its member {name:?} leads out of its folder"));
        }
        let packed = member.compressed_size();
        sum += packed;
        let end = member.data_start().and_then(|start| start.checked_add(packed));
        if end.is_none_or(|end| end > size) {
            return Err(format!("{name} is not all there; it is cut off or damaged"));
        }
        if sum > size {
            return Err("its members share their bytes".into());
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A container with these parts.
    pub fn pack(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            let method = match *name {
                "mimetype" => CompressionMethod::Stored,
                _ => CompressionMethod::Deflated,
            };
            let options = SimpleFileOptions::default().compression_method(method);
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// A part of a container.
    pub fn unpack(bytes: &[u8], name: &str) -> String {
        let bytes = Package::open(bytes, &Settings::default(), "a test").unwrap().read(name);
        String::from_utf8(bytes.unwrap().unwrap()).unwrap()
    }

    fn error(bytes: &[u8]) -> String {
        let settings = Settings { max_bytes: 1 << 20, ..Settings::default() };
        let read = |mut package: Package| package.read("a").map(|_| ());
        Package::open(bytes, &settings, "a test").and_then(read).unwrap_err().to_string()
    }

    #[test]
    fn broken_containers_are_refused() {
        let good = pack(&[("a", b"text"), ("b", b"text")]);
        for length in 0..good.len() {
            assert!(!error(&good[..length]).is_empty());
        }
        for name in ["../a", "/a", "b/../../a", "c\\..\\a"] {
            assert!(error(&pack(&[(name, b"")])).contains("leads out"), "{name}");
        }
        let mut twice = good.clone();
        twice.iter_mut().filter(|byte| **byte == b'b').for_each(|byte| *byte = b'a');
        assert!(error(&twice).contains("a is in it twice"), "{}", error(&twice));
        let mut claims = good.clone();
        let end = claims.len() - END;
        claims[end + 10..end + 12].copy_from_slice(&[0xff, 0xff]);
        assert!(error(&claims).contains("broken"));
        let bomb = pack(&[("a", &vec![0; 4 << 20])]);
        assert!(bomb.len() < 10_000 && error(&bomb).contains("more than the limit"));
        assert!(error(b"\xD0\xCF\x11\xE0\xA1\xB1").contains("password"));
        assert!(error(b"").contains("no bytes"));
    }
}
