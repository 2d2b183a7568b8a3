//! A paragraph's text and the markup in it, taken apart for reading and put together again.
//!
//! Every piece of markup has a number in its paragraph, and `<1>`, `</1>` or `<1/>` stands for it
//! among the tags: so its XML may be as long as it likes, and whoever places tags needs no idea of
//! it.

use super::atoms::{Atom, Role, WriteText};
use crate::types::{Inline, Inner, Marked, Tag, TagKind};
use std::mem;
/// A piece of markup with a number.
enum Piece {
    Format(String),
    Span { open: String, close: String },
    Point { xml: String, role: Role },
}

/// How a paragraph is put together.
pub(super) struct Plan {
    /// What stands before and after the text with its markup.
    head: Vec<Atom>,
    tail: Vec<Atom>,
    pieces: Vec<Piece>,
    /// The format of most of the text, which needs no tags.
    base: String,
}

/// What a paragraph is put together for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Purpose {
    /// To stand in the place of the source: all points are in it.
    Replace,
    /// To stand beside the source: what may be there only once is left out.
    Beside,
}

/// Takes a paragraph apart: its text with its markup, and the way back. `None` if a reader sees no
/// text.
pub(super) fn plan(atoms: Vec<Atom>, write_text: WriteText) -> Option<(Marked, Plan)> {
    let atoms = merged(without_empty_spans(atoms, write_text));
    let (head, core, tail) = edges(atoms)?;
    let base = base(&core);
    let mut reading = Reading::new(&base);
    for atom in core {
        reading.add(atom);
    }
    let (marked, pieces) = reading.finish();
    Some((marked, Plan { head, tail, pieces, base }))
}

/// Spans in which no reader sees a text become points.
fn without_empty_spans(atoms: Vec<Atom>, write_text: WriteText) -> Vec<Atom> {
    let mut out: Vec<Atom> = Vec::with_capacity(atoms.len());
    // The spans that are open: where they begin, and whether there is text in them.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for atom in atoms {
        match &atom {
            Atom::Open(_) => open.push((out.len(), false)),
            Atom::Text { .. } if !atom.is_blank() => {
                if let Some(last) = open.last_mut() {
                    last.1 = true;
                }
            }
            Atom::Close(_) => match open.pop() {
                Some((start, false)) => {
                    let inside = out.split_off(start);
                    let is_break = inside.iter().any(|a| {
                        a.is_blank() || matches!(a, Atom::Point { role: Role::Break, .. })
                    });
                    let mut xml = String::new();
                    inside.iter().chain([&atom]).for_each(|a| a.write(&mut xml, write_text));
                    let role = if is_break { Role::Break } else { Role::Mark };
                    out.push(Atom::Point { xml, role });
                    continue;
                }
                Some((_, true)) => {
                    if let Some(last) = open.last_mut() {
                        last.1 = true;
                    }
                }
                None => {}
            },
            _ => {}
        }
        out.push(atom);
    }
    out
}

/// Joins texts of one format; blanks take that of the text before them.
fn merged(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut out: Vec<Atom> = Vec::with_capacity(atoms.len());
    for atom in atoms {
        let is_blank = atom.is_blank();
        if let Atom::Text { text, format, kept } = &atom
            && let Some(Atom::Text { text: last, format: last_format, kept: last_kept }) =
                out.last_mut()
            && last_kept == kept
            && (is_blank || last_format == format)
        {
            last.push_str(text);
            continue;
        }
        out.push(atom);
    }
    out
}

/// Parts what stands around the text from the text: points and blanks at both ends, and the spans
/// around all of it. `None` without any text.
fn edges(mut atoms: Vec<Atom>) -> Option<(Vec<Atom>, Vec<Atom>, Vec<Atom>)> {
    let is_text = |atom: &Atom| matches!(atom, Atom::Text { .. }) && !atom.is_blank();
    atoms.iter().position(is_text)?;
    let is_edge = |atom: &Atom| matches!(atom, Atom::Point { .. }) || atom.is_blank();
    let partner = partners(&atoms);
    let (mut start, mut end) = (0, atoms.len());
    loop {
        while is_edge(&atoms[start]) {
            start += 1;
        }
        while is_edge(&atoms[end - 1]) {
            end -= 1;
        }
        if partner[start] != Some(end - 1) {
            break;
        }
        (start, end) = (start + 1, end - 1);
    }
    let mut tail = atoms.split_off(end);
    let mut core = atoms.split_off(start);
    let blank = |text: &str, format: &str| Atom::Text {
        text: text.into(),
        format: format.into(),
        kept: false,
    };
    if let Some(Atom::Text { text, format, .. }) = core.first_mut() {
        let rest = text.trim_start();
        if rest.len() < text.len() {
            atoms.push(blank(&text[..text.len() - rest.len()], format));
            *text = rest.into();
        }
    }
    if let Some(Atom::Text { text, format, .. }) = core.last_mut() {
        let rest = text.trim_end();
        if rest.len() < text.len() {
            tail.insert(0, blank(&text[rest.len()..], format));
            text.truncate(rest.len());
        }
    }
    Some((atoms, core, tail))
}

/// The place of the end of each span, by that of its beginning.
fn partners(atoms: &[Atom]) -> Vec<Option<usize>> {
    let (mut partner, mut open) = (vec![None; atoms.len()], Vec::new());
    for (at, atom) in atoms.iter().enumerate() {
        match atom {
            Atom::Open(_) => open.push(at),
            Atom::Close(_) => {
                if let Some(start) = open.pop() {
                    partner[start] = Some(at);
                }
            }
            _ => {}
        }
    }
    partner
}

/// The format of most of the text; of two the first.
fn base(atoms: &[Atom]) -> String {
    let mut lengths: Vec<(&str, usize)> = Vec::new();
    for atom in atoms {
        if let Atom::Text { text, format, .. } = atom {
            match lengths.iter().position(|(known, _)| known == format) {
                Some(known) => lengths[known].1 += text.len(),
                // Where there are so many formats, that of most of the text is among the first.
                None if lengths.len() < 64 => lengths.push((format, text.len())),
                None => {}
            }
        }
    }
    let longest = lengths.iter().rev().max_by_key(|(_, length)| *length);
    longest.map_or_else(String::new, |(format, _)| format.to_string())
}

/// The text as it is read from the first atom to the last.
struct Reading<'a> {
    base: &'a str,
    marked: Marked,
    pieces: Vec<Piece>,
    /// The numbers of the spans that are open.
    open: Vec<usize>,
    /// The format that is not the base and holds here.
    format: Option<usize>,
    /// Whether a break is to be seen as a space once text follows.
    is_after_break: bool,
}

impl<'a> Reading<'a> {
    fn new(base: &'a str) -> Reading<'a> {
        let (marked, pieces, open) = (Marked::default(), Vec::new(), Vec::new());
        Reading { base, marked, pieces, open, format: None, is_after_break: false }
    }

    fn add(&mut self, atom: Atom) {
        match atom {
            Atom::Text { text, format, kept } => self.text(&text, format, kept),
            Atom::Point { xml, role } => {
                self.is_after_break |= role == Role::Break;
                let number = self.number(Piece::Point { xml, role });
                self.tag(TagKind::Point, number, self.marked.text.len());
            }
            Atom::Open(open) => {
                self.close_format();
                self.space();
                let number = self.number(Piece::Span { open, close: String::new() });
                self.open.push(number);
                self.tag(TagKind::Open, number, self.marked.text.len());
            }
            Atom::Close(xml) => {
                self.close_format();
                if let Some(number) = self.open.pop() {
                    if let Some(Piece::Span { close, .. }) = self.pieces.get_mut(number) {
                        *close = xml;
                    }
                    self.tag(TagKind::Close, number, self.snug_end());
                }
            }
        }
    }

    fn text(&mut self, text: &str, format: String, kept: bool) {
        let is_held = |number| matches!(&self.pieces[number], Piece::Format(f) if *f == format);
        if !self.format.is_some_and(is_held) {
            self.close_format();
        }
        let is_new = self.format.is_none() && format != self.base;
        let after_break = self.is_after_break;
        self.space();
        let blank = text.len() - text.trim_start().len();
        if !after_break {
            self.blank(&text[..blank]);
        }
        let text = &text[blank..];
        if is_new && !text.is_empty() {
            let number = self.number(Piece::Format(format));
            self.tag(TagKind::Open, number, self.marked.text.len());
            self.format = Some(number);
        }
        let start = self.marked.text.len();
        self.marked.text.push_str(text);
        let kept = start..if kept { self.marked.text.len() } else { start };
        match self.marked.inline.kept.last_mut() {
            _ if kept.is_empty() => {}
            Some(last) if last.end == kept.start => last.end = kept.end,
            _ => self.marked.inline.kept.push(kept),
        }
    }

    /// Blanks after beginnings of spans go before them.
    fn blank(&mut self, blank: &str) {
        let end = self.marked.text.len();
        if end == 0 {
            return;
        }
        self.marked.text.push_str(blank);
        let opens = self.marked.inline.tags.iter_mut().rev();
        for tag in opens.take_while(|tag| tag.at == end && tag.kind == TagKind::Open) {
            tag.at += blank.len();
        }
    }

    /// The space that a reader sees for a break.
    fn space(&mut self) {
        if mem::take(&mut self.is_after_break)
            && !self.marked.text.is_empty()
            && !self.marked.text.ends_with(char::is_whitespace)
        {
            self.marked.text.push(' ');
        }
    }

    fn close_format(&mut self) {
        if let Some(number) = self.format.take() {
            self.tag(TagKind::Close, number, self.snug_end());
        }
    }

    /// Where a span ends here: before blanks, if no tag stands behind them.
    fn snug_end(&self) -> usize {
        let trimmed = self.marked.text.trim_end().len();
        let last = self.marked.inline.tags.last().map_or(0, |tag| tag.at);
        if last <= trimmed { trimmed } else { self.marked.text.len() }
    }

    fn number(&mut self, piece: Piece) -> usize {
        self.pieces.push(piece);
        self.pieces.len() - 1
    }

    fn tag(&mut self, kind: TagKind, number: usize, at: usize) {
        let number = number + 1;
        let markup = match kind {
            TagKind::Open => format!("<{number}>"),
            TagKind::Close => format!("</{number}>"),
            TagKind::Point => format!("<{number}/>"),
        };
        self.marked.inline.tags.push(Tag { at, markup, kind });
    }

    fn finish(mut self) -> (Marked, Vec<Piece>) {
        self.close_format();
        let end = self.marked.text.trim_end().len();
        self.marked.text.truncate(end);
        let tags = self.marked.inline.tags.iter_mut().rev();
        tags.take_while(|tag| tag.at > end).for_each(|tag| tag.at = end);
        (self.marked, self.pieces)
    }
}

impl Plan {
    /// Puts a paragraph together from a text whose tags are this plan's.
    pub fn write(&self, marked: &Marked, purpose: Purpose, write_text: WriteText) -> String {
        let mut out = String::new();
        self.edge(&self.head, purpose, &mut out, write_text);
        Writing { plan: self, purpose, write_text, out: &mut out, open: Vec::new() }
            .write(&marked.text, &marked.inline);
        self.edge(&self.tail, purpose, &mut out, write_text);
        out
    }

    fn edge(&self, atoms: &[Atom], purpose: Purpose, out: &mut String, write_text: WriteText) {
        for atom in atoms {
            match atom {
                Atom::Point { .. } if purpose == Purpose::Beside => {}
                atom => atom.write(out, write_text),
            }
        }
    }

    fn piece(&self, tag: &Tag) -> Option<(usize, &Piece)> {
        let digits = tag.markup.trim_matches(|c: char| !c.is_ascii_digit());
        let number = digits.parse::<usize>().ok()?.checked_sub(1)?;
        Some((number, self.pieces.get(number)?))
    }
}

struct Writing<'a> {
    plan: &'a Plan,
    purpose: Purpose,
    write_text: WriteText<'a>,
    out: &'a mut String,
    /// The spans and formats that are open.
    open: Vec<&'a Piece>,
}

impl<'a> Writing<'a> {
    fn write(mut self, text: &str, inline: &Inline) {
        let mut used = vec![false; self.plan.pieces.len()];
        let steps: Vec<Inner> = inline.steps(text).collect();
        for (at, step) in steps.iter().enumerate() {
            match step {
                Inner::Text(text) => {
                    let mut text = *text;
                    if self.is_break(steps[at + 1..].iter()) {
                        text = text.trim_end();
                    }
                    if self.is_break(steps[..at].iter().rev()) {
                        text = text.trim_start();
                    }
                    self.text(text);
                }
                Inner::Tag(tag) => self.tag(tag, &mut used),
            }
        }
        while let Some(piece) = self.open.pop() {
            self.close(piece);
        }
        for number in 0..used.len() {
            self.point(number, &mut used);
        }
    }

    /// Whether a break comes next.
    fn is_break<'s>(&self, steps: impl Iterator<Item = &'s Inner<'s>>) -> bool {
        let mut points =
            steps.skip_while(|step| matches!(step, Inner::Tag(tag) if tag.kind != TagKind::Point));
        let Some(Inner::Tag(tag)) = points.next() else { return false };
        let piece = self.plan.piece(tag).map(|(_, piece)| piece);
        matches!(piece, Some(Piece::Point { role: Role::Break, .. }))
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            let format = self.open.iter().rev().find_map(|piece| match piece {
                Piece::Format(format) => Some(format),
                _ => None,
            });
            (self.write_text)(self.out, format.unwrap_or(&self.plan.base), text);
        }
    }

    fn tag(&mut self, tag: &Tag, used: &mut [bool]) {
        match (tag.kind, self.plan.piece(tag)) {
            (TagKind::Open, Some((_, piece @ (Piece::Span { .. } | Piece::Format(_))))) => {
                if let Piece::Span { open, .. } = piece {
                    self.out.push_str(open);
                }
                self.open.push(piece);
            }
            (TagKind::Close, Some(_)) => {
                if let Some(piece) = self.open.pop() {
                    self.close(piece);
                }
            }
            (TagKind::Point, Some((number, _))) => self.point(number, used),
            _ => {}
        }
    }

    fn close(&mut self, piece: &Piece) {
        if let Piece::Span { close, .. } = piece {
            self.out.push_str(close);
        }
    }

    /// Writes a point that is not there yet; the end of a range after its beginning.
    fn point(&mut self, number: usize, used: &mut [bool]) {
        let Some(Piece::Point { xml, role }) = self.plan.pieces.get(number) else { return };
        if used[number] || self.purpose == Purpose::Beside && *role != Role::Break {
            return;
        }
        if let Role::End(name) = role {
            let is_start = |piece: &Piece| match piece {
                Piece::Point { role: Role::Start(own), .. } => own == name,
                _ => false,
            };
            if let Some(start) = self.plan.pieces[..number].iter().position(is_start) {
                self.point(start, used);
            }
        }
        used[number] = true;
        self.out.push_str(xml);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(out: &mut String, format: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        out.push_str(&format!("<r f=\"{format}\">{text}</r>"));
    }

    fn atoms() -> Vec<Atom> {
        let text = |text: &str, format: &str| Atom::Text {
            text: text.into(),
            format: format.into(),
            kept: false,
        };
        let ranged = |xml: &str, role| Atom::Point { xml: xml.into(), role };
        vec![
            Atom::mark("<first/>"),
            text("See the ", ""),
            Atom::Open("<a>".into()),
            text("pl", ""),
            text("an ", ""),
            text("of ", "b"),
            Atom::Close("</a>".into()),
            ranged("<start/>", Role::Start("1".into())),
            text("all", "b"),
            Atom::line_break("<br/>"),
            ranged("<end/>", Role::End("1".into())),
            text("us", ""),
            Atom::mark("<note/>"),
            text(".", ""),
        ]
    }

    #[test]
    fn runs_become_tags() {
        let (marked, plan) = plan(atoms(), &write).unwrap();
        assert_eq!(
            marked.to_markup(),
            "See the <1>plan <2>of</2></1> <3/><4>all<5/><6/></4> us<7/>."
        );
        let written = plan.write(&marked, Purpose::Replace, &write);
        assert!(written.starts_with("<first/><r f=\"\">See the </r><a><r f=\"\">plan </r>"));
        assert!(!plan.write(&marked, Purpose::Beside, &write).contains("<note/>"));
    }

    proptest! {
        /// Wherever the tags are put, in whatever order, the XML is well formed and has all points.
        #[test]
        fn any_placement_is_well_formed(
            places in prop::collection::vec((0usize..40, 0usize..16), 0..24),
            text in "[a-z<& é]{0,20}",
        ) {
            let (marked, plan) = plan(atoms(), &write).unwrap();
            let mut tags: Vec<Tag> = places
                .iter()
                .map(|(at, tag)| {
                    let tag = &marked.inline.tags[tag % marked.inline.tags.len()];
                    Tag { at: *at, ..tag.clone() }
                })
                .collect();
            tags.sort_by_key(|tag| tag.at);
            let new = Marked { text, inline: Inline { tags, kept: Vec::new() } };
            let xml = format!("<p>{}</p>", plan.write(&new, Purpose::Replace, &write));
            let mut reader = quick_xml::Reader::from_str(&xml);
            let mut open = 0;
            loop {
                match reader.read_event().unwrap() {
                    quick_xml::events::Event::Start(_) => open += 1,
                    quick_xml::events::Event::End(_) => open -= 1,
                    quick_xml::events::Event::Eof => break,
                    _ => {}
                }
            }
            prop_assert_eq!(open, 0);
            for point in ["<first/>", "<start/>", "<end/>", "<br/>", "<note/>"] {
                prop_assert_eq!(xml.matches(point).count(), 1);
            }
            prop_assert!(xml.find("<start/>") < xml.find("<end/>"));
        }
    }
}
