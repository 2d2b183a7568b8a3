//! Continuous batching: a worker advances a batch of sequences token by token; a finished one
//! leaves and a waiting one takes its place.

use super::batch_load::BatchLoad;
use super::prefix_cache::PrefixCache;
use super::scheduler::{Next, Scheduler, Task};
use super::selection::Selection;
use super::sequence::{QueuedRequest, Sequence};
use super::unwind::unwinding;
use super::vocabulary::{Candidate, LogitsEdits, Vocabulary};
use super::{Finish, GenerationConfig};
use crate::arch::Model;
use crate::error::{Error, Result};
use crate::kernel;
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
        let mut batch = Batch::new(&*self.model, &self.config);
        loop {
            batch.sequences.retain(|sequence| !self.is_cancelled(sequence));
            match self.scheduler.next(self.number, batch.load()) {
                Next::Stop => return,
                Next::Task(Task { run, .. }) => run(),
                Next::Step(started) => {
                    let cores = self.scheduler.cores_for_each();
                    kernel::with_helpers(cores, || self.advance(&mut batch, started));
                }
            }
        }
    }

    fn is_cancelled(&self, sequence: &Sequence) -> bool {
        self.scheduler.is_cancelled() || sequence.is_cancelled()
    }

    /// Starts some sequences and advances all by a step. What fails is begun anew: with a smaller
    /// batch where a device had no memory, or else one by one, so that only the sequences at fault
    /// fail in the end.
    fn advance(&self, batch: &mut Batch, mut started: Vec<QueuedRequest>) {
        let Err(why) = self.try_advance(batch, &mut started) else { return };
        started.extend(batch.sequences.drain(..).map(Sequence::into_request));
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
        let mut batch = Batch::new(&*self.model, &self.config);
        let mut started = vec![request];
        loop {
            started.retain(|request| !request.reply.is_cancelled());
            batch.sequences.retain(|sequence| !self.is_cancelled(sequence));
            if started.is_empty() && batch.sequences.is_empty() {
                return;
            }
            if let Err(why) = self.try_advance(&mut batch, &mut started) {
                started.extend(batch.sequences.drain(..).map(Sequence::into_request));
                if let Some(request) = started.pop() {
                    request.reply.finish(Err(why));
                }
                return;
            }
        }
    }

    fn try_advance(&self, batch: &mut Batch, started: &mut Vec<QueuedRequest>) -> Result<()> {
        unwinding(|| {
            self.start(batch, started)?;
            self.step(batch)
        })
    }

    /// Starts sequences; their sources go through the encoder together. What fails is still in
    /// `started`.
    fn start(&self, batch: &mut Batch, started: &mut Vec<QueuedRequest>) -> Result<()> {
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
            let listed = request.source.as_deref().filter(|_| request.options.shortlist);
            let (output, selection) = (self.model.output(), batch.selection.as_mut());
            let told = request.constraints.as_ref().map(|constraints| constraints.tokens());
            let told = told.unwrap_or_default();
            let vocabulary =
                self.config.vocabulary(&request.vocabulary, listed, &told, output, selection)?;
            Ok((vocabulary, cache))
        };
        let ready = started.iter().map(&mut begin).collect::<Result<Vec<_>>>()?;
        batch.sequences.extend(
            started
                .drain(..)
                .zip(ready)
                .map(|(request, (vocabulary, cache))| Sequence::new(request, vocabulary, cache)),
        );
        Ok(())
    }

    /// Reads some prompt tokens of the new sequences, and advances the others by one token.
    fn step(&self, batch: &mut Batch) -> Result<()> {
        let mut budget = self.prefill;
        for sequence in &mut batch.sequences {
            budget -= sequence.prepare(budget);
        }
        let (mut spans, ready) = spans(&mut batch.sequences);
        let hidden = self.model.forward(&mut spans)?; // (ends, dim)
        drop(spans);
        let finished = self.choose(batch, &hidden, ready)?;
        self.finish(&mut batch.sequences, finished);
        Ok(())
    }

    /// Chooses the next tokens; returns which sequences these finish, and why.
    fn choose(
        &self,
        batch: &mut Batch,
        hidden: &Tensor,
        mut ready: Vec<Ready>,
    ) -> Result<Vec<(usize, Finish)>> {
        let mut finished = Vec::new();
        let Batch { sequences: batch, selection } = batch;
        if let Some(selection) = selection {
            let selected: Vec<Ready> = ready
                .extract_if(.., |ready| batch[ready.sequence].vocabulary.places().is_some())
                .collect();
            self.choose_selected(batch, selection, hidden, selected, &mut finished)?;
        }
        // Those of one vocabulary together.
        while let Some(Ready { sequence: first, .. }) = ready.first() {
            let vocabulary = batch[*first].vocabulary.clone();
            let group: Vec<Ready> = ready
                .extract_if(.., |ready| Arc::ptr_eq(&batch[ready.sequence].vocabulary, &vocabulary))
                .collect();
            let rows: Vec<u32> = group.iter().flat_map(|ready| ready.rows.clone()).collect();
            let hidden = rows_of(hidden, rows)?;
            let edits: Vec<LogitsEdits> = group
                .iter()
                .flat_map(|ready| batch[ready.sequence].edits(&self.tokenizer))
                .collect();
            let mut candidates =
                vocabulary.candidates(&hidden, self.model.output(), &edits)?.into_iter();
            for Ready { sequence: number, rows } in group {
                let own: Vec<Vec<Candidate>> = candidates.by_ref().take(rows.len()).collect();
                finished.extend(self.push(&mut batch[number], &own)?.map(|why| (number, why)));
            }
        }
        Ok(finished)
    }

    /// Chooses the next tokens of the sequences whose vocabularies are in a selection.
    fn choose_selected(
        &self,
        batch: &mut [Sequence],
        selection: &mut Selection,
        hidden: &Tensor,
        ready: Vec<Ready>,
        finished: &mut Vec<(usize, Finish)>,
    ) -> Result<()> {
        if ready.is_empty() {
            return Ok(());
        }
        let rows = ready.iter().flat_map(|ready| ready.rows.clone()).collect();
        let (logits, count) = selection.logits(&rows_of(hidden, rows)?)?;
        let (mut logits, mut own) = (logits.chunks_exact(count.max(1)), Vec::new());
        for Ready { sequence: number, .. } in ready {
            let edits = batch[number].edits(&self.tokenizer);
            let vocabulary = &batch[number].vocabulary;
            let mut candidates = Vec::with_capacity(edits.len());
            for edits in &edits {
                let logits = logits.next().unwrap_or_default();
                if let Some(places) = vocabulary.places() {
                    places.gather(logits, &mut own);
                }
                candidates.push(vocabulary.candidates_of(&mut own, edits));
            }
            finished.extend(self.push(&mut batch[number], &candidates)?.map(|why| (number, why)));
        }
        Ok(())
    }

    /// Hands a sequence its candidates, and its text on; `Some` when it is finished.
    fn push(
        &self,
        sequence: &mut Sequence,
        candidates: &[Vec<Candidate>],
    ) -> Result<Option<Finish>> {
        let finish = sequence.push(candidates, &*self.model, &self.tokenizer)?;
        if finish.is_none() {
            sequence.stream(&self.tokenizer)?;
        }
        Ok(finish)
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

/// Some rows of the hidden states, in order.
fn rows_of(hidden: &Tensor, rows: Vec<u32>) -> Result<Tensor> {
    if rows.len() == hidden.dim(0)? {
        return Ok(hidden.clone());
    }
    Ok(hidden.index_select(&Tensor::new(rows, hidden.device())?, 0)?)
}

/// The sequences that a worker advances.
struct Batch {
    sequences: Vec<Sequence>,
    /// The rows of the output layer that their shortlists name, of a model that has them.
    selection: Option<Selection>,
}

impl Batch {
    fn new(model: &dyn Model, config: &GenerationConfig) -> Batch {
        let selection = config.shortlist.as_ref().and_then(|_| Selection::new(model.output()));
        Batch { sequences: Vec::new(), selection }
    }

    fn load(&self) -> BatchLoad {
        self.sequences.iter().fold(BatchLoad::default(), |mut load, sequence| {
            load += sequence.load();
            load
        })
    }
}
