//! A linear model of character n-grams that tells apart the languages that share a script.
//!
//! `scripts/data/language_weights.py` trains it, counts n-grams as is done here, and names the
//! sources. A text is the sum of the vectors of its n-grams (within words, with their ends marked)
//! and words, divided by the root of their number; each class has a row of weights for that sum.

use super::script::Script;
use std::sync::LazyLock;

/// The file that the script writes.
static FILE: &[u8] = include_bytes!("../../../models/language_weights.bin");

/// Length of the vectors.
const SIZE: usize = 24;
/// Buckets of hashed n-grams.
const BUCKETS: usize = 1 << 16;
/// Characters of the longest n-gram.
const ORDER: usize = 4;
/// Characters of a word that are counted: none of a language is longer.
const LONGEST: usize = 60;

/// Languages that are told apart in Cyrillic, Arabic and Devanagari letters; in Latin letters, all
/// others.
const CYRILLIC: &[&str] = &["be", "bg", "kk", "mk", "mn", "ru", "sr", "tg", "uk"];
const ARABIC: &[&str] = &["ar", "fa", "ur"];
const DEVANAGARI: &[&str] = &["hi", "mr", "ne"];

/// What is not in a language of its script.
pub(super) const NONE: &str = "und";

struct Weights {
    classes: Vec<&'static str>,
    rows: Vec<[f32; SIZE]>,
    table: &'static [u8],
}

static WEIGHTS: LazyLock<Option<Weights>> = LazyLock::new(|| {
    // The file is part of the binary, and a test reads it: this cannot fail at a user's.
    let word = |at: usize| Some(u32::from_le_bytes(FILE.get(at..at + 4)?.try_into().ok()?));
    let [buckets, size, classes, names, scale] =
        [word(0)?, word(4)?, word(8)?, word(12)?, word(16)?];
    let (classes, names) = (classes as usize, names as usize);
    if buckets as usize != BUCKETS || size as usize != SIZE {
        return None;
    }
    let scale = f32::from_bits(scale);
    let names: Vec<&str> =
        std::str::from_utf8(FILE.get(20..20 + names)?).ok()?.split(' ').collect();
    let start = 20 + word(12)? as usize;
    let table = start + classes * SIZE * 4;
    let rows = FILE.get(start..table)?.chunks_exact(SIZE * 4).map(|row| {
        let mut values = [0.0; SIZE];
        for (value, bytes) in values.iter_mut().zip(row.chunks_exact(4)) {
            *value = scale * f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        values
    });
    let table = FILE.get(table..).filter(|table| table.len() == BUCKETS * SIZE)?;
    (names.len() == classes).then(|| Weights { classes: names, rows: rows.collect(), table })
});

/// The classes of a script and their scores: natural logarithms of shares, but for a common
/// summand. Empty where the model knows no language of the script, or there is no word.
pub(super) fn scores(text: &str, script: Script) -> Vec<(&'static str, f32)> {
    let Some(weights) = WEIGHTS.as_ref() else { return Vec::new() };
    let mut sum = Sum { table: weights.table, values: [0; SIZE], n: 0 };
    let mut word = Vec::with_capacity(LONGEST + 2);
    for c in text.chars().flat_map(char::to_lowercase).chain([' ']) {
        if c.is_alphanumeric() || (!word.is_empty() && is_mark(c)) {
            word.push(c);
        } else if !word.is_empty() {
            sum.add(&word);
            word.clear();
        }
    }
    if sum.n == 0 {
        return Vec::new();
    }
    let root = (sum.n as f32).sqrt();
    let score = |row: &[f32; SIZE]| {
        row.iter().zip(sum.values).map(|(weight, value)| weight * value as f32).sum::<f32>() / root
    };
    let classes = weights.classes.iter().zip(&weights.rows);
    classes
        .filter(|(class, _)| is_of(class, script))
        .map(|(class, row)| (*class, score(row)))
        .collect()
}

/// Whether the model knows a language in a script.
pub(super) fn knows(lang: &str, script: Script) -> bool {
    let mut classes = WEIGHTS.iter().flat_map(|weights| &weights.classes);
    match (lang, script) {
        ("sr", Script::Latin) => true,
        _ => is_of(lang, script) && classes.any(|class| *class == lang),
    }
}

fn is_of(class: &str, script: Script) -> bool {
    match script {
        Script::Latin => ![CYRILLIC, ARABIC, DEVANAGARI].iter().any(|codes| codes.contains(&class)),
        Script::Cyrillic => CYRILLIC.contains(&class),
        Script::Arabic => ARABIC.contains(&class),
        Script::Devanagari => DEVANAGARI.contains(&class),
        _ => false,
    }
}

/// Marks that belong to the word before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{64b}'..='\u{652}')
}

/// The vectors of the n-grams seen, added up.
struct Sum {
    table: &'static [u8],
    values: [i32; SIZE],
    n: usize,
}

impl Sum {
    /// Adds the n-grams of a word, and the word.
    fn add(&mut self, word: &[char]) {
        if !word.iter().any(|c| c.is_alphabetic()) {
            return;
        }
        let word = &word[..word.len().min(LONGEST)];
        let mut padded = ['_'; LONGEST + 2];
        padded[1..=word.len()].copy_from_slice(word);
        let padded = &padded[..word.len() + 2];
        for start in 0..padded.len() {
            let mut hash = HASH;
            for (i, &c) in padded[start..].iter().take(ORDER).enumerate() {
                hash = step(hash, c);
                if i > 0 || c != '_' {
                    self.add_bucket(hash);
                }
            }
        }
        self.add_bucket(step(padded.iter().copied().fold(HASH, step), 'w'));
    }

    fn add_bucket(&mut self, hash: u32) {
        let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
        let at = (mixed >> 16) as usize * SIZE;
        for (value, &byte) in self.values.iter_mut().zip(&self.table[at..at + SIZE]) {
            *value += i32::from(byte.cast_signed());
        }
        self.n += 1;
    }
}

/// The hash (FNV-1a over characters) of nothing.
const HASH: u32 = 0x811C_9DC5;

fn step(hash: u32, c: char) -> u32 {
    (hash ^ u32::from(c)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_readable_and_its_classes_are_of_a_script() {
        let weights = WEIGHTS.as_ref().expect("the file has the shape that the code expects");
        assert!(weights.classes.len() > 70 && weights.classes.len() == weights.rows.len());
        for lang in [CYRILLIC, ARABIC, DEVANAGARI].concat() {
            assert!(weights.classes.contains(&lang), "{lang}");
        }
        assert!(knows("sr", Script::Latin) && knows("sr", Script::Cyrillic));
        assert!(!knows("de", Script::Cyrillic) && !knows("ky", Script::Cyrillic));
    }

    #[test]
    fn a_script_that_is_of_one_language_and_a_text_without_words_have_no_scores() {
        assert!(scores("καλημέρα", Script::Greek).is_empty());
        assert!(scores("12.05.2026 – !", Script::Latin).is_empty());
        assert!(!scores(&"a".repeat(10_000), Script::Latin).is_empty());
    }
}
