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
}
