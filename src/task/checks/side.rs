//! One of the two texts that are compared, with what the checks look for in it.

use crate::text::language::script;
use crate::text::lexicon::{self, Found};
use crate::text::tokens::{Token, tokens};
use crate::types::Lang;

/// A source or an output, read once for all checks.
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) lang: &'a Lang,
    pub(super) tokens: Vec<Token>,
    /// Weekdays, months, units and places.
    pub(super) found: Vec<Found>,
}

impl<'a> Side<'a> {
    pub(super) fn of(text: &'a str, lang: &'a Lang) -> Self {
        let tokens = tokens(text);
        let found = lexicon::find(text, &tokens, lang);
        Side { text, lang, tokens, found }
    }

    /// A token as it is written.
    pub(super) fn written(&self, token: &Token) -> &'a str {
        &self.text[token.place.clone()]
    }

    /// Whether a token begins with a capital letter.
    pub(super) fn is_capitalized(&self, token: &Token) -> bool {
        self.written(token).starts_with(char::is_uppercase)
    }

    /// Whether most letters are of a script that has capital letters.
    pub(super) fn has_case(&self) -> bool {
        let letters = || self.text.chars().filter(|c| c.is_alphabetic());
        let cased = letters().filter(|&c| script::of(c).has_case()).count();
        2 * cased > letters().count()
    }
}

/// Whether a thing of a kind, as bits, was exchanged: one text has one that the other lacks, and
/// the other way round. What is only missing or only new may be said in another way.
pub(super) fn is_exchanged(source: u32, output: u32) -> bool {
    source & !output != 0 && output & !source != 0
}
