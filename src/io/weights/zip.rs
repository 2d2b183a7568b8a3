//! The members of a zip archive as `torch.save` writes it: stored, not packed, so that a tensor's
//! bytes can be read where they lie.
//!
//! Nothing is unpacked here, so nothing can swell, and no more is allocated than the file's own
//! directory of members takes.
//!
//! The `zip` crate, which reads wheels, is not used for it: zip 9.8 reserves memory for as many
//! members as the end record claims, up to a 46th of the file's size and some 170 bytes each,
//! before it reads one. A forged file of 0.9 GB reserved 3.5 GB, one of 9 GB (full of holes)
//! aborted the process. Model files are that large; here the directory is bounded by
//! [`DIRECTORY_LIMIT`].

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// A directory longer than this lists no model's tensors; each takes about a hundred bytes.
const DIRECTORY_LIMIT: u64 = 32 << 20;
/// The record at the end of an archive, without and with the longest comment.
const END: usize = 22;
const END_WITH_COMMENT: u64 = 22 + 0xffff;
const LOCATOR: usize = 20;
const END64: usize = 56;
const ENTRY: usize = 46;
const LOCAL: usize = 30;

/// A member's bytes in the file, or why they cannot be read.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Stored(Range<u64>),
    Packed,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Bytes of the file; `None` when they are not all there.
fn read_at(
    file: &mut (impl Read + Seek),
    size: u64,
    at: u64,
    length: u64,
) -> Result<Option<Vec<u8>>, String> {
    if at.checked_add(length).is_none_or(|end| end > size) {
        return Ok(None);
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| e.to_string())?;
    Ok(Some(bytes))
}

/// The members by name.
pub(super) fn members(
    file: &mut (impl Read + Seek),
    size: u64,
) -> Result<HashMap<String, Member>, String> {
    let damaged = |what: &str| format!("{what}; the file is cut off or damaged: fetch it again");
    let (directory, count) =
        directory(file, size)?.ok_or_else(|| damaged("its directory is not where it should be"))?;
    let mut members = HashMap::new();
    let mut at = 0;
    for _ in 0..count {
        let entry = Entry::read(directory.get(at..).unwrap_or_default())
            .ok_or_else(|| damaged("its directory is broken"))?;
        at += entry.length;
        let member = match entry.packed {
            true => Member::Packed,
            false => Member::Stored(
                entry
                    .data(file, size)?
                    .ok_or_else(|| damaged(&format!("{} is not all there", entry.name)))?,
            ),
        };
        if members.insert(entry.name.clone(), member).is_some() {
            return Err(format!("{} is in it twice", entry.name));
        }
    }
    Ok(members)
}

/// The bytes of the directory, and the number of its entries.
fn directory(file: &mut (impl Read + Seek), size: u64) -> Result<Option<(Vec<u8>, u64)>, String> {
    let tail = size.min(END_WITH_COMMENT);
    let Some(tail) = read_at(file, size, size - tail, tail)? else { return Ok(None) };
    // The record whose comment reaches exactly to the end of the file.
    let ends = |at: &usize| {
        tail[*at..].starts_with(b"PK\x05\x06")
            && u16_at(&tail, at + 20) == Some((tail.len() - at - END) as u64)
    };
    let Some(at) =
        (0..=tail.len().saturating_sub(END)).rev().filter(|at| at + END <= tail.len()).find(ends)
    else {
        return Ok(None);
    };
    let end = &tail[at..];
    let (mut count, mut length, mut start) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
    if let Some(locator) =
        at.checked_sub(LOCATOR).map(|l| &tail[l..at]).filter(|l| l.starts_with(b"PK\x06\x07"))
    {
        let record = u64_at(locator, 8).unwrap_or(u64::MAX);
        let Some(end64) =
            read_at(file, size, record, END64 as u64)?.filter(|r| r.starts_with(b"PK\x06\x06"))
        else {
            return Ok(None);
        };
        (count, length, start) = (u64_at(&end64, 32), u64_at(&end64, 40), u64_at(&end64, 48));
    }
    let (Some(count), Some(length), Some(start)) = (count, length, start) else { return Ok(None) };
    if length > DIRECTORY_LIMIT {
        return Err(format!("its directory would have {length} bytes, more than any model's"));
    }
    Ok(read_at(file, size, start, length)?.map(|bytes| (bytes, count)))
}

struct Entry {
    name: String,
    packed: bool,
    size: u64,
    header: u64,
    /// Bytes of the entry itself.
    length: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Entry> {
        if !bytes.starts_with(b"PK\x01\x02") {
            return None;
        }
        let (flags, method) = (u16_at(bytes, 8)?, u16_at(bytes, 10)?);
        let (mut packed_size, mut size, mut header) =
            (u32_at(bytes, 20)?, u32_at(bytes, 24)?, u32_at(bytes, 42)?);
        let (name, extra, comment) =
            (u16_at(bytes, 28)? as usize, u16_at(bytes, 30)? as usize, u16_at(bytes, 32)? as usize);
        let length = ENTRY + name + extra + comment;
        let text = bytes.get(..length)?.get(ENTRY..ENTRY + name)?;
        // Numbers that do not fit into 32 bits stand in an extra field, in this order.
        let mut wide = zip64(bytes.get(ENTRY + name..ENTRY + name + extra)?);
        for value in [&mut size, &mut packed_size, &mut header] {
            if *value == u64::from(u32::MAX)
                && let Some((first, rest)) = wide.split_first_chunk()
            {
                (*value, wide) = (u64::from_le_bytes(*first), rest);
            }
        }
        let packed = method != 0 || flags & 1 != 0 || packed_size != size;
        Some(Entry {
            name: String::from_utf8_lossy(text).into_owned(),
            packed,
            size,
            header,
            length,
        })
    }

    /// The member's bytes, which begin after a header of its own.
    fn data(&self, file: &mut (impl Read + Seek), size: u64) -> Result<Option<Range<u64>>, String> {
        let Some(local) = read_at(file, size, self.header, LOCAL as u64)?
            .filter(|l| l.starts_with(b"PK\x03\x04"))
        else {
            return Ok(None);
        };
        let (Some(name), Some(extra)) = (u16_at(&local, 26), u16_at(&local, 28)) else {
            return Ok(None);
        };
        let start = self.header + LOCAL as u64 + name + extra;
        Ok(start.checked_add(self.size).filter(|&end| end <= size).map(|end| start..end))
    }
}

/// The content of the extra field for large archives.
fn zip64(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + length as usize;
        match extra.get(4..end) {
            Some(content) if id == 1 => return content,
            Some(_) => extra = &extra[end..],
            None => break,
        }
    }
    &[]
}
