//! The handle to a submitted request: waiting for its output, reading its text, cancelling it.

use super::Output;
use super::reply::Event;
use super::scheduler::Scheduler;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

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
