//! The paragraphs, headings, items and cells of a Markdown text, each with its inline markup.

mod asides;
mod html;

use super::super::found::needs_space;
use super::foreign::shields;
use super::pairs::pair;
use super::shield::{Role, Shield, shielded};
use crate::text::clean;
use crate::types::{Aside, BlockKind, Inline, Marked, Notation, Tag, TagKind};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag as Element, TagEnd};
use std::ops::Range;

/// One paragraph, heading, item or cell in the source.
pub(super) struct Leaf {
    pub kind: BlockKind,
    /// Place of the text and its markup in the source.
    pub range: Range<usize>,
    /// What a reader sees, and the markup in it.
    pub marked: Marked,
    /// The texts inside of its markup.
    pub asides: Vec<Aside>,
    /// How it is written.
    pub notation: Notation,
}

/// Follows the parser and collects the leaves.
pub(super) fn leaves(source: &str) -> Vec<Leaf> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_DEFINITION_LIST;
    let shields = shields(source);
    let seen = shielded(source, &shields);
    let mut reader = Reader {
        source,
        seen: &seen,
        shields: &shields,
        out: Vec::new(),
        kind: Vec::new(),
        open: None,
        verbatim: 0,
        copied: 0,
        links: Vec::new(),
        quotes: 0,
        notation: Notation::Running,
    };
    let mut events = Parser::new_ext(&seen, options).into_offset_iter();
    for (event, range) in events.by_ref() {
        reader.take(event, range);
    }
    reader.close();
    let definitions = events.reference_definitions().iter();
    reader.definitions(definitions.map(|(_, definition)| definition.span.clone()));
    reader.components();
    reader.out.sort_by_key(|leaf| leaf.range.start);
    reader.out
}

/// A leaf that is being read.
struct Open {
    /// Start of the leaf in the source.
    start: usize,
    /// End of what was read so far.
    end: usize,
    marked: Marked,
    /// Where a line ended, until the next text shows what stands between the two.
    broken: Option<usize>,
    /// Whether a space stands before what comes next.
    is_apart: bool,
    notation: Notation,
}

struct Reader<'a> {
    source: &'a str,
    /// The source as the parser sees it, see [`shielded`].
    seen: &'a str,
    shields: &'a [Shield],
    out: Vec<Leaf>,
    /// Kinds of the open block elements.
    kind: Vec<BlockKind>,
    open: Option<Open>,
    /// Depth of elements that are passed through.
    verbatim: usize,
    /// Depth of elements whose whole source was taken at their beginning.
    copied: usize,
    /// The links that are open: how they are written, and where they begin.
    links: Vec<(LinkType, usize)>,
    /// Depth of quotations.
    quotes: usize,
    /// How what is read now is written.
    notation: Notation,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag, range),
            _ if self.verbatim > 0 || self.copied > 0 => {}
            Event::SoftBreak => {
                if let Some(open) = &mut self.open {
                    open.broken.get_or_insert(open.marked.text.len());
                }
            }
            Event::HardBreak | Event::Rule | Event::Html(_) => self.close(),
            // "[ ]" belongs to the marker.
            Event::TaskListMarker(_) => {}
            Event::Code(_) => self.text(&one_line(&self.source[range.clone()]), range),
            Event::InlineHtml(tag) if is_line_break(&tag) => self.close(),
            Event::InlineHtml(_) | Event::FootnoteReference(_) => self.point(range),
            Event::Text(text) => self.shielded_text(&text, range),
            _ => self.text(&one_line(&self.source[range.clone()]), range),
        }
    }

    fn start(&mut self, tag: &Element<'_>, range: Range<usize>) {
        if self.copied > 0 {
            self.copied += usize::from(matches!(tag, Element::Link { .. } | Element::Image { .. }));
            return;
        }
        match tag {
            Element::CodeBlock(_) | Element::HtmlBlock | Element::MetadataBlock(_) => {
                self.close();
                if *tag == Element::HtmlBlock && self.verbatim == 0 {
                    self.html_block(range);
                }
                self.verbatim += 1;
            }
            Element::Heading { .. } => self.block(BlockKind::Heading),
            Element::Item | Element::DefinitionListDefinition => self.block(BlockKind::Item),
            // A paragraph of an item is the item's text.
            Element::Paragraph if self.kind.last() == Some(&BlockKind::Item) => {
                self.block(BlockKind::Item);
            }
            Element::Paragraph => self.block(BlockKind::Paragraph),
            Element::BlockQuote(_) => {
                self.quotes += 1;
                self.block(BlockKind::Paragraph);
            }
            Element::TableCell | Element::DefinitionListTitle => {
                self.block(BlockKind::Paragraph);
            }
            Element::List(_) | Element::FootnoteDefinition(_) | Element::Table(_) => self.close(),
            Element::Emphasis => self.delimiter(range.start..range.start + 1, TagKind::Open),
            Element::Strong => self.delimiter(range.start..range.start + 2, TagKind::Open),
            Element::Strikethrough => {
                let length = self.tildes(&range);
                self.delimiter(range.start..range.start + length, TagKind::Open);
            }
            Element::Link { link_type: LinkType::Autolink | LinkType::Email, .. } => {
                let Range { start, end } = range;
                self.delimiter(start..start + 1, TagKind::Open);
                self.text(&self.source[start + 1..end - 1], start + 1..end - 1);
                self.delimiter(end - 1..end, TagKind::Close);
                self.copied = 1;
            }
            Element::Link { link_type, .. } => {
                self.links.push((*link_type, range.start + 1));
                self.delimiter(range.start..range.start + 1, TagKind::Open);
            }
            Element::Image { link_type, .. } => {
                let end = self.end_of_label(*link_type, range.end);
                let mut markup = one_line(&self.source[range.start..end]);
                if matches!(link_type, LinkType::Shortcut | LinkType::Collapsed) {
                    // What stands for it may become another, its label may not.
                    let label = self.source[range.start + 2..range.end].trim_end_matches(']');
                    let label = one_line(label.strip_suffix("][").unwrap_or(label));
                    markup = format!("![{label}][{label}]");
                }
                self.tag(markup, TagKind::Point, range.start..end);
                self.copied = 1;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        if self.copied > 0 {
            self.copied -= usize::from(matches!(tag, TagEnd::Link | TagEnd::Image));
            return;
        }
        let Range { start, end } = range;
        if matches!(tag, TagEnd::BlockQuote(_)) {
            self.quotes = self.quotes.saturating_sub(1);
        }
        match tag {
            TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_) => {
                self.verbatim = self.verbatim.saturating_sub(1);
            }
            TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::TableCell
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => {
                self.close();
                self.kind.pop();
            }
            TagEnd::List(_) | TagEnd::FootnoteDefinition | TagEnd::Table => self.close(),
            TagEnd::Emphasis => self.delimiter(end - 1..end, TagKind::Close),
            TagEnd::Strong => self.delimiter(end - 2..end, TagKind::Close),
            TagEnd::Strikethrough => {
                let length = self.tildes(&(start..end));
                self.delimiter(end - length..end, TagKind::Close);
            }
            TagEnd::Link => self.end_of_link(end),
            _ => {}
        }
    }

    /// The number of marks of a text that is struck through.
    fn tildes(&self, range: &Range<usize>) -> usize {
        1 + usize::from(self.seen[range.clone()].starts_with("~~"))
    }

    /// The end of a link or an image; the parser leaves out the empty label of `[text][]`.
    fn end_of_label(&self, link_type: LinkType, end: usize) -> usize {
        let is_empty = link_type == LinkType::Collapsed && self.source[end..].starts_with("[]");
        if is_empty { end + 2 } else { end }
    }

    /// What closes a link. A label that was the text itself is written out, since the text may
    /// become another.
    fn end_of_link(&mut self, end: usize) {
        let Some((link_type, label)) = self.links.pop() else { return };
        let last = self.open.as_ref().map_or(end, |open| open.end).min(end);
        let end = self.end_of_label(link_type, end);
        let is_own_label = matches!(link_type, LinkType::Shortcut | LinkType::Collapsed);
        let markup = if is_own_label {
            format!("][{}]", one_line(self.source[label.min(last)..last].trim()))
        } else {
            self.source[last..end].to_string()
        };
        self.tag(markup, TagKind::Close, last..end);
    }

    /// Begins a block element.
    fn block(&mut self, kind: BlockKind) {
        self.close();
        self.kind.push(kind);
    }

    /// The leaf that takes in a part of the source.
    fn leaf(&mut self, range: &Range<usize>) -> &mut Open {
        // The backslash of an escape is not in the range of what it escapes.
        let escaped = self.seen[..range.start].ends_with('\\');
        let start = range.start - usize::from(escaped);
        let notation = self.notation;
        let open = self.open.get_or_insert_with(|| Open {
            start,
            end: start,
            marked: Marked::default(),
            broken: None,
            is_apart: false,
            notation,
        });
        if std::mem::take(&mut open.is_apart) {
            open.marked.text.push(' ');
        }
        open.end = open.end.max(range.end);
        open
    }

    fn delimiter(&mut self, range: Range<usize>, kind: TagKind) {
        self.tag(self.source[range.clone()].to_string(), kind, range);
    }

    fn point(&mut self, range: Range<usize>) {
        self.tag(self.source[range.clone()].to_string(), TagKind::Point, range);
    }

    fn tag(&mut self, markup: String, kind: TagKind, range: Range<usize>) {
        if self.verbatim > 0 {
            return;
        }
        let Open { marked, broken, .. } = self.leaf(&range);
        // What follows a break is set apart from what stands before it.
        if kind == TagKind::Point
            && !markup.starts_with("</")
            && broken.take_if(|at| *at == marked.text.len()).is_some()
            && needs_space(&marked.text, &markup)
            && !marked.text.ends_with(' ')
        {
            marked.text.push(' ');
        }
        marked.inline.tags.push(Tag { at: marked.text.len(), markup, kind });
    }

    /// Takes in a text of which parts may be shielded.
    fn shielded_text(&mut self, text: &str, range: Range<usize>) {
        if text != &self.seen[range.clone()] {
            // A character reference.
            return self.text(text, range);
        }
        let first = self.shields.partition_point(|shield| shield.range.start < range.start);
        let mut at = range.start;
        for Shield { range: own, role } in &self.shields[first..] {
            if own.start >= range.end {
                break;
            }
            if at < own.start {
                self.text(&self.source[at..own.start], at..own.start);
            }
            match role {
                Role::Word => self.text(&one_line(&self.source[own.clone()]), own.clone()),
                Role::Point | Role::Heading | Role::Item => {
                    self.delimiter(own.clone(), TagKind::Point);
                }
                Role::Open => self.delimiter(own.clone(), TagKind::Open),
                Role::Close => self.delimiter(own.clone(), TagKind::Close),
            }
            at = own.end;
        }
        if at < range.end {
            self.text(&self.source[at..range.end], at..range.end);
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.verbatim > 0 {
            return;
        }
        let Open { marked, broken, .. } = self.leaf(&range);
        if let Some(at) = broken.take()
            && !marked.text[..at].ends_with(' ')
            && !text.starts_with(' ')
            && needs_space(&marked.text[..at], text)
        {
            marked.text.insert(at, ' ');
            // What stands before the break stays there.
            let last = marked.inline.tags.iter().rposition(|tag| tag.at < at);
            let here = &mut marked.inline.tags[last.map_or(0, |last| last + 1)..];
            let begins = |tag: &Tag| tag.at > at || tag.kind == TagKind::Open;
            let first = here.iter().position(begins).unwrap_or(here.len());
            here[first..].iter_mut().for_each(|tag| tag.at += 1);
        }
        // Only what a reader sees is brought into one form: code and addresses stay to the byte.
        marked.text.push_str(&clean::normalize(text).replace('\n', " "));
    }

    /// Ends the open leaf.
    fn close(&mut self) {
        let Some(Open { start, end, mut marked, notation, .. }) = self.open.take() else { return };
        pair(&mut marked.inline.tags);
        let kind = self.kind.last().copied().unwrap_or(BlockKind::Paragraph);
        let mut asides = asides::asides(&marked.inline.tags);
        take_spaces(&mut marked, &mut asides);
        marked.inline.kept = asides::kept(&marked.inline.tags, marked.text.len());
        self.out.push(Leaf { kind, range: start..end, marked, asides, notation });
    }

    /// The titles of the definitions of links, each in its place.
    fn definitions(&mut self, spans: impl Iterator<Item = Range<usize>>) {
        for span in spans {
            let definition = &self.source[span.clone()];
            let Some((range, text)) = asides::title_of_definition(definition) else { continue };
            let range = span.start + range.start..span.start + range.end;
            let (kind, notation) = (BlockKind::Paragraph, Notation::LinkTitle);
            let marked = Marked { text, inline: Inline::default() };
            self.out.push(Leaf { kind, range, marked, asides: Vec::new(), notation });
        }
    }

    /// Components that stand in lines of their own, for the texts in their attributes. Those that
    /// are a part of a text come after it, and are passed over.
    fn components(&mut self) {
        for Shield { range, .. } in self.shields.iter().filter(|s| s.role == Role::Point) {
            let markup = self.source[range.clone()].to_string();
            let tags = vec![Tag { at: 0, markup, kind: TagKind::Point }];
            let asides = asides::asides(&tags);
            if !asides.is_empty() {
                let (kind, range) = (BlockKind::Paragraph, range.clone());
                let inline = Inline { tags, kept: Vec::new() };
                let marked = Marked { text: String::new(), inline };
                self.out.push(Leaf { kind, range, marked, asides, notation: Notation::Running });
            }
        }
    }
}

/// Gives points the spaces that they are set apart by: without a point, a reader sees no space
/// before a comma, no two in a row, and none at the beginning or the end.
fn take_spaces(marked: &mut Marked, asides: &mut [Aside]) {
    let Marked { text, inline } = marked;
    for number in 0..inline.tags.len() {
        let Tag { at, kind, .. } = inline.tags[number];
        if kind != TagKind::Point {
            continue;
        }
        let is_first = number == 0 || inline.tags[number - 1].at < at;
        let is_last = inline.tags.get(number + 1).is_none_or(|next| next.at > at);
        let (before, after) = text.split_at(at);
        let ends = |c: char| matches!(c, ' ' | '.' | ',' | ';' | ':' | '!' | '?' | ')');
        let (gone, place) =
            if is_first && before.ends_with(' ') && (after.is_empty() || after.starts_with(ends)) {
                inline.tags[number].markup.insert(0, ' ');
                let own = asides.iter_mut().filter(|aside| aside.tag == number);
                own.for_each(|Aside { range, .. }| *range = range.start + 1..range.end + 1);
                (at - 1, number)
            } else if is_last && before.trim().is_empty() && after.starts_with(' ') {
                inline.tags[number].markup.push(' ');
                (at, number + 1)
            } else {
                continue;
            };
        text.remove(gone);
        inline.tags[place..].iter_mut().for_each(|tag| tag.at -= 1);
    }
}

fn is_line_break(tag: &str) -> bool {
    tag.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("<br"))
        && tag[3..].trim_end_matches('>').trim_end_matches('/').trim().is_empty()
}

/// A piece of the source on one line.
fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
