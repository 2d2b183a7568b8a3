//! Words and runs of digits of a text, spelled in one way.

use super::letters::is_alphabetic;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// A word, as the phrases spell it, or a run of digits.
pub(crate) struct Token {
    pub(crate) word: String,
    pub(crate) place: Range<usize>,
    /// Whether nothing but a space, a hyphen or an apostrophe stands between it and the one before.
    pub(crate) joined: bool,
}

/// The words and runs of digits of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let is_letter = |c: char| {
        (is_alphabetic(c) && c != 'ʼ') || is_combining_mark(c) || matches!(c, '\u{ad}' | '\u{640}')
    };
    let is_joiner =
        |c: char| matches!(c, ' ' | '\u{a0}' | '-' | '‐' | '‑' | '\'' | '’' | 'ʼ' | '\u{200c}');
    let mut out: Vec<Token> = Vec::new();
    let mut end = 0;
    while let Some(start) =
        text[end..].find(|c: char| c.is_numeric() || is_letter(c)).map(|at| end + at)
    {
        let joined = !out.is_empty() && text[end..start].chars().all(is_joiner);
        let is_number = text[start..].starts_with(char::is_numeric);
        let ends = |c: char| if is_number { !c.is_numeric() } else { !is_letter(c) };
        end = text[start..].find(ends).map_or(text.len(), |at| start + at);
        out.push(Token { word: folded(&text[start..end]), place: start..end, joined });
    }
    out
}

/// Lower case, without soft hyphens and Arabic vowel signs; letters that writers interchange become
/// one.
fn folded(word: &str) -> String {
    let letters = word.to_lowercase();
    let letters = letters
        .chars()
        .filter(|c| !matches!(c, '\u{ad}' | '\u{307}' | '\u{640}' | '\u{64b}'..='\u{652}'));
    let one_form = |c| match c {
        'أ' | 'إ' | 'آ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ё' => 'е',
        _ => c,
    };
    letters.map(one_form).collect()
}
