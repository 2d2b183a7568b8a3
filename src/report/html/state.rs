//! The state that an article is shown in.

use crate::report::words;
use crate::types::{Record, Status};

/// State of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Not processed.
    Failed,
    /// With something that a reader should look at twice.
    Doubt,
    /// No check complained of it: which does not say that nothing is wrong with it.
    Passed,
}

impl State {
    pub(super) fn of(record: &Record) -> State {
        match record.status {
            Status::Failed => State::Failed,
            Status::Ok if words::is_doubtful(record) => State::Doubt,
            Status::Ok => State::Passed,
        }
    }

    /// Its name in the page and in the page's address.
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Failed => "failed",
            State::Doubt => "doubt",
            State::Passed => "passed",
        }
    }

    /// Its name for people.
    pub(super) fn label(self) -> &'static str {
        match self {
            State::Failed => "Failed",
            State::Doubt => "To check",
            State::Passed => "No check complained",
        }
    }
}
