//! One request on its way through an engine: how it is submitted, and the handle to its output.

use super::scheduler::Scheduler;
use super::{Output, Request};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};

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
    /// Cancels the request, as [`Handle::cancel`] does. Many requests may have the same token.
    pub cancel: CancelToken,
    /// Whose request it is; [`Caller::of_thread`] by itself.
    pub caller: Caller,
    /// Whether [`Handle::next_text`] gives the text as it is written.
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

/// What a worker tells about a request.
pub(super) enum Event {
    /// More of its text.
    Text(String),
    /// Its end.
    Finished(Result<Output>),
}

/// The worker's end of the way back to whoever waits for a request. One that is dropped has
/// interrupted the request.
pub(super) struct Reply {
    number: usize,
    events: Sender<(usize, Event)>,
    cancel: CancelToken,
    /// Cancelled when nobody waits any longer.
    abandoned: CancelToken,
    /// Whether the text is wanted as it is written.
    pub streams: bool,
    is_open: bool,
}

impl Reply {
    /// `number` is the request's among those that share the channel.
    pub(super) fn new(
        number: usize,
        events: Sender<(usize, Event)>,
        cancel: CancelToken,
        abandoned: CancelToken,
        streams: bool,
    ) -> Reply {
        Reply { number, events, cancel, abandoned, streams, is_open: true }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() || self.abandoned.is_cancelled()
    }

    pub(super) fn text(&self, text: String) {
        self.send(Event::Text(text));
    }

    pub(super) fn finish(mut self, result: Result<Output>) {
        self.is_open = false;
        self.send(Event::Finished(result));
    }

    fn send(&self, event: Event) {
        // Nobody may be listening any longer.
        let _ = self.events.send((self.number, event));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.is_open {
            self.send(Event::Finished(Err(Error::Interrupted)));
        }
    }
}

/// The output of a submitted request, once there is one. A handle that is dropped cancels its
/// request, which has left the workers one step later.
///
/// ```no_run
/// use polygist::generate::{Engine, Request, Submission};
///
/// fn answer(engine: &Engine, request: Request) -> polygist::error::Result<String> {
///     let mut handle = engine.submit(Submission::new(request).streaming())?;
///     while let Some(text) = handle.next_text() {
///         println!("{text}");
///     }
///     Ok(handle.wait()?.text)
/// }
/// ```
pub struct Handle {
    events: Receiver<(usize, Event)>,
    abandoned: CancelToken,
    scheduler: Arc<Scheduler>,
    texts: VecDeque<String>,
    result: Option<Result<Output>>,
    is_finished: bool,
}

impl Handle {
    pub(super) fn new(
        events: Receiver<(usize, Event)>,
        abandoned: CancelToken,
        scheduler: Arc<Scheduler>,
    ) -> Handle {
        let texts = VecDeque::new();
        Handle { events, abandoned, scheduler, texts, result: None, is_finished: false }
    }

    /// The output, once it is finished.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the request or the engine is cancelled or the engine is dropped,
    /// or when [`Handle::try_wait`] has handed out the output; otherwise what made it fail.
    pub fn wait(mut self) -> Result<Output> {
        while !self.is_finished {
            self.receive();
        }
        self.result.take().unwrap_or(Err(Error::Interrupted))
    }

    /// The output if it is finished, without waiting; `None` when it is not, and when it was handed
    /// out before.
    pub fn try_wait(&mut self) -> Option<Result<Output>> {
        while !self.is_finished
            && let Ok((_, event)) = self.events.try_recv()
        {
            self.take(event);
        }
        self.result.take()
    }

    /// The next piece of the text of a request that streams, once there is one; `None` after the
    /// last. Together the pieces are [`Output::text`].
    pub fn next_text(&mut self) -> Option<String> {
        while self.texts.is_empty() && !self.is_finished {
            self.receive();
        }
        self.texts.pop_front()
    }

    /// Has the request stop before its next step; it ends with [`Error::Interrupted`] unless it is
    /// finished.
    pub fn cancel(&self) {
        self.abandoned.cancel();
        self.scheduler.remove_cancelled();
    }

    /// Waits for an event.
    fn receive(&mut self) {
        match self.events.recv() {
            Ok((_, event)) => self.take(event),
            Err(_) => self.end(Err(Error::Interrupted)),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Text(text) => self.texts.push_back(text),
            Event::Finished(result) => self.end(result),
        }
    }

    fn end(&mut self, result: Result<Output>) {
        self.result = Some(result);
        self.is_finished = true;
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("is_finished", &self.is_finished).finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.is_finished {
            self.cancel();
        }
    }
}
