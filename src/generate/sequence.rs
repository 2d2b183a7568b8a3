//! One sequence: a request while it waits, and the output that grows out of it in a worker's batch.

use super::attention;
use super::batch_load::BatchLoad;
use super::beam::{Beam, End, Hypothesis, StoppingCriteria};
use super::constrained::ConstrainedBeam;
use super::constraint::Constraints;
use super::prefix_cache::Prefix;
use super::reply::Reply;
use super::rules::{self, DecodingContext, StopStrings};
use super::stream::TextStream;
use super::vocabulary::{Candidate, LogitsEdits, Vocabulary};
use super::{DecodingOptions, Finish, Output, Variant};
use crate::arch::{Footprint, Model};
use crate::error::{Error, Result};
use crate::main_memory::Share;
use crate::nn::{KvCache, SourceCache, Span};
use crate::token::Tokenizer;
use std::sync::Arc;

/// A request, tokenized and ready to run.
pub(super) struct QueuedRequest {
    pub options: DecodingOptions,
    /// What the encoder reads, of a model that has one.
    pub source: Option<Vec<u32>>,
    /// What stands before the output, a shared prefix apart: prompt and suffix, or what a decoder
    /// starts with; then the forced prefix of the output. Never empty.
    pub tokens: Vec<u32>,
    /// How many of `tokens`, at their end, are the beginning of the output.
    pub forced_prefix: usize,
    /// How many of these do not count for the output's length.
    pub free_tokens: usize,
    /// Tokens of the prompt alone.
    pub prompt_tokens: usize,
    /// Tokens of the longest output, the forced prefix included.
    pub max_length: usize,
    pub prefix: Option<Arc<Prefix>>,
    /// What the output has to say.
    pub constraints: Option<Arc<Constraints>>,
    pub vocabulary: Arc<Vocabulary>,
    /// What has been handed out of the text.
    pub stream: TextStream,
    /// The memory of its caches, once a worker has begun it.
    pub share: Option<Share>,
    /// Whether it holds a place of those for requests that are submitted one by one.
    pub holds_place: bool,
    /// Whether a device had no memory for it while others ran, so that it is begun anew with no
    /// other beside it.
    pub runs_alone: bool,
    pub reply: Reply,
}

impl QueuedRequest {
    /// Tokens that are read before the first is written.
    pub(super) fn prefill_tokens(&self) -> usize {
        self.source.as_ref().map_or(0, Vec::len) + self.tokens.len()
    }

    /// Tokens of its caches when it is done, at most.
    pub(super) fn most_tokens(&self) -> usize {
        (self.max_length - self.forced_prefix)
            .saturating_mul(self.hypotheses())
            .saturating_add(self.prefill_tokens())
    }

    /// Bytes of its caches when it is done, at most, in a model of this footprint.
    pub(super) fn memory(&self, footprint: Footprint) -> u64 {
        let source = self.source.as_ref().map_or(0, Vec::len);
        footprint.sequence(source, self.most_tokens() - source)
    }

    /// What it means for the batch that it is about to join.
    pub(super) fn load(&self) -> BatchLoad {
        BatchLoad {
            sequences: 1,
            hypotheses: self.hypotheses(),
            tokens: self.most_tokens(),
            unread: self.prefill_tokens(),
        }
    }

    /// Hypotheses that are advanced at once.
    pub(super) fn hypotheses(&self) -> usize {
        self.options.num_beams.max(1)
    }

    /// What a decoder starts with, or what is left of the prompt.
    fn start(&self) -> &[u32] {
        &self.tokens[..self.tokens.len() - self.forced_prefix]
    }

    fn context<'a>(&'a self, tokenizer: &'a Tokenizer) -> DecodingContext<'a> {
        DecodingContext {
            source: self.source.as_deref().unwrap_or_default(),
            // What a decoder starts with counts when repetition is looked for; the text of a prompt
            // does not.
            start: if self.source.is_some() { self.start() } else { &[] },
            ends: tokenizer.ends(),
            max_length: self.max_length,
        }
    }
}

/// How a sequence goes from candidates to an output.
enum Search {
    /// One token after the other.
    Single {
        written: Vec<u32>,
        log_probability: f32,
    },
    Beam(Beam),
    /// A beam of what has to say something.
    Constrained(Box<ConstrainedBeam>),
}

/// A sequence in the batch of a worker.
pub(super) struct Sequence {
    request: QueuedRequest,
    /// That of the request, or what a shortlist leaves of it.
    pub vocabulary: Arc<Vocabulary>,
    cache: KvCache,
    /// Tokens of the request that have been read.
    read: usize,
    search: Search,
    /// Where the attention of a constrained beam is: the same tokens, read for its weights alone.
    attention_cache: Option<KvCache>,
    stop: StopStrings,
    /// The tokens of this step, one for each hypothesis once everything is read.
    tokens: Vec<u32>,
    /// Whether the hypotheses of a beam have paths of their own: once everything before the output
    /// is read.
    has_branches: bool,
}

/// When the hypotheses of a sequence end, and what they lose for what they leave out.
struct SequenceCriteria<'a> {
    request: &'a QueuedRequest,
    stop: &'a StopStrings,
    source: Option<&'a Arc<SourceCache>>,
    model: &'a dyn Model,
    tokenizer: &'a Tokenizer,
}

impl StoppingCriteria for SequenceCriteria<'_> {
    type Error = Error;

    fn end(&self, hypothesis: &Hypothesis, token: u32) -> Result<Option<End>> {
        if self.tokenizer.is_end(token) {
            return Ok(Some(End::Token));
        }
        if self.request.options.stop.is_empty() {
            return Ok(None);
        }
        let written: Vec<u32> = hypothesis.written.iter().copied().chain([token]).collect();
        Ok(self.stop.reached(&self.request.options, self.tokenizer, &written)?.then_some(End::Text))
    }

    fn coverage(&self, written: &[u32], ended: bool) -> Result<f32> {
        let penalty = self.request.options.coverage_penalty;
        let (Some(encoder), Some(source), true) =
            (self.model.encoder(), self.source, penalty > 0.0)
        else {
            return Ok(0.0);
        };
        let start = self.request.start();
        let last = encoder.attention_layers().saturating_sub(1);
        let weights = attention::weights(
            encoder,
            source.clone(),
            &[start, written].concat(),
            start.len(),
            ended,
            (last, attention::Heads::Mean),
        )?;
        Ok(penalty * attention::coverage(&weights))
    }
}

impl Sequence {
    pub(super) fn new(
        request: QueuedRequest,
        vocabulary: Arc<Vocabulary>,
        cache: KvCache,
    ) -> Sequence {
        let options = &request.options;
        let forced = request.tokens[request.start().len()..].to_vec();
        let beam = |forced| Beam::new(options, forced, request.free_tokens);
        let search = match (&request.constraints, options.num_beams) {
            (Some(constraints), _) => {
                let beam = ConstrainedBeam::new(beam(forced), constraints.clone());
                Search::Constrained(Box::new(beam))
            }
            (None, 0 | 1) => Search::Single { written: forced, log_probability: 0.0 },
            (None, _) => Search::Beam(beam(forced)),
        };
        let source = cache.source().filter(|_| request.constraints.is_some());
        let attention_cache = source.map(|source| KvCache::reading(source.clone()));
        let stop = StopStrings::new(options);
        let (read, tokens, has_branches) = (0, Vec::new(), false);
        Sequence {
            request,
            vocabulary,
            cache,
            read,
            search,
            attention_cache,
            stop,
            tokens,
            has_branches,
        }
    }

    /// The request, to be begun anew.
    pub(super) fn into_request(self) -> QueuedRequest {
        self.request
    }

    /// Whether nobody wants its output any longer.
    pub(super) fn is_cancelled(&self) -> bool {
        self.request.reply.is_cancelled()
    }

    /// What it means for the batch that it is in.
    pub(super) fn load(&self) -> BatchLoad {
        BatchLoad { unread: self.request.tokens.len() - self.read, ..self.request.load() }
    }

    /// Whether all that stands before the output has been read.
    pub(super) fn is_prefilled(&self) -> bool {
        self.read == self.request.tokens.len()
    }

    /// Sets the tokens of the next step; reads at most `budget` of what stands before the output.
    /// Returns what it reads.
    pub(super) fn prepare(&mut self, budget: usize) -> usize {
        if !self.is_prefilled() {
            let end = (self.read + budget).min(self.request.tokens.len());
            self.tokens = self.request.tokens[self.read..end].to_vec();
            let count = end - self.read;
            self.read = end;
            return count;
        }
        if let Search::Single { written, .. } = &self.search {
            self.tokens = written.last().copied().into_iter().collect();
            return 0;
        }
        match self.search.beam_mut() {
            None => {}
            Some(beam) => {
                let first = self.cache.rows() as u32;
                if !std::mem::replace(&mut self.has_branches, true) {
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

    /// The tokens of this step, for the model; `None` when there are none.
    pub(super) fn span(&mut self) -> Option<Span<'_>> {
        let beam = self.search.beam().filter(|_| self.has_branches);
        let paths = beam.map(|beam| beam.paths.as_slice());
        let span = Span { tokens: &self.tokens, cache: &mut self.cache, paths };
        (!span.tokens.is_empty()).then_some(span)
    }

    /// What is to be chosen next, for each hypothesis.
    pub(super) fn edits(&self, tokenizer: &Tokenizer) -> Vec<LogitsEdits> {
        let context = self.request.context(tokenizer);
        match &self.search {
            Search::Single { written, .. } => {
                vec![rules::logits_edits(&self.request.options, &context, written)]
            }
            Search::Beam(beam) => beam
                .live
                .iter()
                .map(|h| rules::logits_edits(&self.request.options, &context, &h.written))
                .collect(),
            Search::Constrained(search) => {
                let of = |(h, (banned, wanted)): (&Hypothesis, (Vec<u32>, Vec<u32>))| {
                    let mut edits =
                        rules::logits_edits(&self.request.options, &context, &h.written);
                    if !banned.is_empty() {
                        edits.banned.extend(banned);
                        edits.banned.sort_unstable();
                        edits.banned.dedup();
                    }
                    LogitsEdits { wanted, ..edits }
                };
                search.beam.live.iter().zip(search.edits()).map(of).collect()
            }
        }
    }

    /// Takes the candidates of each hypothesis; `Some` when the output is finished.
    pub(super) fn push(
        &mut self,
        candidates: &[Vec<Candidate>],
        model: &dyn Model,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Finish>> {
        let attention = self.look(model)?;
        let (options, max_length) = (&self.request.options, self.request.max_length);
        match &mut self.search {
            Search::Single { written, log_probability } => {
                let Some(best) = candidates.first().and_then(|c| c.first()) else {
                    return Ok(Some(Finish::Stop));
                };
                if tokenizer.is_end(best.token) {
                    // An end that was forced is a cut all the same.
                    let forced = options.forced_end.is_some() && written.len() + 1 >= max_length;
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
                Ok((written.len() >= max_length).then_some(Finish::Length))
            }
            Search::Beam(beam) => {
                let criteria = SequenceCriteria {
                    request: &self.request,
                    stop: &self.stop,
                    source: self.cache.source(),
                    model,
                    tokenizer,
                };
                let over = beam.advance(
                    candidates,
                    options,
                    max_length - self.request.free_tokens,
                    tokenizer.ends().len(),
                    &criteria,
                )?;
                Ok(over.then(|| beam.finish_of_best()))
            }
            Search::Constrained(search) => {
                let criteria = SequenceCriteria {
                    request: &self.request,
                    stop: &self.stop,
                    source: self.cache.source(),
                    model,
                    tokenizer,
                };
                let over = search.advance(
                    candidates,
                    &attention,
                    options,
                    max_length - self.request.free_tokens,
                    tokenizer.ends().len(),
                    &criteria,
                )?;
                Ok(over.then(|| search.beam.finish_of_best()))
            }
        }
    }

    /// The weights of the attention to the source with which each hypothesis of a constrained beam
    /// goes on; none where nobody asks any longer.
    fn look(&mut self, model: &dyn Model) -> Result<Vec<Vec<f32>>> {
        let (Search::Constrained(search), Some(cache)) = (&self.search, &mut self.attention_cache)
        else {
            return Ok(Vec::new());
        };
        let encoder = model.encoder().filter(|_| search.looks());
        let Some(encoder) = encoder else {
            self.attention_cache = None;
            return Ok(Vec::new());
        };
        let (layer, heads) = attention::Heads::aligning(encoder);
        if !self.has_branches {
            // What stands before the output is read at once.
            let mut span = Span::new(&self.request.tokens, cache);
            let rows = heads.of(&encoder.attention(&mut span, layer)?)?;
            return Ok(rows.last().cloned().into_iter().collect());
        }
        let paths = Some(search.beam.paths.as_slice());
        let mut span = Span { tokens: &self.tokens, cache, paths };
        heads.of(&encoder.attention(&mut span, layer)?)
    }

    /// Hands out the text that has become certain with the last tokens, if that is wanted.
    pub(super) fn stream(&mut self, tokenizer: &Tokenizer) -> Result<()> {
        if !self.request.reply.streams {
            return Ok(());
        }
        let certain = match &self.search {
            Search::Single { written, .. } => written.as_slice(),
            Search::Beam(beam) => beam.common(),
            // What has all may yet lose to what has most.
            Search::Constrained(_) => &[],
        };
        if let Some(delta) = self.request.stream.delta(&self.request.options, tokenizer, certain)? {
            self.request.reply.text(delta);
        }
        Ok(())
    }

    /// Hands out the output.
    pub(super) fn finish(self, finish: Finish, tokenizer: &Tokenizer) {
        let Sequence { request, search, .. } = self;
        let QueuedRequest { options, mut stream, reply, prompt_tokens, .. } = request;
        let output = search.output(&options, finish, prompt_tokens, tokenizer);
        if let Ok(output) = &output
            && reply.streams
            && let Some(rest) = stream.rest(&output.text)
        {
            reply.text(rest);
        }
        reply.finish(output);
    }
}

impl Search {
    fn beam(&self) -> Option<&Beam> {
        match self {
            Search::Single { .. } => None,
            Search::Beam(beam) => Some(beam),
            Search::Constrained(search) => Some(&search.beam),
        }
    }

    fn beam_mut(&mut self) -> Option<&mut Beam> {
        match self {
            Search::Single { .. } => None,
            Search::Beam(beam) => Some(beam),
            Search::Constrained(search) => Some(&mut search.beam),
        }
    }

    fn output(
        self,
        options: &DecodingOptions,
        finish: Finish,
        prompt_tokens: usize,
        tokenizer: &Tokenizer,
    ) -> Result<Output> {
        let text = |written: &[u32]| rules::text(options, tokenizer, written);
        let beam = match self {
            Search::Single { written, log_probability } => {
                let score = log_probability / written.len().max(1) as f32;
                return Ok(Output {
                    text: text(&written)?,
                    prompt_tokens,
                    tokens: written.len(),
                    ids: written,
                    finish,
                    score,
                    variants: Vec::new(),
                });
            }
            Search::Beam(beam) => beam,
            Search::Constrained(search) => search.beam,
        };
        let mut done = beam.done.into_iter().take(options.outputs.max(1));
        let best = done.next().unwrap_or_default();
        let variant = |h: Hypothesis| {
            let finish = if h.cut { Finish::Length } else { Finish::Stop };
            Ok(Variant { text: text(&h.written)?, score: h.score, finish, ids: h.written })
        };
        Ok(Output {
            text: text(&best.written)?,
            prompt_tokens,
            tokens: best.written.len(),
            score: best.score,
            ids: best.written,
            finish,
            variants: done.map(variant).collect::<Result<_>>()?,
        })
    }
}
