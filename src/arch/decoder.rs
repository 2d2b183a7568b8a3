//! The decoder-only transformer: one graph with switches for the families that share it.

mod load;
mod naming;

pub(super) use naming::Naming;

use super::{Macs, Model, advance, macs};
use crate::error::Result;
use crate::kernel::Activation;
use crate::nn::{
    Attention, Backend, Embedding, FeedForward, ForwardPass, KvCache, KvStorage, Linear, Norm,
    OutputLayer, Rope, Span, add,
};
use candle_core::Tensor;

/// Sizes and switches of a decoder.
pub(super) struct DecoderConfig {
    pub layers: usize,
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
    pub rope_base: f64,
    /// Layers with a sliding window, if there are any.
    pub sliding: Option<Sliding>,
    /// Whether queries and keys are normalized per head.
    pub qk_norm: bool,
    /// Whether the outputs of attention and feed-forward are normalized before they are added.
    pub post_norm: bool,
    /// Whether the output layer may have the embedding's weights.
    pub tied_output: bool,
}

/// Layers that see only the last positions: all but every `period`th.
pub(super) struct Sliding {
    pub window: usize,
    pub period: usize,
    /// RoPE base of those layers.
    pub rope_base: f64,
}

struct Layer {
    attention_norm: Norm,
    qkv: Linear,
    qk_norm: Option<(Norm, Norm)>,
    attention: Attention,
    o: Linear,
    post_attention_norm: Option<Norm>,
    feed_forward_norm: Norm,
    feed_forward: FeedForward,
    post_feed_forward_norm: Option<Norm>,
    sliding: bool,
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
    rope: Rope,
    sliding_rope: Option<Rope>,
    backend: Backend,
    storage: KvStorage,
}

impl Model for Decoder {
    fn context_length(&self) -> usize {
        self.config.context_length
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.config.layers, &self.storage)
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
            token: (c.layers * layer) as u64,
            output: (self.output.vocabulary() * c.dim) as u64,
        }
    }

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let &DecoderConfig { heads, kv_heads, .. } = &self.config;
        let tokens: Vec<u32> = spans.iter().flat_map(|s| s.tokens).copied().collect();
        let positions: Vec<usize> = spans.iter().flat_map(Span::positions).collect();
        let angles = self.rope.angles(&positions, &self.backend)?;
        let sliding_angles =
            self.sliding_rope.as_ref().map(|r| r.angles(&positions, &self.backend)).transpose()?;

        let mut pass = ForwardPass::begin(self.storage.pool(), spans)?;
        // (tokens, dim)
        let mut x = (self.embedding.forward(&tokens)? * self.config.embedding_scale)?;
        if let Some(factors) = &self.smoothed {
            x = x.broadcast_div(factors)?;
        }
        for layer in &self.layers {
            let angles = sliding_angles.as_ref().filter(|_| layer.sliding).unwrap_or(&angles);
            let qkv = layer.qkv.forward(&layer.attention_norm.forward(&x)?)?;
            let part = |first: usize, count: usize| layer.attention.heads(&qkv, first, count);
            let (mut q, mut k, v) =
                (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?);
            if let Some((q_norm, k_norm)) = &layer.qk_norm {
                (q, k) = (q_norm.forward(&q)?, k_norm.forward(&k)?);
            }
            let attended = layer.attention.self_attention(
                [&angles.apply(&q)?, &angles.apply(&k)?, &v],
                None,
                spans,
                &mut pass,
            )?;
            let mut attended = layer.o.forward(&attended)?;
            if let Some(norm) = &layer.post_attention_norm {
                attended = norm.forward(&attended)?;
            }
            x = add(&x, &attended)?;
            let mut fed = layer.feed_forward.forward(&layer.feed_forward_norm.forward(&x)?)?;
            if let Some(norm) = &layer.post_feed_forward_norm {
                fed = norm.forward(&fed)?;
            }
            x = add(&x, &fed)?;
        }

        self.norm.forward(&advance(x, spans)?)
    }
}
