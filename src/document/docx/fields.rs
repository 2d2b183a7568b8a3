//! Fields: a code that Word computes, and the text that it came to.
//!
//! A field is written as marks among the runs, which need not stand in one element, nor in one
//! paragraph. One that does becomes a span around its result.

use super::super::atoms::Atom;
use super::run::write_run;

/// A part of a paragraph before its fields are put together.
pub(super) enum Item {
    Atom(Atom),
    Begin(String),
    /// A piece of the code, and the XML of it.
    Code(String, String),
    /// The code ends, the result begins.
    Separate(String),
    End(String),
}

/// Fields in each other are looked into down to this depth.
const DEPTH: usize = 16;

/// What becomes of a field's result.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fate {
    /// It is text like the text around it.
    Translated,
    /// It is text that stays as it is: a date, a citation, a sum.
    Kept,
    /// It is no text: the number of a page.
    Number,
}

/// What becomes of the result of a field, by its code.
pub(super) fn fate(code: &str) -> Fate {
    let name = code.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    match name.as_str() {
        "HYPERLINK" | "REF" | "TOC" | "INDEX" | "STYLEREF" | "QUOTE" | "TITLE" | "SUBJECT" => {
            Fate::Translated
        }
        "PAGE" | "PAGEREF" | "NUMPAGES" | "SECTIONPAGES" | "SECTION" => Fate::Number,
        _ => Fate::Kept,
    }
}

/// A field that begins and ends in one place of the paragraph.
#[derive(Clone)]
struct Field {
    level: usize,
    separate: Option<usize>,
    end: usize,
    code: String,
    is_whole: bool,
}

/// Puts the fields together.
pub(super) fn resolve(items: Vec<Item>) -> Vec<Atom> {
    let fields = fields(&items);
    let mut atoms = Vec::with_capacity(items.len());
    emit(&items, &fields, 0..items.len(), false, 0, &mut atoms);
    atoms
}

/// The whole fields, by where they begin.
fn fields(items: &[Item]) -> Vec<Option<Field>> {
    let mut found = vec![None; items.len()];
    let (mut level, mut open) = (0usize, Vec::<(usize, Field)>::new());
    for (at, item) in items.iter().enumerate() {
        match item {
            Item::Begin(_) => {
                let field =
                    Field { level, separate: None, end: 0, code: String::new(), is_whole: true };
                open.push((at, field));
            }
            Item::Code(code, _) => {
                if let Some((_, field)) = open.last_mut().filter(|(_, f)| f.separate.is_none()) {
                    field.code.push_str(code);
                }
            }
            Item::Separate(_) => {
                if let Some((_, field)) = open.last_mut() {
                    field.is_whole &= field.level == level && field.separate.is_none();
                    field.separate = Some(at);
                }
            }
            Item::End(_) => {
                if let Some((start, field)) = open.pop().filter(|(_, f)| f.level == level) {
                    found[start] = field.is_whole.then_some(Field { end: at, ..field });
                }
            }
            Item::Atom(Atom::Open(_)) => level += 1,
            Item::Atom(Atom::Close(_)) => {
                level = level.saturating_sub(1);
                // From the innermost on: those that this ends within.
                for (_, field) in open.iter_mut().rev().take_while(|(_, f)| f.level > level) {
                    field.is_whole = false;
                }
            }
            Item::Atom(_) => {}
        }
    }
    found
}

fn emit(
    items: &[Item],
    fields: &[Option<Field>],
    range: std::ops::Range<usize>,
    keep: bool,
    depth: usize,
    out: &mut Vec<Atom>,
) {
    let mut at = range.start;
    while at < range.end {
        let Some(field) = fields[at].as_ref().filter(|f| f.end < range.end) else {
            match &items[at] {
                Item::Atom(Atom::Text { text, format, kept }) => out.push(Atom::Text {
                    text: text.clone(),
                    format: format.clone(),
                    kept: *kept || keep,
                }),
                Item::Atom(atom) => out.push(atom.clone()),
                Item::Begin(xml) | Item::Code(_, xml) | Item::Separate(xml) | Item::End(xml) => {
                    out.push(Atom::mark(xml.clone()));
                }
            }
            at += 1;
            continue;
        };
        let fate = fate(&field.code);
        match field.separate.filter(|_| fate != Fate::Number && depth < DEPTH) {
            Some(separate) => {
                out.push(Atom::Open(xml(&items[at..=separate])));
                let keep = keep || fate == Fate::Kept;
                emit(items, fields, separate + 1..field.end, keep, depth + 1, out);
                out.push(Atom::Close(xml(&items[field.end..=field.end])));
            }
            None => out.push(Atom::mark(xml(&items[at..=field.end]))),
        }
        at = field.end + 1;
    }
}

/// The XML of items that hold no text to translate.
fn xml(items: &[Item]) -> String {
    let mut out = String::new();
    for item in items {
        match item {
            Item::Atom(atom) => atom.write(&mut out, &|out, format, text| {
                write_run(out, "w:", format, text);
            }),
            Item::Begin(xml) | Item::Code(_, xml) | Item::Separate(xml) | Item::End(xml) => {
                out.push_str(xml);
            }
        }
    }
    out
}
