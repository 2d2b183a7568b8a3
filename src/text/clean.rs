use super::language::script::{self, Script};
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Brings a text into one form, so that what looks the same is the same: Unicode NFC, `\n` line
/// ends, no control or invisible characters, plain spaces. Kept are joiners where they shape the
/// writing (Arabic, Persian, Indic scripts, emoji), zero-width spaces where they separate words
/// (Thai, Lao, Khmer, Myanmar), and no-break spaces inside of numbers.
pub fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let kept = match c {
            '\r' if next == Some('\n') => None,
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' => Some('\n'),
            '\u{2029}' => {
                out.push('\n');
                Some('\n')
            }
            '\n' | '\t' => Some(c),
            '\u{a0}' | '\u{2007}' | '\u{202f}' => {
                let in_number =
                    last.is_some_and(char::is_numeric) && next.is_some_and(char::is_numeric);
                Some(if in_number { '\u{a0}' } else { ' ' })
            }
            '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' => Some(' '),
            '\u{200b}' => last
                .is_some_and(|l| {
                    matches!(
                        script::of(l),
                        Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar
                    )
                })
                .then_some(c),
            '\u{200c}' => last.is_some_and(is_joining).then_some(c),
            '\u{200d}' => last.is_some_and(|l| is_joining(l) || is_emoji(l)).then_some(c),
            c if is_invisible(c) => None,
            c => Some(c),
        };
        if let Some(c) = kept {
            out.push(c);
            last = Some(c);
        }
    }
    if is_nfc(&out) { out } else { out.nfc().collect() }
}

/// A text with `\n` as its line ends, and without a byte order mark.
pub fn line_ends(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// Whether a character is of a script in which joiners change the shape.
fn is_joining(c: char) -> bool {
    use Script::*;
    let of_script = !matches!(
        script::of(c),
        Latin | Cyrillic | Greek | Armenian | Georgian | Hebrew | Han | Kana | Hangul | Common
    );
    of_script || matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Whether a character is a pictograph, or may stand between one and its joiner.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{2bff}'
        | '\u{fe0f}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{e0020}'..='\u{e007f}')
}

/// Whether a character is invisible: controls, soft hyphens, direction marks, byte order marks,
/// private use (icon fonts), non-characters.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c,
            '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffb}'
            | '\u{f0000}'..)
        || c as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        assert_eq!(normalize("cafe\u{301}\r\nnew\rline\u{2028}x"), "café\nnew\nline\nx");
        assert_eq!(
            normalize("\u{feff}co\u{ad}operate\u{0}\u{200b}d\u{202e}!\u{e000}"),
            "cooperated!"
        );
        assert_eq!(normalize("10\u{202f}000\u{a0}€ «\u{a0}oui\u{a0}»"), "10\u{a0}000 € « oui »");
        assert_eq!(normalize("a\tb\n\u{3000}字"), "a\tb\n\u{3000}字");
    }

    #[test]
    fn joiners_stay_where_they_mean_something() {
        for kept in ["می‌خواهم کتاب‌ها", "👨‍👩‍👧‍👦 🏳️‍🌈 ❤️‍🔥", "क्‍ष", "ភាសា\u{200b}ខ្មែរ"]
        {
            assert_eq!(normalize(kept), kept);
        }
        assert_eq!(normalize("Auf\u{200c}lage, a\u{200d}b"), "Auflage, ab");
    }
}
