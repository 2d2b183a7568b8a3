//! Whether a translation is as long as one should be.

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

/// Characters of the output, and how many are to be expected.
pub(super) fn lengths(source: &str, output: &str, from: &Lang, to: &Lang) -> (f32, f32) {
    let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count() as f32;
    (count(output), count(source) * density(to, output) / density(from, source))
}

/// Whether so much is missing that part of the source cannot have been translated.
pub fn is_short(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    let (found, expected) = lengths(source, output, from, to);
    found < 0.55 * expected - 5.0
}

/// Whether so much stands there that the model went on by itself.
pub fn is_long(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    let (found, expected) = lengths(source, output, from, to);
    found > 1.55 * expected + 14.0
}
