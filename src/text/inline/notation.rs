//! Texts as they are written where they stand: in a value between quotes, in an attribute, in a
//! cell.

use super::markdown::markdown;
use crate::text::tag;
use crate::types::{Inner, Marked, Notation};

/// A text with its markup in a notation; `prefix` is what stands before it in its line. It is read
/// again as the same text.
pub fn written(marked: &Marked, notation: Notation, prefix: &str) -> String {
    let text = marked.text.as_str();
    let in_cell = |text: String, bar: &str| match prefix.contains('|') {
        true => text.replace('|', bar),
        false => text,
    };
    match notation {
        Notation::Running => markdown(marked, prefix),
        Notation::Html => {
            let steps = marked.inline.steps(text);
            let written = steps.map(|step| match step {
                Inner::Text(text) => tag::escape(text),
                Inner::Tag(tag) => tag.markup.clone(),
            });
            written.collect()
        }
        Notation::Attribute => in_cell(format!("\"{}\"", tag::escape_value(text)), "&#124;"),
        Notation::ImageText => in_cell(escaped(text, |c| "\\[]*_`<&".contains(c)), "\\|"),
        Notation::LinkTitle => {
            in_cell(format!("\"{}\"", escaped(text, |c| "\\\"&".contains(c))), "\\|")
        }
        Notation::Cell => text.replace('|', "\\|"),
        Notation::Line => text.into(),
        Notation::Bare if is_bare(text) => text.into(),
        Notation::Bare | Notation::Double => quoted(text),
        Notation::Single => format!("'{}'", text.replace('\'', "''")),
        Notation::Literal if !text.contains(['\'', '\n']) => format!("'{text}'"),
        Notation::Literal => quoted(text),
    }
}

/// A text with a backslash before some of its marks, where one means something.
fn escaped(text: &str, is_mark: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let is_meant = match c {
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            '&' => next.is_some_and(|next| next == '#' || next.is_ascii_alphabetic()),
            '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(next)),
            c => is_mark(c),
        };
        if is_mark(c) && is_meant {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text between double quotes, as JSON has it; YAML and TOML read it as the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Whether YAML reads a text without quotes as that text.
fn is_bare(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_indicator = |c: char| "!&*-?|>@`\"'#%,[]{}:=~<.+".contains(c) || c.is_ascii_digit();
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(is_indicator)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(|c: char| c.is_control() || c == '\u{feff}')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_so_that_they_are_read_again() {
        let shown = |text: &str, notation| written(&Marked::plain(text), notation, "");
        for (text, notation, expected) in [
            ("The talks", Notation::Bare, "The talks"),
            ("Talks: day two", Notation::Bare, "\"Talks: day two\""),
            ("No", Notation::Bare, "\"No\""),
            ("\"No\", he said", Notation::Bare, "\"\\\"No\\\", he said\""),
            ("12 talks", Notation::Bare, "\"12 talks\""),
            ("It's on", Notation::Single, "'It''s on'"),
            ("It's on", Notation::Literal, "\"It's on\""),
            ("On", Notation::Literal, "'On'"),
            ("a \"b\" \\ c", Notation::Double, "\"a \\\"b\\\" \\\\ c\""),
            ("a \"b\" & <c>", Notation::Attribute, "\"a &quot;b&quot; &amp; &lt;c&gt;\""),
            ("a [b] \\c *d*", Notation::ImageText, "a \\[b\\] \\c \\*d\\*"),
            ("a \"b\" & c", Notation::LinkTitle, "\"a \\\"b\\\" & c\""),
            ("a | b", Notation::Cell, "a \\| b"),
        ] {
            assert_eq!(shown(text, notation), expected, "{notation:?}");
        }
        let cell = written(&Marked::plain("a | b"), Notation::LinkTitle, " | ");
        assert_eq!(cell, "\"a \\| b\"");
    }
}
