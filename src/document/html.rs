//! Pages and fragments of HTML, and XHTML: every byte outside of the texts stays.

use super::atoms::Atom;
use super::edits::{Edits, Shown};
use super::encoded::Encoded;
use super::package::bad;
use super::pieces::{Purpose, plan};
use super::{DocumentFormat, Edit, Settings, part};
use crate::error::Result;
use crate::text::html::{self, Piece, Pieces, Place, is_void, place, resolve};
use crate::text::tag;
use crate::types::{Block, Marked};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Pages as documents. In a folder they are articles, of which the main text counts; so this format
/// is not among those that a file's name chooses.
pub static HTML: DocumentFormat = DocumentFormat {
    name: "html",
    extensions: &["html", "htm", "xhtml"],
    detect: |_| false,
    rewrite,
};

static CHARSET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})"#)
        .expect("the pattern is constant and tested")
});

fn declared(head: &[u8]) -> Option<&str> {
    let meta = CHARSET.captures(head).and_then(|found| found.get(1));
    meta.and_then(|m| std::str::from_utf8(m.as_bytes()).ok()).or_else(|| part::declared(head))
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    if bytes.starts_with(b"%PDF-") || bytes.starts_with(b"PK\x03\x04") {
        return Err(bad("expected HTML, found a PDF document or a zip archive"));
    }
    let encoded = Encoded::open(bytes, settings, declared)?;
    let mut edits = Edits::new(settings, edit);
    let is_xml = encoded.text.trim_start().starts_with("<?xml");
    let new = copy(&encoded.text, is_xml, &mut edits)?;
    match edits.has_replaced || edits.has_appended {
        true => Ok(part::encode(&encoded, new)),
        false => Ok(bytes.to_vec()),
    }
}

/// Copies a page with its texts changed.
///
/// # Errors
/// Those of asking for the edits.
pub(super) fn copy(source: &str, is_xml: bool, edits: &mut Edits) -> Result<String> {
    let mut page = Page {
        is_xml,
        out: String::with_capacity(source.len()),
        line: Vec::new(),
        whole: None,
        kept: Kept::default(),
        blocks: Vec::new(),
        root: None,
    };
    for piece in Pieces::new(source, is_xml) {
        page.piece(piece, edits)?;
    }
    page.flush(edits)?;
    if let Some((at, root)) = page.root.filter(|_| edits.has_replaced) {
        page.out.replace_range(at..at + root.len(), &with_language(&root, is_xml, edits));
    }
    Ok(page.out)
}

/// A part of a line, with the name of its element.
struct Part {
    atom: Atom,
    name: String,
    /// As the source has it.
    raw: String,
}

/// An element that is being read as a whole.
struct Whole {
    name: String,
    /// How deep it is in itself.
    depth: usize,
    markup: String,
    /// The elements in it whose texts stay.
    kept: Kept,
}

/// The elements around a place whose text stays: name and how deep in itself.
#[derive(Default)]
struct Kept(Vec<(String, usize)>);

impl Kept {
    /// An element begins, whose text stays or not.
    fn enter(&mut self, name: &str, stays: bool) {
        match self.0.last_mut() {
            Some((kept, depth)) if kept == name => *depth += 1,
            _ if stays => self.0.push((name.into(), 1)),
            _ => {}
        }
    }

    /// An element ends.
    fn leave(&mut self, name: &str) {
        if let Some((kept, depth)) = self.0.last_mut()
            && kept == name
        {
            *depth -= 1;
            if *depth == 0 {
                self.0.pop();
            }
        }
    }
}

impl Whole {
    /// Whether what it holds is text for readers: what is chosen from, and what stands there where
    /// nothing is played.
    fn has_texts(&self) -> bool {
        matches!(&*self.name, "select" | "video" | "audio" | "object")
    }
}

struct Page {
    is_xml: bool,
    out: String,
    /// The line that is being read.
    line: Vec<Part>,
    /// The element that is a point of its line, with all that it holds.
    whole: Option<Whole>,
    kept: Kept,
    /// The blocks around the present place: names and start tags.
    blocks: Vec<(String, String)>,
    /// The root element's start tag, and where it is in the copy.
    root: Option<(usize, String)>,
}

impl Page {
    fn piece(&mut self, piece: Piece, edits: &mut Edits) -> Result<()> {
        if self.whole.is_some() {
            return self.in_whole(piece, edits);
        }
        match piece {
            Piece::Text(raw) => {
                let text = collapsed(&resolve(raw));
                let kept = !self.kept.0.is_empty();
                self.push(Atom::Text { text, format: String::new(), kept }, "", raw);
            }
            Piece::Other(raw) => self.push(Atom::mark(raw), "", raw),
            Piece::Raw(raw) => self.raw_element(raw, edits)?,
            Piece::Start(raw) => self.start(raw, edits)?,
            Piece::End(raw) => {
                let name = tag::name(raw).to_ascii_lowercase();
                self.kept.leave(&name);
                match place(&name) {
                    Place::Inline | Place::Code => {
                        self.push(Atom::Close(raw.into()), &name, raw);
                    }
                    Place::Void | Place::Line | Place::Whole => {
                        self.push(Atom::mark(raw), &name, raw);
                    }
                    Place::Block | Place::Preformatted => {
                        self.flush(edits)?;
                        self.out.push_str(raw);
                        self.end_block(&name);
                    }
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, atom: Atom, name: &str, raw: &str) {
        self.line.push(Part { atom, name: name.into(), raw: raw.into() });
    }

    /// A piece of an element that is a point of its line.
    fn in_whole(&mut self, piece: Piece, edits: &mut Edits) -> Result<()> {
        let (is_kept, is_xml) = (self.is_kept(), self.is_xml);
        let Some(whole) = &mut self.whole else { return Ok(()) };
        let is_read = !is_kept && whole.kept.0.is_empty() && whole.name != "template";
        match piece {
            Piece::Text(raw) if is_read && whole.has_texts() => {
                let new = value(raw, Shown::paragraph(), edits)?;
                let body = raw.trim();
                let new = new.map_or(body.into(), |text| tag::escape(&text));
                let start = raw.len() - raw.trim_start().len();
                let end = start + body.len();
                whole.markup.extend([&raw[..start], &new, &raw[end..]]);
            }
            Piece::Text(raw) | Piece::Other(raw) | Piece::Raw(raw) => whole.markup.push_str(raw),
            Piece::Start(raw) => {
                let name = tag::name(raw).to_ascii_lowercase();
                whole.depth += usize::from(name == whole.name && !raw.ends_with("/>"));
                let stays = html::is_kept(raw);
                match is_read && !stays {
                    true => whole.markup.push_str(&attributes(raw, edits)?),
                    false => whole.markup.push_str(raw),
                }
                if !(is_xml && raw.ends_with("/>") || is_void(&name)) {
                    whole.kept.enter(&name, stays);
                }
            }
            Piece::End(raw) => {
                let name = tag::name(raw).to_ascii_lowercase();
                whole.depth -= usize::from(name == whole.name);
                whole.kept.leave(&name);
                whole.markup.push_str(raw);
            }
        }
        if let Some(Whole { name, markup, .. }) = self.whole.take_if(|whole| whole.depth == 0) {
            // A reading over a word means nothing over its translation.
            let xml = if matches!(name.as_str(), "rt" | "rp" | "rtc") { "" } else { &markup };
            self.push(Atom::mark(xml), &name, &markup);
        }
        Ok(())
    }

    fn raw_element(&mut self, raw: &str, edits: &mut Edits) -> Result<()> {
        let name = tag::name(raw).to_ascii_lowercase();
        if name != "title" || self.is_kept() {
            let start = &raw[..html::tag_length(raw)];
            let tag = if self.is_kept() { start.into() } else { attributes(start, edits)? };
            self.push(Atom::mark(tag + &raw[start.len()..]), &name, raw);
            return Ok(());
        }
        self.flush(edits)?;
        let start = raw.find('>').map_or(raw.len(), |at| at + 1);
        let end = raw.rfind("</").unwrap_or(raw.len()).max(start);
        let new = value(&raw[start..end], Shown::heading(1), edits)?;
        let new = new.map_or(raw[start..end].to_string(), |text| tag::escape(&text));
        self.out.push_str(&format!("{}{new}{}", &raw[..start], &raw[end..]));
        Ok(())
    }

    fn is_kept(&self) -> bool {
        self.kept.0.iter().any(|(name, _)| name != "head")
    }

    fn start(&mut self, raw: &str, edits: &mut Edits) -> Result<()> {
        let name = tag::name(raw).to_ascii_lowercase();
        let is_void = self.is_xml && raw.ends_with("/>") || is_void(&name);
        let place = place(&name);
        if matches!(place, Place::Block | Place::Preformatted) {
            self.flush(edits)?;
        }
        let tag = if self.is_kept() { raw.into() } else { attributes(raw, edits)? };
        if !is_void
            && matches!(place, Place::Inline | Place::Code | Place::Block | Place::Preformatted)
        {
            let is_code = matches!(place, Place::Code | Place::Preformatted);
            self.kept.enter(&name, is_code || html::is_kept(raw));
        }
        match place {
            Place::Inline | Place::Code if !is_void => self.push(Atom::Open(tag), &name, raw),
            Place::Line => self.push(Atom::line_break(tag), &name, raw),
            Place::Whole if !is_void => {
                let mut kept = Kept::default();
                kept.enter(&name, html::is_kept(raw));
                self.whole = Some(Whole { name, depth: 1, markup: tag, kept });
            }
            Place::Inline | Place::Code | Place::Void | Place::Whole => {
                self.push(Atom::mark(tag), &name, raw);
            }
            Place::Block | Place::Preformatted => {
                if name == "html" {
                    self.root = Some((self.out.len(), tag.clone()));
                }
                self.out.push_str(&tag);
                if !is_void && self.blocks.len() < 512 {
                    self.blocks.push((name, raw.into()));
                }
            }
        }
        Ok(())
    }

    fn end_block(&mut self, name: &str) {
        if let Some(at) = self.blocks.iter().rposition(|(open, _)| open == name) {
            self.blocks.truncate(at);
        }
    }

    /// The line ends.
    fn flush(&mut self, edits: &mut Edits) -> Result<()> {
        let line = std::mem::take(&mut self.line);
        self.lines(line, edits)
    }

    /// A line, or the parts of it between tags that have no partner in it.
    fn lines(&mut self, line: Vec<Part>, edits: &mut Edits) -> Result<()> {
        let alone = alone(&line);
        if !alone.contains(&true) {
            return self.text(line, edits);
        }
        let mut part = Vec::new();
        for (piece, is_alone) in line.into_iter().zip(alone) {
            if is_alone {
                self.lines(std::mem::take(&mut part), edits)?;
                match piece.atom {
                    Atom::Text { .. } => self.out.push_str(&piece.raw),
                    atom => atom.write(&mut self.out, &write),
                }
            } else {
                part.push(piece);
            }
        }
        self.lines(part, edits)
    }

    fn text(&mut self, line: Vec<Part>, edits: &mut Edits) -> Result<()> {
        let mut old = String::new();
        for part in &line {
            match &part.atom {
                Atom::Text { .. } => old.push_str(&part.raw),
                Atom::Point { xml, .. } if xml.is_empty() => old.push_str(&part.raw),
                atom => atom.write(&mut old, &write),
            }
        }
        let has_words = line.iter().any(|part| match &part.atom {
            Atom::Text { text, kept, .. } => !kept && !text.trim().is_empty(),
            _ => false,
        });
        let atoms = line.into_iter().map(|part| part.atom).collect();
        let planned = plan(atoms, &write).filter(|_| has_words);
        let Some((marked, plan)) = planned else {
            self.out.push_str(&old);
            return Ok(());
        };
        match edits.ask(&marked, self.shown())? {
            Edit::Keep => self.out.push_str(&old),
            Edit::Replace(new) => {
                let new = plan.write(&new, Purpose::Replace, &write);
                let (start, end) = (old.trim_ascii_start(), old.trim_ascii_end());
                let (start, end) = (&old[..old.len() - start.len()], &old[end.len()..]);
                self.out.push_str(&format!("{start}{}{end}", new.trim_ascii()));
            }
            // A table of contents may hold nothing but links.
            Edit::Append(new) if self.blocks.iter().any(|(name, _)| name == "nav") => {
                let text = format!("{} / {}", marked.text, new.text);
                let both = Marked { text, inline: marked.inline };
                self.out.push_str(&plan.write(&both, Purpose::Replace, &write));
            }
            Edit::Append(new) => {
                let line_break = if self.is_xml { "<br/>" } else { "<br>" };
                let language = edits.to().map(|to| language("<span>", to.as_str(), self.is_xml));
                let (open, close) = match language {
                    Some(open) => (open, "</span>"),
                    None => (String::new(), ""),
                };
                let new = plan.write(&new, Purpose::Beside, &write);
                let blank = old.len() - old.trim_end().len();
                let (old, blank) = old.split_at(old.len() - blank);
                self.out.push_str(&format!("{old}{line_break}{open}{}{close}{blank}", new.trim()));
            }
        }
        Ok(())
    }

    fn shown(&self) -> Shown {
        let lists = self.blocks.iter().filter(|(name, _)| name == "ul" || name == "ol").count();
        for (name, _) in self.blocks.iter().rev() {
            match name.as_bytes() {
                [b'h', level @ b'1'..=b'6'] => return Shown::heading(usize::from(level - b'0')),
                b"li" => return Shown::item(lists.saturating_sub(1)),
                b"td" | b"th" | b"blockquote" => break,
                _ => {}
            }
        }
        Shown::paragraph()
    }
}

/// The tags of a line whose other end is not in it, or not on their level.
fn alone(line: &[Part]) -> Vec<bool> {
    let (mut alone, mut open) = (vec![false; line.len()], Vec::<usize>::new());
    for (at, part) in line.iter().enumerate() {
        match part.atom {
            Atom::Open(_) => open.push(at),
            Atom::Close(_) => match open.iter().rposition(|start| line[*start].name == part.name) {
                Some(start) => open.drain(start..).skip(1).for_each(|at| alone[at] = true),
                None => alone[at] = true,
            },
            _ => {}
        }
    }
    open.into_iter().for_each(|at| alone[at] = true);
    alone
}

fn write(out: &mut String, _format: &str, text: &str) {
    out.push_str(&tag::escape(text));
}

/// White space as one space, as browsers show it.
fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\x0C' if out.ends_with(' ') => {}
            '\t' | '\n' | '\r' | '\x0C' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What becomes of a text that has no markup; `None` if it stays.
pub(super) fn value(raw: &str, shown: Shown, edits: &mut Edits) -> Result<Option<String>> {
    let text = collapsed(&resolve(raw)).trim().to_string();
    if !text.chars().any(char::is_alphabetic) {
        return Ok(None);
    }
    Ok(match edits.ask(&Marked::plain(text.clone()), shown)? {
        Edit::Keep => None,
        Edit::Replace(new) => Some(new.text),
        Edit::Append(new) => Some(format!("{text} / {}", new.text)),
    })
}

/// A start tag with the texts in its attributes changed.
fn attributes(raw: &str, edits: &mut Edits) -> Result<String> {
    let (mut tag, mut at) = (String::with_capacity(raw.len()), 0);
    for (range, text) in html::texts(raw).filter(|(_, text)| !html::is_name(text)) {
        let Some(new) = value(&tag::escape(&text), Shown::paragraph(), edits)? else { continue };
        tag.push_str(&raw[at..range.start]);
        tag.push_str(&format!("\"{}\"", tag::escape_value(&new)));
        at = range.end;
    }
    Ok(tag + &raw[at..])
}

fn language(tag: &str, to: &str, is_xml: bool) -> String {
    let tag = tag::with(tag, "lang", to);
    if is_xml { tag::with(&tag, "xml:lang", to) } else { tag }
}

/// The root's start tag with the language and the direction of the new texts.
fn with_language(root: &str, is_xml: bool, edits: &Edits) -> String {
    let Some(to) = edits.to() else { return root.into() };
    let root = language(root, to.as_str(), is_xml || tag::value(root, "xml:lang").is_some());
    match (edits.is_rtl(), tag::value(&root, "dir").is_some()) {
        (Some(true), _) => tag::with(&root, "dir", "rtl"),
        (Some(false), true) => tag::with(&root, "dir", "ltr"),
        _ => root,
    }
}

#[cfg(test)]
mod tests;
