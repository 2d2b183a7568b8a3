//! The account of what is left out of an article.

use crate::types::{Removal, Removed};
use std::collections::BTreeMap;

/// Characters of a part that is left out that are kept as a sample of it.
const SAMPLE: usize = 80;

/// What is left out of an article, by reason.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Removal, Removed>);

impl Ledger {
    /// Adds a part that is left out; one without text is not worth telling.
    pub(super) fn add(&mut self, reason: Removal, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let characters = text.chars().count();
        let sample = || text.chars().take(SAMPLE).collect::<String>();
        let empty = || Removed { reason, parts: 0, characters: 0, start: String::new() };
        let entry = self.0.entry(reason).or_insert_with(empty);
        if characters.min(SAMPLE) > entry.start.chars().count() {
            entry.start = sample();
        }
        entry.parts += 1;
        entry.characters += characters;
    }

    /// The entries in the order of their reasons.
    pub(super) fn entries(self) -> Vec<Removed> {
        self.0.into_values().collect()
    }
}
