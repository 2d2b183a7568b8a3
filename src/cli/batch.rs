//! `polygist batch`: a folder of articles as a job that can be stopped, resumed and repeated.

use super::args::{Batch, TaskArg};
use super::explain;
use super::plan::{self, Environment};
use super::progress::time;
use super::{DONE, SOME_FAILED};
use crate::error::Result;
use crate::io::articles::{ReadOptions, usual_extensions};
use crate::job::{BatchJob, BatchOptions, BatchOutcome, Bilingual};
use crate::report;
use std::time::Instant;

pub(super) fn run(env: &Environment, args: &Batch) -> Result<u8> {
    let batch = BatchJob::new(batch_options(env, args)?)?;
    if args.dry_run { explain::explain(env, &batch) } else { run_once(env, args, &batch) }
}

/// What the arguments say of the job.
pub(super) fn batch_options(env: &Environment, args: &Batch) -> Result<BatchOptions> {
    let has = |task| args.tasks.contains(&task);
    let translating = &args.translating;
    let translators = env.translators(&translating.model, env.preferences(translating)?)?;
    let to = env.target(args.to.first(), &translators)?;
    let further = args.to.iter().skip(1).map(|to| env.target(Some(to), &translators));
    let further = further.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let summarizing = has(TaskArg::Summarize).then_some(&args.summarizing);
    let mut job = plan::job(env, translating, to, has(TaskArg::Translate), summarizing)?;
    job.segments = !args.no_segments;
    let models = env.job_models(translators, translating, &args.summarizing);
    Ok(BatchOptions {
        inputs: args.inputs.clone(),
        out: args.out.clone(),
        pattern: args.reading.pattern.clone(),
        shard: args.shard,
        limit: args.reading.limit,
        reading: ReadOptions { rows: true, ..plan::read_options(&args.reading) },
        job,
        further,
        models,
        runtime: env.runtime.clone(),
        group: args.jobs.into(),
        timeout: args.timeout,
        strict: args.strict,
        force: args.force,
        retry_failed: args.retry_failed,
        memory: !args.no_memory,
        memories: args.beside.tm.clone(),
        write_tm: args.beside.write_tm.clone(),
        bilingual: args.beside.bilingual.map(Bilingual::from),
    })
}

/// Runs the job, and says how it ended.
pub(super) fn run_once(env: &Environment, args: &Batch, batch: &BatchJob) -> Result<u8> {
    let begun = Instant::now();
    let outcome = batch.run(&env.models, &env.cancel, &env.listener())?;
    env.reporter.say(&format!(
        "{}; {}{}; see {}",
        conclusion(args, &outcome),
        if outcome.to_check > 0 {
            format!("{} to check; ", outcome.to_check)
        } else {
            String::new()
        },
        time(begun.elapsed()),
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
        (outcome.left, "left alone, since --retry-failed does what had failed"),
    ];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let known = (outcome.known_sentences > 0).then(|| {
        let (known, all) = (outcome.known_sentences, outcome.sentences);
        let (known, all) = (report::number(known), report::number(all));
        format!("; {known} of {all} sentences were translated before")
    });
    let nothing = (outcome.done + outcome.failed == 0).then(|| "nothing to do".to_string());
    let counts = nothing.into_iter().chain(counts).collect::<Vec<_>>().join(", ");
    counts + &known.unwrap_or_default()
}
