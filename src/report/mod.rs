//! Records as people and programs read them: JSON Lines, plain text, Markdown, and one HTML page.
//! Pure: records in, text out.

mod blocks;
mod html;
mod markdown;
mod words;

pub use blocks::escape;
pub use html::{Meta, html};
pub use markdown::markdown;
pub use words::is_doubtful;

use crate::types::{Format, Record};

/// The record as one line of JSON, without a line break.
pub fn json_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(record)
}

/// What a reader of the result should look at twice, as a list in Markdown; empty when nothing was
/// found wrong, and nothing is doubted.
pub fn doubts(record: &Record) -> String {
    let mut remarks = words::remarks(record);
    remarks.retain(|remark| !remark.dealt_with);
    markdown::listed(&remarks)
}

/// The translated article in the form of its source: the title where it stood, `gap` and the body.
/// Of a record without a translation: nothing.
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

/// Cuts the front matter (YAML or TOML, with its fences) off a Markdown text.
fn front_matter(text: &str) -> (&str, &str) {
    let end = ["---\n", "+++\n"].iter().find_map(|fence| {
        let rest = text.strip_prefix(fence)?;
        let end = fence.len() + rest.find(&format!("\n{fence}"))? + 1 + fence.len();
        Some(end)
    });
    text.split_at(end.unwrap_or(0))
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
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_texts() {
        let records = samples::records();
        let line = json_line(&records[0]).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), records[0]);
        let arabic = records.iter().find(|r| r.language.code.as_str() == "ar").unwrap();
        let title = arabic.title.as_ref().unwrap().translation.as_deref().unwrap();
        assert!(translated(arabic, "\n\n").starts_with(&format!("{title}\n\n")));
        let mut markdown = arabic.clone();
        markdown.source.format = Format::Markdown;
        markdown.translation.as_mut().unwrap().text =
            "---\ndate: x\ntitle: 'Old: one'\n---\n\nBody.\n".into();
        let quoted = serde_json::Value::from(title);
        assert_eq!(
            translated(&markdown, "\n"),
            format!("---\ndate: x\ntitle: {quoted}\n---\n\n# {title}\n\nBody.")
        );
    }

    #[test]
    fn front_matter_is_told_from_a_rule() {
        assert_eq!(front_matter("+++\na = 1\n+++\n\nText"), ("+++\na = 1\n+++\n", "\nText"));
        for text in ["---\n\nText without an end", "Text\n---\nmore\n---\n", ""] {
            assert_eq!(front_matter(text), ("", text));
        }
    }
}
