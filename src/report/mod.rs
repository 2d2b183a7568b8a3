//! Records as people and programs read them: JSON Lines, plain text, Markdown, one HTML page, both
//! languages side by side, translation memories. Pure: records in, text out.

mod bilingual;
mod digest;
mod html;
mod markdown;
mod plain;
mod table;
mod tmx;
mod words;
mod writers;

pub use bilingual::{BILINGUAL_FORMS, BilingualForm, bilingual_form};
pub use digest::{digest_markdown, digest_overview, digest_page};
pub use html::{Limits, Meta, Open, PAGES, REPORT, STYLE, html, permitted};
pub(crate) use markdown::title;
pub use plain::translated;
pub use table::{COLUMNS, csv_header, csv_row, line as record_line, row};
pub use tmx::{TmxCounts, tmx};
pub use words::{counted, is_doubtful, number};
pub use writers::{ARTICLE_WRITERS, ArticleWriter, MARKDOWN};

use crate::types::Record;

/// The record as one line of JSON, without a line break.
pub fn json_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(record)
}

/// Remarks on what a reader of the result should look at twice, as a list in Markdown; empty when
/// nothing was found wrong, and nothing is doubted.
pub fn doubts(record: &Record) -> String {
    let mut remarks = words::remarks(record);
    remarks.retain(|remark| !remark.dealt_with);
    markdown::listed(&remarks)
}

/// How a summary that a model had a part in came about, and what the checks did not let through, as
/// text for a terminal; `None` where no model wrote.
pub fn about_summary(record: &Record) -> Option<String> {
    let summary = record.summary.as_ref()?;
    let rejected = words::rejected(record);
    (summary.model.is_some() || rejected.is_some()).then(|| {
        let listed = rejected.map(|remark| markdown::listed(&[remark])).unwrap_or_default();
        format!("{}\n{listed}", words::method(summary)).trim_end().to_owned()
    })
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Format;

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
        // Markdown has its title in its place.
        let whole = "---\ndate: x\ntitle: 'Old: one'\n---\n\nBody.";
        assert_eq!(translated(&markdown, "\n"), whole);
    }
}
