//! How much of a translation is its source, copied.

use super::tokens::Tokenizer;
use std::collections::HashSet;

/// A run of so many tokens that stands in the source as well is a copy; names and numbers are
/// shorter as a rule.
const RUN: usize = 4;

/// Tokens of a translation that are copied, and all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    copied: u64,
    all: u64,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |sum, line| Counts {
            copied: sum.copied + line.copied,
            all: sum.all + line.all,
        })
    }
}

impl Counts {
    /// Counts of a line; one with fewer tokens than a run is a copy where it is the whole source.
    pub fn of(hypothesis: &str, source: &str, tokenizer: Tokenizer) -> Counts {
        let [hypothesis, source] = [hypothesis, source].map(|line| tokenizer.tokenize(line));
        let [hypothesis, source]: [Vec<&str>; 2] = [&hypothesis, &source]
            .map(|line| line.split(' ').filter(|token| !token.is_empty()).collect());
        let all = hypothesis.len() as u64;
        if hypothesis.len() < RUN {
            let copied = if hypothesis == source { all } else { 0 };
            return Counts { copied, all };
        }
        let runs: HashSet<&[&str]> = source.windows(RUN).collect();
        let mut is_copied = vec![false; hypothesis.len()];
        for (at, run) in hypothesis.windows(RUN).enumerate() {
            if runs.contains(run) {
                is_copied[at..at + RUN].fill(true);
            }
        }
        Counts { copied: is_copied.iter().filter(|copied| **copied).count() as u64, all }
    }

    /// The share of copied tokens, 0 to 100.
    pub fn rate(&self) -> f64 {
        100.0 * self.copied as f64 / self.all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hypothesis: &str, source: &str) -> f64 {
        Counts::of(hypothesis, source, Tokenizer::Words).rate()
    }

    #[test]
    fn long_runs_of_the_source_are_copies_and_names_are_not() {
        let source = "Le maire Jean Dupont a ouvert le marché en 2024.";
        assert_eq!(rate(source, source), 100.0);
        assert_eq!(rate("Mayor Jean Dupont opened the market in 2024.", source), 0.0);
        assert_eq!(rate("Yesterday Dupont a ouvert le market", source), 100.0 * 4.0 / 6.0);
        assert_eq!(rate("Bonjour", "Bonjour"), 100.0);
        assert_eq!(rate("Hello", "Bonjour"), 0.0);
        assert_eq!(rate("", ""), 0.0);
    }
}
