//! The encoder–decoder transformer (Vaswani et al. 2017): one graph with switches for the families
//! that share it.

mod load;

use super::family::{EncoderDecoderConfig, StackConfig};
use super::{
    Encoder, Footprint, GenerationDefaults, GenerationDefaultsFn, Macs, Model, advance, footprint,
    macs,
};
use crate::error::{Error, Result};
use crate::kernel::RelativeBias;
use crate::nn::{
    Attention, Embedding, EncoderAttention, FeedForward, ForwardPass, KvCache, KvStorage, Linear,
    LinearOutput, MetadataCache, Norm, OutputLayer, Positions, Recurrence, SourceCache, Span, add,
};
use crate::types::Lang;
use candle_core::Tensor;
use std::sync::Arc;

/// A part of a layer with its normalization; its output is added to its input.
struct Sublayer<T> {
    norm: Norm,
    inner: T,
}

struct SelfAttention {
    qkv: Linear,
    attention: Attention,
    o: Linear,
    bias: Option<Arc<RelativeBias>>,
}

struct CrossAttention {
    q: Linear,
    kv: Linear,
    attention: Attention,
    o: Linear,
}

/// The sublayer of a decoder by which a token sees those before it.
enum Mixer {
    Attention(SelfAttention),
    Recurrence(Recurrence),
}

struct EncoderLayer {
    attention: Sublayer<(EncoderAttention, Linear)>,
    feed_forward: Sublayer<FeedForward>,
}

struct DecoderLayer {
    mixer: Sublayer<Mixer>,
    cross: Sublayer<CrossAttention>,
    feed_forward: Sublayer<FeedForward>,
}

/// The encoder or the decoder.
struct Stack<Layer> {
    embedding: Arc<Embedding>,
    positions: Option<Positions>,
    embedding_norm: Option<Norm>,
    layers: Vec<Layer>,
    final_norm: Option<Norm>,
}

pub(super) struct EncoderDecoder {
    config: EncoderDecoderConfig,
    encoder: Stack<EncoderLayer>,
    decoder: Stack<DecoderLayer>,
    output: OutputLayer,
    storage: KvStorage,
    source_storage: KvStorage,
    generation_defaults: Option<GenerationDefaultsFn>,
}

impl EncoderDecoder {
    /// The same model with what its family does in generation.
    pub fn with_generation_defaults(self, defaults: GenerationDefaultsFn) -> EncoderDecoder {
        EncoderDecoder { generation_defaults: Some(defaults), ..self }
    }

    /// The embeddings of some tokens of a target, (tokens, dim).
    fn target_vectors(&self, tokens: &[u32]) -> Result<Tensor> {
        let embedding = &self.decoder.embedding;
        let start = self.output.vocabulary() as u32;
        if !self.config.empty_start || !tokens.contains(&start) {
            return embedding.forward(tokens);
        }
        let known: Vec<u32> =
            tokens.iter().map(|&token| if token == start { 0 } else { token }).collect();
        let factors: Vec<f32> =
            tokens.iter().map(|&token| if token == start { 0.0 } else { 1.0 }).collect();
        let x = embedding.forward(&known)?;
        Ok(x.broadcast_mul(
            &Tensor::from_vec(factors, (tokens.len(), 1), x.device())?.to_dtype(x.dtype())?,
        )?)
    }

    /// The input of a stack's first layer, (tokens, dim), out of the embeddings of the tokens.
    fn embed<L>(&self, stack: &Stack<L>, mut x: Tensor, positions: &[usize]) -> Result<Tensor> {
        if self.config.embedding_scale != 1.0 {
            x = (x * self.config.embedding_scale)?;
        }
        if let Some(table) = &stack.positions {
            x = add(&x, &table.at(positions)?)?;
        }
        stack.embedding_norm.as_ref().map_or(Ok(x.clone()), |norm| norm.forward(&x))
    }

    /// The input of the decoder's first layer, (tokens of all spans, dim).
    fn embed_spans(&self, spans: &[Span<'_>]) -> Result<Tensor> {
        let tokens: Vec<u32> = spans.iter().flat_map(|s| s.tokens).copied().collect();
        let positions: Vec<usize> = spans.iter().flat_map(Span::positions).collect();
        self.embed(&self.decoder, self.target_vectors(&tokens)?, &positions)
    }

    /// Goes through a layer of the decoder.
    fn decode(
        &self,
        layer: &DecoderLayer,
        x: &Tensor,
        spans: &mut [Span<'_>],
        pass: &mut ForwardPass<'_>,
    ) -> Result<Tensor> {
        let x = self.mix(layer, x, spans, pass)?;
        let x = self.residual(&x, &layer.cross, |cross, x| {
            let [q] = cross.attention.split(&cross.q.forward(x)?)?;
            cross.o.output(&cross.attention.cross_attention(&q, spans, pass)?)
        })?;
        self.residual(&x, &layer.feed_forward, |feed_forward, x| feed_forward.output(x))
    }

    /// Goes through the first sublayer of a layer of the decoder.
    fn mix(
        &self,
        layer: &DecoderLayer,
        x: &Tensor,
        spans: &mut [Span<'_>],
        pass: &mut ForwardPass<'_>,
    ) -> Result<Tensor> {
        self.residual(x, &layer.mixer, |mixer, x| match mixer {
            Mixer::Attention(a) => {
                let [q, k, v] = a.attention.split(&a.qkv.forward(x)?)?;
                let bias = a.bias.as_ref();
                a.o.output(&a.attention.self_attention([&q, &k, &v], bias, spans, pass)?)
            }
            Mixer::Recurrence(recurrence) => recurrence.forward(x, spans).map(LinearOutput::from),
        })
    }

    /// `x` plus a sublayer's output, normalized before or after as the family does.
    fn residual<T>(
        &self,
        x: &Tensor,
        sublayer: &Sublayer<T>,
        f: impl FnOnce(&T, &Tensor) -> Result<LinearOutput>,
    ) -> Result<Tensor> {
        if self.config.pre_norm {
            return add(x, &f(&sublayer.inner, &sublayer.norm.forward(x)?)?.value()?);
        }
        sublayer.norm.forward_sum(x, &f(&sublayer.inner, x)?)
    }
}

impl Encoder for EncoderDecoder {
    fn context_length(&self) -> usize {
        self.config.encoder.context_length
    }

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Arc<SourceCache>>> {
        let lengths: Vec<usize> = sources.iter().map(|s| s.len()).collect();
        let positions: Vec<usize> = lengths.iter().flat_map(|&n| 0..n).collect();
        let vectors = self.encoder.embedding.forward(&sources.concat())?;
        let mut x = self.embed(&self.encoder, vectors, &positions)?; // (tokens, dim)
        let mut metadata = MetadataCache::default();
        for layer in &self.encoder.layers {
            x = self.residual(&x, &layer.attention, |(attention, o), x| {
                o.output(&attention.forward(x, &lengths, &mut metadata)?)
            })?;
            x = self.residual(&x, &layer.feed_forward, |feed_forward, x| feed_forward.output(x))?;
        }
        if let Some(norm) = &self.encoder.final_norm {
            x = norm.forward(&x)?;
        }
        let layers = &self.decoder.layers;
        let Some(first) = layers.first() else { return Ok(Vec::new()) };
        let shape = first.cross.inner.attention.shape();
        let keys_and_values = |layer: &DecoderLayer| layer.cross.inner.kv.forward(&x);
        let storages = [&self.source_storage, &self.storage];
        SourceCache::new(storages, &lengths, shape, layers.iter().map(keys_and_values))
    }

    fn attention_layers(&self) -> usize {
        self.decoder.layers.len()
    }

    fn aligning_head(&self) -> Option<usize> {
        self.config.aligning_head
    }

    fn attention(&self, span: &mut Span<'_>, layer: usize) -> Result<Tensor> {
        let spans = std::slice::from_mut(span);
        let mut pass = ForwardPass::begin(self.storage.pool(), spans)?;
        let mut x = self.embed_spans(spans)?; // (tokens, dim)
        let Some(watched) = self.decoder.layers.get(layer) else {
            let layers = self.decoder.layers.len();
            return Err(Error::Usage(format!(
                "layer {layer} of the decoder is asked for, which has {layers}, counted from 0"
            )));
        };
        for below in self.decoder.layers.iter().take(layer) {
            x = self.decode(below, &x, spans, &mut pass)?;
        }
        x = self.mix(watched, &x, spans, &mut pass)?;
        let Sublayer { norm, inner: cross } = &watched.cross;
        if self.config.pre_norm {
            x = norm.forward(&x)?;
        }
        let [q] = cross.attention.split(&cross.q.forward(&x)?)?;
        let weights = cross.attention.cross_attention_weights(&q, &spans[0], &pass)?;
        spans[0].cache.advance(spans[0].tokens.len());
        Ok(weights)
    }
}

impl Model for EncoderDecoder {
    fn context_length(&self) -> usize {
        self.config.decoder.context_length
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.config.decoder.layers, &self.storage)
    }

    fn output(&self) -> &OutputLayer {
        &self.output
    }

    fn macs(&self) -> Macs {
        let c = &self.config;
        let attention = |stack: &StackConfig| 4 * stack.heads * stack.head_dim * c.dim;
        let fed = |stack: &StackConfig| macs::feed_forward(c.dim, stack.hidden, c.gated);
        let (encoder, decoder) = (&c.encoder, &c.decoder);
        // Half of the cross-attention is done once for each token of the source: keys and values.
        let across = attention(decoder) / 2;
        let mixer = if c.recurrent { 2 * c.dim * c.dim } else { attention(decoder) };
        Macs {
            source: (encoder.layers * (attention(encoder) + fed(encoder)) + decoder.layers * across)
                as u64,
            token: (decoder.layers * (mixer + across + fed(decoder))) as u64,
            output: (self.output.vocabulary() * c.dim) as u64,
        }
    }

    fn footprint(&self) -> Footprint {
        let (c, decoder) = (&self.config, &self.config.decoder);
        let width = decoder.heads * decoder.head_dim;
        let own = if c.recurrent { c.dim } else { width };
        let step = |stack: &StackConfig| {
            footprint::layer_outputs(c.dim, 4 * stack.heads * stack.head_dim, stack.hidden)
        };
        let kept = |width, storage| footprint::keys_and_values(decoder.layers, width, storage);
        Footprint {
            token: kept(own, &self.storage),
            source: kept(width, &self.source_storage),
            step: step(&c.encoder).max(step(decoder)),
        }
    }

    fn encoder(&self) -> Option<&dyn Encoder> {
        Some(self)
    }

    fn language_prompt(
        &self,
        from: &Lang,
        to: &Lang,
        has: &dyn Fn(&str) -> bool,
    ) -> Option<super::LanguagePrompt> {
        (self.config.language_prompt)(from, to, has)
    }

    fn generation_defaults(&self, has: &dyn Fn(&str) -> bool) -> GenerationDefaults {
        self.generation_defaults.as_ref().map_or_else(GenerationDefaults::default, |all| all(has))
    }

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let mut pass = ForwardPass::begin(self.storage.pool(), spans)?;
        let mut x = self.embed_spans(spans)?; // (tokens, dim)
        for layer in &self.decoder.layers {
            x = self.decode(layer, &x, spans, &mut pass)?;
        }
        let mut x = advance(x, spans)?;
        if let Some(norm) = &self.decoder.final_norm {
            x = norm.forward(&x)?;
        }
        if self.config.output_scale != 1.0 {
            x = (x * self.config.output_scale)?;
        }
        Ok(x)
    }
}
