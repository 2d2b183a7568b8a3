//! The document that an article was read from, with its translation.

use crate::document::{self, DocumentFormat, Placement, Settings};
use crate::error::{Error, Result};
use crate::io::articles::ReadOptions;
use crate::types::Record;

/// A document with the translation of its record, in the place of its text or beside it; in the
/// language wanted already, it is the same. `bytes` are those that the record was made from.
///
/// # Errors
/// Those of [`document::translated`], with the name of the source.
pub fn translated_document(
    format: &DocumentFormat,
    bytes: &[u8],
    record: &Record,
    reading: &ReadOptions,
    placement: Placement,
) -> Result<Vec<u8>> {
    let Some(translation) = &record.translation else { return Ok(bytes.to_vec()) };
    let settings = Settings {
        max_bytes: reading.max_bytes,
        from: Some(record.language.code.clone()),
        to: Some(translation.language.clone()),
        columns: reading.columns.clone(),
    };
    let texts = &translation.blocks;
    document::translated(format, bytes, &settings, texts, placement).map_err(|error| match error {
        Error::Input { message, .. } => Error::input(&record.source.path, message),
        other => other,
    })
}
