//! Word documents.

mod fields;
mod paragraph;
mod run;
mod styles;

use super::drawing::Drawing;
use super::edits::Edits;
use super::opc::Types;
use super::package::{Package, bad};
use super::{DocumentFormat, Edit, Settings, part, xml};
use crate::error::Result;
use crate::text::tag;
use crate::types::Block;
use paragraph::Word;
use styles::Styles;

/// Word documents, templates and those with macros, which are copied and not run.
pub(super) static DOCX: DocumentFormat = DocumentFormat {
    name: "docx",
    extensions: &["docx", "docm", "dotx"],
    detect: |head| head.starts_with(b"PK\x03\x04") && super::opc::names(head, "word/"),
    rewrite,
};

const KIND: &str = "a Word document (.docx)";

/// The parts that have texts, by the end of their content type, in the order of reading. Those of a
/// drawing come last: they are in their parts twice.
const PARTS: &[(&str, Vocabulary)] = &[
    (".main+xml", Vocabulary::Word),
    ("wordprocessingml.footnotes+xml", Vocabulary::Word),
    ("wordprocessingml.endnotes+xml", Vocabulary::Word),
    ("wordprocessingml.header+xml", Vocabulary::Word),
    ("wordprocessingml.footer+xml", Vocabulary::Word),
    ("wordprocessingml.comments+xml", Vocabulary::Word),
    ("drawingml.chart+xml", Vocabulary::Drawing),
    ("drawingml.diagramData+xml", Vocabulary::Drawing),
];

#[derive(Clone, Copy)]
enum Vocabulary {
    Word,
    Drawing,
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let mut package = Package::open(bytes, settings, KIND)?;
    let mut edits = Edits::new(settings, edit);
    let types = Types::read(&mut package, &edits, KIND)?;
    if types
        .parts("ml.document.main+xml")
        .chain(types.parts(".macroEnabled.main+xml"))
        .chain(types.parts("ml.template.main+xml"))
        .all(|name| !package.has(name))
    {
        let found = types.main().unwrap_or("no main part at all");
        return Err(bad(format!("expected {KIND}, found another kind of document ({found})")));
    }
    let styles_part = types.parts("wordprocessingml.styles+xml").next();
    let styles = match styles_part {
        Some(name) => part::read(&mut package, name, &edits)?,
        None => None,
    };
    let styles = Styles::read(styles.as_deref().unwrap_or_default())?;
    edits.begin_twins();
    for (kind, vocabulary) in PARTS {
        for name in types.parts(kind) {
            part::change(&mut package, name, &mut edits, |source, edits| match vocabulary {
                Vocabulary::Word => {
                    xml::copy(source, &mut Word::new(source, &styles, edits)?, edits)
                }
                Vocabulary::Drawing => xml::copy(source, &mut Drawing::new(edits), edits),
            })?;
        }
    }
    super::drawing::repeat(&mut package, &types, &mut edits)?;
    if let Some(name) = styles_part.filter(|_| edits.has_replaced) {
        part::change(&mut package, name, &mut edits, |source, edits| Ok(language(source, edits)))?;
    }
    package.finish(None)
}

/// The style sheet with the language of the new texts as that of the document.
fn language(styles: &str, edits: &Edits) -> String {
    let (Some(to), Some(defaults)) = (edits.to(), tag::element(styles, "w:rPrDefault")) else {
        return styles.into();
    };
    let Some(lang) = tag::element(&styles[defaults.clone()], "w:lang") else {
        return styles.into();
    };
    let place = defaults.start + lang.start..defaults.start + lang.end;
    let (before, old, after) =
        (&styles[..place.start], &styles[place.clone()], &styles[place.end..]);
    format!("{before}{}{after}", paragraph::with_language(old, to))
}

#[cfg(test)]
mod tests;
