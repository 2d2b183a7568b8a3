//! The translated body of a document, laid out as its source: each text in the place of its own,
//! with the markup that stood in it.

use super::{Document, Job, reread};
use crate::task::translate;
use crate::text::inline::{self, Link};
use crate::text::protect;
use crate::types::{Aside, Block, BlockKind, Format, Inline, Lang, Marked, Notation};

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

/// A translated body.
pub(super) struct LaidOut {
    pub text: String,
    /// Its blocks, those apart that are copied.
    pub blocks: Vec<Marked>,
    /// The texts of blocks that stay as they are, since no way to write their translations is read
    /// as the same markup again.
    pub left: Vec<String>,
}

impl Document<'_> {
    /// Whether there is markup in a block.
    pub(super) fn has_markup(&self, block: usize) -> bool {
        !self.article.blocks[block].inline.tags.is_empty()
    }

    /// The translated body.
    pub(super) fn laid_out(&self, to: &Lang, job: &Job) -> LaidOut {
        let translated = self.article.blocks.iter().zip(self.translated_blocks(to, job));
        let mut marked: Vec<Marked> = translated.map(|(block, text)| marked(block, text)).collect();
        let mut left = Vec::new();
        let text = if self.article.source.format == Format::Markdown {
            let (written, stays) = reread::written(&self.article.blocks, &marked);
            for number in stays {
                left.push(self.article.blocks[number].text.clone());
                marked[number] = self.article.blocks[number].marked();
            }
            written
        } else {
            let blocks = self.article.blocks.iter().zip(&marked);
            blocks.map(|(block, marked)| self.written(block, marked)).collect()
        };
        let blocks = self.article.blocks.iter().zip(marked);
        let blocks = blocks.filter(|(block, _)| block.kind != BlockKind::Verbatim);
        LaidOut { text, blocks: blocks.map(|(_, marked)| marked).collect(), left }
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
            if grow_together(text, chosen) {
                text.push(' ');
            }
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

    /// A block of another format than Markdown; of a document, whose markup stands for what only
    /// its own format can say, without that.
    fn written(&self, block: &Block, marked: &Marked) -> String {
        let is_document = self.article.source.format.is_document();
        let written = if is_document && block.kind != BlockKind::Verbatim {
            marked.text.as_str().into()
        } else if block.is_own(marked) {
            block.written()
        } else if block.notation == Notation::Cell {
            inline::written(marked, block.notation, &block.prefix).into()
        } else {
            marked.to_markup().into()
        };
        [block.prefix.as_str(), &written, &block.suffix].concat()
    }
}

/// Whether the end of a text and what follows it without a space are one address, or the like.
fn grow_together(text: &str, next: &str) -> bool {
    /// As much of both is looked at, since a block may have a thousand sentences without a space
    /// between them.
    const NEAR: usize = 1000;
    if text.is_empty() || next.is_empty() || text.ends_with(char::is_whitespace) {
        return false;
    }
    let text = &text[text.ceil_char_boundary(text.len().saturating_sub(NEAR))..];
    let next = &next[..next.floor_char_boundary(NEAR)];
    let spans = protect::spans(&[text, next].concat());
    spans.iter().any(|span| span.start < text.len() && text.len() < span.end)
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
    let mut marked = Marked { text, inline: Inline { tags, kept: Vec::new() } };
    inline::keep_divided(&source, &mut marked);
    marked
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
