//! A translated document of Markdown, written so that it is read again as what it is: no rule
//! foresees what two marks become side by side that never stood so.

use crate::text::inline::{CARES, careful_markdown};
use crate::text::{clean, extract, inline};
use crate::types::{Block, BlockKind, Marked, Notation, TagKind};

/// A document with the translations of its blocks in their places, and the numbers of the blocks
/// that stay in their source's words: their translations are read as other markup whichever way
/// they are written. Each text is written as simply as it is read again as the same.
pub(super) fn written(blocks: &[Block], translated: &[Marked]) -> (String, Vec<usize>) {
    let mut texts: Vec<Text<'_>> = blocks.iter().zip(translated).map(Text::new).collect();
    if !texts.iter().any(Text::may_change) {
        return (joined(&texts), Vec::new());
    }
    let mut text = joined(&texts);
    // Each round takes each text that is read as another one step further.
    for _ in 0..=CARES.len() {
        let others = others(&texts, &extract::markdown_blocks(&text));
        if others.is_empty() {
            break;
        }
        others.into_iter().for_each(|number| texts[number].care += 1);
        keep_together(&mut texts);
        text = joined(&texts);
    }
    let stays = texts.iter().enumerate().filter(|(_, text)| text.stays());
    (text, stays.map(|(number, _)| number).collect())
}

/// A block that is written.
struct Text<'a> {
    block: &'a Block,
    translated: &'a Marked,
    /// Which of [`CARES`] it is written with; beyond, its source stays.
    care: usize,
    /// Whether it has a part of a span that begins or ends in another text.
    shares: bool,
}

impl<'a> Text<'a> {
    fn new((block, translated): (&'a Block, &'a Marked)) -> Text<'a> {
        let (mut depth, mut lowest) = (0, 0);
        for tag in &block.inline.tags {
            depth += match tag.kind {
                TagKind::Open => 1,
                TagKind::Close => -1,
                TagKind::Point => 0,
            };
            lowest = depth.min(lowest);
        }
        let shares = (depth, lowest) != (0, 0);
        Text { block, translated, care: 0, shares }
    }

    /// Whether it is written as in the source.
    fn is_copied(&self) -> bool {
        self.block.is_own(self.translated)
    }

    /// Whether its translation is left out.
    fn stays(&self) -> bool {
        self.care >= CARES.len() && !self.is_copied()
    }

    /// Whether its translation has anything that may be read as markup.
    fn may_change(&self) -> bool {
        let has_marks = |text: &str| text.contains(|c| "\\*_~`[]<>{}$@#&|^=%+:/".contains(c));
        let Marked { text, inline } = self.translated;
        !self.is_copied() && (!inline.tags.is_empty() || has_marks(text))
    }

    fn written(&self) -> String {
        let Text { block, translated, .. } = self;
        match CARES.get(self.care) {
            Some(care) if !self.is_copied() || self.shares && self.care > 0 => match block.notation
            {
                Notation::Running => careful_markdown(translated, &block.prefix, *care),
                notation => inline::written(translated, notation, &block.prefix),
            },
            _ => block.written().into_owned(),
        }
    }

    /// What a reader is to find.
    fn content(&self) -> Content {
        let own = self.block.marked();
        match self.block.kind {
            BlockKind::Verbatim => Content::of(&own, true),
            _ if self.stays() => Content::of(&own, false),
            _ => Content::of(self.translated, false),
        }
    }
}

fn joined(texts: &[Text<'_>]) -> String {
    let parts = |text: &Text<'_>| {
        [text.block.prefix.as_str(), &text.written(), &text.block.suffix].concat()
    };
    texts.iter().map(parts).collect()
}

/// Writes texts alike that share a span, which begins in one of them and ends in another.
fn keep_together(texts: &mut [Text<'_>]) {
    let care = texts.iter().filter(|text| text.shares).map(|text| text.care).max();
    let shared = texts.iter_mut().filter(|text| text.shares);
    shared.for_each(|text| text.care = care.unwrap_or_default());
}

/// The numbers of the texts that a reader does not find as they are. Where there are more blocks or
/// fewer, those are meant that stand between the first and the last that are found.
fn others(texts: &[Text<'_>], found: &[Block]) -> Vec<usize> {
    let is_verbatim = |block: &Block| block.kind == BlockKind::Verbatim;
    let wanted: Vec<Content> = texts.iter().map(Text::content).collect();
    let found: Vec<Content> =
        found.iter().map(|block| Content::of(&block.marked(), is_verbatim(block))).collect();
    if wanted.len() == found.len() {
        return (0..wanted.len()).filter(|number| wanted[*number] != found[*number]).collect();
    }
    let both = || wanted.iter().zip(&found);
    let first = both().take_while(|(wanted, found)| wanted == found).count();
    let ends = wanted.iter().rev().zip(found.iter().rev());
    let last = ends.take_while(|(wanted, found)| wanted == found).count();
    let last = last.min(wanted.len() - first).min(found.len().saturating_sub(first));
    // What has become two is the one before, or the one after.
    (first.saturating_sub(1)..(wanted.len() - last + 1).min(wanted.len())).collect()
}

/// What is read: the text without its spaces, which may be more, and its tags.
#[derive(PartialEq, Eq)]
struct Content {
    text: String,
    tags: Vec<String>,
    is_verbatim: bool,
}

impl Content {
    fn of(marked: &Marked, is_verbatim: bool) -> Content {
        let text = clean::normalize(&marked.text);
        let text = text.chars().filter(|c| !c.is_whitespace()).collect();
        let tags = marked.inline.tags.iter().map(|tag| name(&tag.markup)).collect();
        Content { text, tags, is_verbatim }
    }
}

/// A tag, or the emphasis that it is a mark of.
fn name(markup: &str) -> String {
    match markup.trim() {
        "*" | "_" | "<em>" | "</em>" => "em".into(),
        "**" | "__" | "<strong>" | "</strong>" => "strong".into(),
        "~~" | "~" | "<del>" | "</del>" => "del".into(),
        other => other.into(),
    }
}
