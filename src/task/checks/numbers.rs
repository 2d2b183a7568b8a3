//! Whether the numbers of a text are those of its source.
//!
//! Translators spell small numbers out, turn months into numbers, give the twenty-four-hour clock
//! and write 1.5 billion as 15億; none of that is an error. A number in digits that stands on one
//! side only, in no such guise, is. Numbers in words explain those in digits; by themselves they
//! accuse only where one was exchanged for another.

use super::side::Side;
use super::units::Measures;
use crate::text::numbers::{Spelled, numbers, roman};
use crate::types::Lang;

/// Numbers up to here may be spelled out on one side: twelve months, a dozen.
const SPELLED_OUT: f64 = 12.0;

/// Units of ten thousand, a hundred thousand and so on: with them, the same amount has other
/// leading digits (1.5 billion, 15億).
const OTHER_UNITS: &[&str] = &[
    "百",
    "千",
    "万",
    "萬",
    "億",
    "亿",
    "兆",
    "백",
    "천",
    "만",
    "억",
    "조",
    "लाख",
    "करोड़",
    "lakh",
    "crore",
];

/// Texts before and after the number of a month.
const MONTHS: &[(&str, &str)] = &[("", "月"), ("", "월"), ("tháng ", "")];

/// Numbers that small are articles, pronouns, "pair" and "a second", and no translator keeps count
/// of them.
const TRIVIAL: f64 = 2.0;

/// English measures that translators turn into metric ones.
const CONVERTED: &[&str] = &[
    "feet",
    "foot",
    "inch",
    "mile",
    "yard",
    "acre",
    "pound",
    "ounce",
    "gallon",
    "degree",
    "fahrenheit",
];

/// The numbers of a text.
struct TextNumbers {
    digits: Vec<String>,
    /// Numbers among them that are months, which other languages call by names.
    months: Vec<String>,
    /// Numbers written as words or in Roman numerals.
    words: Vec<String>,
    /// Numbers among them that say how many, and nothing else.
    counts: Vec<String>,
    /// Numbers among them that say which one, but for small ones: those are often said otherwise.
    ordinals: Vec<String>,
}

impl TextNumbers {
    fn of(side: &Side) -> Self {
        let (text, spelled) = (side.text, side.spelled());
        let values = |wanted: fn(&Spelled) -> bool| {
            spelled.iter().filter(|s| wanted(s)).map(|s| s.value.to_string()).collect::<Vec<_>>()
        };
        let mut digits: Vec<String> = side.digits().iter().map(|n| n.value.clone()).collect();
        digits.sort_unstable();
        let is_month = |n: &&String| {
            MONTHS.iter().any(|(before, after)| text.contains(&format!("{before}{n}{after}")))
        };
        TextNumbers {
            months: digits.iter().filter(is_month).cloned().collect(),
            words: values(|_| true)
                .into_iter()
                .chain(roman(text).iter().map(u64::to_string))
                .collect(),
            counts: values(|s| s.counts),
            ordinals: values(|s| s.is_ordinal && s.value as f64 > SPELLED_OUT),
            digits,
        }
    }

    /// Numbers in digits and in words.
    fn all(&self) -> Vec<String> {
        self.digits.iter().chain(&self.counts).cloned().collect()
    }

    fn forget(&mut self, is_such: impl Fn(&String) -> bool) {
        for list in [&mut self.digits, &mut self.counts] {
            list.retain(|number| !is_such(number));
        }
    }

    /// The numbers that have no counterpart in the other text, and whether each is written in
    /// words.
    fn unmatched<'a>(&'a self, other: &TextNumbers, any_unit: bool) -> Vec<(&'a String, bool)> {
        let is_significant = |n: &str| n.parse::<f64>().is_ok_and(|n| n > TRIVIAL);
        let is_there = |n: &str| {
            other.digits.iter().chain(&other.words).any(|o| n == o || alike(n, o, any_unit))
        };
        let digits = self.digits.iter().filter(|n| !self.months.contains(n));
        let words = self.counts.iter().chain(&self.ordinals);
        let all = digits.map(|n| (n, false)).chain(words.map(|n| (n, true)));
        all.filter(|(n, _)| is_significant(n) && !is_there(n)).collect()
    }
}

/// Whether a text has one of [`OTHER_UNITS`] that not all digits before it were multiplied with:
/// 30多万 is read as 30, and the 200 of 200～300万 as it stands.
fn has_loose_unit(text: &str) -> bool {
    const RANGES: &[char] = &['～', '~', '〜', '-', '–', '—', '至', '到', '、'];
    let is_unit = |c: char| OTHER_UNITS.iter().any(|unit| unit.chars().eq([c]));
    let is_loose = |at: usize| {
        let before = text[..at].trim_end_matches(is_unit);
        let apart =
            before.trim_end_matches(|c: char| c.is_numeric() || matches!(c, '.' | ',' | '，'));
        apart.len() == before.len() || apart.ends_with(RANGES)
    };
    OTHER_UNITS.iter().any(|unit| text.match_indices(unit).any(|(at, _)| is_loose(at)))
}

/// The numbers of a source and of an output.
struct NumberPair {
    source: TextNumbers,
    output: TextNumbers,
    /// See [`alike`].
    any_unit: bool,
}

impl NumberPair {
    fn of(source: &Side, output: &Side) -> Self {
        let (read, written) = (TextNumbers::of(source), TextNumbers::of(output));
        let is_empty =
            |numbers: &TextNumbers| numbers.digits.is_empty() && numbers.words.is_empty();
        // It is asked for where there is a number on either side.
        let any_unit = !(is_empty(&read) && is_empty(&written))
            && (has_loose_unit(source.text) || has_loose_unit(output.text));
        NumberPair { source: read, output: written, any_unit }
    }

    /// Forgets the numbers that are the same amount in two units.
    fn leave_out_converted(&mut self, measures: &Measures) {
        let (read, written) = (self.source.all(), self.output.all());
        let has_pair = |number: &String, others: &[String], is_source: bool| {
            others.iter().any(|other| {
                let (read, written) = if is_source { (number, other) } else { (other, number) };
                read != written && measures.are_converted(read, written)
            })
        };
        self.source.forget(|number| has_pair(number, &written, true));
        self.output.forget(|number| has_pair(number, &read, false));
    }

    /// See [`TextNumbers::unmatched`].
    fn missing(&self) -> Vec<(&String, bool)> {
        self.source.unmatched(&self.output, self.any_unit)
    }

    /// See [`TextNumbers::unmatched`].
    fn added(&self) -> Vec<(&String, bool)> {
        self.output.unmatched(&self.source, self.any_unit)
    }
}

/// Whether the output misses a number of the source or has one that the source has not, unless its
/// unit was converted.
pub(super) fn differ(source: &Side, output: &Side, measures: &Measures) -> bool {
    let mut pair = NumberPair::of(source, output);
    pair.leave_out_converted(measures);
    digits_differ(&pair) || is_exchanged(&pair)
}

/// Whether a number in digits is missing or new; words may explain it.
fn digits_differ(NumberPair { source, output, any_unit }: &NumberPair) -> bool {
    let alike = |a: &str, b: &str| alike(a, b, *any_unit);
    let missing = |one: &TextNumbers, other: &TextNumbers| -> Vec<String> {
        one.digits
            .iter()
            .filter(|n| !other.digits.contains(n) && !other.words.contains(n))
            .cloned()
            .collect()
    };
    let (lost, new) = (missing(source, output), missing(output, source));
    let explained = |n: &String, others: &[String], other: &TextNumbers| {
        is_small(n)
            || (is_round(n) && others.is_empty())
            || other.digits.iter().chain(&other.words).any(|o| alike(n, o))
    };
    if !lost.iter().all(|n| explained(n, &new, output))
        || !new.iter().all(|n| explained(n, &lost, source))
    {
        return true;
    }
    // A small number in the place of another small number was not spelled out but changed.
    lost.len() == new.len()
        && lost.iter().chain(&new).all(|n| is_small(n))
        && !lost.iter().all(|n| new.iter().any(|o| alike(n, o)))
}

/// Whether a number in words is lost and another one has come, or the other way round. One that is
/// only missing accuses nobody: it may be said with another word (a dozen, a fortnight), or with a
/// form that is not known.
fn is_exchanged(pair: &NumberPair) -> bool {
    let (missing, added) = (pair.missing(), pair.added());
    missing.iter().any(|(_, in_words)| added.iter().any(|(_, also)| *in_words || *also))
}

/// The output with the number of the source in the place of the one that it was exchanged for, in
/// digits, where that is in words and there is no other in question.
pub fn fixed(source: &str, output: &str, from: &Lang, to: &Lang) -> Option<String> {
    /// Larger ones are grouped, each language in its own way.
    const LARGEST: u32 = 999;
    if from.base() == "en" && CONVERTED.iter().any(|unit| source.to_lowercase().contains(unit)) {
        return None;
    }
    let written = Side::of(output, to);
    let pair = NumberPair::of(&Side::of(source, from), &written);
    let (missing, added) = (pair.missing(), pair.added());
    let ([(right, _)], [(wrong, true)]) = (missing.as_slice(), added.as_slice()) else {
        return None;
    };
    let right = right.parse::<u32>().ok().filter(|&n| n <= LARGEST)?;
    let mut spelled = written.spelled().iter();
    let place = &spelled.find(|s| s.counts && s.value.to_string() == **wrong)?.place;
    Some(format!("{}{right}{}", &output[..place.start], &output[place.end..]))
}

/// Whether a number of the source has no counterpart at all in the output.
pub(super) fn is_missing(source: &Side, output: &Side) -> bool {
    !NumberPair::of(source, output).missing().is_empty()
}

/// The numbers of a text that its source, in the same language, does not have.
pub fn unsupported(text: &str, source: &str) -> Vec<String> {
    let known = numbers(source);
    numbers(text).into_iter().filter(|n| !known.contains(n)).collect()
}

fn is_small(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|n| n.fract() == 0.0 && (0.0..=SPELLED_OUT).contains(&n))
}

/// Twenty to a hundred: spelled out now and then.
fn is_round(number: &str) -> bool {
    number.parse::<u32>().is_ok_and(|n| (20..=100).contains(&n) && n.is_multiple_of(10))
}

/// Whether two different numbers may stand for the same: a unit that was not read (2 and 3 million;
/// any power of ten with `any_unit`), the other clock (3, 15), a short year (1980, 80).
fn alike(a: &str, b: &str, any_unit: bool) -> bool {
    let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low <= 0.0 {
        return false;
    }
    let power = (high / low).log10();
    let steps = if any_unit { power } else { power / 3.0 };
    // Thousands and more have had theirs.
    let unit = power > 0.5 && (steps - steps.round()).abs() < 1e-9 && (any_unit || low < 1000.0);
    let clock = high - low == 12.0 && high <= 24.0;
    let year = (1000.0..2100.0).contains(&high) && low < 100.0 && high % 100.0 == low;
    unit || clock || year
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = super::super::parsed(languages);
        let sides = (Side::of(source, &from), Side::of(output, &to));
        differ(&sides.0, &sides.1, &Measures::of(&sides.0, &sides.1))
    }

    #[test]
    fn the_same_amount_in_other_words_passes() {
        for (source, output, languages) in [
            ("Twelve men, 1.5 billion won", "12 Männer, 1,5 Milliarden Won", "en de"),
            ("at 3 p.m. on Oct. 2, 1968", "1968年10月2日15時", "en ja"),
            ("1.2 million people", "120万人", "en ja"),
            ("2 to 3 million people", "200万至300万人", "en zh"),
            ("a loss of 1,200 million", "une perte de 1,2 milliard", "en fr"),
            ("in the 1980s", "in den 80er Jahren", "en de"),
            ("50 years ago", "vor fünfzig Jahren", "en de"),
            ("It was 2020, and 2020 was long.", "Es war 2020, und das war lang.", "en de"),
            ("Il a dix-huit ans.", "He is 18.", "fr en"),
            ("Ce sont 250 personnes.", "Das sind zweihundertfünfzig Menschen.", "fr de"),
            ("dans quinze jours", "in two weeks", "fr en"),
            ("um halb fünf", "at half past four", "de en"),
            ("im einundzwanzigsten Jahrhundert", "in the 21st century", "de en"),
            ("Foi fundada no séc. XV.", "It was founded in the 15th century.", "pt en"),
            ("in the 19th and 20th centuries", "aux XIXe et XXe siècles", "en fr"),
            ("trois douzaines d'œufs neufs", "three dozen new eggs", "fr en"),
            ("à vingt heures", "at 8 p.m.", "fr en"),
            ("200～300万年前の骨", "a bone from 2 to 3 million years ago", "ja en"),
            ("CBS 則有 31 萬人次", "310,000 saw CBS", "zh en"),
            ("有30多万人，其中3千万元", "More than 300,000 people, 30 million yuan", "zh en"),
            ("५० लाख लोग", "5 million people", "hi en"),
            (
                "她吃了三明治，等了十一个月。",
                "She ate a sandwich and waited for 11 months.",
                "zh en",
            ),
            ("a 10-mile road", "eine 16 Kilometer lange Straße", "en de"),
            ("at 68 °F", "bei 20 °C", "en de"),
            (
                "Three million people, four fifths of them",
                "3 Millionen Menschen, davon vier Fünftel",
                "en de",
            ),
        ] {
            assert!(!check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn changed_missing_and_new_numbers_are_found() {
        for (source, output, languages) in [
            ("3 people died.", "5 Menschen starben.", "en de"),
            ("It costs 450 euros.", "Es kostet Euro.", "en de"),
            ("It costs much.", "Es kostet 450 Euro.", "en de"),
            ("It costs 450 euros.", "Es kostet 4500 Euro.", "en de"),
            ("In 1968 and 1972", "1968 und 1927", "en de"),
            (
                "Le pont a été fermé pendant onze mois.",
                "The bridge was closed for nine months.",
                "fr en",
            ),
            (
                "Le pont a été fermé pendant onze mois.",
                "The bridge was closed for 9 months.",
                "fr en",
            ),
            ("桥关闭了十一个月。", "The bridge was closed for nine months.", "zh en"),
            (
                "Мост был закрыт одиннадцать месяцев.",
                "The bridge was closed for nine months.",
                "ru en",
            ),
            ("siebzehn Menschen", "seventy people", "de en"),
            ("项目总投资为1860万元。", "The project is estimated to cost 1860,000 yuan.", "zh en"),
            ("人口は120万人。", "The population is 120,000.", "ja en"),
            (
                "кількість жертв перевищила 11 тисяч людей",
                "the number of victims exceeded 11 million people",
                "uk en",
            ),
            ("11,000 people", "11 Millionen Menschen", "en de"),
            ("zum fünfzigsten Jahrestag", "on its 100th anniversary", "de en"),
            ("pour son cinquantième anniversaire", "on its sixtieth anniversary", "fr en"),
            ("on its fiftieth anniversary", "zum 100. Jahrestag", "en de"),
            ("zum 50. Jahrestag", "on its 100th anniversary", "de en"),
            ("a 10-mile road", "eine 18 Meter lange Straße", "en de"),
        ] {
            assert!(check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn one_wrong_number_in_words_is_fixed() {
        let source = "Le pont a été fermé pendant onze mois, de mars à février.";
        for (source, output, right) in [
            (
                source,
                "The bridge was closed for nine months.",
                Some("The bridge was closed for 11 months."),
            ),
            ("ONZE MOIS DE DÉTOUR", "A NINE-MONTH DETOUR", Some("A 11-MONTH DETOUR")),
            ("pendant 11 mois", "for nine months", Some("for 11 months")),
            // In digits, of two, or merely missing: nobody knows which it is.
            (source, "The bridge was closed for 9 months.", None),
            (source, "The bridge was closed for nine or ten months.", None),
            ("onze mois et trois jours", "nine months and seven days", None),
            (source, "The bridge was closed for months.", None),
            ("Trois mille élèves", "Seven pupils", None),
        ] {
            let found = fixed(source, output, &Lang::parse("fr").unwrap(), &Lang::en());
            assert_eq!(found.as_deref(), right, "{source} → {output}");
        }
        let into_french = |source: &str| {
            fixed(source, "des vagues de six mètres", &Lang::en(), &Lang::parse("fr").unwrap())
        };
        assert_eq!(into_french("waves of 7 metres").as_deref(), Some("des vagues de 7 mètres"));
        assert_eq!(into_french("waves of 20 feet"), None);
    }

    #[test]
    fn lost_numbers_are_found() {
        let [from, to] = super::super::parsed("de en");
        for (source, output, lost) in [
            ("Der Tunnel war vierzehn Tage zu.", "The tunnel was closed for fourteen days.", false),
            ("Der Tunnel war vierzehn Tage zu.", "The tunnel was closed for 14 days.", false),
            ("Der Tunnel war vierzehn Tage zu.", "The tunnel was closed again.", true),
            ("Beide waren zwei Tage dort.", "Both were there.", false),
        ] {
            assert_eq!(
                is_missing(&Side::of(source, &from), &Side::of(output, &to)),
                lost,
                "{output}"
            );
        }
    }

    #[test]
    fn numbers_without_support_are_listed() {
        assert_eq!(unsupported("In 2020, 3 of 40 left.", "40 people met in 2020; 5 left."), ["3"]);
    }
}
