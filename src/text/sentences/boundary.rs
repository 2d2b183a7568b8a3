//! Full stops that end a sentence, and those that do not.

use super::abbreviations::{self, Follows};
use crate::text::language::{function_words, script};
use crate::types::Lang;
use unicode_segmentation::UnicodeSegmentation;

pub(super) const OPENING: [char; 17] =
    ['"', '\'', '“', '„', '‘', '‚', '«', '»', '‹', '(', '[', '「', '『', '—', '–', '-', '¿'];
const CLOSING: [char; 16] =
    ['"', '\'', '”', '“', '’', '‘', '»', '«', '›', ')', ']', '」', '』', '）', '】', '〉'];

/// Whether a sentence ends between `left` and `right`.
pub(super) fn is_boundary(left: &str, right: &str, lang: &Lang) -> bool {
    if right.starts_with(char::is_whitespace) {
        return false;
    }
    let body = left.trim_end();
    if left[body.len()..].contains(['\n', '\u{2028}', '\u{2029}']) || right.is_empty() {
        return true;
    }
    // Stray punctuation belongs to its neighbour.
    if !body.contains(char::is_alphanumeric) {
        return false;
    }
    let spaced = body.len() < left.len();
    let rest = right.trim_start_matches(OPENING).trim_start();
    let Some(first) = rest.chars().next() else { return false };
    if !right.chars().take_while(|&c| c != '\n').any(char::is_alphanumeric) {
        return false;
    }
    if first.is_lowercase() && script::of(first).has_case() && spaced {
        return false;
    }
    let unclosed = body.trim_end_matches(CLOSING);
    if unclosed.len() < body.len() && script::of(first) == script::Script::Kana {
        // 「…。」と述べた: the quotation is a part of the sentence.
        return !["と", "って", "は", "が", "を", "に", "の", "で", "も", "など", "という"]
            .iter()
            .any(|p| rest.starts_with(p));
    }
    if !spaced && script::of(first) == script::Script::Hangul {
        // "…인가?"라고 물었다: likewise, Korean puts spaces between sentences.
        return false;
    }
    // "(rund 5 Mio.) Euro": the full stop before a bracket may be an abbreviation's as well.
    let stopped = body
        .strip_suffix('.')
        .or_else(|| body.strip_suffix([')', ']']).and_then(|inner| inner.strip_suffix('.')));
    stopped.is_none_or(|before| !is_abbreviated(before, rest, first, lang))
}

/// Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal, and
/// the sentence goes on.
fn is_abbreviated(before: &str, rest: &str, first: char, lang: &Lang) -> bool {
    let word = last_word(before);
    if word.is_empty() || word.ends_with('.') {
        return false;
    }
    let letters = word.chars().count();
    let opens = || opens_sentence(rest, lang);
    if word.chars().all(|c| c.is_ascii_digit()) {
        // "1. First": a list; "am 3. Mai": an ordinal.
        return word.len() == before.len() && letters <= 3
            || has_ordinals(lang) && letters <= 2 && !opens();
    }
    if letters > 1 && has_ordinals(lang) && word.chars().all(|c| "IVXL".contains(c)) {
        // "im XIX. Jahrhundert", "Elisabeth II. Windsor"
        return !opens();
    }
    let lower = word.to_lowercase();
    // An abbreviation of several parts is written with spaces as well: "z. B. Hof", "v. Chr.
    // Geburt".
    let several = several_parts(before, &lower);
    if several.iter().any(|parts| begins_several(parts, rest, lang)) {
        return true;
    }
    match several.iter().skip(1).rev().find_map(|parts| abbreviations::follows(lang.base(), parts))
    {
        Some(Follows::Anything) => return !opens(),
        Some(_) => return true,
        None => {}
    }
    match abbreviations::follows(lang.base(), &lower) {
        Some(Follows::Word) => return true,
        Some(Follows::Number) if first.is_numeric() => return true,
        Some(Follows::Number) if letters > 1 => return false,
        Some(Follows::Anything) => return !opens(),
        _ => {}
    }
    let initial = letters == 1
        && word.chars().all(|c| c.is_uppercase() || script::of(c) == script::Script::Georgian);
    let dotted =
        lower.split('.').all(|part| (1..=2).contains(&part.chars().count())) && lower.contains('.');
    initial || dotted && !opens()
}

/// The word after the last space or opening mark.
fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| c.is_whitespace() || OPENING.contains(&c) && c != '-')
        .next()
        .unwrap_or(text)
}

/// The lower-case word before a full stop, and joined to one, two and three parts of up to four
/// letters before it that end with full stops too: "i. d. R" gives `r`, `d.r` and `i.d.r`.
fn several_parts(before: &str, lower: &str) -> Vec<String> {
    let mut out = vec![lower.to_string()];
    let mut head = before[..before.len() - last_word(before).len()].trim_end();
    while let (Some(stem), Some(joined)) = (head.strip_suffix('.'), out.last()) {
        let word = last_word(stem);
        if out.len() > 3
            || word.is_empty()
            || word.chars().count() > 4
            || !word.chars().all(char::is_alphabetic)
        {
            break;
        }
        out.push(format!("{}.{joined}", word.to_lowercase()));
        head = stem[..stem.len() - word.len()].trim_end();
    }
    out
}

/// Whether the next word, which ends with a full stop as well, goes on with an abbreviation that
/// began before.
fn begins_several(parts: &str, rest: &str, lang: &Lang) -> bool {
    let base = lang.base();
    if !abbreviations::begins_with(base, parts) {
        return false;
    }
    let next = rest.split(char::is_whitespace).next().unwrap_or_default();
    let Some(end) = next.rfind('.') else { return false };
    let both = format!("{parts}.{}", next[..end].to_lowercase());
    abbreviations::follows(base, &both).is_some() || abbreviations::begins_with(base, &both)
}

/// Whether the language writes a full stop after the figures of an ordinal number.
fn has_ordinals(lang: &Lang) -> bool {
    const ORDINALS: [&str; 21] = [
        "de", "da", "no", "nb", "nn", "fi", "cs", "sk", "sl", "hr", "bs", "sr", "et", "is", "lb",
        "hu", "pl", "tr", "lv", "fo", "eu",
    ];
    ORDINALS.contains(&lang.base())
}

/// Whether the text begins with a word that begins sentences: a function word with a capital.
fn opens_sentence(rest: &str, lang: &Lang) -> bool {
    let Some(word) = rest.unicode_words().next() else { return false };
    function_words::languages(&word.to_lowercase()).contains(&lang.base())
}
