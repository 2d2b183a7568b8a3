//! Words whose meaning is the same in every language: weekdays, months, units and places, found in
//! a text in one pass.
//!
//! `scripts/data/lexicon.py` makes the file, describes its format and names its sources (CLDR and
//! GeoNames). It holds hashes of words, not the words: whatever looks them up spells them as
//! [`tokens`](super::tokens) does.

mod concept;
mod file;
pub(crate) mod units;

use super::caps;
use super::language::script::{self, Script};
use super::tokens::Token;
use crate::languages;
use crate::types::Lang;
pub(crate) use concept::{Concept, Place};
use file::{Entry, FILE, Hash};
use std::ops::Range;

impl Place {
    /// The territory that a city is in; a territory is in itself.
    pub(crate) fn territory(self) -> Place {
        Place(FILE.row(self.0).map_or(self.0, |(territory, _)| territory))
    }

    /// Whether the lexicon has a name of the place in a script that the language is written in.
    pub(crate) fn is_known_in(self, lang: &Lang) -> bool {
        let names = FILE.row(self.0).map_or(0, |(_, scripts)| scripts);
        script::scripts(lang).iter().any(|&script| names & 1 << bit(script) != 0)
    }
}

/// The bit of a script in the rows of places: its number in SCRIPTS of the Python script.
fn bit(script: Script) -> u32 {
    match script {
        Script::Latin => 0,
        Script::Cyrillic => 1,
        Script::Greek => 2,
        Script::Arabic => 3,
        Script::Hebrew => 4,
        Script::Armenian => 5,
        Script::Georgian => 6,
        Script::Devanagari => 7,
        Script::Han => 8,
        Script::Kana => 9,
        Script::Hangul => 10,
        Script::Thai => 11,
        Script::Bengali => 12,
        Script::Tamil => 13,
        _ => 14,
    }
}

/// A word or phrase of a text with its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) concept: Concept,
    /// Whether it is the name itself. Otherwise it is a word of the name's family, as adjectives
    /// are (French, французский), or may be another word.
    pub(crate) is_name: bool,
    /// Place in the text, in bytes.
    pub(crate) place: Range<usize>,
}

/// Most words of a phrase.
const LONGEST_PHRASE: usize = 4;
/// Most characters of a phrase in a script without spaces.
const LONGEST_RUN: usize = 12;
/// Longest ending that is looked for, in characters.
const LONGEST_ENDING: usize = 8;
/// Letters that Arabic and Hebrew put before a word.
const PROCLITICS: &[char] = &['و', 'ف', 'ب', 'ل', 'ك', 'ה', 'ו', 'ב', 'ל', 'מ', 'ש', 'כ'];

/// The words and phrases of a text that the lexicon knows, in their order; of one place in the text
/// there are several where they have several meanings. `tokens` are those of the text.
pub(crate) fn find(text: &str, tokens: &[Token], lang: &Lang) -> Vec<Found> {
    let language = languages::canonical(lang);
    let finder = Finder {
        text,
        tokens,
        tags: [Hash::of_language(language.as_str()), Hash::of_language("")],
        in_capitals: caps::is_capitals(text),
    };
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        let first = token.word.chars().next().unwrap_or(' ');
        if let Some(end) = finder.acronym(i, &mut out) {
            i = end;
        } else if script::of(first).is_unspaced() {
            finder.in_run(token, &mut out);
            i += 1;
        } else {
            i = finder.at_word(i, &mut out).max(i + 1);
        }
    }
    out
}

struct Finder<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The hashes of the language, and of all.
    tags: [Hash; 2],
    in_capitals: bool,
}

impl Finder<'_> {
    /// Reads an acronym with dots: U.S., U.N.
    fn acronym(&self, start: usize, out: &mut Vec<Found>) -> Option<usize> {
        let is_letter = |token: &Token| {
            token.word.len() == 1 && self.text[token.place.clone()].starts_with(char::is_uppercase)
        };
        if !is_letter(&self.tokens[start]) {
            return None;
        }
        let mut hash = self.tags[1];
        let mut end = start;
        while let Some(token) = self.tokens.get(end).filter(|token| is_letter(token))
            && (end == start
                || self.text[self.tokens[end - 1].place.end..token.place.start] == *".")
        {
            hash = hash.then(&token.word);
            end += 1;
        }
        if end - start < 2 {
            return None;
        }
        let place = self.tokens[start].place.start..self.tokens[end - 1].place.end;
        out.extend(FILE.get(hash).filter_map(|entry| {
            Some(Found { concept: entry.concept()?, is_name: true, place: place.clone() })
        }));
        Some(end)
    }

    /// Looks for the longest phrase that begins with a word; returns the token after it.
    fn at_word(&self, start: usize, out: &mut Vec<Found>) -> usize {
        let word = self.tokens[start].word.as_str();
        let mut skipped = 0;
        for c in word.chars().map(Some).chain([None]).take(3) {
            let before = out.len();
            let end = self.phrase(start, skipped, out);
            if out.len() > before {
                return end;
            }
            // "And in France" is one word in Arabic and Hebrew; then there is the article.
            let Some(c) = c.filter(|c| PROCLITICS.contains(c)) else { break };
            skipped += c.len_utf8();
            if word[skipped..].starts_with("ال") && word.len() > skipped + 6 {
                let end = self.phrase(start, skipped + "ال".len(), out);
                if out.len() > before {
                    return end;
                }
            }
        }
        if skipped == 0 && word.starts_with("ال") && word.len() > 8 {
            return self.phrase(start, "ال".len(), out);
        }
        start + 1
    }

    /// The same of the word without its first bytes.
    fn phrase(&self, start: usize, skipped: usize, out: &mut Vec<Found>) -> usize {
        let first = &self.tokens[start];
        let written = &self.text[first.place.clone()];
        // "Us" is no country, and "Un" no organization.
        let is_acronym = written.len() != 2 || !written.chars().any(|c| c.is_ascii_lowercase());
        let is_capitalized = (self.in_capitals && written.len() != 2)
            || (is_acronym
                && written.starts_with(|c: char| !script::of(c).has_case() || c.is_uppercase()));
        let before = out.len();
        let mut end = start + 1;
        for (tag, is_shared) in self.tags.into_iter().zip([false, true]) {
            let mut hash = tag;
            for (at, token) in self.tokens.iter().enumerate().skip(start).take(LONGEST_PHRASE) {
                if at > start && !token.joined {
                    break;
                }
                let word = if at == start { &token.word[skipped..] } else { &token.word };
                if at > start {
                    hash = hash.then(" ");
                }
                let place = first.place.start..token.place.end;
                let (whole, entries) = longest(hash, word);
                hash = whole;
                let mut goes_on = false;
                let mut is_new = true;
                for entry in entries {
                    let Some(concept) = entry.concept() else {
                        goes_on = true;
                        continue;
                    };
                    // What is longer takes the place of what is shorter.
                    if is_new && at + 1 > end {
                        out.truncate(before);
                        end = at + 1;
                    }
                    is_new = false;
                    if at + 1 == end {
                        let is_place = is_shared || matches!(concept, Concept::Place(_));
                        let is_name = !entry.is_weak() && (is_capitalized || !is_place);
                        out.push(Found { concept, is_name, place: place.clone() });
                    }
                }
                if !goes_on {
                    break;
                }
            }
        }
        end
    }

    /// Looks for the longest phrases of a run of letters without spaces.
    fn in_run(&self, token: &Token, out: &mut Vec<Found>) {
        // What folding made of the letters may be longer than they are; nothing is of these
        // scripts.
        let base = token.place.start;
        let chars: Vec<(usize, char)> = self.text[token.place.clone()].char_indices().collect();
        // Foreign names are written in katakana, a run of them for each.
        let is_katakana = |c: char| matches!(c, '\u{30a1}'..='\u{30fa}' | 'ー');
        let divides = |at: usize| {
            let neighbours =
                at.checked_sub(1).and_then(|before| Some([chars.get(before)?, chars.get(at)?]));
            !neighbours.is_some_and(|pair| pair.iter().all(|(_, c)| is_katakana(*c)))
        };
        let mut i = 0;
        while i < chars.len() {
            if !divides(i) {
                i += 1;
                continue;
            }
            let mut best: Option<(usize, Vec<Entry>)> = None;
            for tag in self.tags {
                let mut hash = tag;
                for (length, &(_, c)) in chars[i..].iter().take(LONGEST_RUN).enumerate() {
                    hash = hash.then(c.encode_utf8(&mut [0; 4]));
                    if !divides(i + length + 1) {
                        continue;
                    }
                    let entries: Vec<Entry> =
                        FILE.get(hash).filter(|entry| entry.concept().is_some()).collect();
                    if !entries.is_empty() && best.as_ref().is_none_or(|(most, _)| length > *most) {
                        best = Some((length, entries));
                    }
                }
            }
            let Some((length, entries)) = best else {
                i += 1;
                continue;
            };
            let end = chars.get(i + length + 1).map_or(token.place.end, |(at, _)| base + at);
            out.extend(entries.iter().filter_map(|entry| {
                let place = base + chars[i].0..end;
                Some(Found { concept: entry.concept()?, is_name: !entry.is_weak(), place })
            }));
            i += length + 1;
        }
    }
}

/// The hash of a word after what `before` stands for, and the entries of the longest part of it
/// that has any whose meaning allows the rest as its ending.
fn longest(before: Hash, word: &str) -> (Hash, Vec<Entry>) {
    // Those of the last beginnings of the word.
    let mut hashes = [before; LONGEST_ENDING + 1];
    let mut hash = before;
    let mut count = 0;
    let mut buffer = [0; 4];
    for c in word.chars() {
        hash = hash.then(c.encode_utf8(&mut buffer));
        hashes[count % (LONGEST_ENDING + 1)] = hash;
        count += 1;
    }
    let mut out: Vec<Entry> = FILE.get(hash).collect();
    if out.iter().any(|entry| entry.concept().is_some()) {
        return (hash, out);
    }
    for ending in 1..=LONGEST_ENDING.min(count.saturating_sub(2)) {
        let hash = hashes[(count - 1 - ending) % (LONGEST_ENDING + 1)];
        let all = out.len();
        out.extend(FILE.get(hash).filter(|e| e.concept().is_some() && e.takes(ending)));
        if out.len() > all {
            break;
        }
    }
    (hash, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::tokens;

    /// What is found, by the English names of the concepts.
    fn read(text: &str, lang: &str) -> Vec<(Concept, String)> {
        let found = find(text, &tokens(text), &Lang::parse(lang).unwrap());
        found
            .into_iter()
            .filter(|found| found.is_name)
            .map(|found| (found.concept, text[found.place].to_string()))
            .collect()
    }

    fn one(text: &str, lang: &str) -> Option<Concept> {
        read(text, lang).first().map(|(concept, _)| *concept)
    }

    #[test]
    fn weekdays_of_many_languages() {
        for (lang, text) in [
            ("en", "on Friday"),
            ("de", "am Freitagabend"),
            ("fr", "vendredi dernier"),
            ("es", "el viernes"),
            ("pt", "na sexta-feira"),
            ("it", "venerdì scorso"),
            ("nl", "vrijdagavond"),
            ("sv", "på fredagen"),
            ("fi", "perjantaina"),
            ("pl", "w piątek"),
            ("cs", "v pátek"),
            ("ru", "в пятницу"),
            ("uk", "у п’ятницю"),
            ("tr", "Cuma günü"),
            ("hu", "pénteken"),
            ("ar", "يوم الجمعة"),
            ("he", "ביום שישי"),
            ("zh", "上周五"),
            ("ja", "金曜日に"),
            ("ko", "금요일에"),
            ("vi", "vào Thứ Sáu"),
            ("hi", "शुक्रवार को"),
            ("el", "την Παρασκευή"),
        ] {
            let found = read(text, lang);
            let is_friday = |(concept, _): &(Concept, String)| *concept == Concept::Weekday(4);
            assert!(found.iter().any(is_friday), "{lang} {text} {found:?}");
        }
    }

    #[test]
    fn places_are_one_in_all_languages() {
        let place = |text, lang| match one(text, lang) {
            Some(Concept::Place(place)) => Some(place),
            _ => None,
        };
        for (english, others) in [
            (
                "Azerbaijan",
                &[
                    ("de", "in Aserbaidschan"),
                    ("fr", "l'Azerbaïdjan"),
                    ("ru", "в Азербайджане"),
                    ("zh", "阿塞拜疆"),
                    ("ar", "في أذربيجان"),
                ][..],
            ),
            ("Belfast", &[("ru", "в Белфасте"), ("zh", "在贝尔法斯特"), ("ja", "ベルファストで")]),
            ("Saudi Arabia", &[("de", "Saudi-Arabien"), ("es", "Arabia Saudí")]),
            ("Asia", &[("de", "Asien"), ("fr", "en Asie"), ("ru", "в Азии")]),
        ] {
            let known = place(english, "en");
            assert!(known.is_some(), "{english}");
            for &(lang, text) in others {
                assert_eq!(place(text, lang), known, "{lang} {text}");
            }
        }
        assert_eq!(place("turkey and rice", "en"), None);
        let (city, country) = (place("Atlanta", "en").unwrap(), place("USA", "en").unwrap());
        assert_eq!((city.territory(), country.territory()), (country, country));
        assert!(city.is_known_in(&Lang::parse("ru").unwrap()));
    }

    #[test]
    fn the_file_is_whole() {
        assert!(FILE.is_whole(), "run scripts/data/lexicon.py anew");
    }
}
