//! Whether a text denies something, by the words that its language does it with.

use super::signs::{self, Signs};
use super::tokens::tokens;
use crate::languages;
use crate::types::Lang;

/// Languages, and their words of negation in the spelling of tokens; beginnings of words before a
/// "-", anywhere in a word before and after. Languages that negate by a syllable of the verb
/// (Turkish, Czech, Persian, Finnish) are left out.
const WORDS: &[Signs] = &[
    ("en", "not no never none nobody nothing neither nor cannot without"),
    ("de", "nicht kein- nie niemals niemand- nichts weder ohne"),
    ("fr", "ne n pas jamais aucun- rien sans ni"),
    ("es", "no nunca jamás ningun- ningún nadie nada sin tampoco ni"),
    ("it", "non mai nessun- niente nulla né senza"),
    ("pt", "não nunca jamais nenhum- ninguém nada sem nem"),
    ("nl", "niet geen nooit niemand niets zonder"),
    ("sv", "inte ej aldrig ingen inget inga ingenting utan"),
    ("da", "ikke aldrig ingen intet uden"),
    ("no", "ikke ikkje aldri ingen ingenting uten"),
    ("ru", "не нет ни никогда никто ничего нельзя никак- без"),
    ("uk", "не ні немає ніколи ніхто нічого жод- без"),
    ("bg", "не няма никога никой нищо без"),
    ("pl", "nie nigdy nikt nic żad- bez"),
    ("ro", "nu nici niciodată nimeni nimic fără n"),
    ("el", "δεν δε μην όχι ποτέ κανένας τίποτα χωρίς"),
    ("hu", "nem ne nincs nincsen- soha senki semmi sem nélkül"),
    ("ar", "لا لم لن ليس- غير بدون دون"),
    ("he", "לא אין בלי אינו אינה"),
    ("hi", "नहीं न मत बिना"),
    ("id", "tidak bukan tanpa belum tak"),
    ("vi", "không chưa chẳng"),
    ("zh", "-不- -没- -沒- -未- -无- -無-"),
    ("ja", "-ない- -なかっ- -ません- -なく-"),
    ("ko", "-않- -없- -못- 안 -아니-"),
];

/// Whether a text has a word of negation; `None` in a language whose words are not known.
pub(crate) fn negates(text: &str, lang: &Lang) -> Option<bool> {
    let lang = languages::canonical(lang);
    let words = signs::of(WORDS, &lang)?;
    let tokens = tokens(text);
    // "Don't" is two tokens.
    let is_contracted = || {
        tokens.windows(2).any(|pair| {
            lang.base() == "en"
                && pair[1].joined
                && pair[1].word == "t"
                && pair[0].word.ends_with('n')
        })
    };
    Some(tokens.iter().any(|token| signs::has(words, &token.word)) || is_contracted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negations_of_many_languages() {
        for (lang, text, expected) in [
            ("en", "They don't come.", Some(true)),
            ("en", "They do come in November.", Some(false)),
            ("de", "Sie haben keine Zeit.", Some(true)),
            ("de", "Sie haben Zeit.", Some(false)),
            ("fr", "Il n'y a rien.", Some(true)),
            ("es", "No vienen.", Some(true)),
            ("pt", "Eles não vêm.", Some(true)),
            ("ru", "Они не придут.", Some(true)),
            ("ru", "Они придут.", Some(false)),
            ("zh", "他们不来。", Some(true)),
            ("ja", "彼らは来ない。", Some(true)),
            ("ko", "그들은 오지 않는다.", Some(true)),
            ("ar", "لم يأتوا", Some(true)),
            ("tr", "Gelmiyorlar.", None),
        ] {
            assert_eq!(negates(text, &Lang::parse(lang).unwrap()), expected, "{lang} {text}");
        }
    }
}
