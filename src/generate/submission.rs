//! A request as it is submitted: whose it is, what cancels it, whether its text streams.

use super::Request;
use crate::cancel::CancelToken;
use crate::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

/// One of those who submit requests, in the engine's order: its workers take a request of each
/// caller in turn, so that one with very many does not keep the others waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller(u64);

impl Caller {
    /// A new caller: a connection of a server, say, or a user.
    #[allow(clippy::new_without_default)] // two of them are never equal
    pub fn new() -> Caller {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Caller(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The caller that this thread is where nothing else is said.
    pub fn of_thread() -> Caller {
        thread_local!(static CALLER: Caller = Caller::new());
        CALLER.with(|caller| *caller)
    }
}

/// A request, and how the engine is to treat it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Submission {
    /// The text to continue.
    pub request: Request,
    /// Cancels the request, as [`Handle::cancel`](super::Handle::cancel) does. Many requests may
    /// have the same token.
    pub cancel: CancelToken,
    /// Whose request it is; [`Caller::of_thread`] by itself.
    pub caller: Caller,
    /// Whether [`Handle::next_text`](super::Handle::next_text) gives the text as it is written.
    pub stream: bool,
}

impl Submission {
    /// A request of this thread.
    pub fn new(request: Request) -> Submission {
        Submission {
            request,
            cancel: CancelToken::new(),
            caller: Caller::of_thread(),
            stream: false,
        }
    }

    /// The same, cancelled by this token.
    pub fn with_cancel(self, cancel: CancelToken) -> Submission {
        Submission { cancel, ..self }
    }

    /// The same, of another caller.
    pub fn with_caller(self, caller: Caller) -> Submission {
        Submission { caller, ..self }
    }

    /// The same, streaming its text.
    pub fn streaming(self) -> Submission {
        Submission { stream: true, ..self }
    }
}

impl From<Request> for Submission {
    fn from(request: Request) -> Submission {
        Submission::new(request)
    }
}

/// Why [`super::Engine::try_submit`] has not taken a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrySubmitError {
    /// The queue is full; here is the submission back.
    #[error("the engine's queue is full; submit the request again later")]
    Full(Box<Submission>),
    /// The request cannot be run, now or later.
    #[error(transparent)]
    Rejected(#[from] Error),
}
