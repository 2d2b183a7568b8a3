//! Division of a sentence that is too long for a model into pieces that fit.

use super::boundary::is_boundary;
use super::split::sentence;
use crate::types::{Lang, Sentence};
use unicode_segmentation::UnicodeSegmentation;

/// Splits a text that is too long into pieces that fit: at clauses, where that is not enough at
/// words, and at last between characters. The concatenation of `text + gap` is the text, trimmed at
/// its start. A single character that does not fit stands alone.
pub fn split_long(text: &str, lang: &Lang, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let text = text.trim_start();
    if text.is_empty() {
        return Vec::new();
    }
    if fits(text.trim_end()) {
        return vec![sentence(text)];
    }
    for level in [clauses, words, characters] {
        let parts = level(text, lang);
        if parts.len() > 1 {
            return pack(&parts, text, lang, fits);
        }
    }
    vec![sentence(text)]
}

/// Joins neighbouring parts to pieces as long as they fit; a part that does not fit on its own is
/// split further.
fn pack(parts: &[&str], text: &str, lang: &Lang, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let mut out = Vec::new();
    let (mut start, mut next, mut end) = (0, 0, 0);
    while next < parts.len() {
        // Grow by doubling and then close in, so that `fits` (a tokenizer) is asked a logarithmic
        // number of times.
        let ends: Vec<usize> = parts[next..]
            .iter()
            .scan(end, |at, u| (*at += u.len(), Some(*at)).1)
            .take(512)
            .collect();
        let taken = ends.partition_point(|&e| fits(text[start..e].trim_end()));
        if taken == 0 {
            out.extend(split_long(parts[next], lang, fits));
            next += 1;
            end = ends[0];
        } else {
            out.push(sentence(&text[start..ends[taken - 1]]));
            next += taken;
            end = ends[taken - 1];
        }
        start = end;
    }
    out
}

/// Clauses, each with its mark and the space after it.
fn clauses<'a>(text: &'a str, lang: &Lang) -> Vec<&'a str> {
    const WIDE: [char; 7] = ['，', '、', '；', '：', '。', '！', '？'];
    const NARROW: [char; 13] = [',', ';', ':', '،', '؛', '.', '!', '?', '–', '—', '…', '՝', '·'];
    cut(
        text,
        |before, after| {
            WIDE.contains(&before) && !after.is_whitespace()
                || before.is_whitespace() && !after.is_whitespace()
        },
        |clause, rest| {
            let trimmed = clause.trim_end();
            // The full stop of "z. B." or of "14. Juni" is no place to cut.
            let stops = || !trimmed.ends_with('.') || is_boundary(clause, rest, lang);
            trimmed.ends_with(WIDE)
                || trimmed.len() < clause.len() && trimmed.ends_with(NARROW) && stops()
        },
    )
}

/// Words, each with the space after it.
fn words<'a>(text: &'a str, _: &Lang) -> Vec<&'a str> {
    cut(text, |before, after| before.is_whitespace() && !after.is_whitespace(), |_, _| true)
}

/// Characters as a reader counts them (grapheme clusters).
fn characters<'a>(text: &'a str, _: &Lang) -> Vec<&'a str> {
    text.graphemes(true).collect()
}

/// Cuts a text wherever `between` holds of the two characters and `ends` of the part before and the
/// text after.
fn cut(
    text: &str,
    between: impl Fn(char, char) -> bool,
    ends: impl Fn(&str, &str) -> bool,
) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (i, c) in text.char_indices() {
        if before.is_some_and(|b| between(b, c)) && ends(&text[start..i], &text[i..]) {
            out.push(&text[start..i]);
            start = i;
        }
        before = Some(c);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_split_at_the_best_place() {
        let by_chars = |n: usize| move |s: &str| s.chars().count() <= n;
        let cut = |text: &str, n: usize| -> Vec<String> {
            let out = split_long(text, &Lang::en(), &by_chars(n));
            assert_eq!(
                out.iter().map(|s| format!("{}{}", s.text, s.gap)).collect::<String>(),
                text.trim_start()
            );
            out.into_iter().map(|s| s.text).collect()
        };
        assert_eq!(cut("one two, three four, five six", 20), ["one two, three four,", "five six"]);
        assert_eq!(cut("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(cut("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(cut("我来了，他走了，她也走了", 5), ["我来了，", "他走了，", "她也走了"]);
        assert_eq!(cut("👨‍👩‍👧ab", 1), ["👨‍👩‍👧", "a", "b"]);
        assert!(cut("  ", 3).is_empty());
        let german = split_long(
            "Das war am 14. Juni, z. B. in Hof, bei 5 Mio. Euro.",
            &Lang::parse("de").unwrap(),
            &by_chars(24),
        );
        assert_eq!(
            german.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(),
            ["Das war am 14. Juni,", "z. B. in Hof,", "bei 5 Mio. Euro."]
        );
    }
}
