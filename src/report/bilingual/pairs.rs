//! The blocks of an article with their translations, put together from its segments.

use crate::languages;
use crate::types::{Place, Problem, Record, SegmentRecord};

/// A block and its translation.
pub(super) struct Pair {
    pub place: Place,
    pub source: String,
    pub target: String,
    pub problems: Vec<Problem>,
}

/// The blocks of a record, those apart that are copied, in their order.
pub(super) fn pairs(record: &Record) -> Vec<Pair> {
    let segments = record.segments.as_deref().unwrap_or_default();
    let from = &record.language.code;
    let to = record.translation.as_ref().map_or(from, |translation| &translation.language);
    let block = |segments: &[SegmentRecord]| Pair {
        place: segments[0].place,
        source: joined(segments, |one| &one.source, languages::sentence_gap(from)),
        target: joined(segments, |one| &one.target, languages::sentence_gap(to)),
        problems: problems(segments),
    };
    segments.chunk_by(|a, b| a.place == b.place).map(block).collect()
}

fn joined(segments: &[SegmentRecord], text: fn(&SegmentRecord) -> &str, gap: &str) -> String {
    // The second half of a divided sentence may be empty.
    let texts = segments.iter().map(text).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(gap)
}

fn problems(segments: &[SegmentRecord]) -> Vec<Problem> {
    let mut problems: Vec<Problem> =
        segments.iter().flat_map(|segment| segment.problems.iter().copied()).collect();
    problems.sort_by_key(|problem| *problem as u8);
    problems.dedup();
    problems
}

/// The names of problems, as records have them.
pub(super) fn names(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.name()).collect()
}
