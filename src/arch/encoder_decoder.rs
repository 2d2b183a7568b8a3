//! The encoder–decoder transformer (Vaswani et al. 2017): one graph with switches for the families
//! that share it.

use super::family::{
    EncoderDecoderConfig, HalfConfig, HalfNaming, Naming, PositionKind, SightKind,
};
use super::{Encoder, Macs, Model, advance, audit, work};
use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::kernel::{AttentionShape, RelativeBias};
use crate::nn::{
    Attention, Backend, Embedding, FeedForward, Keeping, KvCache, LayerCache, Linear, LinearOutput,
    Norm, OutputLayer, Plans, Positions, Recurrence, Sight, SourceCache, Span, Step, add,
    relative_bias,
};
use crate::types::Lang;
use candle_core::Tensor;
use rayon::prelude::*;
use std::sync::Arc;

/// What reads one kind of input and adds to it.
struct Sublayer<T> {
    norm: Norm,
    inner: T,
}

struct SelfAttention {
    qkv: Linear,
    attention: Attention,
    o: Linear,
    bias: Option<Arc<RelativeBias>>,
    /// Of the encoder.
    sight: Sight,
}

struct CrossAttention {
    q: Linear,
    kv: Linear,
    attention: Attention,
    o: Linear,
}

/// By what a token learns of the others of its sequence.
enum Mixer {
    Attention(SelfAttention),
    Recurrence(Recurrence),
}

struct Layer {
    mixer: Sublayer<Mixer>,
    cross: Option<Sublayer<CrossAttention>>,
    feed_forward: Sublayer<FeedForward>,
}

struct Half {
    embedding: Arc<Embedding>,
    positions: Option<Positions>,
    embedding_norm: Option<Norm>,
    layers: Vec<Layer>,
    final_norm: Option<Norm>,
}

pub(super) struct EncoderDecoder {
    config: EncoderDecoderConfig,
    encoder: Half,
    decoder: Half,
    output: OutputLayer,
    keeping: Keeping,
}

/// What building the parts takes.
struct Builder<'a> {
    config: &'a EncoderDecoderConfig,
    weights: &'a dyn Weights,
    backend: &'a Backend,
}

impl Builder<'_> {
    fn on_device(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.backend.place(&self.weights.get_shaped(name, shape)?)
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        let &EncoderDecoderConfig { dim, epsilon, .. } = self.config;
        let weight = self.on_device(&format!("{name}.weight"), &[dim])?;
        if self.config.rms {
            return Ok(Norm::Rms { weight, epsilon });
        }
        Ok(Norm::Layer { weight, bias: self.on_device(&format!("{name}.bias"), &[dim])?, epsilon })
    }

    /// Layers of the given names side by side, each `k` → `n`.
    fn linear(&self, names: &[String], n: usize, k: usize) -> Result<Linear> {
        let weight = |name: &String| self.weights.get_matrix(&format!("{name}.weight"), n, k);
        let parts = MatrixReader::stacked(names.iter().map(weight).collect::<Result<Vec<_>>>()?)?;
        if self.config.rms {
            return Linear::new(&parts, self.backend);
        }
        let bias = |name: &String| self.weights.get_shaped(&format!("{name}.bias"), &[n]);
        Linear::with_bias(
            &parts,
            &names.iter().map(bias).collect::<Result<Vec<_>>>()?,
            self.backend,
        )
    }

    fn half(
        &self,
        half: &HalfConfig,
        names: &HalfNaming,
        embedding: Arc<Embedding>,
        is_decoder: bool,
    ) -> Result<Half> {
        let c = self.config;
        let positions = match c.positions {
            PositionKind::Learned { offset } => {
                let table = self.weights.get_rows(names.positions, c.dim)?;
                let rows = table.dim(0)?;
                if rows < half.context_length.saturating_add(offset) {
                    let (name, positions) = (names.positions, half.context_length);
                    let message = format!(
                        "weight {name} has {rows} rows, too few for the {positions} positions of its configuration"
                    );
                    return Err(Error::model(self.weights.model(), message));
                }
                Some(Positions::learned(&table, offset, self.backend)?)
            }
            PositionKind::Sinusoidal => {
                Some(Positions::sinusoidal(half.context_length, c.dim, self.backend)?)
            }
            PositionKind::SinusoidalFairseq { first } => Some(Positions::sinusoidal_fairseq(
                first,
                half.context_length,
                c.dim,
                self.backend,
            )?),
            PositionKind::Relative { .. } => None,
        };
        let bias =
            |layer: usize| self.relative(&names.layer(layer, names.relative), half, !is_decoder);
        let shared_bias = bias(0)?;
        let block_bias = match c.sight {
            SightKind::NearAndBlocks { relative, .. } if !is_decoder => {
                self.relative(&names.layer(0, relative), half, true)?
            }
            _ => None,
        };
        let every_layer = matches!(c.positions, PositionKind::Relative { every_layer: true, .. });
        let layer = |i: usize| -> Result<Layer> {
            let name = |part: &str| names.layer(i, part);
            let width = half.heads * half.head_dim;
            let shape = AttentionShape {
                heads: half.heads,
                kv_heads: half.heads,
                dim: half.head_dim,
                scale: c.attention_scale,
                window: None,
            };
            let mixer = if is_decoder && c.recurrent {
                Mixer::Recurrence(self.recurrence(i, names)?)
            } else {
                let [q, k, v, o] = names.attention;
                Mixer::Attention(SelfAttention {
                    qkv: self.linear(&[name(q), name(k), name(v)], width, c.dim)?,
                    attention: Attention { layer: i, shape, candle: self.backend.candle },
                    o: self.linear(&[name(o)], c.dim, width)?,
                    bias: if every_layer { bias(i)? } else { shared_bias.clone() },
                    sight: if is_decoder {
                        Sight::All
                    } else {
                        self.sight(i, names, width, block_bias.clone())?
                    },
                })
            };
            let cross = if is_decoder {
                let [q, k, v, o] = names.cross;
                let inner = CrossAttention {
                    q: self.linear(&[name(q)], width, c.dim)?,
                    kv: self.linear(&[name(k), name(v)], width, c.dim)?,
                    attention: Attention { layer: i, shape, candle: self.backend.candle },
                    o: self.linear(&[name(o)], c.dim, width)?,
                };
                Some(Sublayer { norm: self.norm(&name(names.cross_norm))?, inner })
            } else {
                None
            };
            let [gate, up, down] = names.feed_forward;
            let down = self.linear(&[name(down)], c.dim, half.hidden)?;
            let feed_forward = if c.gated {
                FeedForward::gated(
                    self.linear(&[name(gate), name(up)], half.hidden, c.dim)?,
                    down,
                    c.activation,
                )
            } else {
                FeedForward::plain(
                    self.linear(&[name(up)], half.hidden, c.dim)?,
                    down,
                    c.activation,
                )
            };
            Ok(Layer {
                mixer: Sublayer { norm: self.norm(&name(names.attention_norm))?, inner: mixer },
                cross,
                feed_forward: Sublayer {
                    norm: self.norm(&name(names.feed_forward_norm))?,
                    inner: feed_forward,
                },
            })
        };
        Ok(Half {
            embedding,
            positions,
            embedding_norm: c
                .embedding_norm
                .then(|| self.norm(names.embedding_norm))
                .transpose()?,
            layers: (0..half.layers).into_par_iter().map(layer).collect::<Result<Vec<_>>>()?,
            final_norm: c.final_norm.then(|| self.norm(names.final_norm)).transpose()?,
        })
    }

    fn recurrence(&self, layer: usize, names: &HalfNaming) -> Result<Recurrence> {
        let dim = self.config.dim;
        let [input, gate] = names.recurrence.map(|part| names.layer(layer, part));
        let weight = |name: &str| self.weights.get_matrix(&format!("{name}.weight"), dim, dim);
        let bias = self.weights.get_shaped(&format!("{gate}.bias"), &[dim])?;
        Recurrence::new(layer, weight(&input)?, weight(&gate)?, bias, self.backend)
    }

    /// T5's relative positions, where a family has them.
    fn relative(
        &self,
        name: &str,
        half: &HalfConfig,
        bidirectional: bool,
    ) -> Result<Option<Arc<RelativeBias>>> {
        let PositionKind::Relative { max_distance, .. } = self.config.positions else {
            return Ok(None);
        };
        let table = self.weights.get_rows(name, half.heads)?;
        let buckets = table.dim(0)?;
        if buckets < 4 {
            let message =
                format!("weight {name} has {buckets} relative positions; expected at least 4");
            return Err(Error::model(self.weights.model(), message));
        }
        Ok(Some(Arc::new(relative_bias(&table, max_distance, bidirectional)?)))
    }

    /// What the tokens see in a layer of the encoder; `width` is that of all heads.
    fn sight(
        &self,
        layer: usize,
        names: &HalfNaming,
        width: usize,
        block_bias: Option<Arc<RelativeBias>>,
    ) -> Result<Sight> {
        let linear = |parts: &[&str]| {
            self.linear(
                &parts.iter().map(|part| names.layer(layer, part)).collect::<Vec<_>>(),
                width,
                self.config.dim,
            )
        };
        Ok(match (&self.config.sight, block_bias) {
            (SightKind::NearAndBlocks { radius, size, norm, .. }, Some(bias)) => {
                Sight::NearAndBlocks {
                    radius: *radius,
                    size: *size,
                    norm: self.norm(&names.layer(layer, norm))?,
                    bias,
                }
            }
            (SightKind::NearAndFirst { radii, first: [q, k, v] }, _) => {
                let radius = radii.get(layer).or(radii.last()).copied().unwrap_or(0);
                Sight::NearAndFirst { radius, query: linear(&[q])?, key_value: linear(&[k, v])? }
            }
            (SightKind::Near { radius } | SightKind::NearAndBlocks { radius, .. }, _) => {
                Sight::Near { radius: *radius }
            }
            (SightKind::All, _) => Sight::All,
        })
    }

    fn embedding(&self, name: &str) -> Result<Arc<Embedding>> {
        let table = self.weights.get_rows_reader(name, self.config.dim)?;
        if table.rows == 0 {
            return Err(Error::model(
                self.weights.model(),
                format!("weight {name} has no rows; expected one a token"),
            ));
        }
        Ok(Arc::new(Embedding::new(&table, self.backend)?))
    }
}

impl EncoderDecoder {
    pub(super) fn load(
        config: EncoderDecoderConfig,
        naming: &Naming,
        weights: &dyn Weights,
        backend: &Backend,
    ) -> Result<EncoderDecoder> {
        audit::require(weights, audit::encoder_decoder(&config, naming))?;
        let builder = Builder { config: &config, weights, backend };
        let (source, target) = if config.separate_vocabularies {
            (
                builder.embedding(naming.encoder.embedding)?,
                builder.embedding(naming.decoder.embedding)?,
            )
        } else {
            let found = naming.shared.iter().find(|name| weights.has(name));
            let name = found.ok_or_else(|| {
                Error::model(
                    weights.model(),
                    format!(
                        "the embedding is missing; expected a weight {}",
                        naming.shared.join(" or ")
                    ),
                )
            })?;
            let shared = builder.embedding(name)?;
            (shared.clone(), shared)
        };
        let mut output = if config.tied_output || !weights.has(naming.output) {
            target.tied_output()
        } else {
            OutputLayer::new(&weights.get_rows_reader(naming.output, config.dim)?, backend)?
        };
        if weights.has(naming.output_bias) {
            let bias = weights.get_shaped(naming.output_bias, &[1, output.vocabulary()])?;
            output = output.with_bias(&bias)?;
        }
        let encoder = builder.half(&config.encoder, &naming.encoder, source, false)?;
        let decoder = builder.half(&config.decoder, &naming.decoder, target, true)?;
        // A recurrence goes on with what it kept: rounded at every token, its state would drift.
        let keeping = match Keeping::of(backend) {
            Keeping::F16 if config.recurrent => Keeping::F32,
            keeping => keeping,
        };
        Ok(EncoderDecoder { encoder, decoder, output, keeping, config })
    }

    /// The embeddings of some tokens, (tokens, dim).
    fn vectors(&self, half: &Half, tokens: &[u32]) -> Result<Tensor> {
        let start = self.output.vocabulary() as u32;
        if !self.config.empty_start || !tokens.contains(&start) {
            return half.embedding.forward(tokens);
        }
        let known: Vec<u32> =
            tokens.iter().map(|&token| if token == start { 0 } else { token }).collect();
        let factors: Vec<f32> =
            tokens.iter().map(|&token| if token == start { 0.0 } else { 1.0 }).collect();
        let x = half.embedding.forward(&known)?;
        Ok(x.broadcast_mul(
            &Tensor::from_vec(factors, (tokens.len(), 1), x.device())?.to_dtype(x.dtype())?,
        )?)
    }

    /// What enters the first layer: (tokens, dim).
    fn embed(&self, half: &Half, tokens: &[u32], positions: &[usize]) -> Result<Tensor> {
        let mut x = self.vectors(half, tokens)?;
        if self.config.embedding_scale != 1.0 {
            x = (x * self.config.embedding_scale)?;
        }
        if let Some(table) = &half.positions {
            x = add(&x, &table.at(positions)?)?;
        }
        half.embedding_norm.as_ref().map_or(Ok(x.clone()), |norm| norm.forward(&x))
    }

    /// What enters the decoder's first layer: (tokens of all spans, dim).
    fn enter(&self, spans: &[Span<'_>]) -> Result<Tensor> {
        let tokens: Vec<u32> = spans.iter().flat_map(|s| s.tokens).copied().collect();
        let positions: Vec<usize> = spans.iter().flat_map(Span::positions).collect();
        self.embed(&self.decoder, &tokens, &positions)
    }

    /// A layer of the decoder.
    fn decode(
        &self,
        layer: &Layer,
        x: &Tensor,
        spans: &mut [Span<'_>],
        step: &mut Step<'_>,
    ) -> Result<Tensor> {
        let mut x = self.self_attention(layer, x, spans, step)?;
        if let Some(cross) = &layer.cross {
            x = self.residual(&x, cross, |c, x| {
                let [q] = c.attention.split(&c.q.forward(x)?)?;
                c.o.product(&c.attention.cross(&q, spans, step)?)
            })?;
        }
        self.residual(&x, &layer.feed_forward, |f, x| f.product(x))
    }

    /// The first sublayer of a layer of the decoder.
    fn self_attention(
        &self,
        layer: &Layer,
        x: &Tensor,
        spans: &mut [Span<'_>],
        step: &mut Step<'_>,
    ) -> Result<Tensor> {
        self.residual(x, &layer.mixer, |mixer, x| match mixer {
            Mixer::Attention(a) => {
                let [q, k, v] = a.attention.split(&a.qkv.forward(x)?)?;
                a.o.product(&a.attention.forward([&q, &k, &v], a.bias.as_deref(), spans, step)?)
            }
            Mixer::Recurrence(recurrence) => recurrence.forward(x, spans).map(LinearOutput::from),
        })
    }

    /// Adds what a sublayer makes of `x` to it.
    fn residual<T>(
        &self,
        x: &Tensor,
        sublayer: &Sublayer<T>,
        f: impl FnOnce(&T, &Tensor) -> Result<LinearOutput>,
    ) -> Result<Tensor> {
        if self.config.pre_norm {
            return add(x, &f(&sublayer.inner, &sublayer.norm.forward(x)?)?.value()?);
        }
        sublayer.norm.of_sum(x, &f(&sublayer.inner, x)?)
    }
}

impl Encoder for EncoderDecoder {
    fn context_length(&self) -> usize {
        self.config.encoder.context_length
    }

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Arc<SourceCache>>> {
        let lengths: Vec<usize> = sources.iter().map(|s| s.len()).collect();
        let positions: Vec<usize> = lengths.iter().flat_map(|&n| 0..n).collect();
        let mut x = self.embed(&self.encoder, &sources.concat(), &positions)?; // (tokens, dim)
        let mut plans = Plans::default();
        for layer in &self.encoder.layers {
            x = self.residual(&x, &layer.mixer, |mixer, x| match mixer {
                Mixer::Attention(a) => a.o.product(&a.sight.attend(
                    &a.attention,
                    &a.qkv,
                    a.bias.as_deref(),
                    x,
                    &lengths,
                    &mut plans,
                )?),
                Mixer::Recurrence(_) => {
                    Err(candle_core::Error::msg("an encoder with a decoder's layers").into())
                }
            })?;
            x = self.residual(&x, &layer.feed_forward, |f, x| f.product(x))?;
        }
        if let Some(norm) = &self.encoder.final_norm {
            x = norm.forward(&x)?;
        }
        if let Keeping::Log(log) = &self.keeping {
            let crosses = self.decoder.layers.iter().filter_map(|layer| layer.cross.as_ref());
            return SourceCache::write(
                log,
                &lengths,
                crosses.map(|Sublayer { inner, .. }| inner.attention.split(&inner.kv.forward(&x)?)),
            );
        }
        let keys_and_values = |layer: &Layer| -> Result<Vec<LayerCache>> {
            let Some(Sublayer { inner: cross, .. }) = &layer.cross else { return Ok(Vec::new()) };
            let [k, v] = cross.attention.split(&cross.kv.forward(&x)?)?;
            SourceCache::split(&k, &v, &lengths, &self.keeping)
        };
        Ok(SourceCache::gather(
            self.decoder.layers.iter().map(keys_and_values).collect::<Result<_>>()?,
            &self.keeping,
        ))
    }

    fn attention_layers(&self) -> usize {
        self.decoder.layers.len()
    }

    fn attention(&self, span: &mut Span<'_>, layer: usize) -> Result<Tensor> {
        let spans = std::slice::from_mut(span);
        let mut step = Step::begin(self.keeping.log(), spans)?;
        let mut x = self.enter(spans)?; // (tokens, dim)
        let Some(watched @ Layer { cross: Some(cross), .. }) = self.decoder.layers.get(layer)
        else {
            let layers = self.decoder.layers.len();
            return Err(Error::Usage(format!(
                "layer {layer} of the decoder is asked for, which has {layers}, counted from 0"
            )));
        };
        for below in self.decoder.layers.iter().take(layer) {
            x = self.decode(below, &x, spans, &mut step)?;
        }
        x = self.self_attention(watched, &x, spans, &mut step)?;
        if self.config.pre_norm {
            x = cross.norm.forward(&x)?;
        }
        let [q] = cross.inner.attention.split(&cross.inner.q.forward(&x)?)?;
        let weights = cross.inner.attention.weights(&q, &spans[0], &step)?;
        spans[0].cache.advance(spans[0].tokens.len());
        Ok(weights)
    }
}

impl Model for EncoderDecoder {
    fn context_length(&self) -> usize {
        self.config.decoder.context_length
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.config.decoder.layers, &self.keeping)
    }

    fn output(&self) -> &OutputLayer {
        &self.output
    }

    fn work(&self) -> Macs {
        let c = &self.config;
        let attention = |half: &HalfConfig| 4 * half.heads * half.head_dim * c.dim;
        let fed = |half: &HalfConfig| work::feed_forward(c.dim, half.hidden, c.gated);
        let (encoder, decoder) = (&c.encoder, &c.decoder);
        // Of the attention to the source, half is done for each of its tokens: the keys and the
        // values.
        let across = attention(decoder) / 2;
        let mixer = if c.recurrent { 2 * c.dim * c.dim } else { attention(decoder) };
        Macs {
            source: (encoder.layers * (attention(encoder) + fed(encoder)) + decoder.layers * across)
                as u64,
            token: (decoder.layers * (mixer + across + fed(decoder))) as u64,
            output: (self.output.vocabulary() * c.dim) as u64,
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

    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let mut step = Step::begin(self.keeping.log(), spans)?;
        let mut x = self.enter(spans)?; // (tokens, dim)
        for layer in &self.decoder.layers {
            x = self.decode(layer, &x, spans, &mut step)?;
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
