//! The queue between callers and workers: bounded, fair, and shared by all calls of an engine.
//!
//! Every caller has a queue of its own, and the workers take one request of each in turn. No lock
//! is held while a model computes, a text is tokenized or anybody waits.

use super::batch_load::BatchLoad;
use super::sequence::QueuedRequest;
use super::submission::Caller;
use crate::arch::Footprint;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::main_memory::MemoryBudget;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the tokens are looked at that may cancel what waits: they wake nobody.
const GLANCE: Duration = Duration::from_millis(20);

/// What a worker has to do next.
pub(super) enum Next {
    /// Start these sequences, and advance the batch by a step.
    Step(Vec<QueuedRequest>),
    /// Run this between two steps.
    Task(Task),
    /// The engine is being dropped.
    Stop,
}

/// An entry of a caller's queue.
pub(super) enum Work {
    /// A request to generate, which joins the batch of a worker.
    Sequence(Box<QueuedRequest>),
    /// Work that one step of a worker does.
    Task(Task),
}

/// Work other than generation, for any worker.
pub(super) struct Task {
    pub cancel: CancelToken,
    pub run: Box<dyn FnOnce() + Send>,
}

/// The sizes within which a scheduler works, see [`super::EngineSettings`].
#[derive(Clone)]
pub(super) struct Limits {
    pub workers: usize,
    pub batch: usize,
    pub batch_tokens: usize,
    pub memory: MemoryBudget,
    pub footprint: Footprint,
    pub prefill: usize,
    pub queue: usize,
}

/// How much an engine has to do at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Requests, texts to score and pairs to align that wait for a worker.
    pub queued: usize,
    /// Sequences in the batches of the workers, as of their last step.
    pub running: usize,
}

/// See the module.
pub(super) struct Scheduler {
    limits: Limits,
    /// See [`super::EngineSettings::cancel`].
    cancel: CancelToken,
    queue: Mutex<Queue>,
    /// Wakes workers that have nothing to do.
    work: Condvar,
    /// Wakes callers that wait for a place in the queue.
    space: Condvar,
}

struct Queue {
    /// The caller whose turn it is stands first; none is without work.
    callers: VecDeque<(Caller, VecDeque<Work>)>,
    /// Requests that a device had no memory for, which are begun anew before all others.
    retries: Vec<Work>,
    /// Hypotheses that wait; a task counts as one.
    waiting: usize,
    /// Places taken of those for requests that are submitted one by one.
    places: usize,
    /// Hypotheses that a worker advances at once; fewer once a device had no memory left, until
    /// there is nothing to do.
    batch: usize,
    workers: Vec<WorkerState>,
    /// When the tokens of all that waits were looked at.
    swept: Instant,
    closed: bool,
}

#[derive(Clone, Copy, Default)]
struct WorkerState {
    sequences: usize,
    hypotheses: usize,
    /// Whether it leaves the device's memory to the others until there is nothing to do.
    rests: bool,
}

impl Scheduler {
    pub(super) fn new(limits: Limits, cancel: CancelToken) -> Scheduler {
        let queue = Queue {
            callers: VecDeque::new(),
            retries: Vec::new(),
            waiting: 0,
            places: 0,
            batch: limits.batch,
            workers: vec![WorkerState::default(); limits.workers],
            swept: Instant::now(),
            closed: false,
        };
        let (work, space) = (Condvar::new(), Condvar::new());
        Scheduler { limits, cancel, queue: Mutex::new(queue), work, space }
    }

    /// Appends work to the queue of a caller, all of it at once, whatever its length. Once the
    /// engine is being dropped, the work is dropped as well.
    pub(super) fn push(&self, caller: Caller, work: impl IntoIterator<Item = Work>) {
        let mut queue = self.lock();
        if !queue.closed {
            queue.push(caller, work);
            self.work.notify_all();
        }
    }

    /// A place in the queue for one request, once there is one.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the engine or the request is cancelled before.
    pub(super) fn wait_for_place(&self, cancel: &CancelToken) -> Result<Place<'_>> {
        let mut queue = self.lock();
        loop {
            if queue.closed || self.cancel.is_cancelled() {
                return Err(Error::Interrupted);
            }
            cancel.check()?;
            if queue.places < self.limits.queue {
                queue.places += 1;
                return Ok(Place(self));
            }
            queue =
                self.space.wait_timeout(queue, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A place in the queue for one request, if there is one.
    pub(super) fn try_place(&self) -> Option<Place<'_>> {
        let mut queue = self.lock();
        (queue.places < self.limits.queue).then(|| {
            queue.places += 1;
            Place(self)
        })
    }

    /// What a worker with such a batch does next; one without a batch waits until there is
    /// something.
    pub(super) fn next(&self, worker: usize, load: BatchLoad) -> Next {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return Next::Stop;
            }
            if self.cancel.is_cancelled() {
                self.discard(&mut queue, |_| true);
            } else if queue.swept.elapsed() > GLANCE {
                queue.swept = Instant::now();
                self.discard(&mut queue, Work::is_cancelled);
            }
            let BatchLoad { sequences, hypotheses, .. } = load;
            let rests = queue.workers[worker].rests;
            queue.workers[worker] = WorkerState { sequences, hypotheses, rests };
            if !rests && let Some(next) = self.pick(&mut queue, worker, load) {
                return next;
            }
            if sequences > 0 {
                return Next::Step(Vec::new());
            }
            if queue.is_idle() && queue.reset(self.limits.batch) {
                self.work.notify_all();
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The work for which a worker has room; `None` when there is none.
    fn pick(&self, queue: &mut Queue, worker: usize, mut load: BatchLoad) -> Option<Next> {
        // Few sequences are shared out evenly, where one worker could take them all.
        let batch = queue.batch.min(queue.share());
        let mut begun = Vec::new();
        while load.hypotheses < batch && load.unread < self.limits.prefill {
            let fits = |work: &Work| match work {
                Work::Task(_) => begun.is_empty(),
                Work::Sequence(request) => {
                    let tokens = load.tokens.saturating_add(request.most_tokens());
                    load.sequences == 0
                        || tokens <= self.limits.batch_tokens
                            && self.limits.memory.has(request.memory(self.limits.footprint))
                }
            };
            let Some(work) = queue.pop(fits) else { break };
            self.space.notify_one();
            match work {
                work if work.is_cancelled() => {}
                Work::Task(task) => return Some(Next::Task(task)),
                Work::Sequence(mut request) => {
                    let bytes = request.memory(self.limits.footprint);
                    request.share = Some(self.limits.memory.borrow(bytes));
                    load += request.load();
                    begun.push(*request);
                }
            }
        }
        let BatchLoad { sequences, hypotheses, .. } = load;
        queue.workers[worker] = WorkerState { sequences, hypotheses, rests: false };
        (!begun.is_empty()).then_some(Next::Step(begun))
    }

    /// Requeues the sequences of a worker, all of them, for which a device had no memory, and
    /// halves the batch. The worker rests while others have sequences: what these hold, they hold
    /// until they are done. A single sequence is begun anew while all others rest, since some may
    /// have run when it was refused that are done by now; hands the requests back when even that
    /// was too much.
    pub(super) fn shrink_batch(
        &self,
        worker: usize,
        mut requests: Vec<QueuedRequest>,
    ) -> Vec<QueuedRequest> {
        let mut queue = self.lock();
        if queue.closed {
            return Vec::new();
        }
        let is_other =
            |(number, state): (usize, &WorkerState)| number != worker && state.sequences > 0;
        let rests = queue.workers.iter().enumerate().any(is_other);
        if !rests && queue.batch == 1 && requests.len() == 1 {
            if requests[0].runs_alone {
                return requests;
            }
            requests[0].runs_alone = true;
            queue.workers.iter_mut().for_each(|other| other.rests = true);
        }
        let hypotheses: usize = requests.iter().map(QueuedRequest::hypotheses).sum();
        queue.batch = (queue.batch.min(hypotheses) / 2).max(1);
        queue.workers[worker] = WorkerState { rests, ..WorkerState::default() };
        queue.waiting += hypotheses;
        requests.iter_mut().for_each(|request| request.share = None);
        queue.retries.extend(requests.into_iter().map(|request| Work::Sequence(Box::new(request))));
        self.work.notify_all();
        Vec::new()
    }

    /// Drops the work that was cancelled while it waited.
    pub(super) fn remove_cancelled(&self) {
        self.discard(&mut self.lock(), Work::is_cancelled);
    }

    /// Drops all work, and has the workers stop.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        self.discard(&mut queue, |_| true);
        self.work.notify_all();
    }

    /// How much there is to do.
    pub(super) fn load(&self) -> Load {
        let queue = self.lock();
        Load {
            queued: queue.retries.len()
                + queue.callers.iter().map(|(_, own)| own.len()).sum::<usize>(),
            running: queue.workers.iter().map(|worker| worker.sequences).sum(),
        }
    }

    /// The cores for each worker that has something to do.
    pub(super) fn cores_for_each(&self) -> usize {
        let queue = self.lock();
        let busy = queue.workers.iter().filter(|worker| worker.sequences > 0).count();
        queue.workers.len() / busy.max(1)
    }

    /// Whether the whole engine is cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn discard(&self, queue: &mut Queue, which: impl Fn(&Work) -> bool) {
        queue.discard(which);
        self.space.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, caller: Caller, work: impl IntoIterator<Item = Work>) {
        let at = self.callers.iter().position(|(known, _)| *known == caller);
        let at = at.unwrap_or_else(|| {
            self.callers.push_back((caller, VecDeque::new()));
            self.callers.len() - 1
        });
        for work in work {
            self.waiting += work.hypotheses();
            self.callers[at].1.push_back(work);
        }
        self.callers.retain(|(_, own)| !own.is_empty());
    }

    /// Takes the next work if it fits; the caller whose it was is the last in turn then.
    fn pop(&mut self, fits: impl FnOnce(&Work) -> bool) -> Option<Work> {
        let next = self.retries.last().or_else(|| self.callers.front()?.1.front())?;
        if !fits(next) {
            return None;
        }
        let mut work = match self.retries.pop() {
            Some(again) => again,
            None => {
                let (caller, mut own) = self.callers.pop_front()?;
                let work = own.pop_front()?;
                if !own.is_empty() {
                    self.callers.push_back((caller, own));
                }
                work
            }
        };
        self.waiting -= work.hypotheses();
        if let Work::Sequence(request) = &mut work {
            self.places -= usize::from(std::mem::take(&mut request.holds_place));
        }
        Some(work)
    }

    fn discard(&mut self, which: impl Fn(&Work) -> bool) {
        let (mut hypotheses, mut places) = (0, 0);
        let mut keep = |work: &Work| {
            let goes = which(work);
            if goes {
                hypotheses += work.hypotheses();
                places += work.places();
            }
            !goes
        };
        self.retries.retain(&mut keep);
        self.callers.iter_mut().for_each(|(_, own)| own.retain(&mut keep));
        self.callers.retain(|(_, own)| !own.is_empty());
        self.waiting -= hypotheses;
        self.places -= places;
    }

    /// Hypotheses for each worker, those that run and those that wait.
    fn share(&self) -> usize {
        let active = self.workers.iter().filter(|worker| !worker.rests).count();
        let running: usize = self.workers.iter().map(|worker| worker.hypotheses).sum();
        (running + self.waiting).div_ceil(active.max(1))
    }

    fn is_idle(&self) -> bool {
        self.callers.is_empty()
            && self.retries.is_empty()
            && self.workers.iter().all(|worker| worker.sequences == 0)
    }

    /// Forgets that a device had no memory left; returns whether one had not.
    fn reset(&mut self, batch: usize) -> bool {
        let shrunk = self.batch != batch;
        self.batch = batch;
        self.workers.iter_mut().for_each(|worker| worker.rests = false);
        shrunk
    }
}

impl Work {
    fn is_cancelled(&self) -> bool {
        match self {
            Work::Sequence(request) => request.reply.is_cancelled(),
            Work::Task(task) => task.cancel.is_cancelled(),
        }
    }

    fn hypotheses(&self) -> usize {
        match self {
            Work::Sequence(request) => request.hypotheses(),
            Work::Task(_) => 1,
        }
    }

    fn places(&self) -> usize {
        match self {
            Work::Sequence(request) => usize::from(request.holds_place),
            Work::Task(_) => 0,
        }
    }
}

/// A place in the queue that one request is going to fill.
pub(super) struct Place<'a>(&'a Scheduler);

impl Place<'_> {
    /// Fills the place; the request gives it back when a worker takes it.
    pub(super) fn fill(self, caller: Caller, request: QueuedRequest) {
        let request = QueuedRequest { holds_place: true, ..request };
        self.0.push(caller, [Work::Sequence(Box::new(request))]);
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().places -= 1;
        self.0.space.notify_one();
    }
}
