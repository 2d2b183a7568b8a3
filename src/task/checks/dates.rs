//! Whether the days, months and times of a text are those of its source.

use super::clock;
use super::side::{Side, is_exchanged};
use crate::text::lexicon::Concept;
use regex::Regex;
use std::sync::LazyLock;

/// Whether a weekday, a month, yesterday, a half of the day or a time zone was exchanged for
/// another.
pub(super) fn differ(source: &Side, output: &Side) -> bool {
    is_exchanged(weekdays(source), weekdays(output))
        || is_exchanged(days(source), days(output))
        || months_differ(source, output)
        || clock::differ(source, output)
}

/// Whether the output lacks a weekday or month of the source.
pub(super) fn are_missing(source: &Side, output: &Side) -> bool {
    weekdays(source) & !weekdays(output) != 0 || months(source) & !months(output) != 0
}

/// A month in figures may be any of the numbers of a date, and the order is unknown.
fn months_differ(source: &Side, output: &Side) -> bool {
    static FIGURES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\d[./-]\d{1,2}[./-]\d|\d\.\d{1,2}\.(?: |$)|\d/\d")
            .expect("the pattern is constant and tested")
    });
    is_exchanged(months(source), months(output))
        && !FIGURES.is_match(source.text)
        && !FIGURES.is_match(output.text)
}

/// Weekdays as bits.
fn weekdays(side: &Side) -> u32 {
    bits(side, |concept| match concept {
        Concept::Weekday(day) => Some(day),
        _ => None,
    })
}

/// Yesterday and tomorrow as bits.
fn days(side: &Side) -> u32 {
    bits(side, |concept| match concept {
        Concept::Day(day) => u8::try_from(day + 1).ok(),
        _ => None,
    })
}

/// Months as bits, those in figures with a word for "month" included.
fn months(side: &Side) -> u32 {
    let named = bits(side, |concept| match concept {
        Concept::Month(month) => Some(month),
        _ => None,
    });
    named | numbered_months(side)
}

/// 5月, 5월, tháng 5.
fn numbered_months(side: &Side) -> u32 {
    const AFTER: &[&str] = &["月", "월"];
    const BEFORE: &str = "tháng";
    let mut found = 0;
    let mut add = |digits: &str| {
        let value = digits.chars().try_fold(0, |sum, c| Some(10 * sum + figure(c)?));
        found |= value.filter(|month| (1..=12).contains(month)).map_or(0, |month| 1 << month);
    };
    for (at, token) in side.tokens.iter().enumerate() {
        let is_before = AFTER.iter().any(|name| token.word.starts_with(name))
            && at > 0
            && side.tokens[at - 1].place.end == token.place.start;
        if is_before {
            add(&side.tokens[at - 1].word);
        } else if token.word == BEFORE
            && let Some(next) = side.tokens.get(at + 1)
        {
            add(&next.word);
        }
    }
    found
}

/// The value of an ASCII or full-width figure.
fn figure(c: char) -> Option<u32> {
    c.to_digit(10).or_else(|| (c as u32).checked_sub('０' as u32).filter(|&value| value < 10))
}

/// What a kind of concept occurs in, as bits.
fn bits(side: &Side, number: impl Fn(Concept) -> Option<u8>) -> u32 {
    let mut all = 0;
    for found in side.found() {
        if let Some(number) = number(found.concept)
            && is_calendar_word(side, found.place.start)
        {
            all |= 1 << number;
        }
    }
    all
}

/// In languages that write days and months with a capital, a word without one is another word
/// (may, march); and May is one only in the middle of a sentence.
fn is_calendar_word(side: &Side, start: usize) -> bool {
    const CAPITALIZED: &[&str] = &["en", "de", "el"];
    if !CAPITALIZED.contains(&side.lang.base()) {
        return true;
    }
    let (before, word) = side.text.split_at(start);
    let is_may = word.starts_with("May ") && before.trim_end().is_empty();
    let is_day = ["yesterday", "tomorrow", "gestern", "χθες", "χτες", "αύριο"]
        .iter()
        .any(|day| word.starts_with(day));
    is_day || (word.starts_with(char::is_uppercase) && !is_may)
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
    fn exchanged_days_months_and_times_are_found() {
        for (source, output, languages) in [
            ("Er kam am Freitag an.", "He arrived on Thursday.", "de en"),
            ("Elle est arrivée vendredi.", "She arrived on Thursday.", "fr en"),
            ("Она приехала в пятницу.", "She arrived on Thursday.", "ru en"),
            ("She arrived on Friday.", "Sie kam am Donnerstagabend an.", "en de"),
            ("She arrived on Friday.", "Вона приїхала в четвер.", "en uk"),
            ("Przyjechała w piątek.", "She arrived on Tuesday.", "pl en"),
            ("他周五到达。", "He arrived on Thursday.", "zh en"),
            ("She arrived on Friday.", "彼女は木曜日に着いた。", "en ja"),
            ("وصلت يوم الجمعة.", "She arrived on Thursday.", "ar en"),
            ("Cuma günü geldi.", "She came on Saturday.", "tr en"),
            ("Am 3. März 2018 begann es.", "It began on May 3, 2018.", "de en"),
            ("火山は2018年5月に噴火した。", "The volcano erupted in June 2018.", "ja en"),
            ("Se reunieron en enero.", "They met in June.", "es en"),
            ("Ils sont partis hier.", "They leave tomorrow.", "fr en"),
            ("Um 14:22 Uhr brach es zusammen.", "It collapsed at 14:22 GMT.", "de en"),
            ("Um 14:22 Uhr brach es zusammen.", "It collapsed at 2:22 a.m.", "de en"),
            ("It starts at 9:00 GMT.", "Es beginnt um 9:00 MEZ.", "en de"),
            ("午後3時に始まる。", "It starts at 3 a.m.", "ja en"),
        ] {
            assert!(check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn the_same_days_months_and_times_pass() {
        for (source, output, languages) in [
            ("Er kam am Freitag an.", "He arrived on Friday.", "de en"),
            ("Na sexta-feira, choveu.", "It rained on Friday.", "pt en"),
            ("Von Montag bis Freitag", "on weekdays", "de en"),
            ("Er kam am 3. Mai.", "He arrived on 3 May.", "de en"),
            ("May he rest in peace.", "Möge er in Frieden ruhen, im März.", "en de"),
            ("They march on in June.", "Sie ziehen im Juni weiter.", "en de"),
            ("Am 03.05.2018, im Mai", "On 3 June", "de en"),
            ("Um 14:22 Uhr brach es zusammen.", "It collapsed at 2:22 p.m.", "de en"),
            ("Um 14:22 Uhr Ortszeit", "At 14:22 EST", "de en"),
            ("à 9 heures GMT", "at 9:00 UTC", "fr en"),
            ("2018年5月", "May 2018", "zh en"),
            ("vào tháng 5", "in May", "vi en"),
            ("yesterday", "gestern", "en de"),
            ("Morgen früh", "tomorrow morning", "de en"),
        ] {
            assert!(!check(source, output, languages), "{source} → {output}");
        }
    }
}
