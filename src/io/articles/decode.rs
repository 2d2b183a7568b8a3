//! Bytes to text: UTF-8, UTF-16 with and without byte order mark, legacy encodings by declaration
//! or by guess; binary data is refused.

use super::prescan::declared;
use super::reader::Input;
use super::repair;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::borrow::Cow;
use std::io::BufReader;

/// Bytes from the start of a file that decide on its format and encoding.
pub(super) const HEAD: usize = 64 << 10;

/// Share of control characters from which on something is no text.
const CONTROL_SHARE: f64 = 0.02;

/// Share of broken sequences up to which something is UTF-8 with a few bad bytes rather than
/// another encoding.
const BROKEN_SHARE: f64 = 0.02;

/// Decodes a text, and notes what is broken in it; the error says what it is instead of a text.
/// Both are phrases that follow the file's name.
pub(super) fn decode(bytes: Vec<u8>, notes: &mut Vec<String>) -> Result<String, String> {
    decode_with(bytes, |_| None, notes)
}

/// Decodes a page of HTML, whose first bytes may declare its encoding.
pub(in crate::io) fn decode_html(
    bytes: Vec<u8>,
    notes: &mut Vec<String>,
) -> Result<String, String> {
    decode_with(bytes, declared, notes)
}

/// Decodes a text that came with the name of its encoding, which is used where it fits: what is
/// UTF-8, and names another encoding, was named by a program that did not look.
pub(in crate::io) fn decode_labelled(
    bytes: Vec<u8>,
    label: Option<&str>,
    is_html: bool,
    notes: &mut Vec<String>,
) -> Result<String, String> {
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let encoding = encoding.filter(|&e| e != UTF_8 && !is_utf8_after_all(&bytes, e));
    match encoding.map(|e| e.decode(&bytes)) {
        Some((text, _, false)) => checked(text.into_owned(), notes),
        _ if is_html => decode_html(bytes, notes),
        _ => decode(bytes, notes),
    }
}

/// Whether bytes that are said to be in another encoding are UTF-8: they have characters of several
/// bytes, all of them whole. Pairs of bytes, of which some encodings make their characters, can
/// look so by accident where they are few.
fn is_utf8_after_all(bytes: &[u8], named: &'static Encoding) -> bool {
    const NO_ACCIDENT: usize = 4;
    let fewest = if named.is_single_byte() { 1 } else { NO_ACCIDENT };
    let beyond = |text: &str| text.chars().filter(|c| !c.is_ascii()).count();
    named.is_ascii_compatible()
        && std::str::from_utf8(bytes).is_ok_and(|text| beyond(text) >= fewest)
}

fn decode_with(
    bytes: Vec<u8>,
    declared: fn(&[u8]) -> Option<&'static Encoding>,
    notes: &mut Vec<String>,
) -> Result<String, String> {
    if let Some((encoding, length)) = Encoding::for_bom(&bytes).filter(|(e, _)| *e != UTF_8) {
        let text = encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned();
        return checked(text, notes);
    }
    let bytes = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    if let Some(encoding) = utf16(&bytes) {
        return checked(encoding.decode_without_bom_handling(&bytes).0.into_owned(), notes);
    }
    if let Some(what) = not_text(&bytes) {
        return Err(format!("expected text, found {what}"));
    }
    // ISO-2022-JP is the one encoding in use whose text is all ASCII bytes.
    let shifts = bytes.windows(2).any(|w| w == b"\x1B$");
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if !shifts => return checked(text, notes),
        Ok(text) => text.into_bytes(),
        Err(e) => repair::join_surrogates(e.into_bytes()),
    };
    if is_binary(&bytes) {
        return Err(BINARY.into());
    }
    if let Some((text, name, lines)) = repair::mixed(&bytes) {
        notes.push(format!("mixes encodings: {lines} of its lines were read as {name}"));
        return checked(text, notes);
    }
    if let Some(text) = almost_utf8(&bytes) {
        return checked(text, notes);
    }
    if let Some((text, _, false)) = declared(&bytes).map(|encoding| encoding.decode(&bytes)) {
        return checked(text.into_owned(), notes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    checked(guess.decode_without_bom_handling(&bytes).0.into_owned(), notes)
}

/// An encoding that is no superset of ASCII, by the first bytes: UTF-16 in one of its orders.
pub(super) fn wide(head: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(head)
        .map(|(encoding, _)| encoding)
        .or_else(|| utf16(head))
        .filter(|e| !e.is_ascii_compatible())
}

/// The first bytes of an input as [`narrow`] will give them.
pub(super) fn narrow_head(head: &[u8]) -> Cow<'_, [u8]> {
    match wide(head) {
        Some(encoding) => encoding.decode_with_bom_removal(head).0.into_owned().into_bytes().into(),
        None => head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).into(),
    }
}

/// The input as bytes that can be cut at ASCII characters, without byte order mark; `head` has its
/// first bytes.
pub(super) fn narrow(head: &[u8], input: Input) -> Result<BufReader<Input>, String> {
    narrow_as(head, None, input)
}

/// The same for an input that declares its encoding.
pub(super) fn narrow_as(
    head: &[u8],
    declared: Option<&'static Encoding>,
    input: Input,
) -> Result<BufReader<Input>, String> {
    let wide = wide(head);
    if wide.is_none() && is_binary(head) {
        return Err(BINARY.into());
    }
    let narrow = DecodeReaderBytesBuilder::new()
        .encoding(wide.or(declared.filter(|&e| e != UTF_8)))
        .strip_bom(true)
        .utf8_passthru(true)
        .build(input);
    Ok(BufReader::with_capacity(HEAD, Box::new(narrow)))
}

/// The kind of a well-known file that is no text, and what to do about it.
fn not_text(head: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 9] = [
        (b"%PDF-", "a PDF document; convert it first (for example with `pdftotext`)"),
        (
            b"PK\x03\x04",
            "a ZIP archive or an office document or e-book in one (docx, odt, epub); convert it first (for example with `pandoc`)",
        ),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            "an old office document (doc, xls); convert it first",
        ),
        (b"{\\rtf", "an RTF document; convert it first (for example with `pandoc`)"),
        (b"\xFD7zXZ\x00", "an xz archive; unpack it first"),
        (b"BZh", "a bzip2 archive; unpack it first"),
        (b"\x28\xB5\x2F\xFD", "a Zstandard archive; unpack it first"),
        (b"\x89PNG\r\n\x1A\n", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
    ];
    SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, what)| *what)
}

/// Whether bytes are text in no encoding that is a superset of ASCII.
fn is_binary(bytes: &[u8]) -> bool {
    controls(bytes.iter().map(|&b| char::from(b)).filter(|&c| c != '\x1B')) > CONTROL_SHARE
}

/// The message about data that is no text.
const BINARY: &str = "expected text, found binary data (too many control characters); if it is text in an unusual encoding, convert it to UTF-8 first";

/// Drops stray NULs, which some crawlers leave behind, unless there are so many that this is no
/// text.
fn checked(text: String, notes: &mut Vec<String>) -> Result<String, String> {
    if controls(text.chars()) > CONTROL_SHARE {
        return Err(BINARY.into());
    }
    let nuls = text.matches('\0').count();
    if nuls == 0 {
        return Ok(text);
    }
    notes.push(format!("has NUL characters in it ({nuls}), which were left out"));
    Ok(text.replace('\0', ""))
}

/// Share of control characters that no text has; a NUL weighs as much as ten others, but for the
/// first.
fn controls(chars: impl Iterator<Item = char>) -> f64 {
    let (mut all, mut bad, mut nuls) = (0u64, 0u64, 0u64);
    for c in chars {
        all += 1;
        bad += match c {
            '\0' => {
                nuls += 1;
                if nuls > 1 { 10 } else { 1 }
            }
            '\t' | '\n' | '\r' | '\x0C' => 0,
            c if c < ' ' || c == '\x7F' => 1,
            _ => 0,
        };
    }
    if all == 0 { 0.0 } else { bad as f64 / all as f64 }
}

/// UTF-16 without byte order mark. Text of any script has some ASCII spaces, digits or line breaks
/// in it, thus NUL bytes; of the two byte orders the one that shows more separators is meant.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    // Half a character or more at the end is still text that was cut off; the start decides.
    let head = &bytes[..(bytes.len() & !1).min(1 << 16)];
    if head.len() < 4 || !head.contains(&0) {
        return None;
    }
    // UTF-8 with a few stray NULs in it: UTF-16 of letters has one in every pair, and that of other
    // scripts would be full of control characters.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true);
    let nuls = head.iter().filter(|&&b| b == 0).count();
    let others = head.iter().map(|&b| char::from(b)).filter(|&c| c != '\0');
    if is_utf8 && nuls * 10 < head.len() && controls(others) <= CONTROL_SHARE {
        return None;
    }
    let separators = |encoding: &'static Encoding| {
        let (text, broken) = encoding.decode_without_bom_handling(head);
        // A pair of surrogates may be cut at the end of the head, and one may stand alone; noise
        // has six times as many.
        let lone = text.trim_end_matches('\u{FFFD}').matches('\u{FFFD}').count();
        let whole = !broken || lone <= (head.len() / 400).max(1);
        let count = text
            .chars()
            .filter(|c| matches!(c, ' ' | '\n' | '\r' | ',' | '.' | '。' | '、' | '，' | '،' | '।'))
            .count();
        (whole && controls(text.chars()) <= CONTROL_SHARE).then_some(count)
    };
    match (separators(UTF_16LE), separators(UTF_16BE)) {
        (Some(le), Some(be)) if le != be => Some(if le > be { UTF_16LE } else { UTF_16BE }),
        (Some(le), None) if le > 0 => Some(UTF_16LE),
        (None, Some(be)) if be > 0 => Some(UTF_16BE),
        // A short title without separators: ASCII letters have their NUL second in little-endian
        // order.
        (Some(_), _) if head.iter().skip(1).step_by(2).all(|&b| b == 0) => Some(UTF_16LE),
        (_, Some(_)) if head.iter().step_by(2).all(|&b| b == 0) => Some(UTF_16BE),
        _ => None,
    }
}

/// Text that is UTF-8 but for a few bad bytes (a cut character, one pasted line): in any other
/// encoding it would be gibberish as a whole.
fn almost_utf8(bytes: &[u8]) -> Option<String> {
    let (mut good, mut bad) = (0u64, 0u64);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u64;
        bad += u64::from(!chunk.invalid().is_empty());
    }
    (good > 0 && (bad as f64) <= (good as f64 * BROKEN_SHARE).max(1.0))
        .then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "Правительство объявило о новых мерах поддержки сельского хозяйства. Министр сообщил журналистам, что средства поступят в регионы до конца года.";
    const JAPANESE: &str = "政府は火曜日、新しいエネルギー計画を発表した。再生可能エネルギーの割合を二〇三〇年までに倍増させる方針である。";
    const CHINESE: &str = "政府周二宣布了一项新的能源计划。部长对记者表示，到年底将有三百万户家庭受益，但反对党认为这一目标并不现实。";

    fn utf16_bytes(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn text(bytes: impl Into<Vec<u8>>) -> String {
        decode(bytes.into(), &mut Vec::new()).unwrap()
    }

    #[test]
    fn utf16_in_both_orders_with_and_without_mark() {
        for sample in [
            RUSSIAN,
            &format!("{JAPANESE}\n"),
            &format!("一一\n{CHINESE}\n"),
            "Short",
            "Plain English, of course.",
        ] {
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(text(utf16_bytes(sample, order)), sample);
                assert_eq!(text(utf16_bytes(&format!("\u{FEFF}{sample}"), order)), sample);
            }
        }
    }

    #[test]
    fn legacy_encodings_are_guessed() {
        for (sample, encoding) in [
            (RUSSIAN, encoding_rs::WINDOWS_1251),
            (RUSSIAN, encoding_rs::KOI8_R),
            (JAPANESE, encoding_rs::SHIFT_JIS),
            (JAPANESE, encoding_rs::EUC_JP),
            (JAPANESE, encoding_rs::ISO_2022_JP),
            (CHINESE, encoding_rs::GBK),
            ("Die Straße nach Köln ist gesperrt.", encoding_rs::WINDOWS_1252),
        ] {
            let (bytes, _, lossy) = encoding.encode(sample);
            assert!(!lossy);
            assert_eq!(text(bytes.into_owned()), sample, "{}", encoding.name());
        }
    }

    #[test]
    fn html_declares_its_encoding() {
        // Too short to be guessed.
        let page = b"<html><head><meta http-equiv='Content-Type' content='text/html; charset=windows-1251'></head><p>\xC4\xE0</p>".to_vec();
        assert!(decode_html(page, &mut Vec::new()).unwrap().contains("<p>Да</p>"));
    }

    #[test]
    fn a_wrong_name_of_an_encoding_is_not_believed() {
        let read = |bytes: &[u8], label| {
            decode_labelled(bytes.to_vec(), Some(label), false, &mut Vec::new()).unwrap()
        };
        for label in ["iso-8859-1", "us-ascii", "windows-1251", "gb2312", "utf-8"] {
            assert_eq!(read(RUSSIAN.as_bytes(), label), RUSSIAN, "{label}");
            assert_eq!(read("Déjà vu à Orléans".as_bytes(), label), "Déjà vu à Orléans", "{label}");
        }
        let western = encoding_rs::WINDOWS_1252.encode("Die Straße nach Köln ist gesperrt.").0;
        for label in ["iso-8859-1", "utf-8", "no-such"] {
            assert_eq!(read(&western, label), "Die Straße nach Köln ist gesperrt.", "{label}");
        }
        // One character that is whole in both encodings is what it is said to be.
        assert_eq!(read(b"\xD0\xB1", "euc-kr"), "閨");
    }

    #[test]
    fn utf8_with_a_bad_byte_stays_utf8() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes.extend(b"\xD0");
        assert_eq!(text(bytes), format!("{RUSSIAN}\u{FFFD}"));
        assert_eq!(text(b"\xEF\xBB\xBFabc".to_vec()), "abc");
        assert_eq!(
            text(format!("a\0{RUSSIAN}{RUSSIAN}{RUSSIAN}{RUSSIAN}")),
            format!("a{RUSSIAN}{RUSSIAN}{RUSSIAN}{RUSSIAN}")
        );
    }

    #[test]
    fn binary_data_is_told() {
        let noise: Vec<u8> =
            (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let elf =
            [b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3E\0\x01\0\0\0".as_slice(), &[0; 64]]
                .concat();
        for bytes in [noise, elf, vec![0; 100], b"abc\x01\x02\x03\x04".to_vec()] {
            assert!(decode(bytes, &mut Vec::new()).unwrap_err().contains("binary data"));
        }
        assert!(decode(b"%PDF-1.7 text".to_vec(), &mut Vec::new()).unwrap_err().contains("PDF"));
    }
}
