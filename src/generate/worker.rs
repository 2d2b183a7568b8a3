//! Continuous batching: one worker advances a batch of sequences token by token; a finished one
//! leaves and a waiting one takes its place. All workers draw from one queue.

use super::align;
use super::beam::{Beam, End, Hypothesis, Judge};
use super::rules::{self, Frame, StopCheck};
use super::shortlist::Shortlist;
use super::stream::Stream;
use super::vocabulary::{Candidate, Edits, Vocabulary};
use super::{DecodingOptions, Finish, OnText, Output, Variant};
use crate::arch::Model;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::nn::{KvCache, SourceCache, Span};
use crate::token::Tokenizer;
use candle_core::Tensor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request, ready to run.
pub(super) struct Job<'a> {
    pub options: &'a DecodingOptions,
    /// What the encoder reads, of a model that has one.
    pub source: Option<Vec<u32>>,
    /// What stands before the output, a shared prefix apart: prompt and suffix, or what a decoder
    /// starts with. Never empty.
    pub tokens: Vec<u32>,
    /// How many of `tokens`, at their end, are the beginning of the output.
    pub given: usize,
    /// How many of these do not count for the output's length.
    pub uncounted: usize,
    /// Tokens of the prompt alone.
    pub prompt_tokens: usize,
    /// Tokens of the longest output, those that are given included.
    pub room: usize,
    pub prefix: Option<Arc<KvCache>>,
    pub vocabulary: Arc<Vocabulary>,
}

impl Job<'_> {
    /// Tokens that are read before the first is written.
    pub(super) fn reading(&self) -> usize {
        self.source.as_ref().map_or(0, Vec::len) + self.tokens.len()
    }

    /// Tokens of its caches when it is done, at most.
    fn tokens_in_work(&self) -> usize {
        (self.room - self.given)
            .saturating_mul(self.options.beams.max(1))
            .saturating_add(self.reading())
    }

    fn frame<'a>(&'a self, tokenizer: &'a Tokenizer) -> Frame<'a> {
        // What a decoder starts with counts when repetition is looked for; the text of a prompt
        // does not.
        let start = if self.source.is_some() {
            &self.tokens[..self.tokens.len() - self.given]
        } else {
            &[]
        };
        Frame {
            source: self.source.as_deref().unwrap_or_default(),
            start,
            ends: tokenizer.ends(),
            room: self.room,
        }
    }
}

/// What all workers share.
pub(super) struct Shared<'a> {
    pub model: &'a dyn Model,
    pub tokenizer: &'a Tokenizer,
    pub shortlist: Option<&'a Shortlist>,
    pub jobs: &'a [Job<'a>],
    /// Numbers of the jobs in the order in which they are begun.
    pub order: &'a [usize],
    pub results: Mutex<Vec<Option<Output>>>,
    pub stop: AtomicBool,
    /// See [`super::EngineSettings::cancel`].
    pub interrupted: &'a CancelToken,
    pub on_text: Option<OnText<'a>>,
    pub on_done: &'a (dyn Fn(usize, &Output) -> bool + Sync),
    pub team: Mutex<Team>,
    /// See [`super::EngineSettings::batch_tokens`].
    pub batch_tokens: usize,
    /// Prompt tokens that a worker reads in one step; bounds the memory of a step.
    pub prefill: usize,
}

/// Who works, and what is left to begin.
pub(super) struct Team {
    /// Workers.
    working: usize,
    /// Hypotheses that each of them advances at once: a sequence has as many as its beam is wide.
    /// Fewer once a device had no memory left.
    batch: usize,
    /// How many jobs of the queue have been begun.
    next: usize,
    /// Jobs that a device had no memory for, to be begun anew, and what has been handed out of
    /// their texts.
    again: Vec<(usize, Stream)>,
}

impl Team {
    pub(super) fn new(working: usize, batch: usize) -> Team {
        Team { working, batch, next: 0, again: Vec::new() }
    }
}

/// How a row goes from candidates to an output.
enum Search {
    /// One token after the other.
    Single {
        written: Vec<u32>,
        log_probability: f32,
    },
    Beam(Beam),
}

/// A sequence in the works.
struct Row<'a> {
    number: usize,
    job: &'a Job<'a>,
    /// That of the job, or what a shortlist leaves of it.
    vocabulary: Arc<Vocabulary>,
    cache: KvCache,
    /// Tokens of the job that have been read.
    read: usize,
    search: Search,
    stop: StopCheck,
    stream: Stream,
    /// The tokens of this step, one for each hypothesis once everything is read.
    tokens: Vec<u32>,
    /// Whether the hypotheses of a beam have paths of their own: once everything before the output
    /// is read.
    parted: bool,
}

/// What decides about the hypotheses of a row.
struct Judgement<'a> {
    job: &'a Job<'a>,
    stop: &'a StopCheck,
    source: Option<&'a Arc<SourceCache>>,
    model: &'a dyn Model,
    tokenizer: &'a Tokenizer,
}

impl Judge for Judgement<'_> {
    type Error = Error;

    fn end(&self, hypothesis: &Hypothesis, token: u32) -> Result<Option<End>> {
        if self.tokenizer.is_end(token) {
            return Ok(Some(End::Token));
        }
        if self.job.options.stop.is_empty() {
            return Ok(None);
        }
        let written: Vec<u32> = hypothesis.written.iter().copied().chain([token]).collect();
        Ok(self.stop.reached(self.job.options, self.tokenizer, &written)?.then_some(End::Text))
    }

    fn coverage(&self, written: &[u32], ended: bool) -> Result<f32> {
        let penalty = self.job.options.coverage_penalty;
        let (Some(encoder), Some(source), true) =
            (self.model.encoder(), self.source, penalty > 0.0)
        else {
            return Ok(0.0);
        };
        let start = &self.job.tokens[..self.job.tokens.len() - self.job.given];
        let last = encoder.attention_layers().saturating_sub(1);
        let weights = align::weights(
            encoder,
            source.clone(),
            &[start, written].concat(),
            start.len(),
            ended,
            last,
        )?;
        Ok(penalty * align::coverage(&weights))
    }
}

impl<'a> Row<'a> {
    fn new(
        number: usize,
        job: &'a Job<'a>,
        stream: Stream,
        vocabulary: Arc<Vocabulary>,
        cache: KvCache,
    ) -> Row<'a> {
        let given = job.tokens[job.tokens.len() - job.given..].to_vec();
        let search = match job.options.beams {
            0 | 1 => Search::Single { written: given, log_probability: 0.0 },
            _ => Search::Beam(Beam::new(job.options, given, job.uncounted)),
        };
        let stop = StopCheck::new(job.options);
        Row {
            number,
            job,
            vocabulary,
            cache,
            read: 0,
            search,
            stop,
            stream,
            tokens: Vec::new(),
            parted: false,
        }
    }

    /// Whether all that stands before the output has been read.
    fn is_prefilled(&self) -> bool {
        self.read == self.job.tokens.len()
    }

    /// Sets the tokens of the next step; reads at most `budget` of what stands before the output.
    /// Returns what it reads.
    fn prepare(&mut self, budget: usize) -> usize {
        if !self.is_prefilled() {
            let end = (self.read + budget).min(self.job.tokens.len());
            self.tokens = self.job.tokens[self.read..end].to_vec();
            let count = end - self.read;
            self.read = end;
            return count;
        }
        match &mut self.search {
            Search::Single { written, .. } => {
                self.tokens = written.last().copied().into_iter().collect()
            }
            Search::Beam(beam) => {
                let first = self.cache.rows() as u32;
                if !std::mem::replace(&mut self.parted, true) {
                    // Everything before the output is passed by all.
                    beam.paths.iter_mut().for_each(|path| path.extend(0..first));
                }
                self.tokens = beam.live.iter().filter_map(|h| h.written.last()).copied().collect();
                for (row, path) in (first..).zip(&mut beam.paths) {
                    path.push(row);
                }
            }
        }
        0
    }

    /// What is to be chosen next, for each hypothesis.
    fn edits(&self, tokenizer: &Tokenizer) -> Vec<Edits> {
        let frame = self.job.frame(tokenizer);
        match &self.search {
            Search::Single { written, .. } => vec![rules::edits(self.job.options, &frame, written)],
            Search::Beam(beam) => beam
                .live
                .iter()
                .map(|h| rules::edits(self.job.options, &frame, &h.written))
                .collect(),
        }
    }

    /// Takes the candidates of each hypothesis; `Some` when the output is finished.
    fn push(
        &mut self,
        candidates: &[Vec<Candidate>],
        model: &dyn Model,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Finish>> {
        let (options, room) = (self.job.options, self.job.room);
        match &mut self.search {
            Search::Single { written, log_probability } => {
                let Some(best) = candidates.first().and_then(|c| c.first()) else {
                    return Ok(Some(Finish::Stop));
                };
                if tokenizer.is_end(best.token) {
                    // An end that was forced is a cut all the same.
                    let forced = options.forced_end.is_some() && written.len() + 1 >= room;
                    return Ok(Some(if forced { Finish::Length } else { Finish::Stop }));
                }
                written.push(best.token);
                *log_probability += best.log_probability;
                if self.stop.reached(options, tokenizer, written)? {
                    return Ok(Some(Finish::Stop));
                }
                if options.end_loops && rules::is_loop(written) {
                    return Ok(Some(Finish::Loop));
                }
                Ok((written.len() >= room).then_some(Finish::Length))
            }
            Search::Beam(beam) => {
                let judge = Judgement {
                    job: self.job,
                    stop: &self.stop,
                    source: self.cache.source(),
                    model,
                    tokenizer,
                };
                let over = beam.advance(
                    candidates,
                    options,
                    room - self.job.uncounted,
                    tokenizer.ends().len(),
                    &judge,
                )?;
                let cut = beam.done.first().is_none_or(|best| best.cut);
                Ok(over.then_some(if cut { Finish::Length } else { Finish::Stop }))
            }
        }
    }

    /// The text that has become certain with the last tokens.
    fn news(&mut self, tokenizer: &Tokenizer) -> Result<Option<String>> {
        let certain = match &self.search {
            Search::Single { written, .. } => written.as_slice(),
            Search::Beam(beam) => beam.common(),
        };
        self.stream.next(self.job.options, tokenizer, certain)
    }

    fn output(self, finish: Finish, tokenizer: &Tokenizer) -> Result<Output> {
        let options = self.job.options;
        let text = |written: &[u32]| rules::text(options, tokenizer, written);
        let (ids, score, variants) = match self.search {
            Search::Single { written, log_probability } => {
                let score = log_probability / written.len().max(1) as f32;
                (written, score, Vec::new())
            }
            Search::Beam(beam) => {
                let mut done = beam.done.into_iter().take(options.outputs.max(1));
                let best = done.next().unwrap_or_default();
                let finish = |h: &Hypothesis| if h.cut { Finish::Length } else { Finish::Stop };
                let variant = |h: Hypothesis| {
                    Ok(Variant {
                        text: text(&h.written)?,
                        score: h.score,
                        finish: finish(&h),
                        ids: h.written,
                    })
                };
                (best.written, best.score, done.map(variant).collect::<Result<_>>()?)
            }
        };
        Ok(Output {
            text: text(&ids)?,
            prompt_tokens: self.job.prompt_tokens,
            tokens: ids.len(),
            ids,
            finish,
            score,
            variants,
        })
    }
}

impl<'a> Shared<'a> {
    /// Works until the queue is empty, somebody stops the work, or something fails; a failure stops
    /// the others too.
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
            if self.stop.load(Ordering::Relaxed) || self.interrupted.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let mut begun = self.choose(&rows);
            if rows.is_empty() && begun.is_empty() {
                let mut team = self.team();
                if team.again.is_empty() {
                    team.working -= 1;
                    return Ok(());
                }
                continue;
            }
            let advanced = self.admit(&mut rows, &mut begun).and_then(|()| self.step(&mut rows));
            match advanced {
                Ok(()) => {}
                Err(why) if why.is_out_of_memory() => {
                    begun.extend(rows.drain(..).map(|row| (row.number, row.stream)));
                    if self.retreat(begun, why)? {
                        return Ok(());
                    }
                }
                Err(why) => return Err(why),
            }
        }
    }

    /// Has jobs begun anew that a device had no memory for, with half as many at once; says whether
    /// others see to that.
    ///
    /// # Errors
    /// With `why`, when one job alone is too much.
    fn retreat(&self, jobs: Vec<(usize, Stream)>, why: Error) -> Result<bool> {
        let mut team = self.team();
        if team.working == 1 && team.batch == 1 {
            return Err(why);
        }
        team.batch = (team.batch / 2).max(1);
        team.again.extend(jobs);
        // What the others hold, they hold until they are done.
        let others = team.working > 1;
        if others {
            team.working -= 1;
        }
        Ok(others)
    }

    fn team(&self) -> MutexGuard<'_, Team> {
        self.team.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waiting jobs for which there is room, those first that are begun anew.
    fn choose(&self, rows: &[Row<'a>]) -> Vec<(usize, Stream)> {
        let mut team = self.team();
        let mut waiting: usize = rows.iter().map(|r| r.job.tokens.len() - r.read).sum();
        let mut places =
            team.batch.saturating_sub(rows.iter().map(|r| r.job.options.beams.max(1)).sum());
        let mut tokens: usize = rows.iter().map(|r| r.job.tokens_in_work()).sum();
        let mut begun: Vec<(usize, Stream)> = Vec::new();
        while places > 0 && waiting < self.prefill {
            let Some(&number) =
                team.again.last().map(|(number, _)| number).or(self.order.get(team.next))
            else {
                break;
            };
            let with = tokens.saturating_add(self.jobs[number].tokens_in_work());
            if with > self.batch_tokens && !(rows.is_empty() && begun.is_empty()) {
                break;
            }
            let job = team.again.pop().unwrap_or_else(|| {
                team.next += 1;
                (number, Stream::default())
            });
            tokens = with;
            places = places.saturating_sub(self.jobs[number].options.beams.max(1));
            waiting += self.jobs[number].reading();
            begun.push(job);
        }
        begun
    }

    /// Begins jobs; their sources go through the encoder together. What fails is still in `begun`.
    fn admit(&self, rows: &mut Vec<Row<'a>>, begun: &mut Vec<(usize, Stream)>) -> Result<()> {
        let sources: Vec<&[u32]> =
            begun.iter().filter_map(|&(n, _)| self.jobs[n].source.as_deref()).collect();
        let mut encoded = match self.model.encoder() {
            Some(encoder) if !sources.is_empty() => encoder.encode(&sources)?,
            _ => Vec::new(),
        }
        .into_iter();
        let mut begin = |number: usize| -> Result<(Arc<Vocabulary>, KvCache)> {
            let job = &self.jobs[number];
            let source = job.source.as_ref().and_then(|_| encoded.next());
            let cache = match (source, &job.prefix) {
                (Some(source), _) => KvCache::reading(source),
                (None, Some(prefix)) => KvCache::after(prefix.clone()),
                (None, None) => self.model.new_cache(),
            };
            let vocabulary = match (self.shortlist, &job.source) {
                // Chosen for each source alone, so that its result does not depend on the others.
                (Some(shortlist), Some(source)) => {
                    let output = self.model.output();
                    Arc::new(
                        job.vocabulary
                            .among(shortlist.tokens(source, output.vocabulary()), output)?,
                    )
                }
                _ => job.vocabulary.clone(),
            };
            Ok((vocabulary, cache))
        };
        let ready = begun.iter().map(|&(number, _)| begin(number)).collect::<Result<Vec<_>>>()?;
        let jobs = begun.drain(..).zip(ready);
        rows.extend(jobs.map(|((number, stream), (vocabulary, cache))| {
            Row::new(number, &self.jobs[number], stream, vocabulary, cache)
        }));
        Ok(())
    }

    /// Reads some prompt tokens of the new rows, and advances the others by one token.
    fn step(&self, rows: &mut Vec<Row<'_>>) -> Result<()> {
        let mut budget = self.prefill;
        for row in rows.iter_mut() {
            budget -= row.prepare(budget);
        }
        // The rows of `hidden` are the ends of the spans: one for a sequence, one for each
        // hypothesis of a beam.
        let mut spans = Vec::with_capacity(rows.len());
        let mut ready: Vec<(usize, std::ops::Range<u32>)> = Vec::with_capacity(rows.len());
        let mut end = 0;
        for (i, row) in rows.iter_mut().enumerate().filter(|(_, row)| !row.tokens.is_empty()) {
            let prefilled = row.is_prefilled();
            let paths = match &row.search {
                Search::Beam(beam) if row.parted => Some(beam.paths.as_slice()),
                _ => None,
            };
            let span = Span { tokens: &row.tokens, cache: &mut row.cache, paths };
            let places = end..end + span.ends().len() as u32;
            end = places.end;
            spans.push(span);
            if prefilled {
                ready.push((i, places));
            }
        }
        let hidden = self.model.forward(&mut spans)?; // (ends, dim)
        drop(spans);

        let mut finished: Vec<(usize, Finish)> = Vec::new();
        // Those of one vocabulary together.
        while let Some((first, _)) = ready.first() {
            let vocabulary = rows[*first].vocabulary.clone();
            let group: Vec<_> = ready
                .extract_if(.., |(row, _)| Arc::ptr_eq(&rows[*row].vocabulary, &vocabulary))
                .collect();
            let places: Vec<u32> = group.iter().flat_map(|(_, places)| places.clone()).collect();
            let hidden = if places.len() == end as usize {
                hidden.clone()
            } else {
                hidden.index_select(&Tensor::new(places, hidden.device())?, 0)?
            };
            let edits: Vec<Edits> =
                group.iter().flat_map(|(row, _)| rows[*row].edits(self.tokenizer)).collect();
            let mut candidates =
                vocabulary.candidates(&hidden, self.model.output(), &edits)?.into_iter();
            for (row, places) in group {
                let own: Vec<Vec<Candidate>> = candidates.by_ref().take(places.len()).collect();
                match rows[row].push(&own, self.model, self.tokenizer)? {
                    Some(finish) => finished.push((row, finish)),
                    None => self.tell(&mut rows[row])?,
                }
            }
        }

        finished.sort_unstable_by_key(|&(row, _)| std::cmp::Reverse(row));
        for (row, finish) in finished {
            let mut row = rows.remove(row);
            let (number, mut stream) = (row.number, std::mem::take(&mut row.stream));
            let output = row.output(finish, self.tokenizer)?;
            let heard = match (self.on_text, stream.rest(&output.text)) {
                (Some(on_text), Some(text)) => on_text(number, &text),
                _ => true,
            };
            if !heard || !(self.on_done)(number, &output) {
                self.stop.store(true, Ordering::Relaxed);
            }
            self.results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(output);
        }
        Ok(())
    }

    /// Hands out what is new of a row's text, to those who want it.
    fn tell(&self, row: &mut Row<'_>) -> Result<()> {
        if let Some(on_text) = self.on_text
            && let Some(text) = row.news(self.tokenizer)?
            && !on_text(row.number, &text)
        {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
