//! BERT and its like, which read a text and write nothing (Devlin et al. 2019, arXiv:1810.04805;
//! XLM-RoBERTa, Conneau et al. 2020, arXiv:1911.02116); reference: `transformers`' `BertModel` and
//! `XLMRobertaModel`, candle-transformers' models of the same names.

use super::Numbers;
use crate::checkpoint::{Config, MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::kernel::AttentionShape;
use crate::nn::{
    Attention, Backend, Embedding, EncoderAttention, FeedForward, LayerPattern, Linear,
    MetadataCache, Norm, Positions, add,
};
use candle_core::Tensor;
use rayon::prelude::*;

/// What the names of weights may begin with, by the head that a file was saved with.
const PREFIXES: [&str; 3] = ["", "bert.", "roberta."];

struct Layer {
    attention: EncoderAttention,
    output: Linear,
    attention_norm: Norm,
    feed_forward: FeedForward,
    feed_forward_norm: Norm,
}

/// A text encoder: token ids in, a vector for each token out.
pub struct Bert {
    words: Embedding,
    positions: Positions,
    /// The vector of the first kind of token, (1, dim): a text alone has no second one.
    kind: Option<Tensor>,
    norm: Norm,
    layers: Vec<Layer>,
    dim: usize,
    context_length: usize,
}

impl Bert {
    /// The families, by `model_type`, and how many of the table of positions are never used: the
    /// first position of a text comes after that of the padding there.
    pub const FAMILIES: [(&'static str, usize); 2] = [("bert", 0), ("xlm-roberta", 2)];

    /// Builds the encoder that a `config.json` and its weights describe.
    ///
    /// # Errors
    /// When it is of another family, or configuration and weights do not fit.
    pub fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Bert> {
        let name = config.json("model_type").and_then(|value| value.as_str()).unwrap_or_default();
        let Some((_, unused)) = Bert::FAMILIES.iter().find(|(family, _)| *family == name) else {
            let known = Bert::FAMILIES.map(|(family, _)| family).join(" or ");
            let message = format!(
                "expected a sentence encoder (model_type {known}), found {name:?}; see \
                 docs/quality.md"
            );
            return Err(Error::model(weights.model(), message));
        };
        Builder::new(config, weights, backend)?.build(*unused)
    }

    /// Width of the vectors.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Longest text in tokens.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// The vectors of the tokens of some texts, which stand one after the other: (tokens, dim). A
    /// text's result does not depend on the others.
    ///
    /// # Errors
    /// When a token is not in the vocabulary, or a text is longer than the model reads.
    pub fn forward(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let positions: Vec<usize> = lengths.iter().flat_map(|&length| 0..length).collect();
        let mut x = self.words.forward(&texts.concat())?;
        x = add(&x, &self.positions.at(&positions)?)?;
        if let Some(kind) = &self.kind {
            x = x.broadcast_add(kind)?;
        }
        x = self.norm.forward(&x)?;
        let mut metadata = MetadataCache::default();
        for layer in &self.layers {
            let seen = layer.attention.forward(&x, &lengths, &mut metadata)?;
            x = layer.attention_norm.forward_sum(&x, &layer.output.output(&seen)?)?;
            x = layer.feed_forward_norm.forward_sum(&x, &layer.feed_forward.output(&x)?)?;
        }
        Ok(x)
    }
}

struct Builder<'a> {
    weights: &'a dyn Weights,
    backend: &'a Backend,
    numbers: Numbers<'a>,
    prefix: &'static str,
    dim: usize,
    heads: usize,
    hidden: usize,
    epsilon: f32,
}

impl<'a> Builder<'a> {
    fn new(
        config: &'a Config,
        weights: &'a dyn Weights,
        backend: &'a Backend,
    ) -> Result<Builder<'a>> {
        let numbers = Numbers::of_hub(config, weights);
        let words = "embeddings.word_embeddings.weight";
        let found = PREFIXES.into_iter().find(|prefix| weights.has(&format!("{prefix}{words}")));
        let prefix = found.ok_or_else(|| {
            let message = format!("weight {words} is missing; fetch the model again");
            Error::model(weights.model(), message)
        })?;
        let (dim, heads) =
            (numbers.size("", "hidden_size")?, numbers.size("", "num_attention_heads")?);
        if !dim.is_multiple_of(heads) {
            let message = format!(
                "its configuration says hidden_size = {dim} and num_attention_heads = {heads}, which \
                 does not divide it"
            );
            return Err(Error::model(weights.model(), message));
        }
        let hidden = numbers.size("", "intermediate_size")?;
        let epsilon = numbers.number("", "layer_norm_eps").unwrap_or(1e-12) as f32;
        Ok(Builder { weights, backend, numbers, prefix, dim, heads, hidden, epsilon })
    }

    fn build(&self, unused: usize) -> Result<Bert> {
        let layers = self.numbers.size("", "num_hidden_layers")?;
        let table =
            self.weights.get_rows(&self.name("embeddings.position_embeddings.weight"), self.dim)?;
        let stated = self.numbers.positions("", "max_position_embeddings")?;
        let kinds = self.name("embeddings.token_type_embeddings.weight");
        let kind = if self.weights.has(&kinds) {
            let table = self.weights.get_rows(&kinds, self.dim)?;
            Some(self.backend.place(&table.narrow(0, 0, 1)?)?)
        } else {
            None
        };
        let words = self.name("embeddings.word_embeddings.weight");
        let words = self.weights.get_rows_reader(&words, self.dim)?;
        Ok(Bert {
            words: Embedding::new(&words, self.backend)?,
            context_length: table.dim(0)?.min(stated).saturating_sub(unused),
            positions: Positions::learned(&table, unused, self.backend)?,
            kind,
            norm: self.norm("embeddings.LayerNorm")?,
            layers: (0..layers).into_par_iter().map(|i| self.layer(i)).collect::<Result<_>>()?,
            dim: self.dim,
        })
    }

    fn name(&self, part: &str) -> String {
        format!("{}{part}", self.prefix)
    }

    fn layer(&self, layer: usize) -> Result<Layer> {
        let part = |part: &str| self.name(&format!("encoder.layer.{layer}.{part}"));
        let (dim, hidden) = (self.dim, self.hidden);
        let shape = AttentionShape {
            heads: self.heads,
            kv_heads: self.heads,
            dim: dim / self.heads,
            scale: ((dim / self.heads) as f32).sqrt().recip(),
            window: None,
            cap: None,
        };
        let parts = ["query", "key", "value"].map(|name| part(&format!("attention.self.{name}")));
        let activation = self.numbers.activation("hidden_act", "gelu")?;
        let up = self.linear(&[part("intermediate.dense")], hidden, dim)?;
        let down = self.linear(&[part("output.dense")], dim, hidden)?;
        Ok(Layer {
            attention: EncoderAttention {
                qkv: self.linear(&parts, dim, dim)?,
                attention: Attention::new(layer, shape, self.backend),
                bias: None,
                pattern: LayerPattern::Full,
            },
            output: self.linear(&[part("attention.output.dense")], dim, dim)?,
            attention_norm: self.norm_named(&part("attention.output.LayerNorm"))?,
            feed_forward: FeedForward::plain(up, down, activation),
            feed_forward_norm: self.norm_named(&part("output.LayerNorm"))?,
        })
    }

    fn norm(&self, part: &str) -> Result<Norm> {
        self.norm_named(&self.name(part))
    }

    fn norm_named(&self, name: &str) -> Result<Norm> {
        let placed = |end: &str| {
            self.backend.place(&self.weights.get_shaped(&format!("{name}.{end}"), &[self.dim])?)
        };
        Ok(Norm::Layer { weight: placed("weight")?, bias: placed("bias")?, epsilon: self.epsilon })
    }

    /// The layers of some names side by side, each `k` → `n`.
    fn linear(&self, names: &[String], n: usize, k: usize) -> Result<Linear> {
        let weight = |name: &String| self.weights.get_matrix(&format!("{name}.weight"), n, k);
        let parts = MatrixReader::stacked(names.iter().map(weight).collect::<Result<Vec<_>>>()?)?;
        let bias = |name: &String| self.weights.get_shaped(&format!("{name}.bias"), &[n]);
        let biases = names.iter().map(bias).collect::<Result<Vec<_>>>()?;
        Linear::with_bias(&parts, &biases, self.backend)
    }
}
