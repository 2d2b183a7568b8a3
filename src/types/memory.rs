//! Translations that people have made before.

use super::Lang;
use std::collections::HashMap;

/// A translation memory: texts and their translations into one language, found by the exact text,
/// white space apart.
#[derive(Clone, Debug)]
pub struct TranslationMemory {
    to: Lang,
    /// By the base code of the source's language, then by the source.
    units: HashMap<Box<str>, HashMap<Box<str>, Target>>,
}

#[derive(Clone, Debug)]
struct Target {
    text: Box<str>,
    /// Whether it is in the very language wanted, region included.
    is_exact: bool,
}

impl TranslationMemory {
    /// An empty memory of translations into this language.
    pub fn new(to: &Lang) -> TranslationMemory {
        TranslationMemory { to: to.clone(), units: HashMap::new() }
    }

    /// The language of its translations.
    pub fn to(&self) -> &Lang {
        &self.to
    }

    /// Adds a translation in the language `into`. It takes the place of an earlier one of the same
    /// text, unless that one is in the language wanted and this one in another region's.
    pub fn insert(&mut self, from: &Lang, source: &str, into: &Lang, target: &str) {
        let (source, text) = (normalized(source), on_one_line(target));
        if source.is_empty() || text.is_empty() || !into.same_base(&self.to) {
            return;
        }
        let is_exact = *into == self.to;
        let of_language = self.units.entry(from.base().into()).or_default();
        let is_better = |known: &Target| is_exact || !known.is_exact;
        if of_language.get(source.as_str()).is_none_or(is_better) {
            of_language.insert(source.into(), Target { text: text.into(), is_exact });
        }
    }

    /// The translation of a text.
    pub fn find(&self, from: &Lang, text: &str) -> Option<&str> {
        let found = self.units.get(from.base())?.get(normalized(text).as_str())?;
        Some(&found.text)
    }

    /// Number of texts that it knows.
    pub fn len(&self) -> usize {
        self.units.values().map(HashMap::len).sum()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A text without the line breaks and indents that a file has between its words; its other spaces
/// stay, as those before a French exclamation mark.
fn on_one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// A text with one space wherever it has white space.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_words_and_base_languages() {
        let lang = |code: &str| Lang::parse(code).unwrap();
        let mut memory = TranslationMemory::new(&lang("pt-BR"));
        memory.insert(&lang("fr-FR"), "Le  pont\nest fermé.", &lang("pt"), " A ponte. ");
        assert_eq!(memory.find(&lang("fr-CA"), " Le pont est fermé. "), Some("A ponte."));
        assert_eq!(memory.find(&lang("fr"), "Le pont est fermé"), None);
        assert_eq!(memory.find(&lang("es"), "Le pont est fermé."), None);
        // The very language wanted is better than another region's, which is better than nothing;
        // of equals the last one counts.
        memory.insert(&lang("fr"), "Le pont est fermé.", &lang("pt-BR"), "Fechada.");
        memory.insert(&lang("fr"), "Le pont est fermé.", &lang("pt-PT"), "Encerrada.");
        assert_eq!(memory.find(&lang("fr"), "Le pont est fermé."), Some("Fechada."));
        let target = " Está\n  interditada\u{a0}!\r\n";
        memory.insert(&lang("fr"), "Le pont est fermé.", &lang("pt-BR"), target);
        let found = memory.find(&lang("fr"), "Le pont est fermé.");
        assert_eq!(found, Some("Está interditada\u{a0}!"));
        // Other languages, and nothing, are no translations.
        memory.insert(&lang("fr"), "Oui.", &lang("en"), "Yes.");
        memory.insert(&lang("fr"), "Oui.", &lang("pt-BR"), " ");
        assert_eq!((memory.find(&lang("fr"), "Oui."), memory.len()), (None, 1));
    }
}
