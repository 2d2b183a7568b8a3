//! The memory of a job, `.polygist.memory` in its output folder: values by the hash of what they
//! depend on, over runs. It may be deleted at any time; it only saves work.
//!
//! A line is `["KEY","CHECK",VALUE]`: the key in hex, the beginning of the SHA-256 of key and
//! value, and any JSON. Of the values only their places are held.

use super::append::AppendFile;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, BufRead};
use std::path::Path;

/// Name of the memory in the output folder.
pub const MEMORY: &str = ".polygist.memory";

/// The most values: some 100 MB of places. What comes after them is not remembered.
const MOST: usize = 3_500_000;
/// A line that is longer than any of ours is not read.
const LONGEST: usize = 16 << 20;

/// Before the key, before the check, before the value and after it.
const FRAME: [&[u8]; 4] = [b"[\"", b"\",\"", b"\",", b"]\n"];
/// Bytes of a key and of a check, in hex.
const KEY: usize = 32;
const CHECK: usize = 16;
/// Bytes of a line before the value.
const HEAD: usize = 2 + KEY + 3 + CHECK + 2;

/// A key: the first bytes of a SHA-256.
pub type MemoryKey = [u8; KEY / 2];

/// Values by keys in a file, which one process has open.
#[derive(Debug)]
pub struct MemoryFile {
    file: AppendFile,
    /// The places of lines by the first half of their keys, and their lengths; a key is compared
    /// as a whole when its line is read.
    places: HashMap<u64, (u64, u32)>,
    most: usize,
}

impl MemoryFile {
    /// Opens the memory of an output folder, or starts one. The folder's journal has to be open,
    /// which keeps others out. A last line that was not written to its end is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(folder: &Path) -> Result<MemoryFile> {
        MemoryFile::open_with(folder, MOST)
    }

    /// Starts a memory anew; an old one is lost.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(folder: &Path) -> Result<MemoryFile> {
        let file = AppendFile::open(folder.join(MEMORY))?;
        file.cut().map_err(Error::io("writing", file.path()))?;
        Ok(MemoryFile { file, places: HashMap::new(), most: MOST })
    }

    fn open_with(folder: &Path, most: usize) -> Result<MemoryFile> {
        let file = AppendFile::open(folder.join(MEMORY))?;
        let mut memory = MemoryFile { file, places: HashMap::new(), most };
        memory.load().map_err(Error::io("reading", memory.file.path()))?;
        Ok(memory)
    }

    /// Takes in the places of whole lines; what is in them is looked at when it is needed.
    fn load(&mut self) -> io::Result<()> {
        let mut reader = self.file.reader()?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.last() != Some(&b'\n') {
                break;
            }
            if let (Some(key), true) = (key_of(&line), line.len() <= LONGEST) {
                self.note(&key, line.len());
            }
            self.file.keep(line.len() as u64);
            line.clear();
        }
        self.file.cut()
    }

    /// Notes a line that begins where the bytes that count end.
    fn note(&mut self, key: &MemoryKey, length: usize) {
        let (half, offset) = (half(key), self.file.length());
        if self.places.len() < self.most || self.places.contains_key(&half) {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.places.insert(half, (offset, length));
        }
    }

    /// The value of a key, as the JSON that was put; `None` where there is none, or it is damaged.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&mut self, key: &MemoryKey) -> Result<Option<Vec<u8>>> {
        let Some(&(offset, length)) = self.places.get(&half(key)) else { return Ok(None) };
        let line = self.file.read_at(offset, length as usize);
        let mut line = line.map_err(Error::io("reading", self.file.path()))?;
        if line.len() < HEAD + 2 || !line.ends_with(FRAME[3]) {
            return Ok(None);
        }
        line.truncate(line.len() - FRAME[3].len());
        let value = line.split_off(HEAD);
        Ok((line == head(key, &value)).then_some(value))
    }

    /// Remembers a value: JSON on one line. A full memory remembers nothing new.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put(&mut self, key: &MemoryKey, value: &[u8]) -> Result<()> {
        let length = HEAD + value.len() + FRAME[3].len();
        let is_full = self.places.len() >= self.most && !self.places.contains_key(&half(key));
        if is_full || length > LONGEST {
            return Ok(());
        }
        let line = [&head(key, value), value, FRAME[3]].concat();
        // The line's place is the end of the file as it is now.
        let before = self.places.get(&half(key)).copied();
        self.note(key, length);
        let written = self.file.append(&line, "writing the memory");
        if written.is_err() {
            match before {
                Some(place) => self.places.insert(half(key), place),
                None => self.places.remove(&half(key)),
            };
        }
        written.map(|_| ())
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// What stands before a value.
fn head(key: &MemoryKey, value: &[u8]) -> Vec<u8> {
    let check = Sha256::new().chain_update(key).chain_update(value).finalize();
    let mut line = Vec::with_capacity(HEAD);
    line.extend_from_slice(FRAME[0]);
    line.extend(hex(key));
    line.extend_from_slice(FRAME[1]);
    line.extend(hex(&check[..CHECK / 2]));
    line.extend_from_slice(FRAME[2]);
    line
}

fn hex(bytes: &[u8]) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
}

/// The key of a line, if it is one of ours.
fn key_of(line: &[u8]) -> Option<MemoryKey> {
    let digits = line.strip_prefix(FRAME[0])?.get(..KEY)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut key = MemoryKey::default();
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

/// The first half of a key, which is as good as random.
fn half(key: &MemoryKey) -> u64 {
    key.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn key(number: u8) -> MemoryKey {
        let mut key = [7; 16];
        key[0] = number;
        key
    }

    fn value(memory: &mut MemoryFile, number: u8) -> Option<String> {
        memory.get(&key(number)).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_was_put_is_there_in_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = MemoryFile::open(dir.path()).unwrap();
        assert!(memory.is_empty() && value(&mut memory, 1).is_none());
        memory.put(&key(1), br#"{"a":"x"}"#).unwrap();
        memory.put(&key(2), "\"б\"".as_bytes()).unwrap();
        memory.put(&key(1), b"3").unwrap();
        for _ in 0..2 {
            let found = [1, 2, 3].map(|number| value(&mut memory, number));
            assert_eq!(found, [Some("3".into()), Some("\"б\"".into()), None]);
            memory = MemoryFile::open(dir.path()).unwrap();
        }
        // Other programs can read it too.
        for line in fs::read_to_string(dir.path().join(MEMORY)).unwrap().lines() {
            let parsed: (String, String, serde_json::Value) = serde_json::from_str(line).unwrap();
            assert_eq!((parsed.0.len(), parsed.1.len()), (KEY, CHECK));
        }
    }

    #[test]
    fn a_torn_line_is_cut_off_wherever_it_was_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(MEMORY);
        let mut memory = MemoryFile::open(dir.path()).unwrap();
        memory.put(&key(1), b"\"one\"").unwrap();
        memory.put(&key(2), b"\"two\"").unwrap();
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|&b| b == b'\n').unwrap() + 1;
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let mut memory = MemoryFile::open(dir.path()).unwrap();
            memory.put(&key(3), b"\"three\"").unwrap();
            let mut memory = MemoryFile::open(dir.path()).unwrap();
            let there = [1, 2, 3].map(|number| value(&mut memory, number).is_some());
            assert_eq!(there, [end >= first, end == whole.len(), true], "cut at {end}");
        }
    }

    #[test]
    fn damage_costs_its_value_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(MEMORY);
        let mut memory = MemoryFile::open(dir.path()).unwrap();
        memory.put(&key(1), b"\"one\"").unwrap();
        memory.put(&key(2), b"\"two\"").unwrap();
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|&b| b == b'\n').unwrap();
        for at in 0..first {
            let mut damaged = whole.clone();
            damaged[at] = if damaged[at] == b'0' { b'1' } else { b'0' };
            fs::write(&path, &damaged).unwrap();
            let mut memory = MemoryFile::open(dir.path()).unwrap();
            assert_eq!(value(&mut memory, 1), None, "damage at {at}");
            assert_eq!(value(&mut memory, 2).as_deref(), Some("\"two\""), "damage at {at}");
        }
        for garbage in [&b"\0\0\0\n"[..], b"notes\n\n[\"\xff\n", b"[]\n"] {
            fs::write(&path, [garbage, &whole].concat()).unwrap();
            let mut memory = MemoryFile::open(dir.path()).unwrap();
            assert_eq!(value(&mut memory, 1).as_deref(), Some("\"one\""));
        }
    }

    #[test]
    fn a_full_memory_keeps_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let mut memory = MemoryFile::open_with(dir.path(), 2).unwrap();
        (1..=3).for_each(|number| memory.put(&key(number), b"1").unwrap());
        memory.put(&key(2), b"2").unwrap();
        let found = [1, 2, 3].map(|number| value(&mut memory, number));
        assert_eq!(found, [Some("1".into()), Some("2".into()), None]);
        assert_eq!(MemoryFile::open_with(dir.path(), 1).unwrap().len(), 1);
        assert!(MemoryFile::create(dir.path()).unwrap().is_empty());
        assert!(MemoryFile::open(dir.path()).unwrap().is_empty());
    }
}
