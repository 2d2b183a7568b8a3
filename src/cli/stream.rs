//! `polygist stream`: JSON lines in, records out, with models that are loaded once.

use super::args::{Stream, TaskArg};
use super::output::print;
use super::plan::{self, Environment};
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::job::{Order, StreamOptions, stream};
use std::io::BufReader;

/// Bytes that are read, and written, at once.
const BUFFER: usize = 64 << 10;
/// Groups in the works at once: one is read, one in the models, one written.
const GROUPS: usize = 3;

pub(super) fn run(env: &Environment, args: &Stream) -> Result<u8> {
    let has = |task| args.tasks.contains(&task);
    let translating = &args.translating;
    let translators = env.translators(&translating.model, env.preferences(translating)?)?;
    let to = env.target(args.to.as_ref(), &translators)?;
    let summarizing = has(TaskArg::Summarize).then_some(&args.summarizing);
    let job = plan::job(env, translating, to, has(TaskArg::Translate), summarizing)?;
    if job.to.is_none() && job.summary.is_none() {
        return Err(Error::Usage("into which language? Say it with --to, as --to en".into()));
    }
    let models = env.job_models(translators, translating, &args.summarizing);
    let models = env.open(&job, models)?;
    let options = StreamOptions {
        job,
        reading: plan::read_options(&args.reading),
        group: args.jobs.into(),
        groups: GROUPS,
        order: if args.unordered { Order::AsDone } else { Order::AsTaken },
    };
    // A bar for each group would say nothing of a stream; what is odd is said.
    let listener = |event: Event<'_>| match event {
        Event::Working { .. } | Event::Worked => {}
        event => env.reporter.event(&event),
    };
    let input = BufReader::with_capacity(BUFFER, std::io::stdin());
    let outcome = stream(input, &options, &models, &env.cancel, &listener, |lines| {
        print(&lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>())
    })?;
    env.reporter.say(&format!("{} done, {} failed", outcome.done, outcome.failed));
    Ok(if outcome.failed > 0 { SOME_FAILED } else { DONE })
}
