//! BLEU (Papineni et al. 2002) of a corpus, smoothed as mteval-v13a does: sacreBLEU's default.

use super::tokens::Tokenizer;
use std::collections::HashMap;

/// The longest n-grams that count.
const ORDER: usize = 4;

/// What one line adds to the score of its corpus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens of the hypothesis.
    pub hypothesis: u64,
    /// Tokens of the reference whose length is nearest.
    pub reference: u64,
    matched: [u64; ORDER],
    proposed: [u64; ORDER],
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |mut sum, line| {
            sum.hypothesis += line.hypothesis;
            sum.reference += line.reference;
            for n in 0..ORDER {
                sum.matched[n] += line.matched[n];
                sum.proposed[n] += line.proposed[n];
            }
            sum
        })
    }
}

impl Counts {
    /// Counts of a hypothesis beside its references: n-grams match as often as the reference that
    /// has most of them.
    pub fn of(hypothesis: &str, references: &[&str], tokenizer: Tokenizer) -> Counts {
        let tokenized = tokenizer.tokenize(hypothesis);
        let words: Vec<&str> = tokenized.split(' ').filter(|word| !word.is_empty()).collect();
        let references: Vec<String> = references.iter().map(|r| tokenizer.tokenize(r)).collect();
        let references: Vec<Vec<&str>> = references
            .iter()
            .map(|r| r.split(' ').filter(|word| !word.is_empty()).collect())
            .collect();
        let lengths = references.iter().map(|words| words.len());
        let nearest = lengths.min_by_key(|&length| (length.abs_diff(words.len()), length));
        let mut counts = Counts {
            hypothesis: words.len() as u64,
            reference: nearest.unwrap_or(0) as u64,
            ..Counts::default()
        };
        for n in 1..=ORDER {
            let mut expected: HashMap<&[&str], u64> = HashMap::new();
            for reference in &references {
                for (ngram, count) in ngrams(reference, n) {
                    let most = expected.entry(ngram).or_default();
                    *most = count.max(*most);
                }
            }
            for (ngram, count) in ngrams(&words, n) {
                counts.proposed[n - 1] += count;
                counts.matched[n - 1] += count.min(expected.get(ngram).copied().unwrap_or(0));
            }
        }
        counts
    }

    /// BLEU, 0 to 100, of the corpus whose counts these are in sum.
    pub fn score(&self) -> f64 {
        if self.matched.iter().all(|&matched| matched == 0) {
            return 0.0;
        }
        // An order in which nothing matches counts as half a match, the next as a quarter.
        let mut share_of_nothing = 1.0;
        let mut logarithms = 0.0;
        for n in 0..ORDER {
            if self.proposed[n] == 0 {
                return 0.0; // The corpus has no line of so many tokens.
            }
            let matched = match self.matched[n] {
                0 => {
                    share_of_nothing /= 2.0;
                    share_of_nothing
                }
                matched => matched as f64,
            };
            logarithms += (100.0 * matched / self.proposed[n] as f64).ln();
        }
        let (hypothesis, reference) = (self.hypothesis as f64, self.reference as f64);
        let brevity =
            if hypothesis < reference { (1.0 - reference / hypothesis).exp() } else { 1.0 };
        brevity * (logarithms / ORDER as f64).exp()
    }
}

/// How often each n-gram stands in the tokens.
fn ngrams<'a, 'b>(tokens: &'a [&'b str], n: usize) -> HashMap<&'a [&'b str], u64> {
    let mut counts = HashMap::new();
    for ngram in tokens.windows(n) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

/// sacreBLEU's signature of such a score, with the number of references.
pub fn signature(references: usize, tokenizer: Tokenizer) -> String {
    format!("nrefs:{references}|case:mixed|eff:no|tok:{}|smooth:exp", tokenizer.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(lines: &[(&str, &[&str])]) -> f64 {
        let count = |(line, refs): &(&str, &[&str])| Counts::of(line, refs, Tokenizer::Words);
        lines.iter().map(count).sum::<Counts>().score()
    }

    /// The scores are sacreBLEU 2.5's (`BLEU().corpus_score`).
    #[test]
    fn scores_are_those_of_sacrebleu() {
        let cat: (&str, &[&str]) = ("The cat sat on the mat.", &["The cat sat on a mat."]);
        let two: (&str, &[&str]) =
            ("It was 3.5 per-cent, he said.", &["It was 3.5%, she said.", "He said it was 3.5 %."]);
        for (lines, expected) in
            [(vec![cat], 48.8923), (vec![two], 27.0541), (vec![cat, two], 33.8013)]
        {
            assert!((score(&lines) - expected).abs() < 1e-4, "{lines:?}: {}", score(&lines));
        }
        assert_eq!(score(&[("", &["A line."])]), 0.0);
        assert_eq!(score(&[]), 0.0);
    }
}
