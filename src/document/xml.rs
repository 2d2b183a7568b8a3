//! XML that is copied as it is written, but for its paragraphs.
//!
//! Nothing is expanded and nothing is fetched: a document type that declares something of its own
//! is refused, an entity that XML does not define, too.

use super::edits::Edits;
use super::package::bad;
use crate::error::Result;
use crate::text::tag;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;

/// More tokens than this no paragraph has.
const TOKENS: usize = 1 << 20;
/// Documents in paragraphs of documents are read down to this depth.
const DEPTH: usize = 16;

/// A piece of XML as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    pub raw: &'a str,
    /// Its place in the source.
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Start,
    Empty,
    End,
    /// Text, a section of character data or a reference in it.
    Text,
    /// A comment, a processing instruction, the declaration.
    Other,
}

impl<'a> Token<'a> {
    /// The value of a tag's attribute; `None` where it has none, or one that cannot be read.
    pub fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        quick_xml::escape::unescape(tag::value(self.raw, name)?).ok()
    }

    /// The name of a tag, as it is written.
    pub fn name(&self) -> &'a str {
        tag::name(self.raw)
    }

    /// The characters of a text.
    pub fn text(&self) -> Result<Cow<'a, str>> {
        if let Some(data) = self.raw.strip_prefix("<![CDATA[") {
            return Ok(data.strip_suffix("]]>").unwrap_or(data).into());
        }
        let text = quick_xml::escape::unescape(self.raw)
            .map_err(|e| bad(format!("is no XML that can be read: {e}")))?;
        Ok(if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text })
    }
}

/// The tokens of a source one after the other. Its tags are checked to be well nested.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    reader: Reader<&'a [u8]>,
    at: usize,
    open: usize,
    /// Bytes of a byte order mark at the start, which the reader does not count.
    mark: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(source: &'a str) -> Tokens<'a> {
        let mark = if source.starts_with('\u{FEFF}') { 3 } else { 0 };
        Tokens { source, reader: Reader::from_str(source), at: 0, open: 0, mark }
    }

    /// The next token; `None` at the end.
    ///
    /// # Errors
    /// When the source is not well formed.
    pub fn next(&mut self) -> Result<Option<Token<'a>>> {
        let at = self.at;
        let event = self.reader.read_event().map_err(|e| {
            bad(format!("is no well-formed XML: {e} (at byte {})", self.reader.error_position()))
        })?;
        let kind = match event {
            Event::Start(_) => Kind::Start,
            Event::Empty(_) => Kind::Empty,
            Event::End(_) => Kind::End,
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => Kind::Text,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Kind::Other,
            Event::DocType(declared) if declared.contains(['[', '%']) => {
                return Err(bad(
                    "has a document type with declarations of its own (<!DOCTYPE … [ … ]>), which \
                     are not read for safety's sake; remove them",
                ));
            }
            Event::DocType(_) => Kind::Other,
            Event::Eof if self.open > 0 => {
                return Err(bad("is no well-formed XML: it ends before its last element does"));
            }
            Event::Eof => return Ok(None),
        };
        match kind {
            Kind::Start => self.open += 1,
            Kind::End => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        let position = usize::try_from(self.reader.buffer_position());
        self.at = position.unwrap_or(self.source.len()).saturating_add(self.mark);
        let raw = self.source.get(at..self.at).unwrap_or_default();
        Ok(Some(Token { kind, raw, at }))
    }

    /// The tokens up to the end tag of the element that was opened last, that tag included.
    fn element(&mut self) -> Result<Vec<Token<'a>>> {
        let (outside, mut tokens) = (self.open - 1, Vec::new());
        while self.open > outside {
            tokens.extend(self.next()?);
            if tokens.len() > TOKENS {
                return Err(bad(format!("has a paragraph of more than {TOKENS} tags and texts")));
            }
        }
        Ok(tokens)
    }
}

/// The source of some tokens that follow each other.
pub(super) fn raw<'a>(source: &'a str, tokens: &[Token<'a>]) -> &'a str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &source[first.at..last.at + last.raw.len()],
        _ => "",
    }
}

/// Some tokens as what stands side by side in them: elements with all their tokens, and texts.
pub(super) fn siblings<'t, 'a>(
    mut tokens: &'t [Token<'a>],
) -> impl Iterator<Item = &'t [Token<'a>]> {
    std::iter::from_fn(move || {
        let (first, rest) = tokens.split_at(length(tokens));
        tokens = rest;
        (!first.is_empty()).then_some(first)
    })
}

/// The tokens between the start tag and the end tag of an element.
pub(super) fn inside<'t, 'a>(element: &'t [Token<'a>]) -> &'t [Token<'a>] {
    element.get(1..element.len().saturating_sub(1)).unwrap_or_default()
}

/// How many of the tokens belong to the element that begins with the first.
pub(super) fn length(tokens: &[Token]) -> usize {
    let mut open = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Start => open += 1,
            Kind::End => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// A paragraph as it stands in its source.
pub(super) struct Element<'t, 'a> {
    pub source: &'a str,
    /// Its start tag.
    pub start: Token<'a>,
    /// What is in it.
    pub inside: &'t [Token<'a>],
    /// Its end tag.
    pub end: Token<'a>,
    /// How deep it is in paragraphs.
    pub depth: usize,
}

/// A vocabulary of XML whose paragraphs can be read and written.
pub(super) trait Vocabulary {
    /// What is to be done with an element.
    fn step(&mut self, start: &Token) -> Step;

    /// An element ends that was walked into.
    fn leave(&mut self, _name: &str) {}

    /// The copy of a paragraph, with what becomes of its text.
    fn paragraph(&mut self, element: &Element, edits: &mut Edits) -> Result<String>;
}

/// What is to be done with an element.
pub(super) enum Step {
    /// Its start tag is copied, what is in it is looked at.
    Into,
    /// It is copied as it is.
    Over,
    /// It is a paragraph.
    Paragraph,
}

/// Copies a part with its paragraphs changed.
///
/// # Errors
/// When it is not well formed; those of asking for the edits.
pub(super) fn copy(
    source: &str,
    vocabulary: &mut dyn Vocabulary,
    edits: &mut Edits,
) -> Result<String> {
    copy_at(source, vocabulary, edits, 0)
}

/// Copies what is in a paragraph and may have paragraphs of its own: a text box, a footnote.
pub(super) fn copy_inside(
    element: &Element,
    tokens: &[Token],
    vocabulary: &mut dyn Vocabulary,
    edits: &mut Edits,
) -> Result<String> {
    copy_at(raw(element.source, tokens), vocabulary, edits, element.depth + 1)
}

fn copy_at(
    source: &str,
    vocabulary: &mut dyn Vocabulary,
    edits: &mut Edits,
    depth: usize,
) -> Result<String> {
    if depth > DEPTH {
        return Err(bad(format!("has text boxes or notes in each other, {DEPTH} deep")));
    }
    let mut out = String::with_capacity(source.len());
    let mut tokens = Tokens::new(source);
    while let Some(token) = tokens.next()? {
        if token.kind == Kind::End {
            leave(token.name(), vocabulary, edits);
        }
        if !matches!(token.kind, Kind::Start | Kind::Empty) {
            out.push_str(token.raw);
            continue;
        }
        let is_start = token.kind == Kind::Start;
        match vocabulary.step(&token) {
            Step::Over if is_start => {
                out.push_str(token.raw);
                tokens.element()?.iter().for_each(|token| out.push_str(token.raw));
            }
            Step::Paragraph if is_start => {
                let inside = tokens.element()?;
                if let Some((end, inside)) = inside.split_last() {
                    let element = Element { source, start: token, inside, end: *end, depth };
                    out.push_str(&vocabulary.paragraph(&element, edits)?);
                }
            }
            _ => {
                if is_start {
                    enter(token.name(), edits);
                }
                out.push_str(token.raw);
            }
        }
    }
    Ok(out)
}

/// Of the alternatives for programs of two ages, the second has the texts of the first.
fn enter(name: &str, edits: &mut Edits) {
    match name {
        "mc:AlternateContent" => edits.begin_twins(),
        "mc:Fallback" => edits.repeat(true),
        _ => {}
    }
}

fn leave(name: &str, vocabulary: &mut dyn Vocabulary, edits: &mut Edits) {
    match name {
        "mc:AlternateContent" => edits.end_twins(),
        "mc:Fallback" => edits.repeat(false),
        name => vocabulary.leave(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Result<Vec<(Kind, &str)>> {
        let mut tokens = Tokens::new(source);
        std::iter::from_fn(|| tokens.next().transpose())
            .map(|t| t.map(|t| (t.kind, t.raw)))
            .collect()
    }

    #[test]
    fn every_byte_is_in_a_token() {
        let source = "\u{FEFF}<?xml version=\"1.0\"?>\r\n<!DOCTYPE a><a b = 'x>y' ><!-- < --><c />&amp; d\
                      <![CDATA[<e>]]>&#233;<?pi x?></a >\n";
        let tokens = tokens(source).unwrap();
        let written: String = tokens.iter().map(|(_, raw)| *raw).collect();
        assert_eq!(written, source);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in
            ["<a>", "<a><b></a></b>", "</a>", "<a", "<a b='>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"]
        {
            assert!(tokens(bad).is_err(), "{bad}");
        }
        let entity = Token { kind: Kind::Text, raw: "&xxe;", at: 0 };
        assert!(entity.text().is_err());
    }
}
