//! Markdown: the text of paragraphs, headings and items is found by the parser's offsets;
//! everything else stays as it is.

use super::found::{Found, join_line};
use super::front::front_matter;
use crate::types::{Block, BlockKind, Inline};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// One paragraph, heading or item in the source.
struct Leaf {
    kind: BlockKind,
    /// Place of the text in the source.
    range: Range<usize>,
    text: String,
}

/// Reads Markdown. Front matter, code, tables, HTML blocks, rules and link definitions become
/// [`BlockKind::Verbatim`].
pub(super) fn read(source: &str) -> Found {
    let front = front_matter(source);
    let mut blocks: Vec<Block> = Vec::new();
    let mut source = source;
    if let Some(front) = &front {
        let (text, rest) = source.split_at(front.text.len());
        let suffix = "\n".repeat(usize::from(rest.starts_with('\n')));
        source = &rest[suffix.len()..];
        blocks.push(Block {
            kind: BlockKind::Verbatim,
            prefix: String::new(),
            text: text.to_string(),
            inline: Inline::default(),
            suffix,
        });
    }
    let leaves = leaves(source);
    let mut at = 0;
    for leaf in leaves {
        if leaf.range.start < at || leaf.text.is_empty() {
            continue;
        }
        let prefix = between(&source[at..leaf.range.start], &mut blocks);
        blocks.push(Block {
            kind: leaf.kind,
            prefix,
            text: leaf.text,
            inline: Inline::default(),
            suffix: String::new(),
        });
        at = leaf.range.end;
    }
    let rest = between(&source[at..], &mut blocks);
    if !rest.is_empty() {
        match blocks.last_mut() {
            // What closes the last line belongs to it.
            Some(last) if last.suffix.is_empty() => last.suffix = rest,
            _ if rest.trim().is_empty() => {
                blocks.iter_mut().next_back().into_iter().for_each(|b| b.suffix.push_str(&rest))
            }
            _ => blocks.push(Block {
                kind: BlockKind::Verbatim,
                prefix: String::new(),
                text: rest,
                inline: Inline::default(),
                suffix: String::new(),
            }),
        }
    }
    Found { title: front.and_then(|front| front.title), blocks, ..Found::default() }
}

/// Divides the source between two leaves: the end of the line and blank lines go to the block
/// before, other whole lines become verbatim blocks, and the beginning of the line before the next
/// leaf is returned as its prefix.
fn between(gap: &str, blocks: &mut Vec<Block>) -> String {
    let Some(last_break) = gap.rfind('\n') else { return gap.to_string() };
    let (mut whole, prefix) = gap.split_at(last_break + 1);
    if let Some(block) = blocks.last_mut() {
        let first_break = whole.find('\n').map_or(whole.len(), |i| i + 1);
        let (mut end, mut rest) = whole.split_at(first_break);
        // The underline of a heading goes with it.
        if block.kind == BlockKind::Heading && block.prefix.trim().is_empty() {
            let underline = rest.split_inclusive('\n').next().unwrap_or("");
            if !underline.trim().is_empty()
                && underline.trim().chars().all(|c| matches!(c, '=' | '-'))
            {
                (end, rest) = whole.split_at(end.len() + underline.len());
            }
        }
        block.suffix.push_str(end);
        whole = rest;
    }
    for line in whole.split_inclusive('\n') {
        let blank = line.trim_matches(|c: char| c.is_whitespace() || c == '>').is_empty();
        match blocks.last_mut() {
            Some(block) if blank => block.suffix.push_str(line),
            _ if blank => {}
            // Lines of one code block or table stay together.
            Some(block) if block.kind == BlockKind::Verbatim && block.suffix == "\n" => {
                block.text.push('\n');
                block.text.push_str(line.trim_end_matches('\n'));
            }
            _ => blocks.push(Block {
                kind: BlockKind::Verbatim,
                prefix: String::new(),
                text: line.trim_end_matches('\n').to_string(),
                inline: Inline::default(),
                suffix: "\n".repeat(usize::from(line.ends_with('\n'))),
            }),
        }
    }
    prefix.to_string()
}

/// Follows the parser and collects the leaves.
fn leaves(source: &str) -> Vec<Leaf> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut reader = Reader { source, out: Vec::new(), kind: Vec::new(), open: None, verbatim: 0 };
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        match event {
            Event::Start(tag) => reader.start(&tag, range),
            Event::End(tag) => reader.end(tag, range),
            Event::SoftBreak => reader.line_break(range, false),
            Event::HardBreak => reader.line_break(range, true),
            Event::Rule | Event::Html(_) => reader.close(),
            // "[ ]" belongs to the marker.
            Event::TaskListMarker(_) => {}
            _ => reader.inline(range),
        }
    }
    reader.close();
    reader.out
}

/// A leaf that is being read.
struct Open {
    /// Start of the leaf in the source.
    start: usize,
    /// Start of the current line; `None` right after a line break.
    line: Option<usize>,
    /// End of what was read so far.
    end: usize,
    /// The lines before the current one, joined.
    text: String,
}

struct Reader<'a> {
    source: &'a str,
    out: Vec<Leaf>,
    /// Kinds of the open block elements.
    kind: Vec<BlockKind>,
    open: Option<Open>,
    /// Depth of elements that are passed through.
    verbatim: usize,
}

impl Reader<'_> {
    fn start(&mut self, tag: &Tag, range: Range<usize>) {
        match tag {
            Tag::CodeBlock(_) | Tag::Table(_) | Tag::HtmlBlock | Tag::MetadataBlock(_) => {
                self.close();
                self.verbatim += 1;
            }
            Tag::Heading { .. } => {
                self.close();
                self.kind.push(BlockKind::Heading);
            }
            Tag::Item => {
                self.close();
                self.kind.push(BlockKind::Item);
            }
            Tag::Paragraph => {
                self.close();
                // A paragraph of an item is the item's text.
                let inside = self.kind.last().copied();
                self.kind.push(if inside == Some(BlockKind::Item) {
                    BlockKind::Item
                } else {
                    BlockKind::Paragraph
                });
            }
            Tag::BlockQuote(_) => {
                self.close();
                self.kind.push(BlockKind::Paragraph);
            }
            Tag::List(_) | Tag::FootnoteDefinition(_) => self.close(),
            tag if is_inline(tag) => self.inline(range),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::CodeBlock | TagEnd::Table | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_) => {
                self.verbatim = self.verbatim.saturating_sub(1)
            }
            TagEnd::Heading(_) | TagEnd::Item | TagEnd::Paragraph | TagEnd::BlockQuote(_) => {
                self.close();
                self.kind.pop();
            }
            TagEnd::List(_) | TagEnd::FootnoteDefinition => self.close(),
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => self.extend(range.end),
            _ => {}
        }
    }

    /// Takes in a part of the text, which begins a leaf or a line or goes on with one.
    fn inline(&mut self, range: Range<usize>) {
        if self.verbatim > 0 {
            return;
        }
        // The backslash of an escape is not in the range of what it escapes.
        let start =
            if self.source[..range.start].ends_with('\\') { range.start - 1 } else { range.start };
        match &mut self.open {
            Some(open) => {
                open.line.get_or_insert(start);
                // Nested elements lie inside; a link that spans lines is taken line by line.
                if !self.source[range.clone()].contains('\n') {
                    open.end = open.end.max(range.end);
                }
            }
            None => {
                let end = if self.source[range.clone()].contains('\n') { start } else { range.end };
                self.open = Some(Open { start, line: Some(start), end, text: String::new() });
            }
        }
    }

    fn extend(&mut self, end: usize) {
        if let Some(open) = &mut self.open {
            open.end = open.end.max(end);
        }
    }

    fn line_break(&mut self, range: Range<usize>, hard: bool) {
        if hard {
            return self.close();
        }
        if let Some(open) = &mut self.open {
            if let Some(line) = open.line.take() {
                join_line(&mut open.text, self.source[line..range.start.max(line)].trim());
            }
            open.end = open.end.max(range.start);
        }
    }

    /// Ends the open leaf.
    fn close(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        if let Some(line) = open.line {
            join_line(&mut open.text, self.source[line..open.end.max(line)].trim_end());
        }
        let kind = self.kind.last().copied().unwrap_or(BlockKind::Paragraph);
        self.out.push(Leaf { kind, range: open.start..open.end, text: open.text });
    }
}

fn is_inline(tag: &Tag) -> bool {
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "---\ntitle: \"The talks\"\ndate: 2024-05-12\n---\n\n# The talks\n\nThe \
        *talks* began, see [the\nreport](https://x.org/r) and `code`.\nThey go on.\n\n- one\n- [ ] \
        two\n  - nested **three**\n\n1. First\n   wrapped\n\n> quoted line\n> goes on\n\nHard  \
        \nbreak \\* here\n\n```rust\nfn main() {}\n```\n\n| a | b |\n|---|---|\n| c | d |\
        \n\nUnder\n=====\n\n![map](m.png) text\n\n<div>html</div>\n\n[x]: https://x.org\n\nEnd.\n";

    #[test]
    fn blocks_and_their_surroundings() {
        let blocks = read(SAMPLE).blocks;
        let text: Vec<(BlockKind, &str, &str)> =
            blocks.iter().map(|b| (b.kind, b.prefix.as_str(), b.text.as_str())).collect();
        use BlockKind::*;
        assert_eq!(
            text,
            [
                (Verbatim, "", "---\ntitle: \"The talks\"\ndate: 2024-05-12\n---"),
                (Heading, "# ", "The talks"),
                (
                    Paragraph,
                    "",
                    "The *talks* began, see [the report](https://x.org/r) and `code`. They go on."
                ),
                (Item, "- ", "one"),
                (Item, "- [ ] ", "two"),
                (Item, "  - ", "nested **three**"),
                (Item, "1. ", "First wrapped"),
                (Paragraph, "> ", "quoted line goes on"),
                (Paragraph, "", "Hard"),
                (Paragraph, "", "break \\* here"),
                (Verbatim, "", "```rust\nfn main() {}\n```"),
                (Verbatim, "", "| a | b |\n|---|---|\n| c | d |"),
                (Heading, "", "Under"),
                (Paragraph, "", "![map](m.png) text"),
                (Verbatim, "", "<div>html</div>"),
                (Verbatim, "", "[x]: https://x.org"),
                (Paragraph, "", "End."),
            ]
        );
        assert_eq!(read(SAMPLE).title.as_deref(), Some("The talks"));
    }

    #[test]
    fn the_source_comes_back_with_its_wrapped_lines_joined() {
        let joined = SAMPLE
            .replace("[the\nreport]", "[the report]")
            .replace("`code`.\nThey", "`code`. They")
            .replace("First\n   wrapped", "First wrapped")
            .replace("quoted line\n> goes", "quoted line goes");
        let whole: String = read(SAMPLE)
            .blocks
            .iter()
            .map(|b| format!("{}{}{}", b.prefix, b.text, b.suffix))
            .collect();
        assert_eq!(whole, joined);
    }

    #[test]
    fn odd_input_is_kept_too() {
        for text in [
            "",
            "\n\n",
            "# \n",
            "- \n",
            "> > deep\n> > more",
            "a\\\nb",
            "*open",
            "[a](b\nc)",
            "***\n",
            "    code\n",
            "a | b\n-|-\n1 | 2",
            "&amp; x",
            "* a\n\n  b\n* c",
        ] {
            let blocks = read(text).blocks;
            let whole: String =
                blocks.iter().map(|b| format!("{}{}{}", b.prefix, b.text, b.suffix)).collect();
            let squeeze =
                |s: &str| s.chars().filter(|c| !c.is_whitespace() && *c != '>').collect::<String>();
            assert_eq!(squeeze(&whole), squeeze(text), "{blocks:?}");
        }
    }
}
