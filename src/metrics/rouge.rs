//! ROUGE (Lin 2004), F1 of single texts, in any language.
//!
//! The usual implementations drop every letter outside a-z. Here a token is a run of letters, marks
//! and digits of any script; characters of scripts that are written without spaces are tokens of
//! their own. For plain English the scores are those of the package rouge_score without stemming.

use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// ROUGE-1, ROUGE-2 and ROUGE-L of a text, each 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Words that both have.
    pub one: f64,
    /// Pairs of words that both have.
    pub two: f64,
    /// Words that both have in the same order.
    pub longest: f64,
}

/// The names of the scores, in their order.
pub const NAMES: [&str; 3] = ["ROUGE-1", "ROUGE-2", "ROUGE-L"];

impl Scores {
    /// The scores in the order of [`NAMES`].
    pub fn all(&self) -> [f64; 3] {
        [self.one, self.two, self.longest]
    }

    /// Scores of a text beside its references: of each, the best.
    pub fn of(text: &str, references: &[&str]) -> Scores {
        let text = tokens(text);
        references.iter().fold(Scores::default(), |best, reference| {
            let reference = tokens(reference);
            Scores {
                one: shared(&text, &reference, 1).max(best.one),
                two: shared(&text, &reference, 2).max(best.two),
                longest: f1(longest_common(&text, &reference), text.len(), reference.len())
                    .max(best.longest),
            }
        })
    }
}

/// F1 of the n-grams that two texts have in common, 0 to 100.
fn shared(text: &[String], reference: &[String], n: usize) -> f64 {
    let mut expected: HashMap<&[String], usize> = HashMap::new();
    for ngram in reference.windows(n) {
        *expected.entry(ngram).or_default() += 1;
    }
    let mut overlap = 0;
    for ngram in text.windows(n) {
        if let Some(left) = expected.get_mut(ngram).filter(|left| **left > 0) {
            *left -= 1;
            overlap += 1;
        }
    }
    let windows = |tokens: &[String]| (tokens.len() + 1).saturating_sub(n);
    f1(overlap, windows(text), windows(reference))
}

/// Harmonic mean of precision and recall, 0 to 100.
fn f1(overlap: usize, text: usize, reference: usize) -> f64 {
    200.0 * overlap as f64 / (text + reference).max(1) as f64
}

/// Length of the longest common subsequence, in words of 64 bits (Hyyrö 2004).
fn longest_common(a: &[String], b: &[String]) -> usize {
    let words = b.len().div_ceil(64);
    let mut places: HashMap<&str, Vec<u64>> = HashMap::new();
    for (at, token) in b.iter().enumerate() {
        places.entry(token).or_insert_with(|| vec![0; words])[at / 64] |= 1 << (at % 64);
    }
    let mut row = vec![u64::MAX; words];
    for places in a.iter().filter_map(|token| places.get(token.as_str())) {
        let mut carry = false;
        for (row, places) in row.iter_mut().zip(places) {
            let matches = *row & places;
            let (sum, first) = row.overflowing_add(matches);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *row = sum | (*row & !matches);
        }
    }
    // A zero is a token of `b` that is in the subsequence; bits beyond its end stay ones.
    row.iter().map(|word| word.count_zeros() as usize).sum()
}

/// Lower-case tokens of a text.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in text.nfkc().flat_map(char::to_lowercase) {
        match tokens.last_mut() {
            Some(last) if is_combining_mark(c) && (is_open || ends_unspaced(last)) => last.push(c),
            _ if c.is_alphanumeric() && is_unspaced(c) => {
                tokens.push(c.into());
                is_open = false;
            }
            Some(last) if c.is_alphanumeric() && is_open => last.push(c),
            _ if c.is_alphanumeric() && !is_combining_mark(c) => {
                tokens.push(c.into());
                is_open = true;
            }
            _ => is_open = false,
        }
    }
    tokens
}

fn ends_unspaced(token: &str) -> bool {
    token.chars().next().is_some_and(is_unspaced)
}

/// Whether a character belongs to a script that is written without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}'           // Thai, Lao
        | '\u{1000}'..='\u{109f}'       // Myanmar
        | '\u{1780}'..='\u{17ff}'       // Khmer
        | '\u{3040}'..='\u{30ff}'       // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}'       // Han
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(text: &str, reference: &str) -> [f64; 3] {
        Scores::of(text, &[reference]).all().map(|score| (score * 100.0).round() / 100.0)
    }

    #[test]
    fn scores_are_those_of_rouge_score() {
        let [a, b] = ["The cat sat on the mat.", "On the mat, a cat; it sat there!"];
        assert_eq!(scores(a, b), [71.43, 33.33, 42.86]);
        assert_eq!(scores("the the the the cat", "The cat"), [57.14, 40.0, 57.14]);
        assert_eq!(scores("", a), [0.0; 3]);
        assert_eq!(scores(a, a), [100.0; 3]);
    }

    #[test]
    fn every_script_has_tokens() {
        assert_eq!(tokens("Цены выросли на 3,5%."), ["цены", "выросли", "на", "3", "5"]);
        assert_eq!(tokens("市長は２人"), ["市", "長", "は", "2", "人"]);
        assert_eq!(tokens("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(tokens("ที่ดี"), ["ที่", "ดี"]);
    }

    #[test]
    fn subsequences_may_be_longer_than_a_machine_word() {
        let words: Vec<String> = (0..200).map(|n| (n % 90).to_string()).collect();
        let every_second: Vec<String> = words.iter().step_by(2).cloned().collect();
        assert_eq!(longest_common(&words, &words), 200);
        assert_eq!(longest_common(&every_second, &words), 100);
        assert_eq!(longest_common(&words, &every_second), 100);
    }
}
