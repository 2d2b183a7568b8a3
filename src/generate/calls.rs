//! The ways into an engine: one request with a handle to it, many requests at once, and other work
//! for its workers.

use super::handle::Handle;
use super::reply::{Event, Reply};
use super::scheduler::{Load, Place, Scheduler, Task, Work};
use super::submission::{Caller, Submission, TrySubmitError};
use super::unwind::unwinding;
use super::{Engine, OnText, Output, Request};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::cell::Cell;
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// A call that ends before its work is done cancels what still waits or runs of it.
struct Call<'a> {
    scheduler: &'a Scheduler,
    caller: Caller,
    abandoned: CancelToken,
    /// Results that are still to come.
    left: Cell<usize>,
}

impl Call<'_> {
    /// Waits for an event of the call.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when there is nobody left who could send one.
    fn receive<T>(&self, events: &Receiver<T>) -> Result<T> {
        events.recv().map_err(|_| Error::Interrupted)
    }

    /// One more result has come.
    fn count(&self) {
        self.left.set(self.left.get().saturating_sub(1));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.left.get() > 0 {
            self.abandoned.cancel();
            self.scheduler.remove_cancelled();
        }
    }
}

impl Engine {
    /// Submits a request from any thread, and returns a handle to its output. The requests of all
    /// threads share the batches of the workers; the output is the same whatever the others are.
    /// Waits while the queue is full ([`super::EngineSettings::queue`]).
    ///
    /// # Errors
    /// When the request leaves no room for output in the context, or cannot be read otherwise;
    /// [`Error::Interrupted`] when it is cancelled while the queue is full.
    pub fn submit(&self, submission: impl Into<Submission>) -> Result<Handle> {
        let submission = submission.into();
        let place = self.scheduler.wait_for_place(&submission.cancel)?;
        self.fill(place, &submission)
    }

    /// Submits a request as [`Engine::submit`] does, without waiting.
    ///
    /// # Errors
    /// When the queue is full, with the submission; otherwise as [`Engine::submit`].
    pub fn try_submit(&self, submission: impl Into<Submission>) -> Result<Handle, TrySubmitError> {
        let submission = submission.into();
        match self.scheduler.try_place() {
            Some(place) => Ok(self.fill(place, &submission)?),
            None => Err(TrySubmitError::Full(Box::new(submission))),
        }
    }

    fn fill(&self, place: Place<'_>, submission: &Submission) -> Result<Handle> {
        let Submission { request, cancel, caller, stream } = submission;
        let (events, received) = channel();
        let abandoned = CancelToken::new();
        let reply = Reply::new(0, events, cancel.clone(), abandoned.clone(), *stream);
        place.fill(*caller, self.prepare(request, reply)?);
        Ok(Handle::new(received, abandoned, self.scheduler.clone()))
    }

    /// How much the engine has to do.
    pub fn load(&self) -> Load {
        self.scheduler.load()
    }

    /// Continues every request; what [`super::Generate::generate`] and [`super::Generate::stream`]
    /// do, until `cancel` is cancelled. However many the requests, the call as a whole is one
    /// caller, and its requests take no places of the queue. The callbacks are called on the thread
    /// of the call.
    ///
    /// # Errors
    /// As [`super::Generate::generate`]; [`Error::Interrupted`] when it is cancelled.
    pub fn run(
        &self,
        requests: &[Request],
        cancel: &CancelToken,
        on_text: Option<OnText<'_>>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        let call = self.call(requests.len());
        let (events, received) = channel();
        let prepare = |(number, request)| {
            let (events, abandoned) = (events.clone(), call.abandoned.clone());
            let reply = Reply::new(number, events, cancel.clone(), abandoned, on_text.is_some());
            self.prepare(request, reply)
        };
        let mut queued = requests.iter().enumerate().map(prepare).collect::<Result<Vec<_>>>()?;
        // The longest first: what is begun last should be short, so that the workers finish
        // together.
        queued.sort_by_key(|request| Reverse(request.prefill_tokens()));
        let work = queued.into_iter().map(|request| Work::Sequence(Box::new(request)));
        self.scheduler.push(call.caller, work);
        let mut outputs: Vec<Option<Output>> = vec![None; requests.len()];
        while call.left.get() > 0 {
            let (number, event) = call.receive(&received)?;
            let goes_on = match event {
                Event::Text(text) => on_text.is_none_or(|on_text| on_text(number, &text)),
                Event::Finished(output) => {
                    call.count();
                    on_done(number, outputs[number].insert(output?))
                }
            };
            if !goes_on {
                return Err(Error::Interrupted);
            }
        }
        outputs.into_iter().collect::<Option<_>>().ok_or(Error::Interrupted)
    }

    /// Does some work on each of the items, on all workers, between the steps of their batches;
    /// `on_done` gets the results, with the numbers of the items, as they come.
    pub(super) fn on_workers<T: Send + 'static, R: Send + 'static>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> Result<R> + Send + Sync + 'static,
        mut on_done: impl FnMut(usize, R) -> Result<()>,
    ) -> Result<()> {
        let call = self.call(items.len());
        let (results, received) = channel();
        let work = Arc::new(work);
        let task = |(number, item)| {
            let (results, work) = (results.clone(), work.clone());
            let run = move || {
                // Nobody may be listening any longer.
                let _ = results.send((number, unwinding(|| work(item))));
            };
            Work::Task(Task { cancel: call.abandoned.clone(), run: Box::new(run) })
        };
        self.scheduler.push(call.caller, items.into_iter().enumerate().map(task));
        // Without a sender that is left, the work was cancelled.
        drop(results);
        while call.left.get() > 0 {
            let (number, result) = call.receive(&received)?;
            call.count();
            on_done(number, result?)?;
        }
        Ok(())
    }

    fn call(&self, results: usize) -> Call<'_> {
        let (caller, abandoned) = (Caller::new(), CancelToken::new());
        Call { scheduler: &self.scheduler, caller, abandoned, left: Cell::new(results) }
    }
}
