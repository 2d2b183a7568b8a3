//! Division of a sentence that is too long for a model into pieces that fit.

use super::boundary::is_boundary;
use super::split::sentence;
use crate::text::language::function_words;
use crate::types::{Lang, Sentence};
use unicode_segmentation::UnicodeSegmentation;

/// Splits a text that is too long into pieces that fit and are about as long as one another: at
/// clauses, where that is not enough before function words, which begin phrases, then at words, and
/// at last between characters. The concatenation of `text + gap` is the text, trimmed at
/// its start. A single character that does not fit stands alone.
pub fn split_long(text: &str, lang: &Lang, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let text = text.trim_start();
    if text.is_empty() {
        return Vec::new();
    }
    if fits(text.trim_end()) {
        return vec![sentence(text)];
    }
    for level in [clauses, phrases, words, characters] {
        let parts = level(text, lang);
        if parts.len() > 1 {
            return balanced(&parts, text, fits).unwrap_or_else(|| pack(&parts, text, lang, fits));
        }
    }
    vec![sentence(text)]
}

/// Marks that divide a sentence more deeply than a comma does.
const DEEP: [char; 14] =
    [';', ':', '.', '!', '?', '–', '—', '…', '؛', '；', '：', '。', '！', '？'];
/// As much of a piece's length a cut may be out of place for standing at one of these.
const LEEWAY: f32 = 0.15;

/// Joins neighbouring parts to as few pieces as will do, which are cut as near to equal lengths as
/// the parts allow; `None` where these pieces do not fit.
fn balanced(parts: &[&str], text: &str, fits: &dyn Fn(&str) -> bool) -> Option<Vec<Sentence>> {
    let ends: Vec<usize> =
        parts.iter().scan(0, |end, part| Some((*end += part.len(), *end).1)).collect();
    let inner = &ends[..ends.len() - 1];
    let (mut least, mut start) = (0, 0);
    while start < text.len() {
        // The fewest pieces are those that are as long as can be.
        let open = ends.partition_point(|&end| end <= start);
        let taken = ends[open..].partition_point(|&end| fits(text[start..end].trim_end()));
        start = ends[(open + taken).checked_sub(1).filter(|_| taken > 0)?];
        least += 1;
    }
    let length = text.len() as f32 / least as f32;
    let mut cuts = vec![0];
    for number in 1..least {
        let misplaced = |end: usize| {
            let is_deep = text[..end].trim_end().ends_with(DEEP);
            let leeway = if is_deep { LEEWAY * length } else { 0.0 };
            (end as f32 - number as f32 * length).abs() - leeway
        };
        let later = inner.iter().copied().filter(|end| Some(end) > cuts.last());
        cuts.push(later.min_by(|a, b| misplaced(*a).total_cmp(&misplaced(*b)))?);
    }
    cuts.push(text.len());
    let pieces = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
    pieces.map(|piece| fits(piece.trim_end()).then(|| sentence(piece))).collect()
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

/// Phrases, each with the space after it: a function word begins one, unless another stands before
/// it.
fn phrases<'a>(text: &'a str, lang: &Lang) -> Vec<&'a str> {
    let is_function = |word: Option<&str>| {
        let word = word.unwrap_or_default().to_lowercase();
        function_words::languages(&word).contains(&lang.base())
    };
    cut(
        text,
        |before, after| before.is_whitespace() && !after.is_whitespace(),
        |phrase, rest| {
            is_function(rest.split_whitespace().next())
                && !is_function(phrase.split_whitespace().next_back())
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
        assert_eq!(cut("one two, three four, five six", 20), ["one two,", "three four, five six"]);
        // The deeper mark wins where it is hardly out of place.
        assert_eq!(
            cut("aaaa bbbb cccc dddd; ee, ffff gggg hhhh iiii", 26),
            ["aaaa bbbb cccc dddd;", "ee, ffff gggg hhhh iiii"]
        );
        let endless = "the red house near the old bridge and the green garden behind the mill";
        assert_eq!(
            cut(endless, 40),
            ["the red house near the old bridge", "and the green garden behind the mill"]
        );
        assert_eq!(cut("one two three four", 9), ["one", "two three", "four"]);
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
