//! HTML as browsers take it, in pieces that together are the page to the byte.

use super::tag;
use std::ops::Range;

/// A piece of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Start(&'a str),
    End(&'a str),
    /// A comment, a document type, an instruction.
    Other(&'a str),
    /// An element whose content is no markup, whole: a script, a style sheet.
    Raw(&'a str),
}

impl<'a> Piece<'a> {
    /// The piece as the page has it.
    pub fn source(&self) -> &'a str {
        match self {
            Piece::Text(raw) | Piece::Start(raw) | Piece::End(raw) => raw,
            Piece::Other(raw) | Piece::Raw(raw) => raw,
        }
    }
}

/// Elements whose content is no markup.
const RAW: &[&str] =
    &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"];

/// The pieces of a page, or of XHTML, in which an element may end in its start tag.
pub(crate) struct Pieces<'a> {
    rest: &'a str,
    is_xml: bool,
    /// Whether a template's code may end in the rest.
    has_code: bool,
}

impl<'a> Pieces<'a> {
    pub fn new(source: &'a str, is_xml: bool) -> Pieces<'a> {
        Pieces { rest: source, is_xml, has_code: true }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn to(&self, end: &str) -> usize {
        self.rest.find(end).map_or(self.rest.len(), |at| at + end.len())
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let bytes = self.rest.as_bytes();
        let second = bytes.get(1).copied().unwrap_or_default();
        if second == b'%' && bytes[0] == b'<' && self.has_code {
            // ERB, EJS, ASP.
            match self.rest.find("%>") {
                Some(at) => return Some(Piece::Other(self.take(at + 2))),
                None => self.has_code = false,
            }
        }
        let is_php = second == b'?' && ["<?php", "<?="].iter().any(|m| self.rest.starts_with(m));
        Some(match bytes.first()? {
            b'<' if self.rest.starts_with("<!--") => Piece::Other(self.take(self.to("-->"))),
            b'<' if self.rest.starts_with("<![CDATA[") => Piece::Other(self.take(self.to("]]>"))),
            b'<' if second == b'?' && (self.is_xml || is_php) => {
                Piece::Other(self.take(self.to("?>")))
            }
            b'<' if second == b'!' || second == b'?' => {
                let subset = self.rest.find('[').filter(|at| *at < self.to(">"));
                let end = if subset.is_some() { self.to("]>") } else { self.to(">") };
                Piece::Other(self.take(end))
            }
            b'<' if second == b'/' && bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                Piece::End(self.take(self.to(">")))
            }
            b'<' if second.is_ascii_alphabetic() => {
                let start = &self.rest[..tag_length(self.rest)];
                let name = tag::name(start).to_ascii_lowercase();
                let is_whole = self.is_xml && start.ends_with("/>");
                if is_whole || !RAW.contains(&name.as_str()) {
                    return Some(Piece::Start(self.take(start.len())));
                }
                Piece::Raw(self.take(raw_length(self.rest, start.len(), &name)))
            }
            _ => {
                let from = usize::from(self.rest.starts_with('<'));
                let next = self.rest[from..].find('<').map_or(self.rest.len(), |at| at + from);
                Piece::Text(self.take(next))
            }
        })
    }
}

/// The length of a start tag: up to a `>` that is in no quotes, and in no braces of JSX.
pub(crate) fn tag_length(source: &str) -> usize {
    let (bytes, mut at, mut is_value) = (source.as_bytes(), 0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' if is_value => {
                let end = bytes[at + 1..].iter().position(|own| *own == byte);
                let Some(end) = end else { return source.len() };
                at += end + 1;
            }
            b'{' if is_value => at += braced(&bytes[at..]).unwrap_or_default(),
            b'>' => return at + 1,
            _ => {}
        }
        is_value = byte == b'=' || is_value && byte.is_ascii_whitespace();
        at += 1;
    }
    source.len()
}

/// How far the end of what begins with a brace is from it, if that is near.
fn braced(bytes: &[u8]) -> Option<usize> {
    const FARTHEST: usize = 400;
    let mut depth = 0;
    bytes.iter().take(FARTHEST).position(|byte| {
        depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        depth == 0
    })
}

/// The length of an element without markup in it: up to its end tag, or to the end of all.
fn raw_length(source: &str, start: usize, name: &str) -> usize {
    let mut at = start;
    while let Some(end) = source[at..].find("</").map(|n| at + n) {
        at = end + 2;
        let is_name = source.get(at..at + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name));
        let after = source.as_bytes().get(at + name.len());
        if is_name && after.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>')) {
            return source[at..].find('>').map_or(source.len(), |n| at + n + 1);
        }
    }
    source.len()
}

/// What an element is to the line that it stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// It is a part of the line.
    Inline,
    /// A part whose text stays as it is: code.
    Code,
    /// A point in the line that holds nothing: an image.
    Void,
    /// A point in the line with all that it holds: a drawing, a formula.
    Whole,
    /// A new line begins.
    Line,
    /// A block; its text begins on a line of its own.
    Block,
    /// A block whose text stays as it is.
    Preformatted,
}

/// The place of an element by its name, in lower case.
pub(crate) fn place(name: &str) -> Place {
    match name {
        "a" | "abbr" | "acronym" | "b" | "bdi" | "bdo" | "big" | "cite" | "data" | "del"
        | "dfn" | "em" | "font" | "i" | "ins" | "label" | "mark" | "nobr" | "q" | "rb" | "ruby"
        | "s" | "small" | "span" | "strike" | "strong" | "sub" | "sup" | "time" | "tt" | "u" => {
            Place::Inline
        }
        "code" | "kbd" | "samp" | "var" => Place::Code,
        "img" | "wbr" | "input" | "embed" => Place::Void,
        "svg" | "math" | "object" | "video" | "audio" | "canvas" | "map" | "picture" | "rt"
        | "rp" | "rtc" | "template" | "select" | "script" | "style" | "iframe" | "textarea" => {
            Place::Whole
        }
        "br" => Place::Line,
        "pre" | "listing" | "head" => Place::Preformatted,
        // Elements of their own, as pages define them.
        name if name.contains('-') => Place::Inline,
        _ => Place::Block,
    }
}

/// The text of a piece with its references resolved. In XML, those that are not known stay.
pub(crate) fn resolve(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '#');
        let end = end.map_or(rest.len(), |end| end + 1);
        let name = &rest[1..end];
        let known = match name.strip_prefix('#') {
            Some(number) => character(number),
            None => quick_xml::escape::resolve_html5_entity(name).map(str::to_string).filter(|c| {
                // Without a semicolon, only the characters of Latin-1 have names.
                rest[end..].starts_with(';') || c.chars().all(|c| u32::from(c) < 256)
            }),
        };
        match known {
            Some(known) => {
                out.push_str(&known);
                rest = rest[end..].strip_prefix(';').unwrap_or(&rest[end..]);
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The character of a number; those that only Windows has are meant as Windows has them.
fn character(number: &str) -> Option<String> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9F) => Some(encoding_rs::WINDOWS_1252.decode(&[byte]).0.into_owned()),
        _ => char::from_u32(code).filter(|c| *c != '\0').map(String::from),
    }
}

/// The texts for readers in the attributes of a start tag: the place of each value, quotes
/// included, and what it says.
pub(crate) fn texts(raw: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let name = tag::name(raw).to_ascii_lowercase();
    let is_start = raw.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic);
    let attributes = if is_start { tag::attributes(raw) } else { Vec::new() };
    attributes.into_iter().filter_map(move |attribute| {
        let key = raw[attribute.name.clone()].to_ascii_lowercase();
        let get = |name| tag::value(raw, name).unwrap_or_default().to_ascii_lowercase();
        let is_text = match key.as_str() {
            "alt" | "title" | "placeholder" => true,
            "aria-label"
            | "aria-description"
            | "aria-placeholder"
            | "aria-roledescription"
            | "aria-valuetext" => true,
            "abbr" => name == "th",
            "label" => matches!(&*name, "optgroup" | "option" | "track" | "tabitem" | "tab"),
            "summary" => name == "table",
            "value" => {
                name == "input" && matches!(get("type").as_str(), "submit" | "button" | "reset")
            }
            "content" => name == "meta" && is_meta_text(&get("name"), &get("property")),
            _ => false,
        };
        let written = &raw[attribute.value.clone()];
        // In braces stands an expression, in the marks of a template code.
        let is_code = written.starts_with('{') || ["<%", "<?"].iter().any(|m| written.contains(m));
        let is_text = is_text && !written.is_empty() && !is_code;
        let is_quoted = raw[..attribute.value.start].ends_with(['"', '\'']);
        let Range { start, end } = attribute.value.clone();
        let quote = usize::from(is_quoted);
        let text = || resolve(written).split_whitespace().collect::<Vec<_>>().join(" ");
        is_text.then(|| (start - quote..(end + quote).min(raw.len()), text()))
    })
}

fn is_meta_text(name: &str, property: &str) -> bool {
    let is_text = |key: &str| {
        let kind = key.rsplit(':').next().unwrap_or(key);
        kind == "description" || matches!(kind, "title" | "alt") && key.contains(':')
    };
    is_text(name) || is_text(property)
}

/// Whether a start tag says that its element is not to be translated.
pub(crate) fn is_kept(raw: &str) -> bool {
    says_no(tag::value(raw, "translate"), tag::value(raw, "class"))
}

/// Whether an element is not to be translated, by the values of `translate` and `class`.
pub(crate) fn says_no(translate: Option<&str>, class: Option<&str>) -> bool {
    let is_class = |value: &str| value.split_whitespace().any(|class| class == "notranslate");
    translate.is_some_and(|value| value.eq_ignore_ascii_case("no")) || class.is_some_and(is_class)
}

/// Whether an element has no content and no end tag.
pub(crate) fn is_void(name: &str) -> bool {
    const VOID: [&str; 14] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr",
    ];
    VOID.contains(&name)
}

/// Whether what should be a text is the name of a file or another thing of a machine's.
pub(crate) fn is_name(text: &str) -> bool {
    let marks = |c: char| matches!(c, '_' | '/' | '\\') || c.is_ascii_digit();
    let inner = text.trim_end_matches('.');
    !text.contains(char::is_whitespace) && (text.contains(marks) || inner.contains('.'))
}
