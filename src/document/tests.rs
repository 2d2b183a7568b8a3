//! What holds for every format: what is not changed comes back to the byte, markup comes through,
//! and no file, however it is broken, does more than fail with a reason.

use super::package::tests::{pack, unpack};
use super::*;
#[cfg(test)]
use crate::testing::numbers;
use std::collections::BTreeMap;

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const TYPE: &str = "application/vnd.openxmlformats-officedocument";
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0no more than this";

/// A container, and the part of it that has the text.
struct Sample {
    format: &'static DocumentFormat,
    parts: Vec<(&'static str, Vec<u8>)>,
    main: &'static str,
}

impl Sample {
    fn new(
        format: &'static DocumentFormat,
        main: &'static str,
        parts: &[(&'static str, String)],
    ) -> Sample {
        let parts = parts.iter().map(|(name, text)| (*name, text.clone().into_bytes()));
        Sample { format, parts: parts.collect(), main }
    }

    fn bytes(&self) -> Vec<u8> {
        let parts: Vec<(&str, &[u8])> =
            self.parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        pack(&parts)
    }

    fn main(&self) -> String {
        let (_, bytes) = self.parts.iter().find(|(name, _)| *name == self.main).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }

    /// The same with another main part.
    fn with_main(&self, text: impl Into<Vec<u8>>) -> Vec<u8> {
        let mut parts = self.parts.clone();
        let part = parts.iter_mut().find(|(name, _)| *name == self.main).unwrap();
        part.1 = text.into();
        Sample { parts, ..*self }.bytes()
    }

    /// The same with one more part.
    fn with_part(&self, name: &'static str, bytes: Vec<u8>) -> Vec<u8> {
        let mut parts = self.parts.clone();
        parts.push((name, bytes));
        Sample { parts, ..*self }.bytes()
    }
}

fn xml(text: String) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}")
}

fn containers() -> Vec<Sample> {
    let run = |text: &str| format!("<w:r><w:t>{text}</w:t></w:r>");
    let docx = format!(
        "<w:document xmlns:w=\"{WORD}\" xmlns:r=\"{RELATIONS}\"><w:body><w:p>{}<w:hyperlink \
         r:id=\"rId9\"><w:r><w:rPr><w:b/></w:rPr><w:t>um rio</w:t></w:r></w:hyperlink>{}</w:p>\
         </w:body></w:document>",
        run("A ponte sobre "),
        run(" fechou.")
    );
    let types = |part: &str, kind: &str| {
        xml(format!("<Types><Override PartName=\"{part}\" ContentType=\"{TYPE}.{kind}\"/></Types>"))
    };
    let outside = format!(
        "<Relationships><Relationship Id=\"rId9\" Type=\"{RELATIONS}/hyperlink\" \
         Target=\"file:///etc/passwd\" TargetMode=\"External\"/></Relationships>"
    );
    let slides = format!(
        "<p:presentation xmlns:p=\"p\" xmlns:r=\"{RELATIONS}\"><p:sldIdLst><p:sldId id=\"256\" \
         r:id=\"rId1\"/></p:sldIdLst></p:presentation>"
    );
    let slide = format!(
        "<p:sld xmlns:p=\"p\" xmlns:a=\"{DRAWING}\"><p:txBody><a:p><a:r><a:t>A ponte </a:t></a:r>\
         <a:r><a:rPr b=\"1\"/><a:t>fechou</a:t></a:r><a:fld id=\"1\" type=\"slidenum\"><a:t>1</a:t>\
         </a:fld></a:p></p:txBody></p:sld>"
    );
    let slide_relation = format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{RELATIONS}/slide\" \
         Target=\"slides/slide1.xml\"/></Relationships>"
    );
    let odt = "<office:document-content xmlns:office=\"o\" xmlns:text=\"t\" xmlns:xlink=\"x\">\
               <office:body><office:text><text:h text:outline-level=\"1\">A ponte</text:h><text:p>\
               Ela <text:span text:style-name=\"T1\">fechou</text:span> em <text:a \
               xlink:href=\"https://x.org\">maio</text:a>.</text:p></office:text></office:body>\
               </office:document-content>";
    let container = "<container><rootfiles><rootfile full-path=\"OEBPS/book.opf\"/></rootfiles>\
                     </container>";
    let opf = "<package><metadata><dc:title xmlns:dc=\"d\">A ponte</dc:title></metadata><manifest>\
               <item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest>\
               <spine><itemref idref=\"a\"/></spine></package>";
    let chapter = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><h1>A ponte</h1><p>Ela \
                   <b>fechou</b> em <a href=\"https://x.org\">maio</a>.<img src=\"a.png\" \
                   alt=\"Uma ponte\"/></p></body></html>";
    let presentation = format!(
        "<Types><Override PartName=\"/ppt/presentation.xml\" \
         ContentType=\"{TYPE}.presentationml.presentation.main+xml\"/><Override \
         PartName=\"/ppt/slides/slide1.xml\" ContentType=\"{TYPE}.presentationml.slide+xml\"/></Types>"
    );
    let picture = String::from_utf8_lossy(PICTURE).into_owned();
    vec![
        Sample::new(
            &docx::DOCX,
            "word/document.xml",
            &[
                (
                    "[Content_Types].xml",
                    types("/word/document.xml", "wordprocessingml.document.main+xml"),
                ),
                ("word/document.xml", xml(docx)),
                ("word/_rels/document.xml.rels", xml(outside)),
                ("word/media/image1.png", picture.clone()),
            ],
        ),
        Sample::new(
            &pptx::PPTX,
            "ppt/slides/slide1.xml",
            &[
                ("[Content_Types].xml", xml(presentation)),
                ("ppt/presentation.xml", xml(slides)),
                ("ppt/_rels/presentation.xml.rels", xml(slide_relation)),
                ("ppt/slides/slide1.xml", xml(slide)),
                ("ppt/media/image1.png", picture.clone()),
            ],
        ),
        Sample::new(
            &odt::ODT,
            "content.xml",
            &[
                ("mimetype", "application/vnd.oasis.opendocument.text".into()),
                ("content.xml", xml(odt.into())),
                ("META-INF/manifest.xml", xml("<manifest/>".into())),
                ("Pictures/a.png", picture.clone()),
            ],
        ),
        Sample::new(
            &epub::EPUB,
            "OEBPS/a.xhtml",
            &[
                ("mimetype", "application/epub+zip".into()),
                ("META-INF/container.xml", xml(container.into())),
                ("OEBPS/book.opf", xml(opf.into())),
                ("OEBPS/a.xhtml", xml(chapter.into())),
                ("OEBPS/a.png", picture),
            ],
        ),
    ]
}

/// Files that are text.
fn files() -> Vec<(&'static DocumentFormat, &'static str)> {
    vec![
        (
            &subtitles::SRT,
            "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>A ponte</i>\r\nfechou.\r\n\r\n",
        ),
        (&subtitles::VTT, "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 line:0\n<v Ana>A ponte.\n"),
        (
            &po::PO,
            "msgid \"\"\nmsgstr \"Language: pt\\n\"\n\n#, c-format\nmsgid \"%d pontes\"\nmsgstr \"\"\n",
        ),
        (
            &xliff::XLIFF,
            "<?xml version=\"1.0\"?>\n<xliff version=\"1.2\"><file source-language=\"pt\" \
             target-language=\"en\"><body><trans-unit id=\"1\"><source>A <g \
             id=\"1\">ponte</g></source></trans-unit></body></file></xliff>\n",
        ),
        (&table::CSV, "id;texto\r\n1;\"A ponte; fechou hoje\"\r\n2;Ela fechou em maio\r\n"),
        (
            &HTML,
            "<!DOCTYPE html>\n<p class=a>A <b>ponte</b> &eacute; <img alt='Uma ponte' src=a.png>\n",
        ),
    ]
}

/// Every sample as bytes.
fn all() -> Vec<(&'static DocumentFormat, Vec<u8>)> {
    let containers = containers();
    let packed = containers.iter().map(|sample| (sample.format, sample.bytes()));
    packed.chain(files().into_iter().map(|(format, text)| (format, text.into()))).collect()
}

fn settings() -> Settings {
    Settings { max_bytes: 1 << 20, to: Lang::parse("en"), ..Settings::default() }
}

#[test]
fn nothing_changed_is_the_same_to_the_byte() {
    for (format, bytes) in all() {
        let found = format.read(&bytes, &settings()).unwrap();
        let texts: Vec<&Block> = found.iter().filter(|b| b.kind != BlockKind::Verbatim).collect();
        assert!(!texts.is_empty(), "{}", format.name);
        assert!(texts.iter().any(|block| block.text.contains("ponte")), "{}", format.name);
        assert_eq!(format.write(&bytes, &settings(), []).unwrap(), bytes, "{}", format.name);
        let same: Vec<Marked> = texts.iter().map(|block| block.marked()).collect();
        let instead = translated(format, &bytes, &settings(), &same, Placement::Instead);
        assert_eq!(instead.unwrap(), bytes, "{}", format.name);
    }
}

/// How often each tag stands in some XML, without what a new text changes: the language.
fn tags(xml: &str) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    for (at, _) in xml.match_indices('<') {
        let tag = &xml[at..at + xml[at..].find('>').unwrap() + 1];
        let name = tag.trim_matches(['<', '/', '>']).split([' ', '/', '>']).next().unwrap();
        *found.entry(name).or_default() += 1;
    }
    found
}

#[test]
fn markup_comes_through_whatever_the_texts_become() {
    for sample in containers() {
        let bytes = sample.bytes();
        for seed in 0..50 {
            let mut next = numbers(seed);
            let out = (sample.format.rewrite)(&bytes, &settings(), &mut |block| {
                let words = ["A & B", "<i>", "字", "two", "\"x\"", "]]>"];
                let mut new = block.marked();
                new.text = (0..1 + next(6)).map(|_| words[next(words.len())]).collect();
                let end = new.text.len();
                let mut places: Vec<usize> = new
                    .inline
                    .tags
                    .iter()
                    .map(|_| new.text.floor_char_boundary(next(end + 1)))
                    .collect();
                places.sort_unstable();
                new.inline.tags.iter_mut().zip(places).for_each(|(tag, at)| tag.at = at);
                Ok(Edit::Replace(new))
            });
            let out = out.unwrap();
            let (old, new) = (sample.main(), unpack(&out, sample.main));
            let count = |text: &str, name: &str| tags(text).get(name).copied().unwrap_or(0);
            // Links, images, fields: as often as before. Formats are divided as need be.
            for name in ["w:hyperlink", "a:fld", "text:a", "a", "img", "b"] {
                assert_eq!(count(&new, name), count(&old, name), "{name} {seed}\n{new}");
            }
            assert!(sample.format.read(&out, &settings()).is_ok(), "{new}");
            for (name, bytes) in &sample.parts {
                if name.ends_with(".png") || name.ends_with(".rels") {
                    assert_eq!(unpack(&out, name).as_bytes(), bytes.as_slice(), "{name}");
                }
            }
        }
    }
}

/// The reason for which a file is refused.
fn refusal(format: &DocumentFormat, bytes: &[u8]) -> String {
    match format.read(bytes, &settings()) {
        Err(Error::Input { message, .. }) => message,
        Err(other) => panic!("{}: {other}", format.name),
        Ok(blocks) => panic!("{}: {blocks:?}", format.name),
    }
}

#[test]
fn hostile_containers_are_refused_with_the_reason() {
    for sample in containers() {
        let (format, bytes) = (sample.format, sample.bytes());
        for length in (0..bytes.len()).step_by(7) {
            assert!(!refusal(format, &bytes[..length]).is_empty());
        }
        let slip = sample.with_part("../../outside.xml", b"x".to_vec());
        assert!(refusal(format, &slip).contains("leads out of its folder"));
        // Two bombs: in the text, and in what entities would become.
        let bomb = sample.main() + &" ".repeat(64 << 20);
        let bomb = sample.with_main(bomb);
        assert!(bomb.len() < 1 << 20);
        assert!(refusal(format, &bomb).contains("more than the limit"));
        let text = sample.main();
        let body = text.split_once("?>").unwrap().1;
        let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>";
        let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
        if format.name != "epub" {
            for declared in [laughs, outside] {
                let message = refusal(format, &sample.with_main([declared, body].concat()));
                assert!(message.contains("declarations of its own"), "{message}");
            }
            let open = sample.with_main(&body[..body.len() - 9]);
            assert!(refusal(format, &open).contains("well-formed"));
        }
        // An image, however large, is not looked at.
        let image = sample.with_part("media/huge.png", vec![0; 64 << 20]);
        assert!(format.read(&image, &settings()).is_ok());
        let out = (format.rewrite)(&image, &settings(), &mut |block| {
            Ok(Edit::Replace(Marked { text: "New".into(), ..block.marked() }))
        });
        assert!(out.unwrap().len() < 1 << 20);
        // Another document of the same kind of container is not taken for this one.
        for other in containers().iter().filter(|other| other.format.name != format.name) {
            assert!(refusal(format, &other.bytes()).contains("expected"));
        }
        let others: [(&[u8], &str); 3] =
            [(b"%PDF-1.7", "PDF"), (b"\xD0\xCF\x11\xE0", "password"), (b"", "no bytes")];
        for (start, what) in others {
            assert!(refusal(format, start).contains(what));
        }
    }
}

#[test]
fn deep_and_long_parts_take_bounded_time() {
    let started = std::time::Instant::now();
    for sample in containers() {
        let main = sample.main();
        let (start, end) = main.split_once("ponte").unwrap();
        let inner = match sample.format.name {
            "odt" => ("<text:span>", "</text:span>"),
            "epub" => ("<b>", "</b>"),
            _ => ("<!--", "-->"),
        };
        for many in [5_000, 20_000] {
            let deep = format!("{start}{}ponte{}{end}", inner.0.repeat(many), inner.1.repeat(many));
            let large = Settings { max_bytes: 64 << 20, ..settings() };
            // Read or refused: in either case soon.
            _ = sample.format.read(&sample.with_main(deep), &large);
        }
    }
    assert!(started.elapsed().as_secs() < 120);
}

#[test]
fn no_bytes_do_more_than_fail() {
    for (format, bytes) in all() {
        for seed in 0..400 {
            let mut next = numbers(seed);
            let mut broken = bytes.clone();
            for _ in 0..1 + next(4) {
                let at = next(broken.len().max(1));
                match next(5) {
                    0 => broken.truncate(at),
                    1 if at < broken.len() => broken[at] = next(256) as u8,
                    2 => _ = broken.drain(at..(at + next(9)).min(broken.len())),
                    3 => broken.insert(at.min(broken.len()), b"<>&\"\0\xff\n{"[next(8)]),
                    _ => {
                        let part = broken[at.min(broken.len())..].to_vec();
                        broken.extend_from_slice(&part[..part.len().min(64)]);
                    }
                }
            }
            let out = (format.rewrite)(&broken, &settings(), &mut |block| {
                Ok(Edit::Replace(Marked { text: block.text.to_uppercase(), inline: block.inline }))
            });
            match out {
                Ok(_) => {}
                Err(Error::Input { message, .. }) => assert!(!message.is_empty()),
                Err(other) => panic!("{} {seed}: {other}", format.name),
            }
        }
    }
}

#[test]
fn all_formats_are_those_of_documents() {
    for format in FORMATS {
        assert!(Format::of_name(format.name).is_some_and(Format::is_document), "{}", format.name);
    }
    assert!(!Format::Html.is_document() && !Format::Table.is_document());
}
