//! A translated article by itself, in the form of its source.

use crate::text::extract;
use crate::types::{Format, Record};

/// The translated article in the form of its source: the title where it stood, `gap` and the body.
/// Empty for a record without a translation.
pub fn translated(record: &Record, gap: &str) -> String {
    let Some(translation) = &record.translation else { return String::new() };
    let body = translation.text.trim_end();
    let Some(title) = record.title.as_ref().map(|t| t.translation.as_deref().unwrap_or(&t.source))
    else {
        return body.to_string();
    };
    if record.source.format != Format::Markdown {
        return format!("{title}{gap}{body}");
    }
    // In Markdown the title follows the front matter, which names it too.
    let (front, body) = front_matter(body);
    let gap = if front.is_empty() { "" } else { "\n" };
    format!("{}{gap}# {title}\n\n{}", with_title(front, title), body.trim_start_matches('\n'))
}

/// Splits a Markdown text into its front matter, with its fences, and the rest.
pub(super) fn front_matter(text: &str) -> (&str, &str) {
    let end = extract::front_matter(text).len();
    text.split_at(end + usize::from(end > 0 && text[end..].starts_with('\n')))
}

/// Front matter with another title. Double quotes and their escapes mean the same in JSON, YAML and
/// TOML.
fn with_title(front: &str, title: &str) -> String {
    let line = |line: &str| {
        let at = line
            .find([':', '='])
            .filter(|&at| line[..at].trim() == "title" && !line.starts_with(char::is_whitespace));
        at.map_or_else(
            || line.to_string(),
            |at| format!("{} {}\n", line[..=at].trim_end(), serde_json::Value::from(title)),
        )
    };
    front.split_inclusive('\n').map(line).collect()
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
}
