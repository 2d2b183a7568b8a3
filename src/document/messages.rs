//! Messages with several texts in them, of which a program takes one, as ICU has them:
//! `{count, plural, one {# item} other {# items}}`. The texts are translated one by one, all else
//! stays.

use crate::error::Result;
use crate::types::Marked;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The head of a message: what is looked at, and how.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^\{\s*[A-Za-z0-9_.]+\s*,\s*(?:plural|select|selectordinal)\s*,",
        r"\s*(?:offset:\s*\d+)?",
    ))
    .expect("the pattern is constant and tested")
});

/// The name of a case, before its text.
static CASE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:=\d+|[A-Za-z_][A-Za-z0-9_-]*)\s*\{")
        .expect("the pattern is constant and tested")
});

/// Messages in messages that are looked into.
const DEEPEST: usize = 4;

/// The texts of a message that is nothing but one with several, in order; none where it is another,
/// or has quoted marks.
pub(super) fn texts(message: &str) -> Vec<Range<usize>> {
    let body = message.trim();
    let start = message.len() - message.trim_start().len();
    let mut found = Vec::new();
    let is_quoted = ["'{", "'}", "'#"].iter().any(|mark| body.contains(mark));
    if is_quoted || read(body, start, DEEPEST, &mut found).is_none() {
        found.clear();
    }
    found
}

/// Reads a message that begins at a place.
fn read(message: &str, start: usize, depth: usize, found: &mut Vec<Range<usize>>) -> Option<()> {
    let mut at = HEAD.find(message).filter(|_| depth > 0)?.end();
    while let Some(case) = CASE.find(&message[at..]) {
        let open = at + case.end();
        let end = open + length(&message[open..])?;
        let text = &message[open..end];
        let body = text.trim();
        let own = start + open + text.len() - text.trim_start().len();
        let is_message = HEAD.is_match(body) && length(&body[1..]) == Some(body.len() - 2);
        if is_message {
            read(body, own, depth - 1, found)?;
        } else if body.contains(char::is_alphabetic) {
            found.push(own..own + body.len());
        }
        at = end + 1;
    }
    (message[at..].trim() == "}").then_some(())
}

/// The length of a text up to the brace that ends it.
fn length(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.bytes().position(|byte| {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        depth < 0
    })
}

/// Marks of a text that a program reads: braces, and the sign for the number.
fn marks(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| matches!(c, '{' | '}' | '#'))
}

/// Tells that the signs for the number in a text, outside of braces, are copied.
pub(super) fn keep_signs(marked: &mut Marked) {
    let mut depth = 0;
    for (at, c) in marked.text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == '#' && depth == 0 {
            marked.inline.kept.push(at..at + 1);
        }
    }
    marked.inline.kept.sort_by_key(|kept| kept.start);
}

/// A message with the translations of its texts, those apart that stay; `None` where all do. One
/// whose translations have other marks stays as it is.
///
/// # Errors
/// Those of `translate`.
pub(super) fn translated(
    message: &str,
    texts: Vec<Range<usize>>,
    translate: &mut dyn FnMut(&str) -> Result<Option<String>>,
) -> Result<Option<String>> {
    let mut new = Vec::with_capacity(texts.len());
    for range in texts {
        new.extend(translate(&message[range.clone()])?.map(|text| (range, text)));
    }
    Ok(if new.is_empty() { None } else { replaced(message, &new) })
}

/// A message with other texts in the places of its own; `None` where one of them has other marks
/// than that, which a program would read.
fn replaced(message: &str, new: &[(Range<usize>, String)]) -> Option<String> {
    let (mut out, mut at) = (String::with_capacity(message.len()), 0);
    for (range, text) in new {
        let sorted = |text: &str| {
            let mut marks: Vec<char> = marks(text).collect();
            marks.sort_unstable();
            marks
        };
        if sorted(&message[range.clone()]) != sorted(text) {
            return None;
        }
        out.push_str(&message[at..range.start]);
        // Before a mark an apostrophe would quote it.
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let quotes = c == '\'' && chars.peek().is_some_and(|next| "{}#".contains(*next));
            out.push_str(if quotes { "''" } else { "" });
            out.extend((!quotes).then_some(c));
        }
        at = range.end;
    }
    Some(out + &message[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Vec<&str> {
        texts(message).into_iter().map(|range| &message[range]).collect()
    }

    #[test]
    fn each_case_has_a_text() {
        assert_eq!(
            found(" {n, plural, offset:1 =0 {no item} one {# item of {name}} other { # items }} "),
            ["no item", "# item of {name}", "# items"]
        );
        assert_eq!(
            found(
                "{g, select, male {{n, plural, one {his day} other {his # days}}} other {theirs}}"
            ),
            ["his day", "his # days", "theirs"]
        );
        for other in [
            "You have {n, plural, one {# item} other {# items}}.",
            "{n, plural, one {a} other {b}",
            "{n, plural, one {a} other {b}} {c}",
            "{n, number}",
            "{n, select, a {don'{'t} other {b}}",
            "{n}",
            "",
        ] {
            assert!(texts(other).is_empty(), "{other}");
        }
        for piece in ["{n, plural, one {", "{", "}", "{n, select, a {b} "] {
            assert!(texts(&piece.repeat(50_000)).is_empty());
        }
    }

    #[test]
    fn what_a_program_reads_stays() {
        let message = "{n, plural, one {# day} other {# days of {x}}}";
        let new = |texts: [&str; 2]| {
            let places = super::texts(message);
            let new: Vec<_> = places.into_iter().zip(texts.map(String::from)).collect();
            replaced(message, &new)
        };
        assert_eq!(
            new(["l'# jour", "les # jours d'{x}"]).as_deref(),
            Some("{n, plural, one {l''# jour} other {les # jours d''{x}}}")
        );
        assert_eq!(new(["jour", "# jours de {x}"]), None);
        assert_eq!(new(["# jour", "# jours de {x}}"]), None);
    }
}
