//! How an engine works, and what a model's files say about generation.

use super::selection::Selection;
use super::shortlist::{Shortlist, TokenSet};
use super::vocabulary::Vocabulary;
use super::{Capability, DecodingOptions};
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::main_memory::MemoryBudget;
use crate::nn::OutputLayer;
use crate::types::Lang;
use std::collections::HashMap;
use std::sync::Arc;

/// How an engine works. None of it changes a result.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// Requests submitted one by one that wait for a worker, at most; see
    /// [`Engine::submit`](super::Engine::submit).
    pub queue: usize,
    /// The main memory for texts in the works; a text that is too much for it is alone.
    pub memory: MemoryBudget,
    /// Stops all work of the engine between two steps, with
    /// [`Error::Interrupted`](crate::Error::Interrupted).
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
    /// What the model can do, the preferred first.
    pub capabilities: Vec<Capability>,
    /// What a source leaves of the vocabulary for its translation.
    pub shortlist: Option<Shortlist>,
    /// Most tokens of an output for each token that the encoder reads, where the model's own engine
    /// ends at that; ten are always allowed.
    pub length_factor: Option<usize>,
    /// The tokens that text of a language is made of, by its code; text of other languages may have
    /// any.
    pub languages: HashMap<String, TokenSet>,
}

impl GenerationConfig {
    /// The vocabulary of a request, or what the shortlist leaves of it for a `source` that wants
    /// that: chosen for each source alone, so that its result does not depend on the others. It
    /// always has the tokens in `more`. A `selection` computes the logits of several.
    pub(super) fn vocabulary(
        &self,
        vocabulary: &Arc<Vocabulary>,
        source: Option<&[u32]>,
        more: &[u32],
        output: &OutputLayer,
        selection: Option<&mut Selection>,
    ) -> Result<Arc<Vocabulary>> {
        let (Some(shortlist), Some(source)) = (&self.shortlist, source) else {
            return Ok(vocabulary.clone());
        };
        let mut tokens = shortlist.tokens(source, output.vocabulary());
        if !more.is_empty() {
            tokens.extend(more);
            tokens.sort_unstable();
            tokens.dedup();
        }
        Ok(Arc::new(vocabulary.among(tokens, output, selection)?))
    }
}
