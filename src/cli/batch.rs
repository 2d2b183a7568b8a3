//! `polygist batch`: a folder of articles as a job that can be stopped, resumed and repeated.

use super::args::{Batch, TaskArg};
use super::output::print;
use super::plan::{self, Environment};
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::io::articles::usual_extensions;
use crate::io::fetch::Lookup;
use crate::io::layout;
use crate::job::{BatchJob, BatchOptions, BatchOutcome, PreviewedArticle};
use crate::model_store::ModelNames;

pub(super) fn run(env: &Environment, args: &Batch) -> Result<u8> {
    let has = |task| args.tasks.contains(&task);
    let to = env.target(args.to.as_ref(), &args.translating.model)?;
    let summarizing = has(TaskArg::Summarize).then_some(&args.summarizing);
    let job = plan::job(env, &args.translating, to, has(TaskArg::Translate), summarizing);
    let models = env.model_names(
        &job,
        &args.translating.model,
        args.summarizing.summary_model.as_deref(),
        args.summarizing.extractive,
        args.translating.adapter.as_deref(),
    )?;
    let batch = BatchJob::new(BatchOptions {
        inputs: args.inputs.clone(),
        out: args.out.clone(),
        pattern: args.reading.pattern.clone(),
        limit: args.reading.limit,
        reading: plan::read_options(&args.reading),
        job,
        models: Some(models.clone()),
        runtime: env.runtime.clone(),
        group: args.jobs.into(),
        strict: args.strict,
        force: args.force,
        retry_failed: args.retry_failed,
    })?;
    if args.dry_run {
        return explain(env, &batch, &models);
    }
    let outcome = batch.run(&env.models, &env.cancel, &env.listener())?;
    env.reporter.say(&format!(
        "{}; see {}",
        conclusion(args, &outcome),
        args.out.join("report.html").display()
    ));
    Ok(if outcome.has_failures() { SOME_FAILED } else { DONE })
}

/// What became of the articles, in a line.
fn conclusion(args: &Batch, outcome: &BatchOutcome) -> String {
    if outcome.total() == 0 {
        let places: Vec<String> = args.inputs.iter().map(|p| p.display().to_string()).collect();
        let pattern = args.reading.pattern.as_ref();
        let matching = pattern.map_or(String::new(), |pattern| format!(" that match {pattern}"));
        return format!("no articles{matching} in {} ({})", places.join(", "), usual_extensions());
    }
    let counts = [
        (outcome.done, "done"),
        (outcome.failed, "failed"),
        (outcome.done_before, "done before"),
        (outcome.failed_before, "failed before (--retry-failed tries them again)"),
    ];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let nothing = (outcome.done + outcome.failed == 0).then(|| "nothing to do".to_string());
    nothing.into_iter().chain(counts).collect::<Vec<_>>().join(", ")
}

/// `--dry-run`: what would be read, in which languages, with which models, what is missing, what
/// would collide.
fn explain(env: &Environment, batch: &BatchJob, models: &ModelNames) -> Result<u8> {
    let say = |line: String| print(&(line + "\n"));
    say(format!("{:<48} {:<9} {:<6} OUTPUT", "ARTICLE", "FORMAT", "LANG"))?;
    let preview = batch.preview(&env.cancel, &mut |PreviewedArticle { id, read }| match read {
        Ok((format, lang, output)) => {
            let format = format!("{format:?}").to_lowercase();
            say(format!("{id:<48} {format:<9} {:<6} {output}", lang.as_str()))
        }
        Err(error) => say(format!("{id:<48} unreadable: {error}")),
    })?;
    let counts: Vec<String> =
        preview.languages.iter().map(|(lang, n)| format!("{n} {lang}")).collect();
    let counts = if counts.is_empty() { "none".into() } else { counts.join(", ") };
    say(format!("\nlanguages: {counts}"))?;
    let translators = models.translators.iter().map(|name| ("translation", name));
    for (task, name) in translators.chain(models.summarizer.iter().map(|name| ("summaries", name)))
    {
        say(format!("{task}: {name}, {}", state(env.models.lookup(name)?)))?;
    }
    if let Some(folder) = &models.adapter {
        layout::adapter(folder).map_err(|why| Error::model(folder.display().to_string(), why))?;
        say(format!("adapter: {}", folder.display()))?;
    }
    for skipped in &preview.skipped {
        say(format!("skipped: {}: {}", skipped.path.display(), skipped.reason))?;
    }
    say(match preview.clashes {
        0 => "output names: no two collide".into(),
        n => format!("output names: {n} would collide; a hash keeps them apart"),
    })?;
    Ok(if preview.unreadable > 0 { SOME_FAILED } else { DONE })
}

/// Whether a model is there, in words.
fn state(lookup: Lookup) -> String {
    match lookup {
        Lookup::Ready(model) => format!("installed in {}", model.folder.display()),
        Lookup::Missing(wanted) => {
            let size = wanted.size();
            let size = size.map_or(String::new(), |n| format!(", {:.0} MB", n as f64 / 1e6));
            format!("missing; will be fetched{size} (`{}`)", wanted.command())
        }
    }
}
