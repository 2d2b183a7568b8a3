//! Articles in: which files there are ([`find`]), and what stands in them ([`read`]), as a stream.
//!
//! A file is read as its name says (`.txt`, `.md`, `.html`, `.json`, `.jsonl` and their like, each
//! also as `.gz`), or as its content looks when its name says nothing. Nothing is held but the
//! article at hand, however many a file has.

mod decode;
mod find;
mod format;
mod json;
mod read;

pub use find::{FindOptions, Found, FoundFile, Skipped, find};
pub use read::{Articles, Failure, ReadOptions, read, read_from};

use sha2::{Digest, Sha256};
use std::path::Path;

/// How standard input is called in ids, records and messages.
pub const STDIN: &str = "<stdin>";

/// SHA-256 of `bytes` in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A path as people and records see it: `/` between its parts, bytes that are no text as `%FF`.
fn shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if std::path::MAIN_SEPARATOR == '/' { out } else { out.replace(std::path::MAIN_SEPARATOR, "/") }
}
