//! The decoder-only transformer: one graph with switches for the families that share it.

mod load;
mod naming;

pub(super) use naming::Naming;

use super::{Footprint, LayerStates, Macs, Model, advance, footprint, macs};
use crate::error::Result;
use crate::kernel::Activation;
use crate::nn::{
    Angles, Attention, Backend, Embedding, FeedForward, ForwardPass, KvCache, KvStorage, Linear,
    Norm, OutputLayer, Rope, Span, add,
};
use candle_core::Tensor;

/// Sizes and switches of a decoder.
pub(super) struct DecoderConfig {
    pub layers: Vec<LayerConfig>,
    pub dim: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub hidden: usize,
    pub epsilon: f32,
    pub context_length: usize,
    pub activation: Activation,
    /// Factor of the embeddings.
    pub embedding_scale: f64,
    /// Factor of the attention scores.
    pub attention_scale: f32,
    /// What attention scores, and logits, are softly kept below.
    pub score_cap: Option<f32>,
    pub logit_cap: Option<f32>,
    /// Factor of the logits.
    pub logit_scale: f64,
    /// The rotary embeddings that layers have.
    pub ropes: Vec<Rope>,
    /// Whether queries and keys are normalized per head, and when.
    pub qk_norm: Option<QkNorm>,
    /// Whether queries, keys and values have biases, and whether the output of attention has.
    pub qkv_bias: bool,
    pub o_bias: bool,
    /// Whether queries, keys and values are one matrix in the files, and gate and up another.
    pub fused: bool,
    /// Whether norms subtract the mean (layer normalization, without biases).
    pub mean_norm: bool,
    /// Whether attention and feed-forward read the same norm, and are added together.
    pub parallel: bool,
    /// Whether the outputs of attention and feed-forward are normalized before they are added.
    pub post_norm: bool,
    /// Whether the output layer may have the embedding's weights.
    pub tied_output: bool,
}

/// What differs between the layers of a decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LayerConfig {
    /// Last positions that it sees; `None` for all.
    pub window: Option<usize>,
    /// Which of the decoder's rotary embeddings it has, if any.
    pub rope: Option<usize>,
}

impl LayerConfig {
    /// Layers that all see everything and have the first rotary embeddings.
    pub fn alike(count: usize) -> Vec<LayerConfig> {
        vec![LayerConfig { window: None, rope: Some(0) }; count]
    }
}

/// When queries and keys are normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QkNorm {
    BeforeRope,
    AfterRope,
}

struct Layer {
    attention_norm: Norm,
    qkv: Linear,
    qk_norm: Option<(Norm, Norm)>,
    attention: Attention,
    o: Linear,
    post_attention_norm: Option<Norm>,
    /// `None` where attention's is read.
    feed_forward_norm: Option<Norm>,
    feed_forward: FeedForward,
    post_feed_forward_norm: Option<Norm>,
    rope: Option<usize>,
}

pub(super) struct Decoder {
    config: DecoderConfig,
    embedding: Embedding,
    /// The SmoothQuant factors of the output layer that shares the embedding's weights: their
    /// columns were multiplied by them.
    smoothed: Option<Tensor>,
    layers: Vec<Layer>,
    norm: Norm,
    output: OutputLayer,
    backend: Backend,
    storage: KvStorage,
}

impl Model for Decoder {
    fn context_length(&self) -> usize {
        self.config.context_length
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.layers.len(), &self.storage)
    }

    fn output(&self) -> &OutputLayer {
        &self.output
    }

    fn macs(&self) -> Macs {
        let c = &self.config;
        let attention = 2 * (c.heads + c.kv_heads) * c.head_dim * c.dim;
        let layer = attention + macs::feed_forward(c.dim, c.hidden, true);
        Macs {
            source: 0,
            token: (self.layers.len() * layer) as u64,
            output: (self.output.vocabulary() * c.dim) as u64,
        }
    }

    fn footprint(&self) -> Footprint {
        let c = &self.config;
        let (layers, width) = (self.layers.len(), c.kv_heads * c.head_dim);
        let attention = 2 * (c.heads * c.head_dim + width);
        Footprint {
            token: footprint::keys_and_values(layers, width, &self.storage),
            source: 0,
            step: footprint::layer_outputs(c.dim, attention, c.hidden),
        }
    }

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let mut reading = self.begin(spans)?;
        for layer in &self.layers {
            self.read(layer, &mut reading, spans)?;
        }
        self.norm.forward(&advance(reading.states, spans)?)
    }

    fn layer_states(&self) -> Option<&dyn LayerStates> {
        Some(self)
    }
}

impl LayerStates for Decoder {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn states(&self, span: &mut Span<'_>, layers: usize) -> Result<Vec<Tensor>> {
        let spans = std::slice::from_mut(span);
        let mut reading = self.begin(spans)?;
        let mut states = Vec::with_capacity(layers);
        for layer in self.layers.iter().take(layers) {
            self.read(layer, &mut reading, spans)?;
            states.push(reading.states.clone());
        }
        spans[0].cache.advance(spans[0].tokens.len());
        Ok(states)
    }
}

/// What the layers hand on.
struct Reading<'a> {
    /// (tokens, dim)
    states: Tensor,
    angles: Vec<Angles>,
    pass: ForwardPass<'a>,
}

impl Decoder {
    /// What the first layer reads.
    fn begin(&self, spans: &[Span<'_>]) -> Result<Reading<'_>> {
        let tokens: Vec<u32> = spans.iter().flat_map(|s| s.tokens).copied().collect();
        let positions: Vec<usize> = spans.iter().flat_map(Span::positions).collect();
        let angles = self.config.ropes.iter().map(|r| r.angles(&positions, &self.backend));
        let angles = angles.collect::<Result<Vec<Angles>>>()?;
        let pass = ForwardPass::begin(self.storage.pool(), spans)?;
        let mut states = (self.embedding.forward(&tokens)? * self.config.embedding_scale)?;
        if let Some(factors) = &self.smoothed {
            states = states.broadcast_div(factors)?;
        }
        Ok(Reading { states, angles, pass })
    }

    /// Reads the states with a layer, and hands on its own.
    fn read(&self, layer: &Layer, reading: &mut Reading<'_>, spans: &mut [Span<'_>]) -> Result<()> {
        let Reading { states: x, angles, pass } = reading;
        let normed = layer.attention_norm.forward(x)?;
        let angles = layer.rope.and_then(|rope| angles.get(rope));
        let mut attended = self.attend(layer, &normed, angles, spans, pass)?;
        if let Some(norm) = &layer.post_attention_norm {
            attended = norm.forward(&attended)?;
        }
        *x = add(x, &attended)?;
        let normed = match &layer.feed_forward_norm {
            Some(norm) => norm.forward(x)?,
            None => normed,
        };
        let mut fed = layer.feed_forward.forward(&normed)?;
        if let Some(norm) = &layer.post_feed_forward_norm {
            fed = norm.forward(&fed)?;
        }
        *x = add(x, &fed)?;
        Ok(())
    }

    /// The attention of a layer: normalized states (tokens, dim) to (tokens, dim).
    fn attend(
        &self,
        layer: &Layer,
        normed: &Tensor,
        angles: Option<&Angles>,
        spans: &mut [Span<'_>],
        pass: &mut ForwardPass<'_>,
    ) -> Result<Tensor> {
        let &DecoderConfig { heads, kv_heads, qk_norm, .. } = &self.config;
        let qkv = layer.qkv.forward(normed)?;
        let part = |first: usize, count: usize| layer.attention.heads(&qkv, first, count);
        let (mut q, mut k, v) =
            (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?);
        let normalize = |when, q: Tensor, k: Tensor| -> Result<(Tensor, Tensor)> {
            match &layer.qk_norm {
                Some((q_norm, k_norm)) if qk_norm == Some(when) => {
                    Ok((q_norm.forward(&q)?, k_norm.forward(&k)?))
                }
                _ => Ok((q, k)),
            }
        };
        (q, k) = normalize(QkNorm::BeforeRope, q, k)?;
        if let Some(angles) = angles {
            (q, k) = (angles.apply(&q)?, angles.apply(&k)?);
        }
        (q, k) = normalize(QkNorm::AfterRope, q, k)?;
        let attended = layer.attention.self_attention([&q, &k, &v], None, spans, pass)?;
        layer.o.forward(&attended)
    }
}
