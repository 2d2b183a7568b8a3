//! Presentations.

use super::drawing::{self, Drawing};
use super::edits::Edits;
use super::opc::{self, Types};
use super::package::{Package, bad};
use super::xml::{self, Kind, Tokens};
use super::{DocumentFormat, Edit, Settings, part};
use crate::error::Result;
use crate::text::tag;
use crate::types::Block;

/// PowerPoint presentations: slides in their order, each with its charts, diagrams and notes.
pub(super) static PPTX: DocumentFormat = DocumentFormat {
    name: "pptx",
    extensions: &["pptx", "pptm", "ppsx", "potx"],
    detect: |head| opc::names(head, "ppt/"),
    rewrite,
};

const KIND: &str = "a PowerPoint presentation (.pptx)";

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let mut package = Package::open(bytes, settings, KIND)?;
    let mut edits = Edits::new(settings, edit);
    let types = Types::read(&mut package, &edits, KIND)?;
    let main = types.parts(".main+xml").find(|name| {
        types
            .parts("presentation.main+xml")
            .chain(types.parts("slideshow.main+xml"))
            .chain(types.parts("template.main+xml"))
            .chain(types.parts("macroEnabled.main+xml"))
            .any(|n| n == *name)
            && name.starts_with("ppt")
    });
    let Some(main) = main.filter(|name| package.has(name)) else {
        let found = types.main().unwrap_or("no main part at all");
        return Err(bad(format!("expected {KIND}, found another kind of document ({found})")));
    };
    edits.begin_twins();
    for slide in slides(&mut package, main, &edits)? {
        let parts = opc::relations(&mut package, &slide, &edits)?;
        let of = |kinds: &'static [&str]| {
            let parts = parts.iter().filter(|(_, kind, _)| kinds.contains(&kind.as_str()));
            parts.map(|(_, _, name)| name.clone())
        };
        let own = [slide.clone()].into_iter();
        for name in own.chain(of(&["chart", "diagramData"])).chain(of(&["notesSlide"])) {
            part::change(&mut package, &name, &mut edits, |source, edits| {
                xml::copy(source, &mut Drawing::new(edits), edits)
            })?;
        }
    }
    drawing::repeat(&mut package, &types, &mut edits)?;
    package.finish(None)
}

/// The slides in the order of the show.
fn slides(package: &mut Package, main: &str, edits: &Edits) -> Result<Vec<String>> {
    let list = part::read(package, main, edits)?.unwrap_or_default();
    let relations = opc::relations(package, main, edits)?;
    let (mut slides, mut tokens) = (Vec::new(), Tokens::new(&list));
    while let Some(token) = tokens.next()? {
        let is_slide = matches!(token.kind, Kind::Start | Kind::Empty) && token.name() == "p:sldId";
        if let Some(id) = tag::value(token.raw, "r:id").filter(|_| is_slide) {
            let slide = relations.iter().find(|(known, _, _)| known == id);
            slides.extend(slide.map(|(_, _, name)| name.clone()).filter(|n| !slides.contains(n)));
        }
    }
    Ok(slides)
}
