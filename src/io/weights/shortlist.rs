//! Binary lexical shortlists of Marian's (`lex.50.50.enfr.s2t.bin`): a header, where the list of
//! each source token begins, and the lists.

use crate::checkpoint::stand_in::stand_in;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The lexical shortlist of a folder: for each token of the source, the tokens that may translate
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortlistFile {
    /// So many of the first tokens, the most frequent ones, may come in every translation.
    pub first: usize,
    /// Where the list of each source token begins in `targets`, and at the end where the last one
    /// ends.
    pub offsets: Vec<usize>,
    /// Target tokens.
    pub targets: Vec<u32>,
}

/// The first bytes of a shortlist's file.
const MAGIC: u64 = 0xF11A_48D5_0134_17F5;
/// Larger files are refused. A vocabulary of 32,000 tokens with 50 translations each takes 7 MB.
const MAX_SHORTLIST: u64 = 256 << 20;

impl ShortlistFile {
    /// Reads a binary shortlist.
    ///
    /// # Errors
    /// When it cannot be read, is none, or is damaged: its checksum is compared.
    pub fn open(path: &Path) -> Result<ShortlistFile> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(Error::io("opening", path))?;
        file.take(MAX_SHORTLIST + 1).read_to_end(&mut bytes).map_err(Error::io("reading", path))?;
        ShortlistFile::parse(&bytes).map_err(|why| {
            if let Some(what) = stand_in(&bytes) {
                return Error::model(path.display().to_string(), what);
            }
            let hint = "expected a binary lexical shortlist of Marian's; fetch it again, or remove it to do without";
            Error::model(path.display().to_string(), format!("{why}; {hint}"))
        })
    }

    fn parse(bytes: &[u8]) -> Result<ShortlistFile, String> {
        let numbers = bytes.as_chunks::<8>().0;
        let number = |i: usize| numbers.get(i).map(|b| u64::from_le_bytes(*b));
        let (Some(magic), Some(sum), Some(first), Some(words), Some(targets)) =
            (number(0), number(1), number(2), number(4), number(5))
        else {
            return Err(format!("it has {} bytes, too few for a header", bytes.len()));
        };
        if magic != MAGIC || bytes.len() as u64 > MAX_SHORTLIST {
            return Err(format!(
                "it begins with {magic:#x}, or is larger than {} MB",
                MAX_SHORTLIST >> 20
            ));
        }
        let expected = words
            .checked_mul(8)
            .and_then(|n| n.checked_add(targets.checked_mul(4)?)?.checked_add(48));
        if expected != Some(bytes.len() as u64) {
            return Err(format!(
                "its header tells of {words} words and {targets} translations, which {} bytes do not make",
                bytes.len()
            ));
        }
        if checksum(&numbers[2..]) != sum {
            return Err("its checksum does not fit its contents".into());
        }
        let (lists, targets) = bytes[48..].split_at(words as usize * 8);
        let targets: Vec<u32> =
            targets.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        let offsets: Vec<u64> =
            lists.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        if !offsets.is_sorted() || offsets.last().is_some_and(|&end| end > targets.len() as u64) {
            return Err("its lists do not lie one after the other".into());
        }
        let offsets = offsets.into_iter().map(|offset| offset as usize).collect();
        Ok(ShortlistFile { first: usize::try_from(first).unwrap_or(usize::MAX), offsets, targets })
    }
}

/// Marian's hash of 64-bit numbers, as boost combines them.
fn checksum(numbers: &[[u8; 8]]) -> u64 {
    numbers.iter().fold(0u64, |seed, bytes| {
        let mixed = u64::from_le_bytes(*bytes)
            .wrapping_add(0x9e37_79b9)
            .wrapping_add(seed << 6)
            .wrapping_add(seed >> 2);
        seed ^ mixed
    })
}
