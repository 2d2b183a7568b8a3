//! What long work tells about itself while it goes on.

use crate::pipeline::Progress;
use crate::types::Record;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Something that happened. Whoever starts long work may listen: a program that shows a bar, a
/// server that sends it on. Events come from any thread, one at a time for each piece of work.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A file that was met and is not read.
    Skipped {
        /// The file.
        path: &'a Path,
        /// Why, as a phrase that follows the path.
        reason: &'a str,
    },
    /// Something that a user should read, and that is no error: a licence, a source that failed,
    /// the device that was chosen.
    Note(&'a str),
    /// Something that a user should look into: an odd model file, an article that failed.
    Warning(&'a str),
    /// The download of a file begins.
    FetchStarted {
        /// The file.
        what: &'a str,
        /// Its size in bytes.
        total: u64,
    },
    /// Bytes of that file that are there; fewer than before when a source has to begin again.
    Fetched(u64),
    /// The download has ended, well or not.
    FetchFinished,
    /// A model is being loaded.
    Loading(&'a str),
    /// The model is loaded, or could not be.
    Loaded,
    /// A group of articles is in the models.
    Working {
        /// Numbers of its articles among those of the job, from 1; `None` outside of a job.
        articles: Option<RangeInclusive<usize>>,
        /// What is being done, and how much of it is done.
        progress: Progress,
    },
    /// A group of articles is finished, or was given up.
    Worked,
    /// How far a job is.
    Progress(&'a JobProgress),
    /// An article is finished: its file and its record are written.
    Finished(&'a Record),
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JobProgress {
    /// Articles that are finished in this run.
    pub articles: usize,
    /// Articles that are to be done in this run; `None` where they come through a pipe.
    pub of: Option<usize>,
    /// Of those finished, articles that failed.
    pub failed: usize,
    /// Of those finished, articles with something that a check complains of.
    pub doubtful: usize,
    /// Sentences that were translated.
    pub sentences: usize,
    /// The part of the work that is done, from 0 to 1, by the bytes of the texts.
    pub share: Option<f64>,
    /// The time since the work began.
    pub elapsed: Duration,
    /// About the time until it is done; `None` as long as nobody knows.
    pub left: Option<Duration>,
}

/// Listens to [`Event`]s.
pub type OnEvent<'a> = &'a (dyn Fn(Event<'_>) + Send + Sync);
