//! Tags as spans: those that have no partner, or cross another span, stand for themselves.

use crate::types::{Inline, Marked, Tag, TagKind};
use std::ops::Range;

/// Tags with the names by which the two ends of a span know each other, as tags of spans that are
/// well nested.
pub(super) fn paired(tags: Vec<(Tag, String)>) -> Vec<Tag> {
    let mut stack: Vec<usize> = Vec::new();
    let mut lone: Vec<bool> = vec![false; tags.len()];
    for (number, (tag, name)) in tags.iter().enumerate() {
        match tag.kind {
            TagKind::Point => {}
            TagKind::Open => stack.push(number),
            // The nearest few only: a file of a million tags that nothing ends takes no longer.
            TagKind::Close => {
                let near = stack.iter().rev().take(64);
                match near.clone().position(|&open| tags[open].1 == *name) {
                    Some(above) => {
                        let crossed = stack.split_off(stack.len() - 1 - above);
                        crossed[1..].iter().for_each(|&open| lone[open] = true);
                    }
                    None => lone[number] = true,
                }
            }
        }
    }
    stack.into_iter().for_each(|open| lone[open] = true);
    let point = |((tag, _), lone): ((Tag, String), bool)| Tag {
        kind: if lone { TagKind::Point } else { tag.kind },
        ..tag
    };
    tags.into_iter().zip(lone).map(point).collect()
}

/// The number of the tag that ends the span that tag `open` begins.
pub(super) fn partner(tags: &[Tag], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (number, tag) in tags.iter().enumerate().skip(open) {
        match tag.kind {
            TagKind::Open => depth += 1,
            TagKind::Close => depth = depth.saturating_sub(1),
            TagKind::Point => {}
        }
        if depth == 0 {
            return Some(number);
        }
    }
    None
}

/// The part of a text from one place to another, with the tags there, which have to be whole.
pub(super) fn slice(marked: &Marked, part: Range<usize>, tags: Range<usize>) -> Marked {
    let within = |at: usize| at.clamp(part.start, part.end) - part.start;
    let moved = |tag: &Tag| Tag { at: within(tag.at), ..tag.clone() };
    let kept = marked.inline.kept.iter().map(|k| within(k.start)..within(k.end));
    Marked {
        text: marked.text[part.clone()].into(),
        inline: Inline {
            tags: marked.inline.tags[tags].iter().map(moved).collect(),
            kept: kept.filter(|k| k.start < k.end).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(at: usize, markup: &str, kind: TagKind) -> Tag {
        Tag { at, markup: markup.into(), kind }
    }

    #[test]
    fn what_crosses_or_lacks_its_end_stands_for_itself() {
        use TagKind::{Close, Open, Point};
        let told = |names: &[(&str, TagKind)]| -> Vec<TagKind> {
            let tags = names.iter().map(|(name, kind)| (tag(0, name, *kind), name.to_string()));
            paired(tags.collect()).into_iter().map(|tag| tag.kind).collect()
        };
        assert_eq!(told(&[("i", Open), ("i", Close)]), [Open, Close]);
        assert_eq!(told(&[("i", Open)]), [Point]);
        assert_eq!(told(&[("i", Close)]), [Point]);
        assert_eq!(
            told(&[("b", Open), ("i", Open), ("b", Close), ("i", Close)]),
            [Open, Point, Close, Point]
        );
    }
}
