//! How likely a model holds given texts: what it reads at once, all tokens of a text side by side,
//! where generation writes one by one.

use super::prefix_cache::{Prefix, PrefixCache};
use super::vocabulary::Vocabulary;
use super::{Engine, GenerationConfig, Request};
use crate::arch::Model;
use crate::error::{Error, Result};
use crate::nn::{KvCache, Span};
use candle_core::Tensor;
use std::cmp::Reverse;
use std::sync::Arc;

/// A text that is to be scored, as tokens.
struct Given {
    /// Its number in the call.
    number: usize,
    begins: Begins,
    /// What stands before the text, prefix and source apart.
    before: Vec<u32>,
    /// The text; for a model with an encoder, with the end token after it.
    text: Vec<u32>,
    /// What the text might have been, as far as the language says.
    vocabulary: Arc<Vocabulary>,
    /// Whether a lexical shortlist leaves only some of it.
    is_listed: bool,
}

/// What the model has read before it sees the sequence.
enum Begins {
    /// The source of an encoder.
    Source(Vec<u32>),
    /// See [`Request::prefix`].
    Prefix(Arc<Prefix>),
}

/// Reads texts.
struct Scorer {
    model: Arc<dyn Model>,
    config: Arc<GenerationConfig>,
    prefixes: Arc<PrefixCache>,
}

impl Given {
    fn source(&self) -> Option<&[u32]> {
        match &self.begins {
            Begins::Source(source) => Some(source),
            Begins::Prefix(_) => None,
        }
    }

    /// Tokens that are read.
    fn size(&self) -> usize {
        self.source().map_or(0, <[u32]>::len) + self.before.len() + self.text.len()
    }
}

impl Engine {
    /// See [`super::Generate::score`].
    pub(super) fn scores(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        let given = pairs.iter().enumerate().map(|(number, pair)| self.given(number, *pair));
        let batches = batches(given.collect::<Result<_>>()?, self.settings.prefill.max(1));
        let scorer = Scorer {
            model: self.model.clone(),
            config: self.config.clone(),
            prefixes: self.prefixes.clone(),
        };
        let score = move |batch: Vec<Given>| {
            let scores = scorer.mean_log_probabilities(&batch)?;
            Ok(batch.iter().map(|given| given.number).zip(scores).collect::<Vec<_>>())
        };
        let mut scores = vec![0.0; pairs.len()];
        self.on_workers(batches, score, |_, batch| {
            for (number, score) in batch {
                scores[number] = score;
                if !on_done(number) {
                    return Err(Error::Interrupted);
                }
            }
            Ok(())
        })?;
        Ok(scores)
    }

    fn given(&self, number: usize, (request, text): (&Request, &str)) -> Result<Given> {
        let mut text = self.tokenizer.encode_target("", text)?;
        let (begins, mut before) = if let Some(encoder) = self.model.encoder() {
            text.extend(self.tokenizer.ends().first());
            (Begins::Source(self.source(encoder, request)?), self.config.start.clone())
        } else {
            let prompt = self.tokenizer.encode_plain(&request.prompt)?;
            (Begins::Prefix(self.prefix(request)?), self.after_prefix(prompt, request)?)
        };
        before.extend(self.forced(request)?.tokens);
        let prefix = match &begins {
            Begins::Source(_) => 0,
            Begins::Prefix(prefix) => prefix.tokens.len(),
        };
        let used = prefix + before.len() + text.len();
        if used > self.model.context_length() {
            return Err(self.too_long(used));
        }
        let vocabulary = self.vocabularies.get(&request.options)?;
        let is_listed = request.options.shortlist;
        Ok(Given { number, begins, before, text, vocabulary, is_listed })
    }
}

/// Texts of one vocabulary together, the longest first, as many as are read in one step of `step`
/// tokens. Empty ones are left out.
fn batches(mut given: Vec<Given>, step: usize) -> Vec<Vec<Given>> {
    given.retain(|given| !given.text.is_empty());
    let vocabulary = |given: &Given| Arc::as_ptr(&given.vocabulary);
    given.sort_by_key(|given| (vocabulary(given), Reverse(given.size())));
    let mut batches: Vec<Vec<Given>> = Vec::new();
    let mut room = 0;
    for given in given {
        let size = given.size();
        match batches.last_mut() {
            Some(batch) if size <= room && vocabulary(&batch[0]) == vocabulary(&given) => {
                batch.push(given)
            }
            _ => {
                room = step;
                batches.push(vec![given]);
            }
        }
        room = room.saturating_sub(size);
    }
    batches
}

impl Scorer {
    /// The mean over each text's tokens; all are of one vocabulary, a shortlist apart.
    fn mean_log_probabilities(&self, given: &[Given]) -> Result<Vec<f32>> {
        let hidden = self.read(given)?;
        let output = self.model.output();
        if self.config.shortlist.is_none() || !given.iter().any(|g| g.is_listed) {
            let rows = given.iter().enumerate().flat_map(|(at, _)| rows(given, at));
            let hidden = hidden.index_select(&at(rows, &hidden)?, 0)?;
            let expected: Vec<u32> = given.iter().flat_map(|g| &g.text).copied().collect();
            let all = given[0].vocabulary.log_probabilities(&hidden, output, &expected)?;
            let mut all = all.as_slice();
            let own = |g: &Given| all.split_off(..g.text.len()).map_or(0.0, mean);
            return Ok(given.iter().map(own).collect());
        }
        let own = |(number, g): (usize, &Given)| {
            let listed = g.source().filter(|_| g.is_listed);
            let vocabulary = self.config.vocabulary(&g.vocabulary, listed, &[], output, None)?;
            let hidden = hidden.index_select(&at(rows(given, number), &hidden)?, 0)?;
            Ok(mean(&vocabulary.log_probabilities(&hidden, output, &g.text)?))
        };
        given.iter().enumerate().map(own).collect()
    }

    /// The hidden states before each of the tokens, (tokens, dim), in the order of [`rows`].
    fn read(&self, given: &[Given]) -> Result<Tensor> {
        let mut caches = self.caches(given)?;
        // What follows the prompt, and then what follows every token of the text but the last.
        let mut spans: Vec<Span<'_>> =
            given.iter().zip(&mut caches).map(|(g, cache)| Span::new(&g.before, cache)).collect();
        let after_prompt = self.model.forward(&mut spans)?; // (texts, dim)
        // As the hypotheses of a beam, each of which has passed all that stands before it.
        let paths: Vec<Vec<Vec<u32>>> = given
            .iter()
            .zip(&caches)
            .map(|(g, cache)| {
                (1..g.text.len()).map(|n| (0..(cache.rows() + n) as u32).collect()).collect()
            })
            .collect();
        let own = given.iter().zip(&mut caches).zip(&paths).filter(|((g, _), _)| g.text.len() > 1);
        let mut spans: Vec<Span<'_>> = own
            .map(|((g, cache), paths)| Span {
                tokens: &g.text[..g.text.len() - 1],
                cache,
                paths: Some(paths),
            })
            .collect();
        if spans.is_empty() {
            return Ok(after_prompt);
        }
        Ok(Tensor::cat(&[after_prompt, self.model.forward(&mut spans)?], 0)?)
    }

    /// The caches that the texts begin with. Sources go through the encoder together.
    fn caches(&self, given: &[Given]) -> Result<Vec<KvCache>> {
        let sources: Vec<&[u32]> = given.iter().filter_map(Given::source).collect();
        let mut encoded = match self.model.encoder() {
            Some(encoder) if !sources.is_empty() => encoder.encode(&sources)?,
            _ => Vec::new(),
        }
        .into_iter();
        let begin = |g: &Given| match &g.begins {
            Begins::Source(_) => {
                Ok(encoded.next().map_or_else(|| self.model.new_cache(), KvCache::reading))
            }
            Begins::Prefix(prefix) => Ok(KvCache::after(self.prefixes.read(prefix)?)),
        };
        given.iter().map(begin).collect()
    }
}

/// The rows of the hidden states before the tokens of a text: first come those before the first
/// token of every text, and then the rest of each text.
fn rows(given: &[Given], number: usize) -> impl Iterator<Item = u32> {
    let before: usize = given[..number].iter().map(|g| g.text.len() - 1).sum();
    let first = (given.len() + before) as u32;
    std::iter::once(number as u32).chain(first..first + given[number].text.len() as u32 - 1)
}

/// Numbers of rows, where the hidden states are.
fn at(rows: impl Iterator<Item = u32>, hidden: &Tensor) -> Result<Tensor> {
    Ok(Tensor::new(rows.collect::<Vec<u32>>(), hidden.device())?)
}

fn mean(all: &[f32]) -> f32 {
    all.iter().sum::<f32>() / all.len().max(1) as f32
}
