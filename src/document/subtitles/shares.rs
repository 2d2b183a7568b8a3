//! The tags of each cue in its share of a text that goes over several.

use crate::types::{Inline, Marked, Tag, TagKind};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// Gives each cue its share of a text with the tags that the cue had (`cues`), each once: where the
/// text has them, or, if that is in another cue's share, at the nearest end of its own.
pub(super) fn shared(marked: &Marked, shares: &[Range<usize>], cues: &[&[Tag]]) -> Vec<Marked> {
    let owners = owners(&marked.inline.tags, shares, cues);
    let share = |(cue, share): (usize, &Range<usize>)| {
        let own = marked.inline.tags.iter().zip(&owners).filter(|(_, owner)| **owner == cue);
        let within = |at: usize| at.clamp(share.start, share.end) - share.start;
        let tags = own.map(|(tag, _)| Tag { at: within(tag.at), ..tag.clone() }).collect();
        let text = marked.text[share.clone()].to_string();
        Marked { text, inline: Inline { tags, kept: Vec::new() } }
    };
    shares.iter().enumerate().map(share).collect()
}

/// The cue of each tag of a text. What several cues have alike stays in their order.
fn owners(tags: &[Tag], shares: &[Range<usize>], cues: &[&[Tag]]) -> Vec<usize> {
    let mut left: HashMap<(&str, &str), VecDeque<usize>> = HashMap::new();
    for (cue, tags) in cues.iter().enumerate() {
        for span in spans(tags) {
            left.entry(span.key(tags)).or_default().push_back(cue);
        }
    }
    let mut owners = vec![0; tags.len()];
    for span in spans(tags) {
        // A tag that no cue had stays where it is.
        let here = || shares.partition_point(|share| share.end < tags[span.first].at);
        let known = left.get_mut(&span.key(tags)).and_then(VecDeque::pop_front);
        let owner = known.unwrap_or_else(here).min(shares.len().saturating_sub(1));
        (owners[span.first], owners[span.last]) = (owner, owner);
    }
    owners
}

/// A span by the numbers of its two tags, which are one where it stands by itself.
struct Span {
    first: usize,
    last: usize,
}

impl Span {
    fn key<'a>(&self, tags: &'a [Tag]) -> (&'a str, &'a str) {
        (&tags[self.first].markup, &tags[self.last].markup)
    }
}

/// The spans of some tags, in the order in which they begin.
fn spans(tags: &[Tag]) -> Vec<Span> {
    let (mut spans, mut open) = (Vec::<Span>::new(), Vec::new());
    for (number, tag) in tags.iter().enumerate() {
        match open.pop_if(|_| tag.kind == TagKind::Close) {
            Some(span) => {
                let span: &mut Span = &mut spans[span];
                span.last = number;
            }
            None => {
                if tag.kind == TagKind::Open {
                    open.push(spans.len());
                }
                spans.push(Span { first: number, last: number });
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, tags: &[(usize, &str, TagKind)]) -> Marked {
        let tag =
            |&(at, markup, kind): &(usize, &str, TagKind)| Tag { at, markup: markup.into(), kind };
        let inline = Inline { tags: tags.iter().map(tag).collect(), kept: Vec::new() };
        Marked { text: text.into(), inline }
    }

    #[test]
    fn tags_stay_with_their_cues() {
        use TagKind::{Close, Open, Point};
        let cue = |tags: &[(usize, &str, TagKind)]| marked("", tags).inline.tags;
        let first = cue(&[(0, "<i>", Open), (0, "</i>", Close), (0, "{\\i1}", Point)]);
        let second =
            cue(&[(0, "<b>", Open), (0, "<i>", Open), (0, "</i>", Close), (0, "</b>", Close)]);
        let cues = [first.as_slice(), second.as_slice()];
        // The first cue's words went to the end, the second's to the beginning.
        let tags = [
            (0, "<b>", Open),
            (0, "<i>", Open),
            (3, "</i>", Close),
            (7, "</b>", Close),
            (8, "<i>", Open),
            (13, "{\\i1}", Point),
            (13, "</i>", Close),
        ];
        let text = marked("one two three four", &tags);
        let shown = |shares: &[Range<usize>]| {
            let parts = shared(&text, shares, &cues);
            parts.iter().map(Marked::to_markup).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[0..7, 8..18]), ["<i>one</i> two{\\i1}", "<b></b><i>three</i> four"]);
        assert_eq!(shown(&[0..18, 0..18])[1], "<b>one two</b> <i>three</i> four");
    }
}
