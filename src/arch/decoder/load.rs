//! Builds a decoder out of its weights.
//!
//! With int8 weights an adapter may bring SmoothQuant factors ([`Weights::smoothing`]): the columns
//! of a matrix are multiplied by them, and whatever makes its input, a norm or the matrix before,
//! is divided by them.

use super::naming::bias;
use super::{Decoder, DecoderConfig, Layer, Naming};
use crate::arch::{audit, head};
use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::kernel::AttentionShape;
use crate::nn::{Attention, Backend, Embedding, FeedForward, KvStorage, Linear, Norm, OutputLayer};
use candle_core::Tensor;
use rayon::prelude::*;

impl Decoder {
    pub(in crate::arch) fn load(
        config: DecoderConfig,
        naming: &Naming,
        weights: &dyn Weights,
        backend: &Backend,
    ) -> Result<Decoder> {
        let c = &config;
        if c.kv_heads == 0
            || !c.heads.is_multiple_of(c.kv_heads)
            || c.head_dim == 0
            || !c.head_dim.is_multiple_of(2)
        {
            let message = format!(
                "{} heads of width {} cannot share {} key heads",
                c.heads, c.head_dim, c.kv_heads
            );
            return Err(Error::model(weights.model(), message));
        }
        let embedding = head::embedding(weights, &[naming.embedding], naming.output, c.tied_output)
            .unwrap_or(naming.embedding);
        audit::require(weights, naming.required(c, embedding))?;
        let builder = Builder { config: c, naming, weights, backend };
        let Vocabulary { embedding, output, smoothing, tied } = builder.vocabulary(embedding)?;
        let layers =
            (0..c.layers.len()).into_par_iter().map(|i| builder.layer(i)).collect::<Result<_>>()?;
        // The states that the output layer reads are as large as its logits should be.
        let norm = builder.norm(naming.output_norm, c.dim, smoothing.as_ref(), c.logit_scale)?;
        Ok(Decoder {
            embedding,
            layers,
            norm,
            smoothed: smoothing.filter(|_| tied),
            output: output.with_cap(c.logit_cap),
            storage: KvStorage::of(backend),
            backend: backend.clone(),
            config,
        })
    }
}

/// The layers that map tokens to vectors and back.
struct Vocabulary {
    embedding: Embedding,
    output: OutputLayer,
    /// The SmoothQuant factors of the output layer.
    smoothing: Option<Tensor>,
    /// Whether the output layer has the embedding's weights.
    tied: bool,
}

struct Builder<'a> {
    config: &'a DecoderConfig,
    naming: &'a Naming,
    weights: &'a dyn Weights,
    backend: &'a Backend,
}

impl Builder<'_> {
    /// The SmoothQuant factors of a matrix; `None` where inputs are not quantized.
    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        if self.backend.quantizes() { self.weights.smoothing(name, inputs) } else { Ok(None) }
    }

    /// A norm, divided by the factors of the matrix that reads it, its outputs times `scale`.
    fn norm(&self, name: &str, dim: usize, smoothing: Option<&Tensor>, scale: f64) -> Result<Norm> {
        let epsilon = self.config.epsilon;
        let weight = (self.weights.get_shaped(name, &[dim])? + self.naming.norm_offset)?;
        let weight = smoothing.map_or(Ok(weight.clone()), |divisors| weight / divisors)?;
        let weight = self.backend.place(&(weight * scale)?)?;
        Ok(if self.config.mean_norm {
            Norm::Layer { bias: weight.zeros_like()?, weight, epsilon }
        } else {
            Norm::Rms { weight, epsilon }
        })
    }

    /// `name` is the embedding's.
    fn vocabulary(&self, name: &str) -> Result<Vocabulary> {
        let Builder { config, naming, weights, backend } = *self;
        let tied =
            !head::is_separate(weights, name, naming.output, config.dim, config.tied_output)?;
        let output = if tied { name } else { naming.output };
        let smoothing = self.smoothing(output, config.dim)?;
        let table = weights.get_rows_reader(name, config.dim)?;
        let vocabulary = table.rows;
        let table = table.scale_columns(smoothing.as_ref().filter(|_| tied))?;
        let embedding = Embedding::new(&table, backend)?;
        let output = if tied {
            embedding.tied_output()
        } else {
            let own = weights.get_matrix(naming.output, vocabulary, config.dim)?;
            OutputLayer::new(&own.scale_columns(smoothing.as_ref())?, backend)?
        };
        Ok(Vocabulary { embedding, output, smoothing, tied })
    }

    fn layer(&self, number: usize) -> Result<Layer> {
        LayerBuilder { parts: self, number }.build()
    }
}

/// Builds one layer.
struct LayerBuilder<'a> {
    parts: &'a Builder<'a>,
    number: usize,
}

impl LayerBuilder<'_> {
    fn build(&self) -> Result<Layer> {
        let Builder { config: c, naming, .. } = *self.parts;
        let (first, gate) =
            if c.fused { (naming.qkv, naming.gate_up) } else { (naming.q, naming.gate) };
        let (attention, feed_forward) =
            (self.smoothing(first, c.dim)?, self.smoothing(gate, c.dim)?);
        // Two matrices that read the same norm would have to have the same factors.
        let (attention, feed_forward) = match c.parallel {
            true => (None, None),
            false => (attention.as_ref(), feed_forward.as_ref()),
        };
        let layer = c.layers[self.number];
        let shape = AttentionShape {
            heads: c.heads,
            kv_heads: c.kv_heads,
            dim: c.head_dim,
            scale: c.attention_scale,
            cap: c.score_cap,
            window: layer.window,
        };
        let feed_forward_norm = (!c.parallel)
            .then(|| self.norm(naming.feed_forward_norm, c.dim, feed_forward))
            .transpose()?;
        Ok(Layer {
            attention_norm: self.norm(naming.attention_norm, c.dim, attention)?,
            qkv: self.qkv(attention)?,
            qk_norm: self.qk_norm()?,
            attention: Attention::new(self.number, shape, self.parts.backend),
            o: self.o()?,
            post_attention_norm: self.post_norm(naming.post_attention_norm)?,
            feed_forward_norm,
            feed_forward: self.feed_forward(feed_forward)?,
            post_feed_forward_norm: self.post_norm(naming.post_feed_forward_norm)?,
            rope: layer.rope,
        })
    }

    /// Queries, keys and values side by side.
    fn qkv(&self, smoothing: Option<&Tensor>) -> Result<Linear> {
        let Builder { config: c, naming, weights, .. } = *self.parts;
        let all = (c.heads + 2 * c.kv_heads) * c.head_dim;
        let rotated = |part: &str, heads: usize| {
            let weight = self.matrix(part, heads * c.head_dim, c.dim, smoothing)?;
            // In order, and not as a tensor: blocks of rows stay what they are.
            match naming.interleaved_rope {
                true => weight.reordered(half_order(heads, c.head_dim)),
                false => Ok(weight),
            }
        };
        let matrices = if c.fused {
            vec![self.matrix(naming.qkv, all, c.dim, smoothing)?]
        } else {
            vec![
                rotated(naming.q, c.heads)?,
                rotated(naming.k, c.kv_heads)?,
                self.matrix(naming.v, c.kv_heads * c.head_dim, c.dim, smoothing)?,
            ]
        };
        if !c.qkv_bias {
            return self.linear(matrices, &[]);
        }
        let bias = |part: &str, width: usize| weights.get_shaped(&self.name(&bias(part)), &[width]);
        if c.fused {
            return self.linear(matrices, &[bias(naming.qkv, all)?]);
        }
        let rotated = |part: &str, heads: usize| -> Result<Tensor> {
            let bias = bias(part, heads * c.head_dim)?;
            if !naming.interleaved_rope {
                return Ok(bias);
            }
            let order = half_order(heads, c.head_dim).into_iter().map(|row| row as u32);
            let order = Tensor::from_iter(order, bias.device())?;
            Ok(bias.index_select(&order, 0)?)
        };
        let biases = [
            rotated(naming.q, c.heads)?,
            rotated(naming.k, c.kv_heads)?,
            bias(naming.v, c.kv_heads * c.head_dim)?,
        ];
        self.linear(matrices, &biases)
    }

    /// The projection of what the heads have read.
    fn o(&self) -> Result<Linear> {
        let Builder { config: c, naming, weights, .. } = *self.parts;
        let matrix = self.matrix(naming.o, c.dim, c.heads * c.head_dim, None)?;
        let bias = c.o_bias.then(|| weights.get_shaped(&self.name(&bias(naming.o)), &[c.dim]));
        self.linear(vec![matrix], bias.transpose()?.as_slice())
    }

    /// The norms of queries and keys, in families that have them.
    fn qk_norm(&self) -> Result<Option<(Norm, Norm)>> {
        let Builder { config: c, naming, .. } = *self.parts;
        if c.qk_norm.is_none() {
            return Ok(None);
        }
        let norm = |part: &str| self.norm(part, c.head_dim, None);
        Ok(Some((norm(naming.q_norm)?, norm(naming.k_norm)?)))
    }

    /// The norm of a sublayer's output, in families that have it.
    fn post_norm(&self, part: &str) -> Result<Option<Norm>> {
        let c = self.parts.config;
        c.post_norm.then(|| self.norm(part, c.dim, None)).transpose()
    }

    fn feed_forward(&self, smoothing: Option<&Tensor>) -> Result<FeedForward> {
        let Builder { config: c, naming, .. } = *self.parts;
        let hidden = self.smoothing(naming.down, c.hidden)?;
        let hidden = hidden.as_ref();
        let gate_up = if c.fused {
            // Only the second half, what the gate lets through, is the input of the next matrix.
            let divisors = hidden.map(|hidden| Tensor::cat(&[&hidden.ones_like()?, hidden], 0));
            let both = self.matrix(naming.gate_up, 2 * c.hidden, c.dim, smoothing)?;
            vec![both.divide_rows(divisors.transpose()?.as_ref())?]
        } else {
            vec![
                self.matrix(naming.gate, c.hidden, c.dim, smoothing)?,
                self.matrix(naming.up, c.hidden, c.dim, smoothing)?.divide_rows(hidden)?,
            ]
        };
        let down = self.matrix(naming.down, c.dim, c.hidden, hidden)?;
        Ok(FeedForward::gated(
            self.linear(gate_up, &[])?,
            self.linear(vec![down], &[])?,
            c.activation,
        ))
    }

    /// Matrices side by side, as one layer, with their biases if there are any.
    fn linear(&self, matrices: Vec<MatrixReader<'_>>, biases: &[Tensor]) -> Result<Linear> {
        let matrix = MatrixReader::stacked(matrices)?;
        if biases.is_empty() {
            Linear::new(&matrix, self.parts.backend)
        } else {
            Linear::with_bias(&matrix, biases, self.parts.backend)
        }
    }

    /// A matrix, (n, k), multiplied by its SmoothQuant factors.
    fn matrix(
        &self,
        part: &str,
        n: usize,
        k: usize,
        smoothing: Option<&Tensor>,
    ) -> Result<MatrixReader<'_>> {
        self.parts.weights.get_matrix(&self.name(part), n, k)?.scale_columns(smoothing)
    }

    fn norm(&self, part: &str, dim: usize, smoothing: Option<&Tensor>) -> Result<Norm> {
        self.parts.norm(&self.name(part), dim, smoothing, 1.0)
    }

    fn smoothing(&self, part: &str, inputs: usize) -> Result<Option<Tensor>> {
        self.parts.smoothing(&self.name(part), inputs)
    }

    fn name(&self, part: &str) -> String {
        self.parts.naming.part(self.number, part)
    }
}

/// The rows of heads that are in interleaved order (0, d/2, 1, d/2 + 1, …), in the half-split order
/// of [`Rope`].
fn half_order(heads: usize, dim: usize) -> Vec<usize> {
    let of_head = |head: usize| {
        (0..2).flat_map(move |half| (0..dim / 2).map(move |i| head * dim + 2 * i + half))
    };
    (0..heads).flat_map(of_head).collect()
}
