//! `polygist batch --dry-run`: what a job would do.

use super::output::print;
use super::plan::Environment;
use super::{DONE, SOME_FAILED};
use crate::bench;
use crate::error::{Error, Result};
use crate::io::fetch::Lookup;
use crate::io::layout;
use crate::job::{BatchJob, Preview, PreviewedArticle};
use crate::model::DeviceChoice;
use crate::model_store::{Chooser, ModelNames, Translators};
use crate::route::{Availability, REFERENCE_GOPS, Step, words_per_second};
use crate::types::Lang;
use std::collections::BTreeMap;

/// Says what would be read, in which languages, with which models, what is missing, what would
/// collide.
pub(super) fn explain(env: &Environment, batch: &BatchJob) -> Result<u8> {
    say(format!("{:<48} {:<9} {:<6} OUTPUT", "ARTICLE", "FORMAT", "LANG"))?;
    let preview = batch.preview(&env.cancel, &mut |PreviewedArticle { id, read }| match read {
        Ok((format, lang, output)) => {
            let format = format!("{format:?}").to_lowercase();
            say(format!("{id:<48} {format:<9} {:<6} {output}", lang.as_str()))
        }
        Err(error) => say(format!("{id:<48} unreadable: {error}")),
    })?;
    let counts: Vec<String> =
        preview.languages.iter().map(|(lang, read)| format!("{} {lang}", read.articles)).collect();
    let counts = if counts.is_empty() { "none".into() } else { counts.join(", ") };
    say(format!("\nlanguages: {counts}"))?;
    let mut has_all = true;
    for job in batch.jobs() {
        let names = batch.models_for(&job, &env.models)?;
        has_all &= models(env, &names, &preview, job.to.as_ref())?;
    }
    for skipped in &preview.skipped {
        say(format!("skipped: {}: {}", skipped.path.display(), skipped.reason))?;
    }
    say(match preview.clashes {
        0 => "output names: no two collide".into(),
        n => format!("output names: {n} would collide; a hash keeps them apart"),
    })?;
    Ok(if preview.unreadable > 0 || !has_all { SOME_FAILED } else { DONE })
}

fn say(line: String) -> Result<()> {
    print(&(line + "\n"))
}

/// Says which models there would be; whether each pair of languages has one.
fn models(
    env: &Environment,
    names: &ModelNames,
    preview: &Preview,
    to: Option<&Lang>,
) -> Result<bool> {
    let mut has_all = true;
    match (&names.translators, to) {
        (Some(Translators::Named(names)), _) => {
            for name in names {
                say(format!("translation: {name}, {}", state(env, env.models.lookup(name)?)))?;
            }
        }
        (Some(Translators::Auto(preferences)), Some(to)) => {
            let chooser = Chooser::new(&env.models, preferences, &env.cancel)?;
            has_all = Plan { chooser: &chooser, to, cores: cores(env) }.tell(preview)?;
        }
        _ => {}
    }
    if let Some(name) = &names.summarizer {
        say(format!("summaries: {name}, {}", state(env, env.models.lookup(name)?)))?;
    }
    if let Some(name) = &names.encoder {
        let state = state(env, env.models.lookup(name)?);
        say(format!("ranking of sentences: {name}, {state}"))?;
    }
    if let Some(folder) = &names.adapter {
        layout::adapter(folder).map_err(|why| Error::model(folder.display().to_string(), why))?;
        say(format!("adapter: {}", folder.display()))?;
    }
    Ok(has_all)
}

/// Whether a model is there, in words.
fn state(env: &Environment, lookup: Lookup) -> String {
    match lookup {
        Lookup::Ready(model) => format!("installed in {}", model.folder.display()),
        Lookup::Missing(wanted) => {
            let size = wanted.size();
            let size = size.map_or(String::new(), |n| format!(", {}", megabytes(n)));
            let fate = if env.models.is_offline() {
                "missing, and nothing is fetched with --offline"
            } else {
                "missing; will be fetched"
            };
            format!("{fate}{size} (`{}`)", wanted.command())
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// What would be chosen for each pair of languages.
struct Plan<'a> {
    chooser: &'a Chooser,
    to: &'a Lang,
    /// See [`cores`].
    cores: Option<f64>,
}

/// The cores that the job would have as things are, in those of [`words_per_second`]; `None` where
/// a GPU computes, of which nothing was measured.
fn cores(env: &Environment) -> Option<f64> {
    let is_cpu = match env.runtime.device {
        DeviceChoice::Cpu => true,
        DeviceChoice::Auto => !cfg!(any(feature = "cuda", feature = "metal")),
        _ => false,
    };
    let here = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = env.runtime.threads.unwrap_or(here).clamp(1, here);
    is_cpu.then(|| bench::available(threads) / REFERENCE_GOPS)
}

impl Plan<'_> {
    /// Says it, with what there is to fetch and about how long it takes; whether each pair has a
    /// model.
    fn tell(&self, preview: &Preview) -> Result<bool> {
        let (mut has_all, mut seconds, mut words) = (true, Some(0.0), 0);
        let mut to_fetch: BTreeMap<usize, u64> = BTreeMap::new();
        for (from, read) in &preview.languages {
            if from.same_base(self.to) {
                continue;
            }
            let steps = self.chooser.plan(from, self.to)?.unwrap_or_default();
            has_all &= !steps.is_empty();
            words += read.words;
            let mut told = Vec::new();
            for step in &steps {
                has_all &= !self.chooser.is_out_of_reach(step)?;
                let (model, missing) = self.step(step)?;
                told.push(model);
                to_fetch.extend(missing.map(|size| (step.number, size)));
                seconds = seconds.zip(self.seconds(step, read.words)).map(|(all, one)| all + one);
            }
            let pair = format!("{from} → {}", self.to);
            let told = if told.is_empty() { "no model".into() } else { told.join(", then ") };
            let noun = if read.articles == 1 { "article" } else { "articles" };
            say(format!("translation: {pair:<10} {:>4} {noun}: {told}", read.articles))?;
        }
        if !to_fetch.is_empty() {
            say(format!("to fetch: {} for translation", megabytes(to_fetch.values().sum())))?;
        }
        if words > 0
            && let Some(seconds) = seconds
        {
            say(format!(
                "time: about {} for {words} words to translate, as busy as this machine is now",
                duration(seconds)
            ))?;
        }
        Ok(has_all)
    }

    /// A step in words, and the bytes that are still to be fetched for it.
    fn step(&self, step: &Step) -> Result<(String, Option<u64>)> {
        let id = &self.chooser.entry(step).id;
        let (state, missing) = match self.chooser.availability(step)? {
            Availability::Fetchable(_) if self.chooser.is_out_of_reach(step)? => {
                ("missing, and nothing is fetched with --offline".to_string(), None)
            }
            Availability::Fetchable(size) => (format!("{} to fetch", megabytes(size)), Some(size)),
            _ => ("installed".to_string(), None),
        };
        Ok((format!("{id} ({state}; {})", step.why), missing))
    }

    /// About how long a step takes, where that is known.
    fn seconds(&self, step: &Step, words: usize) -> Option<f64> {
        let preset = self.chooser.preferences().preset;
        let speed = words_per_second(self.chooser.entry(step), preset)?;
        Some(words as f64 / speed / self.cores.filter(|cores| *cores > 0.0)?)
    }
}

/// A duration as one speaks of it.
fn duration(seconds: f64) -> String {
    match seconds {
        ..1.0 => "a second".into(),
        ..120.0 => format!("{seconds:.0} seconds"),
        ..7200.0 => format!("{:.0} minutes", seconds / 60.0),
        _ => format!("{:.0} hours", seconds / 3600.0),
    }
}
