//! Texts of nothing but names: lists of people or firms, postal addresses.

use super::function_words;
use unicode_segmentation::UnicodeSegmentation;

/// Words that are in names and addresses of many languages.
const PARTICLES: [&str; 24] = [
    "al", "am", "an", "bin", "da", "de", "del", "den", "der", "di", "do", "dos", "du", "el", "ibn",
    "la", "le", "of", "ten", "van", "von", "y", "zu", "д",
];

/// More bytes than an address or a short list has: what is longer is not looked at.
const LONGEST: usize = 400;
/// Most words of a name.
const WORDS: usize = 4;

/// Whether a text is a list of names, or an address: parts of a few words with capitals, between
/// commas. Two parts may be a salutation; two with figures, or three, are not.
pub(super) fn are_all(text: &str) -> bool {
    if text.len() > LONGEST || !text.contains([',', ';', '\n']) {
        return false;
    }
    let parts = text.split([',', ';', '\n']).filter(|part| !part.trim().is_empty());
    let (mut all, mut full, mut figures) = (0, 0, 0);
    for part in parts {
        let words = part.unicode_words().collect::<Vec<_>>();
        let (numbers, words): (Vec<&str>, Vec<&str>) =
            words.into_iter().partition(|word| word.starts_with(|c: char| c.is_numeric()));
        if words.len() > WORDS || !words.iter().enumerate().all(|(i, word)| is_name(word, i)) {
            return false;
        }
        all += 1;
        full += usize::from(words.len() > 1 || !numbers.is_empty());
        figures += usize::from(!numbers.is_empty());
    }
    // "Bread, Milk, Tea" is a list of things.
    2 * full > all && (all > 2 || figures > 0 && all > 1)
}

/// Whether a word is one of a name, with `before` words before it.
fn is_name(word: &str, before: usize) -> bool {
    let lower = word.to_lowercase();
    let is_particle = PARTICLES.contains(&lower.as_str());
    let is_capital = word.starts_with(char::is_uppercase);
    is_particle && (before > 0 || is_capital)
        || is_capital && (word.len() < 3 || function_words::languages(&lower).is_empty())
        || word.chars().nth(1).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_from_sentences() {
        for text in [
            "Anna Schmidt, Peter Müller, Jonas Weber",
            "Rue de la Paix 12, 75002 Paris",
            "Hauptstraße 5, 10115 Berlin",
            "Calle Mayor 5\n28013 Madrid",
            "Siemens AG, Deutsche Bank, Volkswagen",
        ] {
            assert!(are_all(text), "{text}");
        }
        for text in [
            "Guten Tag, Herr Müller",
            "Brot, Milch, Käse",
            "Der Rat tagt am 3. Mai, sagt Anna Schmidt",
            "Fire, Flood and Wind Hit Texas, Officials Say",
            "Bonjour, ça va ?",
            "Bom Dia",
            "",
        ] {
            assert!(!are_all(text), "{text}");
        }
    }
}
