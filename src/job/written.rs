//! An article's translation in the form of its source.

use crate::error::Result;
use crate::report::{self, BilingualForm};
use crate::text::extract;
use crate::types::{
    Block, BlockKind, Format, Origin, Place, RawArticle, Record, SegmentRecord, Terms,
    TranslationRecord,
};

/// The translation in the form of the source; what is in the target language already comes out as
/// it is.
///
/// # Errors
/// When the source cannot be read again.
pub fn translated(record: &Record, source: &RawArticle) -> Result<String> {
    if record.translation.is_some() {
        return Ok(with_line_ends(report::translated(record, title_gap(source)), source));
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
    let same = Record { translation: Some(same), ..record.clone() };
    Ok(with_line_ends(report::translated(&same, title_gap(source)), source))
}

/// A text in Markdown with the line ends of its source.
fn with_line_ends(text: String, source: &RawArticle) -> String {
    match source.source.format == Format::Markdown && source.text.contains("\r\n") {
        true => text.replace('\n', "\r\n"),
        false => text,
    }
}

/// What stands between the title and the text: in plain text whether a line was left blank.
fn title_gap(source: &RawArticle) -> &'static str {
    let follows = |line: &str| !line.trim().is_empty();
    let close = source.source.format == Format::Text
        && source.text.trim_start().lines().nth(1).is_some_and(follows);
    if close { "\n" } else { "\n\n" }
}

/// The article in two languages, side by side; what is in the target language already stands on
/// both sides.
///
/// # Errors
/// As [`translated`].
pub fn bilingual(form: &BilingualForm, record: &Record, source: &RawArticle) -> Result<String> {
    if record.segments.is_some() {
        return Ok((form.article)(record));
    }
    let same = |(number, block): (usize, &Block)| SegmentRecord {
        source: block.text.clone(),
        target: block.text.clone(),
        place: match block.kind {
            BlockKind::Heading => Place::Heading(number),
            BlockKind::Item => Place::Item(number),
            BlockKind::Paragraph | BlockKind::Verbatim => Place::Paragraph(number),
        },
        language: None,
        confidence: None,
        problems: Vec::new(),
        origin: Origin::Model,
    };
    let blocks = extract::extract(source)?.blocks;
    let is_text = |(_, block): &(usize, &Block)| block.kind != BlockKind::Verbatim;
    let segments = blocks.iter().enumerate().filter(is_text).map(same).collect();
    Ok((form.article)(&Record { segments: Some(segments), ..record.clone() }))
}
