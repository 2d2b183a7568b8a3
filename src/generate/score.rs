//! How likely a model holds given texts: what it reads at once, all tokens of a text side by side,
//! where generation writes one by one.

use super::vocabulary::Vocabulary;
use super::{Engine, Request};
use crate::error::{Error, Result};
use crate::nn::{KvCache, Span};
use candle_core::Tensor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A text that is to be scored, as tokens.
struct Given {
    /// See [`Request::prefix`].
    prefix: Option<Arc<KvCache>>,
    /// What stands before the text, the prefix apart.
    before: Vec<u32>,
    text: Vec<u32>,
    /// What the text might have been.
    vocabulary: Arc<Vocabulary>,
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
        let prefixes =
            self.read_prefixes(pairs.iter().map(|(request, _)| request.prefix.as_str()))?;
        let given = |(request, text): &(&Request, &str)| {
            self.given(request, text, prefixes.get(&request.prefix).cloned())
        };
        let given = pairs.iter().map(given).collect::<Result<Vec<Given>>>()?;
        // Those of one vocabulary together, the longest first, as many as are read in one step.
        let size = |i: usize| given[i].before.len() + given[i].text.len();
        let mut order: Vec<usize> =
            (0..given.len()).filter(|&i| !given[i].text.is_empty()).collect();
        let vocabulary = |i: usize| Arc::as_ptr(&given[i].vocabulary);
        order.sort_by_key(|&i| (vocabulary(i), std::cmp::Reverse(size(i))));
        let mut batches: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for i in order {
            match batches.last_mut() {
                Some(batch) if size(i) <= room && vocabulary(batch[0]) == vocabulary(i) => {
                    batch.push(i)
                }
                _ => {
                    room = self.settings.prefill.max(1);
                    batches.push(vec![i]);
                }
            }
            room = room.saturating_sub(size(i));
        }
        let (next, scores) = (AtomicUsize::new(0), Mutex::new(vec![0.0; given.len()]));
        self.on_workers(|| {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.settings.cancel.check()?;
                let some: Vec<&Given> = batch.iter().map(|&i| &given[i]).collect();
                let found = self.mean_log_probabilities(&some)?;
                let mut scores = scores.lock().unwrap_or_else(PoisonError::into_inner);
                for (&i, score) in batch.iter().zip(found) {
                    scores[i] = score;
                    if !on_done(i) {
                        return Err(Error::Interrupted);
                    }
                }
            }
            Ok(())
        })?;
        Ok(scores.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn given(&self, request: &Request, text: &str, prefix: Option<Arc<KvCache>>) -> Result<Given> {
        let before = self.with_suffix(self.tokenizer.encode_plain(&request.prompt)?, request)?;
        let text = self.tokenizer.encode_plain(text)?;
        let used = prefix.as_ref().map_or(0, |prefix| prefix.len()) + before.len() + text.len();
        if used > self.model.context_length() {
            return Err(self.too_long(used));
        }
        Ok(Given { prefix, before, text, vocabulary: self.vocabulary(&request.options)? })
    }

    /// The mean over each text's tokens; all are of one vocabulary.
    fn mean_log_probabilities(&self, given: &[&Given]) -> Result<Vec<f32>> {
        let begin =
            |g: &&Given| g.prefix.clone().map_or_else(|| self.model.new_cache(), KvCache::after);
        let mut caches: Vec<KvCache> = given.iter().map(begin).collect();
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
        let hidden = if spans.is_empty() {
            after_prompt
        } else {
            Tensor::cat(&[after_prompt, self.model.forward(&mut spans)?], 0)?
        };

        // In the order of the rows: the first tokens, and then the rest of each text.
        let firsts = given.iter().map(|g| g.text[0]);
        let expected: Vec<u32> =
            firsts.chain(given.iter().flat_map(|g| &g.text[1..]).copied()).collect();
        let vocabulary = &given[0].vocabulary;
        let mut log_probabilities =
            vocabulary.log_probabilities(&hidden, self.model.output(), &expected)?.into_iter();
        let mut totals: Vec<f32> = log_probabilities.by_ref().take(given.len()).collect();
        for (total, g) in totals.iter_mut().zip(given) {
            *total = (*total + log_probabilities.by_ref().take(g.text.len() - 1).sum::<f32>())
                / g.text.len() as f32;
        }
        Ok(totals)
    }
}
