//! `polygist batch --dry-run`: what a job would do.

use super::models::megabytes;
use super::output::print;
use super::plan::Environment;
use super::{DONE, SOME_FAILED};
use crate::bench;
use crate::error::{Error, Result};
use crate::io::fetch::Lookup;
use crate::io::layout;
use crate::job::{BatchJob, Planned, Preview, PreviewedArticle, Why, measure};
use crate::model::DeviceChoice;
use crate::model_store::{Chooser, ModelNames, Translators};
use crate::pipeline::Job;
use crate::report::counted;
use crate::route::{Availability, REFERENCE_GOPS, Step, words_per_second};
use crate::types::Lang;
use std::collections::BTreeMap;
use std::time::Duration;

/// For how long all languages together are measured, about, models' opening included.
const MEASURING: Duration = Duration::from_secs(6);

/// Says what would be read, what of it is done, in which languages it is, with which models it
/// would be done, what is missing, how long it takes, what would collide.
pub(super) fn explain(env: &Environment, batch: &BatchJob) -> Result<u8> {
    say(format!("{:<48} {:<9} {:<6} {:<8} OUTPUT", "ARTICLE", "FORMAT", "LANG", "STATE"))?;
    let mut each = |PreviewedArticle { id, read, why }| match read {
        Ok((format, lang, output)) => {
            let format = format!("{format:?}").to_lowercase();
            let state = state_of(why);
            say(format!("{id:<48} {format:<9} {:<6} {state:<8} {output}", lang.as_str()))
        }
        Err(error) => say(format!("{id:<48} unreadable: {error}")),
    };
    let preview = batch.preview(&env.models, &env.cancel, &mut each)?;
    let counts: Vec<String> =
        preview.languages.iter().map(|(lang, read)| format!("{} {lang}", read.articles)).collect();
    let counts = if counts.is_empty() { "none".into() } else { counts.join(", ") };
    say(format!("\nlanguages: {counts}"))?;
    let all: usize = preview.languages.values().map(|read| read.articles).sum();
    say(format!(
        "articles: {}, {:.1} MB",
        counted(all + preview.unreadable, "article"),
        preview.bytes as f64 / 1e6
    ))?;
    let mut has_all = true;
    let jobs = batch.jobs();
    for (job, planned) in jobs.iter().zip(&preview.planned) {
        let into = job.to.as_ref().filter(|_| jobs.len() > 1);
        let into = into.map_or(String::new(), |to| format!(" into {to}"));
        say(format!("to do{into}: {}", in_words(planned)))?;
        let names = batch.models_for(job, &env.models)?;
        let mut plan = Plan { env, job, names: &names, chooser: None };
        has_all &= plan.tell_models(&preview)?;
        plan.tell_time(batch, planned)?;
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

/// What an article is, in a word.
fn state_of(why: Option<Why>) -> &'static str {
    match why {
        None => "done",
        Some(Why::New) => "new",
        Some(Why::Changed) => "changed",
        Some(Why::Settings) => "settings",
        Some(Why::Gone) => "gone",
        Some(Why::Failed) => "failed",
        Some(Why::Forced) => "again",
    }
}

/// What there is to do, in words.
fn in_words(planned: &Planned) -> String {
    let to_do: usize = planned.to_do.values().sum();
    let reasons: Vec<String> =
        planned.to_do.iter().map(|(why, count)| format!("{count} {}", why.words())).collect();
    let others = [
        (planned.done, "done before"),
        (planned.failed, "failed before, which --retry-failed tries again"),
        (planned.left, "left alone, since --retry-failed does what had failed"),
    ];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let mut parts = vec![match to_do {
        0 => "nothing".to_string(),
        _ => format!("{} ({})", counted(to_do, "article"), reasons.join(", ")),
    }];
    parts.extend(others.map(|(count, what)| format!("{count} {what}")));
    if planned.lacks_models && planned.done > 0 {
        parts.push("as far as their bytes tell, for models are still to be fetched".into());
    }
    parts.join("; ")
}

fn say(line: String) -> Result<()> {
    print(&(line + "\n"))
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

/// What a job for one language would be done with.
struct Plan<'a> {
    env: &'a Environment,
    job: &'a Job,
    names: &'a ModelNames,
    /// What chooses models for pairs of languages, where that is left to the program.
    chooser: Option<Chooser>,
}

impl Plan<'_> {
    /// Says which models there would be, and what there is to fetch; whether each pair of languages
    /// has one.
    fn tell_models(&mut self, preview: &Preview) -> Result<bool> {
        let env = self.env;
        let mut has_all = true;
        match (&self.names.translators, &self.job.to) {
            (Some(Translators::Named(names)), _) => {
                for name in names {
                    say(format!("translation: {name}, {}", state(env, env.models.lookup(name)?)))?;
                }
            }
            (Some(Translators::Auto(preferences)), Some(to)) => {
                let chooser = Chooser::new(&env.models, preferences, &env.cancel)?;
                self.chooser = Some(chooser);
                has_all = self.tell_pairs(to, preview)?;
            }
            _ => {}
        }
        if let Some(name) = &self.names.summarizer {
            say(format!("summaries: {name}, {}", state(env, env.models.lookup(name)?)))?;
        }
        if let Some(name) = &self.names.encoder {
            let state = state(env, env.models.lookup(name)?);
            say(format!("ranking of sentences: {name}, {state}"))?;
        }
        if let Some(folder) = &self.names.adapter {
            layout::adapter(folder)
                .map_err(|why| Error::model(folder.display().to_string(), why))?;
            say(format!("adapter: {}", folder.display()))?;
        }
        Ok(has_all)
    }

    /// The same where each pair of languages has models of its own.
    fn tell_pairs(&self, to: &Lang, preview: &Preview) -> Result<bool> {
        let Some(chooser) = &self.chooser else { return Ok(true) };
        let mut has_all = true;
        let mut to_fetch: BTreeMap<usize, u64> = BTreeMap::new();
        for (from, read) in preview.languages.iter().filter(|(from, _)| !from.same_base(to)) {
            let steps = chooser.plan(from, to)?.unwrap_or_default();
            has_all &= !steps.is_empty();
            let mut told = Vec::new();
            for step in &steps {
                has_all &= !chooser.is_out_of_reach(step)?;
                let (model, missing) = in_a_step(chooser, step)?;
                told.push(model);
                to_fetch.extend(missing.map(|size| (step.number, size)));
            }
            let pair = format!("{from} → {to}");
            let told = if told.is_empty() { "no model".into() } else { told.join(", then ") };
            let noun = if read.articles == 1 { "article" } else { "articles" };
            say(format!("translation: {pair:<10} {:>4} {noun}: {told}", read.articles))?;
        }
        if !to_fetch.is_empty() {
            say(format!("to fetch: {} for translation", megabytes(to_fetch.values().sum())))?;
        }
        Ok(has_all)
    }

    /// Says about how long it takes, and how that was reckoned.
    fn tell_time(&self, batch: &BatchJob, planned: &Planned) -> Result<()> {
        let Environment { models, cancel, .. } = self.env;
        let is_work = |from: &Lang| self.job.to.as_ref().is_none_or(|to| !from.same_base(to));
        let to_do = || planned.languages.iter().filter(|(from, _)| is_work(from));
        let words: usize = to_do().map(|(_, volume)| volume.words).sum();
        if words == 0 {
            return Ok(());
        }
        let measured = measure(batch, self.job, models, planned, MEASURING, cancel)?;
        let cores = cores(self.env).filter(|cores| *cores > 0.0);
        let (mut seconds, mut reckoned, mut unknown) = (0.0, 0, 0);
        for (from, volume) in to_do() {
            match (measured.get(from), self.usual_seconds(from, volume.words)?.zip(cores)) {
                (Some(found), _) => seconds += volume.words as f64 * found.seconds / found.words,
                (None, Some((usual, cores))) => {
                    seconds += usual / cores;
                    reckoned += volume.words;
                }
                (None, None) => unknown += volume.words,
            }
        }
        if unknown == words {
            return say(
                "time: not known; the models are not here, or too slow to be tried now".into()
            );
        }
        let tried = measured.values().filter(|one| one.is_own);
        let (tried_words, tried_seconds) = tried
            .fold((0.0, 0.0), |(words, seconds), one| (words + one.words, seconds + one.seconds));
        let mut how = Vec::new();
        if tried_seconds > 0.0 {
            how.push(format!("tried on {tried_words:.0} words of them for {tried_seconds:.1} s"));
        }
        if reckoned > 0 {
            let of = if reckoned == words { String::new() } else { format!(" {reckoned} words") };
            how.push(format!("reckoned{of} from what such models do on one core"));
        }
        if unknown > 0 {
            how.push(format!("of {unknown} words more nothing is known"));
        }
        let task = if self.job.to.is_some() { "translate" } else { "summarize" };
        say(format!(
            "time: about {} for {} words to {task}, as busy as this machine is now ({})",
            duration(seconds),
            words - unknown,
            how.join("; ")
        ))
    }

    /// About how long words of a language take on one core of those of [`words_per_second`], where
    /// that is known.
    fn usual_seconds(&self, from: &Lang, words: usize) -> Result<Option<f64>> {
        let (Some(chooser), Some(to)) = (&self.chooser, &self.job.to) else { return Ok(None) };
        let preset = chooser.preferences().preset;
        let speed = |step: &Step| words_per_second(chooser.entry(step), preset);
        let steps = chooser.plan(from, to)?.unwrap_or_default();
        let of_step = |step: &Step| speed(step).map(|speed| words as f64 / speed);
        Ok(steps.iter().map(of_step).sum::<Option<f64>>().filter(|_| !steps.is_empty()))
    }
}

/// A step in words, and the bytes that are still to be fetched for it.
fn in_a_step(chooser: &Chooser, step: &Step) -> Result<(String, Option<u64>)> {
    let id = &chooser.entry(step).id;
    let (state, missing) = match chooser.availability(step)? {
        Availability::Fetchable(_) if chooser.is_out_of_reach(step)? => {
            ("missing, and nothing is fetched with --offline".to_string(), None)
        }
        Availability::Fetchable(size) => (format!("{} to fetch", megabytes(size)), Some(size)),
        _ => ("installed".to_string(), None),
    };
    Ok((format!("{id} ({state}; {})", step.why), missing))
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
