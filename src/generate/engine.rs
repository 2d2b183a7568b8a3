//! A loaded model behind the face of [`Generate`].

use super::shortlist::{Shortlist, TokenSet};
use super::vocabulary::Vocabulary;
use super::worker::{Job, Shared, Team};
use super::{Alignment, DecodingOptions, Generate, LanguagePrompt, OnText, Output, Request};
use crate::arch::{Encoder, Macs, Model};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::nn::{KvCache, Span};
use crate::token::{Piece, Tokenizer};
use crate::types::Lang;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How an engine works. None of it changes a result.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Workers, each on a core of its own.
    pub workers: usize,
    /// Hypotheses that a worker advances at once; a sequence has one, or as many as its beam is
    /// wide.
    pub batch: usize,
    /// Tokens of the sequences that a worker advances at once: what each of them reads, and what it
    /// may write, that of a beam once for each hypothesis. A sequence that has more by itself is
    /// alone. The memory of the caches grows with it.
    pub batch_tokens: usize,
    /// Prompt tokens that a worker reads in one step.
    pub prefill: usize,
    /// Stops all work of the engine between two steps, with [`Error::Interrupted`].
    pub cancel: CancelToken,
    /// Whether text in a language may hold a character, for [`super::DecodingOptions::language`].
    pub allows: fn(&Lang, char) -> bool,
}

/// What a model's files say about generation.
#[derive(Clone, Debug, Default)]
pub struct GenerationConfig {
    /// How it should write when nothing else is asked for.
    pub options: DecodingOptions,
    /// What a decoder beside an encoder starts with.
    pub start: Vec<u32>,
    /// What it wants to read before an article that it is to summarize, and how it should write
    /// then.
    pub summarizing: (String, DecodingOptions),
    /// What a source leaves of the vocabulary for its translation.
    pub shortlist: Option<Shortlist>,
    /// The tokens that text of a language is made of, by its code; text of other languages may have
    /// any.
    pub languages: HashMap<String, TokenSet>,
    /// Whether a prompted model was taught its task, see [`Generate::is_taught`].
    pub taught: bool,
}

/// A model, its tokenizer, and workers that run it.
pub struct Engine {
    pub(super) id: String,
    pub(super) model: Box<dyn Model>,
    pub(super) tokenizer: Tokenizer,
    pub(super) conventions: GenerationConfig,
    pub(super) settings: EngineSettings,
    /// One pool of one thread for each worker: what candle's operations spawn stays on the worker's
    /// core, where it cannot be held up by another worker's work.
    pools: Vec<ThreadPool>,
    prefixes: Mutex<Prefixes>,
    vocabularies: Mutex<HashMap<Writing, Arc<Vocabulary>>>,
    /// Answers of [`Generate::language_prompt`], which is asked for every sentence.
    addresses: Mutex<HashMap<(Lang, Lang), Option<LanguagePrompt>>>,
}

/// What decides which tokens may be written: a language, and whether its shortlist is kept to.
type Writing = (Option<Lang>, bool);

/// Prefixes that were read, kept for later calls: those used last, up to [`Prefixes::LIMIT`].
#[derive(Default)]
struct Prefixes {
    /// The one used last stands last.
    held: Vec<(String, Arc<KvCache>)>,
}

impl Prefixes {
    /// Bytes.
    const LIMIT: usize = 512 << 20;

    fn get(&mut self, prefix: &str) -> Option<Arc<KvCache>> {
        let at = self.held.iter().position(|(held, _)| held == prefix)?;
        let entry = self.held.remove(at);
        let cache = entry.1.clone();
        self.held.push(entry);
        Some(cache)
    }

    fn insert(&mut self, prefix: &str, cache: Arc<KvCache>) {
        self.held.push((prefix.to_string(), cache));
        let mut total: usize = self.held.iter().map(|(_, cache)| cache.bytes()).sum();
        while total > Self::LIMIT && self.held.len() > 1 {
            total -= self.held.remove(0).1.bytes();
        }
    }
}

impl Engine {
    /// `id` stands in records.
    ///
    /// # Errors
    /// When the system gives no threads, or a model with an encoder has nothing that its decoder
    /// starts with.
    pub fn new(
        id: impl Into<String>,
        model: Box<dyn Model>,
        tokenizer: Tokenizer,
        conventions: GenerationConfig,
        settings: EngineSettings,
    ) -> Result<Engine> {
        let id = id.into();
        if model.encoder().is_some() && conventions.start.is_empty() {
            return Err(Error::model(id, "its configuration has no decoder_start_token_id"));
        }
        let pool = |i| {
            ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(move |_| format!("worker-{i}"))
                .build()
        };
        let pools = (0..settings.workers.max(1))
            .map(pool)
            .collect::<Result<_, _>>()
            .map_err(|e| Error::Compute(Box::new(e)))?;
        let (prefixes, vocabularies, addresses) =
            (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Engine {
            id,
            model,
            tokenizer,
            conventions,
            settings,
            pools,
            prefixes,
            vocabularies,
            addresses,
        })
    }

    /// The same model under other settings.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn with_settings(self, settings: EngineSettings) -> Result<Engine> {
        Engine::new(self.id, self.model, self.tokenizer, self.conventions, settings)
    }

    /// How it works.
    pub fn settings(&self) -> EngineSettings {
        self.settings.clone()
    }

    /// Size of the vocabulary that it writes with.
    pub fn vocabulary_size(&self) -> usize {
        self.model.output().vocabulary()
    }

    /// How much the model multiplies for each token of a request with these options. What a
    /// shortlist leaves of the output layer differs from source to source and is not counted.
    ///
    /// # Errors
    /// When the device fails.
    pub fn work(&self, options: &DecodingOptions) -> Result<Macs> {
        let work = self.model.work();
        if self.conventions.shortlist.is_some() {
            return Ok(Macs { output: 0, ..work });
        }
        let all = self.vocabulary_size().max(1) as u64;
        let size = self.vocabulary(options)?.size().map_or(all, |size| size as u64);
        Ok(Macs { output: work.output / all * size, ..work })
    }

    /// Runs `work` on every worker and waits; the first error in the order of the workers is
    /// returned, a failure before an interruption.
    pub(super) fn on_workers(&self, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
        let results: Vec<Result<()>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                self.pools.iter().map(|pool| scope.spawn(|| pool.install(&work))).collect();
            let join = |t: std::thread::ScopedJoinHandle<'_, Result<()>>| {
                t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        });
        let mut errors: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
        errors.sort_by_key(|e| matches!(e, Error::Interrupted));
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// Prefixes, read; those that are not held from earlier calls are shared among the workers.
    pub(super) fn read_prefixes<'a>(
        &self,
        prefixes: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, Arc<KvCache>>> {
        let mut wanted: HashMap<String, Arc<KvCache>> = HashMap::new();
        let mut missing: Vec<&str> = Vec::new();
        let mut held = lock(&self.prefixes);
        for prefix in prefixes {
            if wanted.contains_key(prefix) || missing.contains(&prefix) {
                continue;
            }
            match held.get(prefix) {
                Some(cache) => drop(wanted.insert(prefix.to_string(), cache)),
                None => missing.push(prefix),
            }
        }
        drop(held);
        let next = AtomicUsize::new(0);
        let read = Mutex::new(&mut wanted);
        self.on_workers(|| {
            while let Some(prefix) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut cache = self.read_prefix(prefix)?;
                cache.shrink();
                lock(&read).insert((*prefix).to_string(), Arc::new(cache));
            }
            Ok(())
        })?;
        let mut held = lock(&self.prefixes);
        for prefix in missing {
            if let Some(cache) = wanted.get(prefix) {
                held.insert(prefix, cache.clone());
            }
        }
        Ok(wanted)
    }

    fn read_prefix(&self, prefix: &str) -> Result<KvCache> {
        let mut tokens: Vec<u32> = self.tokenizer.begin().into_iter().collect();
        tokens.extend(self.tokenizer.encode(prefix)?);
        if tokens.len() >= self.model.context_length() {
            return Err(self.too_long(tokens.len()));
        }
        let mut cache = self.model.new_cache();
        for tokens in tokens.chunks(self.settings.prefill.max(1)) {
            self.settings.cancel.check()?;
            self.model.forward(&mut [Span::new(tokens, &mut cache)])?;
        }
        Ok(cache)
    }

    pub(super) fn too_long(&self, tokens: usize) -> Error {
        let context = self.model.context_length();
        Error::model(
            &self.id,
            format!(
                "a prompt of {tokens} tokens leaves no room in its context of {context}; split the text"
            ),
        )
    }

    /// The tokens that may be written: those whose every character the language's scripts allow,
    /// and that are in its shortlist if that is wanted.
    pub(super) fn vocabulary(&self, options: &DecodingOptions) -> Result<Arc<Vocabulary>> {
        let mut held = lock(&self.vocabularies);
        let listed = options
            .language
            .as_ref()
            .and_then(|lang| self.conventions.languages.get(lang.as_str()))
            .filter(|_| options.shortlist);
        let key = (options.language.clone(), listed.is_some());
        if let Some(vocabulary) = held.get(&key) {
            return Ok(vocabulary.clone());
        }
        let vocabulary = match &options.language {
            None => Arc::new(Vocabulary::all()),
            Some(lang) => {
                let size = self.model.output().vocabulary() as u32;
                let writes = |(id, piece): &(u32, Piece)| match piece {
                    Piece::Text(_) if listed.is_some_and(|listed| !listed.contains(*id)) => false,
                    Piece::Text(text) => text.chars().all(|c| (self.settings.allows)(lang, c)),
                    Piece::Bytes => true,
                    Piece::Control => self.tokenizer.is_end(*id),
                };
                let tokens: Vec<u32> = self
                    .tokenizer
                    .pieces()
                    .into_par_iter()
                    .filter(writes)
                    .map(|(id, _)| id)
                    .filter(|&id| id < size)
                    .collect();
                // A language that allows everything needs no copy of the layer, nor does one that
                // allows what another one does.
                match held.values().find(|held| held.is(&tokens)) {
                    Some(same) => same.clone(),
                    None if tokens.len() as u32 * 10 > size * 9 => Arc::new(Vocabulary::all()),
                    None => Arc::new(Vocabulary::some(tokens, self.model.output())?),
                }
            }
        };
        held.insert(key, vocabulary.clone());
        Ok(vocabulary)
    }

    fn job<'a>(
        &self,
        request: &'a Request,
        prefixes: &HashMap<String, Arc<KvCache>>,
    ) -> Result<Job<'a>> {
        let vocabulary = self.vocabulary(&request.options)?;
        let options = &request.options;
        let prompt = self.tokenizer.encode_plain(&request.prompt)?;
        let prompt_tokens = prompt.len();
        let begin = request
            .begin
            .as_ref()
            .map(|text| self.begin(text))
            .transpose()?
            .or(options.forced_begin);
        let forced = self.tokenizer.encode(&request.output_prefix)?;
        // As in `transformers`, the token counts as written, the text as given.
        let uncounted = forced.len();
        let given: Vec<u32> = begin.into_iter().chain(forced).collect();
        let (source, mut tokens, prefix) = if let Some(encoder) = self.model.encoder() {
            (Some(self.source(encoder, request)?), self.conventions.start.clone(), None)
        } else {
            (None, self.with_suffix(prompt, request)?, prefixes.get(&request.prefix).cloned())
        };
        tokens.extend(&given);
        let used = tokens.len() - given.len() + prefix.as_ref().map_or(0, |p| p.len());
        let room = (self.model.context_length().saturating_sub(used))
            .min(options.max_tokens.max(1 + given.len() - uncounted).saturating_add(uncounted));
        if room <= given.len() {
            return Err(self.too_long(used));
        }
        Ok(Job {
            options,
            source,
            tokens,
            given: given.len(),
            uncounted,
            prompt_tokens,
            room,
            prefix,
            vocabulary,
        })
    }

    /// What a language model reads after the prefix: the prompt, as tokens, and the suffix.
    pub(super) fn with_suffix(&self, mut prompt: Vec<u32>, request: &Request) -> Result<Vec<u32>> {
        prompt.extend(self.tokenizer.encode(&request.suffix)?);
        if prompt.is_empty() {
            return Err(Error::model(
                &self.id,
                "a prompt without text; expected at least one token after the prefix",
            ));
        }
        Ok(prompt)
    }

    /// What the encoder reads.
    pub(super) fn source(&self, encoder: &dyn Encoder, request: &Request) -> Result<Vec<u32>> {
        let source = match &request.source {
            Some(ids) => ids.clone(),
            None => self.tokenizer.encode_source(&request.prefix, &request.prompt)?,
        };
        let (tokens, context) = (source.len(), encoder.context_length());
        if tokens == 0 || tokens > context {
            return Err(Error::model(
                &self.id,
                format!("a source of {tokens} tokens; it reads 1 to {context}: split the text"),
            ));
        }
        Ok(source)
    }

    fn run(
        &self,
        requests: &[Request],
        on_text: Option<OnText<'_>>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let prefixes = if self.model.encoder().is_some() {
            HashMap::new()
        } else {
            self.read_prefixes(requests.iter().map(|r| r.prefix.as_str()))?
        };
        let jobs = requests
            .iter()
            .map(|request| self.job(request, &prefixes))
            .collect::<Result<Vec<_>>>()?;
        // The longest first: what is begun last should be short, so that the workers finish
        // together.
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by_key(|&i| Reverse(jobs[i].reading()));
        // Few jobs are shared out evenly, where one worker could take them all.
        let hypotheses: usize = jobs.iter().map(|job| job.options.beams.max(1)).sum();
        let share = hypotheses.div_ceil(self.settings.workers.max(1));
        let shared = Shared {
            model: &*self.model,
            tokenizer: &self.tokenizer,
            shortlist: self.conventions.shortlist.as_ref(),
            jobs: &jobs,
            order: &order,
            results: Mutex::new(vec![None; jobs.len()]),
            stop: AtomicBool::new(false),
            interrupted: &self.settings.cancel,
            on_text,
            on_done,
            team: Mutex::new(Team::new(self.pools.len(), self.settings.batch.min(share).max(1))),
            batch_tokens: self.settings.batch_tokens,
            prefill: self.settings.prefill.max(1),
        };
        self.on_workers(|| shared.work())?;
        let results = shared.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().collect::<Option<Vec<Output>>>().ok_or(Error::Interrupted)
    }

    /// The token that an output is to begin with.
    fn begin(&self, text: &str) -> Result<u32> {
        self.tokenizer.token_id(text).ok_or_else(|| {
            Error::model(&self.id, format!("its vocabulary has no token {text:?} to begin with"))
        })
    }
}

impl Generate for Engine {
    fn id(&self) -> &str {
        &self.id
    }

    fn context_length(&self) -> usize {
        self.model.context_length()
    }

    fn prompt_length(&self) -> usize {
        // Beside the text there are a language's token and the ends.
        self.model.encoder().map_or(self.model.context_length() / 2, |e| {
            e.context_length().saturating_sub(4).max(1)
        })
    }

    fn language_prompt(&self, from: &Lang, to: &Lang) -> Option<LanguagePrompt> {
        let find = || {
            self.model.language_prompt(from, to, &|token| self.tokenizer.token_id(token).is_some())
        };
        lock(&self.addresses).entry((from.clone(), to.clone())).or_insert_with(find).clone()
    }

    fn is_prompted(&self) -> bool {
        self.model.encoder().is_none()
    }

    fn is_taught(&self) -> bool {
        self.conventions.taught
    }

    fn defaults(&self) -> DecodingOptions {
        self.conventions.options.clone()
    }

    fn summarizing(&self) -> (String, DecodingOptions) {
        self.conventions.summarizing.clone()
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(self.tokenizer.encode_plain(text)?.len())
    }

    fn align(&self, pairs: &[(&Request, &[u32])], layer: Option<usize>) -> Result<Vec<Alignment>> {
        self.alignments(pairs, layer)
    }

    fn score(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        self.scores(pairs, on_done)
    }

    fn generate(
        &self,
        requests: &[Request],
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.run(requests, None, on_done)
    }

    fn stream(
        &self,
        requests: &[Request],
        on_text: OnText<'_>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.run(requests, Some(on_text), on_done)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
