//! Records as rows of a flat table, for programs that work with data.

use super::json_line;
use super::words::is_doubtful;
use crate::types::{Cell, ColumnKind, Record, Status, SummaryMethod};
use serde::Serialize;

/// The columns: each with its name, which is a promise, and its kind. The article's language is
/// none of them: it names the part of the table that a row stands in.
pub const COLUMNS: [(&str, ColumnKind); 27] = [
    ("id", ColumnKind::Text),
    ("target", ColumnKind::Text),
    ("status", ColumnKind::Text),
    ("error", ColumnKind::Text),
    ("error_message", ColumnKind::Text),
    ("path", ColumnKind::Text),
    ("format", ColumnKind::Text),
    ("bytes", ColumnKind::Integer),
    ("sha256", ColumnKind::Text),
    ("language_confidence", ColumnKind::Real),
    ("title", ColumnKind::Text),
    ("title_translation", ColumnKind::Text),
    ("translation", ColumnKind::Text),
    ("translation_model", ColumnKind::Text),
    ("route", ColumnKind::Text),
    ("summary", ColumnKind::Text),
    ("summary_method", ColumnKind::Text),
    ("summary_model", ColumnKind::Text),
    ("confidence", ColumnKind::Real),
    ("sentences", ColumnKind::Integer),
    ("problems", ColumnKind::Text),
    ("to_check", ColumnKind::Integer),
    ("source_tokens", ColumnKind::Integer),
    ("output_tokens", ColumnKind::Integer),
    ("seconds", ColumnKind::Real),
    ("segments", ColumnKind::Text),
    ("extra", ColumnKind::Text),
];

/// The row of a record, its cells in the order of [`COLUMNS`]. What is a list in the record is JSON
/// in a row, or words with blanks between them.
pub fn row(record: &Record) -> Vec<Cell> {
    let title = record.title.as_ref();
    let translation = record.translation.as_ref();
    let summary = record.summary.as_ref();
    let error = record.error.as_ref();
    let checks = &record.checks;
    let route = |route: &[crate::types::Lang]| words(route.iter().map(ToString::to_string));
    let problems = words(checks.flagged.iter().filter_map(|flag| name(&flag.problem)));
    let method = |method: SummaryMethod| name(&method);
    let extra = Some(&record.extra).filter(|extra| !extra.is_empty());
    vec![
        record.id.as_str().into(),
        record.target.as_ref().map(ToString::to_string).into(),
        if record.status == Status::Ok { "ok" } else { "failed" }.into(),
        error.map(|error| error.kind.as_str()).into(),
        error.map(|error| error.message.as_str()).into(),
        record.source.path.as_str().into(),
        name(&record.source.format).into(),
        record.source.bytes.into(),
        record.source.sha256.as_str().into(),
        f64::from(record.language.confidence).into(),
        title.map(|title| title.source.as_str()).into(),
        title.and_then(|title| title.translation.as_deref()).into(),
        translation.map(|translation| translation.text.as_str()).into(),
        translation.map(|translation| translation.model.as_str()).into(),
        translation.and_then(|translation| route(&translation.route)).into(),
        summary.map(|summary| summary.text.as_str()).into(),
        summary.and_then(|summary| method(summary.method)).into(),
        summary.and_then(|summary| summary.model.as_deref()).into(),
        checks.confidence.map(f64::from).into(),
        checks.segments.into(),
        problems.into(),
        usize::from(is_doubtful(record)).into(),
        record.stats.source_tokens.into(),
        record.stats.output_tokens.into(),
        record.stats.seconds.into(),
        record.segments.as_ref().and_then(json).into(),
        extra.and_then(json).into(),
    ]
}

/// A row of CSV (RFC 4180) with its line break.
pub fn csv_row(cells: impl IntoIterator<Item = Cell>) -> String {
    let written = |cell| match cell {
        Cell::Missing => String::new(),
        // An empty text is another than none.
        Cell::Text(text) if text.is_empty() => "\"\"".into(),
        Cell::Text(text) => quoted(&text),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
    };
    cells.into_iter().map(written).collect::<Vec<_>>().join(",") + "\r\n"
}

/// The first row of CSV.
pub fn csv_header() -> String {
    csv_row(COLUMNS.iter().map(|(name, _)| (*name).into()))
}

/// A text as a cell of CSV.
pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

/// A record as a line of JSON, with its line break.
///
/// # Errors
/// When it cannot be written.
pub fn line(record: &Record) -> serde_json::Result<String> {
    json_line(record).map(|line| line + "\n")
}

/// The name that records have for a value.
fn name(value: &impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(String::from))
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// Each word once; none where there are none.
fn words(words: impl Iterator<Item = String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    (!all.is_empty()).then(|| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn every_record_has_a_row_of_the_kinds_that_are_promised() {
        for record in samples::records() {
            let cells = row(&record);
            assert_eq!(cells.len(), COLUMNS.len());
            for ((column, kind), cell) in COLUMNS.iter().zip(&cells) {
                let fits = match cell {
                    Cell::Missing => true,
                    Cell::Text(_) => *kind == ColumnKind::Text,
                    Cell::Integer(_) => *kind == ColumnKind::Integer,
                    Cell::Real(_) => *kind == ColumnKind::Real,
                };
                assert!(fits, "{column}: {cell:?}");
            }
        }
        let of = |cells: &[Cell]| csv_row(cells.iter().cloned());
        let cells = [Cell::Missing, "".into(), "a \"b\"\nc".into(), 3usize.into(), 0.5.into()];
        assert_eq!(of(&cells), ",\"\",\"a \"\"b\"\"\nc\",3,0.5\r\n");
        assert!(csv_header().starts_with("id,target,status,"));
    }
}
