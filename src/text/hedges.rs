//! Whether a text leaves something open, by the words that its language does it with.

use super::signs::{self, Signs};
use super::tokens::tokens;
use crate::types::Lang;

/// Languages, and the words that make a claim, a suspicion or a possibility of a fact.
const WORDS: &[Signs] = &[
    (
        "en",
        "alleged allegedly reportedly suspected accused may might could claim claims claimed \
         rumoured rumored possible possibly perhaps likely unlikely apparently seem seems seemed \
         appear appears appeared would unless if denies denied expected planned proposed almost \
         nearly",
    ),
    (
        "de",
        "angeblich- mutmaßlich- soll sollen könnte könnten dürfte dürften möglicherweise \
         vermutlich- wahrscheinlich- womöglich vielleicht offenbar anscheinend verdächtig- \
         beschuldigt- würde würden geplant- falls fast beinahe",
    ),
    (
        "fr",
        "pourrai- aurai- serai- devrai- présumé- soupçonné- accusé- prétend- probable- \
         possible- éventuel- peut-être apparemment selon si presque",
    ),
    (
        "es",
        "podría- habría- sería- debería- presunt- supuest- sospech- acusad- probable- posible- \
         quizá- aparentemente si casi según",
    ),
    (
        "pt",
        "poder- poderia- teria- seria- deveria- supost- alegad- suspeit- acusad- provável \
         provavelmente possível possivelmente talvez aparentemente se quase segundo",
    ),
    (
        "it",
        "potrebbe- avrebbe- sarebbe- dovrebbe- presunt- sospett- accusat- probabil- possibil- \
         forse apparentemente se quasi secondo",
    ),
    (
        "nl",
        "vermeend- zou zouden mogelijk- waarschijnlijk- misschien verdacht- beschuldigd- \
         blijkbaar als bijna volgens",
    ),
    (
        "ru",
        "якобы возможно вероятн- предположительн- подозрева- обвиня- может могут мог могла бы \
         если почти наверное видимо",
    ),
];

/// Whether a text has a word that leaves something open; `None` in a language whose words are not
/// known.
pub(crate) fn hedges(text: &str, lang: &Lang) -> Option<bool> {
    let words = signs::of(WORDS, lang)?;
    Some(tokens(text).iter().any(|token| signs::has(words, &token.word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_and_doubts_of_many_languages() {
        for (lang, text, expected) in [
            ("en", "He allegedly took the money.", Some(true)),
            ("en", "He took the money.", Some(false)),
            ("de", "Der mutmaßliche Täter floh.", Some(true)),
            ("de", "Der Täter floh.", Some(false)),
            ("fr", "Il pourrait démissionner.", Some(true)),
            ("es", "El presunto ladrón huyó.", Some(true)),
            ("pt", "O suposto ladrão fugiu.", Some(true)),
            ("ru", "Он якобы бежал.", Some(true)),
            ("fi", "Hän ehkä pakeni.", None),
        ] {
            assert_eq!(hedges(text, &Lang::parse(lang).unwrap()), expected, "{text}");
        }
    }
}
