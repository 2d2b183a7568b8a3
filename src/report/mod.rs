//! Records as people and programs read them: JSON Lines, plain text, Markdown, and one HTML page. Pure: records in, text out.

mod blocks;
mod html;
mod markdown;
mod words;

pub use html::{Meta, html};
pub use markdown::markdown;

use crate::types::{Format, Record};

/// The record as one line of JSON, without a line break.
pub fn json_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(record)
}

/// The translated article in the form of its source: the title where it stood, then the body. Of a record without a translation: nothing.
pub fn translated(record: &Record) -> String {
    let Some(translation) = &record.translation else { return String::new() };
    let body = translation.text.trim_end();
    let Some(title) = record.title.as_ref().map(|t| t.translation.as_deref().unwrap_or(&t.source)) else { return body.to_string() };
    if record.source.format != Format::Markdown {
        return format!("{title}\n\n{body}");
    }
    // In Markdown the title follows the front matter.
    let front = body.strip_prefix("---\n").and_then(|rest| rest.find("\n---\n")).map_or(0, |end| end + 9);
    let (front, body) = body.split_at(front.min(body.len()));
    let gap = if front.is_empty() { "" } else { "\n" };
    format!("{front}{gap}# {title}\n\n{}", body.trim_start_matches('\n'))
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
        assert!(translated(arabic).starts_with(&format!("{title}\n\n")));
        let mut markdown = arabic.clone();
        markdown.source.format = Format::Markdown;
        markdown.translation.as_mut().unwrap().text = "---\ndate: x\n---\n\nBody.\n".into();
        assert_eq!(translated(&markdown), format!("---\ndate: x\n---\n\n# {title}\n\nBody."));
    }
}
