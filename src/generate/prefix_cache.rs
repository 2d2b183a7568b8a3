//! Prefixes that many requests share: read once, kept for later requests.

use crate::arch::Model;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::main_memory::{MemoryBudget, Share};
use crate::nn::{KvCache, Span};
use crate::token::Tokenizer;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The prefixes that requests used last, up to [`PrefixCache::LIMIT`].
pub(super) struct PrefixCache {
    model: Arc<dyn Model>,
    tokenizer: Arc<Tokenizer>,
    /// Tokens read in one step.
    prefill: usize,
    memory: MemoryBudget,
    cancel: CancelToken,
    /// The one used last stands last.
    held: Mutex<Vec<Arc<Prefix>>>,
}

/// A prefix, and its keys and values once a worker has read it.
pub(super) struct Prefix {
    text: String,
    /// Its tokens, with the one that begins a text.
    pub tokens: Vec<u32>,
    state: Mutex<State>,
    /// Woken when the state is no longer [`State::Reading`].
    changed: Condvar,
}

enum State {
    Unread,
    /// A worker is at it; others that need it wait.
    Reading,
    Read {
        cache: Arc<KvCache>,
        /// The memory that it takes.
        _share: Share,
    },
}

impl PrefixCache {
    /// Bytes of keys, values, tokens and texts.
    const LIMIT: usize = 512 << 20;

    pub(super) fn new(
        model: Arc<dyn Model>,
        tokenizer: Arc<Tokenizer>,
        prefill: usize,
        memory: MemoryBudget,
        cancel: CancelToken,
    ) -> PrefixCache {
        let held = Mutex::default();
        PrefixCache { model, tokenizer, prefill: prefill.max(1), memory, cancel, held }
    }

    /// The prefix with this text. It is not read yet if no request has used it before.
    pub(super) fn get(&self, text: &str) -> Result<Arc<Prefix>> {
        if let Some(held) = self.touch(text) {
            return Ok(held);
        }
        // Outside of the lock: long texts take the tokenizer a while.
        let mut tokens: Vec<u32> = self.tokenizer.begin().into_iter().collect();
        tokens.extend(self.tokenizer.encode(text)?);
        let prefix = Arc::new(Prefix {
            text: text.to_string(),
            tokens,
            state: Mutex::new(State::Unread),
            changed: Condvar::new(),
        });
        // Another thread may have been faster.
        Ok(self.touch(text).unwrap_or_else(|| {
            self.held.lock().unwrap_or_else(PoisonError::into_inner).push(prefix.clone());
            prefix
        }))
    }

    /// The prefix if it is held, which makes it the one used last.
    fn touch(&self, text: &str) -> Option<Arc<Prefix>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|prefix| prefix.text == text)?;
        let prefix = held.remove(at);
        held.push(prefix.clone());
        Some(prefix)
    }

    /// The keys and values of a prefix, for a worker: reads it if nobody has, and waits if another
    /// worker is reading it.
    ///
    /// # Errors
    /// When the device fails or the engine is stopped; the next call tries again.
    pub(super) fn read(&self, prefix: &Prefix) -> Result<Arc<KvCache>> {
        let mut state = prefix.lock();
        loop {
            match &*state {
                State::Read { cache, .. } => return Ok(cache.clone()),
                State::Unread => break,
                State::Reading => {
                    state = prefix.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        *state = State::Reading;
        drop(state);
        let reading = Reading(prefix);
        let mut cache = self.model.new_cache();
        for tokens in prefix.tokens.chunks(self.prefill) {
            self.cancel.check()?;
            self.model.forward(&mut [Span::new(tokens, &mut cache)])?;
        }
        cache.shrink();
        let cache = Arc::new(cache);
        let share = self.memory.borrow(cache.bytes() as u64);
        *prefix.lock() = State::Read { cache: cache.clone(), _share: share };
        drop(reading);
        self.evict();
        Ok(cache)
    }

    /// Forgets the prefixes used longest ago that exceed the limit.
    fn evict(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total: usize = held.iter().map(|prefix| prefix.bytes()).sum();
        // Most of what is bounded is for texts.
        let limit = self.memory.limit().map_or(u64::MAX, |limit| limit / 8);
        let limit = usize::try_from(limit).map_or(Self::LIMIT, |limit| limit.min(Self::LIMIT));
        while total > limit && held.len() > 1 {
            total -= held.remove(0).bytes();
        }
    }
}

impl Prefix {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> usize {
        let read = if let State::Read { cache, .. } = &*self.lock() { cache.bytes() } else { 0 };
        read + self.text.len() + self.tokens.len() * size_of::<u32>()
    }
}

/// The claim of the worker that reads a prefix; without a result, the prefix is unread again.
struct Reading<'a>(&'a Prefix);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Reading) {
            *state = State::Unread;
        }
        self.0.changed.notify_all();
    }
}
