//! A tokenizer as its `tokenizer.json` describes it, the template of its input included: what
//! sentence encoders come with.

use super::files;
use crate::error::{Error, Result};
use std::path::Path;

/// Text to the ids that a sentence encoder reads, with the tokens at both ends.
pub struct TemplatedTokenizer(tokenizers::Tokenizer);

impl TemplatedTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn from_file(path: &Path) -> Result<TemplatedTokenizer> {
        let text = files::text(path)?;
        let broken = |e: tokenizers::Error| {
            Error::Tokenizer(format!("{}: is no tokenizer that can be read: {e}", path.display()))
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(text.as_bytes()).map_err(broken)?;
        // Whoever batches the texts knows how long they may be.
        inner.with_truncation(None).map_err(broken)?;
        inner.with_padding(None);
        Ok(TemplatedTokenizer(inner))
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoded = self.0.encode_fast(text, true);
        let encoded = encoded.map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(encoded.get_ids().to_vec())
    }
}
