//! The blocks of an HTML tree: paragraphs, headings, items, quotations, tables, code.

use super::page::{Node, Page, is_block, weight};
use super::wraps::ends_sentence;
use crate::text::html;
use crate::types::{Block, BlockKind, Inline};
use std::ops::Range;

/// A block, and the number of bytes of its text that are links.
pub(super) struct Reading {
    pub(super) block: Block,
    pub(super) linked: usize,
}

/// Collects the blocks of an element, without the nodes for which `gone` is true.
pub(super) fn walk(page: &Page, root: usize, gone: &[bool]) -> Vec<Reading> {
    let mut writer = Writer::default();
    let mut open: Vec<usize> = Vec::new();
    let (mut at, end) = (root, page.nodes[root].end);
    loop {
        while let Some(&last) = open.last()
            && page.nodes[last].end <= at
        {
            writer.leave(&page.nodes[last]);
            open.pop();
        }
        if at >= end {
            break;
        }
        if !gone[at] && writer.enter(page, at, gone) {
            open.push(at);
            at += 1;
        } else {
            at = page.nodes[at].end;
        }
    }
    writer.flush("\n\n");
    writer.finish()
}

/// An open list: the number of its next item, or none where it has bullets.
struct List {
    number: Option<usize>,
}

#[derive(Default)]
struct Writer {
    out: Vec<Reading>,
    text: String,
    linked: usize,
    links: usize,
    quotes: usize,
    lists: Vec<List>,
    /// The marker of the item that has begun, until its first text.
    marker: Option<String>,
    heading: Option<usize>,
    pre: bool,
    /// The parts of the text that are not to be translated.
    kept: Vec<Range<usize>>,
    /// How many of the open elements say so, and where the part begins that the first one holds.
    quiet: usize,
    quiet_from: usize,
}

impl Writer {
    fn enter(&mut self, page: &Page, at: usize, gone: &[bool]) -> bool {
        let node = &page.nodes[at];
        if node.is_text() {
            self.push(&node.text);
            return false;
        }
        let name = &*node.tag;
        match name {
            "head" | "title" | "script" | "style" | "template" | "rt" | "rp" => return false,
            "a" => self.links += 1,
            "br" => self.line_break(),
            "code" | "kbd" | "samp" if !self.pre => self.text.push('`'),
            "pre" => {
                self.flush("\n\n");
                self.pre = true;
            }
            "blockquote" => {
                self.flush("\n\n");
                self.quotes += 1;
            }
            "ul" | "menu" | "ol" => {
                self.flush("\n");
                // Two lists in a row stay two.
                if self.lists.is_empty()
                    && let Some(last) = self.out.last_mut().filter(|r| r.block.suffix == "\n")
                {
                    last.block.suffix = "\n\n".into();
                }
                let number = (name == "ol")
                    .then(|| node.attribute("start").and_then(|s| s.parse().ok()).unwrap_or(1));
                self.lists.push(List { number });
            }
            "li" => {
                self.flush("\n");
                self.marker = Some(self.next_marker());
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush("\n\n");
                self.heading = name[1..].parse().ok();
            }
            "table" if is_data_table(page, at, gone) => {
                self.flush("\n\n");
                self.table(page, at, gone);
                return false;
            }
            "td" | "th" => self.flush("\n"),
            name if is_block(name) => self.flush("\n\n"),
            _ if !self.pre && is_apart(page, at, &self.text) => self.text.push(' '),
            _ => {}
        }
        if is_quiet(node) {
            if self.quiet == 0 {
                self.quiet_from = self.text.len();
            }
            self.quiet += 1;
        }
        true
    }

    fn leave(&mut self, node: &Node) {
        if is_quiet(node) {
            if self.quiet == 1 {
                self.keep();
            }
            self.quiet = self.quiet.saturating_sub(1);
        }
        match &*node.tag {
            "a" => self.links = self.links.saturating_sub(1),
            "code" | "kbd" | "samp" if !self.pre => {
                // An empty pair of backticks would be text.
                if self.text.ends_with('`') && self.text.matches('`').count() % 2 == 1 {
                    self.text.pop();
                } else {
                    self.text.push('`');
                }
            }
            "pre" => {
                self.flush("\n\n");
                self.pre = false;
            }
            "blockquote" => {
                self.flush("\n\n");
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "menu" | "ol" => {
                self.flush("\n");
                self.lists.pop();
            }
            "li" => {
                self.flush("\n");
                self.marker = None;
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush("\n\n");
                self.heading = None;
            }
            "td" | "th" => self.flush("\n"),
            name if is_block(name) => self.flush("\n\n"),
            _ => {}
        }
    }

    /// Keeps what the text has of an element that is not to be translated.
    fn keep(&mut self) {
        let own = self.text.get(self.quiet_from..).unwrap_or_default();
        let start = self.quiet_from + own.len() - own.trim_start().len();
        let kept = start..start + own.trim().len();
        if !kept.is_empty() {
            self.kept.push(kept);
        }
    }

    /// Adds text; white space counts as one space outside of `<pre>`.
    fn push(&mut self, text: &str) {
        if self.pre {
            self.text.push_str(text);
            return;
        }
        let before = self.text.len();
        for c in text.chars() {
            if !c.is_whitespace() {
                self.text.push(c);
            } else if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
        }
        if self.links > 0 {
            self.linked += self.text.len() - before;
        }
    }

    fn line_break(&mut self) {
        if self.pre {
            self.text.push('\n');
        } else if self.text.trim().is_empty() {
            // The second of two line breaks ends a paragraph.
            if let Some(last) = self.out.last_mut().filter(|r| r.block.suffix == "\n") {
                last.block.suffix = "\n\n".into();
            }
        } else {
            self.flush("\n");
        }
    }

    fn next_marker(&mut self) -> String {
        let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(8));
        match self.lists.last_mut().and_then(|l| l.number.as_mut()) {
            Some(number) => {
                *number = number.saturating_add(1);
                format!("{indent}{}. ", *number - 1)
            }
            None => format!("{indent}- "),
        }
    }

    /// Ends the current block, if it has text.
    fn flush(&mut self, suffix: &str) {
        if self.quiet > 0 {
            self.keep();
        }
        let kept = std::mem::take(&mut self.kept);
        self.quiet_from = 0;
        let text = std::mem::take(&mut self.text);
        let linked = std::mem::take(&mut self.linked);
        let text = if self.pre { text.trim_matches('\n') } else { text.trim() };
        if text.trim().is_empty() {
            if suffix == "\n\n"
                && let Some(last) = self
                    .out
                    .last_mut()
                    .filter(|r| r.block.suffix == "\n" && r.block.kind == BlockKind::Paragraph)
            {
                last.block.suffix = suffix.into();
            }
            return;
        }
        let quote = "> ".repeat(self.quotes.min(8));
        let (kind, prefix, suffix) = if self.pre {
            (BlockKind::Verbatim, format!("{quote}```\n"), "\n```\n\n".to_string())
        } else if let Some(level) = self.heading {
            (BlockKind::Heading, format!("{quote}{} ", "#".repeat(level)), "\n\n".to_string())
        } else if let Some(marker) = self.marker.take() {
            (BlockKind::Item, quote + &marker, "\n".to_string())
        } else if !self.lists.is_empty() {
            (
                BlockKind::Item,
                format!("{quote}{}", "  ".repeat(self.lists.len().min(8))),
                "\n".to_string(),
            )
        } else {
            (BlockKind::Paragraph, quote, suffix.to_string())
        };
        let inline = Inline { kept, ..Inline::default() };
        let text = text.to_string();
        self.out.push(Reading {
            block: Block { kind, prefix, text, inline, suffix, ..Block::default() },
            linked,
        });
    }

    /// Adds a table with one line for each row, after its caption; see [`cells`](super::cells).
    fn table(&mut self, page: &Page, table: usize, gone: &[bool]) {
        let mut rows: Vec<String> = Vec::new();
        let mut at = table + 1;
        while at < page.nodes[table].end {
            let node = &page.nodes[at];
            match &*node.tag {
                _ if gone[at] => at = node.end,
                "caption" => {
                    self.push(&page.text_of(at, |i| gone[i]));
                    self.flush("\n\n");
                    at = node.end;
                }
                "tr" => {
                    rows.push("|".into());
                    at += 1;
                }
                "td" | "th" => {
                    if let Some(row) = rows.last_mut() {
                        let text = page.text_of(at, |i| gone[i]).replace('|', "\\|");
                        row.push_str(&format!(" {text} |"));
                    }
                    at = node.end;
                }
                _ => at += 1,
            }
        }
        if let Some(first) = rows.first() {
            rows.insert(
                1,
                format!("|{}", " --- |".repeat(first.matches('|').count().saturating_sub(1))),
            );
        }
        let block = Block {
            kind: BlockKind::Verbatim,
            prefix: String::new(),
            text: rows.join("\n"),
            suffix: "\n\n".into(),
            ..Block::default()
        };
        self.out.push(Reading { block, linked: 0 });
    }

    /// Ends lists with a blank line and the text with one line break.
    fn finish(mut self) -> Vec<Reading> {
        for i in 0..self.out.len() {
            let next = self.out.get(i + 1).map(|r| r.block.kind);
            let block = &mut self.out[i].block;
            if block.kind == BlockKind::Item && next != Some(BlockKind::Item) {
                block.suffix = "\n\n".into();
            }
            if next.is_none() {
                let end = block.suffix.trim_end_matches('\n').len();
                block.suffix.truncate(end);
                block.suffix.push('\n');
            }
        }
        self.out
    }
}

/// Whether the text of an element stays as it is: it says so, or is a name of a program's.
fn is_quiet(node: &Node) -> bool {
    let (translate, class) = (node.attribute("translate"), node.attribute("class"));
    &*node.tag == "var" || html::says_no(translate, class)
}

/// Whether an inline element stands apart from the one directly before it, by the page's style: a
/// time and the entry after it, a label and its line.
fn is_apart(page: &Page, at: usize, before: &str) -> bool {
    const LABELS: [&str; 7] = ["span", "time", "b", "strong", "small", "em", "i"];
    let node = &page.nodes[at];
    let is_label = |at: usize| LABELS.contains(&&*page.nodes[at].tag);
    let sibling = || {
        let last = std::iter::once(at - 1).chain(page.above(at - 1));
        last.take(8).find(|&up| page.nodes[up].parent == node.parent)
    };
    let first = || page.below(at).map(|at| &page.nodes[at].text).find(|text| !text.is_empty());
    before.ends_with(|c: char| c.is_numeric() || c.is_lowercase() || matches!(c, '.' | ':'))
        && !before.contains('`')
        && is_label(at)
        && sibling().is_some_and(|sibling| is_label(sibling) && page.nodes[sibling].end == at)
        && first().is_some_and(|text| text.starts_with(char::is_uppercase))
}

/// Whether a table holds data, and is not there for the layout of the page or for its text.
fn is_data_table(page: &Page, table: usize, gone: &[bool]) -> bool {
    let (mut rows, mut cells, mut letters, mut longest) = (0usize, 0usize, 0usize, 0usize);
    let (mut cell, mut sentences) = (0, 0usize);
    let mut at = table + 1;
    while at < page.nodes[table].end {
        let node = &page.nodes[at];
        if gone[at] {
            at = node.end;
            continue;
        }
        match &*node.tag {
            "tr" => rows += 1,
            "td" | "th" => {
                cells += 1;
                cell = 0;
            }
            "" => {
                let length = weight(node.text.trim());
                letters += length;
                cell += length;
                sentences += usize::from(cell >= 20 && ends_sentence(node.text.trim()));
                longest = longest.max(cell);
            }
            "table" | "h1" | "h2" | "h3" | "ul" | "ol" | "blockquote" | "article" | "section" => {
                return false;
            }
            _ => {}
        }
        at += 1;
    }
    // Cells with whole sentences are text.
    let prose = longest > 200 || letters > 60 * cells || rows > 2 && sentences * 4 >= rows * 3;
    !prose && rows >= 2 && cells >= 2 * rows
}
