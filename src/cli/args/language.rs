//! Codes of languages on the command line, and what is meant by others.

use crate::error::{Error, Result};
use crate::languages::{self, Language};
use crate::types::Lang;

/// A language, or `auto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LangOrAuto(pub Option<Lang>);

/// Codes of countries that people take for those of languages; no language has them.
const COUNTRIES: [(&str, &str); 15] = [
    ("ua", "uk"),
    ("jp", "ja"),
    ("cn", "zh"),
    ("gr", "el"),
    ("cz", "cs"),
    ("dk", "da"),
    ("vn", "vi"),
    ("ir", "fa"),
    ("rs", "sr"),
    ("by", "be"),
    ("kz", "kk"),
    ("al", "sq"),
    ("ge", "ka"),
    ("us", "en"),
    ("gb", "en"),
];

/// The codes of two letters that stand for a language (ISO 639-1, those it has given up among
/// them). Models of the user's own may know any of them, and any code of three letters.
const TWO_LETTERS: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu \
    cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi \
    ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km \
    kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na \
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd \
    se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw \
    ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// The name of a language is taken for misspelt that is as like to what was said as this.
const LIKE: f64 = 0.8;

/// The language of a code.
///
/// # Errors
/// When it is none; the message says what may be meant.
pub fn lang(text: &str) -> Result<Lang> {
    let is_country = |(country, _): &&(&str, &str)| country.eq_ignore_ascii_case(text);
    let meant = COUNTRIES.iter().find(is_country).map(|(_, code)| *code);
    let is_assigned = |lang: &Lang| {
        let base = lang.base();
        base.len() > 2 || TWO_LETTERS.split_whitespace().any(|code| code == base)
    };
    let parsed = Lang::parse(text).filter(|l| !l.is_und() && is_assigned(l) && meant.is_none());
    parsed.map(|l| languages::canonical(&l)).ok_or_else(|| {
        let hint = match (meant, named(text)) {
            (Some(code), _) => {
                let name = Lang::parse(code)
                    .map_or(code.into(), |lang| languages::name(&lang).to_string());
                format!("; did you mean {code} ({name})? Expected")
            }
            (None, Some((code, language))) if is_name(language, text) => {
                format!("; that of {text} is {code}; expected")
            }
            (None, Some((code, Language { name, .. }))) => {
                format!("; did you mean {code} ({name})? Expected")
            }
            (None, None) => "; expected".into(),
        };
        let codes = "one as fr, de, zh or pt-BR (ISO 639, BCP 47)";
        Error::Usage(format!("{text:?} is not a language code{hint} {codes}"))
    })
}

/// A language or `auto`, as [`lang`].
pub(super) fn lang_or_auto(text: &str) -> Result<LangOrAuto> {
    if text == "auto" { Ok(LangOrAuto(None)) } else { lang(text).map(|l| LangOrAuto(Some(l))) }
}

/// Whether a text is the English or the own name of a language.
fn is_name(language: &Language, text: &str) -> bool {
    language.name.eq_ignore_ascii_case(text)
        || language.native.to_lowercase() == text.to_lowercase()
}

/// The language whose name a text is, or is like.
fn named(text: &str) -> Option<(&'static str, &'static Language)> {
    let lower = text.to_lowercase();
    let likeness = |language: &Language| {
        let like =
            |name: &str| strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase());
        like(&language.name).max(like(&language.native))
    };
    let all = languages::all().iter();
    let (code, language) = all.max_by(|a, b| likeness(a.1).total_cmp(&likeness(b.1)))?;
    // A short word is like many.
    let is_like = lower.chars().nth(3).is_some() && likeness(language) >= LIKE;
    (is_like || is_name(language, text)).then_some((code.as_str(), language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_asked() {
        let said = |text: &str| lang(text).map_or_else(|e| e.to_string(), |lang| lang.to_string());
        for code in ["fr", "pt-BR", "zh-TW", "xh", "kmr", "nb"] {
            assert!(lang(code).is_ok(), "{code}: {}", said(code));
        }
        for (text, hint) in [
            ("ua", "did you mean uk (Ukrainian)?"),
            ("french", "that of french is fr"),
            ("Deutsch", "that of Deutsch is de"),
            ("portugese", "did you mean pt (Portuguese)?"),
            ("Englisch", "did you mean en (English)?"),
            ("xx", "\"xx\" is not a language code; expected one as fr"),
            ("klingonisch", "is not a language code; expected one as fr"),
        ] {
            assert!(said(text).contains(hint), "{text}: {}", said(text));
        }
    }
}
