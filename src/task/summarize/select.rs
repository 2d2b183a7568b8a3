//! The choice of the sentences that make up the summary, and their order.

use super::faithfulness;
use super::length::{self, Budget};
use crate::types::SummarySentence;
use std::collections::HashSet;

/// Candidates in vain after which no more are looked at to fill up a number of words.
const MOST_MISSES: usize = 200;

/// The summary's sentences, out of candidates with the best first, in the order of these.
pub fn choose(candidates: Vec<SummarySentence>, budget: Budget) -> Vec<SummarySentence> {
    match budget {
        Budget::Sentences(number) => by_number(candidates, number),
        Budget::Words(most) => by_words(candidates, most),
    }
}

/// Sentences in the order in which the article speaks of them.
pub fn in_order(mut sentences: Vec<SummarySentence>) -> Vec<SummarySentence> {
    sentences.sort_by_key(|sentence| sentence.support.first().copied());
    sentences
}

/// Sentences that were taken, and what they speak of.
#[derive(Default)]
struct Chosen {
    sentences: Vec<SummarySentence>,
    subjects: Vec<HashSet<String>>,
}

impl Chosen {
    /// Takes a sentence, or gives it back when another one says the same.
    fn take(&mut self, candidate: SummarySentence) -> Option<SummarySentence> {
        let subject = faithfulness::subject(&candidate.text);
        if self.subjects.iter().any(|other| faithfulness::is_same(&subject, other)) {
            return Some(candidate);
        }
        self.sentences.push(candidate);
        self.subjects.push(subject);
        None
    }
}

/// The best so many; what says the same as a better one only when there is nothing else.
fn by_number(candidates: Vec<SummarySentence>, number: usize) -> Vec<SummarySentence> {
    let (mut chosen, mut spare) = (Chosen::default(), Vec::new());
    for candidate in candidates {
        if chosen.sentences.len() == number {
            break;
        }
        spare.extend(chosen.take(candidate));
    }
    let missing = number - chosen.sentences.len();
    chosen.sentences.extend(spare.into_iter().take(missing));
    chosen.sentences
}

/// The best that fit into so many words together; the beginning of the best one when none fits.
fn by_words(candidates: Vec<SummarySentence>, most: usize) -> Vec<SummarySentence> {
    let best = candidates.first().cloned();
    let (mut chosen, mut left, mut misses) = (Chosen::default(), most, 0);
    for candidate in candidates {
        let words = length::count_words(&candidate.text);
        if (1..=left).contains(&words) && chosen.take(candidate).is_none() {
            left -= words;
        } else {
            misses += 1;
        }
        if left == 0 || misses == MOST_MISSES {
            break;
        }
    }
    if chosen.sentences.is_empty() {
        chosen.sentences.extend(
            best.map(|best| SummarySentence { text: length::cut(&best.text, most), ..best }),
        );
    }
    chosen.sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SummaryMethod;

    fn chosen(texts: &[&str], budget: Budget) -> Vec<String> {
        let candidates = texts.iter().enumerate();
        let candidates = candidates.map(|(i, t)| SummarySentence {
            text: (*t).into(),
            support: vec![9 - i],
            origin: SummaryMethod::Extractive,
        });
        in_order(choose(candidates.collect(), budget)).into_iter().map(|s| s.text).collect()
    }

    const TEXTS: &[&str] = &[
        "Rivers rose fast overnight.",
        "Overnight rivers rose fast.",
        "Ten villages lost power.",
        "Schools stay shut today, officials said.",
    ];

    #[test]
    fn the_number_is_kept_and_repeats_come_last() {
        assert_eq!(chosen(TEXTS, Budget::Sentences(2)), [TEXTS[2], TEXTS[0]]);
        assert_eq!(chosen(TEXTS, Budget::Sentences(4)).len(), 4);
        assert_eq!(chosen(TEXTS, Budget::Sentences(9)).len(), 4);
    }

    #[test]
    fn words_are_filled_up_and_never_exceeded() {
        assert_eq!(chosen(TEXTS, Budget::Words(11)), [TEXTS[2], TEXTS[0]]);
        assert_eq!(chosen(TEXTS, Budget::Words(8)), [TEXTS[2], TEXTS[0]]);
        assert_eq!(chosen(TEXTS, Budget::Words(3)), ["Rivers rose fast…"]);
        assert!(chosen(&[], Budget::Words(3)).is_empty());
    }
}
