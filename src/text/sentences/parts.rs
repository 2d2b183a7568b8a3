//! Words and marks beside a place in a text.

pub(super) const OPENING: [char; 17] =
    ['"', '\'', '“', '„', '‘', '‚', '«', '»', '‹', '(', '[', '「', '『', '—', '–', '-', '¿'];
pub(super) const CLOSING: [char; 16] =
    ['"', '\'', '”', '“', '’', '‘', '»', '«', '›', ')', ']', '」', '』', '）', '】', '〉'];

/// Bytes of a word, or of what follows, that are looked at, so that text without spaces takes
/// linear time.
pub(super) const LONGEST_WORD: usize = 200;

/// The word after the last space or opening mark; of a very long one the end.
pub(super) fn last_word(text: &str) -> &str {
    let parts = |c: char| matches!(c, '、' | '，' | '。' | '：' | '；' | '/');
    end_of(text, LONGEST_WORD)
        .rsplit(|c: char| c.is_whitespace() || parts(c) || OPENING.contains(&c) && c != '-')
        .next()
        .unwrap_or(text)
}

/// The text before its last word, without the spaces there.
pub(super) fn before_last_word(text: &str) -> &str {
    text[..text.len() - last_word(text).len()].trim_end()
}

/// The last bytes of a text, as many as asked for, and less than a character more.
pub(super) fn end_of(text: &str, bytes: usize) -> &str {
    let start = text.floor_char_boundary(text.len().saturating_sub(bytes));
    &text[start..]
}

/// Whether a lower-case word has letters and full stops by turns: `u.s`, `यू.एस`.
pub(super) fn is_dotted(lower: &str) -> bool {
    lower.contains('.')
        && !lower.contains(['%', '$', '€', '£'])
        && lower.split('.').all(|part| (1..=2).contains(&part.chars().count()))
}
