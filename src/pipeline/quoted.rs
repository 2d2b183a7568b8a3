//! Sentences with a quotation in the language wanted: the quotation stays word for word, and the
//! words around it are translated as the sentence that they are. By themselves they would be
//! fragments ("a-t-il écrit sur X", "did he write on X").

use super::units::Unit;
use crate::task::checks;
use crate::task::translate::Translation;
use crate::text::quotes;
use crate::text::sentences::seams::STOPS;
use crate::types::Lang;
use std::ops::Range;

/// Most quotations of one sentence.
const MOST: usize = 4;
/// Marks that may stand right before a quotation and after it, in any language.
const BEFORE: &[char] = &['"', '\'', '“', '”', '„', '«', '»', '‘', '’', '「', '『', '《'];
const AFTER: &[char] = &[
    '"', '\'', '“', '”', '«', '»', '‘', '’', '」', '』', '》', ',', '.', ';', '!', '?', '…', '，',
    '。', '；', '！', '？', '、',
];

/// A sentence in several units, with placeholders for what its quotations say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quoting {
    /// Its units.
    pub units: Range<usize>,
    /// The sentence.
    pub text: String,
    /// The language of the words around the quotations.
    pub language: Lang,
    /// The unit of each quotation, and what stands for it.
    quotations: Vec<(usize, String)>,
}

/// The sentences whose quotations are in the language wanted and that are in another one.
pub(super) fn quotings(units: &[Unit], to: &Lang) -> Vec<Quoting> {
    let mut found = Vec::new();
    let mut first = 0;
    while first < units.len() {
        let length = units[first..].iter().take_while(|unit| unit.goes_on).count() + 1;
        let all = first..(first + length).min(units.len());
        if length > 1 {
            found.extend(quoting(units, all.clone(), to));
        }
        first = all.end;
    }
    found
}

fn quoting(units: &[Unit], all: Range<usize>, to: &Lang) -> Option<Quoting> {
    let is_quotation = |unit: &Unit| unit.language.same_base(to);
    let mut others = units[all.clone()].iter().filter(|unit| !is_quotation(unit));
    let language = others.next().map(|unit| unit.language.clone()).filter(|own| !own.is_und())?;
    let whole: String = units[all.clone()].iter().map(|unit| unit.text.as_str()).collect();
    if others.any(|unit| unit.language != language) {
        return None;
    }
    let mut names = (1..).map(|number| format!("X{number}")).filter(|name| !whole.contains(name));
    let (mut text, mut quotations) = (String::new(), Vec::new());
    for number in all.clone() {
        let unit = &units[number];
        if is_quotation(unit) {
            let words = unit.text.find(char::is_alphanumeric)?;
            let last = unit.text.char_indices().rfind(|(_, c)| c.is_alphanumeric())?;
            let name = names.next()?;
            text.push_str(&unit.text[..words]);
            text.push_str(&name);
            text.push_str(&unit.text[last.0 + last.1.len_utf8()..]);
            quotations.push((number, name));
        } else {
            text.push_str(&unit.text);
        }
        if number + 1 < all.end {
            text.push_str(&unit.gap);
        }
    }
    let fits = (1..=MOST).contains(&quotations.len());
    fits.then_some(Quoting { units: all, text, language, quotations })
}

impl Quoting {
    /// Puts the translation of the sentence into the places of its units, the quotations as they
    /// are; false, and nothing changed, where the checks reject it or a quotation has lost its
    /// place.
    pub fn fill(
        &self,
        whole: &Translation,
        units: &mut [Unit],
        translations: &mut [Translation],
        to: &Lang,
    ) -> bool {
        let Some(between) = self.between(&whole.text) else { return false };
        if checks::deserve_retry(&whole.problems) {
            return false;
        }
        for number in self.units.clone() {
            let unit = &units[number];
            let is_quotation = self.quotations.iter().any(|(own, _)| *own == number);
            let text = match is_quotation {
                true => quotes::localize(&unit.text, &unit.text, to),
                false => String::new(),
            };
            translations[number] = Translation { text, ..Translation::default() };
            if number + 1 < self.units.end {
                units[number].gap.clear();
            }
        }
        for (place, words) in between.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| self.quotations.get(place));
            let after = self.quotations.get(place);
            // The unit between the two quotations, if the source has words there too.
            let own = before.map_or(self.units.start, |(number, _)| number + 1);
            let is_own = own < after.map_or(self.units.end, |(number, _)| *number);
            let body = words.trim();
            match (is_own, before, after) {
                (true, ..) => {
                    translations[own].text = body.into();
                    let gap = |is: bool| if is { " " } else { "" };
                    if let Some((before, _)) = before {
                        units[*before].gap = gap(words.starts_with(' ')).into();
                    }
                    if after.is_some() && !body.is_empty() {
                        units[own].gap = gap(words.ends_with(' ')).into();
                    }
                }
                (false, Some((before, _)), _) => {
                    let end = if after.is_none() { words.trim_end() } else { words };
                    translations[*before].text.push_str(end);
                }
                (false, None, Some((after, _))) => {
                    translations[*after].text.insert_str(0, words.trim_start());
                }
                (false, None, None) => {}
            }
        }
        self.close(whole, translations);
        // What the checks and the model say is said of the words around.
        let other = self.units.clone().find(|n| self.quotations.iter().all(|(own, _)| own != n));
        if let Some(held) = other.map(|number| &mut translations[number]) {
            let text = std::mem::take(&mut held.text);
            *held = Translation { text, ..whole.clone() };
        }
        true
    }

    /// Ends the sentence where it ends with a quotation after which the source goes on.
    fn close(&self, whole: &Translation, translations: &mut [Translation]) {
        let Some((last, _)) = self.quotations.last() else { return };
        let goes_on = last + 1 < self.units.end;
        let is_end = translations[last + 1..self.units.end].iter().all(|t| t.text.is_empty());
        if !goes_on || !is_end {
            return;
        }
        let text = &mut translations[*last].text;
        let words = text.rfind(char::is_alphanumeric).unwrap_or(0);
        match text[words..].find([',', '，', '、']) {
            Some(comma) => {
                let (at, rest) = (words + comma, &text[words + comma..]);
                let width = rest.chars().next().map_or(0, char::len_utf8);
                text.replace_range(at..at + width, if width > 1 { "。" } else { "." });
            }
            None if whole.text.contains(STOPS) && !text[words..].contains(STOPS) => text.push('.'),
            None => {}
        }
    }

    /// What stands before, between and after the placeholders, without the marks that belong to the
    /// quotations; `None` unless each is there once, in their order.
    fn between<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (mut rest, mut found) = (text, Vec::new());
        for (_, name) in &self.quotations {
            let is_name =
                |at: usize| !rest[at + name.len()..].starts_with(|c: char| c.is_numeric());
            let (at, _) = rest.match_indices(name.as_str()).find(|(at, _)| is_name(*at))?;
            let (before, after) = (&rest[..at], &rest[at + name.len()..]);
            // The space within « … » belongs to the marks.
            let opening = before.trim_end().trim_end_matches(BEFORE);
            let is_marked = opening.len() < before.trim_end().len();
            found.push(if is_marked { opening } else { before });
            let closing = after.trim_start();
            let is_marked = closing.starts_with(BEFORE) || closing.starts_with(AFTER);
            rest = if is_marked { closing.trim_start_matches(AFTER) } else { after };
        }
        found.push(rest);
        let is_left = |part: &&str| self.quotations.iter().any(|(_, name)| part.contains(name));
        (!found.iter().any(is_left)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(parts: &[(&str, &str, &str)]) -> Vec<Unit> {
        let unit = |(number, (language, text, gap)): (usize, &(&str, &str, &str))| Unit {
            block: Some(0),
            aside: None,
            kept: Vec::new(),
            text: (*text).into(),
            gap: (*gap).into(),
            language: Lang::parse(language).unwrap(),
            continues: number > 0,
            goes_on: number + 1 < parts.len(),
        };
        parts.iter().enumerate().map(unit).collect()
    }

    /// The sentence with placeholders, and what comes of its translation.
    fn through(parts: &[(&str, &str, &str)], translation: &str) -> (String, Option<String>) {
        let mut units = units(parts);
        let found = quotings(&units, &Lang::en());
        let [quoting] = found.as_slice() else { panic!("{found:?}") };
        let mut translations = vec![Translation::default(); units.len()];
        let whole = Translation { text: translation.into(), ..Translation::default() };
        let filled = quoting.fill(&whole, &mut units, &mut translations, &Lang::en());
        let text =
            units.iter().zip(&translations).map(|(unit, t)| format!("{}{}", t.text, unit.gap));
        (quoting.text.clone(), filled.then(|| text.collect()))
    }

    #[test]
    fn a_sentence_is_translated_around_its_quotation() {
        let quotation = "“There is work to do,”";
        let dedi = [("tr", "Bakan:", " "), ("en", quotation, " "), ("tr", "dedi.", "\n")];
        for (parts, given, written, expected) in [
            (&dedi[1..], "“X1,” dedi.", "\"X1,\" he said.", "“There is work to do,” he said.\n"),
            (
                &dedi[..],
                "Bakan: “X1,” dedi.",
                "The minister said: “X1”.",
                "The minister said: “There is work to do.”\n",
            ),
            // Words that the source has on the other side only.
            (&dedi[1..], "“X1,” dedi.", "He said, \"X1.\"", "He said, “There is work to do.”\n"),
        ] {
            let (text, found) = through(parts, written);
            assert_eq!((text.as_str(), found.as_deref()), (given, Some(expected)), "{written}");
        }
        let two = [
            ("fr", "Il a dit :", " "),
            ("en", "« We will never give up »,", " "),
            ("fr", "puis :", " "),
            ("en", "« The end of all of it ».", ""),
        ];
        let (text, found) = through(&two, "He said \"X1\", then \"X2\".");
        assert_eq!(text, "Il a dit : « X1 », puis : « X2 ».");
        assert_eq!(
            found.as_deref(),
            Some("He said \"We will never give up\", then \"The end of all of it\".")
        );
        // A quotation that lost its place, or changed it.
        for written in ["He said that.", "First \"X2\", then \"X1\".", "\"X1\", \"X1\" and \"X2\""]
        {
            assert_eq!(through(&two, written).1, None, "{written}");
        }
    }

    #[test]
    fn other_sentences_are_left_alone() {
        let none = |parts: &[(&str, &str, &str)]| quotings(&units(parts), &Lang::en()).is_empty();
        assert!(none(&[("fr", "Il est parti.", "")]));
        // A quotation in a third language has to be translated by itself.
        assert!(none(&[("fr", "Il a dit :", " "), ("it", "« Non è vero ».", "")]));
        assert!(none(&[("und", "—", " "), ("en", "“It is not true”.", "")]));
    }
}
