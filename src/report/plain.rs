//! A translated article by itself, in the form of its source.

use crate::text::extract;
use crate::types::{Format, Record};

/// The translated article in the form of its source: the title where it stood, `gap` and the body.
/// Empty for a record without a translation.
pub fn translated(record: &Record, gap: &str) -> String {
    let Some(translation) = &record.translation else { return String::new() };
    let body = translation.text.trim_end();
    if record.source.format == Format::Markdown {
        // It has the title in its place.
        return body.to_string();
    }
    let Some(title) = record.title.as_ref().map(|t| t.translation.as_deref().unwrap_or(&t.source))
    else {
        return body.to_string();
    };
    format!("{title}{gap}{body}")
}

/// A Markdown text without the heading that is the title, where that is its first line.
pub(super) fn without_title<'a>(text: &'a str, title: &str) -> &'a str {
    let key = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let start = text.trim_start_matches('\n');
    let (first, rest) = start.split_once('\n').unwrap_or((start, ""));
    let (second, after) = rest.split_once('\n').unwrap_or((rest, ""));
    let is_underline = second.len() > 1 && second.chars().all(|c| c == '=');
    if title.is_empty() || key(first) != key(title) {
        return text;
    }
    match (first.starts_with("# "), is_underline) {
        (true, _) => rest.trim_start_matches('\n'),
        (false, true) => after.trim_start_matches('\n'),
        (false, false) => text,
    }
}

/// Splits a Markdown text into its front matter, with its fences, and the rest.
pub(super) fn front_matter(text: &str) -> (&str, &str) {
    let end = extract::front_matter(text).len();
    text.split_at(end + usize::from(end > 0 && text[end..].starts_with('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_told_from_a_rule() {
        assert_eq!(front_matter("+++\na = 1\n+++\n\nText"), ("+++\na = 1\n+++\n", "\nText"));
        for text in ["---\n\nText without an end", "Text\n---\nmore\n---\n", ""] {
            assert_eq!(front_matter(text), ("", text));
        }
    }

    #[test]
    fn a_title_in_its_place_is_told_from_the_text() {
        assert_eq!(without_title("\n# The *talks*\n\nText", "The talks"), "Text");
        assert_eq!(without_title("The talks\n===\n\nText", "The talks"), "Text");
        for text in ["The talks\nbegan", "# Other\n\nText", "Text\n\n# The talks"] {
            assert_eq!(without_title(text, "The talks"), text);
        }
    }
}
