//! Articles in: which files there are ([`find`]), and what stands in them ([`read`]), as a stream.
//!
//! A file is read as its name says (`.txt`, `.md`, `.html`, `.json`, `.jsonl` and their like, each
//! also as `.gz`), or as its content looks when its name says nothing. Nothing is held but the
//! article at hand, however many a file has.

mod decode;
mod file;
mod find;
mod format;
mod json;
mod read;

pub use file::{FoundFile, STDIN};
pub use find::{FindOptions, Found, Skipped, find};
pub use read::{Articles, Failure, ReadOptions, from_text, read, read_from};
