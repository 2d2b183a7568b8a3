//! From the constraints of a request to tokens.

use super::constraint::{Compiled, Constraints};
use super::{Engine, Request};
use crate::error::Result;
use crate::types::places;
use std::ops::Range;
use std::sync::Arc;

/// Most constraints of a request; more are left out.
const MOST: usize = 32;

impl Engine {
    /// The constraints of a request whose encoder reads `source`; `None` where there are none, or
    /// the vocabulary cannot write them.
    pub(super) fn constraints(
        &self,
        request: &Request,
        source: &[u32],
    ) -> Result<Option<Arc<Constraints>>> {
        if request.constraints.is_empty() {
            return Ok(None);
        }
        let read: Vec<String> =
            source.iter().map(|&id| self.tokenizer.source_token(id).unwrap_or_default()).collect();
        let texts = places(read.iter().map(String::as_str), &request.prompt, &mut 0);
        let mut all = Vec::new();
        for constraint in request.constraints.iter().take(MOST) {
            let mut sequences: Vec<Vec<u32>> = Vec::new();
            for form in &constraint.forms {
                for sequence in self.segmentations(form)? {
                    if !sequences.contains(&sequence) {
                        sequences.push(sequence);
                    }
                }
            }
            let Range { start, end } = constraint.source;
            let is_of = |place: &Option<Range<usize>>| {
                place.as_ref().is_some_and(|place| place.start < end && start < place.end)
            };
            let own = texts.iter().enumerate().filter(|(_, place)| is_of(place));
            let own = own.map(|(at, _)| at).collect();
            all.extend(Compiled::new(&sequences, own, constraint));
        }
        if all.is_empty() {
            return Ok(None);
        }
        let is_text = texts.iter().map(Option::is_some).collect();
        Ok(Some(Arc::new(Constraints::new(all, self.word_pieces(), is_text))))
    }

    /// A form as tokens: as a text begins with it, as it follows a word, and as it follows a mark
    /// that no space separates from it. None where the vocabulary lacks a part of it.
    fn segmentations(&self, form: &str) -> Result<Vec<Vec<u32>>> {
        const MARK: &str = "(";
        let encode = |text: &str| self.tokenizer.encode_target("", text);
        let marked = encode(&format!("{MARK}{form}"))?;
        let mark = encode(MARK)?;
        let after_mark = marked.strip_prefix(mark.as_slice()).unwrap_or_default().to_vec();
        let mut found = vec![encode(form)?, encode(&format!(" {form}"))?, after_mark];
        let unknown = self.tokenizer.unknown();
        let vocabulary = self.vocabulary_size() as u32;
        found.retain(|sequence| {
            let is_written = |token: &u32| {
                Some(*token) != unknown && *token < vocabulary && !self.tokenizer.is_end(*token)
            };
            let says = |text: String| text.trim() == form;
            !sequence.is_empty()
                && sequence.iter().all(is_written)
                && self.tokenizer.decode(sequence).is_ok_and(says)
        });
        found.dedup();
        Ok(found)
    }
}
