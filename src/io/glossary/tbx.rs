//! TBX (ISO 30042), as of 2008 (`martif`, `termEntry`, `langSet`) and of 2019 (`tbx`,
//! `conceptEntry`, `langSec`): the terms of a concept in each of its languages.

use super::{keep, one_line};
use crate::languages;
use crate::types::{GlossaryEntry, Lang};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Most languages of a concept, each of which is paired with each.
const MOST_LANGUAGES: usize = 64;

/// Deepest element.
const DEPTH: usize = 64;

/// A term as it is read.
#[derive(Clone, Debug, Default)]
struct Found {
    text: String,
    /// Whether it is one that should not be used.
    is_refused: bool,
}

/// The terms of a concept in a language.
#[derive(Clone, Debug)]
struct Section {
    lang: Lang,
    terms: Vec<Found>,
}

/// What is being read.
#[derive(Default)]
struct Concept {
    sections: Vec<Section>,
    note: Option<String>,
}

/// Where the text that comes next belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Term,
    Status,
    Note,
}

/// The entries of a TBX file; an error is a phrase that follows the file's name.
pub(super) fn read(text: &str) -> Result<Vec<GlossaryEntry>, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut entries = Vec::new();
    let (mut depth, mut is_tbx) = (0, false);
    let (mut concept, mut place, mut written) = (Concept::default(), None, String::new());
    // Lines are counted as the reader goes on.
    let (mut line, mut counted) = (1, 0);
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(text.len());
        line += text.as_bytes()[counted..at.max(counted)].iter().filter(|&&b| b == b'\n').count();
        counted = at.max(counted);
        let event = reader
            .read_event()
            .map_err(|e| format!("line {line}: expected well-formed XML, found {e}"))?;
        match event {
            Event::Start(tag) | Event::Empty(tag) if !is_tbx => {
                is_tbx = matches!(tag.local_name().as_ref(), "martif" | "tbx");
                if !is_tbx {
                    let name = tag.name().as_ref().to_string();
                    return Err(format!(
                        "line {line}: expected TBX, whose first element is martif or tbx, found \
                         {name}; or a table, as the line `chat,cat`"
                    ));
                }
                depth += 1;
            }
            Event::Start(tag) => {
                depth += 1;
                if depth > DEPTH {
                    return Err(format!("line {line}: expected elements up to {DEPTH} deep"));
                }
                place = concept.open(&tag, line)?.or(place.filter(|_| is_inline(&tag)));
                if !is_inline(&tag) {
                    written.clear();
                }
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                let name = tag.local_name();
                if let (Some(own), true) = (place, !is_inline_name(name.as_ref())) {
                    concept.close(own, &written);
                    (place, written) = (None, String::new());
                }
                if matches!(name.as_ref(), "termEntry" | "conceptEntry") {
                    for entry in std::mem::take(&mut concept).entries() {
                        keep(&mut entries, entry, line)?;
                    }
                }
            }
            Event::Text(text) if place.is_some() => {
                written.push_str(&text.xml10_content());
            }
            Event::CData(text) if place.is_some() => {
                written.push_str(&text.xml10_content());
            }
            Event::GeneralRef(name) if place.is_some() => {
                let reference = format!("&{};", &*name);
                let text = quick_xml::escape::unescape(&reference).map_err(|e| {
                    format!("line {line}: expected a character that XML knows, found {e}")
                })?;
                written.push_str(&text);
            }
            Event::Eof if depth > 0 => {
                return Err(format!(
                    "line {line}: the file ends within an element; it was cut off"
                ));
            }
            Event::Eof => return Ok(entries),
            _ => {}
        }
    }
}

/// Whether an element is markup within a term or a note.
fn is_inline(tag: &BytesStart<'_>) -> bool {
    is_inline_name(tag.local_name().as_ref())
}

fn is_inline_name(name: &str) -> bool {
    matches!(name, "hi" | "foreign" | "bpt" | "ept" | "ph" | "it" | "sc" | "ec")
}

impl Concept {
    /// Takes the start of an element, and says where its text belongs.
    fn open(&mut self, tag: &BytesStart<'_>, line: usize) -> Result<Option<Place>, String> {
        let attribute = |wanted: &str| {
            let mut all = tag.attributes();
            let mut found =
                all.with_checks(false).filter_map(Result::ok).filter(|a| a.key.as_ref() == wanted);
            found.next().map(|a| a.value.into_owned())
        };
        Ok(match tag.local_name().as_ref() {
            "termEntry" | "conceptEntry" => {
                *self = Concept::default();
                None
            }
            "langSet" | "langSec" => {
                let code = attribute("xml:lang").or_else(|| attribute("lang"));
                let code = code.unwrap_or_default();
                let lang = Lang::parse(&code).ok_or_else(|| {
                    format!("line {line}: expected a language, as xml:lang=\"fr\", found “{code}”")
                })?;
                if self.sections.len() >= MOST_LANGUAGES {
                    return Err(format!(
                        "line {line}: expected a concept in up to {MOST_LANGUAGES} languages"
                    ));
                }
                let lang = languages::canonical(&lang);
                self.sections.push(Section { lang, terms: Vec::new() });
                None
            }
            "term" => Some(Place::Term),
            "administrativeStatus" | "normativeAuthorization" => Some(Place::Status),
            "termNote" => match attribute("type").as_deref() {
                Some("administrativeStatus" | "normativeAuthorization") => Some(Place::Status),
                _ => None,
            },
            "note" | "descrip" => Some(Place::Note),
            _ => None,
        })
    }

    /// Takes the text of an element.
    fn close(&mut self, place: Place, text: &str) {
        let text = one_line(text);
        let section = self.sections.last_mut();
        match (place, section) {
            (Place::Term, Some(section)) if !text.is_empty() => {
                section.terms.push(Found { text, is_refused: false });
            }
            (Place::Status, Some(section)) => {
                let text = text.to_lowercase();
                let is_refused = ["deprecated", "superseded", "obsolete"]
                    .into_iter()
                    .any(|word| text.contains(word));
                if let Some(term) = section.terms.last_mut() {
                    term.is_refused |= is_refused;
                }
            }
            (Place::Note, None) if !text.is_empty() => self.note = Some(text),
            _ => {}
        }
    }

    /// Each language's terms as translations of those of each other. What should not be used is
    /// still looked for in a source.
    fn entries(self) -> impl Iterator<Item = GlossaryEntry> {
        let mut entries = Vec::new();
        for (at, from) in self.sections.iter().enumerate() {
            for (other, to) in self.sections.iter().enumerate() {
                let source: Vec<String> = from.terms.iter().map(|t| t.text.clone()).collect();
                let good = to.terms.iter().filter(|term| !term.is_refused);
                let target: Vec<String> = good.map(|term| term.text.clone()).collect();
                let is_pair = at != other && !languages::is_same_written(&from.lang, &to.lang);
                if is_pair && !source.is_empty() && !target.is_empty() {
                    entries.push(GlossaryEntry {
                        source,
                        target,
                        from: Some(from.lang.clone()),
                        to: Some(to.lang.clone()),
                        case: None,
                        note: self.note.clone(),
                    });
                }
            }
        }
        entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">
<martif type="TBX-Basic" xml:lang="en"><martifHeader><fileDesc><sourceDesc><p>made up</p>
</sourceDesc></fileDesc></martifHeader><text><body>
<termEntry id="c1"><descrip type="definition">An animal &amp; a pet</descrip>
 <langSet xml:lang="en"><tig><term>cat</term></tig><tig><term>tom <hi>cat</hi></term></tig></langSet>
 <langSet xml:lang="pt-BR"><ntig><termGrp><term>gato</term></termGrp></ntig>
  <tig><term>bichano</term><termNote type="administrativeStatus">deprecatedTerm-admn-sts</termNote></tig>
 </langSet>
</termEntry>
<termEntry id="c2"><langSet xml:lang="fr"><tig><term>chien</term></tig></langSet></termEntry>
</body></text></martif>"#;

    const OF_2019: &str = r#"<tbx style="dca" type="TBX-Core" xml:lang="en"
 xmlns="urn:iso:std:iso:30042:ed-2"><tbxHeader/><text><body>
<conceptEntry id="1"><langSec xml:lang="de"><termSec><term>R&amp;D&#x2011;Kosten</term></termSec></langSec>
<langSec xml:lang="en"><termSec><term>R&amp;D costs</term></termSec>
<termSec><term><![CDATA[costs of R&D]]></term></termSec></langSec></conceptEntry>
</body></text></tbx>"#;

    fn shown(text: &str) -> Vec<String> {
        let code = |lang: &Option<Lang>| lang.as_ref().map_or("-".into(), Lang::to_string);
        let show = |e: &GlossaryEntry| {
            let (from, to) = (code(&e.from), code(&e.to));
            format!("{from} {}>{to} {}", e.source.join("|"), e.target.join("|"))
        };
        read(text).unwrap().iter().map(show).collect()
    }

    #[test]
    fn concepts_are_read_in_both_forms() {
        assert_eq!(shown(CORE), ["en cat|tom cat>pt gato", "pt gato|bichano>en cat|tom cat"]);
        assert_eq!(read(CORE).unwrap()[0].note.as_deref(), Some("An animal & a pet"));
        assert_eq!(
            shown(OF_2019),
            [
                "de R&D\u{2011}Kosten>en R&D costs|costs of R&D",
                "en R&D costs|costs of R&D>de R&D\u{2011}Kosten"
            ]
        );
    }

    #[test]
    fn what_is_no_tbx_is_told_with_its_line() {
        let error = |text: &str| read(text).unwrap_err();
        assert!(error("<html><body/></html>").starts_with("line 1: expected TBX"));
        assert!(error("<tbx>\n<body>\n").starts_with("line 3: the file ends"));
        assert!(error("<tbx>\n<a></b></tbx>").starts_with("line 2: expected well-formed"));
        let unknown =
            "<tbx><text><body>\n<conceptEntry><langSec xml:lang=\"en\">\n<term>&x;</term>";
        assert!(error(unknown).starts_with("line 3: expected a character"), "{}", error(unknown));
        let nameless = "<tbx><conceptEntry>\n<langSec><term>a</term></langSec>";
        assert!(error(nameless).starts_with("line 2: expected a language"), "{}", error(nameless));
        let deep = format!("<tbx>{}", "<a>".repeat(100));
        assert!(error(&deep).contains("up to 64 deep"));
    }
}
