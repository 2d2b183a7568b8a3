//! The decoder-only transformer: one graph with switches for the families that share it.

use super::{Macs, Model, advance, audit, work};
use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::kernel::{Activation, AttentionShape};
use crate::nn::{
    Attention, Backend, Embedding, FeedForward, Keeping, KvCache, Linear, Norm, OutputLayer, Rope,
    Span, Step, add,
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
}

/// Layers that see only the last positions: all but every `period`th.
pub(super) struct Sliding {
    pub window: usize,
    pub period: usize,
    /// RoPE base of those layers.
    pub rope_base: f64,
}

/// How one family's files name and store the weights.
pub(super) struct Naming {
    pub embedding: &'static str,
    pub output: &'static str,
    pub output_norm: &'static str,
    /// Prefix of a layer's weights, `{}` for its number.
    pub layer: &'static str,
    pub attention_norm: &'static str,
    pub q: &'static str,
    pub k: &'static str,
    pub v: &'static str,
    pub o: &'static str,
    pub q_norm: &'static str,
    pub k_norm: &'static str,
    pub post_attention_norm: &'static str,
    pub feed_forward_norm: &'static str,
    pub gate: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub post_feed_forward_norm: &'static str,
    /// What is added to the stored weights of norms (Gemma's checkpoints store the difference from
    /// 1).
    pub norm_offset: f64,
    /// Whether queries' and keys' rows are stored in interleaved order (GGUF files of Llama).
    pub interleaved_rope: bool,
}

impl Naming {
    /// The names of all weights that a decoder needs.
    fn required(&self, c: &DecoderConfig) -> impl Iterator<Item = String> {
        let mut parts = vec![
            self.attention_norm,
            self.q,
            self.k,
            self.v,
            self.o,
            self.feed_forward_norm,
            self.gate,
            self.up,
            self.down,
        ];
        if c.qk_norm {
            parts.extend([self.q_norm, self.k_norm]);
        }
        if c.post_norm {
            parts.extend([self.post_attention_norm, self.post_feed_forward_norm]);
        }
        let layer = move |i: usize| parts.iter().map(|part| self.part(i, part)).collect::<Vec<_>>();
        [self.embedding, self.output_norm]
            .map(String::from)
            .into_iter()
            .chain((0..c.layers).flat_map(layer))
    }

    /// The name of a layer's part.
    fn part(&self, layer: usize, part: &str) -> String {
        format!("{}{part}", self.layer.replace("{}", &layer.to_string()))
    }
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
    /// What the columns of the embeddings were multiplied with, for the sake of the output layer
    /// that they are, too.
    smoothed: Option<Tensor>,
    layers: Vec<Layer>,
    norm: Norm,
    output: OutputLayer,
    rope: Rope,
    sliding_rope: Option<Rope>,
    backend: Backend,
    keeping: Keeping,
}

impl Decoder {
    pub(super) fn load(
        config: DecoderConfig,
        naming: &Naming,
        weights: &dyn Weights,
        backend: &Backend,
    ) -> Result<Decoder> {
        let c = &config;
        if !c.heads.is_multiple_of(c.kv_heads) || c.head_dim == 0 || !c.head_dim.is_multiple_of(2) {
            let message = format!(
                "{} heads of width {} cannot share {} key heads",
                c.heads, c.head_dim, c.kv_heads
            );
            return Err(Error::model(weights.model(), message));
        }
        audit::require(weights, naming.required(c))?;
        // What a norm or the matrix before has divided a matrix multiplies again. Nothing is to be
        // had from it where nothing is rounded.
        let smoothing = |name: &str, inputs: usize| {
            if backend.rounds() { weights.smoothing(name, inputs) } else { Ok(None) }
        };
        let tied = !weights.has(naming.output);
        let writing = smoothing(if tied { naming.embedding } else { naming.output }, c.dim)?;
        let table = weights.get_rows_reader(naming.embedding, c.dim)?;
        let vocabulary = table.rows;
        let embedding =
            Embedding::new(&table.scale_columns(writing.as_ref().filter(|_| tied))?, backend)?;
        let output = if tied {
            embedding.tied_output()
        } else {
            let own = weights.get_rows_reader(naming.output, c.dim)?;
            weights.check_shape(naming.output, &[own.rows, own.width], &[vocabulary, c.dim])?;
            OutputLayer::new(&own.scale_columns(writing.as_ref())?, backend)?
        };
        let norm = |name: &str, dim: usize, smoothing: Option<&Tensor>| -> Result<Norm> {
            let mut weight = (weights.get_shaped(name, &[dim])? + naming.norm_offset)?;
            if let Some(divisors) = smoothing {
                weight = (weight / divisors)?;
            }
            Ok(Norm::Rms { weight: backend.place(&weight)?, epsilon: c.epsilon })
        };
        let layer = |i: usize| -> Result<Layer> {
            let name = |part: &str| naming.part(i, part);
            let norm = |part: &str, dim: usize, smoothing: Option<&Tensor>| {
                norm(&name(part), dim, smoothing)
            };
            let head_norm = |part: &str| norm(part, c.head_dim, None);
            let post_norm =
                |part: &str| if c.post_norm { norm(part, c.dim, None).map(Some) } else { Ok(None) };
            let smoothing = |part: &str, inputs: usize| smoothing(&name(part), inputs);
            let matrix = |part: &str, n: usize, k: usize, smoothing: Option<&Tensor>| {
                weights.get_matrix(&name(part), n, k)?.scale_columns(smoothing)
            };
            let (attending, feeding, hidden) = (
                smoothing(naming.q, c.dim)?,
                smoothing(naming.gate, c.dim)?,
                smoothing(naming.down, c.hidden)?,
            );
            let (attending, feeding, hidden) =
                (attending.as_ref(), feeding.as_ref(), hidden.as_ref());
            let rotated = |part: &str, heads: usize| {
                let weight = matrix(part, heads * c.head_dim, c.dim, attending)?;
                if naming.interleaved_rope {
                    MatrixReader::from_tensor(halves(&weight.all()?, heads)?)
                } else {
                    Ok(weight)
                }
            };
            let (q_width, kv_width) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
            let qkv = [
                rotated(naming.q, c.heads)?,
                rotated(naming.k, c.kv_heads)?,
                matrix(naming.v, kv_width, c.dim, attending)?,
            ];
            let gate_up = [
                matrix(naming.gate, c.hidden, c.dim, feeding)?,
                matrix(naming.up, c.hidden, c.dim, feeding)?.divide_rows(hidden)?,
            ];
            let sliding = c.sliding.as_ref().filter(|s| !(i + 1).is_multiple_of(s.period));
            Ok(Layer {
                attention_norm: norm(naming.attention_norm, c.dim, attending)?,
                qkv: Linear::new(&MatrixReader::stacked(qkv)?, backend)?,
                qk_norm: if c.qk_norm {
                    Some((head_norm(naming.q_norm)?, head_norm(naming.k_norm)?))
                } else {
                    None
                },
                attention: Attention {
                    layer: i,
                    shape: AttentionShape {
                        heads: c.heads,
                        kv_heads: c.kv_heads,
                        dim: c.head_dim,
                        scale: c.attention_scale,
                        window: sliding.map(|s| s.window),
                    },
                    candle: backend.candle,
                },
                o: Linear::new(&matrix(naming.o, c.dim, q_width, None)?, backend)?,
                post_attention_norm: post_norm(naming.post_attention_norm)?,
                feed_forward_norm: norm(naming.feed_forward_norm, c.dim, feeding)?,
                feed_forward: FeedForward::gated(
                    Linear::new(&MatrixReader::stacked(gate_up)?, backend)?,
                    Linear::new(&matrix(naming.down, c.dim, c.hidden, hidden)?, backend)?,
                    c.activation,
                ),
                post_feed_forward_norm: post_norm(naming.post_feed_forward_norm)?,
                sliding: sliding.is_some(),
            })
        };
        use rayon::prelude::*;
        let layers = (0..c.layers).into_par_iter().map(layer).collect::<Result<Vec<_>>>()?;
        let norm = norm(naming.output_norm, c.dim, writing.as_ref())?;
        let rope = Rope::new(c.head_dim, c.rope_base);
        let sliding_rope = c.sliding.as_ref().map(|s| Rope::new(c.head_dim, s.rope_base));
        let smoothed = writing.filter(|_| tied);
        let (keeping, backend) = (Keeping::of(backend), backend.clone());
        Ok(Decoder {
            embedding,
            smoothed,
            layers,
            norm,
            output,
            rope,
            sliding_rope,
            backend,
            keeping,
            config,
        })
    }
}

/// Rows of each head from interleaved order (0, d/2, 1, d/2 + 1, …) to the half-split order of
/// [`Rope`].
fn halves(weight: &Tensor, heads: usize) -> Result<Tensor> {
    let (rows, k) = weight.dims2()?;
    let dim = rows / heads;
    Ok(weight.reshape((heads, dim / 2, 2, k))?.transpose(1, 2)?.contiguous()?.reshape((rows, k))?)
}

impl Model for Decoder {
    fn context_length(&self) -> usize {
        self.config.context_length
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.config.layers, &self.keeping)
    }

    fn output(&self) -> &OutputLayer {
        &self.output
    }

    fn work(&self) -> Macs {
        let c = &self.config;
        let attention = 2 * (c.heads + c.kv_heads) * c.head_dim * c.dim;
        let layer = attention + work::feed_forward(c.dim, c.hidden, true);
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

        let mut step = Step::begin(self.keeping.log(), spans)?;
        let mut x = (self.embedding.forward(&tokens)? * self.config.embedding_scale)?; // (tokens, dim)
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
            let attended = layer.attention.forward(
                [&angles.apply(&q)?, &angles.apply(&k)?, &v],
                None,
                spans,
                &mut step,
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
