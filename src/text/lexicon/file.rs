//! The file of the lexicon, read where it lies.

use super::concept::{Concept, Place};
use super::units::UNITS;
use std::sync::LazyLock;

/// The file that the script writes.
static BYTES: &[u8] = include_bytes!("../../../models/lexicon.bin");

/// Places of the buckets, each of the hashes with the same first bits.
const BUCKETS: usize = 1 << 14;
/// Bits of an entry that are no hash.
const LOW: u32 = 20;
/// The first concepts of each kind; those of the script.
const FIRST_MONTH: u16 = 7;
const FIRST_DAY: u16 = 19;
const FIRST_UNIT: u16 = 24;
const FIRST_PLACE: u16 = 128;
/// The concept of the beginning of a phrase.
const NOTHING: u16 = 0xFFFF;

/// The lexicon; empty if the file is not what it should be, which a test would find.
pub(super) static FILE: LazyLock<File> =
    LazyLock::new(|| File::read(BYTES).unwrap_or(File { rows: &[], starts: &[], entries: &[] }));

/// Bits of a hash that are looked up in [`FILTER`].
const FILTER_BITS: u32 = 20;

/// Whether any hash begins with some bits: for most words none does, which is told here without a
/// look at the file.
static FILTER: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bits = vec![0u64; 1 << (FILTER_BITS - 6)];
    let (entries, _) = FILE.entries.as_chunks::<8>();
    for bytes in entries {
        let place = u64::from_le_bytes(*bytes) >> (64 - FILTER_BITS);
        bits[(place >> 6) as usize] |= 1 << (place & 63);
    }
    bits
});

pub(super) struct File {
    rows: &'static [u8],
    starts: &'static [u8],
    entries: &'static [u8],
}

impl File {
    fn read(bytes: &'static [u8]) -> Option<File> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let [_, _, version, _, units, _, places, _, entries] =
            head.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let count = |text: &str| text.parse::<usize>().ok();
        if version != "1" || count(units)? != UNITS.len() {
            return None;
        }
        let (rows, rest) = bytes[end + 1..].split_at_checked(count(places)?.checked_mul(4)?)?;
        let (starts, rest) = rest.split_at_checked((BUCKETS + 1) * 4)?;
        let entries = rest.get(..).filter(|rest| Some(rest.len()) == count(entries).map(|n| 8 * n));
        Some(File { rows, starts, entries: entries? })
    }

    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        !self.rows.is_empty() && !self.entries.is_empty()
    }

    /// The territory of a place, and the scripts in which it has names, as bits.
    pub(super) fn row(&self, place: u16) -> Option<(u16, u16)> {
        let row = self.rows.get(4 * place as usize..)?.first_chunk::<4>()?;
        Some((u16::from_le_bytes([row[0], row[1]]), u16::from_le_bytes([row[2], row[3]])))
    }

    /// The entries of a word or phrase.
    pub(super) fn get(&self, hash: Hash) -> impl Iterator<Item = Entry> {
        let stirred = hash.stirred();
        let place = stirred >> (64 - FILTER_BITS);
        let may_be_there = FILTER[(place >> 6) as usize] >> (place & 63) & 1 == 1;
        let key = stirred >> LOW;
        let bucket = (key >> (64 - LOW - BUCKETS.trailing_zeros())) as usize;
        let start = |bucket: usize| {
            let bytes = self.starts.get(4 * bucket..).and_then(|rest| rest.first_chunk::<4>());
            bytes.map_or(0, |bytes| 8 * u32::from_le_bytes(*bytes) as usize)
        };
        let found = may_be_there.then(|| self.entries.get(start(bucket)..start(bucket + 1)));
        let bytes = found.flatten().unwrap_or_default();
        let (entries, _) = bytes.as_chunks::<8>();
        let entries = entries.iter().map(|bytes| Entry(u64::from_le_bytes(*bytes)));
        entries.filter(move |entry| entry.0 >> LOW == key)
    }
}

/// FNV-1a of a language and a beginning of a word or phrase.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    /// That of the beginning of all words of a language; of "", of those of all languages.
    pub(super) fn of_language(code: &str) -> Hash {
        Hash(0xcbf2_9ce4_8422_2325).then(code).then("\0")
    }

    pub(super) fn then(self, text: &str) -> Hash {
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Hash(text.bytes().fold(self.0, step))
    }

    /// The last letters of a word have to show in the first bits.
    fn stirred(self) -> u64 {
        let hash = (self.0 ^ self.0 >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ hash >> 29
    }
}

/// A meaning of a word.
#[derive(Clone, Copy)]
pub(super) struct Entry(u64);

impl Entry {
    /// `None` for the beginning of a phrase.
    pub(super) fn concept(self) -> Option<Concept> {
        match (self.0 >> 4) as u16 {
            NOTHING => None,
            n if n < FIRST_MONTH => Some(Concept::Weekday(n as u8)),
            n if n < FIRST_DAY => Some(Concept::Month((n - FIRST_MONTH) as u8 + 1)),
            n if n < FIRST_UNIT => Some(Concept::Day((n - FIRST_DAY) as i8 - 1)),
            n if n < FIRST_PLACE => Some(Concept::Unit((n - FIRST_UNIT) as u8)),
            n => Some(Concept::Place(Place(n - FIRST_PLACE))),
        }
    }

    /// Whether the word is no name, but of the name's family.
    pub(super) fn is_weak(self) -> bool {
        self.0 >> 3 & 1 == 1
    }

    /// Whether so many letters may follow as an ending.
    pub(super) fn takes(self, letters: usize) -> bool {
        const LONGEST: [usize; 8] = [0, 1, 2, 3, 4, 5, 8, 20];
        letters <= LONGEST[(self.0 & 7) as usize]
    }
}
