//! What the overview tells of all articles together: how many there are of each kind, how sure the
//! models were, and how fast they went.

use super::state::State;
use crate::error::Result;
use crate::types::{Lang, Record};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Steps of the confidence from 0 to 1.
pub(super) const BINS: usize = 10;

/// Most steps of a [`Series`].
const MOST_STEPS: usize = 60;

/// Numbers of articles, and what the charts are drawn from. Its size does not depend on how many
/// articles there are.
#[derive(Default)]
pub(super) struct Tally {
    states: BTreeMap<State, usize>,
    languages: BTreeMap<Lang, usize>,
    /// Languages of the results.
    pub(super) targets: BTreeSet<Lang>,
    /// Records that could not be read.
    pub(super) unreadable: usize,
    /// Bytes of sources, translations and summaries.
    pub(super) bytes: usize,
    /// Translated articles by their mean confidence.
    pub(super) confidence: [usize; BINS],
    pub(super) speed: Series,
}

impl Tally {
    pub(super) fn of(records: impl Iterator<Item = Result<Record>>) -> Tally {
        let mut tally = Tally::default();
        for record in records {
            match record {
                Ok(record) => tally.add(record),
                Err(_) => tally.unreadable += 1,
            }
        }
        tally
    }

    fn add(&mut self, record: Record) {
        *self.states.entry(State::of(&record)).or_default() += 1;
        self.bytes += bytes(&record);
        if let Some(confidence) = record.checks.confidence {
            let bin = (confidence.clamp(0.0, 1.0) * BINS as f32) as usize;
            self.confidence[bin.min(BINS - 1)] += 1;
        }
        self.speed.push(record.stats.output_tokens, record.stats.seconds);
        let summary = record.summary.map(|summary| summary.language);
        self.targets.extend(record.translation.map(|one| one.language).or(summary));
        *self.languages.entry(record.language.code).or_default() += 1;
    }

    pub(super) fn articles(&self) -> usize {
        self.states.values().sum()
    }

    pub(super) fn in_state(&self, state: State) -> usize {
        self.states.get(&state).copied().unwrap_or_default()
    }

    /// Languages that were recognized.
    pub(super) fn languages(&self) -> usize {
        self.languages.keys().filter(|lang| !lang.is_und()).count()
    }

    /// Languages and their numbers of articles, the most frequent first.
    pub(super) fn by_frequency(&self) -> Vec<(&Lang, usize)> {
        let mut languages: Vec<_> = self.languages.iter().map(|(lang, n)| (lang, *n)).collect();
        languages.sort_by_key(|(_, n)| Reverse(*n));
        languages
    }
}

/// Bytes of an article's texts, of those that its part of a page holds.
pub(super) fn bytes(record: &Record) -> usize {
    let segments = record.segments.iter().flatten();
    let pairs: usize = segments.map(|one| one.source.len() + one.target.len()).sum();
    let laid_out = record.translation.as_ref().map_or(0, |translation| translation.text.len());
    let summary = record.summary.as_ref().map_or(0, |summary| summary.text.len());
    summary + if pairs > 0 { pairs } else { laid_out }
}

/// Tokens a second over the course of a run, in steps of equally many articles. When there are too
/// many steps, two become one.
pub(super) struct Series {
    /// Articles of a step.
    each: usize,
    /// Articles, tokens and seconds.
    steps: Vec<(usize, usize, f64)>,
}

impl Default for Series {
    fn default() -> Self {
        Series { each: 1, steps: Vec::new() }
    }
}

impl Series {
    /// Adds an article; one on which no time was spent says nothing.
    fn push(&mut self, tokens: usize, seconds: f64) {
        if tokens == 0 || !(seconds > 0.0 && seconds.is_finite()) {
            return;
        }
        match self.steps.last_mut().filter(|last| last.0 < self.each) {
            Some(last) => *last = (last.0 + 1, last.1 + tokens, last.2 + seconds),
            None => self.steps.push((1, tokens, seconds)),
        }
        let is_full = self.steps.last().is_some_and(|last| last.0 == self.each);
        if is_full && self.steps.len() == MOST_STEPS {
            let join = |two: &[(usize, usize, f64)]| {
                two.iter().fold((0, 0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
            };
            self.steps = self.steps.chunks(2).map(join).collect();
            self.each *= 2;
        }
    }

    /// Articles of a step, and the tokens a second of each step. A last one that is not full is
    /// left out, where there are others.
    pub(super) fn rates(&self) -> (usize, Vec<f64>) {
        let full = self.steps.iter().filter(|step| step.0 == self.each || self.steps.len() == 1);
        (self.each, full.map(|&(_, tokens, seconds)| tokens as f64 / seconds).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_of_any_length_has_few_steps_and_loses_nothing() {
        for articles in [0_usize, 1, 59, 60, 61, 1000, 12_345] {
            let mut series = Series::default();
            (0..articles).for_each(|_| series.push(30, 2.0));
            series.push(0, 5.0);
            series.push(5, f64::NAN);
            let (each, rates) = series.rates();
            assert!(rates.len() < MOST_STEPS && rates.iter().all(|rate| *rate == 15.0));
            assert!(articles - rates.len() * each < each || articles == 0, "{articles} {each}");
            let all: usize = series.steps.iter().map(|step| step.0).sum();
            assert_eq!(all, articles);
        }
    }
}
