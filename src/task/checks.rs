//! Checks of a translation, from the two texts alone.
//!
//! A check must stay silent on what a good human translator writes: the limits are set so that each
//! complains of fewer than 2 in 100 sentences of the NTREX human translations, in the mean of 33
//! languages and variants to and from English (`cargo bench --bench checks`). That of numbers,
//! which translators round and spell out, comes to 1.4; no other to more than 0.5.

mod clock;
mod currencies;
mod dates;
mod kept;
mod language;
mod length;
mod loops;
mod names;
mod negation;
mod numbers;
mod short;
mod side;
mod sound;
mod support;
mod units;

pub use loops::repeats;
pub use negation::may_flip;
pub use numbers::{fixed as with_fixed_number, unsupported as unsupported_numbers};
pub use short::without_added_brackets;
pub use support::is_of_example;

use crate::generate::Finish;
use crate::text::protect;
use crate::types::{Lang, Problem};
use length::Lengths;
use side::Side;
use units::Measures;

/// Everything that is wrong with a translated segment, worst first. `finish` says whether the model
/// came to an end by itself.
pub fn translation(
    source: &str,
    output: &str,
    finish: Finish,
    from: &Lang,
    to: &Lang,
) -> Vec<Problem> {
    let (source, output) = (source.trim(), output.trim());
    let has_words = |text: &str| text.chars().any(char::is_alphanumeric);
    if has_words(source) && !has_words(output) {
        return vec![Problem::Empty];
    }
    let elsewhere = !from.same_base(to);
    let (read, written) = (&Side::of(source, from), &Side::of(output, to));
    let measures = Measures::of(read, written);
    let lengths = Lengths::of(read, written);
    let checks = [
        (
            Problem::Repetition,
            finish == Finish::Loop
                || (loops::is_in(written.text, written.words())
                    && !loops::is_in(read.text, read.words()))
                || short::is_doubled(read, written),
        ),
        (
            Problem::Copy,
            elsewhere
                && (language::is_copy(read, written) || short::keeps_capitals(source, output)),
        ),
        (Problem::WrongLanguage, elsewhere && language::is_wrong(read, written)),
        (Problem::CutOff, finish == Finish::Length),
        (Problem::TooShort, lengths.are_short()),
        (
            Problem::TooLong,
            lengths.are_long()
                || short::is_stretched(source, &lengths)
                || short::is_decorated(source, output),
        ),
        (
            Problem::Protected,
            !protect::missing(source, output).is_empty()
                || !protect::surplus(source, output).is_empty()
                || kept::is_lost(source, output),
        ),
        (Problem::Name, names::differ(read, written)),
        (Problem::Number, numbers::differ(read, written, &measures)),
        (Problem::Unit, measures.differ()),
        (Problem::Currency, currencies::differ(read, written)),
        (Problem::Date, dates::differ(read, written)),
    ];
    checks.into_iter().filter_map(|(problem, found)| found.then_some(problem)).collect()
}

/// What is exchanged between a text and its source in the same language: a day, a month or a time,
/// a unit, a currency.
pub fn exchanges(source: &str, text: &str, lang: &Lang) -> Option<Problem> {
    let (read, written) = (Side::of(source, lang), Side::of(text, lang));
    let checks = [
        (Problem::Unit, Measures::of(&read, &written).differ()),
        (Problem::Currency, currencies::differ(&read, &written)),
        (Problem::Date, dates::differ(&read, &written)),
    ];
    checks.into_iter().find_map(|(problem, found)| found.then_some(problem))
}

/// Whether a text that was written about a source in a language is in another one.
pub fn is_in_other_language(text: &str, source: &str, lang: &Lang) -> bool {
    language::is_wrong(&Side::of(source, lang), &Side::of(text, lang))
}

/// Whether a text names a weekday or a month that its source, in the same language, does not name.
pub fn adds_dates(text: &str, source: &str, lang: &Lang) -> bool {
    dates::are_missing(&Side::of(text, lang), &Side::of(source, lang))
}

/// Whether a retry got rid of a problem by leaving out what it was with: a wrong number is fixed by
/// the right one, and not by none.
pub fn is_dropped_instead_of_fixed(
    problem: Problem,
    source: &str,
    output: &str,
    from: &Lang,
    to: &Lang,
) -> bool {
    let (read, written) = (&Side::of(source, from), &Side::of(output, to));
    match problem {
        Problem::Name => names::are_missing(read, written),
        Problem::Unit => Measures::of(read, written).are_missing(),
        Problem::Date => dates::are_missing(read, written),
        Problem::Number => numbers::is_missing(read, written),
        Problem::Currency => currencies::is_missing(read, written),
        _ => false,
    }
}

/// The loss to a reader by a segment's problems, for comparing two attempts at the same segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Severity(u32);

impl Severity {
    /// Worse than any attempt, even an empty one.
    pub const WORST: Severity = Severity(u32::MAX);

    /// That of these problems together; the least when there are none.
    pub fn of(problems: &[Problem]) -> Self {
        let weight = |problem: &Problem| match problem {
            Problem::Empty => 100,
            // Rather the source itself than news that it does not have.
            Problem::Unsupported => 60,
            Problem::Copy | Problem::WrongLanguage => 40,
            Problem::Repetition => 30,
            Problem::CutOff | Problem::TooShort | Problem::TooLong => 10,
            Problem::Protected
            | Problem::Number
            | Problem::Unit
            | Problem::Currency
            | Problem::Date
            | Problem::Name => 4,
            // It is wrong most of the time, what a check has found nearly always.
            Problem::Doubtful | Problem::Negation => 3,
        };
        Severity(problems.iter().map(weight).sum())
    }
}

/// Whether another attempt may do better: whenever there is anything to complain of. But what the
/// model doubts is the likeliest that it has found, and the best of eight that were drawn was
/// likelier for a fifth of them, at twice the time.
pub fn deserve_retry(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| !matches!(problem, Problem::Doubtful | Problem::Negation))
}

/// Two languages, for tests.
#[cfg(test)]
fn parsed(codes: &str) -> [Lang; 2] {
    let (from, to) = codes.split_once(' ').expect("two codes");
    [from, to].map(|code| Lang::parse(code).expect("a code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, output: &str, from: &str, to: &str) -> Vec<Problem> {
        translation(
            source,
            output,
            Finish::Stop,
            &Lang::parse(from).unwrap(),
            &Lang::parse(to).unwrap(),
        )
    }

    #[test]
    fn good_translations_pass() {
        for (source, output, from, to) in [
            (
                "Der Vulkan brach am 3. Mai 2018 aus.",
                "The volcano erupted on May 3, 2018.",
                "de",
                "en",
            ),
            ("La Banque a prêté 1.234,5 millions.", "The Bank lent 1,234.5 million.", "fr", "en"),
            ("火山は2018年5月に噴火した。", "The volcano erupted in May 2018.", "ja", "en"),
            ("Non, non, non, non !", "No, no, no, no!", "fr", "en"),
            (
                "Angela Merkel, Emmanuel Macron, Boris Johnson, Donald Trump",
                "Angela Merkel, Emmanuel Macron, Boris Johnson, Donald Trump",
                "de",
                "fr",
            ),
            ("OK", "OK", "en", "de"),
            ("—", "", "en", "de"),
            (
                "Voir https://example.org/a?b=c pour la suite.",
                "See https://example.org/a?b=c for more.",
                "fr",
                "en",
            ),
        ] {
            assert_eq!(check(source, output, from, to), [], "{source} → {output}");
        }
    }

    #[test]
    fn each_problem_is_found() {
        let source = "Le gouvernement a annoncé mardi de nouvelles mesures pour les 300 écoles de la région.";
        for (output, problem) in [
            ("…", Problem::Empty),
            (
                "The government announced the the the the new measures for the 300 schools of the region.",
                Problem::Repetition,
            ),
            (source, Problem::Copy),
            (
                "Правительство объявило во вторник о новых мерах для 300 школ региона.",
                Problem::WrongLanguage,
            ),
            ("The government 300.", Problem::TooShort),
            (
                "The government announced new measures for the 30 schools of the region on Tuesday.",
                Problem::Number,
            ),
        ] {
            assert!(check(source, output, "fr", "en").contains(&problem), "{problem:?}: {output}");
        }
        assert_eq!(
            check("Le pont a coûté 300 euros.", "The bridge cost 300 dollars.", "fr", "en"),
            [Problem::Currency]
        );
        let long = "On Tuesday the government announced, after a long debate that lasted many hours, that it would bring in measures \
                    which nobody had asked for, and which the 300 schools of the region, their teachers, the pupils and all of their \
                    parents will have to put up with from the coming autumn on, whether or not they happen to like it at all.";
        assert!(check(source, long, "fr", "en").contains(&Problem::TooLong));
        let link = "Plus d'informations sur https://example.org/info.";
        assert_eq!(
            check(link, "More information on our website there.", "fr", "en"),
            [Problem::Protected]
        );
        let cut = translation(
            "Bonjour à tous",
            "Hello every",
            Finish::Length,
            &Lang::parse("fr").unwrap(),
            &Lang::en(),
        );
        assert_eq!(cut, [Problem::CutOff]);
    }

    #[test]
    fn the_worse_attempt_is_known() {
        let problems = [
            vec![],
            vec![Problem::Number],
            vec![Problem::Number, Problem::TooShort],
            vec![Problem::Copy],
            vec![Problem::Empty],
        ];
        let severity = problems.each_ref().map(|problems| Severity::of(problems));
        assert!(severity.is_sorted() && severity[4] < Severity::WORST, "{severity:?}");
        assert_eq!(
            problems.map(|problems| deserve_retry(&problems)),
            [false, true, true, true, true]
        );
        assert!(
            !deserve_retry(&[Problem::Doubtful])
                && deserve_retry(&[Problem::Doubtful, Problem::Number])
        );
    }
}
