//! One hop of some segments: a translation by one model, tried until the checks are content.

use super::attempt::Attempt;
use super::progress::Counter;
use super::readings::{READINGS, are_few_words, elect};
use super::retry::RetryStrategy;
use super::{Segment, Settings, Translation, terms};
use crate::error::Result;
use crate::generate::{Finish, Generate};
use crate::task::checks::{self, Severity};
use crate::text::terms::FoundTerm;
use crate::text::{protect, words};
use crate::types::Problem;
use std::collections::HashMap;

/// How segments are translated.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub model: &'a dyn Generate,
    /// See [`super::Hop::reverse`].
    pub reverse: Option<&'a dyn Generate>,
    pub settings: &'a Settings,
    /// The terms in each of the segments.
    pub terms: &'a [Vec<FoundTerm>],
}

/// A segment and the terms in it.
type Asked<'a> = (&'a Segment, &'a [FoundTerm]);

/// Translates segments with a model that knows their languages.
///
/// # Errors
/// When the model fails.
pub(super) fn translate(
    way: &Way<'_>,
    segments: &[Segment],
    counter: &Counter<'_>,
) -> Result<Vec<Translation>> {
    let Way { model, reverse, settings, terms } = *way;
    let asked = segments.iter().zip(terms).map(|(segment, terms)| (segment, terms.as_slice()));
    let (distinct, places) = distinct(asked);
    let mut best: Vec<Best> = distinct.iter().map(|(segment, _)| Best::none(segment)).collect();
    let is_translatable = |i: &usize| protect::is_translatable(&distinct[*i].0.text);
    let mut waiting: Vec<usize> = (0..distinct.len()).filter(is_translatable).collect();
    let tried = waiting.clone();
    counter.skip(segments.len() - waiting.len());
    for &strategy in RetryStrategy::of(model) {
        if waiting.is_empty() {
            break;
        }
        let tried: Vec<Asked<'_>> = waiting.iter().map(|&i| distinct[i]).collect();
        let attempts =
            Attempt { model, reverse, segments: &tried, strategy, settings }.translate(counter)?;
        for (&i, attempt) in waiting.iter().zip(attempts) {
            best[i].consider(attempt, distinct[i].0, strategy);
        }
        if strategy == RetryStrategy::Plain {
            let few = waiting.iter().copied().filter(|&i| {
                are_few_words(distinct[i].0) && best[i].translation.confidence.is_some()
            });
            let few: Vec<usize> = few.collect();
            let tried: Vec<Asked<'_>> = few.iter().map(|&i| distinct[i]).collect();
            let others = |strategy| {
                let attempt = Attempt { model, reverse, segments: &tried, strategy, settings };
                attempt.translate(counter)
            };
            vote(&mut best, &few, &tried, &others)?;
            if model.aligns() {
                bring_in(way, &distinct, &waiting, &mut best, counter)?;
            }
        }
        waiting.retain(|&i| checks::deserve_retry(&best[i].translation.problems));
    }
    for i in waiting {
        best[i].give_up(distinct[i].0);
    }
    bring_in(way, &distinct, &tried, &mut best, counter)?;
    Ok(places.into_iter().map(|i| best[i].translation.clone()).collect())
}

/// Tries those of some segments again that lack terms, with these: as constraints, or told once
/// more. What has more of them, and is no worse otherwise, stays.
fn bring_in(
    way: &Way<'_>,
    distinct: &[Asked<'_>],
    numbers: &[usize],
    best: &mut [Best],
    counter: &Counter<'_>,
) -> Result<()> {
    let model = way.model;
    ask_for_terms(way, RetryStrategy::Terms, !model.aligns(), distinct, numbers, best, counter)?;
    match model.aligns() {
        true => {
            ask_for_terms(way, RetryStrategy::MoreTerms, true, distinct, numbers, best, counter)
        }
        false => Ok(()),
    }
}

/// Tries in one way to bring in what is lacking; `is_last` says that no other one follows.
fn ask_for_terms(
    way: &Way<'_>,
    strategy: RetryStrategy,
    is_last: bool,
    distinct: &[Asked<'_>],
    numbers: &[usize],
    best: &mut [Best],
    counter: &Counter<'_>,
) -> Result<()> {
    let Way { model, reverse, settings, .. } = *way;
    let lacks = |i: &usize| {
        let (_, terms) = distinct[*i];
        let held = &best[*i];
        !terms.is_empty()
            && !held.is_told
            && terms::met(terms, &held.translation.text) < terms.len()
    };
    let lacking: Vec<usize> = numbers.iter().copied().filter(lacks).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    // A language model is told of those alone that it has left out; a search needs them all.
    let left: Vec<Vec<FoundTerm>> = lacking
        .iter()
        .map(|&i| match model.aligns() {
            true => distinct[i].1.to_vec(),
            false => terms::missing(distinct[i].1, &best[i].translation.text),
        })
        .collect();
    let tried: Vec<Asked<'_>> =
        lacking.iter().zip(&left).map(|(&i, left)| (distinct[i].0, left.as_slice())).collect();
    let attempt = Attempt { model, reverse, segments: &tried, strategy, settings };
    let tokens = |text: &str| model.count_tokens(text).unwrap_or_default();
    for (&i, new) in lacking.iter().zip(attempt.translate(counter)?) {
        let held = &mut best[i];
        let output_tokens = held.translation.output_tokens + new.output_tokens;
        if terms::is_better((&new, &held.translation), distinct[i].1, &tokens) {
            let mut new = Translation { retried: held.translation.retried, ..new };
            // It is the user who wants the terms, whatever the model thinks of them.
            if !held.translation.problems.contains(&Problem::Doubtful) {
                new.problems.retain(|problem| *problem != Problem::Doubtful);
            }
            held.severity = Severity::of(&new.problems);
            held.translation = new;
        } else {
            held.is_told = is_last;
        }
        held.translation.output_tokens = output_tokens;
    }
    Ok(())
}

/// Reads a few words in other forms too, and takes what most of them say; see [`readings`].
///
/// [`readings`]: super::readings
fn vote(
    best: &mut [Best],
    few: &[usize],
    segments: &[Asked<'_>],
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
    for ((&i, (segment, _)), all) in few.iter().zip(segments).zip(candidates) {
        let Best { translation: held, severity, .. } = &mut best[i];
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
fn distinct<'a>(segments: impl Iterator<Item = Asked<'a>>) -> (Vec<Asked<'a>>, Vec<usize>) {
    let mut numbers: HashMap<Asked<'_>, usize> = HashMap::new();
    let mut distinct: Vec<Asked<'_>> = Vec::new();
    let number = |segment| {
        *numbers.entry(segment).or_insert_with(|| {
            distinct.push(segment);
            distinct.len() - 1
        })
    };
    let places = segments.map(number).collect();
    (distinct, places)
}

/// The best of the attempts at a segment.
struct Best {
    translation: Translation,
    severity: Severity,
    /// Whether it was told its terms in vain.
    is_told: bool,
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
        Best { translation, severity: Severity::WORST, is_told: false }
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
            (self.severity, self.is_told) = (severity, false);
            *held = attempt;
        } else {
            (held.output_tokens, held.retried) = (attempt.output_tokens, attempt.retried);
        }
    }
}
