//! How far a group of articles has come.

use crate::task::translate::Step;

/// The stage of a group and how much of it is done; for progress bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// First attempts made at the sentences of the group, of all.
    Translating(usize, usize),
    /// Attempts made at those that the checks rejected, of all in this round.
    TryingAgain(usize, usize),
    /// Requests for summaries answered, of all.
    Summarizing(usize, usize),
}

impl Progress {
    /// The name of the stage, how much of it is done, and how much there is.
    pub fn parts(self) -> (&'static str, usize, usize) {
        match self {
            Progress::Translating(done, all) => ("translating", done, all),
            Progress::TryingAgain(done, all) => ("trying doubtful sentences again", done, all),
            Progress::Summarizing(done, all) => ("summarizing", done, all),
        }
    }
}

impl From<Step> for Progress {
    fn from(step: Step) -> Progress {
        match step {
            Step::First(done, all) => Progress::Translating(done, all),
            Step::Again(done, all) => Progress::TryingAgain(done, all),
        }
    }
}
