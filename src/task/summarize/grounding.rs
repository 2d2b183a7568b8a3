//! Whether an article bears out a sentence of its summary that a model wrote in words of its own.
//!
//! The sentence is laid beside the sentences of the article that say most of what it says: its
//! numbers, names, days, units and currencies have to be there, it must not deny what they affirm
//! or the other way round, nor make a fact of a claim, and whoever does something in it must not be
//! the one to whom it is done. This finds what the words give away; a sentence that is false in
//! words that are all true is beyond it.

use crate::task::checks;
use crate::text::hedges::hedges;
use crate::text::language::is_function_word;
use crate::text::negation::negates;
use crate::text::numbers::{numbers, spelled};
use crate::text::words::{self, stem};
use crate::types::{Lang, Problem};
use std::collections::{HashMap, HashSet};

/// Most sentences that one sentence of a summary is made of.
const MOST_SUPPORT: usize = 3;
/// A share of the weight of a sentence's words that comes together by chance.
const CHANCE: f32 = 0.15;
/// The share that the article has to have of it.
const KNOWN: f32 = 0.45;
/// The share from which on two sentences say the same.
const SAME: f32 = 0.6;
/// Words between two names at most, for one of them to do something to the other.
const REACH: usize = 8;
/// Spelled-out numbers up to this one are articles, pronouns and the like, too.
const SMALL: u64 = 2;
/// What stands before the one who does it, in the passive.
const BY: &[&str] =
    &["by", "von", "durch", "par", "por", "pelo", "pela", "da", "dal", "door", "av", "af"];

/// The text that a model has read, ready for its sentences to be held against.
pub(super) struct Source<'a> {
    sentences: &'a [String],
    language: &'a Lang,
    /// The stems of each sentence's words that say something.
    stems: Vec<HashSet<String>>,
    /// In how many sentences each of them stands.
    frequency: HashMap<String, usize>,
    /// The stems of all words.
    known: HashSet<String>,
    /// The numbers of each sentence.
    numbers: Vec<HashSet<String>>,
    /// The words of all names.
    names: HashSet<String>,
    whole: String,
}

/// What the article says to a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The sentences that it is made of, in order; empty where there are none.
    pub support: Vec<usize>,
    /// What is wrong with it, if anything is.
    pub problem: Option<Problem>,
}

impl<'a> Source<'a> {
    pub fn new(sentences: &'a [String], language: &'a Lang) -> Source<'a> {
        let stems: Vec<_> = sentences.iter().map(|text| words::stems(text, language)).collect();
        let mut frequency = HashMap::new();
        for stem in stems.iter().flatten() {
            *frequency.entry(stem.clone()).or_insert(0) += 1;
        }
        let whole = sentences.join("\n");
        let known = words::words(&whole).iter().map(|word| stem(word)).collect();
        let numbers = sentences.iter().map(|text| numbers_of(text, language)).collect();
        let names = words::names(&whole, language);
        let names = names.iter().flat_map(|name| words::words(name)).collect();
        Source { sentences, language, stems, frequency, known, numbers, names, whole }
    }

    /// The whole text.
    pub fn whole(&self) -> &str {
        &self.whole
    }

    /// Examines a sentence; `cut` says that the model was stopped in it.
    pub fn examine(&self, text: &str, cut: bool) -> Finding {
        let own = words::stems(text, self.language);
        let support = self.support(&own);
        let problem = self.problem(text, &own, &support, cut);
        Finding { support, problem }
    }

    fn problem(
        &self,
        text: &str,
        own: &HashSet<String>,
        support: &[usize],
        cut: bool,
    ) -> Option<Problem> {
        if own.is_empty() {
            return Some(Problem::Empty);
        }
        if cut {
            return Some(Problem::CutOff);
        }
        if checks::repeats(text) {
            return Some(Problem::Repetition);
        }
        if self.has_foreign_number(text, own) {
            return Some(Problem::Number);
        }
        // Before the names: weekdays and months look like some.
        if checks::adds_dates(text, &self.whole, self.language) {
            return Some(Problem::Date);
        }
        if self.has_foreign_name(text) {
            return Some(Problem::Name);
        }
        let known = |stem: &&String| self.known.contains(*stem);
        if support.is_empty() || self.weight(own.iter().filter(known)) < KNOWN * self.weight(own) {
            return Some(Problem::Unsupported);
        }
        let sources: Vec<&str> = support.iter().map(|&i| self.sentences[i].as_str()).collect();
        if let Some(problem) = checks::exchanges(&self.spoken_of(own, support), text, self.language)
        {
            return Some(problem);
        }
        self.turns_round(text, own, support, &sources)
    }

    /// What carries a sentence's meaning, in sum: rare words more than those that stand everywhere.
    fn weight<'s>(&self, stems: impl IntoIterator<Item = &'s String>) -> f32 {
        let all = self.stems.len().max(1) as f32;
        let of = |stem: &String| {
            let frequency = self.frequency.get(stem).copied().unwrap_or(1) as f32;
            (1.0 + all / frequency).ln()
        };
        // In an order of their own, so that the sum is the same in each run.
        let mut weights: Vec<f32> = stems.into_iter().map(of).collect();
        weights.sort_by(f32::total_cmp);
        weights.iter().sum()
    }

    /// The sentences that have most of a sentence's words, each for what the ones before it lack.
    fn support(&self, own: &HashSet<String>) -> Vec<usize> {
        let all = self.weight(own);
        let (mut left, mut support) = (own.clone(), Vec::new());
        while support.len() < MOST_SUPPORT && !left.is_empty() {
            let shared = |i: usize| self.weight(self.stems[i].intersection(&left));
            let mut best: Option<(usize, f32)> = None;
            for i in (0..self.stems.len()).filter(|i| !support.contains(i)) {
                let shared = shared(i);
                // The first of equals.
                if best.is_none_or(|(_, most)| shared > most) {
                    best = Some((i, shared));
                }
            }
            let Some((best, _)) = best.filter(|(_, shared)| *shared > CHANCE * all) else { break };
            left.retain(|word| !self.stems[best].contains(word));
            support.push(best);
        }
        support.sort_unstable();
        support
    }

    /// Whether a text has a number that the article does not have, or has of something else.
    fn has_foreign_number(&self, text: &str, own: &HashSet<String>) -> bool {
        let is_word = |stem: &&String| !stem.contains(char::is_numeric);
        numbers_of(text, self.language).iter().any(|number| {
            // A sentence with the number that shares another word with the text, too.
            let speaks = |(numbers, stems): (&HashSet<String>, &HashSet<String>)| {
                numbers.contains(number) && own.intersection(stems).any(|stem| is_word(&stem))
            };
            !self.numbers.iter().zip(&self.stems).any(speaks)
        })
    }

    /// Whether a text names somebody or something that the article does not name.
    fn has_foreign_name(&self, text: &str) -> bool {
        let is_known = |word: &String| self.known.contains(&stem(word));
        let names = words::names(text, self.language);
        !names.iter().all(|name| words::words(name).iter().all(is_known))
    }

    /// Whether a text turns what its sources say into its opposite, a claim into a fact, or the
    /// doer into the one to whom it is done.
    fn turns_round(
        &self,
        text: &str,
        own: &HashSet<String>,
        support: &[usize],
        sources: &[&str],
    ) -> Option<Problem> {
        let lang = self.language;
        // The one that says the same, if one does.
        let same = support.iter().copied().find(|&i| {
            let shared = self.weight(own.intersection(&self.stems[i]));
            shared >= SAME * self.weight(own) && shared >= SAME * self.weight(&self.stems[i])
        });
        let denies = |text: &str| negates(text, lang);
        let any_denies = sources.iter().any(|source| denies(source) == Some(true));
        let says_same = |i: usize| self.sentences[i].as_str();
        match denies(text) {
            Some(true) if !any_denies => return Some(Problem::Negation),
            Some(false) if same.is_some_and(|i| denies(says_same(i)) == Some(true)) => {
                return Some(Problem::Negation);
            }
            _ => {}
        }
        let is_open = |text: &str| hedges(text, lang) == Some(true);
        let closed = same.is_some_and(|i| is_open(says_same(i))) && !is_open(text);
        (closed || self.exchanges_roles(text, sources)).then_some(Problem::Unsupported)
    }

    /// The sources that speak of the same as a sentence: one that shares no more than a day and the
    /// subject with it tells of something else that happened.
    fn spoken_of(&self, own: &HashSet<String>, support: &[usize]) -> String {
        const SUBJECT: usize = 3;
        let shared = |i: usize| own.intersection(&self.stems[i]).count();
        let most = support.iter().map(|&i| shared(i)).max().unwrap_or(0);
        let speaks = |i: &&usize| shared(**i) >= SUBJECT.min(most);
        let sources: Vec<&str> =
            support.iter().filter(speaks).map(|&i| self.sentences[i].as_str()).collect();
        sources.join(" ")
    }

    /// Whether two names stand round a word in the text as they do in none of its sources, but the
    /// other way round.
    fn exchanges_roles(&self, text: &str, sources: &[&str]) -> bool {
        let own: Vec<String> = words::words(text);
        let others: Vec<Vec<String>> = sources.iter().map(|text| words::words(text)).collect();
        let last = |name: &String| words::words(name).pop();
        let names: Vec<String> =
            words::names(text, self.language).iter().filter_map(last).map(|w| stem(&w)).collect();
        // The opening of a sentence is a name where the article has it as one.
        let opening = own.first().filter(|word| self.names.contains(*word)).map(|w| stem(w));
        let names: Vec<String> = opening.into_iter().chain(names).collect();
        names.iter().any(|first| {
            names.iter().any(|second| {
                first != second
                    && between(&own, first, second, self.language).iter().any(|verb| {
                        let has = |a: &String, b: &String| {
                            others
                                .iter()
                                .any(|words| between(words, a, b, self.language).contains(verb))
                        };
                        has(second, first) && !has(first, second)
                    })
            })
        })
    }
}

/// The stems of the words that say something between two words of a text, where these stand near
/// each other in this order; none in the passive.
fn between(text: &[String], first: &str, second: &str, lang: &Lang) -> HashSet<String> {
    let mut out = HashSet::new();
    for (at, _) in text.iter().enumerate().filter(|(_, word)| stem(word) == *first) {
        let rest = &text[at + 1..text.len().min(at + 2 + REACH)];
        let Some(end) = rest.iter().position(|word| stem(word) == *second) else { continue };
        let between = &rest[..end];
        if between.iter().any(|word| BY.contains(&word.as_str())) {
            return HashSet::new();
        }
        let says = |word: &&String| !is_function_word(word, lang);
        out.extend(between.iter().filter(says).map(|word| stem(word)));
    }
    out
}

/// The numbers of a text, in figures or in words.
fn numbers_of(text: &str, lang: &Lang) -> HashSet<String> {
    let in_words = spelled(text, lang).into_iter().filter(|number| number.value > SMALL);
    let in_words = in_words.map(|number| number.value.to_string());
    numbers(text).into_iter().chain(in_words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(article: &[&str], text: &str, lang: &str) -> Finding {
        let sentences: Vec<String> = article.iter().map(|&text| text.to_owned()).collect();
        Source::new(&sentences, &Lang::parse(lang).unwrap()).examine(text, false)
    }

    const FERRY: &[&str] = &[
        "The harbour of Port Ellen was closed on Sunday after a ferry with 120 passengers on \
         board ran aground in thick fog.",
        "Nobody was hurt, and all of the passengers were brought ashore in lifeboats within three \
         hours, the coast guard said.",
        "Captain Ruth Allan blamed engineer Paul Reid for the accident, which may cost the company \
         40 million dollars.",
        "Two tugs from the mainland will try to pull the ferry free at high tide on Tuesday.",
    ];

    #[test]
    fn what_the_article_says_in_other_words_holds() {
        for (text, support) in [
            ("A ferry with 120 passengers ran aground in fog off Port Ellen on Sunday.", vec![0]),
            (
                "All passengers were brought ashore in lifeboats within 3 hours, nobody was hurt.",
                vec![1],
            ),
            ("Tugs will try to pull the ferry free on Tuesday.", vec![3]),
            ("Allan blamed Reid for the accident.", vec![2]),
            ("Reid was blamed by Allan for the accident.", vec![2]),
        ] {
            let finding = examined(FERRY, text, "en");
            assert_eq!(finding, Finding { support, problem: None }, "{text}");
        }
    }

    #[test]
    fn what_it_does_not_say_is_found() {
        for (text, problem) in [
            ("A ferry with 210 passengers ran aground in fog off Port Ellen.", Problem::Number),
            // The number is another thing's.
            ("The captain and 120 others blamed the company.", Problem::Number),
            ("A ferry ran aground in thick fog off Port Askaig.", Problem::Name),
            ("A ferry ran aground off Port Ellen on Monday.", Problem::Date),
            ("Two tugs will try to pull the ferry free on Sunday.", Problem::Date),
            ("The accident may cost the company 40 million euros.", Problem::Currency),
            (
                "The accident costs the company 40 million dollars, Captain Ruth Allan blamed engineer \
              Paul Reid.",
                Problem::Unsupported,
            ),
            ("Reid blamed Allan for the accident.", Problem::Unsupported),
            (
                "All of the passengers were hurt, the coast guard said, and brought ashore in \
              lifeboats within three hours.",
                Problem::Negation,
            ),
            (
                "The harbour of Port Ellen was not closed after a ferry ran aground.",
                Problem::Negation,
            ),
            ("Shares of the airline rose sharply in early trading.", Problem::Unsupported),
            ("fog fog fog fog fog fog fog fog", Problem::Repetition),
            ("…", Problem::Empty),
        ] {
            assert_eq!(examined(FERRY, text, "en").problem, Some(problem), "{text}");
        }
    }

    #[test]
    fn other_languages_are_held_against_their_articles_too() {
        let article = &[
            "Der Stadtrat von Bad Salza hat am Mittwoch den Bau einer neuen Brücke für 12 Millionen \
             Euro beschlossen.",
            "Die Bürgermeisterin Anna Krug stimmte nicht zu.",
        ];
        let found = |text| examined(article, text, "de").problem;
        assert_eq!(found("Bad Salza baut eine neue Brücke für 12 Millionen Euro."), None);
        assert_eq!(
            found("Bad Salza baut eine Brücke für 21 Millionen Euro."),
            Some(Problem::Number)
        );
        assert_eq!(found("Die Bürgermeisterin Anna Krug stimmte zu."), Some(Problem::Negation));
        let article = &["日本銀行は水曜日、政策金利を0.5%に引き上げた。"];
        let found = |text| examined(article, text, "ja").problem;
        assert_eq!(found("日本銀行は政策金利を0.5%に引き上げた。"), None);
        assert_eq!(found("日本銀行は政策金利を0.7%に引き上げた。"), Some(Problem::Number));
    }

    #[test]
    fn a_sentence_out_of_several_has_them_all() {
        let text = "The ferry, which ran aground off Port Ellen on Sunday with 120 passengers, will \
                    be pulled free by two tugs at high tide.";
        assert_eq!(examined(FERRY, text, "en"), Finding { support: vec![0, 3], problem: None });
    }
}
