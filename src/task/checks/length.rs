//! Whether a translation is as long as one should be.

use super::side::Side;
use crate::text::language::script::{self, Script};
use crate::types::Lang;

/// Characters of a text in this language per character of its English translation: medians over
/// NTREX, by how it is written.
fn density(lang: &Lang, text: &str) -> f32 {
    match lang.base() {
        "ja" => 0.45,
        "ko" => 0.55,
        "zh" | "yue" => 0.35,
        "he" | "yi" => 0.8,
        "ar" | "fa" | "ur" => 0.93,
        "en" | "da" | "sv" | "no" | "nb" | "nn" | "cs" | "is" => 1.0,
        "und"
            if text
                .chars()
                .filter(|&c| matches!(script::of(c), Script::Han | Script::Kana | Script::Hangul))
                .count()
                * 2
                > text.chars().count() =>
        {
            0.45
        }
        _ => 1.1,
    }
}

/// How long an output is.
pub(super) struct Lengths {
    /// Its characters.
    pub(super) found: f32,
    /// How many are to be expected.
    pub(super) expected: f32,
}

impl Lengths {
    pub(super) fn of(source: &Side, output: &Side) -> Self {
        let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count() as f32;
        let density = |side: &Side| density(side.lang, side.text);
        let expected = count(source.text) * density(output) / density(source);
        Lengths { found: count(output.text), expected }
    }

    /// Whether so much is missing that part of the source cannot have been translated.
    pub(super) fn are_short(&self) -> bool {
        self.found < 0.55 * self.expected - 5.0
    }

    /// Whether so much stands there that the model went on by itself.
    pub(super) fn are_long(&self) -> bool {
        self.found > 1.55 * self.expected + 14.0
    }
}
