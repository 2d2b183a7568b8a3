//! Whether the translation of a few words adds to them. A small model that gets a lone word
//! decorates it: "Hallo" becomes "Hello hello", "John" becomes "John (city)", a heading in capitals
//! stays half as it is. What would be nothing much in a sentence is telling here.

use super::length::Lengths;
use super::side::Side;
use crate::text::{caps, words};

/// Most words of a source that is looked at.
const FEW: usize = 3;
/// Fewer letters make a function word, which a language may need twice.
const FEWEST_LETTERS: usize = 4;
/// Marks of which a translation has none where its source has none of their kind.
const DECORATION: &[&str] = &["()[]{}（）［］【】", "\"“”„«»「」『』《》", "?？!！¿¡؟", ":："];
/// Languages that say a word twice where others have another form of it ("slowly", "children").
const REDUPLICATING: &[&str] = &[
    "az", "bn", "fa", "hi", "hy", "id", "ja", "ka", "kk", "km", "ko", "ky", "lo", "mr", "ms", "my",
    "ne", "pa", "ta", "te", "th", "tl", "tr", "ur", "vi", "zh",
];

/// The words of a source that has few.
fn few_words(source: &str) -> Option<Vec<String>> {
    // Most sources are sentences, and their words need not be made to see that.
    let mut parts = source.split_whitespace().filter(|part| part.contains(char::is_alphanumeric));
    if parts.nth(FEW).is_some() {
        return None;
    }
    let words = words::words(source);
    (1..=FEW).contains(&words.len()).then_some(words)
}

/// Whether the output says a word twice that the source says once: all of it, or one of its longer
/// words.
pub(super) fn is_doubled(read: &Side, output: &Side) -> bool {
    let source = read.text;
    let Some(given) = few_words(source) else { return false };
    let written = output.words();
    let is_repeated =
        |words: &[String]| words.iter().enumerate().any(|(at, word)| words[..at].contains(word));
    let stammers =
        source.split(|c: char| !c.is_alphanumeric()).any(|part| part.chars().count() == 1)
            && source.contains('-');
    if is_repeated(&given) || stammers {
        return false;
    }
    let may_double = REDUPLICATING.contains(&output.lang.base());
    let (first, second) = written.split_at(written.len() / 2);
    let is_all = first == second;
    let counts = |word: &String| {
        let is_long = word.chars().count() >= FEWEST_LETTERS;
        (is_long || is_all) && (!may_double || given.contains(word))
    };
    written.iter().enumerate().any(|(at, word)| written[..at].contains(word) && counts(word))
}

/// Whether the output has brackets, quotation marks, a colon, a question or exclamation mark, and
/// the source has nothing of that kind.
pub fn is_decorated(source: &str, output: &str) -> bool {
    let has_number = source.contains(char::is_numeric);
    few_words(source).is_some()
        && DECORATION.iter().any(|kind| {
            let has = |text: &str| text.contains(|c| kind.contains(c));
            // "15h" is 3:00 p.m.
            let is_clock = has_number && kind.contains(':');
            has(output) && !has(source) && !is_clock
        })
}

/// The output of a few words without what was added to it in brackets, if that is something and not
/// all of it.
pub fn without_added_brackets(source: &str, output: &str) -> Option<String> {
    few_words(source).filter(|_| !source.contains(['(', '[']))?;
    let (before, rest) = output.split_once('(')?;
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    let bare = format!("{}{after}", before.trim_end());
    bare.contains(char::is_alphanumeric).then_some(bare)
}

/// Whether the output is far longer than a few words become. Acronyms may be written out.
pub(super) fn is_stretched(source: &str, Lengths { found, expected }: &Lengths) -> bool {
    *found > 2.5 * expected + 6.0
        && few_words(source).is_some()
        && !caps::has_only_capitals(source)
        && !source.contains(char::is_numeric)
}

/// Whether a word of the source, which is all in capitals and too short to be told from an acronym,
/// stands in the output as it is.
pub fn keeps_capitals(source: &str, output: &str) -> bool {
    caps::has_only_capitals(source)
        && !caps::is_capitals(source)
        && few_words(source).is_some()
        && source.split(|c: char| !c.is_alphabetic()).any(|word| {
            word.chars().count() >= 3
                && output.split(|c: char| !c.is_alphabetic()).any(|w| w == word)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complains(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = super::super::parsed(languages);
        let (read, written) = (Side::of(source, &from), Side::of(output, &to));
        is_doubled(&read, &written)
            || is_decorated(source, output)
            || is_stretched(source, &Lengths::of(&read, &written))
            || keeps_capitals(source, output)
    }

    #[test]
    fn what_was_added_to_a_few_words_is_found() {
        for (source, output, languages) in [
            ("Hallo", "Hello hello", "nl en"),
            ("Olá", "Hello, the hello", "pt en"),
            ("h", "(h h)", "nl en"),
            ("Não", "No no", "pt en"),
            ("João", "John John", "pt en"),
            ("John", "John John", "en tr"),
            ("Bom dia!", "Good morning! Good morning!", "pt en"),
            ("John", "John (Stadt)", "en de"),
            ("John", "Kategorie:John", "en de"),
            ("Erik", "¿Erik", "en es"),
            ("changelog", "(pakeitimas", "en lt"),
            ("Lisboa", "Lisbon is the capital of the country", "pt en"),
            ("Bom dia!", "Bom dia! Bom dia!", "pt en"),
            ("BOM DIA", "GOD BOM", "pt en"),
            ("FIM", "FIM", "pt en"),
        ] {
            assert!(complains(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn added_brackets_go() {
        let bare = |output| without_added_brackets("changelog", output);
        assert_eq!(bare("changelog (de mudança)").as_deref(), Some("changelog"));
        assert_eq!(bare("changelog (").as_deref(), Some("changelog"));
        assert_eq!((bare("(h h)"), bare("changelog")), (None, None));
        assert_eq!(without_added_brackets("f(x)", "f (x)"), None);
    }

    #[test]
    fn good_translations_of_a_few_words_pass() {
        for (source, output, languages) in [
            ("Bom dia!", "Good morning!", "pt en"),
            ("Fim do mês", "The end of the month", "pt en"),
            ("ONU", "The United Nations Organization", "pt en"),
            ("UE", "EU", "pt en"),
            ("Que horas?", "At what time?", "pt en"),
            ("Às 15h", "At 3:00 p.m.", "pt en"),
            ("pouco a pouco", "little by little", "pt en"),
            ("slowly", "yavaş yavaş", "en tr"),
            ("children", "anak-anak", "en id"),
            ("Capítulo 3", "Chapter 3", "pt en"),
            ("Donaudampfschiff", "The Danube steamship", "de en"),
            ("Uau!", "Wow!", "pt en"),
            ("O-o-o-o", "O-o-o-o", "pt en"),
            ("你好，世界", "Hello, world", "zh en"),
            ("Ele disse que o homem é o homem", "He said the man is the man", "pt en"),
            ("Brexit", "英国脱离欧盟", "en zh"),
        ] {
            assert!(!complains(source, output, languages), "{source} → {output}");
        }
    }
}
