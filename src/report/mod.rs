//! Records as people and programs read them: JSON Lines, text, Markdown, and one HTML page. Pure: records in, text out.

mod blocks;
mod html;
mod markdown;
mod words;

pub use html::{Meta, html};
pub use markdown::markdown;

use crate::types::Record;

/// The record as one line of JSON, without a line break.
pub fn json_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(record)
}

/// What a reader at the terminal wants of the record: title, summary, translation, as far as they are there, with blank lines between them.
/// Of a failed record: nothing.
pub fn text(record: &Record) -> String {
    let title = record.title.as_ref().map(|t| t.translation.as_deref().unwrap_or(&t.source));
    let parts = [title, record.summary.as_ref().map(|s| s.text.as_str()), record.translation.as_ref().map(|t| t.text.as_str())];
    let parts: Vec<&str> = parts.into_iter().flatten().map(str::trim_end).filter(|p| !p.is_empty()).collect();
    // A title alone is no result.
    if record.summary.is_none() && record.translation.is_none() { String::new() } else { parts.join("\n\n") }
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
        let text = text(arabic);
        let title = arabic.title.as_ref().unwrap().translation.as_deref().unwrap();
        assert!(text.starts_with(&format!("{title}\n\n{}", arabic.summary.as_ref().unwrap().text)));
        assert!(!text.ends_with('\n'));
    }
}
