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

/// Puts spaces where a translation has in one piece what tags divide in its source, and no tag does
/// any more: an exclamation mark before the brackets of a wiki link, a word after an address.
pub fn keep_divided(source: &Marked, translation: &mut Marked) {
    let mut divided: Vec<(&str, usize)> = Vec::new();
    for span in protect::spans(&source.text) {
        let inside = |tag: &&Tag| span.start < tag.at && tag.at < span.end;
        let first = source.inline.tags.iter().find(inside);
        divided.extend(first.map(|tag| (&source.text[span.clone()], tag.at - span.start)));
    }
    if divided.is_empty() {
        return;
    }
    let whole: Vec<Range<usize>> = whole_spans(translation).collect();
    for span in whole.into_iter().rev() {
        let own = &translation.text[span.clone()];
        let Some((_, length)) = divided.iter().find(|(text, _)| *text == own) else { continue };
        let at = span.start + length;
        translation.text.insert(at, ' ');
        translation.inline.tags.iter_mut().filter(|t| t.at >= at).for_each(|tag| tag.at += 1);
    }
}
