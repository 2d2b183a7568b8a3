//! Labels of Markdown, between brackets: what they say, and where they end.

use super::super::found::one_line;
use crate::text::html;

/// The text of an image's label, or of a note; none where there is markup in it.
pub(super) fn plain(written: &str) -> Option<String> {
    let mut chars = written.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_inside = |at: usize| {
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            is_word(written[..at].chars().next_back()) && is_word(written[at + 1..].chars().next())
        };
        match c {
            '\\' => _ = chars.next(),
            '*' | '`' | '[' | '<' | '{' | '$' => return None,
            '_' if !is_inside(at) => return None,
            _ => {}
        }
    }
    Some(one_line(&html::resolve(&unescaped(written))))
}

/// A text without the backslashes before its marks.
pub(super) fn unescaped(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => {}
            _ => {
                out.push(c);
                continue;
            }
        }
        out.extend(chars.next());
    }
    out
}

/// The end of a label that begins at a place: its closing bracket.
pub(super) fn end_of_label(markup: &str, start: usize) -> Option<usize> {
    let (mut depth, mut escaped) = (0usize, false);
    for (at, c) in markup[start..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' if depth == 0 => return Some(start + at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}
