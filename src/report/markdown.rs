//! An article's output file in Markdown.

use super::plain::{front_matter, without_title};
use super::words::{self, Remark, one_line};
use crate::types::{Format, Record};
use std::fmt::Write;

/// The article's output file: title, origin, summary, translation, and at the end remarks on what
/// to be careful about.
pub(super) fn markdown(record: &Record) -> String {
    let mut parts = vec![format!("# {}", title(record)), origin(record)];
    let both = record.summary.is_some() && record.translation.is_some();
    if let Some(summary) = &record.summary {
        if both {
            parts.push("## Summary".into());
        }
        parts.push(summary.text.trim().to_string());
        parts.push(format!("*{}*", words::method(summary)));
    }
    if let Some(translation) = &record.translation {
        if both {
            parts.push("## Translation".into());
        }
        parts.push(body(record, &translation.text));
    }
    if let Some(error) = &record.error {
        parts.push(format!("**Failed:** {}", one_line(&error.message)));
    }
    let notes = listed(&words::remarks(record));
    if !notes.is_empty() {
        parts.push(format!("---\n\n**Notes**\n\n{}", notes.trim_end()));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

/// The translation as a part of a page: front matter, which has a meaning only at the top of a
/// file, becomes code.
pub(super) fn body(record: &Record, text: &str) -> String {
    let text = text.trim_matches(['\n', '\r']).trim_end();
    let (front, body) =
        if record.source.format == Format::Markdown { front_matter(text) } else { ("", text) };
    // It stands above.
    let body = match record.source.format {
        Format::Markdown => without_title(body, &title(record)),
        _ => body,
    };
    let inner = front.trim_end().trim_matches(['-', '+']).trim();
    if inner.is_empty() {
        body.to_string()
    } else {
        format!("```\n{inner}\n```\n\n{}", body.trim_start_matches('\n'))
    }
}

/// The translated title, else the source's, else the file's name.
pub(crate) fn title(record: &Record) -> String {
    let own = record
        .title
        .as_ref()
        .map(|t| one_line(t.translation.as_deref().unwrap_or(&t.source)))
        .filter(|t| !t.is_empty());
    own.unwrap_or_else(|| one_line(record.id.rsplit('/').next().unwrap_or(&record.id)))
}

/// The source's title, when it is not the one shown.
pub(super) fn source_title(record: &Record) -> Option<String> {
    let source = one_line(&record.title.as_ref()?.source);
    (!source.is_empty() && source != title(record)).then_some(source)
}

/// The route of a translation through other languages; `None` for a direct one.
pub(super) fn detour(record: &Record) -> Option<String> {
    let route = &record.translation.as_ref()?.route;
    (route.len() > 2).then(|| route.iter().map(|l| l.as_str()).collect::<Vec<_>>().join(" → "))
}

/// Where the article comes from, and who translated it, as a quotation.
pub(super) fn origin(record: &Record) -> String {
    let mut lines = Vec::new();
    if let Some(title) = source_title(record) {
        lines.push(format!("Original title: {title}"));
    }
    let language = if record.language.code.is_und() {
        "language not recognized".into()
    } else {
        record.language.code.to_string()
    };
    lines.push(format!("Source: {} ({language})", one_line(&record.id)));
    if let Some(translation) = &record.translation {
        let way = detour(record).map(|route| format!(", by way of {route}")).unwrap_or_default();
        lines.push(format!(
            "Machine translation to {} by {}{way}",
            translation.language, translation.model
        ));
    }
    // Two spaces at the end of a line break it.
    lines.iter().map(|line| format!("> {line}")).collect::<Vec<_>>().join("  \n")
}

/// Remarks as a list, each with the sentences that it is about below it.
pub(super) fn listed(remarks: &[Remark]) -> String {
    let mut out = String::new();
    for remark in remarks {
        let _ = writeln!(out, "- {}", remark.text);
        for quote in &remark.quotes {
            let _ = match quote.text.as_str() {
                "" => writeln!(out, "  - {}", quote.complaint),
                text => writeln!(out, "  - {}: “{text}”", quote.complaint),
            };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_file_that_reads_well() {
        let record =
            samples::records().into_iter().find(|r| r.language.code.as_str() == "uk").unwrap();
        assert_eq!(
            markdown(&record),
            "# Kharkiv rebuilds its libraries\n\n\
             > Original title: Харків відбудовує свої бібліотеки  \n\
             > Source: ukraine/libraries.txt (uk)  \n\
             > Machine translation to de by gemma-3-270m, by way of uk → en → de\n\n\
             ## Summary\n\nVier Bibliotheken sind wieder offen.\n\n\
             *Sentences chosen from the article; none is newly written.*\n\n\
             ## Translation\n\nVier Bibliotheken sind wieder offen.\n\n## Die Kosten\n\n- Fenster: \
             40 Millionen Hrywnja\n- Bücher: noch offen\n\n\
             ---\n\n**Notes**\n\n\
             - 1 sentence of the translation may be wrong:\n\
             \x20 - Sentence 2: a number differs from the source: “Fenster: 40 Millionen Hrywnja”\n"
        );
    }

    #[test]
    fn front_matter_is_code() {
        let mut record = samples::records().remove(0);
        record.source.format = Format::Markdown;
        assert_eq!(body(&record, "---\na: 1\nb: -\n---\n\nText\n"), "```\na: 1\nb: -\n```\n\nText");
        record.source.format = Format::Text;
        assert_eq!(body(&record, "---\na: 1\n---\nText\n"), "---\na: 1\n---\nText");
    }

    #[test]
    fn one_part_needs_no_headings_and_a_file_name_is_a_title() {
        let mut record = samples::records().remove(0);
        record.title = None;
        record.translation = None;
        record.checks = Default::default();
        let text = markdown(&record);
        assert!(!text.contains("## ") && !text.contains("Notes"), "{text}");
        assert!(text.starts_with(&format!("# {}\n", record.id.rsplit('/').next().unwrap())));
    }
}
