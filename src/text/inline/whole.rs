//! What must come through unchanged, and has no tags inside of it.

use crate::text::protect;
use crate::types::{Marked, Tag};
use std::ops::Range;

/// The protected spans of a text that no tag divides, in order.
pub(super) fn whole_spans(marked: &Marked) -> impl Iterator<Item = Range<usize>> + '_ {
    let tags: &[Tag] = &marked.inline.tags;
    let is_whole = move |span: &Range<usize>| {
        let next = tags.partition_point(|tag| tag.at <= span.start);
        tags.get(next).is_none_or(|tag| tag.at >= span.end)
    };
    protect::spans(&marked.text).into_iter().filter(is_whole)
}
