use crate::text::letters::is_alphabetic;
use crate::types::Lang;
use std::sync::LazyLock;
use unicode_script::{Script as Unicode, UnicodeScript};

/// A writing system, as far as polygist has to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the variants are the Unicode names
pub enum Script {
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Armenian,
    Georgian,
    Devanagari,
    Bengali,
    Gurmukhi,
    Gujarati,
    Odia,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Sinhala,
    Thai,
    Lao,
    Khmer,
    Myanmar,
    Tibetan,
    Ethiopic,
    Mongolian,
    Han,
    /// Hiragana and Katakana.
    Kana,
    Hangul,
    /// Digits, punctuation, symbols, spaces and marks, which every language uses.
    Common,
    /// Any other writing system.
    Other,
}

impl Script {
    /// Whether the script is written without spaces between words.
    pub fn is_unspaced(self) -> bool {
        matches!(
            self,
            Script::Han
                | Script::Kana
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
                | Script::Tibetan
        )
    }

    /// Whether the script has capital letters in ordinary use (Georgian capitals are not).
    pub fn has_case(self) -> bool {
        matches!(self, Script::Latin | Script::Cyrillic | Script::Greek | Script::Armenian)
    }
}

/// The scripts of the characters up to U+FFFF: all texts are gone through several times.
static TABLE: LazyLock<Vec<Script>> = LazyLock::new(|| {
    (0..=0xFFFF).map(|code| char::from_u32(code).map_or(Script::Other, looked_up)).collect()
});

/// The script of a character.
pub fn of(c: char) -> Script {
    if c.is_ascii() {
        return if c.is_ascii_alphabetic() { Script::Latin } else { Script::Common };
    }
    TABLE.get(c as usize).copied().unwrap_or_else(|| looked_up(c))
}

/// The script of a character, by the tables of Unicode.
fn looked_up(c: char) -> Script {
    match c.script() {
        Unicode::Latin => Script::Latin,
        Unicode::Cyrillic => Script::Cyrillic,
        Unicode::Greek => Script::Greek,
        Unicode::Arabic => Script::Arabic,
        Unicode::Hebrew => Script::Hebrew,
        Unicode::Armenian => Script::Armenian,
        Unicode::Georgian => Script::Georgian,
        Unicode::Devanagari => Script::Devanagari,
        Unicode::Bengali => Script::Bengali,
        Unicode::Gurmukhi => Script::Gurmukhi,
        Unicode::Gujarati => Script::Gujarati,
        Unicode::Oriya => Script::Odia,
        Unicode::Tamil => Script::Tamil,
        Unicode::Telugu => Script::Telugu,
        Unicode::Kannada => Script::Kannada,
        Unicode::Malayalam => Script::Malayalam,
        Unicode::Sinhala => Script::Sinhala,
        Unicode::Thai => Script::Thai,
        Unicode::Lao => Script::Lao,
        Unicode::Khmer => Script::Khmer,
        Unicode::Myanmar => Script::Myanmar,
        Unicode::Tibetan => Script::Tibetan,
        Unicode::Ethiopic => Script::Ethiopic,
        Unicode::Mongolian => Script::Mongolian,
        Unicode::Han | Unicode::Bopomofo => Script::Han,
        Unicode::Hiragana | Unicode::Katakana => Script::Kana,
        Unicode::Hangul => Script::Hangul,
        // The prolonged sound mark is Common to Unicode, but part of Japanese words.
        _ if matches!(c, 'ー' | 'ｰ') => Script::Kana,
        Unicode::Common | Unicode::Inherited => Script::Common,
        _ => Script::Other,
    }
}

/// Letters of a text by script, most frequent first; [`Script::Common`] is left out.
pub fn count(text: &str) -> Vec<(Script, usize)> {
    let mut counts: Vec<(Script, usize)> = Vec::new();
    for script in
        text.chars().filter(|&c| is_alphabetic(c)).map(of).filter(|&s| s != Script::Common)
    {
        match counts.iter_mut().find(|(s, _)| *s == script) {
            Some((_, n)) => *n += 1,
            None => counts.push((script, 1)),
        }
    }
    counts.sort_by_key(|&(script, n)| (std::cmp::Reverse(n), script));
    counts
}

/// The scripts that a language is written in; empty when the language is not known here.
/// A script named in the code (`sr-Latn`) decides.
pub fn scripts(lang: &Lang) -> &'static [Script] {
    use Script::*;
    for subtag in lang.as_str().split('-').skip(1) {
        match subtag {
            "Latn" => return &[Latin],
            "Cyrl" => return &[Cyrillic],
            "Arab" => return &[Arabic],
            "Deva" => return &[Devanagari],
            "Guru" => return &[Gurmukhi],
            "Beng" => return &[Bengali],
            _ => {}
        }
    }
    match lang.base() {
        "af" | "az" | "br" | "ca" | "ceb" | "co" | "cs" | "cy" | "da" | "de" | "en" | "eo"
        | "es" | "et" | "eu" | "fi" | "fil" | "fo" | "fr" | "fy" | "ga" | "gd" | "gl" | "gn"
        | "ha" | "haw" | "hr" | "ht" | "hu" | "id" | "ig" | "is" | "it" | "jv" | "la" | "lb"
        | "ln" | "lt" | "lv" | "mg" | "mi" | "ms" | "mt" | "nb" | "nl" | "nn" | "no" | "ny"
        | "oc" | "om" | "pl" | "pt" | "qu" | "rn" | "ro" | "rw" | "sk" | "sl" | "sm" | "sn"
        | "so" | "sq" | "st" | "su" | "sv" | "sw" | "tk" | "tl" | "tn" | "to" | "tr" | "ts"
        | "vi" | "wo" | "xh" | "yo" | "zu" => &[Latin],
        "ba" | "be" | "bg" | "ce" | "cv" | "kk" | "ky" | "mk" | "mn" | "os" | "ru" | "sah"
        | "tg" | "tt" | "uk" => &[Cyrillic],
        "bs" | "sr" | "uz" => &[Cyrillic, Latin],
        "el" => &[Greek],
        "ar" | "arz" | "ckb" | "fa" | "prs" | "ps" | "sd" | "ug" | "ur" => &[Arabic],
        "ku" => &[Latin, Arabic],
        "he" | "yi" => &[Hebrew],
        "hy" => &[Armenian],
        "ka" => &[Georgian],
        "bho" | "hi" | "mai" | "mr" | "ne" | "sa" => &[Devanagari],
        "as" | "bn" => &[Bengali],
        "pa" => &[Gurmukhi],
        "gu" => &[Gujarati],
        "or" => &[Odia],
        "ta" => &[Tamil],
        "te" => &[Telugu],
        "kn" => &[Kannada],
        "ml" => &[Malayalam],
        "si" => &[Sinhala],
        "th" => &[Thai],
        "lo" => &[Lao],
        "km" => &[Khmer],
        "my" => &[Myanmar],
        "bo" | "dz" => &[Tibetan],
        "am" | "ti" => &[Ethiopic],
        "zh" | "yue" => &[Han],
        "ja" => &[Han, Kana],
        "ko" => &[Hangul],
        _ => &[],
    }
}

/// Whether text of the language may hold the character: it is of one of the language's scripts,
/// Latin (names of firms, units and addresses stand in Latin letters everywhere), or common to all
/// (digits, punctuation, symbols, spaces). A language that is not known here allows everything.
pub fn allows(lang: &Lang, c: char) -> bool {
    Allowed::of(lang).holds(c)
}

/// The characters that text of a language may hold; see [`allows`].
#[derive(Clone, Copy, Debug)]
pub struct Allowed(&'static [Script]);

impl Allowed {
    /// Those of a language.
    pub fn of(lang: &Lang) -> Allowed {
        Allowed(scripts(lang))
    }

    /// Whether a character is one of them.
    pub fn holds(self, c: char) -> bool {
        // Text holds no control characters, whatever the language; a line break is for the caller
        // to stop at.
        if c.is_control() && !matches!(c, '\n' | '\t') {
            return false;
        }
        let script = of(c);
        script == Script::Common
            || script == Script::Latin
            || self.0.is_empty()
            || self.0.contains(&script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(code: &str) -> Lang {
        Lang::parse(code).unwrap()
    }

    #[test]
    fn every_language_allows_its_own_text_and_no_other_script() {
        let samples = [
            ("en", "Prices rose 3.5% – “sharply”, café owners say…"),
            ("ru", "Цены выросли на 3,5 % — «резко», ёлки"),
            ("el", "Οι τιμές αυξήθηκαν κατά 3,5%;"),
            ("ar", "ارتفعت الأسعار بنسبة ٣٫٥٪، بشدّة"),
            ("fa", "قیمت‌ها ۳٫۵ درصد بالا رفت؛ گران شد"),
            ("he", "המחירים עלו ב־3.5%"),
            ("hy", "Գները բարձրացել են 3,5%-ով։"),
            ("ka", "ფასები 3,5%-ით გაიზარდა"),
            ("hi", "कीमतें ३.५% बढ़ीं।"),
            ("ja", "価格は３．５％上昇したーという。コーヒー"),
            ("ko", "가격이 3.5% 올랐다."),
            ("zh", "价格上涨了3.5%。“咖啡”"),
            ("th", "ราคาเพิ่มขึ้น 3.5%"),
        ];
        for (code, text) in samples {
            assert!(text.chars().all(|c| allows(&lang(code), c)), "{code}: {text}");
            let apart = |other: &str| {
                scripts(&lang(other)).iter().all(|s| !scripts(&lang(code)).contains(s))
            };
            let latin = scripts(&lang(code)).contains(&Script::Latin);
            for (other, _) in samples.iter().filter(|(other, _)| !latin && apart(other)) {
                assert!(!text.chars().all(|c| allows(&lang(other), c)), "{other} allows {code}");
            }
        }
    }

    #[test]
    fn unknown_languages_allow_all_and_a_script_subtag_decides() {
        assert!(
            allows(&Lang::und(), 'ж')
                && allows(&Lang::und(), '\n')
                && !allows(&Lang::und(), '\u{1e}')
        );
        assert!(
            allows(&lang("ru"), 'A') && allows(&lang("sr"), 'ж') && !allows(&lang("sr-Latn"), 'ж')
        );
        assert!(allows(&lang("pt-BR"), 'ã'));
    }

    #[test]
    fn counts_letters_only() {
        assert_eq!(count("Ye 2024 — Йе, Ye!"), [(Script::Latin, 4), (Script::Cyrillic, 2)]);
        assert!(count("123 … 😀").is_empty());
    }
}
