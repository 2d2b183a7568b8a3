//! Blocks of HTML inside of Markdown: the texts between their tags.

use super::Reader;
use crate::text::extract::markdown::shield::{Role, Shield};
use crate::text::html::{self, Piece, Pieces, Place, place, resolve};
use crate::text::tag;
use crate::types::{Notation, TagKind};
use std::ops::Range;

/// An element that is passed through with all that it holds.
struct Whole {
    name: String,
    depth: usize,
    start: usize,
    /// Whether it is a point of its line.
    is_point: bool,
}

impl Reader<'_> {
    /// Reads the block of a range. In a quotation each of its lines has marks before it.
    pub(super) fn html_block(&mut self, range: Range<usize>) {
        let mut parts = vec![range.clone()];
        if self.quotes > 0 {
            parts.clear();
            let mut at = range.start;
            for line in self.source[range].split_inclusive('\n') {
                let marks = line.len() - line.trim_start_matches([' ', '>', '\t']).len();
                parts.push(at + marks..at + line.len());
                at += line.len();
            }
        }
        self.notation = Notation::Html;
        for part in parts {
            self.html(part);
            self.close();
        }
        self.notation = Notation::Running;
    }

    fn html(&mut self, range: Range<usize>) {
        let seen = self.seen;
        let mut at = range.start;
        let mut whole: Option<Whole> = None;
        for piece in Pieces::new(&seen[range], false) {
            let (Piece::Text(raw)
            | Piece::Other(raw)
            | Piece::Raw(raw)
            | Piece::Start(raw)
            | Piece::End(raw)) = piece;
            let own = at..at + raw.len();
            at = own.end;
            let name = tag::name(raw).to_ascii_lowercase();
            if let Some(inside) = &mut whole {
                let is_own = inside.name == name;
                match piece {
                    Piece::Start(_) if is_own => inside.depth += 1,
                    Piece::End(_) if is_own => inside.depth -= 1,
                    _ => {}
                }
                if inside.depth == 0 {
                    let (is_point, start) = (inside.is_point, inside.start);
                    whole = None;
                    if is_point && self.open.is_some() {
                        self.point(start..own.end);
                    }
                }
                continue;
            }
            match piece {
                Piece::Text(_) => self.html_text(own),
                Piece::Other(_) | Piece::Raw(_) => {
                    if self.open.is_some() {
                        self.point(own);
                    }
                }
                Piece::Start(_) => whole = self.html_start(&name, own),
                Piece::End(_) => match place(&name) {
                    Place::Inline | Place::Code => self.point(own),
                    Place::Void | Place::Whole => {}
                    Place::Line | Place::Block | Place::Preformatted => self.close(),
                },
            }
        }
    }

    /// A start tag; what is returned is passed through.
    fn html_start(&mut self, name: &str, own: Range<usize>) -> Option<Whole> {
        let raw = &self.source[own.clone()];
        let place = place(name);
        let is_void = html::is_void(name);
        let whole = |is_point| Whole { name: name.into(), depth: 1, start: own.start, is_point };
        match place {
            Place::Inline | Place::Code | Place::Void => {
                self.point(own);
                None
            }
            Place::Whole => Some(whole(true)),
            Place::Line | Place::Block | Place::Preformatted => {
                self.close();
                if html::texts(raw).next().is_some() {
                    self.point(own.clone());
                    self.close();
                }
                let is_kept = place == Place::Preformatted || html::is_kept(raw);
                (is_kept && !is_void).then(|| whole(false))
            }
        }
    }

    /// Text, and what site generators put into it.
    fn html_text(&mut self, range: Range<usize>) {
        let shields = self.shields;
        let first = shields.partition_point(|shield| shield.range.end <= range.start);
        let mut at = range.start;
        for Shield { range: own, role } in &shields[first..] {
            if own.start >= range.end {
                break;
            }
            let own = own.start.max(at)..own.end.min(range.end);
            self.words(at..own.start);
            match role {
                Role::Word => self.text(&self.source[own.clone()], own.clone()),
                Role::Open => self.delimiter(own.clone(), TagKind::Open),
                Role::Close => self.delimiter(own.clone(), TagKind::Close),
                Role::Point | Role::Heading | Role::Item if self.open.is_some() => {
                    self.point(own.clone());
                }
                Role::Point | Role::Heading | Role::Item => {}
            }
            at = own.end;
        }
        self.words(at..range.end);
    }

    /// A run of text: white space is one space between words.
    fn words(&mut self, range: Range<usize>) {
        let written = &self.source[range.clone()];
        let body = written.trim_ascii();
        if !body.is_empty() {
            let before = written.len() - written.trim_ascii_start().len();
            if before > 0 {
                self.space();
            }
            let start = range.start + before;
            let text = resolve(body).split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            self.text(&text, start..start + body.len());
        }
        if written.ends_with(|c: char| c.is_ascii_whitespace()) {
            self.space();
        }
    }

    /// A space before what comes next in the line.
    fn space(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_apart = true;
        }
    }
}
