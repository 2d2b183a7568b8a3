//! The segments of records as a translation memory: TMX 1.4b, which translators' programs read.

use crate::error::Result;
use crate::types::{Lang, Record, SegmentRecord};
use quick_xml::escape::escape;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TmxCounts {
    /// Units in the file.
    pub units: usize,
    /// Segments that were left out because the checks complain of them.
    pub doubtful: usize,
}

/// Writes the segments of records as a translation memory, each pair of texts once. What the checks
/// complain of is left out, and so is what stayed as it was. `from` is the language of all sources,
/// where it is one.
///
/// # Errors
/// When writing fails; records that are errors are left out.
pub fn tmx(
    records: impl Iterator<Item = Result<Record>>,
    from: Option<&Lang>,
    out: &mut (impl Write + ?Sized),
) -> io::Result<TmxCounts> {
    let all = from.map_or("*all*", Lang::as_str);
    let version = env!("CARGO_PKG_VERSION");
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE tmx SYSTEM \"tmx14.dtd\">\n\
         <tmx version=\"1.4\">\n\
         <header creationtool=\"polygist\" creationtoolversion=\"{version}\" \
         segtype=\"sentence\" o-tmf=\"polygist\" adminlang=\"en\" srclang=\"{}\" \
         datatype=\"plaintext\"/>\n<body>\n",
        escape(all)
    )?;
    let (mut counts, mut seen) = (TmxCounts::default(), HashSet::new());
    for record in records.flatten() {
        let Some(translation) = &record.translation else { continue };
        for segment in record.segments.iter().flatten() {
            let from = segment.language.as_ref().unwrap_or(&record.language.code);
            let to = &translation.language;
            if !is_translated(segment, from, to) {
                continue;
            }
            if !segment.problems.is_empty() {
                counts.doubtful += 1;
            } else if seen.insert(digest(segment, from, to)) {
                counts.units += 1;
                unit(segment, from, to, out)?;
            }
        }
    }
    out.write_all(b"</body>\n</tmx>\n")?;
    Ok(counts)
}

/// Whether a segment is one of two languages.
fn is_translated(segment: &SegmentRecord, from: &Lang, to: &Lang) -> bool {
    let has_words = |text: &str| text.contains(char::is_alphabetic);
    !from.is_und()
        && !from.same_base(to)
        && has_words(&segment.source)
        && !segment.target.trim().is_empty()
}

/// Few enough bytes that millions of segments can be told apart in memory.
fn digest(segment: &SegmentRecord, from: &Lang, to: &Lang) -> [u8; 12] {
    let whole = [from.as_str(), to.as_str(), &segment.source, &segment.target].join("\0");
    let mut out = [0; 12];
    out.iter_mut().zip(Sha256::digest(whole)).for_each(|(to, from)| *to = from);
    out
}

fn unit(
    segment: &SegmentRecord,
    from: &Lang,
    to: &Lang,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    writeln!(out, "<tu srclang=\"{}\">", escape(from.as_str()))?;
    for (lang, text) in [(from, &segment.source), (to, &segment.target)] {
        let (lang, text) = (escape(lang.as_str()), escaped(text));
        writeln!(out, "<tuv xml:lang=\"{lang}\"><seg>{text}</seg></tuv>")?;
    }
    out.write_all(b"</tu>\n")
}

/// A text as XML has it, without the characters that it cannot have.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if text.chars().all(is_allowed) {
        return escape(text);
    }
    let clean: String = text.chars().filter(|c| is_allowed(*c)).collect();
    escape(&clean).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::types::{Origin, Place, Problem};
    use quick_xml::Reader;
    use quick_xml::events::{BytesStart, Event};
    use std::collections::HashMap;

    fn segment(source: &str, target: &str) -> SegmentRecord {
        SegmentRecord {
            source: source.into(),
            target: target.into(),
            place: Place::Paragraph(0),
            language: None,
            confidence: Some(0.5),
            problems: Vec::new(),
            origin: Origin::Model,
        }
    }

    fn written(segments: Vec<SegmentRecord>, from: Option<&Lang>) -> (String, TmxCounts) {
        let mut record = samples::records()
            .into_iter()
            .find(|record| record.language.code.as_str() == "uk")
            .unwrap();
        record.segments = Some(segments);
        let mut out = Vec::new();
        let counts = tmx([Ok(record)].into_iter(), from, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), counts)
    }

    /// The elements of the DTD of TMX 1.4 (LISA OSCAR, 2005) that may occur here: for each the
    /// content model as a pattern over the names of its children, each with a space after it, then
    /// the attributes that it requires and the others that it may have.
    const DTD: [(&str, &str, &[&str], &[&str]); 9] = [
        ("tmx", "^header body $", &["version"], &[]),
        (
            "header",
            "^((note|prop|ude) )*$",
            &[
                "creationtool",
                "creationtoolversion",
                "segtype",
                "o-tmf",
                "adminlang",
                "srclang",
                "datatype",
            ],
            &["o-encoding", "creationdate", "creationid", "changedate", "changeid"],
        ),
        ("body", "^(tu )*$", &[], &[]),
        ("note", "^(#text )?$", &[], &["xml:lang", "o-encoding", "lang"]),
        ("prop", "^(#text )?$", &["type"], &["xml:lang", "o-encoding", "lang"]),
        (
            "tu",
            "^((note|prop) )*(tuv )+$",
            &[],
            &[
                "tuid",
                "o-encoding",
                "datatype",
                "usagecount",
                "lastusagedate",
                "creationtool",
                "creationtoolversion",
                "creationdate",
                "creationid",
                "changedate",
                "segtype",
                "changeid",
                "o-tmf",
                "srclang",
            ],
        ),
        (
            "tuv",
            "^((note|prop) )*seg $",
            &["xml:lang"],
            &[
                "o-encoding",
                "datatype",
                "usagecount",
                "lastusagedate",
                "creationtool",
                "creationtoolversion",
                "creationdate",
                "creationid",
                "changedate",
                "o-tmf",
                "changeid",
                "lang",
            ],
        ),
        ("seg", "^((#text|bpt|ept|ph|it|hi|ut) )*$", &[], &[]),
        ("ude", "^(map )+$", &["name"], &["base"]),
    ];
    const SEGMENT_TYPES: [&str; 4] = ["block", "paragraph", "sentence", "phrase"];

    /// Checks a document against [`DTD`].
    fn validate(text: &str) -> Result<(), String> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<(String, String)> = Vec::new();
        let close = |(name, children): (String, String)| {
            let (_, model, ..) = DTD.iter().find(|(known, ..)| *known == name).unwrap();
            let is_valid = regex::Regex::new(model).unwrap().is_match(&children);
            is_valid.then_some(()).ok_or(format!("<{name}> has {children}"))
        };
        loop {
            let event = reader.read_event().map_err(|e| e.to_string())?;
            match &event {
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = attributes(tag)?;
                    match open.last_mut() {
                        Some((_, children)) => *children += &format!("{name} "),
                        None if name == "tmx" => {}
                        None => return Err(format!("the root is <{name}>")),
                    }
                    open.push((name, String::new()));
                    if matches!(event, Event::Empty(_)) {
                        close(open.pop().unwrap())?;
                    }
                }
                Event::End(_) => close(open.pop().unwrap())?,
                Event::Text(found) => {
                    let Some((name, children)) = open.last_mut() else { continue };
                    let is_space = found.trim().is_empty();
                    if (!is_space || name == "seg") && !children.ends_with("#text ") {
                        children.push_str("#text ");
                    }
                }
                Event::Eof if open.is_empty() => return Ok(()),
                Event::Eof => return Err("it ends too soon".into()),
                _ => {}
            }
        }
    }

    /// Checks the attributes of a tag; gives its name.
    fn attributes(tag: &BytesStart<'_>) -> Result<String, String> {
        let name = tag.name().as_ref().to_string();
        let known = DTD.iter().find(|(known, ..)| *known == name);
        let (_, _, required, others) = known.ok_or(format!("<{name}> is no element of it"))?;
        let mut found = HashMap::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| e.to_string())?;
            let key = attribute.key.as_ref().to_string();
            if !required.contains(&key.as_str()) && !others.contains(&key.as_str()) {
                return Err(format!("<{name}> has no attribute {key}"));
            }
            found.insert(key, attribute.value.to_string());
        }
        if let Some(missing) = required.iter().find(|key| !found.contains_key(**key)) {
            return Err(format!("<{name}> lacks {missing}"));
        }
        let is_type = |value: &String| SEGMENT_TYPES.contains(&value.as_str());
        if !found.get("segtype").is_none_or(is_type) {
            return Err(format!("{found:?}"));
        }
        Ok(name)
    }

    #[test]
    fn files_are_valid_by_the_dtd() {
        let hostile = "a < b & \"c\" ]]> <seg>\u{0}\u{1b}\u{FFFF} \u{10FFFF} é";
        let segments = vec![segment("Чотири.", "Vier."), segment(hostile, hostile)];
        for from in [None, Lang::parse("uk").as_ref()] {
            let (text, counts) = written(segments.clone(), from);
            assert_eq!(validate(&text), Ok(()), "{text}");
            assert_eq!(counts.units, 2);
            let srclang = from.map_or("*all*", Lang::as_str);
            assert!(text.contains(&format!("srclang=\"{srclang}\" datatype")), "{text}");
        }
        assert_eq!(validate(&written(Vec::new(), None).0), Ok(()));
        // The check itself can fail.
        let (text, _) = written(segments, None);
        for (from, to) in [
            (" segtype=\"sentence\"", ""),
            ("segtype=\"sentence\"", "segtype=\"word\""),
            ("<tuv xml:lang=\"uk\">", "<tuv>"),
            ("<tuv xml:lang=\"uk\">", "<tuv xml:lang=\"uk\"><seg/>"),
            ("<body>", "<body><seg>x</seg>"),
            ("<tu srclang=\"uk\">", "<tu source=\"uk\">"),
            ("</seg></tuv>\n</tu>", "</seg></tuv></tu>\ntext"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(validate(&text.replace(from, to)).is_err(), "{from} → {to}");
        }
    }

    #[test]
    fn only_sound_translations_are_written_and_each_once() {
        let segments = vec![
            segment("Чотири.", "Vier."),
            segment("Чотири.", "Vier."),
            segment("Чотири.", "4."),
            segment("2026", "2026"),
            SegmentRecord { problems: vec![Problem::Number], ..segment("П'ять.", "Sechs.") },
            SegmentRecord { language: Lang::parse("de"), ..segment("Ja.", "Ja.") },
            SegmentRecord { language: Lang::parse("pt-BR"), ..segment("Sim.", "Ja.") },
        ];
        let (text, counts) = written(segments, None);
        assert_eq!(counts, TmxCounts { units: 3, doubtful: 1 });
        assert!(text.contains("<tuv xml:lang=\"pt-BR\"><seg>Sim.</seg></tuv>"), "{text}");
        assert!(!text.contains("Sechs"), "{text}");
    }
}
