//! Whether the names of a text are those of its source: kept, written in another script, or an
//! exonym that the lexicon knows.
//!
//! A check of names accuses only of an exchange: a name of the source that has no counterpart in
//! the output, and one of the output that has none in the source. What is only missing was said
//! with a pronoun, and what is only new explains something. One of the two at least must be a
//! place of the lexicon or a person with a title: capital letters alone make no name.

use super::side::Side;
use super::sound::Sound;
use crate::languages;
use crate::text::language;
use crate::text::lexicon::{Concept, Found, Place};
use crate::text::tokens::Token;
use crate::types::Lang;
use std::cell::OnceCell;
use std::ops::Range;

/// Beginnings of words that stand before the name of a person, in many languages.
const TITLES: &[&str] = &[
    "presiden",
    "präsident",
    "president",
    "président",
    "prezident",
    "prezyd",
    "президент",
    "πρόεδρο",
    "πρωθυπουργ",
    "cumhurbaşkan",
    "başkan",
    "minister",
    "ministr",
    "министр",
    "міністр",
    "kanzler",
    "chancel",
    "chancelier",
    "cancill",
    "канцлер",
    "senator",
    "sénateur",
    "senador",
    "сенатор",
    "herr",
    "frau",
    "mister",
    "monsieur",
    "madame",
    "señor",
    "senhor",
    "signor",
    "господин",
    "пан",
    "professor",
    "professeur",
    "profesor",
    "профессор",
    "könig",
    "king",
    "queen",
    "rey",
    "reina",
    "король",
    "королева",
    "papst",
    "pope",
    "pape",
    "papa",
    "gouverneur",
    "governor",
    "gobernador",
    "губернатор",
    "general",
    "général",
    "генерал",
    "bürgermeister",
    "mayor",
    "alcalde",
    "maire",
    "sindaco",
    "menteri",
    "mr",
    "mrs",
    "ms",
    "dr",
    "premier",
    "премьер",
    "прем'єр",
];
/// Fewer letters make no name that could be told by its sound.
const FEWEST_LETTERS: usize = 4;

/// What speaks for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The lexicon knows it.
    Place,
    /// It stands after a title.
    Person,
    /// It is capitalized in the middle of a sentence.
    Capitalized,
}

/// A name in a text.
#[derive(Clone, Debug)]
struct Name {
    kind: Kind,
    place: Range<usize>,
    /// The numbers of its tokens.
    tokens: Range<usize>,
}

/// A text with its names.
struct Names<'a> {
    side: &'a Side<'a>,
    names: Vec<Name>,
    has_case: bool,
    /// Sounds of the words that may be names, made when they are asked for.
    sounds: OnceCell<Vec<Sound>>,
}

/// Whether a name of the source was exchanged for another one.
pub(super) fn differ(source: &Side, output: &Side) -> bool {
    let has_places = |side: &Side| side.found().iter().any(|found| places(found).is_some());
    if !has_places(source) && !has_places(output) {
        return false;
    }
    let (source, output) = (Names::of(source), Names::of(output));
    let missing = source.without_counterpart(&output);
    if missing.is_empty() {
        return false;
    }
    let added = output.without_counterpart(&source);
    // Where several are unmatched, they are words with capitals: of a title, of an institution.
    let is_telling = !capitalizes_words(source.side.lang) && missing.len() == 1 && added.len() == 1;
    missing.iter().any(|one| added.iter().any(|other| is_swap(one.kind, other.kind, is_telling)))
}

/// Whether the output lacks a place of the source.
pub(super) fn are_missing(source: &Side, output: &Side) -> bool {
    let (source, output) = (Names::of(source), Names::of(output));
    source.without_counterpart(&output).iter().any(|name| name.kind == Kind::Place)
}

/// Whether a name may have come into the place of another. That a word is capitalized speaks for a
/// name only where the language does not capitalize others (`is_telling`).
fn is_swap(one: Kind, other: Kind, is_telling: bool) -> bool {
    match (one, other) {
        (Kind::Place, Kind::Place | Kind::Person) | (Kind::Person, Kind::Place) => true,
        (Kind::Capitalized, Kind::Place) => is_telling,
        _ => false,
    }
}

/// Whether a language has capitals in words that are no names: English in titles and institutions,
/// German in all nouns.
fn capitalizes_words(lang: &Lang) -> bool {
    matches!(lang.base(), "en" | "de" | "lb")
}

/// Whether a word may stand before the name of a person.
fn is_title(word: &str) -> bool {
    TITLES.iter().any(|title| match title.len() {
        0..=3 => word == *title,
        _ => word.starts_with(title),
    })
}

/// The place that a find names or hints at.
fn places(found: &Found) -> Option<Place> {
    match found.concept {
        Concept::Place(place) => Some(place),
        _ => None,
    }
}

impl<'a> Names<'a> {
    fn of(side: &'a Side<'a>) -> Self {
        let has_case = side.has_case();
        let mut names: Vec<Name> = Vec::new();
        for found in side.found().iter().filter(|found| found.is_name && places(found).is_some()) {
            if names.last().is_none_or(|last| last.place != found.place) {
                let first = side.tokens.partition_point(|t| t.place.end <= found.place.start);
                let end = side.tokens.partition_point(|t| t.place.start < found.place.end);
                names.push(Name {
                    kind: Kind::Place,
                    place: found.place.clone(),
                    tokens: first..end,
                });
            }
        }
        let mut all = Names { side, names, has_case, sounds: OnceCell::new() };
        if has_case {
            all.add_capitalized();
        }
        all
    }

    /// Persons after their titles, and other capitalized words.
    fn add_capitalized(&mut self) {
        let side = self.side;
        let capitalized = side.tokens.iter().filter(|t| side.is_capitalized(t)).count();
        let is_title_case = side.tokens.len() > 4 && capitalized * 10 > side.tokens.len() * 6;
        let is_noun = matches!(side.lang.base(), "de" | "lb");
        let mut after_title = false;
        for (at, token) in side.tokens.iter().enumerate() {
            let is_capitalized = side.is_capitalized(token) && !is_title_case;
            // Only what stands before a capitalized word is looked up.
            let may_be_title = || {
                let next = side.tokens.get(at + 1);
                next.is_some_and(|next| next.joined && side.is_capitalized(next))
            };
            let is_title = may_be_title() && is_title(&token.word);
            let is_known = side.found().iter().any(|found| {
                found.place.start <= token.place.start && token.place.end <= found.place.end
            });
            let counts = is_capitalized
                && !is_title
                && !is_known
                && token.word.chars().count() >= FEWEST_LETTERS
                && !language::is_function_word(&token.word, side.lang);
            if counts && (after_title || (!is_noun && at > 0 && token.joined)) {
                let kind = if after_title { Kind::Person } else { Kind::Capitalized };
                self.names.push(Name { kind, place: token.place.clone(), tokens: at..at + 1 });
            }
            // The given name and the surname.
            after_title = is_title || (after_title && is_capitalized && token.joined);
        }
    }

    /// The names that the other text does not have in any form.
    fn without_counterpart(&self, other: &Names) -> Vec<&Name> {
        self.names.iter().filter(|name| !self.has_counterpart(name, other)).collect()
    }

    fn has_counterpart(&self, name: &Name, other: &Names) -> bool {
        let found = || self.side.found().iter().filter(|found| found.place == name.place);
        let own = || found().filter_map(places);
        if name.kind == Kind::Place {
            let is_here =
                |place: Place| self.side.found().iter().filter_map(places).any(|p| p == place);
            // A capital may stand for its country, and a country for its city, unless both texts
            // have it.
            let is_near = |place: Place, there: Place| {
                (place.territory() == there || there.territory() == place) && !is_here(there)
            };
            let is_there = own().any(|place| {
                let mut all = other.side.found().iter().filter_map(places);
                all.any(|there| place == there || is_near(place, there))
            });
            // Nobody knows what it is called there.
            if is_there || !own().any(|place| place.is_known_in(other.side.lang)) {
                return true;
            }
        }
        // A person's name in signs of Chinese cannot be told by its sound.
        if name.kind != Kind::Place && languages::is_spaceless(other.side.lang) {
            return true;
        }
        let written = &self.side.text[name.place.clone()];
        if other.side.text.contains(written) {
            return true;
        }
        let tokens = &self.side.tokens[name.tokens.clone()];
        let telling = tokens.iter().filter(|t| t.word.chars().count() >= FEWEST_LETTERS);
        telling.map(|token| Sound::of(&token.word)).any(|sound| other.has_sound(&sound))
    }

    /// Whether a word that may be a name sounds like this.
    fn has_sound(&self, sound: &Sound) -> bool {
        let may_be = |token: &&Token| {
            !token.word.starts_with(char::is_numeric)
                && (!self.has_case || self.side.is_capitalized(token))
        };
        let sounds = self.sounds.get_or_init(|| {
            self.side.tokens.iter().filter(may_be).map(|token| Sound::of(&token.word)).collect()
        });
        sounds.iter().any(|other| sound.is_like(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::checks::parsed;

    fn check(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = parsed(languages);
        differ(&Side::of(source, &from), &Side::of(output, &to))
    }

    #[test]
    fn exchanged_names_are_found() {
        for (source, output, languages) in [
            ("The capital of Azerbaijan is Baku.", "Die Hauptstadt von Asien ist Baku.", "en de"),
            (
                "Die Polizei in Belfast sucht ihn.",
                "Police in Atlanta are looking for him.",
                "de en",
            ),
            ("Präsident Tokajew reist ab.", "President Kenya is leaving.", "de en"),
            ("Президент Токаев уехал.", "President Kenya has left.", "ru en"),
            ("Il vit à Marseille.", "He lives in Hamburg.", "fr en"),
            ("Он живёт в Белфасте.", "He lives in Atlanta.", "ru en"),
            ("他住在贝尔法斯特。", "He lives in Atlanta.", "zh en"),
            ("He lives in Belfast.", "彼はアトランタに住んでいる。", "en ja"),
            ("He lives in Azerbaijan.", "يعيش في كينيا.", "en ar"),
            ("Ukraine and Poland agreed.", "Rumänien und Polen waren einig.", "en de"),
        ] {
            assert!(check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn kept_transliterated_and_translated_names_pass() {
        for (source, output, languages) in [
            ("Die Polizei in Köln sucht ihn.", "Police in Cologne are looking for him.", "de en"),
            ("Präsident Tokajew reist ab.", "President Tokayev is leaving Kenya.", "de en"),
            ("Президент Токаев уехал.", "President Tokayev has left.", "ru en"),
            ("He flew to Washington.", "Er flog in die USA.", "en de"),
            ("He flew to France.", "Er flog zur französischen Küste bei Lyon.", "en de"),
            ("Michael Jordan from Chicago", "Майкл Джордан из Чикаго", "en ru"),
            ("He lives in the White House.", "Er wohnt im Weißen Haus in Washington.", "en de"),
            ("The turkey was eaten.", "Der Truthahn wurde gegessen.", "en de"),
            ("He left Athens.", "Έφυγε από την Αθήνα.", "en el"),
        ] {
            assert!(!check(source, output, languages), "{source} → {output}");
        }
    }
}
