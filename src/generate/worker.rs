//! Continuous batching: a worker advances a batch of sequences token by token; a finished one
//! leaves and a waiting one takes its place.

use super::batch_load::BatchLoad;
use super::prefix_cache::PrefixCache;
use super::scheduler::{Next, Scheduler, Task};
use super::sequence::{QueuedRequest, Sequence};
use super::unwind::unwinding;
use super::vocabulary::{Candidate, LogitsEdits, Vocabulary};
use super::{Finish, GenerationConfig};
use crate::arch::Model;
use crate::error::{Error, Result};
use crate::nn::{KvCache, Span};
use crate::token::Tokenizer;
use candle_core::Tensor;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;
use std::thread::JoinHandle;

/// One of those who run the model.
pub(super) struct Worker {
    pub number: usize,
    pub model: Arc<dyn Model>,
    pub tokenizer: Arc<Tokenizer>,
    pub config: Arc<GenerationConfig>,
    pub prefixes: Arc<PrefixCache>,
    pub scheduler: Arc<Scheduler>,
    /// Prompt tokens that are read in one step; bounds the memory of a step.
    pub prefill: usize,
}

/// The thread of a worker, which ends when its scheduler is closed.
pub(super) struct WorkerThread {
    /// A pool of this one thread: what candle's operations spawn stays on the worker's core, where
    /// it cannot be held up by another worker's work.
    pool: Option<ThreadPool>,
    thread: Option<JoinHandle<()>>,
}

/// A sequence that is to get its next token, and its rows of the hidden states: one, or one for
/// each hypothesis of a beam.
struct Ready {
    sequence: usize,
    rows: Range<u32>,
}

impl WorkerThread {
    /// Starts the worker on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(worker: Worker) -> Result<WorkerThread> {
        let name = format!("worker-{}", worker.number);
        let mut started = None;
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .spawn_handler(|thread| {
                let builder = std::thread::Builder::new().name(name.clone());
                started = Some(builder.spawn(|| thread.run())?);
                Ok(())
            })
            .build()
            .map_err(|e| Error::Compute(Box::new(e)))?;
        pool.spawn(move || worker.run());
        Ok(WorkerThread { pool: Some(pool), thread: started })
    }
}

impl Drop for WorkerThread {
    fn drop(&mut self) {
        // The thread ends once it has no pool and no work.
        drop(self.pool.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been told where the work was waited for.
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn run(&self) {
        let mut batch: Vec<Sequence> = Vec::new();
        loop {
            batch.retain(|sequence| !self.is_cancelled(sequence));
            match self.scheduler.next(self.number, load(&batch)) {
                Next::Stop => return,
                Next::Task(Task { run, .. }) => run(),
                Next::Step(started) => self.advance(&mut batch, started),
            }
        }
    }

    fn is_cancelled(&self, sequence: &Sequence) -> bool {
        self.scheduler.is_cancelled() || sequence.is_cancelled()
    }

    /// Starts some sequences and advances all by a step. What fails is begun anew: with a smaller
    /// batch where a device had no memory, or else one by one, so that only the sequences at fault
    /// fail in the end.
    fn advance(&self, batch: &mut Vec<Sequence>, mut started: Vec<QueuedRequest>) {
        let Err(why) = self.try_advance(batch, &mut started) else { return };
        started.extend(batch.drain(..).map(Sequence::into_request));
        if why.is_out_of_memory() {
            started = self.scheduler.shrink_batch(self.number, started);
        }
        match <[QueuedRequest; 1]>::try_from(started) {
            Ok([request]) => request.reply.finish(Err(why)),
            Err(several) => several.into_iter().for_each(|request| self.run_alone(request)),
        }
    }

    /// Runs a request to its end.
    fn run_alone(&self, request: QueuedRequest) {
        let (mut batch, mut started) = (Vec::new(), vec![request]);
        loop {
            started.retain(|request| !request.reply.is_cancelled());
            batch.retain(|sequence| !self.is_cancelled(sequence));
            if started.is_empty() && batch.is_empty() {
                return;
            }
            if let Err(why) = self.try_advance(&mut batch, &mut started) {
                started.extend(batch.drain(..).map(Sequence::into_request));
                if let Some(request) = started.pop() {
                    request.reply.finish(Err(why));
                }
                return;
            }
        }
    }

    fn try_advance(
        &self,
        batch: &mut Vec<Sequence>,
        started: &mut Vec<QueuedRequest>,
    ) -> Result<()> {
        unwinding(|| {
            self.start(batch, started)?;
            self.step(batch)
        })
    }

    /// Starts sequences; their sources go through the encoder together. What fails is still in
    /// `started`.
    fn start(&self, batch: &mut Vec<Sequence>, started: &mut Vec<QueuedRequest>) -> Result<()> {
        let sources: Vec<&[u32]> =
            started.iter().filter_map(|request| request.source.as_deref()).collect();
        let mut encoded = match self.model.encoder() {
            Some(encoder) if !sources.is_empty() => encoder.encode(&sources)?,
            _ => Vec::new(),
        }
        .into_iter();
        let mut begin = |request: &QueuedRequest| -> Result<(Arc<Vocabulary>, KvCache)> {
            let source = request.source.as_ref().and_then(|_| encoded.next());
            let cache = match (source, &request.prefix) {
                (Some(source), _) => KvCache::reading(source),
                (None, Some(prefix)) => KvCache::after(self.prefixes.read(prefix)?),
                (None, None) => self.model.new_cache(),
            };
            let vocabulary = self.config.vocabulary(
                &request.vocabulary,
                request.source.as_deref(),
                self.model.output(),
            )?;
            Ok((vocabulary, cache))
        };
        let ready = started.iter().map(&mut begin).collect::<Result<Vec<_>>>()?;
        batch.extend(
            started
                .drain(..)
                .zip(ready)
                .map(|(request, (vocabulary, cache))| Sequence::new(request, vocabulary, cache)),
        );
        Ok(())
    }

    /// Reads some prompt tokens of the new sequences, and advances the others by one token.
    fn step(&self, batch: &mut Vec<Sequence>) -> Result<()> {
        let mut budget = self.prefill;
        for sequence in batch.iter_mut() {
            budget -= sequence.prepare(budget);
        }
        let (mut spans, ready) = spans(batch);
        let hidden = self.model.forward(&mut spans)?; // (ends, dim)
        drop(spans);
        let finished = self.choose(batch, &hidden, ready)?;
        self.finish(batch, finished);
        Ok(())
    }

    /// Chooses the next tokens; returns which sequences these finish, and why.
    fn choose(
        &self,
        batch: &mut [Sequence],
        hidden: &Tensor,
        mut ready: Vec<Ready>,
    ) -> Result<Vec<(usize, Finish)>> {
        let mut finished = Vec::new();
        // Those of one vocabulary together.
        while let Some(Ready { sequence: first, .. }) = ready.first() {
            let vocabulary = batch[*first].vocabulary.clone();
            let group: Vec<Ready> = ready
                .extract_if(.., |ready| Arc::ptr_eq(&batch[ready.sequence].vocabulary, &vocabulary))
                .collect();
            let rows: Vec<u32> = group.iter().flat_map(|ready| ready.rows.clone()).collect();
            let hidden = if rows.len() == hidden.dim(0)? {
                hidden.clone()
            } else {
                hidden.index_select(&Tensor::new(rows, hidden.device())?, 0)?
            };
            let edits: Vec<LogitsEdits> = group
                .iter()
                .flat_map(|ready| batch[ready.sequence].edits(&self.tokenizer))
                .collect();
            let mut candidates =
                vocabulary.candidates(&hidden, self.model.output(), &edits)?.into_iter();
            for Ready { sequence: number, rows } in group {
                let own: Vec<Vec<Candidate>> = candidates.by_ref().take(rows.len()).collect();
                let sequence = &mut batch[number];
                match sequence.push(&own, &*self.model, &self.tokenizer)? {
                    Some(finish) => finished.push((number, finish)),
                    None => sequence.stream(&self.tokenizer)?,
                }
            }
        }
        Ok(finished)
    }

    /// Hands out the outputs of finished sequences, which leave the batch.
    fn finish(&self, batch: &mut Vec<Sequence>, mut finished: Vec<(usize, Finish)>) {
        finished.sort_unstable_by_key(|&(number, _)| Reverse(number));
        for (number, finish) in finished {
            batch.remove(number).finish(finish, &self.tokenizer);
        }
    }
}

/// The tokens of a step, and the sequences that are to get their next token after it.
fn spans(batch: &mut [Sequence]) -> (Vec<Span<'_>>, Vec<Ready>) {
    let (mut spans, mut ready) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    let mut end = 0;
    for (number, sequence) in batch.iter_mut().enumerate() {
        let prefilled = sequence.is_prefilled();
        let Some(span) = sequence.span() else { continue };
        let rows = end..end + span.ends().len() as u32;
        end = rows.end;
        spans.push(span);
        if prefilled {
            ready.push(Ready { sequence: number, rows });
        }
    }
    (spans, ready)
}

fn load(batch: &[Sequence]) -> BatchLoad {
    batch.iter().fold(BatchLoad::default(), |mut load, sequence| {
        load += sequence.load();
        load
    })
}
