//! How fast a job goes on this machine, tried on some of its articles.

use super::BatchJob;
use super::preview::count_words;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model_store::{ModelStore, OpenModels};
use crate::pipeline::{self, Job, Progress};
use crate::text::extract;
use crate::types::{Lang, RawArticle, Source, Status};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Words of the texts that were worked on.
    pub words: f64,
    /// How long that took.
    pub seconds: f64,
}

/// Measures a job with articles of some languages, for as long as `budget` says in all. Languages
/// for which the models are not here are left out; nothing is fetched, and nothing written.
///
/// # Errors
/// When a model cannot be opened, or the work is cancelled.
pub fn measure(
    batch: &BatchJob,
    job: &Job,
    store: &ModelStore,
    samples: &BTreeMap<Lang, Vec<RawArticle>>,
    budget: Duration,
    cancel: &CancelToken,
) -> Result<BTreeMap<Lang, Measured>> {
    let silent = &|_: Event<'_>| {};
    let store = store.looked_at();
    let resolved = match batch.models_for(job, &store)?.resolve(&store, silent, cancel) {
        Ok(resolved) => resolved,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        // It is told elsewhere what is missing.
        Err(_) => return Ok(BTreeMap::new()),
    };
    let mut here = Vec::new();
    for (language, articles) in samples.iter().filter(|(_, articles)| !articles.is_empty()) {
        let is_here = match (&resolved.chooser, &job.to) {
            _ if language.is_und() => false,
            (Some(chooser), Some(to)) if !language.same_base(to) => {
                matches!(chooser.choose(language, to, silent), Ok(Some(_)))
            }
            _ => true,
        };
        here.extend(is_here.then_some((language, articles)));
    }
    if here.is_empty() {
        return Ok(BTreeMap::new());
    }
    let models = resolved.open(&batch.options.runtime.open(cancel, silent)?, silent)?;
    let budget = budget / here.len() as u32;
    let mut measured = BTreeMap::new();
    for (language, articles) in here {
        // The first step loads a model, and is not counted.
        try_out(articles, (language, job), &models, Duration::ZERO, cancel)?;
        let found = try_out(articles, (language, job), &models, budget, cancel)?;
        measured.extend(found.map(|found| (language.clone(), found)));
    }
    Ok(measured)
}

/// Works on articles until they are done, or the time is over; `None` where that tells nothing.
fn try_out(
    articles: &[RawArticle],
    (language, job): (&Lang, &Job),
    models: &OpenModels,
    budget: Duration,
    cancel: &CancelToken,
) -> Result<Option<Measured>> {
    let words: usize = articles
        .iter()
        .filter_map(|raw| extract::extract(raw).ok())
        .map(|article| count_words(&article.text(), language))
        .sum();
    let (begun, done) = (Instant::now(), Mutex::new(0.0));
    let progress = |progress| {
        // As the job itself reckons what is left.
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let share = match progress {
            Progress::Translating(part, all) => 0.8 * share(part, all),
            Progress::TryingAgain(..) => 0.8,
            Progress::Summarizing(part, all) => 0.85 + 0.15 * share(part, all),
        };
        if let Ok(mut done) = done.lock() {
            *done = share.max(*done);
        }
        begun.elapsed() < budget && !cancel.is_cancelled()
    };
    let articles = articles.iter().cloned().map(Ok).collect();
    let key = |source: &Source| source.sha256.clone();
    let silent = &|_: Event<'_>| {};
    let run = models.with(silent, |models| pipeline::run(articles, job, models, &key, &progress));
    let share = match run {
        Ok(records) if records.iter().any(|record| record.status == Status::Ok) => 1.0,
        Err(Error::Interrupted) if !cancel.is_cancelled() => done.into_inner().unwrap_or(0.0),
        Ok(_) => 0.0,
        Err(error) => return Err(error),
    };
    let (words, seconds) = (words as f64 * share, begun.elapsed().as_secs_f64());
    Ok((words >= 1.0 && seconds > 0.0).then_some(Measured { words, seconds }))
}
