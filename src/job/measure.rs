//! How fast a job goes on this machine, tried on some of its sentences for a few seconds.

use super::BatchJob;
use super::preview::{Planned, count_words};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::io::articles::from_text;
use crate::languages;
use crate::model_store::{ModelStore, OpenModels, ResolvedModels};
use crate::pipeline::{self, Job, Progress};
use crate::text::{extract, sentences};
use crate::types::{Lang, RawArticle, Source, Status};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Sentences of the first trial in a language, which loads the models and tells little, and of the
/// second; each further one has twice as many, as far as there is time.
const FIRST: usize = 2;
const SECOND: usize = 8;
/// Sentences of an article, about: a trial is made of such.
const ARTICLE: usize = 16;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Words of the texts that were worked on.
    pub words: f64,
    /// How long that took.
    pub seconds: f64,
    /// Whether it was tried in this language, and not in another one with the same models.
    pub is_own: bool,
}

/// Measures a job with sentences of its articles, for about as long as `budget` says in all, the
/// opening of models included. What is most comes first; where the time is over before a language
/// is reached, it counts as one with the same models does. Languages for which the models are not
/// here, or others that were tried, are left out; nothing is fetched, and nothing written.
///
/// # Errors
/// When a model cannot be opened, or the work is cancelled.
pub fn measure(
    batch: &BatchJob,
    job: &Job,
    store: &ModelStore,
    planned: &Planned,
    budget: Duration,
    cancel: &CancelToken,
) -> Result<BTreeMap<Lang, Measured>> {
    let begun = Instant::now();
    let silent = &|_: Event<'_>| {};
    let store = store.looked_at();
    let resolved = match batch.models_for(job, &store)?.resolve(&store, silent, cancel) {
        Ok(resolved) => resolved,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        // It is told elsewhere what is missing.
        Err(_) => return Ok(BTreeMap::new()),
    };
    let here = languages_here(&resolved, job, planned);
    if here.is_empty() {
        return Ok(BTreeMap::new());
    }
    let models = resolved.open(&batch.options.runtime.open(cancel, silent)?, silent)?;
    let last = here.len();
    let mut measured: BTreeMap<Lang, Measured> = BTreeMap::new();
    for (number, (language, _)) in here.iter().enumerate() {
        let left = budget.saturating_sub(begun.elapsed()) / (last - number) as u32;
        let trial = Trial {
            models: &models,
            job: Job { from: Some((*language).clone()), ..job.clone() },
            language,
            soon: Instant::now() + left,
            latest: begun + budget,
            cancel,
        };
        if measured.is_empty() || Instant::now() < trial.latest {
            let found = trial.run(&sample(&planned.samples[*language], language))?;
            measured.extend(found.map(|found| ((*language).clone(), found)));
        }
    }
    for (language, ids) in &here {
        let alike = here.iter().filter(|(_, others)| others == ids);
        let found = alike.filter_map(|(language, _)| measured.get(*language)).next().copied();
        if let Some(found) = found.filter(|_| !measured.contains_key(*language)) {
            measured.insert((*language).clone(), Measured { is_own: false, ..found });
        }
    }
    Ok(measured)
}

/// The languages whose models are here, with the ids of these where they were chosen: first one for
/// each way, and of these the one with the most words.
fn languages_here<'a>(
    resolved: &ResolvedModels,
    job: &Job,
    planned: &'a Planned,
) -> Vec<(&'a Lang, Vec<String>)> {
    let silent = &|_: Event<'_>| {};
    let mut here = Vec::new();
    for (language, articles) in &planned.samples {
        let is_done = job.to.as_ref().is_some_and(|to| language.same_base(to));
        if articles.is_empty() || language.is_und() || is_done {
            continue;
        }
        match (&resolved.chooser, &job.to) {
            (Some(chooser), Some(to)) => {
                if let Ok(Some(choice)) = chooser.choose(language, to, silent) {
                    let ids = choice.models().into_iter().map(|model| model.id);
                    here.push((language, ids.collect()));
                }
            }
            _ => here.push((language, Vec::new())),
        }
    }
    let words = |language: &Lang| planned.languages.get(language).map_or(0, |volume| volume.words);
    here.sort_by_key(|(language, _)| Reverse(words(language)));
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
    let (mut first, again): (Vec<_>, Vec<_>) =
        here.into_iter().partition(|(_, ids)| seen.insert(ids.clone()));
    first.extend(again);
    first
}

/// Sentences of some articles.
fn sample(articles: &[RawArticle], language: &Lang) -> Vec<String> {
    let articles = articles.iter().filter_map(|raw| extract::extract(raw).ok());
    let blocks = articles.flat_map(|article| article.blocks);
    let split = blocks.flat_map(|block| sentences::split(&block.text, language));
    split.map(|sentence| sentence.text).collect()
}

/// A job that is tried on sentences of one language.
struct Trial<'a> {
    models: &'a OpenModels,
    job: Job,
    language: &'a Lang,
    /// Nothing is begun that would last longer.
    soon: Instant,
    /// What goes on is given up then, as soon as it tells something.
    latest: Instant,
    cancel: &'a CancelToken,
}

impl Trial<'_> {
    /// Tries more and more sentences, until they are at an end or the time is over. The largest
    /// trial tells the most; of one that did not come to its end, the part that was done.
    fn run(&self, sentences: &[String]) -> Result<Option<Measured>> {
        let (mut size, mut best) = (FIRST, None);
        loop {
            let part = &sentences[..sentences.len().min(size)];
            let Some((found, is_whole)) = self.on(part)? else { return Ok(best) };
            best = Some(found);
            // The next one takes longer, but for the second: the first has loaded the models.
            let next = Duration::from_secs_f64(2.0 * found.seconds);
            let is_late = size > FIRST && Instant::now() + next > self.soon;
            let is_all = size > FIRST && part.len() == sentences.len();
            if !is_whole || is_late || is_all {
                return Ok(best);
            }
            size = if size == FIRST { SECOND } else { 2 * size };
        }
    }

    /// Works on some sentences; says whether all of them were done.
    fn on(&self, sentences: &[String]) -> Result<Option<(Measured, bool)>> {
        let gap = languages::sentence_gap(self.language);
        let texts = sentences.chunks(ARTICLE).map(|part| part.join(gap));
        let articles: Vec<RawArticle> =
            texts.enumerate().map(|(number, text)| from_text(&number.to_string(), &text)).collect();
        let words: usize =
            articles.iter().map(|article| count_words(&article.text, self.language)).sum();
        let (begun, done) = (Instant::now(), Mutex::new(0.0));
        let progress = |progress| {
            // As the job itself reckons what is left.
            let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
            let share = match progress {
                Progress::Translating(part, all) => 0.8 * share(part, all),
                Progress::TryingAgain(..) => 0.8,
                Progress::Summarizing(part, all) => 0.85 + 0.15 * share(part, all),
            };
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done = share.max(*done);
            (*done == 0.0 || Instant::now() < self.latest) && !self.cancel.is_cancelled()
        };
        let articles = articles.into_iter().map(Ok).collect();
        let key = |source: &Source| source.sha256.clone();
        let silent = &|_: Event<'_>| {};
        let run = self
            .models
            .with(silent, |models| pipeline::run(articles, &self.job, models, &key, &progress));
        let (share, is_whole) = match run {
            Ok(records) if records.iter().any(|record| record.status == Status::Ok) => (1.0, true),
            Ok(_) => (0.0, true),
            Err(Error::Interrupted) if !self.cancel.is_cancelled() => {
                (done.into_inner().unwrap_or_else(PoisonError::into_inner), false)
            }
            Err(error) => return Err(error),
        };
        let (words, seconds) = (words as f64 * share, begun.elapsed().as_secs_f64());
        let is_telling = words >= 1.0 && seconds > 0.0;
        Ok(is_telling.then_some((Measured { words, seconds, is_own: true }, is_whole)))
    }
}
