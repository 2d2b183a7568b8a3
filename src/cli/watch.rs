//! `polygist batch --watch`: runs again whenever files come or change.

use super::args::Batch;
use super::batch::{batch_options, run_once};
use super::plan::Environment;
use crate::error::{Error, Result};
use crate::job::BatchJob;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the files, at least.
const PAUSE: Duration = Duration::from_secs(1);
/// Looks that must find the files alike before they are read: some are still being written.
const QUIET: u32 = 2;
/// Of a large folder a look takes time. It gets at most one part of so many.
const SHARE: u32 = 20;
/// Between two looks at whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// Runs the job, and again whenever its files have changed and stayed as they are for a moment,
/// until the user stops it.
///
/// # Errors
/// What stops the first run; later, what stops all of them, as a disk that is full.
/// [`Error::Interrupted`] when the user does.
pub(super) fn watch(env: &Environment, args: &Batch) -> Result<u8> {
    if args.inputs.iter().any(|input| input == Path::new("-")) {
        return Err(Error::Usage("--watch is for files and folders; expected one, found -".into()));
    }
    let mut options = batch_options(env, args)?;
    let mut job = BatchJob::new(options.clone())?;
    // What `--force` does again is done again once.
    options.force = false;
    loop {
        let stamp = job.stamp();
        run_once(env, args, &job)?;
        env.reporter.say("waiting for new articles; Ctrl-C ends it");
        job = changed(env, stamp, || BatchJob::new(options.clone()))?;
    }
}

/// The job over files that differ from those of the stamp, once they are quiet.
fn changed(env: &Environment, stamp: u64, job: impl Fn() -> Result<BatchJob>) -> Result<BatchJob> {
    let (mut seen, mut quiet, mut was_lost) = (stamp, 0, false);
    let mut pause = PAUSE;
    loop {
        wait(env, pause)?;
        let begun = Instant::now();
        match job() {
            Ok(job) => {
                was_lost = false;
                let now = job.stamp();
                quiet = if now == seen { quiet + 1 } else { 0 };
                seen = now;
                if now != stamp && quiet >= QUIET {
                    return Ok(job);
                }
            }
            // A folder of another machine may be away for a while.
            Err(error) => {
                if !was_lost {
                    env.reporter.warn(&format!("{error}; waiting until it is back"));
                }
                was_lost = true;
            }
        }
        pause = PAUSE.max(begun.elapsed() * SHARE);
    }
}

fn wait(env: &Environment, pause: Duration) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < pause {
        env.cancel.check()?;
        thread::sleep(TICK);
    }
    Ok(())
}
