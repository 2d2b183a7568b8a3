//! Figures on which articles about the same event disagree: the dead, the millions, the per cent.
//!
//! A figure is a number and what it counts, which is told by the words beside it. Two articles
//! disagree where sentences of theirs that speak of the same thing count it differently, and
//! neither article has the other's number anywhere: whoever writes "23, later 25" contradicts
//! nobody.

use super::Statement;
use crate::embed;
use crate::text::language::is_function_word;
use crate::text::numbers::{placed_numbers, spelled};
use crate::text::words;
use crate::types::Lang;
use std::collections::{BTreeMap, BTreeSet};

/// Cosine from which on two sentences speak of the same thing.
const SAME_SUBJECT: f32 = 0.7;
/// The same where the figure alone tells what they speak of: the dead of one event.
const SAME_FATE: f32 = 0.5;
/// What people have suffered, by the words for it.
const FATES: [(&str, &[&str]); 3] = [
    ("dead", &["dead", "deaths", "killed", "died", "fatalities", "lives"]),
    ("injured", &["injured", "wounded", "hurt", "injuries"]),
    ("missing", &["missing"]),
];
/// Words after a number among which stands what it counts.
const NEAR: usize = 2;
/// Most disagreements of a story.
const MOST: usize = 6;

/// A figure of an article.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The article, by its place.
    pub article: usize,
    /// Its sentence.
    pub sentence: usize,
    pub value: String,
}

/// What articles disagree about, with what they say; what most of them speak of first. `texts` are
/// the sentences of each in `language`, `vectors` theirs. A translation whose numbers the checks
/// complain of does not tell what its source says.
pub(super) fn disagreements(
    texts: &[&[Statement]],
    vectors: &[&[Vec<f32>]],
    language: &Lang,
) -> Vec<(String, Vec<Found>)> {
    let mut by_subject: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    let mut all: Vec<BTreeSet<String>> = vec![BTreeSet::new(); texts.len()];
    for (article, text) in texts.iter().enumerate() {
        for (sentence, statement) in text.iter().enumerate() {
            let Statement { text, .. } = statement;
            for (about, value) in figures(text, language) {
                all[article].insert(value.clone());
                if statement.has_right_numbers() {
                    by_subject.entry(about).or_default().push(Found { article, sentence, value });
                }
            }
            all[article].extend(placed_numbers(text).into_iter().map(|number| number.value));
        }
    }
    let meet = |about: &str, a: &Found, b: &Found| {
        let is_fate = FATES.iter().any(|(fate, _)| *fate == about);
        let near = if is_fate { SAME_FATE } else { SAME_SUBJECT };
        // An article that stands alone has no vectors, and nobody to meet.
        let vector = |of: &Found| vectors[of.article].get(of.sentence);
        a.article != b.article
            && !all[b.article].contains(&a.value)
            && !all[a.article].contains(&b.value)
            && vector(a).zip(vector(b)).is_some_and(|(x, y)| embed::cosine(x, y) >= near)
    };
    let mut out: Vec<(String, Vec<Found>)> = Vec::new();
    for (about, found) in by_subject {
        let in_doubt = |one: &&Found| found.iter().any(|other| meet(&about, one, other));
        let mut seen = BTreeSet::new();
        let mut kept: Vec<Found> = found.iter().filter(in_doubt).cloned().collect();
        kept.retain(|one| seen.insert((one.article, one.value.clone())));
        if !kept.is_empty() {
            out.push((about, kept));
        }
    }
    let sources = |found: &[Found]| found.iter().map(|f| f.article).collect::<BTreeSet<_>>().len();
    out.sort_by(|a, b| sources(&b.1).cmp(&sources(&a.1)).then(a.0.cmp(&b.0)));
    out.truncate(MOST);
    out
}

/// The figures of a sentence: what is counted, and how much of it.
fn figures(text: &str, language: &Lang) -> Vec<(String, String)> {
    let digits = placed_numbers(text).into_iter().map(|number| (number.value, number.place));
    let counts = spelled(text, language).into_iter().filter(|s| s.counts && s.value > 1);
    let in_words = counts.map(|number| (number.value.to_string(), number.place));
    let mut out: Vec<(String, String)> = Vec::new();
    for (value, place) in digits.chain(in_words) {
        let (before, after) = (&text[..place.start], &text[place.end..]);
        let is_part = after.starts_with([':', '/']) || before.ends_with([':', '/', '-', '–']);
        if is_part || is_year(&value, &text[place.clone()]) {
            continue;
        }
        let about = currency(before, after)
            .or_else(|| casualties(before, after))
            .or_else(|| counted(after, language));
        out.extend(about.map(|about| (about, value)));
    }
    out
}

/// Whether a number is a year, as far as one can tell.
fn is_year(value: &str, written: &str) -> bool {
    let year = value.parse::<u32>().is_ok_and(|year| (1900..2100).contains(&year));
    year && written.len() == 4
}

/// The sign of money or of per cent beside a number.
fn currency(before: &str, after: &str) -> Option<String> {
    const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '₽'];
    let (left, right) = (before.trim_end(), after.trim_start());
    if right.starts_with(['%', '％']) {
        return Some("%".into());
    }
    let sign = left.chars().next_back().into_iter().chain(right.chars().next());
    sign.into_iter().find(|sign| SIGNS.contains(sign)).map(String::from)
}

/// What a number of people has suffered, however it is put: "23 dead", "23 people were killed",
/// "the death toll rose to 23".
fn casualties(before: &str, after: &str) -> Option<String> {
    /// Words between a number and what became of so many.
    const BETWEEN: usize = 4;
    let following = words::words(clause(after));
    let near = following.iter().take(BETWEEN + 1);
    // The first number counts: "3 dead and 20 injured" are two.
    let near: Vec<&String> = near.take_while(|word| word.as_str() != "and").collect();
    let is_of = |fate: &[&str]| near.iter().any(|word| fate.contains(&word.as_str()));
    if let Some((about, _)) = FATES.iter().find(|(_, fate)| is_of(fate)) {
        return Some((*about).into());
    }
    let said = words::words(before.rsplit([';', '.']).next().unwrap_or_default());
    let is_toll = said.iter().any(|word| word == "toll") && following.is_empty();
    is_toll.then(|| "dead".into())
}

/// The text up to the next mark: what follows is another thought.
fn clause(after: &str) -> &str {
    let end = after.find([',', ';', '.', '(', ')', '!', '?', '"', '”']);
    &after[..end.unwrap_or(after.len())]
}

/// The word after a number that says what it counts; none for dates.
fn counted(after: &str, language: &Lang) -> Option<String> {
    const MAGNITUDES: [&str; 8] =
        ["hundred", "thousand", "million", "billion", "trillion", "dozen", "m", "bn"];
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let words = words::words(clause(after));
    let mut words = words.iter().map(String::as_str).filter(|word| !MAGNITUDES.contains(word));
    let is_subject =
        |word: &&str| !is_function_word(word, language) && word.chars().all(char::is_alphabetic);
    let word = words.by_ref().take(NEAR).find(is_subject)?;
    let word = match word {
        "per" | "percent" | "percentage" | "pc" => "%",
        word => singular(word),
    };
    (!MONTHS.contains(&word)).then(|| word.into())
}

/// An English noun without the mark of its plural: "deaths" and "death" are the same.
fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Problem;

    fn found(text: &str) -> Vec<(String, String)> {
        figures(text, &Lang::en())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    #[test]
    fn figures_are_numbers_and_what_they_count() {
        assert_eq!(found("At least 23 people were killed."), pairs(&[("dead", "23")]));
        assert_eq!(found("The death toll climbed to 832, it said."), pairs(&[("dead", "832")]));
        let both = pairs(&[("dead", "3"), ("injured", "20")]);
        assert_eq!(found("It left 3 dead and 20 people injured."), both);
        assert_eq!(found("Some 40 people watched."), pairs(&[("people", "40")]));
        assert_eq!(found("Some 1.5 million euros were lost."), pairs(&[("euro", "1500000")]));
        assert_eq!(
            found("It cost $40 million, 12% more."),
            pairs(&[("$", "40000000"), ("%", "12")])
        );
        assert_eq!(found("Prices rose by 4 per cent."), pairs(&[("%", "4")]));
        assert_eq!(found("On 3 March 2024 at 10:30, in 2019."), pairs(&[]));
        assert_eq!(found("Three passengers waited."), pairs(&[("passenger", "3")]));
    }

    #[test]
    fn only_what_two_articles_count_differently_is_told() {
        let near = vec![1.0, 0.0];
        let far = vec![0.0, 1.0];
        let told_of = |own: [Statement; 3], third: &Vec<f32>| {
            let texts: Vec<&[Statement]> = own.iter().map(std::slice::from_ref).collect();
            let vectors = [vec![near.clone()], vec![near.clone()], vec![third.clone()]];
            let vectors: Vec<&[Vec<f32>]> = vectors.iter().map(Vec::as_slice).collect();
            let found = disagreements(&texts, &vectors, &Lang::en());
            found
                .into_iter()
                .map(|(about, found)| {
                    (about, found.into_iter().map(|f| (f.article, f.value)).collect::<Vec<_>>())
                })
                .collect::<Vec<_>>()
        };
        let statements = |own: [&str; 3]| own.map(|text| Statement::from(text.to_string()));
        let told = |own: [&str; 3], third: &Vec<f32>| told_of(statements(own), third);
        let own = ["23 people died.", "25 people died.", "4 people died."];
        let expected = [("dead".to_string(), vec![(0, "23".to_string()), (1, "25".to_string())])];
        assert_eq!(told(own, &far), expected);
        // A translation with a wrong number tells nothing of its source.
        let mut doubted = statements(own);
        doubted[1].problems = vec![Problem::Doubtful];
        assert_eq!(told_of(doubted.clone(), &far), expected);
        doubted[1].problems = vec![Problem::Doubtful, Problem::Number];
        assert!(told_of(doubted, &far).is_empty());
        // It says both.
        assert!(
            told(["23 people died.", "Not 23, 25 people died.", "It rained."], &near).is_empty()
        );
        assert!(told(["23 people died.", "23 persons died.", "It rained."], &near).is_empty());
    }
}
