//! The words of a sentence and of its translation that a check complains of: numbers, days, units
//! and names that the other one does not have.
//!
//! The checks say that something was changed, and this says where it may be: what is marked on one
//! side has no counterpart on the other. Nothing may be marked, as what the checks compare is more
//! than what stands in a single place.

use crate::text::lexicon::{self, Concept};
use crate::text::numbers::{placed_numbers, spelled};
use crate::text::protect;
use crate::text::tokens::tokens;
use crate::types::{Lang, Problem};
use std::cmp::Reverse;
use std::ops::Range;

/// Places to mark, in bytes, in order and apart from each other.
type Places = Vec<Range<usize>>;

/// A text and its language.
pub(super) type Side<'a> = (&'a str, &'a Lang);

/// The places to mark in a source and in its translation.
pub(super) fn differences(source: Side, target: Side, problems: &[Problem]) -> (Places, Places) {
    let (one, other) = (details(source, problems), details(target, problems));
    let lone = |own: &[Detail], others: &[Detail]| -> Places {
        let is_lone = |detail: &&Detail| !others.iter().any(|other| other.what == detail.what);
        own.iter().filter(is_lone).map(|detail| detail.place.clone()).collect()
    };
    let (mut first, mut second) = (lone(&one, &other), lone(&other, &one));
    if problems.contains(&Problem::Protected) {
        first.extend(
            protect::spans(source.0)
                .into_iter()
                .filter(|span| !target.0.contains(&source.0[span.clone()])),
        );
    }
    tidy(&mut first);
    tidy(&mut second);
    (first, second)
}

/// Something that both texts should have.
struct Detail {
    what: What,
    place: Range<usize>,
}

#[derive(PartialEq)]
enum What {
    /// As a plain decimal.
    Number(String),
    Concept(Concept),
}

/// The details of a text that complaints are about.
fn details((text, lang): Side, problems: &[Problem]) -> Vec<Detail> {
    let has = |wanted: &[Problem]| problems.iter().any(|problem| wanted.contains(problem));
    let mut found = Vec::new();
    if has(&[Problem::Number, Problem::Date]) {
        let digits = placed_numbers(text).into_iter();
        found.extend(digits.map(|n| Detail { what: What::Number(n.value), place: n.place }));
        let words = spelled(text, lang).into_iter().filter(|word| word.counts || word.is_ordinal);
        found.extend(
            words.map(|word| Detail {
                what: What::Number(word.value.to_string()),
                place: word.place,
            }),
        );
    }
    let is_meant = |concept: &Concept| match concept {
        Concept::Weekday(_) | Concept::Month(_) | Concept::Day(_) => has(&[Problem::Date]),
        Concept::Unit(_) => has(&[Problem::Unit]),
        Concept::Place(_) => has(&[Problem::Name]),
    };
    if has(&[Problem::Date, Problem::Unit, Problem::Name]) {
        let words = lexicon::find(text, &tokens(text), lang).into_iter();
        let words = words.filter(|found| is_meant(&found.concept));
        found.extend(
            words.map(|word| Detail { what: What::Concept(word.concept), place: word.place }),
        );
    }
    found
}

/// Puts places in order, and leaves out what lies within others.
fn tidy(places: &mut Places) {
    places.sort_by_key(|place| (place.start, Reverse(place.end)));
    let mut end = 0;
    places.retain(|place| {
        let is_apart = place.start >= end && place.start < place.end;
        end = if is_apart { place.end } else { end };
        is_apart
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;

    fn marked(source: &str, target: &str, from: &str, problems: &[Problem]) -> String {
        let (from, to) = (Lang::parse(from).unwrap(), Lang::en());
        let (one, other) = differences((source, &from), (target, &to), problems);
        let text = |text: &str, places: Places| {
            places.into_iter().map(|place| text[place].to_string()).collect::<Vec<_>>().join("|")
        };
        format!("{} → {}", text(source, one), text(target, other))
    }

    #[test]
    fn what_has_no_counterpart_is_marked_on_both_sides() {
        let number = [Problem::Number];
        for (source, target, from, problems, expected) in [
            (
                "Es kostet 30 Euro am 5. Mai.",
                "It costs 13 euros on 5 May.",
                "de",
                &number[..],
                "30 → 13",
            ),
            ("Drei Männer, 4 Frauen.", "Five men, 4 women.", "de", &number, "Drei → Five"),
            (
                "Am Montag in Paris.",
                "On Tuesday in Paris.",
                "de",
                &[Problem::Date],
                "Montag → Tuesday",
            ),
            ("Москва и Париж.", "Moscow and London.", "ru", &[Problem::Name], "Париж → London"),
            ("5 Liter Milch", "5 gallons of milk", "de", &[Problem::Unit], "Liter → gallons"),
            (
                "Siehe https://a.org/x.",
                "See there.",
                "de",
                &[Problem::Protected],
                "https://a.org/x → ",
            ),
            ("Es kostet 30 Euro.", "It costs 13 euros.", "de", &[Problem::Doubtful], " → "),
            ("Es kostet 30 Euro.", "It costs thirty euros.", "de", &number, " → "),
        ] {
            assert_eq!(marked(source, target, from, problems), expected, "{source}");
        }
    }

    #[test]
    fn places_are_in_order_and_apart_whatever_the_texts() {
        let problems = [Problem::Number, Problem::Date, Problem::Unit, Problem::Name];
        let words = ["5", "٣٠", "drei", "Paris", "Москва", "3月", "kg", "½", "1.5 Mrd.", "é", "周"];
        for seed in 0..500 {
            let mut next = numbers(seed);
            let mut text = || -> String {
                (0..next(9)).map(|_| [words[next(words.len())], " "].concat()).collect()
            };
            let (source, target) = (text(), text());
            let (from, to) = (Lang::parse("de").unwrap(), Lang::parse("zh").unwrap());
            let (one, other) = differences((&source, &from), (&target, &to), &problems);
            for (text, places) in [(source, one), (target, other)] {
                assert!(places.windows(2).all(|two| two[0].end <= two[1].start), "{text}");
                assert!(places.into_iter().all(|place| text.get(place).is_some()), "{text}");
            }
        }
    }
}
