//! Whether a translation is in the language that it should be in.

use super::side::Side;
use crate::text::language::script::{self, Script};
use crate::text::letters::is_alphabetic;
use crate::text::{caps, language};
use crate::types::Lang;
use std::collections::HashMap;

/// Fewer words than these prove nothing: names, brands, "OK".
const FEWEST_WORDS: usize = 4;
/// Words in a row that no translator leaves as they are, titles and quotations aside.
const LONGEST_QUOTE: usize = 9;
/// Words that are compared; a segment has fewer, unless it is no prose at all.
const MOST_WORDS: usize = 1000;
/// Letters from which on the detection of a language can be relied on.
const SURE_LETTERS: usize = 60;

/// Whether the output is the source, or a long stretch of it, untranslated.
pub(super) fn is_copy(source: &Side, output: &Side) -> bool {
    let first = |words: &'_ [String]| words.len().min(MOST_WORDS);
    let output = output.ordinary_words();
    let output = &output[..first(output)];
    if output.len() < FEWEST_WORDS {
        return false;
    }
    let source = source.ordinary_words();
    let source = &source[..first(source)];
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in source {
        *left.entry(word).or_default() += 1;
    }
    let shared = output
        .iter()
        .filter(|w| {
            left.get_mut(w.as_str()).is_some_and(|n| std::mem::replace(n, n.saturating_sub(1)) > 0)
        })
        .count();
    shared * 4 >= output.len() * 3 || longest_common_run(source, output) >= LONGEST_QUOTE
}

/// Length of the longest run of words that stands in both.
fn longest_common_run(a: &[String], b: &[String]) -> usize {
    let mut best = 0;
    let mut above = vec![0; b.len() + 1];
    for x in a {
        // Right to left, so that the cell at the upper left is still that of the row above.
        for j in (0..b.len()).rev() {
            above[j + 1] = if *x == b[j] { above[j] + 1 } else { 0 };
            best = best.max(above[j + 1]);
        }
    }
    best
}

/// Whether the output is in another language than `to`, by its script or, when it is long enough to
/// be sure, by its words.
pub(super) fn is_wrong(source: &Side, output: &Side) -> bool {
    is_wrong_script(source, output) || is_wrong_by_words(output.text, source.lang, output.lang)
}

fn is_wrong_script(source: &Side, output: &Side) -> bool {
    let allowed = script::Allowed::of(output.lang);
    let (mut letters, mut latin, mut left_over) = (0usize, 0usize, 0usize);
    for c in output.text.chars().filter(|&c| is_alphabetic(c)) {
        letters += 1;
        if !allowed.holds(c) {
            // Names and brands stay in Latin letters everywhere; letters of any other foreign
            // script are left-overs of the source.
            let is_latin = script::of(c) == Script::Latin;
            latin += usize::from(is_latin);
            left_over += usize::from(!is_latin);
        }
    }
    let quoted = || {
        let allowed = script::Allowed::of(source.lang);
        let is_foreign = |c: char| !allowed.holds(c) && script::of(c) != Script::Latin;
        source.text.chars().any(|c| is_alphabetic(c) && is_foreign(c))
    };
    let latin_words = || {
        output
            .ordinary_words()
            .iter()
            .filter(|w| w.chars().any(|c| script::of(c) == Script::Latin))
            .count()
    };
    let untranslated = latin * 10 > letters * 6 && latin_words() >= FEWEST_WORDS;
    (left_over >= 2 && left_over * 20 > letters && !quoted()) || untranslated
}

fn is_wrong_by_words(output: &str, from: &Lang, to: &Lang) -> bool {
    if output.chars().filter(|&c| is_alphabetic(c)).count() < SURE_LETTERS {
        return false;
    }
    let lower = caps::is_capitals(output).then(|| output.to_lowercase());
    let text = lower.as_deref().unwrap_or(output);
    if language::is_evident(text, to) {
        return false;
    }
    let found = language::detect(text);
    // That a model falls back into the source language is likelier than that it takes to a third
    // one.
    let needed = if found.code.same_base(from) { 0.8 } else { 0.95 };
    !found.code.is_und()
        && found.confidence >= needed
        && !language::are_close(found.code.base(), to.base())
}
