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

/// Cuts a text at some parts of it, which are left out: the spaces between two lines. A span that
/// is cut ends in the one part and begins again in the next. Tags at a cut stand where they belong:
/// an end before it, a beginning after it.
pub(super) fn cut(marked: &Marked, cuts: &[Range<usize>]) -> Vec<Marked> {
    let Marked { text, inline } = marked;
    let mut tags = inline.tags.iter().enumerate().peekable();
    let mut open: Vec<usize> = Vec::new();
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for cut in cuts.iter().cloned().chain(std::iter::once(text.len()..text.len())) {
        let is_last = parts.len() == cuts.len();
        let end = cut.start.max(start);
        let mut part = Marked::plain(text.get(start..end).unwrap_or_default());
        let mark = |at: usize, tag: &Tag, kind| Tag { at, kind, markup: tag.markup.clone() };
        part.inline.tags.extend(open.iter().map(|&n| mark(0, &inline.tags[n], TagKind::Open)));
        while let Some(&(number, tag)) = tags.peek() {
            if !is_last && (tag.at > cut.start || tag.at == cut.start && tag.kind == TagKind::Open)
            {
                break;
            }
            tags.next();
            match tag.kind {
                TagKind::Open => open.push(number),
                TagKind::Close => _ = open.pop(),
                TagKind::Point => {}
            }
            part.inline.tags.push(mark(tag.at.clamp(start, end) - start, tag, tag.kind));
        }
        let ends = open.iter().rev().filter_map(|&n| partner(&inline.tags, n));
        let ends: Vec<Tag> =
            ends.map(|n| mark(end - start, &inline.tags[n], TagKind::Close)).collect();
        part.inline.tags.extend(ends);
        let kept = inline.kept.iter().map(|k| k.start.max(start)..k.end.min(end));
        part.inline.kept =
            kept.filter(|k| k.start < k.end).map(|k| k.start - start..k.end - start).collect();
        parts.push(part);
        start = cut.end.max(start);
    }
    parts
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

    #[test]
    fn a_span_goes_on_after_a_cut() {
        let tags = vec![
            tag(4, "<i>", TagKind::Open),
            tag(7, "<br>", TagKind::Point),
            tag(11, "</i>", TagKind::Close),
        ];
        let marked = Marked {
            text: "one two three".into(),
            inline: Inline { tags, kept: vec![0..1, 4..7] },
        };
        let once = |range| std::iter::once(range).collect::<Vec<_>>();
        let parts = cut(&marked, &once(7..8));
        let shown: Vec<String> = parts.iter().map(Marked::to_markup).collect();
        assert_eq!(shown, ["one <i>two<br></i>", "<i>thr</i>ee"]);
        assert_eq!(
            (parts[0].inline.kept.clone(), parts[1].inline.kept.len()),
            (vec![0..1, 4..7], 0)
        );
        let shown: Vec<String> = cut(&marked, &once(3..4)).iter().map(Marked::to_markup).collect();
        assert_eq!(shown, ["one", "<i>two<br> thr</i>ee"]);
    }
}
