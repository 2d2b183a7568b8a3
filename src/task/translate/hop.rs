//! One hop of some segments: a translation by one model, tried until the checks are content.

use super::attempt::Attempt;
use super::progress::Counter;
use super::readings::{READINGS, are_few_words, elect};
use super::retry::RetryStrategy;
use super::{Segment, Settings, Translation};
use crate::error::Result;
use crate::generate::{Finish, Generate};
use crate::task::checks::{self, Severity};
use crate::text::{protect, words};
use crate::types::Problem;
use std::collections::HashMap;

/// Translates segments with a model that knows their languages; `reverse` reads back, see
/// [`super::Hop::reverse`].
///
/// # Errors
/// When the model fails.
pub(super) fn translate(
    model: &dyn Generate,
    reverse: Option<&dyn Generate>,
    segments: &[Segment],
    settings: Settings,
    counter: &Counter<'_>,
) -> Result<Vec<Translation>> {
    let (distinct, places) = distinct(segments);
    let mut best: Vec<Best> = distinct.iter().map(|segment| Best::none(segment)).collect();
    let mut waiting: Vec<usize> =
        (0..distinct.len()).filter(|&i| protect::is_translatable(&distinct[i].text)).collect();
    counter.skip(segments.len() - waiting.len());
    for &strategy in RetryStrategy::of(model) {
        if waiting.is_empty() {
            break;
        }
        let tried: Vec<&Segment> = waiting.iter().map(|&i| distinct[i]).collect();
        let attempts =
            Attempt { model, reverse, segments: &tried, strategy, settings }.translate(counter)?;
        for (&i, attempt) in waiting.iter().zip(attempts) {
            best[i].consider(attempt, distinct[i], strategy);
        }
        if strategy == RetryStrategy::Plain {
            let few = waiting.iter().copied().filter(|&i| {
                are_few_words(distinct[i]) && best[i].translation.confidence.is_some()
            });
            let few: Vec<usize> = few.collect();
            let tried: Vec<&Segment> = few.iter().map(|&i| distinct[i]).collect();
            let others = |strategy| {
                let attempt = Attempt { model, reverse, segments: &tried, strategy, settings };
                attempt.translate(counter)
            };
            vote(&mut best, &few, &tried, &others)?;
        }
        waiting.retain(|&i| checks::deserve_retry(&best[i].translation.problems));
    }
    for i in waiting {
        best[i].give_up(distinct[i]);
    }
    Ok(places.into_iter().map(|i| best[i].translation.clone()).collect())
}

/// Reads a few words in other forms too, and takes what most of them say; see [`readings`].
///
/// [`readings`]: super::readings
fn vote(
    best: &mut [Best],
    few: &[usize],
    segments: &[&Segment],
    others: &dyn Fn(RetryStrategy) -> Result<Vec<Translation>>,
) -> Result<()> {
    if few.is_empty() {
        return Ok(());
    }
    let mut candidates: Vec<Vec<Translation>> =
        few.iter().map(|&i| vec![best[i].translation.clone()]).collect();
    for &strategy in READINGS {
        for (all, other) in candidates.iter_mut().zip(others(strategy)?) {
            all.push(other);
        }
    }
    for ((&i, segment), all) in few.iter().zip(segments).zip(candidates) {
        let Best { translation: held, severity } = &mut best[i];
        let output_tokens = all.iter().map(|one| one.output_tokens).sum();
        let retried = checks::deserve_retry(&held.problems);
        if let Some(chosen) =
            elect(&segment.text, &all).and_then(|number| all.into_iter().nth(number))
        {
            *severity = Severity::of(&chosen.problems);
            *held = Translation { retried, ..chosen };
        }
        held.output_tokens = output_tokens;
    }
    Ok(())
}

/// The segments without those that occur again, and for each segment the number of its equal: the
/// same text is translated once, wherever it stands.
fn distinct(segments: &[Segment]) -> (Vec<&Segment>, Vec<usize>) {
    let mut numbers: HashMap<&Segment, usize> = HashMap::new();
    let mut distinct: Vec<&Segment> = Vec::new();
    let number = |segment| {
        *numbers.entry(segment).or_insert_with(|| {
            distinct.push(segment);
            distinct.len() - 1
        })
    };
    let places = segments.iter().map(number).collect();
    (distinct, places)
}

/// The best of the attempts at a segment.
struct Best {
    translation: Translation,
    severity: Severity,
}

impl Best {
    /// After the last attempt: a lone name that no attempt made sense of stays as it is, which is
    /// no mistake; what was put in brackets after a few words goes.
    fn give_up(&mut self, segment: &Segment) {
        if words::is_name(&segment.text) {
            let held = &mut self.translation;
            held.text.clone_from(&segment.text);
            held.problems.clear();
            held.confidence = None;
            held.alignments.clear();
        } else if let Some(bare) =
            checks::without_added_brackets(&segment.text, &self.translation.text)
        {
            let Segment { text, from, to, .. } = segment;
            let problems = checks::translation(text, &bare, Finish::Stop, from, to);
            if Severity::of(&problems) < self.severity {
                (self.translation.text, self.translation.problems) = (bare, problems);
            }
        }
    }

    /// The source itself, before there is any attempt.
    fn none(segment: &Segment) -> Best {
        let translation = Translation { text: segment.text.clone(), ..Translation::default() };
        Best { translation, severity: Severity::WORST }
    }

    /// Takes an attempt where it is better than those before.
    fn consider(&mut self, mut attempt: Translation, segment: &Segment, strategy: RetryStrategy) {
        let Segment { text, from, to, .. } = segment;
        let held = &mut self.translation;
        let is_dropped = |problem: &Problem| {
            !attempt.problems.contains(problem)
                && checks::is_dropped_instead_of_fixed(*problem, text, &attempt.text, from, to)
        };
        let dropped: Vec<Problem> = held.problems.iter().copied().filter(is_dropped).collect();
        attempt.problems.extend(dropped);
        // What the others cost counts too.
        attempt.output_tokens += held.output_tokens;
        attempt.retried = strategy != RetryStrategy::Plain;
        let severity = Severity::of(&attempt.problems);
        if severity < self.severity {
            self.severity = severity;
            *held = attempt;
        } else {
            (held.output_tokens, held.retried) = (attempt.output_tokens, attempt.retried);
        }
    }
}
