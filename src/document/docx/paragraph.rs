//! Paragraphs of WordprocessingML: runs of one format, and what stands between them.

use super::super::Edit;
use super::super::atoms::{Atom, Role};
use super::super::edits::{Edits, Shown};
use super::super::package::bad;
use super::super::pieces::{Plan, Purpose, plan};
use super::super::xml::{self, Element, Kind, Step, Token, Tokens, Vocabulary};
use super::fields::{Fate, Item, fate, resolve};
use super::run::write_run;
use super::styles::{Meaning, Styles, value};
use crate::error::Result;
use crate::text::tag;
use crate::types::{Lang, Marked};

/// Elements in each other are looked into down to this depth in a paragraph.
const DEPTH: usize = 32;

/// Properties that stand after the direction of a paragraph, and after that of a run and its
/// language, in the order that the schema wants.
const AFTER_BIDI: &[&str] = &[
    "adjustRightInd",
    "snapToGrid",
    "spacing",
    "ind",
    "contextualSpacing",
    "mirrorIndents",
    "suppressOverlap",
    "jc",
    "textDirection",
    "textAlignment",
    "textboxTightWrap",
    "outlineLvl",
    "divId",
    "cnfStyle",
    "rPr",
    "sectPr",
    "pPrChange",
];
const AFTER_RTL: &[&str] = &["cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath"];
const AFTER_LANG: &[&str] = &["eastAsianLayout", "specVanish", "oMath"];

/// The vocabulary of a part.
pub(super) struct Word<'s> {
    styles: &'s Styles,
    /// The prefix of its names: `w:`.
    prefix: String,
    to: Option<Lang>,
    is_rtl: Option<bool>,
}

/// A paragraph as it is read.
struct Paragraph {
    /// The children of its properties.
    properties: Vec<(String, String)>,
    items: Vec<Item>,
    /// Whether something in it that has paragraphs of its own was changed.
    is_changed: bool,
    /// How deep in elements that keep their text.
    keep: bool,
}

impl<'s> Word<'s> {
    /// Finds the prefix that a part gives the vocabulary.
    ///
    /// # Errors
    /// When its root element does not name it.
    pub fn new(source: &str, styles: &'s Styles, edits: &Edits) -> Result<Word<'s>> {
        let mut tokens = Tokens::new(source);
        let root = loop {
            match tokens.next()? {
                Some(token) if matches!(token.kind, Kind::Start | Kind::Empty) => break token.raw,
                Some(_) => {}
                None => return Err(bad("is no well-formed XML: it has no element")),
            }
        };
        let declared = tag::attributes(root).into_iter().find_map(|attribute| {
            let is_word = root[attribute.value].contains("/wordprocessingml");
            root[attribute.name].strip_prefix("xmlns").filter(|_| is_word)
        });
        let prefix = match declared.map(|prefix| prefix.trim_start_matches(':')) {
            Some("") => String::new(),
            Some(prefix) => format!("{prefix}:"),
            None => return Err(bad("expected WordprocessingML, found another kind of XML")),
        };
        let (to, is_rtl) = (edits.to().cloned(), edits.is_rtl());
        Ok(Word { styles, prefix, to, is_rtl })
    }

    /// The name of a tag without the prefix; empty for one of another vocabulary.
    fn name<'a>(&self, token: &Token<'a>) -> &'a str {
        token.name().strip_prefix(self.prefix.as_str()).unwrap_or_default()
    }

    /// Reads what is in a paragraph, or in an element in it.
    fn content(
        &self,
        element: &Element,
        tokens: &[Token],
        paragraph: &mut Paragraph,
        edits: &mut Edits,
        depth: usize,
    ) -> Result<()> {
        for part in xml::siblings(tokens) {
            let raw = xml::raw(element.source, part);
            let inside = xml::inside(part);
            match (self.name(&part[0]), part[0].kind) {
                (_, Kind::Text | Kind::End | Kind::Other) | ("proofErr", _) => {}
                ("pPr", _) => paragraph.properties = self.children(element, inside),
                ("r", Kind::Start) => self.run(element, inside, paragraph, edits)?,
                (
                    "hyperlink" | "ins" | "moveTo" | "smartTag" | "customXml" | "dir" | "bdo"
                    | "fldSimple" | "sdt",
                    Kind::Start,
                ) if depth < DEPTH => {
                    self.span(element, part, paragraph, edits, depth)?;
                }
                ("bookmarkStart" | "bookmarkEnd", _) => {
                    let id = value(raw, "id").unwrap_or_default().to_string();
                    let is_start = self.name(&part[0]) == "bookmarkStart";
                    let role = if is_start { Role::Start(id) } else { Role::End(id) };
                    paragraph.items.push(Item::Atom(Atom::Point { xml: raw.into(), role }));
                }
                ("del" | "moveFrom", _) => paragraph.items.push(Item::Atom(Atom::mark(raw))),
                _ => {
                    let new = self.foreign(element, part, paragraph, edits)?;
                    paragraph.items.push(Item::Atom(Atom::mark(new)));
                }
            }
        }
        Ok(())
    }

    /// An element around runs: a link, an inserted passage, a field, a control.
    fn span(
        &self,
        element: &Element,
        part: &[Token],
        paragraph: &mut Paragraph,
        edits: &mut Edits,
        depth: usize,
    ) -> Result<()> {
        let name = self.name(&part[0]);
        let mut start = 1;
        let mut end = part.len() - 1;
        let mut keep = name == "fldSimple"
            && value(part[0].raw, "instr").is_some_and(|code| fate(code) != Fate::Translated);
        // What stands before the content: properties, and for a control the element around it.
        while start < end {
            let length = xml::length(&part[start..end]);
            match self.name(&part[start]) {
                "sdtContent" if part[start].kind == Kind::Start => {
                    end = start + length - 1;
                    start += 1;
                    break;
                }
                "sdtPr" => {
                    let raw = xml::raw(element.source, &part[start..start + length]);
                    keep |= ["date", "dropDownList", "comboBox", "checkbox", "picture"]
                        .iter()
                        .any(|kind| raw.contains(&format!(":{kind}")));
                    start += length;
                }
                "sdtEndPr" | "smartTagPr" | "customXmlPr" => start += length,
                "" if part[start].kind == Kind::Text => start += 1,
                _ if name == "sdt" => start += length,
                _ => break,
            }
        }
        let open = xml::raw(element.source, &part[..start]);
        paragraph.items.push(Item::Atom(Atom::Open(open.into())));
        let was_kept = paragraph.keep;
        paragraph.keep |= keep;
        self.content(element, &part[start..end], paragraph, edits, depth + 1)?;
        paragraph.keep = was_kept;
        let close = xml::raw(element.source, &part[end..]);
        paragraph.items.push(Item::Atom(Atom::Close(close.into())));
        Ok(())
    }

    /// A run: text of one format, and what stands in it.
    fn run(
        &self,
        element: &Element,
        tokens: &[Token],
        paragraph: &mut Paragraph,
        edits: &mut Edits,
    ) -> Result<()> {
        let (mut properties, mut format) = ("", String::new());
        let mut keep = paragraph.keep;
        for part in xml::siblings(tokens) {
            let raw = xml::raw(element.source, part);
            let inside = xml::inside(part);
            let name = self.name(&part[0]);
            let run = |raw: &str| {
                let w = &self.prefix;
                format!("<{w}r>{properties}{raw}</{w}r>")
            };
            let text =
                |text: String| Item::Atom(Atom::Text { text, format: format.clone(), kept: keep });
            let item = match name {
                "rPr" => {
                    let children = self.children(element, inside);
                    if children.iter().any(|(name, raw)| name == "vanish" && is_on(raw)) {
                        let all = xml::raw(element.source, tokens);
                        let w = &self.prefix;
                        let hidden = Atom::mark(format!("<{w}r>{all}</{w}r>"));
                        paragraph.items.push(Item::Atom(hidden));
                        return Ok(());
                    }
                    let style = children.iter().find(|(name, _)| name == "rStyle");
                    let style = style.and_then(|(_, raw)| value(raw, "val"));
                    keep |= style.and_then(|s| self.styles.of(s)) == Some(Meaning::Code);
                    properties = raw;
                    format = self.format(&children);
                    continue;
                }
                "t" => text(self.text(part)?),
                "ruby" => text(self.base_text(inside)?),
                "noBreakHyphen" => text("\u{2011}".into()),
                "softHyphen" | "lastRenderedPageBreak" => continue,
                "tab" | "br" | "cr" | "ptab" => Item::Atom(Atom::line_break(run(raw))),
                "instrText" => Item::Code(self.text(part)?, run(raw)),
                "fldChar" => match value(raw, "fldCharType") {
                    Some("begin") => Item::Begin(run(raw)),
                    Some("separate") => Item::Separate(run(raw)),
                    _ => Item::End(run(raw)),
                },
                _ if matches!(part[0].kind, Kind::Text | Kind::End | Kind::Other) => continue,
                _ => {
                    let new = self.foreign(element, part, paragraph, edits)?;
                    Item::Atom(Atom::mark(run(&new)))
                }
            };
            paragraph.items.push(item);
        }
        Ok(())
    }

    /// What is no text of the paragraph, but may have paragraphs of its own: a text box.
    fn foreign(
        &self,
        element: &Element,
        part: &[Token],
        paragraph: &mut Paragraph,
        edits: &mut Edits,
    ) -> Result<String> {
        let raw = xml::raw(element.source, part);
        if part.len() < 3 {
            return Ok(raw.into());
        }
        let (to, prefix) = (self.to.clone(), self.prefix.clone());
        let mut inner = Word { styles: self.styles, prefix, to, is_rtl: self.is_rtl };
        let new = xml::copy_inside(element, part, &mut inner, edits)?;
        paragraph.is_changed |= new != raw;
        Ok(new)
    }

    /// The characters in an element of text.
    fn text(&self, part: &[Token]) -> Result<String> {
        let mut text = String::new();
        for token in part.iter().filter(|token| token.kind == Kind::Text) {
            text.push_str(&token.text()?);
        }
        let is_kept = tag::value(part[0].raw, "xml:space") == Some("preserve");
        Ok(if is_kept { text } else { text.trim_matches([' ', '\t', '\n', '\r']).into() })
    }

    /// The characters that have a reading over them, without it.
    fn base_text(&self, tokens: &[Token]) -> Result<String> {
        let mut text = String::new();
        for part in xml::siblings(tokens).filter(|part| self.name(&part[0]) == "rubyBase") {
            for token in part.iter().filter(|token| token.kind == Kind::Text) {
                text.push_str(token.text()?.trim_matches(['\n', '\r', '\t']));
            }
        }
        Ok(text)
    }

    /// The elements in properties, by their names without the prefix.
    fn children(&self, element: &Element, tokens: &[Token]) -> Vec<(String, String)> {
        let is_element = |part: &&[Token]| matches!(part[0].kind, Kind::Start | Kind::Empty);
        let child = |part: &[Token]| {
            let raw = xml::raw(element.source, part);
            (tag::local(part[0].name()).to_string(), raw.to_string())
        };
        xml::siblings(tokens).filter(is_element).map(child).collect()
    }

    /// The format of a run: its properties without what Word notes beside them, and without what
    /// follows from the language.
    fn format(&self, children: &[(String, String)]) -> String {
        let is_format = |(name, raw): &&(String, String)| match name.as_str() {
            "lang" | "noProof" | "rPrChange" => false,
            "rtl" => self.to.is_none(),
            "rFonts" => {
                tag::attributes(raw).iter().any(|a| tag::local(&raw[a.name.clone()]) != "hint")
            }
            _ => true,
        };
        children.iter().filter(is_format).map(|(_, raw)| raw.as_str()).collect()
    }

    /// How the text of a paragraph is shown.
    fn shown(&self, properties: &[(String, String)]) -> Shown {
        let get = |wanted: &str| {
            let found = properties.iter().find(|(name, _)| name == wanted);
            found.map(|(_, raw)| raw.as_str())
        };
        let outline = get("outlineLvl").and_then(|raw| value(raw, "val")?.parse::<usize>().ok());
        let style = get("pStyle").and_then(|raw| self.styles.of(value(raw, "val")?));
        match style {
            Some(Meaning::Code) => Shown::verbatim(),
            Some(Meaning::Heading(level)) => Shown::heading(level),
            _ if outline.is_some_and(|level| level < 9) => {
                Shown::heading(outline.unwrap_or_default() + 1)
            }
            Some(Meaning::Item) => Shown::item(0),
            None => match get("numPr") {
                Some(list) => Shown::item(self.level(list)),
                None => Shown::paragraph(),
            },
        }
    }

    /// The level of a list.
    fn level(&self, list: &str) -> usize {
        let level = tag::element(list, &format!("{}ilvl", self.prefix));
        level.and_then(|place| value(&list[place], "val")?.parse().ok()).unwrap_or(0)
    }

    /// The properties of a paragraph whose text is written in the other language.
    fn properties(&self, children: &[(String, String)], purpose: Purpose) -> String {
        let w = &self.prefix;
        let mut children = children.to_vec();
        if purpose == Purpose::Beside {
            children.retain(|(name, _)| name != "pageBreakBefore");
            for (_, raw) in children.iter_mut().filter(|(name, _)| name == "numPr") {
                *raw = format!("<{w}numPr><{w}numId {w}val=\"0\"/></{w}numPr>");
            }
        }
        match self.is_rtl {
            Some(true) if children.iter().all(|(name, _)| name != "bidi") => {
                insert(&mut children, AFTER_BIDI, "bidi", format!("<{w}bidi/>"));
            }
            Some(false) => children.retain(|(name, _)| name != "bidi"),
            _ => {}
        }
        let inside: String = children.into_iter().map(|(_, raw)| raw).collect();
        if inside.is_empty() { inside } else { format!("<{w}pPr>{inside}</{w}pPr>") }
    }

    /// Writes a run of a new text.
    fn write(&self, out: &mut String, format: &str, text: &str) {
        let Some(to) = &self.to else { return write_run(out, &self.prefix, format, text) };
        let w = &self.prefix;
        let mut children = top_level(format);
        let lang = with_language(&format!("<{w}lang/>"), to);
        insert(&mut children, AFTER_LANG, "lang", lang);
        if self.is_rtl == Some(true) {
            insert(&mut children, AFTER_RTL, "rtl", format!("<{w}rtl/>"));
        }
        let format: String = children.into_iter().map(|(_, raw)| raw).collect();
        write_run(out, w, &format, text);
    }

    fn written(
        &self,
        element: &Element,
        properties: &[(String, String)],
        plan: &Plan,
        (new, purpose): (&Marked, Purpose),
    ) -> String {
        let content = plan.write(new, purpose, &|out, format, text| self.write(out, format, text));
        let properties = self.properties(properties, purpose);
        let w = &self.prefix;
        match purpose {
            Purpose::Replace => {
                format!("{}{properties}{content}{}", element.start.raw, element.end.raw)
            }
            Purpose::Beside => format!("<{w}p>{properties}{content}</{w}p>"),
        }
    }

    /// The paragraph as it is, but for what was changed in its text boxes.
    fn kept(&self, element: &Element, paragraph: &Paragraph, atoms: &[Atom]) -> String {
        if !paragraph.is_changed {
            let inside = xml::raw(element.source, element.inside);
            return format!("{}{inside}{}", element.start.raw, element.end.raw);
        }
        let w = &self.prefix;
        let properties: String = paragraph.properties.iter().map(|(_, raw)| raw.as_str()).collect();
        let mut out = element.start.raw.to_string();
        if !properties.is_empty() {
            out.push_str(&format!("<{w}pPr>{properties}</{w}pPr>"));
        }
        for atom in atoms {
            atom.write(&mut out, &|out, format, text| write_run(out, w, format, text));
        }
        out + element.end.raw
    }
}

impl Vocabulary for Word<'_> {
    fn step(&mut self, start: &Token) -> Step {
        match self.name(start) {
            "p" => Step::Paragraph,
            "sdtPr" | "sectPr" | "tblPr" | "tcPr" | "trPr" => Step::Over,
            _ => Step::Into,
        }
    }

    fn paragraph(&mut self, element: &Element, edits: &mut Edits) -> Result<String> {
        let mut paragraph =
            Paragraph { properties: Vec::new(), items: Vec::new(), is_changed: false, keep: false };
        self.content(element, element.inside, &mut paragraph, edits, 0)?;
        let atoms = resolve(std::mem::take(&mut paragraph.items));
        let old = self.kept(element, &paragraph, &atoms);
        let write_old =
            |out: &mut String, format: &str, text: &str| write_run(out, &self.prefix, format, text);
        let Some((marked, plan)) = plan(atoms, &write_old) else { return Ok(old) };
        let properties = &paragraph.properties;
        match edits.ask(&marked, self.shown(properties))? {
            Edit::Keep => Ok(old),
            Edit::Replace(new) => {
                Ok(self.written(element, properties, &plan, (&new, Purpose::Replace)))
            }
            Edit::Append(new) => {
                let new = self.written(element, properties, &plan, (&new, Purpose::Beside));
                // A section ends with the last of its paragraphs.
                let section = properties.iter().find(|(name, _)| name == "sectPr");
                let old = section.map_or(old.clone(), |(_, raw)| old.replacen(raw, "", 1));
                Ok(old + &new)
            }
        }
    }
}

/// A mark of language, `<w:lang/>`, for another language: each script has an attribute of its own.
pub(super) fn with_language(mark: &str, to: &Lang) -> String {
    let name = tag::name(mark);
    let prefix = &name[..name.len() - tag::local(name).len()];
    let attribute = match to.base() {
        "zh" | "ja" | "ko" | "yue" => "eastAsia",
        _ if super::super::edits::is_rtl(to) => "bidi",
        _ => "val",
    };
    tag::with(mark, &format!("{prefix}{attribute}"), to.as_str())
}

/// Whether a property that is there is on.
fn is_on(raw: &str) -> bool {
    !value(raw, "val").is_some_and(|value| matches!(value, "0" | "false" | "off"))
}

/// Puts a property before the first of those that come after it.
fn insert(children: &mut Vec<(String, String)>, after: &[&str], name: &str, raw: String) {
    let place = children.iter().position(|(name, _)| after.contains(&name.as_str()));
    children.insert(place.unwrap_or(children.len()), (name.into(), raw));
}

/// The elements of a format.
fn top_level(format: &str) -> Vec<(String, String)> {
    let (mut children, mut rest) = (Vec::new(), format);
    while let Some(place) = tag::element(rest, tag::name(rest)) {
        children.push((tag::local(tag::name(rest)).into(), rest[place.clone()].into()));
        rest = &rest[place.end..];
    }
    children
}
