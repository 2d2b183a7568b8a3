//! The language of a passage in a text of another language: of a paragraph, a sentence, a
//! quotation.

use super::detect::{detect, is_evident, without_protected};
use super::evidence::has_letter_of;
use super::function_words;
use super::relatives::are_close;
use super::script;
use crate::text::caps;
use crate::types::Lang;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// The languages to choose from for a passage.
#[derive(Clone, Copy, Debug)]
pub struct Languages<'a> {
    /// That of the text around the passage.
    pub around: &'a Lang,
    /// Others to be expected, as that of the whole article, or the one that it is translated into.
    pub expected: &'a [&'a Lang],
}

/// What there has to be for a passage to be in another language than the text around it.
struct Demands {
    /// Words in all.
    words: usize,
    /// Function words that the other language has and the one around it has not.
    speaking_for: usize,
    /// The same, as a share of all words.
    share: f32,
    /// How many of them there are for each that speaks against it.
    ratio: usize,
    /// Confidence of the detection.
    confidence: f32,
}

/// Of a language that is expected.
const EXPECTED: Demands =
    Demands { words: 4, speaking_for: 2, share: 0.1, ratio: 2, confidence: 0.6 };
/// The same of a headline, which has few function words.
const EXPECTED_HEADLINE: Demands =
    Demands { words: 6, speaking_for: 1, share: 0.0, ratio: 2, confidence: 0.85 };
/// Of any other.
const UNEXPECTED: Demands =
    Demands { words: 6, speaking_for: 2, share: 0.15, ratio: 3, confidence: 0.85 };
/// The same of few function words, where everything else is beyond doubt.
const UNEXPECTED_HEADLINE: Demands =
    Demands { words: 8, speaking_for: 1, share: 0.0, ratio: usize::MAX, confidence: 0.97 };
/// Of a relative of the language around it.
const RELATED: Demands =
    Demands { words: 6, speaking_for: 3, share: 0.2, ratio: 5, confidence: 0.8 };

/// Words of another script that are prose: fewer are a name or a title.
const PROSE: usize = 4;

/// The language of a passage, where it is beyond doubt not that of the text around it: `und` where
/// it is in another script, and which language that is cannot be told. `None`: that of the text
/// around it, as far as one can tell.
///
/// Names, titles, cognates and figures prove nothing. `benches/language.rs` counts how often a
/// sentence is taken for one of another language.
pub fn of_passage(passage: &str, languages: Languages<'_>) -> Option<Lang> {
    let Languages { around, expected } = languages;
    if around.is_und() {
        return None;
    }
    let text = without_protected(passage);
    let text = if caps::is_capitals(&text) { Cow::Owned(text.to_lowercase()) } else { text };
    let (own, foreign) = letters(&text, around);
    if own + foreign == 0 {
        return None;
    }
    let is_expected = |lang: &Lang| expected.iter().any(|other| other.same_base(lang));
    if own == 0 || foreign > 30 * own {
        return Some(in_another_script(&text, &is_expected));
    }
    if let Some(lang) = expected.iter().find(|lang| is_label(passage, &text, lang, around)) {
        return Some((*lang).clone());
    }
    if is_evident(&text, around) {
        return None;
    }
    let found = detect(&text);
    if found.code.is_und() || found.code.same_base(around) {
        return None;
    }
    let demands: &[Demands] = match () {
        () if are_close(found.code.base(), around.base()) => &[RELATED],
        () if is_expected(&found.code) => &[EXPECTED, EXPECTED_HEADLINE],
        () => &[UNEXPECTED, UNEXPECTED_HEADLINE],
    };
    let evidence = Evidence::of(&text, &found.code, around);
    let met = |demands: &Demands| found.confidence >= demands.confidence && evidence.meets(demands);
    demands.iter().any(met).then_some(found.code)
}

/// Whether a text, the rest of a sentence for example, is rather in the one language than in the
/// other. Of a few words nobody can tell for certain.
pub fn leans(text: &str, to: &Lang, from: &Lang) -> bool {
    let text = without_protected(text);
    let (own, foreign) = letters(&text, from);
    let evidence = Evidence::of(&text, to, from);
    own + foreign > 0 && (own == 0 || evidence.speaking_for > evidence.speaking_against)
}

/// Letters of a text that are of a language's scripts, and others.
fn letters(text: &str, lang: &Lang) -> (usize, usize) {
    let scripts = script::scripts(lang);
    let count = script::count(text).into_iter();
    count.fold((0, 0), |(own, foreign), (script, n)| {
        let is_own = scripts.is_empty() || scripts.contains(&script);
        if is_own { (own + n, foreign) } else { (own, foreign + n) }
    })
}

/// The language of a text in another script than that around it.
fn in_another_script(text: &str, is_expected: &dyn Fn(&Lang) -> bool) -> Lang {
    let found = detect(text);
    let unspaced = text.chars().any(|c| script::of(c).is_unspaced());
    let words = text.unicode_words().count();
    let is_sure = if is_expected(&found.code) {
        found.confidence >= 0.5
    } else {
        found.confidence >= 0.7 && (unspaced || words >= PROSE)
    };
    if is_sure { found.code } else { Lang::und() }
}

/// Whether a passage is a label beside an address (`From: harbour@example.org`).
fn is_label(passage: &str, text: &str, lang: &Lang, around: &Lang) -> bool {
    if text.len() >= passage.len() {
        return false;
    }
    let evidence = Evidence::of(text, lang, around);
    evidence.words > 0 && evidence.speaking_for == evidence.words
}

/// The words of a text that tell one language from another.
struct Evidence {
    words: usize,
    speaking_for: usize,
    speaking_against: usize,
}

impl Evidence {
    fn of(text: &str, lang: &Lang, against: &Lang) -> Evidence {
        let mut evidence = Evidence { words: 0, speaking_for: 0, speaking_against: 0 };
        for word in text.to_lowercase().unicode_words() {
            if !word.contains(char::is_alphabetic) {
                continue;
            }
            let languages = function_words::languages(word);
            let tells = |one: &Lang, other: &Lang| {
                let (one, other) = (one.base(), other.base());
                languages.contains(&one) && !languages.contains(&other)
                    || has_letter_of(word, one, other)
            };
            evidence.words += 1;
            evidence.speaking_for += usize::from(tells(lang, against));
            evidence.speaking_against += usize::from(tells(against, lang));
        }
        evidence
    }

    fn meets(&self, demands: &Demands) -> bool {
        let Evidence { words, speaking_for, speaking_against } = *self;
        words >= demands.words
            && speaking_for >= demands.speaking_for
            && speaking_for as f32 >= demands.share * words as f32
            && speaking_for >= speaking_against.saturating_mul(demands.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(passage: &str, around: &str, expected: &str) -> Option<String> {
        let [around, expected] = [around, expected].map(|code| Lang::parse(code).unwrap());
        let languages = Languages { around: &around, expected: &[&expected] };
        of_passage(passage, languages).map(|lang| lang.to_string())
    }

    #[test]
    fn passages_in_another_language_are_found() {
        for (passage, around, expected, language) in [
            ("The council will meet again in the old customs house.", "fr", "en", "en"),
            ("THE COUNCIL WILL MEET AGAIN IN THE OLD HOUSE", "fr", "en", "en"),
            ("From: harbour@example.org", "fr", "en", "en"),
            ("“We are very happy to be here.”", "ru", "en", "en"),
            ("Il traghetto partirà ogni venti minuti, ha detto il sindaco.", "fr", "en", "it"),
            ("Il comandante del porto dubita che la corrente lo permetta.", "ru", "en", "it"),
            ("Он сказал, что это был не его дом и он ещё не решил.", "uk", "ru", "ru"),
            ("Президент заявил, что поездка была успешной.", "en", "de", "ru"),
            ("彼は会議に出席したと述べた。", "en", "de", "ja"),
        ] {
            assert_eq!(find(passage, around, expected).as_deref(), Some(language), "{passage}");
        }
    }

    #[test]
    fn names_and_cognates_are_no_other_language() {
        for (passage, around, expected) in [
            ("Manchester United – Real Madrid 2:1", "de", "en"),
            ("Angela Merkel, Boris Johnson, Donald Trump", "fr", "en"),
            ("Information: restaurant international, transport, service", "fr", "en"),
            ("But de Mbappé !", "fr", "en"),
            ("In Berlin war es warm.", "de", "en"),
            ("Глава Microsoft Satya Nadella рассказал о планах Windows", "ru", "en"),
            ("O presidente disse que não.", "pt", "es"),
            ("12.05.2026, 14:22", "ru", "en"),
            ("", "fr", "en"),
            ("The council will meet again.", "und", "en"),
        ] {
            assert_eq!(find(passage, around, expected), None, "{passage}");
        }
    }

    #[test]
    fn a_name_in_another_script_is_in_no_language() {
        assert_eq!(find("Reuters", "ru", "en").as_deref(), Some("und"));
        assert_eq!(find("Владимир Путин", "en", "de").as_deref(), Some("und"));
    }

    #[test]
    fn the_rest_of_a_sentence_leans_to_one_side() {
        let lean = |text: &str, to: &str, from: &str| {
            leans(text, &Lang::parse(to).unwrap(), &Lang::parse(from).unwrap())
        };
        assert!(lean(" the president said in English.", "en", "ru"));
        assert!(lean(" he said.", "en", "tr") && !lean(" dedi.", "en", "tr"));
        assert!(!lean(" a-t-il écrit", "en", "fr") && !lean(", ", "en", "fr"));
    }
}
