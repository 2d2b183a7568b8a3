//! Source and translation side by side, sentence by sentence.

use super::blocks::with_marks;
use super::differences::differences;
use crate::report::words::{self, counted, percent, segment_name};
use crate::types::{Lang, Origin, Place, Record, SegmentRecord};
use maud::{Markup, html};
use std::ops::Range;

/// An article's segments, as a table of two columns on a wide page.
pub(super) fn sentences(record: &Record, anchor: &str) -> Markup {
    let segments = record.segments.as_deref().unwrap_or_default();
    html! {
        div.pairs {
            "\n" @for block in blocks(segments) {
                @if block.copied > 0 {
                    p.copied {
                        (counted(block.copied, "block")) " copied as it is: code, a table, a rule"
                    }
                    "\n"
                }
                div class={ "block " (kind(block.segments[0].place)) } {
                    "\n" @for (at, segment) in block.segments.iter().enumerate() {
                        (row(record, segment, block.first + at, anchor)) "\n"
                    }
                }
                "\n"
            }
        }
    }
}

/// The segments of a block.
struct Block<'a> {
    segments: &'a [SegmentRecord],
    /// The number of the first.
    first: usize,
    /// Blocks before it that are not translated.
    copied: usize,
}

fn blocks(segments: &[SegmentRecord]) -> Vec<Block<'_>> {
    let (mut first, mut next) = (0, 0);
    let chunks = segments.chunk_by(|a, b| a.place == b.place);
    let block = |segments: &'_ [SegmentRecord]| {
        let number = match segments[0].place {
            Place::Title => None,
            Place::Heading(n) | Place::Paragraph(n) | Place::Item(n) | Place::Aside(n) => Some(n),
        };
        let copied = number.map_or(0, |number| number.saturating_sub(next));
        next = number.map_or(next, |number| number.saturating_add(1));
        let start = first;
        first += segments.len();
        (start, copied)
    };
    let places: Vec<_> = chunks.clone().map(block).collect();
    let with_place = |(segments, (first, copied))| Block { segments, first, copied };
    chunks.zip(places).map(with_place).collect()
}

/// One sentence, its translation and what is to be said of them.
fn row(record: &Record, segment: &SegmentRecord, number: usize, anchor: &str) -> Markup {
    let doubt = (!segment.problems.is_empty()).then_some("doubt");
    let name = segment_name(number, record.title.is_some());
    let short = name.strip_prefix("Sentence ").unwrap_or(&name);
    let (source, target) = both(record, segment);
    html! {
        div class={ "pair" @if let Some(doubt) = doubt { " " (doubt) } }
            id={ (anchor) "-s" (number) } data-n=(short) {
            (source) (target)
            @if let Some(why) = why(segment) { p.why { (why) } }
        }
    }
}

/// A sentence and its translation, with what was changed between them marked.
pub(super) fn both(record: &Record, segment: &SegmentRecord) -> (Markup, Markup) {
    let from = segment.language.as_ref().unwrap_or(&record.language.code);
    let to = record.translation.as_ref().map_or(from, |translation| &translation.language);
    let (source, target) = (segment.source.as_str(), segment.target.as_str());
    let is_kept = source == target;
    let (lost, new) = match segment.problems.as_slice() {
        [] => Default::default(),
        _ if is_kept => Default::default(),
        problems => differences((source, from), (target, to), problems),
    };
    let target_language = if is_kept { from } else { to };
    (text("src", source, from, &lost), text("tgt", target, target_language, &new))
}

fn text(class: &str, text: &str, language: &Lang, marks: &[Range<usize>]) -> Markup {
    let lang = (!language.is_und()).then_some(language.as_str());
    html! { p class=(class) lang=[lang] dir="auto" { (with_marks(text, marks)) } }
}

/// What the checks say of a sentence, and how far the model trusts it where it doubts it.
fn why(segment: &SegmentRecord) -> Option<String> {
    if segment.problems.is_empty() {
        let is_known = segment.origin == Origin::Memory;
        return is_known.then(|| "from the translation memory".into());
    }
    let sure = segment.confidence.map(|share| format!(" (confidence {})", percent(share)));
    Some(words::problems(&segment.problems) + &sure.unwrap_or_default())
}

/// The class of a block.
fn kind(place: Place) -> &'static str {
    match place {
        Place::Title => "title",
        Place::Heading(_) => "heading",
        Place::Paragraph(_) => "paragraph",
        Place::Item(_) => "item",
        Place::Aside(_) => "aside",
    }
}
