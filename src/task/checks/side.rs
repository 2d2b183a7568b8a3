//! One of the two texts that the checks compare, and what they all have to know of it.

use crate::text::language::script;
use crate::text::letters::{is_alphabetic, is_alphanumeric};
use crate::text::lexicon::{self, Found};
use crate::text::numbers::currencies::{Currency, currencies_in};
use crate::text::numbers::{PlacedNumber, Spelled, placed_numbers, spelled_in};
use crate::text::tokens::{Token, tokens};
use crate::text::{caps, protect, words};
use crate::types::Lang;
use std::cell::OnceCell;

/// A source or an output, read once for all checks; what not all texts are asked for is read when
/// it is.
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) lang: &'a Lang,
    pub(super) tokens: Vec<Token>,
    found: OnceCell<Vec<Found>>,
    words: OnceCell<Vec<String>>,
    ordinary: OnceCell<Vec<String>>,
    digits: OnceCell<Vec<PlacedNumber>>,
    spelled: OnceCell<Vec<Spelled>>,
    currencies: OnceCell<Vec<Currency>>,
}

impl<'a> Side<'a> {
    pub(super) fn of(text: &'a str, lang: &'a Lang) -> Self {
        Side {
            text,
            lang,
            tokens: tokens(text),
            found: OnceCell::new(),
            words: OnceCell::new(),
            ordinary: OnceCell::new(),
            digits: OnceCell::new(),
            spelled: OnceCell::new(),
            currencies: OnceCell::new(),
        }
    }

    /// Weekdays, months, units and places.
    pub(super) fn found(&self) -> &[Found] {
        self.found.get_or_init(|| lexicon::find(self.text, &self.tokens, self.lang))
    }

    /// See [`words::words`].
    pub(super) fn words(&self) -> &[String] {
        self.words.get_or_init(|| words::words(self.text))
    }

    /// The words that a translator would translate: no numbers, addresses or code, and no
    /// capitalized words where the script has case.
    pub(super) fn ordinary_words(&self) -> &[String] {
        self.ordinary.get_or_init(|| {
            let spans = protect::spans(self.text);
            if spans.is_empty() {
                return without_capitalized(self.text, self.words().iter().cloned());
            }
            let mut plain = self.text.to_owned();
            for span in spans.into_iter().rev() {
                plain.replace_range(span, " ");
            }
            without_capitalized(&plain, words::words(&plain).into_iter())
        })
    }

    /// Numbers in digits.
    pub(super) fn digits(&self) -> &[PlacedNumber] {
        self.digits.get_or_init(|| placed_numbers(self.text))
    }

    /// Numbers in words.
    pub(super) fn spelled(&self) -> &[Spelled] {
        self.spelled.get_or_init(|| spelled_in(self.text, &self.tokens, self.lang))
    }

    /// The currencies that are named.
    pub(super) fn currencies(&self) -> &[Currency] {
        self.currencies.get_or_init(|| currencies_in(self.text, &self.tokens, self.lang))
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
        let letters = || self.text.chars().filter(|&c| is_alphabetic(c));
        let cased = letters().filter(|&c| script::of(c).has_case()).count();
        2 * cased > letters().count()
    }
}

/// Whether a thing of a kind, as bits, was exchanged: one text has one that the other lacks, and
/// the other way round. What is only missing or only new may be said in another way.
pub(super) fn is_exchanged(source: u32, output: u32) -> bool {
    source & !output != 0 && output & !source != 0
}

/// The words of a text but for numbers and those that are capitalized anywhere in it.
fn without_capitalized(text: &str, words: impl Iterator<Item = String>) -> Vec<String> {
    let capitalized: Vec<String> = if caps::is_capitals(text) {
        Vec::new()
    } else {
        text.split(|c: char| !is_alphanumeric(c))
            .filter(|w| w.starts_with(char::is_uppercase))
            .map(str::to_lowercase)
            .collect()
    };
    words.filter(|w| w.contains(is_alphabetic) && !capitalized.contains(w)).collect()
}
