//! Text in more than one encoding: what is broken is mended line by line, or stands as U+FFFD.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// Share of broken sequences up to which a line is UTF-8 with a few bad bytes.
const BROKEN_SHARE: f64 = 0.1;

/// Characters beyond ASCII that are no accident: bytes of another encoding seldom make so many.
const NO_ACCIDENT: usize = 4;

/// Joins the halves of characters that were encoded one by one (CESU-8), as Java and some databases
/// write emoji.
pub(super) fn join_surrogates(bytes: Vec<u8>) -> Vec<u8> {
    let is_pair = |w: &[u8]| {
        w[0] == 0xED
            && (0xA0..0xB0).contains(&w[1])
            && w[3] == 0xED
            && (0xB0..0xC0).contains(&w[4])
            && w[2] & w[5] & 0xC0 == 0x80
    };
    if !bytes.windows(6).any(is_pair) {
        return bytes;
    }
    let half = |b: &[u8]| (u32::from(b[1] & 0x0F) << 6) | u32::from(b[2] & 0x3F);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let pair = rest.get(..6).filter(|w| is_pair(w)).and_then(|w| {
            char::from_u32(0x10000 + ((half(&w[..3]) & 0x3FF) << 10) + (half(&w[3..]) & 0x3FF))
        });
        match pair {
            Some(c) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                at += 6;
            }
            None => {
                out.push(rest[0]);
                at += 1;
            }
        }
    }
    out
}

/// The two sides of a line's bytes beyond ASCII: characters that are UTF-8, sequences that are not.
/// The beginning of a character at the end of the line is the cut that a file has there.
fn sides(line: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    let mut chunks = line.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let broken = std::str::from_utf8(chunk.invalid()).err();
        let mut is_cut =
            |e: std::str::Utf8Error| chunks.peek().is_none() && e.error_len().is_none();
        bad += usize::from(broken.is_some_and(|e| !is_cut(e)));
    }
    (good, bad)
}

/// A text of which some lines are UTF-8 and others are in another encoding, and the name of that
/// one with the number of its lines; `None` where nothing speaks for such a mixture.
pub(super) fn mixed(bytes: &[u8]) -> Option<(String, &'static str, usize)> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    let is_foreign = |&(good, bad): &(usize, usize)| bad as f64 > good as f64 * BROKEN_SHARE;
    let sides: Vec<(usize, usize)> = lines.iter().map(|line| sides(line)).collect();
    let utf8 = sides.iter().filter(|side| !is_foreign(side));
    let (good, whole) =
        utf8.fold((0, 0), |(good, whole), side| (good + side.0, whole + usize::from(side.0 > 0)));
    let foreign = sides.iter().filter(|side| is_foreign(side)).count();
    if foreign == 0 || good < NO_ACCIDENT || whole * 5 < foreign {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for (line, _) in lines.iter().zip(&sides).filter(|(_, side)| is_foreign(side)) {
        detector.feed(line, false);
    }
    detector.feed(b"", true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let text = lines.iter().zip(&sides).map(|(line, side)| match is_foreign(side) {
        true => encoding.decode_without_bom_handling(line).0,
        false => String::from_utf8_lossy(line),
    });
    Some((text.collect(), encoding.name(), foreign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_joined_and_lone_ones_left() {
        let bytes = b"a\xED\xA0\xBD\xED\xB8\x80b\xED\xA0\xBDc".to_vec();
        assert_eq!(join_surrogates(bytes), b"a\xF0\x9F\x98\x80b\xED\xA0\xBDc");
    }

    #[test]
    fn lines_in_two_encodings() {
        let german = "Die Straße über die Brücke führt nach Köln.\n";
        let bytes =
            [german.as_bytes(), &encoding_rs::WINDOWS_1252.encode(german).0, b"Ende.\n"].concat();
        let (text, name, lines) = mixed(&bytes).unwrap();
        assert_eq!((text, lines), (format!("{german}{german}Ende.\n"), 1));
        assert_eq!(name, "windows-1252");
        let russian = "Правительство объявило о новых мерах поддержки сельского хозяйства.\n";
        let bytes = [russian.as_bytes(), &encoding_rs::WINDOWS_1251.encode(russian).0].concat();
        assert_eq!(mixed(&bytes).unwrap().0, format!("{russian}{russian}"));
        // One bad byte in a line of UTF-8, and a text all in another encoding, are no mixture.
        assert!(mixed(&[russian.as_bytes(), b"\xD0"].concat()).is_none());
        let legacy = encoding_rs::GBK.encode("政府周二宣布了一项新的能源计划。\n部长\n一\n").0;
        assert!(mixed(&legacy).is_none());
    }
}
