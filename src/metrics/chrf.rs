//! chrF2 (Popović 2015) of a corpus: n-grams of one to six characters without white space, recall
//! counting twice as much as precision, with sacreBLEU's defaults.

use super::tokens::is_space;
use std::collections::HashMap;

/// The longest n-grams of characters that count.
const ORDER: usize = 6;
/// How much more recall counts than precision, squared.
const BETA_SQUARED: f64 = 4.0;

/// What one line adds to the score of its corpus: n-grams by their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    hypothesis: [u64; ORDER],
    reference: [u64; ORDER],
    matched: [u64; ORDER],
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |mut sum, line| {
            for n in 0..ORDER {
                sum.hypothesis[n] += line.hypothesis[n];
                sum.reference[n] += line.reference[n];
                sum.matched[n] += line.matched[n];
            }
            sum
        })
    }
}

impl Counts {
    /// Counts of a hypothesis beside the reference that it is nearest to.
    pub fn of(hypothesis: &str, references: &[&str]) -> Counts {
        let hypothesis = joined(hypothesis);
        let mut best: Option<(f64, Counts)> = None;
        for reference in references {
            let counts = Counts::beside(&hypothesis, &joined(reference));
            let score = counts.score();
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, counts));
            }
        }
        best.map_or_else(Counts::default, |(_, counts)| counts)
    }

    fn beside(hypothesis: &str, reference: &str) -> Counts {
        let mut counts = Counts::default();
        for n in 1..=ORDER {
            let expected = ngrams(reference, n);
            counts.reference[n - 1] = expected.values().sum();
            if expected.is_empty() {
                continue; // What has no counterpart does not count.
            }
            for (ngram, count) in ngrams(hypothesis, n) {
                counts.hypothesis[n - 1] += count;
                counts.matched[n - 1] += count.min(expected.get(ngram).copied().unwrap_or(0));
            }
        }
        counts
    }

    /// chrF, 0 to 100, of the corpus whose counts these are in sum.
    pub fn score(&self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for n in 0..ORDER {
            if self.hypothesis[n] > 0 && self.reference[n] > 0 {
                precision += self.matched[n] as f64 / self.hypothesis[n] as f64;
                recall += self.matched[n] as f64 / self.reference[n] as f64;
                orders += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    }
}

/// A line without its white space.
fn joined(line: &str) -> String {
    line.chars().filter(|&c| !is_space(c)).collect()
}

/// How often each n-gram of characters stands in the line.
fn ngrams(line: &str, n: usize) -> HashMap<&str, u64> {
    let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    let mut counts = HashMap::new();
    for (begin, end) in line.char_indices().map(|(at, _)| at).zip(ends.skip(n)) {
        *counts.entry(&line[begin..end]).or_default() += 1;
    }
    counts
}

/// sacreBLEU's signature of such a score, with the number of references.
pub fn signature(references: usize) -> String {
    format!("nrefs:{references}|case:mixed|eff:yes|nc:6|nw:0|space:no")
}
