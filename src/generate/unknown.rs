//! What a vocabulary has no token for.

use super::Engine;
use crate::error::Result;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

impl Engine {
    /// See [`super::Generate::unknown`].
    pub(super) fn unknown_parts(&self, text: &str) -> Result<Vec<Range<usize>>> {
        let Some(unknown) = self.tokenizer.unknown() else { return Ok(Vec::new()) };
        let is_unknown = |text: &str| -> Result<bool> {
            Ok(self.tokenizer.encode_plain(text)?.contains(&unknown))
        };
        let mut parts: Vec<Range<usize>> = Vec::new();
        if !is_unknown(text)? {
            return Ok(parts);
        }
        for (at, character) in text.grapheme_indices(true) {
            // White space and what combines with it is nothing to keep.
            if character.starts_with(char::is_whitespace) || !is_unknown(character)? {
                continue;
            }
            match parts.last_mut() {
                Some(last) if last.end == at => last.end += character.len(),
                _ => parts.push(at..at + character.len()),
            }
        }
        Ok(parts)
    }
}
