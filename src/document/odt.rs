//! OpenDocument texts.

mod styles;

use super::atoms::{Atom, Role};
use super::edits::{Edits, Shown};
use super::package::{Package, bad};
use super::pieces::{Purpose, plan};
use super::xml::{self, Element, Kind, Step, Token, Vocabulary};
use super::{DocumentFormat, Edit, Settings, opc, part};
use crate::error::Result;
use crate::text::tag;
use crate::types::Block;
use styles::Styles;

/// OpenDocument texts and templates.
pub(super) static ODT: DocumentFormat = DocumentFormat {
    name: "odt",
    extensions: &["odt", "ott"],
    detect: |head| {
        let kind = b"application/vnd.oasis.opendocument.text";
        opc::names(head, "mimetype") && head.windows(kind.len()).any(|w| w == kind)
    },
    rewrite,
};

const KIND: &str = "an OpenDocument text (.odt)";
/// Elements in each other are looked into down to this depth in a paragraph.
const DEPTH: usize = 32;

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let mut package = Package::open(bytes, settings, KIND)?;
    let mut edits = Edits::new(settings, edit);
    let mimetype = package.expect("mimetype", KIND)?;
    let mimetype = String::from_utf8_lossy(&mimetype);
    if !mimetype.starts_with("application/vnd.oasis.opendocument.text") {
        return Err(bad(format!("expected {KIND}, found a document of type {mimetype:?}")));
    }
    let manifest = part::read(&mut package, "META-INF/manifest.xml", &edits)?;
    if manifest.is_some_and(|manifest| manifest.contains("encryption-data")) {
        return Err(bad("is protected by a password; save it without one"));
    }
    if !package.has("content.xml") {
        return Err(bad(format!("expected {KIND}, found no content.xml in it")));
    }
    // Text first; what stands at the edges of pages is in the second part.
    for name in ["content.xml", "styles.xml"] {
        part::change(&mut package, name, &mut edits, |source, edits| {
            let new = xml::copy(source, &mut Text::new(Styles::read(source)?), edits)?;
            if edits.has_replaced { styles::with_language(&new, edits) } else { Ok(new) }
        })?;
    }
    package.finish(Some("mimetype"))
}

/// The vocabulary of a part.
struct Text {
    styles: Styles,
    /// How many lists are around the present place.
    lists: usize,
}

/// A paragraph as it is read.
#[derive(Default)]
struct Paragraph {
    atoms: Vec<Atom>,
    /// The styles of the spans that are around the present place, as start tags.
    format: String,
    keep: bool,
    /// Whether something in it that has paragraphs of its own was changed.
    is_changed: bool,
}

impl Text {
    fn new(styles: Styles) -> Text {
        Text { styles, lists: 0 }
    }

    fn content(
        &mut self,
        element: &Element,
        tokens: &[Token],
        paragraph: &mut Paragraph,
        edits: &mut Edits,
        depth: usize,
    ) -> Result<()> {
        for part in xml::siblings(tokens) {
            let raw = xml::raw(element.source, part);
            let inside = xml::inside(part);
            match (part[0].name(), part[0].kind) {
                (_, Kind::End | Kind::Other) | ("text:soft-page-break", _) => {}
                (_, Kind::Text) => self.text(&part[0].text()?, paragraph),
                ("text:s", _) => self.text(" ", paragraph),
                ("text:tab" | "text:line-break", _) => paragraph.atoms.push(Atom::line_break(raw)),
                ("text:span", Kind::Start) if depth < DEPTH => {
                    let (format, keep) = (paragraph.format.clone(), paragraph.keep);
                    let style = tag::value(part[0].raw, "text:style-name").unwrap_or_default();
                    paragraph.keep |= self.styles.is_code(style);
                    if let Some(style) = self.styles.canonical(style) {
                        let style = tag::escape_value(style);
                        paragraph.format += &format!("<text:span text:style-name=\"{style}\">");
                    }
                    self.content(element, inside, paragraph, edits, depth + 1)?;
                    (paragraph.format, paragraph.keep) = (format, keep);
                }
                ("text:ruby", Kind::Start) if depth < DEPTH => {
                    let base = inside.iter().position(|t| t.name() == "text:ruby-base");
                    if let Some(base) = base.and_then(|base| xml::siblings(&inside[base..]).next())
                    {
                        self.content(element, xml::inside(base), paragraph, edits, depth + 1)?;
                    }
                }
                (name, Kind::Start) if depth < DEPTH && is_line(inside) => {
                    let keep = paragraph.keep;
                    paragraph.keep |= !matches!(name, "text:a" | "text:meta" | "text:bookmark-ref");
                    paragraph.atoms.push(Atom::Open(part[0].raw.into()));
                    self.content(element, inside, paragraph, edits, depth + 1)?;
                    paragraph.atoms.push(Atom::Close(part[part.len() - 1].raw.into()));
                    paragraph.keep = keep;
                }
                (name, _) => {
                    let new = match part.len() < 3 {
                        true => raw.to_string(),
                        false => xml::copy_inside(element, part, self, edits)?,
                    };
                    paragraph.is_changed |= new != raw;
                    paragraph.atoms.push(Atom::Point { xml: new, role: role(name, raw) });
                }
            }
        }
        Ok(())
    }

    /// White space is one space, says the format, however much of it there is.
    fn text(&self, text: &str, paragraph: &mut Paragraph) {
        let mut one = String::with_capacity(text.len());
        for c in text.chars() {
            let is_space = matches!(c, ' ' | '\t' | '\n' | '\r');
            if !is_space {
                one.push(c);
            } else if !one.ends_with(' ') {
                one.push(' ');
            }
        }
        let format = paragraph.format.clone();
        paragraph.atoms.push(Atom::Text { text: one, format, kept: paragraph.keep });
    }

    fn shown(&self, start: &Token) -> Shown {
        let style = tag::value(start.raw, "text:style-name").unwrap_or_default();
        if start.name() == "text:h" {
            let level = tag::value(start.raw, "text:outline-level").and_then(|l| l.parse().ok());
            return Shown::heading(level.unwrap_or(1));
        }
        match self.lists {
            _ if self.styles.is_code(style) => Shown::verbatim(),
            0 => Shown::paragraph(),
            lists => Shown::item(lists - 1),
        }
    }
}

/// Whether what is in an element belongs to the line around it: no paragraph, no frame.
fn is_line(inside: &[Token]) -> bool {
    let is_foreign = |name: &str| matches!(name, "text:p" | "text:h") || name.starts_with("draw:");
    !inside.is_empty() && !inside.iter().any(|t| t.kind == Kind::Start && is_foreign(t.name()))
}

/// What a point of a name is to the text around it.
fn role(name: &str, raw: &str) -> Role {
    let attribute = |name| tag::value(raw, name);
    let id = attribute("text:name").or_else(|| attribute("text:change-id"));
    let id = id.or_else(|| attribute("office:name")).or_else(|| attribute("text:id"));
    let start = name.strip_suffix("-start").map(|kind| (kind, true));
    match start.or_else(|| name.strip_suffix("-end").map(|kind| (kind, false))) {
        Some((kind, true)) => Role::Start(format!("{kind} {}", id.unwrap_or_default())),
        Some((kind, false)) => Role::End(format!("{kind} {}", id.unwrap_or_default())),
        None => Role::Mark,
    }
}

/// Writes text in its spans.
fn write(out: &mut String, format: &str, text: &str) {
    out.push_str(format);
    let (mut blanks, mut line) = (0usize, String::new());
    for c in text.chars() {
        blanks = if c == ' ' { blanks + 1 } else { 0 };
        if blanks > 1 {
            line.push_str("<text:s/>");
        } else {
            line.push_str(&tag::escape(c.encode_utf8(&mut [0; 4])));
        }
    }
    out.push_str(&line);
    out.push_str(&"</text:span>".repeat(format.matches('<').count()));
}

impl Vocabulary for Text {
    fn step(&mut self, start: &Token) -> Step {
        match start.name() {
            "text:p" | "text:h" => Step::Paragraph,
            // What was deleted and is kept for whoever wants it back.
            "text:tracked-changes" | "office:scripts" | "office:styles" | "office:meta" => {
                Step::Over
            }
            "text:list" => {
                self.lists += usize::from(start.kind == Kind::Start);
                Step::Into
            }
            _ => Step::Into,
        }
    }

    fn leave(&mut self, name: &str) {
        self.lists = self.lists.saturating_sub(usize::from(name == "text:list"));
    }

    fn paragraph(&mut self, element: &Element, edits: &mut Edits) -> Result<String> {
        let mut paragraph = Paragraph::default();
        let lists = std::mem::take(&mut self.lists);
        self.content(element, element.inside, &mut paragraph, edits, 0)?;
        self.lists = lists;
        let (start, end) = (element.start.raw, element.end.raw);
        let inside = match paragraph.is_changed {
            false => xml::raw(element.source, element.inside).to_string(),
            true => {
                let mut out = String::new();
                paragraph.atoms.iter().for_each(|atom| atom.write(&mut out, &write));
                out
            }
        };
        let old = format!("{start}{inside}{end}");
        let Some((marked, plan)) = plan(paragraph.atoms, &write) else { return Ok(old) };
        Ok(match edits.ask(&marked, self.shown(&element.start))? {
            Edit::Keep => old,
            Edit::Replace(new) => {
                format!("{start}{}{end}", plan.write(&new, Purpose::Replace, &write))
            }
            Edit::Append(new) => {
                let start = tag::without(start, |name| matches!(name, "xml:id" | "text:id"));
                format!("{old}{start}{}{end}", plan.write(&new, Purpose::Beside, &write))
            }
        })
    }
}
