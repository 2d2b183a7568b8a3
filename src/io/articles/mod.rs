//! Articles in: which files there are ([`find()`]), and what stands in them ([`read()`]), as a
//! stream.
//!
//! A file is read as its name says (`.txt`, `.md`, `.html`, `.json`, `.jsonl`, `.xml`, `.eml`,
//! `.warc` and their like, each also as `.gz` or `.zst`, and archives of them as `.tar`), or as its
//! content looks when its name says nothing. Nothing is held but the article at hand, however many
//! a file has. The formats are a list in `readers.rs`, which says how to add one.

mod decode;
mod file;
mod find;
#[doc(hidden)]
pub mod fuzz;
pub mod lines;
mod options;
mod packed;
mod prescan;
mod read;
mod reader;
mod readers;
mod repair;
mod tar;

pub(in crate::io) use decode::decode_html as decode_marked;
pub(super) use decode::decode_labelled;
pub use file::{FoundFile, STDIN};
pub use find::{FindOptions, Found, Skipped, at_hand, find};
pub use options::ReadOptions;
pub use packed::plain_name;
pub use read::{Articles, from_document, from_text, read, read_again, read_from, whole};
pub(super) use readers::holds_several;
pub use readers::{extensions, of_name as format_of_name, usual_extensions};
