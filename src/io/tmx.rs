//! Translation memories in TMX (Translation Memory eXchange, LISA OSCAR, versions 1.1 to 1.4b), as
//! translators' programs write them.
//!
//! Only the texts are read: formatting inside of a segment is left out, attributes and notes are
//! passed over. The bytes are untrusted: nothing is expanded or fetched, sizes are bounded.

use super::articles::{FoundFile, decode_labelled, whole};
use super::files::sha256_hex;
use crate::document::{Kind, Tokens};
use crate::error::{Error, Result};
use crate::languages::{canonical, is_same_written};
use crate::types::{Lang, TranslationMemory};
use std::path::Path;

/// Most bytes of a file, unpacked.
const LARGEST: usize = 512 << 20;
/// A longer segment is no sentence, and is passed over.
const LONGEST: usize = 64 << 10;
/// Most languages of a unit.
const MOST_VARIANTS: usize = 512;

/// Elements whose content is another program's code, and none of the text.
const CODES: [&str; 5] = ["bpt", "ept", "it", "ph", "ut"];

/// What was read of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMemory {
    /// SHA-256 of its bytes, unpacked, in hex.
    pub sha256: String,
    /// Translations into the language wanted.
    pub translations: usize,
}

/// Adds the translations of a file, which may be packed by gzip, to a memory: from any language of
/// a unit into the memory's own.
///
/// # Errors
/// When it cannot be read, is larger than 512 MiB, or is no TMX.
pub fn read(path: &Path, memory: &mut TranslationMemory) -> Result<ReadMemory> {
    let name = path.display().to_string();
    let wrong = |message: String| Error::input(&name, message);
    let file = FoundFile { path: path.into(), id: name.clone(), format: None, copy_of: None };
    let bytes = whole(&file, LARGEST)?;
    let sha256 = sha256_hex(&bytes);
    let label = declared(&bytes);
    let text = decode_labelled(bytes, label.as_deref(), false, &mut Vec::new()).map_err(wrong)?;
    let translations = add(&text, memory).map_err(|error| match error {
        Error::Input { message, .. } => wrong(message),
        other => other,
    })?;
    Ok(ReadMemory { sha256, translations })
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_string)
}

/// A unit that is being read.
#[derive(Default)]
struct Unit {
    /// Texts with their languages; `None` where a text is too long or its language is none.
    variants: Vec<Option<(Lang, String)>>,
    language: Option<Lang>,
    text: String,
    in_segment: bool,
    /// How deep in codes.
    codes: usize,
}

/// Adds the translations of a TMX document; gives their number.
///
/// # Errors
/// When it is none; the message is a phrase that follows the file's name.
fn add(text: &str, memory: &mut TranslationMemory) -> Result<usize> {
    let mut tokens = Tokens::new(text);
    let (mut unit, mut found, mut is_tmx) = (Unit::default(), 0, false);
    while let Some(token) = tokens.next()? {
        let name = match token.kind {
            Kind::Start | Kind::End | Kind::Empty => token.name(),
            Kind::Text | Kind::Other => "",
        };
        if !is_tmx && token.kind == Kind::Start {
            is_tmx = name == "tmx";
            if !is_tmx {
                let message =
                    format!("expected a TMX file, which begins with <tmx>, found <{name}>");
                return Err(Error::input("", message));
            }
        }
        match (token.kind, name) {
            (Kind::Start, "tu") => unit = Unit::default(),
            (Kind::Start, "tuv") => {
                let code = token.value("xml:lang").or_else(|| token.value("lang"));
                unit.language = code.and_then(|code| Lang::parse(&code)).map(|l| canonical(&l));
                unit.text.clear();
            }
            (Kind::Start, "seg") => (unit.in_segment, unit.codes) = (true, 0),
            (Kind::End, "seg") => unit.in_segment = false,
            (Kind::Start, name) if CODES.contains(&name) => unit.codes += 1,
            (Kind::End, name) if CODES.contains(&name) => {
                unit.codes = unit.codes.saturating_sub(1);
            }
            (Kind::Text, _) if unit.takes_text() => unit.text.push_str(&token.text()?),
            (Kind::End, "tuv") => unit.end_variant()?,
            (Kind::End, "tu") => found += std::mem::take(&mut unit).add_to(memory),
            _ => {}
        }
    }
    if !is_tmx {
        return Err(Error::input("", "expected a TMX file, found no element in it"));
    }
    Ok(found)
}

impl Unit {
    /// Whether what comes now is text of a segment that may be a sentence.
    fn takes_text(&self) -> bool {
        self.in_segment && self.codes == 0 && self.text.len() <= LONGEST
    }

    fn end_variant(&mut self) -> Result<()> {
        if self.variants.len() == MOST_VARIANTS {
            let message = format!("has a unit in more than {MOST_VARIANTS} languages");
            return Err(Error::input("", message));
        }
        let text = std::mem::take(&mut self.text);
        let language = self.language.take().filter(|_| text.len() <= LONGEST);
        self.variants.push(language.map(|language| (language, text)));
        Ok(())
    }

    /// Adds each pair of a text and its translation; gives their number.
    fn add_to(self, memory: &mut TranslationMemory) -> usize {
        let to = memory.to().clone();
        let is_target = |(language, _): &&(Lang, String)| is_same_written(language, &to);
        let mut found = 0;
        for (into, target) in self.variants.iter().flatten().filter(is_target) {
            let others = self.variants.iter().flatten().filter(|(from, _)| !from.same_base(&to));
            for (from, source) in others {
                memory.insert(from, source, into, target);
                found += 1;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(to: &str, body: &str) -> Result<TranslationMemory> {
        let mut memory = TranslationMemory::new(&Lang::parse(to).unwrap());
        add(&format!("<tmx version=\"1.4\"><header/><body>{body}</body></tmx>"), &mut memory)?;
        Ok(memory)
    }

    const UNIT: &str = r#"<tu><tuv xml:lang="FR-fr"><prop type="x">no</prop><seg>Le <bpt i="1">&lt;b&gt;<sub>no</sub></bpt>pont<ept i="1">&lt;/b&gt;</ept>
        <hi type="x">est</hi> ferm&#233; &amp; vide.</seg></tuv><tuv lang="en-GB"><seg>The bridge is <![CDATA[closed & empty]]>.</seg></tuv>
        <tuv xml:lang="zh_TW"><seg>橋</seg></tuv><tuv xml:lang="nothing at all"><seg>?</seg></tuv></tu>"#;

    #[test]
    fn texts_are_read_without_their_codes() {
        let lang = |code: &str| Lang::parse(code).unwrap();
        let source = "Le pont est fermé & vide.";
        let english = memory("en", UNIT).unwrap();
        assert_eq!(english.find(&lang("fr"), source), Some("The bridge is closed & empty."));
        assert_eq!(english.find(&lang("zh"), "橋"), Some("The bridge is closed & empty."));
        // Also the other way round; and simplified Chinese is not traditional.
        let french = memory("fr", UNIT).unwrap();
        assert_eq!(french.find(&lang("en"), "The bridge is closed & empty."), Some(source));
        assert_eq!(memory("zh-TW", UNIT).unwrap().find(&lang("fr"), source), Some("橋"));
        assert!(memory("zh", UNIT).unwrap().is_empty() && memory("de", UNIT).unwrap().is_empty());
    }

    #[test]
    fn files_are_read_in_any_encoding_and_packed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tmx");
        let head = "<?xml version='1.0' encoding = 'ENC'?>\n<!DOCTYPE tmx SYSTEM \"tmx14.dtd\">\n";
        let whole = format!("{head}<tmx version=\"1.4\"><header/><body>{UNIT}</body></tmx>");
        let whole = whole.replace('橋', "pont");
        let utf16: Vec<u8> = std::iter::once(0xFEFF)
            .chain(whole.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let latin = whole.replace("ENC", "iso-8859-1").replace("&#233;", "é");
        let latin1 = encoding_rs::WINDOWS_1252.encode(&latin).0.into_owned();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, whole.replace("ENC", "UTF-8").as_bytes()).unwrap();
        for bytes in [utf16, latin1, packed.finish().unwrap()] {
            std::fs::write(&path, bytes).unwrap();
            let mut memory = TranslationMemory::new(&Lang::en());
            assert_eq!(read(&path, &mut memory).unwrap().translations, 2);
            let fr = Lang::parse("fr").unwrap();
            assert!(memory.find(&fr, "Le pont est fermé & vide.").is_some());
        }
        let error = read(&dir.path().join("none.tmx"), &mut TranslationMemory::new(&Lang::en()));
        assert!(error.unwrap_err().to_string().contains("none.tmx"));
    }

    #[test]
    fn hostile_files_are_refused_and_odd_ones_read() {
        let mut memory = TranslationMemory::new(&Lang::en());
        let mut message = |text: &str| add(text, &mut memory).unwrap_err().to_string();
        let bomb = "<!DOCTYPE tmx [<!ENTITY a 'aaaa'><!ENTITY b SYSTEM 'file:///etc/passwd'>]>";
        assert!(message(&format!("{bomb}<tmx>&b;</tmx>")).contains("declarations of its own"));
        let unknown = UNIT.replace("&amp;", "&xxe;");
        let whole = |body: &str| format!("<tmx><body>{body}</body></tmx>");
        assert!(message(&whole(&unknown)).contains("XML"));
        assert!(message("<html><body/></html>").contains("expected a TMX file"));
        assert!(message("").contains("expected a TMX file"));
        assert!(message("<tmx><body><tu>").contains("ends before"));
        let variant = "<tuv xml:lang=\"en\"><seg>a</seg></tuv>";
        assert!(message(&whole(&format!("<tu>{}</tu>", variant.repeat(600)))).contains("512"));
        let long = UNIT.replace("vide", &"x".repeat(LONGEST));
        assert_eq!(add(&whole(&long), &mut memory).unwrap(), 1);
        for odd in ["<tuv/><seg/>", "</x>", "<tu><seg>a</seg></tu>", "<tuv><seg>b</seg></tuv>"] {
            let _ = add(&whole(odd), &mut memory);
        }
        assert_eq!(memory.len(), 1);
    }

    #[test]
    fn no_damage_is_a_panic() {
        let mut random = crate::testing::numbers(3);
        let whole = format!("<tmx version=\"1.4\"><header/><body>{UNIT}</body></tmx>");
        for _ in 0..2000 {
            let mut bytes = whole.clone().into_bytes();
            for _ in 0..1 + random(3) {
                let at = random(bytes.len().max(1));
                if bytes.is_empty() {
                    break;
                }
                match random(3) {
                    0 => bytes[at] = b"<>/&;\"= \0\xff"[random(10)],
                    1 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                    _ => bytes.truncate(at + 1),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            let mut memory = TranslationMemory::new(&Lang::en());
            let _ = add(&text, &mut memory);
            assert!(memory.len() <= 3);
        }
    }
}
