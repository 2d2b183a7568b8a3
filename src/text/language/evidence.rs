//! Evidence for the language of a text among those that share a script.

use super::script::{self, Script};
use super::{function_words, relatives};
use crate::text::hash::FixedMap;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// Evidence by language.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) by_language: Vec<(&'static str, f32)>,
}

impl Scores {
    fn add(&mut self, lang: &'static str, evidence: f32) {
        match self.by_language.iter_mut().find(|(l, _)| *l == lang) {
            Some((_, sum)) => *sum += evidence,
            None => self.by_language.push((lang, evidence)),
        }
    }
}

/// Letters that not all languages of a script have, and the languages that do.
const LETTERS: &[(&str, &[&str])] = &[
    ("ыэ", &["ru", "be", "kk", "ky", "mn", "tt"]),
    ("ё", &["ru", "be", "kk", "ky", "mn", "tg"]),
    ("щ", &["ru", "uk", "bg", "kk", "tt"]),
    ("ъ", &["bg", "ru"]),
    ("ь", &["ru", "uk", "be", "kk", "ky", "mn", "tt"]),
    ("і", &["uk", "be", "kk"]),
    ("їєґ", &["uk"]),
    ("ў", &["be"]),
    ("јљњџ", &["sr", "mk"]),
    ("ђћ", &["sr"]),
    ("ѓќѕ", &["mk"]),
    ("ғқұ", &["kk"]),
    ("ә", &["kk", "tt"]),
    ("һ", &["kk", "tt"]),
    ("ң", &["kk", "ky", "tt"]),
    ("өү", &["kk", "ky", "mn", "tt"]),
    ("җ", &["tt"]),
    ("ӣӯҷҳ", &["tg"]),
    ("پچژگ", &["fa", "ur", "ps", "ckb", "ug"]),
    ("کی", &["fa", "ur", "ckb"]),
    ("ةىيكإ", &["ar"]),
    ("ٹڈڑںےہھ", &["ur"]),
    ("ښځڅډړږۍ", &["ps"]),
    ("ێۆڵڕ", &["ckb"]),
    ("ڭۇۈ", &["ug"]),
    ("ə", &["az"]),
    ("ıİğ", &["tr", "az"]),
    ("řěů", &["cs"]),
    ("ľĺŕ", &["sk"]),
    ("őű", &["hu"]),
    ("łżź", &["pl"]),
    ("țș", &["ro"]),
    ("ñ¿¡", &["es"]),
    ("ß", &["de"]),
    ("æø", &["da", "no"]),
    ("þð", &["is"]),
    ("ơưạảấầẩậắằặẹẻếềểễệỉịọỏốồổộớờởợụủứừửựỳỷỹ", &["vi"]),
];

/// For each of [`LETTERS`] the lists of languages that have it.
static LANGUAGES: LazyLock<FixedMap<char, Vec<&[&str]>>> = LazyLock::new(|| {
    let mut all: FixedMap<char, Vec<&[&str]>> = FixedMap::default();
    for (letters, languages) in LETTERS {
        letters.chars().for_each(|letter| all.entry(letter).or_default().push(languages));
    }
    all
});

/// Whether a lower-case word has a letter, not of the Latin script, that the one language has and
/// the other lacks. Latin names keep the letters of their own language everywhere.
pub(super) fn has_letter_of(word: &str, lang: &str, lacking: &str) -> bool {
    let tells = |(letters, languages): &(&str, &[&str])| {
        languages.contains(&lang)
            && !languages.contains(&lacking)
            && word.contains(|c| letters.contains(c) && script::of(c) != Script::Latin)
    };
    word.contains(|c: char| !c.is_ascii()) && LETTERS.iter().any(tells)
}

/// Weights of the evidence.
mod weight {
    /// A function word, divided by the number of languages that share it.
    pub(super) const WORD: f32 = 1.0;
    /// A telling word with accents, which no name or loan of another language has.
    pub(super) const MARKED: f32 = 2.0;
    /// A letter that the language has and others lack.
    pub(super) const LETTER: f32 = 0.7;
}

/// The most that a language may gain on another by all evidence but words and letters.
pub(super) const OTHER_EVIDENCE: f32 = 2.4;

/// How many words of a text tell a language from its relatives, by language.
pub(super) fn telling_words(text: &str) -> Scores {
    let mut scores = Scores::default();
    for word in text.to_lowercase().unicode_words() {
        let is_marked = |c: char| !c.is_ascii() && script::of(c) == Script::Latin;
        let evidence = if word.contains(is_marked) { weight::MARKED } else { 1.0 };
        relatives::languages(word).iter().for_each(|lang| scores.add(lang, evidence));
    }
    scores
}

/// Weighs function words and letters.
pub(super) fn weigh_words(text: &str, main: Script) -> Scores {
    let mut scores = Scores::default();
    let lower = text.to_lowercase();
    for word in lower.unicode_words() {
        let languages = function_words::languages(word);
        let is_of_main = |c: char| script::of(c) == main;
        if !languages.is_empty() && word.starts_with(is_of_main) {
            for lang in languages {
                scores.add(lang, weight::WORD / languages.len() as f32);
            }
        }
    }
    for c in lower.chars().filter(|c| !c.is_ascii()) {
        for languages in LANGUAGES.get(&c).into_iter().flatten() {
            for lang in *languages {
                scores.add(lang, weight::LETTER * (1.0 + 1.0 / languages.len() as f32));
            }
        }
    }
    scores
}
