//! The translation memories that a user brings.

use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::tmx;
use crate::types::{Lang, TranslationMemory};
use std::path::PathBuf;

/// Translation memories as one.
#[derive(Debug)]
pub struct ReadMemories {
    /// Their translations.
    pub memory: TranslationMemory,
    /// SHA-256 of each file, in hex.
    pub hashes: Vec<String>,
}

/// Reads translation memories in TMX; of two translations of a text the last one counts. `None`
/// where there is no file.
///
/// # Errors
/// When a file cannot be read or is no TMX, or there is no language to translate into.
pub fn read_memories(
    files: &[PathBuf],
    to: Option<&Lang>,
    on_event: OnEvent<'_>,
) -> Result<Option<ReadMemories>> {
    if files.is_empty() {
        return Ok(None);
    }
    let Some(to) = to else {
        let message = "a translation memory is of use where something is translated; into which \
            language? Say it with --to, as --to en";
        return Err(Error::Usage(message.into()));
    };
    let mut read = ReadMemories { memory: TranslationMemory::new(to), hashes: Vec::new() };
    for file in files {
        let found = tmx::read(file, &mut read.memory)?;
        if found.translations == 0 {
            let name = file.display();
            on_event(Event::Warning(&format!("{name}: has no translation into {to}")));
        }
        read.hashes.push(found.sha256);
    }
    Ok(Some(read))
}
