//! Whether a file is what its name says, as far as its form tells: for files whose checksum nobody
//! gives.

use crate::io::layout::is_shortlist;
use crate::io::weights::ShortlistFile;
use std::path::Path;

/// A vocabulary of fewer pieces is none.
const MIN_PIECES: usize = 16;

/// Checks a vocabulary or shortlist.
///
/// # Errors
/// Says what it is instead.
pub(in crate::io::fetch) fn check(name: &str, path: &Path) -> Result<(), String> {
    if is_shortlist(name) {
        return ShortlistFile::open(path).map(|_| ()).map_err(|e| e.to_string());
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    match pieces(&bytes) {
        Some(count) if count >= MIN_PIECES => Ok(()),
        _ => Err("expected a SentencePiece model; it is damaged, or something else".into()),
    }
}

/// The number of pieces of a SentencePiece model (field 1 of its message), if the bytes are the
/// fields of a message from the first to the last.
fn pieces(bytes: &[u8]) -> Option<usize> {
    let (mut rest, mut count) = (bytes, 0);
    while !rest.is_empty() {
        let (key, after) = number(rest)?;
        let length = match key & 7 {
            0 => after.len() - number(after)?.1.len(),
            1 => 8,
            2 => {
                let (length, inside) = number(after)?;
                after.len() - inside.len() + usize::try_from(length).ok()?
            }
            5 => 4,
            _ => return None,
        };
        count += usize::from(key == 10);
        rest = after.get(length..)?;
    }
    Some(count)
}

/// A number of seven bits a byte, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let value = bytes[..=end].iter().rev().fold(0u64, |value, b| value << 7 | u64::from(b & 0x7f));
    Some((value, &bytes[end + 1..]))
}
