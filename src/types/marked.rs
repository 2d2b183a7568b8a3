//! Text with markup inside of it: what a model reads, and what has to stand around its words.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The markup inside of a text: which stands apart from it, so that the text is what a reader sees
/// and a model translates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Inline {
    /// The tags in the order in which they stand, those of one place included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// The parts of the text, in order and apart from each other, that are copied and not
    /// translated: code, an address, a placeholder. Byte ranges at character boundaries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Range<usize>>,
}

/// A piece of markup at a place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// The place: bytes of the text before it.
    pub at: usize,
    /// The markup as its format writes it: `**`, `](https://x.org)`, `<br>`, `[^1]`. Whoever reads
    /// a format gives it the meaning, nobody else looks into it.
    pub markup: String,
    /// What it does.
    pub kind: TagKind,
}

/// What a piece of markup does. The names are those of XLIFF's inline elements (`bpt`, `ept`,
/// `ph`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagKind {
    /// It begins a span, which the next [`TagKind::Close`] on its level ends.
    Open,
    /// It ends the span that was opened last. In a part of a text, a span may have its other end in
    /// another part.
    Close,
    /// It stands for itself: a line break, a footnote's mark, an image.
    Point,
}

/// A text and the markup inside of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marked {
    /// The text that a reader sees.
    pub text: String,
    /// Its markup.
    #[serde(flatten)]
    pub inline: Inline,
}

/// A step through a marked text, in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner<'a> {
    /// Text without markup.
    Text(&'a str),
    /// A tag.
    Tag(&'a Tag),
}

impl Inline {
    /// Whether there is no markup at all.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.kept.is_empty()
    }

    /// The text and the tags, in the order in which they stand. A tag beyond the end of the text
    /// comes last.
    pub fn steps<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Inner<'a>> {
        let mut at = 0;
        let tags = self.tags.iter().map(Some).chain([None]);
        tags.flat_map(move |tag| {
            let place = tag.map_or(text.len(), |tag| text.floor_char_boundary(tag.at)).max(at);
            let before = (place > at).then(|| Inner::Text(&text[at..place]));
            at = place;
            before.into_iter().chain(tag.map(Inner::Tag))
        })
    }
}

impl Marked {
    /// A text without markup.
    pub fn plain(text: impl Into<String>) -> Marked {
        Marked { text: text.into(), inline: Inline::default() }
    }

    /// The part of a byte range, its places counted from its beginning. Ranges that follow each
    /// other and cover the text, the white space between sentences included, have each tag exactly
    /// once, in the same order; [`Marked::push`] puts them together again.
    ///
    /// Where two ranges meet, what closes a span stays with the part before, what opens one that
    /// goes on goes with the part after, and a point goes with the text that it touches: with the
    /// part before, unless that ends with white space and the part after does not begin with it.
    /// An end of the range inside of a character is moved to its beginning.
    pub fn slice(&self, range: Range<usize>) -> Marked {
        let place = |at: usize| self.text.floor_char_boundary(at);
        let (start, end) = (place(range.start), place(range.end).max(place(range.start)));
        let (first, last) = (self.border(start, false), self.border(end, true));
        self.part(start..end, first..last.max(first))
    }

    /// The parts of byte ranges that are in order and apart from each other, such as sentences, of
    /// which each tag is in exactly one. What stands between two of them is left out, and its tags
    /// go where [`Marked::slice`] has them: what closes a span to the end of the part before, the
    /// rest to the beginning of the part after.
    pub fn split(&self, ranges: &[Range<usize>]) -> Vec<Marked> {
        let place = |at: usize| self.text.floor_char_boundary(at);
        let mut first = 0;
        let part = |(number, range): (usize, &Range<usize>)| {
            let (start, end) = (place(range.start), place(range.end).max(place(range.start)));
            let last = match ranges.get(number + 1) {
                Some(next) => {
                    let (next, from) = (place(next.start), self.border(end, true).max(first));
                    let between = self.inline.tags[from..].iter();
                    let is_end = |tag: &&Tag| tag.at <= next && tag.kind == TagKind::Close;
                    if next > end { from + between.take_while(is_end).count() } else { from }
                }
                None => self.inline.tags.len(),
            };
            let tags = std::mem::replace(&mut first, last)..last;
            self.part(start..end, tags)
        };
        ranges.iter().enumerate().map(part).collect()
    }

    /// A part of the text with some of the tags, those outside of it at its ends.
    fn part(&self, range: Range<usize>, tags: Range<usize>) -> Marked {
        let Range { start, end } = range;
        let moved = |at: usize| at.clamp(start, end) - start;
        let tag = |tag: &Tag| Tag { at: moved(tag.at), ..tag.clone() };
        let from = self.inline.kept.partition_point(|kept| kept.end <= start);
        let kept = self.inline.kept[from..].iter().take_while(|kept| kept.start < end);
        Marked {
            text: self.text[start..end].into(),
            inline: Inline {
                tags: self.inline.tags[tags].iter().map(tag).collect(),
                kept: kept.map(|kept| moved(kept.start)..moved(kept.end)).collect(),
            },
        }
    }

    /// The number of tags before the border at a place between two parts. The borders at the
    /// beginning and at the end of the text have none outside of them; in an empty text that
    /// depends on which end of a part is meant.
    fn border(&self, at: usize, is_end: bool) -> usize {
        let tags = &self.inline.tags;
        if at >= self.text.len() && (at > 0 || is_end) {
            return tags.len();
        } else if at == 0 {
            return 0;
        }
        let first = tags.partition_point(|tag| tag.at < at);
        let run = tags[first..].iter().take_while(|tag| tag.at == at);
        let (before, after) = self.text.split_at(at);
        let is_apart = before.ends_with(char::is_whitespace);
        let points_go_on = is_apart && !after.starts_with(char::is_whitespace);
        // Where the spans begin that are open, and the points that wait for the text after them.
        let (mut opened, mut waiting) = (Vec::new(), None);
        let mut length = 0;
        for tag in run {
            match tag.kind {
                TagKind::Open => opened.push(length),
                // A span without text is a point, too.
                TagKind::Close => match opened.pop() {
                    None => waiting = None,
                    Some(open) if points_go_on && opened.is_empty() => {
                        waiting = waiting.or(Some(open));
                    }
                    Some(_) => {}
                },
                TagKind::Point if points_go_on && opened.is_empty() => {
                    waiting = waiting.or(Some(length));
                }
                TagKind::Point => {}
            }
            length += 1;
        }
        first + waiting.or(opened.first().copied()).unwrap_or(length)
    }

    /// Adds another text after this one.
    pub fn push(&mut self, other: Marked) {
        let length = self.text.len();
        let Marked { text, inline } = other;
        let mut kept = inline.kept.into_iter().map(|kept| kept.start + length..kept.end + length);
        // What was cut inside of a part that is kept is one part again.
        if let Some(first) = kept.next() {
            match self.inline.kept.last_mut() {
                Some(last) if last.end == first.start => last.end = first.end,
                _ => self.inline.kept.push(first),
            }
        }
        self.inline.kept.extend(kept);
        let tags = inline.tags.into_iter().map(|tag| Tag { at: tag.at + length, ..tag });
        self.inline.tags.extend(tags);
        self.text.push_str(&text);
    }

    /// The text with its markup in its places, as a format whose text needs no escapes writes it.
    pub fn to_markup(&self) -> String {
        let steps = self.inline.steps(&self.text);
        steps
            .map(|step| match step {
                Inner::Text(text) => text,
                Inner::Tag(tag) => tag.markup.as_str(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;

    #[test]
    fn markup_stands_in_its_places() {
        let tag = |at, markup: &str, kind| Tag { at, markup: markup.into(), kind };
        let tags = vec![
            tag(4, "[", TagKind::Open),
            tag(8, "**", TagKind::Open),
            tag(12, "**", TagKind::Close),
            tag(12, "](x.org)", TagKind::Close),
            tag(12, "[^1]", TagKind::Point),
            tag(99, "<br>", TagKind::Point),
        ];
        let marked = Marked {
            text: "See the plan.".into(),
            inline: Inline { tags, kept: vec![0..3, 8..12] },
        };
        assert_eq!(marked.to_markup(), "See [the **plan**](x.org)[^1].<br>");
        let json = serde_json::to_string(&marked).unwrap();
        assert_eq!(serde_json::from_str::<Marked>(&json).unwrap(), marked);
        assert_eq!(serde_json::to_string(&Marked::plain("a")).unwrap(), r#"{"text":"a"}"#);
        assert_eq!(Marked::plain("a é").to_markup(), "a é");
    }

    fn random_marked(next: &mut impl FnMut(usize) -> usize) -> Marked {
        let text: String = (0..next(12)).map(|_| ['a', 'é', ' ', '字'][next(4)]).collect();
        let mut marked = Marked::plain(text);
        let places: Vec<usize> =
            marked.text.char_indices().map(|(at, _)| at).chain([marked.text.len()]).collect();
        let mut open = 0;
        for &at in &places {
            for _ in 0..next(4) {
                let kind = [TagKind::Open, TagKind::Close, TagKind::Point][next(3)];
                let kind = if kind == TagKind::Close && open == 0 { TagKind::Point } else { kind };
                open = match kind {
                    TagKind::Open => open + 1,
                    TagKind::Close => open - 1,
                    TagKind::Point => open,
                };
                let markup = format!("<{}>", marked.inline.tags.len());
                marked.inline.tags.push(Tag { at, markup, kind });
            }
        }
        marked.inline.kept = places.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
        marked
    }

    #[test]
    fn slices_are_put_together_again() {
        for seed in 0..4000 {
            let mut next = numbers(seed);
            let marked = random_marked(&mut next);
            let length = marked.text.len();
            let mut cuts: Vec<usize> = (0..next(6)).map(|_| next(length + 1)).collect();
            cuts.extend([0, length]);
            cuts.sort_unstable();
            let mut whole = Marked::default();
            for cut in cuts.windows(2).filter(|cut| cut[0] < cut[1] || length == 0) {
                if whole == Marked::default() || length > 0 {
                    whole.push(marked.slice(cut[0]..cut[1]));
                }
            }
            assert_eq!(whole, marked, "{seed} {cuts:?}");
            cuts.dedup();
            let ranges: Vec<Range<usize>> = cuts.chunks_exact(2).map(|c| c[0]..c[1]).collect();
            let parts = marked.split(&ranges);
            let tags = parts.iter().flat_map(|part| &part.inline.tags).map(|tag| &tag.markup);
            let all: Vec<&String> = marked.inline.tags.iter().map(|tag| &tag.markup).collect();
            assert!(ranges.is_empty() || tags.collect::<Vec<_>>() == all, "{seed} {cuts:?}");
        }
    }

    #[test]
    fn tags_go_with_the_text_that_they_touch() {
        let tag = |at, markup: &str, kind| Tag { at, markup: markup.into(), kind };
        use TagKind::*;
        let tags = vec![
            tag(0, "**", Open),
            tag(4, "**", Close),
            tag(4, "[^1]", Point),
            tag(5, "[", Open),
            tag(5, "![x]", Point),
            tag(5, "](y)", Close),
            tag(5, "*", Open),
            tag(10, "*", Close),
        ];
        let text = "One. Two. ".to_string();
        let marked = Marked { text, inline: Inline { tags, kept: Vec::new() } };
        let shown = |ranges: &[Range<usize>]| {
            let parts = ranges.iter().map(|range| marked.slice(range.clone()).to_markup());
            let split = marked.split(ranges).iter().map(Marked::to_markup).collect();
            (parts.collect::<Vec<_>>(), split)
        };
        let (slices, parts): (_, Vec<String>) = shown(&[0..4, 5..9]);
        assert_eq!(slices, ["**One.**[^1]", "[![x]](y)*Two."]);
        assert_eq!(parts, ["**One.**[^1]", "[![x]](y)*Two.*"]);
        assert_eq!(shown(&[0..5, 5..10]).0, ["**One.**[^1] ", "[![x]](y)*Two. *"]);
        // No end of a range is out of bounds.
        assert_eq!(marked.slice(9..99).to_markup(), " *");
        assert_eq!(Marked::plain("é").slice(1..2).text, "é");
    }
}
