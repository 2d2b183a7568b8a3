//! An article's translation in the form of its source.

use crate::error::Result;
use crate::report;
use crate::text::extract;
use crate::types::{Format, RawArticle, Record, Terms, TranslationRecord};

/// The translation in the form of the source; what is in the target language already comes out as
/// it is.
pub(super) fn translated(record: &Record, source: &RawArticle) -> Result<String> {
    if record.translation.is_some() {
        return Ok(report::translated(record, title_gap(source)));
    }
    let (language, text) = (record.language.code.clone(), extract::extract(source)?.text());
    let same = TranslationRecord {
        language,
        text,
        model: String::new(),
        route: Vec::new(),
        steps: Vec::new(),
        alignments: Vec::new(),
        terms: Terms::default(),
        blocks: Vec::new(),
    };
    Ok(report::translated(&Record { translation: Some(same), ..record.clone() }, title_gap(source)))
}

/// What stands between the title and the text: in plain text whether a line was left blank.
fn title_gap(source: &RawArticle) -> &'static str {
    let follows = |line: &str| !line.trim().is_empty();
    let close = source.source.format == Format::Text
        && source.text.trim_start().lines().nth(1).is_some_and(follows);
    if close { "\n" } else { "\n\n" }
}
