//! A loaded model behind the face of [`Generate`].

use super::prefix_cache::PrefixCache;
use super::scheduler::{Limits, Scheduler};
use super::vocabulary_cache::VocabularyCache;
use super::word_pieces::WordPieces;
use super::worker::{Worker, WorkerThread};
use super::{
    Alignment, Capability, DecodingOptions, EngineSettings, Generate, GenerationConfig,
    LanguagePrompt, OnText, Output, Request,
};
use crate::arch::{Macs, Model};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::main_memory::Share;
use crate::token::Tokenizer;
use crate::types::{Lang, Prompting, TokenAlignment};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A model, its tokenizer, and workers that run it as long as the engine lives. Any number of
/// threads may use it at once: their requests share the batches of the workers, and have the same
/// outputs as each alone.
pub struct Engine {
    pub(super) id: String,
    /// See [`Generate::fingerprint`].
    fingerprint: Option<String>,
    pub(super) model: Arc<dyn Model>,
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) config: Arc<GenerationConfig>,
    /// See [`Generate::capabilities`].
    pub(super) capabilities: Vec<Capability>,
    pub(super) settings: EngineSettings,
    pub(super) prefixes: Arc<PrefixCache>,
    pub(super) vocabularies: VocabularyCache,
    /// Answers of [`Generate::language_prompt`], which is asked for every sentence.
    language_prompts: Mutex<HashMap<(Lang, Lang), Option<LanguagePrompt>>>,
    /// Made for the first request with constraints.
    word_pieces: OnceLock<Arc<WordPieces>>,
    pub(super) scheduler: Arc<Scheduler>,
    workers: Vec<WorkerThread>,
    /// The memory that its weights take, where somebody has reserved it.
    share: Option<Share>,
    /// The memory that the steps of all workers take.
    steps: Share,
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
        config: GenerationConfig,
        settings: EngineSettings,
    ) -> Result<Engine> {
        let id = id.into();
        if model.encoder().is_some() && config.start.is_empty() {
            return Err(Error::model(id, "its configuration has no decoder_start_token_id"));
        }
        Engine::start(id, model.into(), Arc::new(tokenizer), Arc::new(config), settings)
    }

    /// Starts the workers.
    fn start(
        id: String,
        model: Arc<dyn Model>,
        tokenizer: Arc<Tokenizer>,
        config: Arc<GenerationConfig>,
        settings: EngineSettings,
    ) -> Result<Engine> {
        let limits = Limits {
            workers: settings.workers.max(1),
            batch: settings.batch.max(1),
            batch_tokens: settings.batch_tokens,
            memory: settings.memory.clone(),
            footprint: model.footprint(),
            prefill: settings.prefill.max(1),
            queue: settings.queue.max(1),
        };
        let step = (limits.footprint.step as u64).saturating_mul(limits.prefill as u64);
        let steps = settings.memory.keep(step.saturating_mul(limits.workers as u64));
        let prefixes = PrefixCache::new(
            model.clone(),
            tokenizer.clone(),
            limits.prefill,
            settings.memory.clone(),
            settings.cancel.clone(),
        );
        let vocabularies =
            VocabularyCache::new(model.clone(), tokenizer.clone(), config.clone(), settings.allows);
        let mut engine = Engine {
            id,
            fingerprint: None,
            model,
            tokenizer,
            capabilities: config.capabilities.clone(),
            config,
            prefixes: Arc::new(prefixes),
            vocabularies,
            language_prompts: Mutex::default(),
            word_pieces: OnceLock::new(),
            scheduler: Arc::new(Scheduler::new(limits.clone(), settings.cancel.clone())),
            settings,
            workers: Vec::new(),
            share: None,
            steps,
        };
        let worker = |number| Worker {
            number,
            model: engine.model.clone(),
            tokenizer: engine.tokenizer.clone(),
            config: engine.config.clone(),
            prefixes: engine.prefixes.clone(),
            scheduler: engine.scheduler.clone(),
            prefill: limits.prefill,
        };
        // Those that run already are stopped with the engine where the system gives no more.
        for number in 0..limits.workers {
            let worker = worker(number);
            engine.workers.push(WorkerThread::start(worker)?);
        }
        Ok(engine)
    }

    /// The same model under other settings.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn with_settings(mut self, settings: EngineSettings) -> Result<Engine> {
        let (id, model, tokenizer, config) =
            (self.id.clone(), self.model.clone(), self.tokenizer.clone(), self.config.clone());
        let (capabilities, fingerprint) = (self.capabilities.clone(), self.fingerprint.clone());
        let share = self.share.take();
        // Its workers end before others start.
        drop(self);
        let mut engine = Engine::start(id, model, tokenizer, config, settings)?;
        engine.capabilities = capabilities;
        engine.fingerprint = fingerprint;
        engine.share = share;
        Ok(engine)
    }

    /// Bytes of main memory that it takes once it works, for the steps of all its workers.
    pub fn step_memory(&self) -> u64 {
        self.steps.bytes()
    }

    /// The engine with the share of a [`MemoryBudget`](crate::main_memory::MemoryBudget) that its
    /// model takes as long as it lives.
    pub fn with_share(mut self, share: Share) -> Engine {
        self.share = Some(share);
        self
    }

    /// This model, asked as the catalog says. That changes nothing for models with an encoder,
    /// nor for those that an adapter was fine-tuned for.
    pub fn with_prompting(mut self, prompting: Prompting) -> Engine {
        let held = &mut self.capabilities;
        if self.model.encoder().is_none() && !held.contains(&Capability::FineTuned) {
            let template = held.iter().find_map(Capability::chat_template).cloned();
            *held = Capability::of_language_model(Some(prompting), template);
        }
        self
    }

    /// The engine with the fingerprint of its model's files.
    pub fn with_fingerprint(mut self, fingerprint: impl Into<String>) -> Engine {
        self.fingerprint = Some(fingerprint.into());
        self
    }

    /// Whether the model is a decoder alone, which reads its prompt and writes in one sequence.
    pub fn is_decoder_only(&self) -> bool {
        self.model.encoder().is_none()
    }

    /// How it works.
    pub fn settings(&self) -> EngineSettings {
        self.settings.clone()
    }

    /// What its tokens mean for words.
    pub(super) fn word_pieces(&self) -> Arc<WordPieces> {
        let make = || Arc::new(WordPieces::of(&self.tokenizer, self.vocabulary_size()));
        self.word_pieces.get_or_init(make).clone()
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
        let work = self.model.macs();
        if options.shortlist && self.config.shortlist.is_some() {
            return Ok(Macs { output: 0, ..work });
        }
        let all = self.vocabulary_size().max(1) as u64;
        let size = self.vocabularies.get(options)?.size().map_or(all, |size| size as u64);
        Ok(Macs { output: work.output / all * size, ..work })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.scheduler.close();
    }
}

impl Generate for Engine {
    fn id(&self) -> &str {
        &self.id
    }

    fn fingerprint(&self) -> &str {
        self.fingerprint.as_deref().unwrap_or(&self.id)
    }

    fn context_length(&self) -> usize {
        self.model.context_length()
    }

    fn macs(&self) -> u64 {
        let work = self.model.macs();
        work.token + work.output
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
        lock(&self.language_prompts).entry((from.clone(), to.clone())).or_insert_with(find).clone()
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn defaults(&self) -> DecodingOptions {
        self.config.options.clone()
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(self.tokenizer.encode_plain(text)?.len())
    }

    fn unknown(&self, text: &str) -> Result<Vec<Range<usize>>> {
        self.unknown_parts(text)
    }

    fn aligns(&self) -> bool {
        !self.is_decoder_only()
    }

    fn align(&self, pairs: &[(&Request, &[u32])], layer: Option<usize>) -> Result<Vec<Alignment>> {
        self.alignments(pairs, layer)
    }

    fn relate(&self, pairs: &[(&str, &str)]) -> Result<Vec<Option<TokenAlignment>>> {
        self.related(pairs)
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
        self.run(requests, &CancelToken::new(), None, on_done)
    }

    fn stream(
        &self,
        requests: &[Request],
        on_text: OnText<'_>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.run(requests, &CancelToken::new(), Some(on_text), on_done)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
