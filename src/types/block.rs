//! A run of text of an article, and what stands around it and inside of it.

use super::{Inline, Marked};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// What a block of an article is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockKind {
    /// A heading; the first one may be the title.
    Heading,
    /// A paragraph.
    #[default]
    Paragraph,
    /// An item of a list.
    Item,
    /// Code, a rule, a line of a site generator: passed through untouched.
    Verbatim,
}

/// A run of text that is translated as a whole, and what stands around it.
///
/// The text of an article is exactly the concatenation of `prefix + text + suffix` over its blocks,
/// with the markup of `inline` in its places or, where it has one, its `original`, so that
/// replacing each `text` by its translation keeps the layout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Indent and marker before the text: `"## "`, `"- "`, `"> "`.
    pub prefix: String,
    /// The text, hard-wrapped lines joined.
    pub text: String,
    /// The markup inside of the text.
    pub inline: Inline,
    /// How the source writes the text and its markup, where that is more than putting them
    /// together: in several lines, with escapes.
    pub original: Option<String>,
    /// Line breaks after the text, as they were.
    pub suffix: String,
    /// How the text is written in its place.
    pub notation: Notation,
    /// The texts inside of its markup, in the order of its tags.
    pub asides: Vec<Aside>,
    /// Whether it is the article's title in its place: it becomes what that becomes.
    pub is_title: bool,
}

/// A text inside of a piece of markup, which is no part of the sentence around it: what is shown
/// in an image's place, or over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The number of the tag in [`Inline::tags`].
    pub tag: usize,
    /// Where it stands in the tag's markup.
    pub range: Range<usize>,
    /// What a reader sees.
    pub text: String,
    /// How it is written.
    pub notation: Notation,
}

/// How a text is written in its place, so that it is read again as what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notation {
    /// As the format of its source writes running text.
    #[default]
    Running,
    /// As text of HTML.
    Html,
    /// As the value of an attribute of HTML, with its quotes.
    Attribute,
    /// As what stands for an image in Markdown, between brackets.
    ImageText,
    /// As the title of a link or an image in Markdown, with its quotes.
    LinkTitle,
    /// As a cell of a table in Markdown.
    Cell,
    /// As one line that knows no escapes.
    Line,
    /// As a value of YAML without quotes, while it may be without.
    Bare,
    /// As a value between single quotes, doubled within (YAML).
    Single,
    /// As a value between double quotes, with the escapes that JSON, TOML and YAML share.
    Double,
    /// As a value between single quotes that knows no escapes (TOML).
    Literal,
}

impl Notation {
    /// Whether it is that of text which is read from beginning to end, not looked up or pointed at.
    pub fn is_running(self) -> bool {
        matches!(self, Notation::Running | Notation::Html)
    }
}

impl Block {
    /// A paragraph by itself, with an empty line after it.
    pub fn paragraph(Marked { text, inline }: Marked) -> Block {
        let (kind, suffix) = (BlockKind::Paragraph, "\n\n".into());
        Block { kind, text, inline, suffix, ..Block::default() }
    }

    /// The text with its markup, as the source writes it.
    pub fn written(&self) -> Cow<'_, str> {
        match &self.original {
            Some(original) => original.into(),
            None if self.inline.tags.is_empty() => self.text.as_str().into(),
            None => self.marked().to_markup().into(),
        }
    }

    /// Whether a text is the block's own, so that nothing is to be written anew.
    pub(crate) fn is_own(&self, marked: &Marked) -> bool {
        self.kind == BlockKind::Verbatim
            || marked.text == self.text && marked.inline.tags == self.inline.tags
    }

    /// The text and its markup.
    pub fn marked(&self) -> Marked {
        Marked { text: self.text.clone(), inline: self.inline.clone() }
    }
}
