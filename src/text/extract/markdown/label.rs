//! Labels of Markdown, between brackets: what they say, and where they end.

use super::super::found::one_line;
use crate::text::html;
use regex::Regex;
use std::sync::LazyLock;

/// Whether what follows a closing bracket makes a link of the brackets: an address, or a label that
/// is no link's text itself.
pub(super) fn is_target(after: &str) -> bool {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r"^\(\s*(?:<[^<>\n]*>|[^\s()<][^\s()]*(?:\([^\s()]*\)[^\s()]*)*)?",
            r"(?:\s+(?:\x22[^\x22]*\x22|'[^']*'|\([^()]*\)))?\s*\)",
        );
        Regex::new(pattern).expect("the pattern is constant and tested")
    });
    if after.starts_with('(') {
        return ADDRESS.is_match(after);
    }
    let is_label = after.starts_with('[') && !after.starts_with("[^") && !after.starts_with("[@");
    let end = is_label.then(|| end_of_label(after, 1)).flatten();
    end.is_some_and(|end| !after[1..end].contains('[') && !after[end + 1..].starts_with('('))
}

/// A symbol by its name.
static SYMBOL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^:[a-z][a-z0-9_+-]*:").expect("the pattern is constant and tested")
});

/// The text of an image's label, or of a note; none where there is markup in it.
pub(super) fn plain(written: &str) -> Option<String> {
    let mut chars = written.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_inside = |at: usize| {
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            is_word(written[..at].chars().next_back()) && is_word(written[at + 1..].chars().next())
        };
        match c {
            '\\' if written[at + 1..].starts_with('(') => return None,
            '\\' => _ = chars.next(),
            ':' if SYMBOL.is_match(&written[at..]) => return None,
            '~' | '=' | '^' if written[at + 1..].starts_with([c, '[']) => return None,
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
