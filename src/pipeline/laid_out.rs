//! The translated body of a document, laid out as its source: each text in the place of its own,
//! with the markup that stood in it.

use super::{Document, Job};
use crate::task::translate;
use crate::text::inline::{self, Link};
use crate::types::{Aside, Block, BlockKind, Format, Inline, Lang, Marked, Notation};
use std::borrow::Cow;

/// A block's text in the language wanted, and which parts of the two belong together.
#[derive(Default)]
struct Translated {
    text: String,
    links: Vec<Link>,
    /// Bytes of the block's text that were gone through.
    read: usize,
    /// What becomes of the texts in its markup, in their order.
    asides: Vec<String>,
}

impl Document<'_> {
    /// Whether there is markup in a block.
    pub(super) fn has_markup(&self, block: usize) -> bool {
        !self.article.blocks[block].inline.tags.is_empty()
    }

    /// The translated body as one text, and its blocks, those apart that are copied.
    pub(super) fn laid_out(&self, to: &Lang, job: &Job) -> (String, Vec<Marked>) {
        let (mut text, mut blocks) = (String::new(), Vec::new());
        for (block, translated) in self.article.blocks.iter().zip(self.translated_blocks(to, job)) {
            let written = match block.kind {
                BlockKind::Verbatim => block.written(),
                _ => {
                    let marked = marked(block, translated);
                    let written = self.written(block, &marked);
                    blocks.push(marked);
                    written
                }
            };
            text.extend([block.prefix.as_str(), &written, &block.suffix]);
        }
        (text, blocks)
    }

    /// The text of each block in the language wanted.
    fn translated_blocks(&self, to: &Lang, job: &Job) -> Vec<Translated> {
        let title = self.translated_title(job);
        let start = |block: &Block| Translated {
            text: if block.is_title { title.clone() } else { String::new() },
            asides: vec![String::new(); block.asides.len()],
            ..Translated::default()
        };
        let mut blocks: Vec<Translated> = self.article.blocks.iter().map(start).collect();
        for (number, unit) in self.units.iter().enumerate() {
            let Some(number_of_block) = unit.block else { continue };
            let Translated { text, links, read, asides } = &mut blocks[number_of_block];
            let chosen = self.chosen(number, job);
            if let Some(aside) = unit.aside {
                let gap = translate::gap(&unit.gap, &self.language.code, to);
                asides[aside].extend([chosen, gap]);
                continue;
            }
            let source = &self.article.blocks[number_of_block].text;
            // What a quotation stands in may have lost its gap, see `quoted`.
            let start = source[*read..].find(unit.text.as_str()).map_or(*read, |at| *read + at);
            let (first, length) = (text.len(), chosen.len());
            let moved = |link: &Link| Link {
                source: start + link.source.start..start + link.source.end,
                target: first + link.target.start.min(length)..first + link.target.end.min(length),
                weight: link.weight,
            };
            if chosen != unit.text {
                links.extend(self.translations[number].links.iter().map(moved));
            }
            text.push_str(chosen);
            text.push_str(translate::gap(&unit.gap, &self.language.code, to));
            *read = source.floor_char_boundary((start + unit.text.len()).min(source.len()));
        }
        blocks
    }

    /// A block's text as the format of the source writes it; of a document, whose markup stands for
    /// what only its own format can say, without that.
    fn written<'a>(&self, block: &'a Block, marked: &Marked) -> Cow<'a, str> {
        if self.article.source.format.is_document() {
            return marked.text.clone().into();
        }
        if marked.text == block.text && marked.inline.tags == block.inline.tags {
            return block.written();
        }
        match self.article.source.format {
            Format::Markdown => inline::written(marked, block.notation, &block.prefix).into(),
            _ if block.notation == Notation::Cell => {
                inline::written(marked, block.notation, &block.prefix).into()
            }
            _ => marked.to_markup().into(),
        }
    }
}

/// A block's translation with the block's markup.
fn marked(block: &Block, translated: Translated) -> Marked {
    let Translated { text, links, asides, .. } = translated;
    if block.inline.tags.is_empty() {
        return Marked::plain(text.trim_end());
    }
    // What stands before the first word and after the last one belongs to the markup there.
    let indent = &block.text[..block.text.len() - block.text.trim_start().len()];
    let end = &block.text[block.text.trim_end().len()..];
    let body = text.trim_end();
    let is_missing = !indent.is_empty() && !body.starts_with(char::is_whitespace);
    let indent = if is_missing { indent } else { "" };
    let text = [indent, body, end].concat();
    let moved = |link: Link| Link {
        target: link.target.start + indent.len()..link.target.end + indent.len(),
        ..link
    };
    let links: Vec<Link> = links.into_iter().map(moved).collect();
    let source = with_asides(block, &asides);
    let tags = inline::place(&source, &text, &links).tags;
    Marked { text, inline: Inline { tags, kept: Vec::new() } }
}

/// A block's text with these texts in its markup.
fn with_asides(block: &Block, texts: &[String]) -> Marked {
    let mut marked = block.marked();
    // From the last: places in a tag are those of the source.
    for (Aside { tag, range, text, notation }, new) in block.asides.iter().zip(texts).rev() {
        let new = new.trim_end();
        if new != text && !new.is_empty() {
            let written = inline::written(&Marked::plain(new), *notation, &block.prefix);
            marked.inline.tags[*tag].markup.replace_range(range.clone(), &written);
        }
    }
    marked
}
