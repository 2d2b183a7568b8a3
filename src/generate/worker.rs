//! Continuous batching: one worker advances a batch of sequences token by token; a finished one leaves and a
//! waiting one takes its place. All workers draw from one queue.

use super::rules::{self, StopCheck};
use super::vocabulary::{Edits, Vocabulary};
use super::{Finish, Options, Output};
use crate::arch::CausalLm;
use crate::error::{Error, Result};
use crate::nn::{KvCache, Span};
use crate::token::Tokenizer;
use candle_core::Tensor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A request, ready to run.
pub(super) struct Job<'a> {
    pub options: &'a Options,
    /// Prompt and suffix; never empty.
    pub tokens: Vec<u32>,
    /// Tokens of the prompt alone.
    pub prompt_tokens: usize,
    /// New tokens that fit.
    pub room: usize,
    pub prefix: Option<Arc<KvCache>>,
    pub vocabulary: Arc<Vocabulary>,
}

/// What all workers share.
pub(super) struct Shared<'a> {
    pub model: &'a dyn CausalLm,
    pub tokenizer: &'a Tokenizer,
    pub jobs: &'a [Job<'a>],
    /// Numbers of the jobs in the order in which they are begun.
    pub order: &'a [usize],
    pub next: AtomicUsize,
    pub results: Mutex<Vec<Option<Output>>>,
    pub stop: AtomicBool,
    pub on_done: &'a (dyn Fn(usize, &Output) -> bool + Sync),
    /// Sequences that a worker advances at once.
    pub batch: usize,
    /// Prompt tokens that a worker reads in one step; bounds the memory of a step.
    pub prefill: usize,
}

/// A sequence in the works.
struct Row<'a> {
    number: usize,
    job: &'a Job<'a>,
    cache: KvCache,
    /// Tokens of the prompt that have been read.
    read: usize,
    written: Vec<u32>,
    log_probability: f32,
    stop: StopCheck,
}

impl Row<'_> {
    /// Whether the whole prompt has been read.
    fn is_prefilled(&self) -> bool {
        self.read == self.job.tokens.len()
    }

    /// Takes the next token; `Some` when the sequence is finished.
    fn push(&mut self, token: u32, log_probability: f32, tokenizer: &Tokenizer) -> Result<Option<Finish>> {
        if tokenizer.is_end(token) {
            return Ok(Some(Finish::Stop));
        }
        self.written.push(token);
        self.log_probability += log_probability;
        if self.stop.reached(self.job.options, tokenizer, &self.written)? {
            return Ok(Some(Finish::Stop));
        }
        if rules::is_loop(&self.written) {
            return Ok(Some(Finish::Loop));
        }
        Ok((self.written.len() >= self.job.room).then_some(Finish::Length))
    }

    fn output(self, finish: Finish, tokenizer: &Tokenizer) -> Result<Output> {
        Ok(Output {
            text: rules::text(self.job.options, tokenizer, &self.written)?,
            prompt_tokens: self.job.prompt_tokens,
            tokens: self.written.len(),
            finish,
            score: self.log_probability / self.written.len().max(1) as f32,
        })
    }
}

impl<'a> Shared<'a> {
    /// Works until the queue is empty, somebody stops the work, or something fails; a failure stops the others too.
    pub(super) fn work(&self) -> Result<()> {
        let result = self.run();
        if result.is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
        result
    }

    fn run(&self) -> Result<()> {
        let mut rows: Vec<Row<'a>> = Vec::new();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            self.admit(&mut rows);
            if rows.is_empty() {
                return Ok(());
            }
            self.step(&mut rows)?;
        }
    }

    fn admit(&self, rows: &mut Vec<Row<'a>>) {
        let mut waiting: usize = rows.iter().map(|r| r.job.tokens.len() - r.read).sum();
        while rows.len() < self.batch && waiting < self.prefill {
            let Some(&number) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            let job = &self.jobs[number];
            let cache = job.prefix.clone().map_or_else(|| self.model.new_cache(), KvCache::after);
            waiting += job.tokens.len();
            let stop = StopCheck::new(job.options);
            rows.push(Row { number, job, cache, read: 0, written: Vec::new(), log_probability: 0.0, stop });
        }
    }

    /// Reads some prompt tokens of the new rows, and advances the others by one token.
    fn step(&self, rows: &mut Vec<Row<'_>>) -> Result<()> {
        let mut budget = self.prefill;
        let mut spans = Vec::with_capacity(rows.len());
        let mut active = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter_mut().enumerate() {
            let tokens = if row.is_prefilled() {
                &row.written[row.written.len() - 1..]
            } else {
                let end = (row.read + budget).min(row.job.tokens.len());
                let tokens = &row.job.tokens[row.read..end];
                budget -= tokens.len();
                row.read = end;
                tokens
            };
            if !tokens.is_empty() {
                spans.push(Span { tokens, cache: &mut row.cache });
                active.push(i);
            }
        }
        let hidden = self.model.forward(&mut spans)?; // (active rows, dim)

        // Rows that write a token now, those of one vocabulary together.
        let mut ready: Vec<(u32, usize)> = (0..).zip(active).filter(|&(_, row)| rows[row].is_prefilled()).collect();
        let mut finished: Vec<(usize, Finish)> = Vec::new();
        while let Some(&(_, first)) = ready.first() {
            let vocabulary = rows[first].job.vocabulary.clone();
            let group: Vec<(u32, usize)> = ready.extract_if(.., |&mut (_, r)| Arc::ptr_eq(&rows[r].job.vocabulary, &vocabulary)).collect();
            let places: Vec<u32> = group.iter().map(|&(place, _)| place).collect();
            let hidden = hidden.index_select(&Tensor::new(places, hidden.device())?, 0)?;
            let edits: Vec<Edits> = group.iter().map(|&(_, r)| rules::edits(rows[r].job.options, &rows[r].written)).collect();
            let best = vocabulary.best(&hidden, self.model.output(), &edits)?;
            for ((_, row), (token, log_probability)) in group.into_iter().zip(best) {
                if let Some(finish) = rows[row].push(token, log_probability, self.tokenizer)? {
                    finished.push((row, finish));
                }
            }
        }

        finished.sort_unstable_by_key(|&(row, _)| std::cmp::Reverse(row));
        for (row, finish) in finished {
            let row = rows.remove(row);
            let number = row.number;
            let output = row.output(finish, self.tokenizer)?;
            if !(self.on_done)(number, &output) {
                self.stop.store(true, Ordering::Relaxed);
            }
            self.results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(output);
        }
        Ok(())
    }
}
