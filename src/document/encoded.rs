//! Text files in their encoding: decoded to be read, and written again as they were.

use super::{Edit, Settings};
use crate::error::{Error, Result};
use crate::types::Block;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::ops::Range;

/// Share of broken sequences up to which a text is UTF-8 with a few bad bytes.
const BROKEN_SHARE: f64 = 0.02;

/// Share of control characters from which on something is no text.
const CONTROL_SHARE: f64 = 0.02;

/// Private characters that stand for bytes that are no UTF-8, from the one for byte 0x80 on.
const STRAY: Range<u32> = 0xF780..0xF800;

/// A text file that is open to changes.
pub(super) struct Encoded {
    /// The text, without byte order mark.
    pub text: String,
    encoding: &'static Encoding,
    has_bom: bool,
    /// Whether private characters stand for stray bytes.
    has_stray: bool,
}

impl Encoded {
    /// Decodes a file; `declared` finds the name of its encoding in its first bytes.
    ///
    /// # Errors
    /// When it is too large, or no text.
    pub fn open(
        bytes: &[u8],
        settings: &Settings,
        declared: fn(&[u8]) -> Option<&str>,
    ) -> Result<Encoded> {
        if bytes.len() > settings.max_bytes {
            let message = format!("is larger than {} bytes, the limit", settings.max_bytes);
            return Err(Error::input("", message));
        }
        let decoded = decode(bytes, declared);
        let controls =
            decoded.text.chars().filter(|c| c.is_control() && !"\t\n\r\x0C".contains(*c));
        let (bad, all) = (controls.count(), decoded.text.len());
        if bad as f64 > all as f64 * CONTROL_SHARE {
            return Err(Error::input("", "expected text, found binary data"));
        }
        Ok(decoded)
    }

    /// Whether a text can be written in the file's encoding.
    pub fn can_hold(&self, text: &str) -> bool {
        let wide = self.encoding == UTF_16LE || self.encoding == UTF_16BE;
        wide || self.encoding == UTF_8 || !self.encoding.encode(text).2
    }

    /// A text as bytes of the file's encoding; of UTF-8 where that one cannot hold it, with the
    /// byte order mark by which programs of the old encoding's time know it, if `mark` says so.
    pub fn encode(&self, text: &str, mark: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 3);
        if self.encoding == UTF_16LE || self.encoding == UTF_16BE {
            let order = if self.encoding == UTF_16LE { u16::to_le_bytes } else { u16::to_be_bytes };
            let bom = self.has_bom.then_some(0xFEFF);
            out.extend(bom.into_iter().chain(text.encode_utf16()).flat_map(order));
            return out;
        }
        let fits = self.can_hold(text);
        if self.has_bom || mark && !fits {
            out.extend_from_slice(b"\xEF\xBB\xBF");
        }
        if self.encoding != UTF_8 && fits {
            out.extend_from_slice(&self.encoding.encode(text).0);
        } else if self.has_stray {
            for c in text.chars() {
                match u8::try_from(u32::from(c).wrapping_sub(STRAY.start) + 0x80) {
                    Ok(byte) if STRAY.contains(&u32::from(c)) => out.push(byte),
                    _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        out
    }
}

fn decode(bytes: &[u8], declared: fn(&[u8]) -> Option<&str>) -> Encoded {
    let of = |encoding: &'static Encoding, bytes: &[u8], has_bom| Encoded {
        text: encoding.decode_without_bom_handling(bytes).0.into_owned(),
        encoding,
        has_bom,
        has_stray: false,
    };
    let bom = Encoding::for_bom(bytes);
    if let Some((encoding, length)) = bom.filter(|(encoding, _)| *encoding != UTF_8) {
        return of(encoding, &bytes[length..], true);
    }
    let (bytes, has_bom) =
        bytes.strip_prefix(b"\xEF\xBB\xBF").map_or((bytes, false), |b| (b, true));
    if let Some(encoding) = utf16(bytes) {
        return of(encoding, bytes, false);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Encoded { text: text.into(), encoding: UTF_8, has_bom, has_stray: false };
    }
    if let Some(text) = almost_utf8(bytes) {
        return Encoded { text, encoding: UTF_8, has_bom, has_stray: true };
    }
    let named = declared(&bytes[..bytes.len().min(8192)])
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .filter(|&encoding| encoding != UTF_8 && encoding.is_ascii_compatible())
        .filter(|encoding| !encoding.decode_without_bom_handling(bytes).1);
    let guess = || {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(None, Utf8Detection::Deny)
    };
    of(named.unwrap_or_else(guess), bytes, has_bom)
}

/// UTF-16 without byte order mark: of the characters at the start every other byte is a NUL.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024) & !1];
    let nuls = |first: usize| head.iter().skip(first).step_by(2).filter(|&&b| b == 0).count();
    let (even, odd, half) = (nuls(0), nuls(1), head.len() / 2);
    match (head.len() >= 4, even * 10 > half, odd * 10 > half) {
        (true, true, false) if even * 10 > odd * 20 => Some(UTF_16BE),
        (true, false, true) if odd * 10 > even * 20 => Some(UTF_16LE),
        _ => None,
    }
}

/// UTF-8 with a few bad bytes, for which private characters stand.
fn almost_utf8(bytes: &[u8]) -> Option<String> {
    let (mut good, mut bad, mut text) = (0usize, 0usize, String::with_capacity(bytes.len()));
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        if valid.chars().any(|c| STRAY.contains(&u32::from(c))) {
            return None;
        }
        good += valid.chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
        text.push_str(valid);
        let private = |&byte: &u8| char::from_u32(STRAY.start + u32::from(byte) - 0x80);
        text.extend(chunk.invalid().iter().filter_map(private));
    }
    let few = bad as f64 <= (good as f64 * BROKEN_SHARE).max(1.0);
    (good > 0 && few).then_some(text)
}

/// Asks for each text what is to become of it, and remembers whether anything changes.
pub(super) struct Editor<'a> {
    edit: &'a mut dyn FnMut(Block) -> Result<Edit>,
    /// Whether any text has changed.
    pub has_changed: bool,
}

impl<'a> Editor<'a> {
    pub fn new(edit: &'a mut dyn FnMut(Block) -> Result<Edit>) -> Editor<'a> {
        Editor { edit, has_changed: false }
    }

    /// What is to become of a text.
    pub fn ask(&mut self, block: Block) -> Result<Edit> {
        let edit = (self.edit)(block)?;
        self.has_changed |= edit != Edit::Keep;
        Ok(edit)
    }
}

/// A copy of a text in which some parts are replaced.
pub(super) struct Patched<'a> {
    source: &'a str,
    out: String,
    at: usize,
}

impl<'a> Patched<'a> {
    pub fn new(source: &'a str) -> Patched<'a> {
        Patched { source, out: String::with_capacity(source.len()), at: 0 }
    }

    /// Puts `new` in the place of a part that comes after those replaced so far.
    pub fn replace(&mut self, part: Range<usize>, new: &str) {
        self.out.push_str(self.source.get(self.at..part.start).unwrap_or_default());
        self.out.push_str(new);
        self.at = part.end.max(self.at);
    }

    /// The copy.
    pub fn finish(mut self) -> String {
        self.out.push_str(self.source.get(self.at..).unwrap_or_default());
        self.out
    }
}

/// The lines of a text with their places, line ends apart.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let bare = line.strip_suffix('\n').map_or(line, |l| l.strip_suffix('\r').unwrap_or(l));
        start..start + bare.len()
    })
}

/// The line end that a text uses first.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> Encoded {
        Encoded::open(bytes, &Settings::default(), |_| None).unwrap()
    }

    #[test]
    fn bytes_come_back() {
        let german = "Die Straße über die Brücke führt nach Köln.\r\n";
        let wide = |order: fn(u16) -> [u8; 2], bom: &str| -> Vec<u8> {
            format!("{bom}{german}").encode_utf16().flat_map(order).collect()
        };
        let stray = [german.repeat(20).as_bytes(), b"\xFC\xE4"].concat();
        for bytes in [
            german.as_bytes().to_vec(),
            format!("\u{FEFF}{german}").into_bytes(),
            wide(u16::to_le_bytes, "\u{FEFF}"),
            wide(u16::to_be_bytes, "\u{FEFF}"),
            wide(u16::to_le_bytes, ""),
            wide(u16::to_be_bytes, ""),
            encoding_rs::WINDOWS_1252.encode(german).0.into_owned(),
            encoding_rs::SHIFT_JIS.encode("政府は火曜日、新しい計画を発表した。").0.into_owned(),
            stray,
        ] {
            let encoded = open(&bytes);
            assert_eq!(encoded.encode(&encoded.text, true), bytes, "{}", encoded.text);
        }
    }

    #[test]
    fn what_the_encoding_lacks_makes_it_utf8() {
        let encoded = open(&encoding_rs::WINDOWS_1252.encode("Grüße über alles für Köln").0);
        assert_eq!(encoded.encode("Привет", true), "\u{FEFF}Привет".as_bytes());
        assert_eq!(encoded.encode("Привет", false), "Привет".as_bytes());
        assert_eq!(encoded.encode("é", true), b"\xE9");
    }

    #[test]
    fn no_text_and_too_much_are_refused() {
        let small = Settings { max_bytes: 3, ..Settings::default() };
        assert!(Encoded::open(b"abcd", &small, |_| None).is_err());
        assert!(Encoded::open(&[0; 64], &Settings::default(), |_| None).is_err());
        let noise: Vec<u8> = (0..4096u32).map(|i| (i * i * 31 % 251) as u8).collect();
        assert!(Encoded::open(&noise, &Settings::default(), |_| None).is_err());
    }
}
