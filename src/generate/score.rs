//! How likely a model holds given texts: what it reads at once, all tokens of a text side by side,
//! where generation writes one by one.

use super::prefix_cache::{Prefix, PrefixCache};
use super::vocabulary::Vocabulary;
use super::{Engine, Request};
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
    /// See [`Request::prefix`].
    prefix: Arc<Prefix>,
    /// What stands before the text, the prefix apart.
    before: Vec<u32>,
    text: Vec<u32>,
    /// What the text might have been.
    vocabulary: Arc<Vocabulary>,
}

impl Given {
    /// Tokens that are read.
    fn size(&self) -> usize {
        self.before.len() + self.text.len()
    }
}

impl Engine {
    /// See [`super::Generate::score`].
    pub(super) fn scores(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        if self.model.encoder().is_some() {
            return Err(Error::model(
                &self.id,
                "texts are scored by language models alone, and it has an encoder",
            ));
        }
        let given = pairs.iter().enumerate().map(|(number, pair)| self.given(number, *pair));
        let batches = batches(given.collect::<Result<_>>()?, self.settings.prefill.max(1));
        let (model, prefixes) = (self.model.clone(), self.prefixes.clone());
        let score = move |batch: Vec<Given>| {
            let scores = mean_log_probabilities(&*model, &prefixes, &batch)?;
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
        let prefix = self.prefix(request)?;
        let before = self.with_suffix(self.tokenizer.encode_plain(&request.prompt)?, request)?;
        let text = self.tokenizer.encode_plain(text)?;
        let used = prefix.tokens.len() + before.len() + text.len();
        if used > self.model.context_length() {
            return Err(self.too_long(used));
        }
        let vocabulary = self.vocabularies.get(&request.options)?;
        Ok(Given { number, prefix, before, text, vocabulary })
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

/// The mean over each text's tokens; all are of one vocabulary.
fn mean_log_probabilities(
    model: &dyn Model,
    prefixes: &PrefixCache,
    given: &[Given],
) -> Result<Vec<f32>> {
    let begin = |g: &Given| Ok(KvCache::after(prefixes.read(&g.prefix)?));
    let mut caches = given.iter().map(begin).collect::<Result<Vec<KvCache>>>()?;
    // What follows the prompt, and then what follows every token of the text but the last.
    let mut spans: Vec<Span<'_>> =
        given.iter().zip(&mut caches).map(|(g, cache)| Span::new(&g.before, cache)).collect();
    let after_prompt = model.forward(&mut spans)?; // (texts, dim)
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
    let hidden = if spans.is_empty() {
        after_prompt
    } else {
        Tensor::cat(&[after_prompt, model.forward(&mut spans)?], 0)?
    };

    // In the order of the rows: the first tokens, and then the rest of each text.
    let firsts = given.iter().map(|g| g.text[0]);
    let expected: Vec<u32> =
        firsts.chain(given.iter().flat_map(|g| &g.text[1..]).copied()).collect();
    let vocabulary = &given[0].vocabulary;
    let mut log_probabilities =
        vocabulary.log_probabilities(&hidden, model.output(), &expected)?.into_iter();
    let mut totals: Vec<f32> = log_probabilities.by_ref().take(given.len()).collect();
    for (total, g) in totals.iter_mut().zip(given) {
        *total = (*total + log_probabilities.by_ref().take(g.text.len() - 1).sum::<f32>())
            / g.text.len() as f32;
    }
    Ok(totals)
}
