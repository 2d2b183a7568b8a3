//! Language codes (ISO 639) of the languages that the crates `whatlang` and `whichlang` detect.

use whatlang::Lang::*;

/// Languages of `whatlang` and their codes.
#[rustfmt::skip]
const COMMON: &[(whatlang::Lang, &str)] = &[
    (Ara, "ar"), (Aze, "az"), (Bel, "be"), (Ben, "bn"), (Bul, "bg"), (Ces, "cs"), (Cmn, "zh"),
    (Dan, "da"), (Deu, "de"), (Ell, "el"), (Eng, "en"), (Est, "et"), (Fin, "fi"), (Fra, "fr"),
    (Heb, "he"), (Hin, "hi"), (Hrv, "hr"), (Hun, "hu"), (Hye, "hy"), (Ind, "id"), (Ita, "it"),
    (Jpn, "ja"), (Kat, "ka"), (Kor, "ko"), (Lav, "lv"), (Lit, "lt"), (Mar, "mr"), (Mkd, "mk"),
    (Nep, "ne"), (Nld, "nl"), (Nob, "no"), (Pes, "fa"), (Pol, "pl"), (Por, "pt"), (Ron, "ro"),
    (Rus, "ru"), (Slk, "sk"), (Slv, "sl"), (Spa, "es"), (Srp, "sr"), (Swe, "sv"), (Tur, "tr"),
    (Ukr, "uk"), (Urd, "ur"), (Vie, "vi"),
];

/// Languages that `whatlang` often takes short texts of their relatives for.
#[rustfmt::skip]
const RARE: &[(whatlang::Lang, &str)] = &[
    (Afr, "af"), (Cat, "ca"), (Cym, "cy"), (Epo, "eo"), (Jav, "jv"), (Lat, "la"), (Sna, "sn"),
    (Tgl, "tl"), (Tuk, "tk"), (Uzb, "uz"), (Yid, "yi"), (Zul, "zu"),
];

/// The code of a language, and whether it is one that `whatlang` often takes short texts of its
/// relatives for.
pub(super) fn from_whatlang(lang: whatlang::Lang) -> Option<(&'static str, bool)> {
    let code = |table: &[(whatlang::Lang, &'static str)]| {
        table.iter().find(|(known, _)| *known == lang).map(|(_, code)| *code)
    };
    code(COMMON).map(|code| (code, false)).or_else(|| code(RARE).map(|code| (code, true)))
}

/// Codes of the languages of `whichlang` that share their script with others.
pub(super) const LINEAR_LANGUAGES: [&str; 12] =
    ["ar", "de", "en", "es", "fr", "hi", "it", "nl", "pt", "ru", "sv", "tr"];

/// The code of a language.
pub(super) fn from_whichlang(lang: whichlang::Lang) -> &'static str {
    use whichlang::Lang::*;
    match lang {
        Ara => "ar",
        Cmn => "zh",
        Deu => "de",
        Eng => "en",
        Fra => "fr",
        Hin => "hi",
        Ita => "it",
        Jpn => "ja",
        Kor => "ko",
        Nld => "nl",
        Por => "pt",
        Rus => "ru",
        Spa => "es",
        Swe => "sv",
        Tur => "tr",
        Vie => "vi",
    }
}
