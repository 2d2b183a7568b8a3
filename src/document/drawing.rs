//! Paragraphs of DrawingML: slides, charts, diagrams.

use super::atoms::Atom;
use super::edits::{Edits, Shown};
use super::opc::Types;
use super::package::Package;
use super::pieces::{Purpose, plan};
use super::xml::{self, Element, Kind, Step, Token, Vocabulary};
use super::{Edit, part};
use crate::error::Result;
use crate::text::tag;
use crate::types::Lang;

/// The vocabulary of a part.
pub(super) struct Drawing {
    to: Option<Lang>,
    is_rtl: Option<bool>,
    /// Whether the shape around the present place is a title.
    is_title: bool,
}

/// A paragraph as it is read.
#[derive(Default)]
struct Paragraph<'a> {
    /// Its properties, and those of what somebody writes at its end.
    head: &'a str,
    tail: &'a str,
    atoms: Vec<Atom>,
}

impl Drawing {
    pub fn new(edits: &Edits) -> Drawing {
        Drawing { to: edits.to().cloned(), is_rtl: edits.is_rtl(), is_title: false }
    }

    fn read<'a>(element: &Element<'_, 'a>) -> Result<Paragraph<'a>> {
        let mut paragraph = Paragraph::default();
        for part in xml::siblings(element.inside) {
            let raw = xml::raw(element.source, part);
            match (part[0].name(), part[0].kind) {
                (_, Kind::Text | Kind::End | Kind::Other) => {}
                ("a:pPr", _) => paragraph.head = raw,
                ("a:endParaRPr", _) => paragraph.tail = raw,
                ("a:r", _) => paragraph.atoms.push(run(element.source, part)?),
                ("a:br", _) => paragraph.atoms.push(Atom::line_break(raw)),
                _ => paragraph.atoms.push(Atom::mark(raw)),
            }
        }
        Ok(paragraph)
    }

    /// Writes a run of a new text.
    fn write(&self, out: &mut String, format: &str, text: &str) {
        let language = self.to.as_ref().map(Lang::as_str);
        let end = format.find('>').map_or(0, |end| end + 1);
        let (start, rest) = match format.is_empty() {
            true => ("<a:rPr/>", ""),
            false => format.split_at(end),
        };
        match language {
            Some(language) => {
                out.push_str(&format!("<a:r>{}{rest}", tag::with(start, "lang", language)));
            }
            None => out.push_str(&format!("<a:r>{format}")),
        }
        out.push_str(&format!("<a:t>{}</a:t></a:r>", tag::escape(text)));
    }

    /// The properties of a paragraph that is written in the direction of the new language.
    fn head(&self, head: &str) -> String {
        let is_set = tag::value(head, "rtl").is_some_and(|rtl| rtl == "1" || rtl == "true");
        let end = head.find('>').map_or(0, |end| end + 1);
        match self.is_rtl {
            Some(rtl) if rtl != is_set && head.is_empty() => {
                format!("<a:pPr rtl=\"{}\"/>", u8::from(rtl))
            }
            Some(rtl) if rtl != is_set => {
                tag::with(&head[..end], "rtl", if rtl { "1" } else { "0" }) + &head[end..]
            }
            _ => head.into(),
        }
    }
}

/// A run: its text, in a format without what programs note beside it.
fn run(source: &str, part: &[Token]) -> Result<Atom> {
    let (mut text, mut format) = (String::new(), String::new());
    for inner in xml::siblings(xml::inside(part)) {
        match inner[0].name() {
            "a:rPr" => {
                let raw = xml::raw(source, inner);
                let (start, rest) = raw.split_at(inner[0].raw.len());
                let noted = |name: &str| {
                    matches!(name, "lang" | "altLang" | "dirty" | "err" | "noProof" | "smtClean")
                };
                format = tag::without(start, noted).into_owned() + rest;
            }
            "a:t" => {
                for token in inner.iter().filter(|token| token.kind == Kind::Text) {
                    text.push_str(&token.text()?);
                }
            }
            _ => {}
        }
    }
    if format == "<a:rPr/>" || format == "<a:rPr></a:rPr>" {
        format.clear();
    }
    Ok(Atom::Text { text, format, kept: false })
}

impl Vocabulary for Drawing {
    fn step(&mut self, start: &Token) -> Step {
        match start.name() {
            "a:p" => return Step::Paragraph,
            "p:sp" => self.is_title = false,
            "p:ph" => {
                let kind = tag::value(start.raw, "type");
                self.is_title = kind.is_some_and(|k| k == "title" || k == "ctrTitle");
            }
            _ => {}
        }
        Step::Into
    }

    fn leave(&mut self, name: &str) {
        self.is_title &= name != "p:sp";
    }

    fn paragraph(&mut self, element: &Element, edits: &mut Edits) -> Result<String> {
        let Paragraph { head, tail, atoms } = Drawing::read(element)?;
        let (start, end) = (element.start.raw, element.end.raw);
        let old = format!("{start}{}{end}", xml::raw(element.source, element.inside));
        let planned = plan(atoms, &|out, format, text| {
            out.push_str(&format!("<a:r>{format}<a:t>{}</a:t></a:r>", tag::escape(text)));
        });
        let Some((marked, plan)) = planned else { return Ok(old) };
        let shown = if self.is_title { Shown::heading(2) } else { Shown::paragraph() };
        let written = |new, purpose| {
            let write = |out: &mut String, format: &str, text: &str| self.write(out, format, text);
            let text = plan.write(new, purpose, &write);
            format!("{start}{}{text}{tail}{end}", self.head(head))
        };
        Ok(match edits.ask(&marked, shown)? {
            Edit::Keep => old,
            Edit::Replace(new) => written(&new, Purpose::Replace),
            Edit::Append(new) => old + &written(&new, Purpose::Beside),
        })
    }
}

/// Changes the pictures that diagrams were last drawn as, which have their texts a second time.
///
/// # Errors
/// Those of [`part::change`].
pub(super) fn repeat(package: &mut Package, types: &Types, edits: &mut Edits) -> Result<()> {
    edits.repeat(true);
    for name in types.parts("ms-office.drawingml.diagramDrawing+xml") {
        let copy =
            |source: &str, edits: &mut Edits| xml::copy(source, &mut Drawing::new(edits), edits);
        part::change(package, name, edits, copy)?;
    }
    edits.end_twins();
    Ok(())
}
