//! Entry point for fuzzing: a file of any format, fed from memory. Not a part of the API.

use super::file::FoundFile;
use super::options::ReadOptions;
use super::read::read_from;
use crate::types::Format;
use std::io::Cursor;

/// Reads all articles of a file; `format` as its name promises it, or by content.
pub fn articles(bytes: &[u8], format: Option<Format>) {
    let file = FoundFile { path: "fuzz".into(), id: "fuzz".into(), format, copy_of: None };
    let options = ReadOptions { max_bytes: 1 << 16, ..ReadOptions::default() };
    read_from(Cursor::new(bytes.to_vec()), &file, &options).for_each(drop);
}
