//! Sentences as vectors: what says the same lies near, whatever its words.
//!
//! Reimers and Gurevych 2019 (arXiv:1908.10084); reference: `sentence-transformers`.

use crate::arch::Bert;
use crate::error::Result;
use crate::main_memory::Share;
use crate::token::TemplatedTokenizer;
use crate::types::Lang;
use candle_core::DType;
use rayon::prelude::*;

/// Tokens that go through the model together.
const BATCH_TOKENS: usize = 1024;

/// What of the tokens' vectors is the sentence's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The first token's.
    First,
}

/// A layer between the pooling and the vector, as LaBSE has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// (outputs, inputs).
    pub weight: Vec<Vec<f32>>,
    /// (outputs).
    pub bias: Vec<f32>,
    /// Whether a hyperbolic tangent follows.
    pub tanh: bool,
}

/// An encoder of sentences.
pub struct SentenceEncoder {
    id: String,
    model: Bert,
    tokenizer: TemplatedTokenizer,
    pooling: Pooling,
    dense: Option<Dense>,
    /// Put before every sentence, as the model was trained (`query: `).
    prefix: String,
    /// The languages that it knows; of one that nobody told of, any.
    languages: Option<Vec<Lang>>,
    /// Longest sentence in tokens; what is longer is cut.
    max_tokens: usize,
    /// The memory that its weights take, where somebody has reserved it.
    _share: Option<Share>,
}

impl SentenceEncoder {
    /// An encoder of these parts; `id` stands in records.
    pub fn new(
        id: &str,
        model: Bert,
        tokenizer: TemplatedTokenizer,
        pooling: Pooling,
        dense: Option<Dense>,
        max_tokens: usize,
    ) -> SentenceEncoder {
        let max_tokens = max_tokens.min(model.context_length()).max(1);
        SentenceEncoder {
            id: id.into(),
            model,
            tokenizer,
            pooling,
            dense,
            prefix: String::new(),
            languages: None,
            max_tokens,
            _share: None,
        }
    }

    /// The same encoder with the share of a [`MemoryBudget`](crate::main_memory::MemoryBudget) that
    /// it takes as long as it lives.
    #[must_use]
    pub fn with_share(self, share: Share) -> SentenceEncoder {
        SentenceEncoder { _share: Some(share), ..self }
    }

    /// The same encoder with this before every text.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> SentenceEncoder {
        SentenceEncoder { prefix: prefix.into(), ..self }
    }

    /// The same encoder, which knows these languages and no others; `mul` stands for many.
    #[must_use]
    pub fn with_languages(self, languages: &[Lang]) -> SentenceEncoder {
        SentenceEncoder { languages: Some(languages.to_vec()), ..self }
    }

    /// Whether texts of that language have a meaning for it.
    pub fn knows(&self, language: &Lang) -> bool {
        let is_known = |known: &Lang| known.as_str() == "mul" || known.same_base(language);
        self.languages.as_ref().is_none_or(|languages| languages.iter().any(is_known))
    }

    /// The name that it was opened by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Width of the vectors.
    pub fn dim(&self) -> usize {
        self.dense.as_ref().map_or(self.model.dim(), |dense| dense.bias.len())
    }

    /// A vector of length 1 for each text, in their order: their dot product is the cosine of the
    /// angle between them. A text's vector does not depend on the others.
    ///
    /// # Errors
    /// When the tokenizer fails or the model does not compute.
    pub fn embed<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        let tokens = |text: &S| {
            let text = text.as_ref();
            let mut ids = self.tokenizer.encode(&format!("{}{text}", self.prefix))?;
            if ids.len() > self.max_tokens {
                // The last token ends the text.
                let end = ids.pop();
                ids.truncate(self.max_tokens - 1);
                ids.extend(end);
            }
            Ok(ids)
        };
        let ids: Vec<Vec<u32>> = texts.par_iter().map(tokens).collect::<Result<_>>()?;
        // Those of one length stand together, so that batches are even; short ones first.
        let mut order: Vec<usize> = (0..ids.len()).filter(|&i| !ids[i].is_empty()).collect();
        order.sort_by_key(|&i| ids[i].len());
        let mut batches: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for i in order {
            match batches.last_mut() {
                Some(batch) if room >= ids[i].len() => batch.push(i),
                _ => {
                    batches.push(vec![i]);
                    room = BATCH_TOKENS;
                }
            }
            room = room.saturating_sub(ids[i].len());
        }
        let of_batch = |batch: &Vec<usize>| {
            let texts: Vec<&[u32]> = batch.iter().map(|&i| ids[i].as_slice()).collect();
            let states = self.model.forward(&texts)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
            Ok(batch.iter().copied().zip(self.pool(&states, &texts)).collect::<Vec<_>>())
        };
        let done: Vec<Vec<(usize, Vec<f32>)>> =
            batches.par_iter().map(of_batch).collect::<Result<_>>()?;
        let mut vectors = vec![vec![0.0; self.dim()]; texts.len()];
        for (i, vector) in done.into_iter().flatten() {
            vectors[i] = vector;
        }
        Ok(vectors)
    }

    /// The vectors of texts out of those of their tokens, one after the other.
    fn pool(&self, states: &[Vec<f32>], texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let mut rest = states;
        let pooled = texts.iter().map(|text| {
            let (own, others) = rest.split_at(text.len().min(rest.len()));
            rest = others;
            let mut sum = vec![0.0f32; self.model.dim()];
            let used = match self.pooling {
                Pooling::Mean => own,
                Pooling::First => &own[..own.len().min(1)],
            };
            for state in used {
                sum.iter_mut().zip(state).for_each(|(sum, value)| *sum += value);
            }
            let Some(dense) = &self.dense else { return normalized(sum) };
            let count = used.len().max(1) as f32;
            sum.iter_mut().for_each(|value| *value /= count);
            normalized(dense.forward(&sum))
        });
        pooled.collect()
    }
}

impl Dense {
    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let product = |row: &Vec<f32>| row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>();
        let output = self.weight.iter().zip(&self.bias).map(|(row, bias)| product(row) + bias);
        output.map(|value| if self.tanh { value.tanh() } else { value }).collect()
    }
}

/// A vector of the same direction and of length 1; zeros stay zeros.
pub(crate) fn normalized(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// The cosine of the angle between two vectors of length 1.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
