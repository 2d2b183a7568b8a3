//! Everything that touches disk and network: articles in, results out, models.

mod append;
pub mod articles;
pub mod catalog;
pub mod fetch;
mod files;
pub mod folders;
mod glossary;
#[cfg(feature = "parquet")]
mod guarded;
pub mod journal;
pub mod layout;
pub mod memory;
pub mod names;
pub mod origins;
mod pairs;
pub mod parquet;
pub mod progress;
pub mod segments;
pub mod store;
mod table;
pub mod tmx;
mod unpack;
pub mod weights;
pub mod write;

pub(crate) use files::sha256_hex;
