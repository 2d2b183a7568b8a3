//! Builds an encoder–decoder out of its weights.

use super::{
    CrossAttention, DecoderLayer, EncoderDecoder, EncoderLayer, Mixer, SelfAttention, Stack,
    Sublayer,
};
use crate::arch::family::{
    AttentionPattern, EncoderDecoderConfig, Naming, PositionKind, StackConfig, StackNaming,
};
use crate::arch::{audit, head};
use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::kernel::{AttentionShape, RelativeBias};
use crate::nn::{
    Attention, Backend, Embedding, EncoderAttention, FeedForward, KvStorage, LayerPattern, Linear,
    Norm, OutputLayer, Positions, Recurrence, relative_bias,
};
use candle_core::Tensor;
use rayon::prelude::*;
use std::sync::Arc;

impl EncoderDecoder {
    pub(in crate::arch) fn load(
        config: EncoderDecoderConfig,
        naming: &Naming,
        weights: &dyn Weights,
        backend: &Backend,
    ) -> Result<EncoderDecoder> {
        audit::require(weights, audit::encoder_decoder(&config, naming))?;
        let builder = Builder { config: &config, weights, backend };
        let Vocabularies { source, target, output } = builder.vocabularies(naming)?;
        let stack = StackBuilder::new(&builder, &config.encoder, &naming.encoder, true)?;
        let encoder = stack.build(source, |layer| stack.encoder_layer(layer))?;
        let stack = StackBuilder::new(&builder, &config.decoder, &naming.decoder, false)?;
        let decoder = stack.build(target, |layer| stack.decoder_layer(layer))?;
        // A recurrence goes on from the state that it kept: rounded at every token, it would drift.
        let source_storage = KvStorage::of(backend);
        let storage = match source_storage.clone() {
            KvStorage::F16 if config.recurrent => KvStorage::F32,
            storage => storage,
        };
        let generation_defaults = None;
        Ok(EncoderDecoder {
            encoder,
            decoder,
            output,
            storage,
            source_storage,
            config,
            generation_defaults,
        })
    }
}

/// The layers that map tokens to vectors and back.
struct Vocabularies {
    source: Arc<Embedding>,
    target: Arc<Embedding>,
    output: OutputLayer,
}

/// Builds the parts that both stacks have.
struct Builder<'a> {
    config: &'a EncoderDecoderConfig,
    weights: &'a dyn Weights,
    backend: &'a Backend,
}

impl Builder<'_> {
    fn placed(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.backend.place(&self.weights.get_shaped(name, shape)?)
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        let &EncoderDecoderConfig { dim, epsilon, .. } = self.config;
        let weight = self.placed(&format!("{name}.weight"), &[dim])?;
        if self.config.rms {
            return Ok(Norm::Rms { weight, epsilon });
        }
        Ok(Norm::Layer { weight, bias: self.placed(&format!("{name}.bias"), &[dim])?, epsilon })
    }

    /// The layers of some names side by side, each `k` → `n`.
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

    /// The embeddings of source and target, which may be one, and the output layer.
    fn vocabularies(&self, naming: &Naming) -> Result<Vocabularies> {
        let &EncoderDecoderConfig { dim, tied_output, separate_vocabularies, .. } = self.config;
        let weights = self.weights;
        let find = |own: &'static str| {
            let names = match naming.shared {
                // Where a file has no shared one, each stack's comes before the other's.
                [first, others @ ..] if !separate_vocabularies => [&[*first, own], others].concat(),
                _ => vec![own],
            };
            let found = head::embedding(weights, &names, naming.output, tied_output);
            found.ok_or_else(|| {
                let expected = names.join(" or ");
                let message =
                    format!("weight {expected} is missing, the embedding; fetch the model again");
                Error::model(weights.model(), message)
            })
        };
        let [source, target] = [find(naming.encoder.embedding)?, find(naming.decoder.embedding)?];
        let own_target =
            separate_vocabularies || head::is_separate(weights, source, target, dim, true)?;
        let own_output = head::is_separate(weights, target, naming.output, dim, tied_output)?;
        let source = self.embedding(source)?;
        let target = if own_target { self.embedding(target)? } else { source.clone() };
        let output = self.output(naming, &target, own_output)?;
        Ok(Vocabularies { source, target, output })
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

    /// The output layer, with the weights of the target's embedding or its own.
    fn output(&self, naming: &Naming, target: &Embedding, own: bool) -> Result<OutputLayer> {
        let weights = self.weights;
        let output = if own {
            let weights = weights.get_rows_reader(naming.output, self.config.dim)?;
            OutputLayer::new(&weights, self.backend)?
        } else {
            target.tied_output()
        };
        if !weights.has(naming.output_bias) {
            return Ok(output);
        }
        let bias = weights.get_shaped(naming.output_bias, &[1, output.vocabulary()])?;
        output.with_bias(&bias)
    }

    /// T5's relative positions, in families that have them.
    fn relative(
        &self,
        name: &str,
        stack: &StackConfig,
        bidirectional: bool,
    ) -> Result<Option<Arc<RelativeBias>>> {
        let PositionKind::Relative { max_distance, .. } = self.config.positions else {
            return Ok(None);
        };
        let table = self.weights.get_rows(name, stack.heads)?;
        let buckets = table.dim(0)?;
        if buckets < 4 {
            let message =
                format!("weight {name} has {buckets} relative positions; expected at least 4");
            return Err(Error::model(self.weights.model(), message));
        }
        Ok(Some(Arc::new(relative_bias(&table, max_distance, bidirectional)?)))
    }
}

/// Builds the layers of one stack.
struct StackBuilder<'a> {
    parts: &'a Builder<'a>,
    stack: &'a StackConfig,
    names: &'a StackNaming,
    /// Whether it is the encoder, whose tokens see those after them.
    is_encoder: bool,
    /// The relative positions of the first layer, which the others may share.
    shared_bias: Option<Arc<RelativeBias>>,
    /// The relative positions of blocks, which all layers share.
    block_bias: Option<Arc<RelativeBias>>,
}

impl<'a> StackBuilder<'a> {
    fn new(
        parts: &'a Builder<'a>,
        stack: &'a StackConfig,
        names: &'a StackNaming,
        is_encoder: bool,
    ) -> Result<StackBuilder<'a>> {
        let shared_bias = parts.relative(&names.layer(0, names.relative), stack, is_encoder)?;
        let block_bias = match parts.config.attention_pattern {
            AttentionPattern::TransientGlobal { relative, .. } if is_encoder => {
                parts.relative(&names.layer(0, relative), stack, true)?
            }
            _ => None,
        };
        Ok(StackBuilder { parts, stack, names, is_encoder, shared_bias, block_bias })
    }

    /// The stack, with its layers built in parallel.
    fn build<Layer: Send>(
        &self,
        embedding: Arc<Embedding>,
        layer: impl Fn(usize) -> Result<Layer> + Send + Sync,
    ) -> Result<Stack<Layer>> {
        let (parts, names) = (self.parts, self.names);
        let norm = |wanted: bool, name: &str| wanted.then(|| parts.norm(name)).transpose();
        Ok(Stack {
            embedding,
            positions: self.positions()?,
            embedding_norm: norm(parts.config.embedding_norm, names.embedding_norm)?,
            layers: (0..self.stack.layers).into_par_iter().map(layer).collect::<Result<_>>()?,
            final_norm: norm(parts.config.final_norm, names.final_norm)?,
        })
    }

    fn encoder_layer(&self, layer: usize) -> Result<EncoderLayer> {
        let SelfAttention { qkv, attention, o, bias } = self.self_attention(layer)?;
        let pattern = self.pattern(layer)?;
        let attention = EncoderAttention { qkv, attention, bias, pattern };
        Ok(EncoderLayer {
            attention: self.sublayer(layer, self.names.attention_norm, (attention, o))?,
            feed_forward: self.feed_forward(layer)?,
        })
    }

    fn decoder_layer(&self, layer: usize) -> Result<DecoderLayer> {
        let mixer = if self.parts.config.recurrent {
            Mixer::Recurrence(self.recurrence(layer)?)
        } else {
            Mixer::Attention(self.self_attention(layer)?)
        };
        Ok(DecoderLayer {
            mixer: self.sublayer(layer, self.names.attention_norm, mixer)?,
            cross: self.sublayer(layer, self.names.cross_norm, self.cross_attention(layer)?)?,
            feed_forward: self.feed_forward(layer)?,
        })
    }

    fn sublayer<T>(&self, layer: usize, norm: &str, inner: T) -> Result<Sublayer<T>> {
        Ok(Sublayer { norm: self.parts.norm(&self.names.layer(layer, norm))?, inner })
    }

    /// Parts of a layer side by side, each `k` → `n`.
    fn linear(&self, layer: usize, parts: &[&str], n: usize, k: usize) -> Result<Linear> {
        let names: Vec<String> = parts.iter().map(|part| self.names.layer(layer, part)).collect();
        self.parts.linear(&names, n, k)
    }

    /// The width of all heads.
    fn width(&self) -> usize {
        self.stack.heads * self.stack.head_dim
    }

    fn attention(&self, layer: usize) -> Attention {
        let shape = AttentionShape {
            heads: self.stack.heads,
            kv_heads: self.stack.heads,
            dim: self.stack.head_dim,
            scale: self.parts.config.attention_scale,
            cap: None,
            window: None,
        };
        Attention::new(layer, shape, self.parts.backend)
    }

    fn self_attention(&self, layer: usize) -> Result<SelfAttention> {
        let (width, dim, [q, k, v, o]) =
            (self.width(), self.parts.config.dim, self.names.attention);
        let bias = match self.parts.config.positions {
            PositionKind::Relative { every_layer: true, .. } => {
                let name = self.names.layer(layer, self.names.relative);
                self.parts.relative(&name, self.stack, self.is_encoder)?
            }
            _ => self.shared_bias.clone(),
        };
        Ok(SelfAttention {
            qkv: self.linear(layer, &[q, k, v], width, dim)?,
            attention: self.attention(layer),
            o: self.linear(layer, &[o], dim, width)?,
            bias,
        })
    }

    fn cross_attention(&self, layer: usize) -> Result<CrossAttention> {
        let (width, dim, [q, k, v, o]) = (self.width(), self.parts.config.dim, self.names.cross);
        Ok(CrossAttention {
            q: self.linear(layer, &[q], width, dim)?,
            kv: self.linear(layer, &[k, v], width, dim)?,
            attention: self.attention(layer),
            o: self.linear(layer, &[o], dim, width)?,
        })
    }

    fn feed_forward(&self, layer: usize) -> Result<Sublayer<FeedForward>> {
        let &EncoderDecoderConfig { dim, activation, gated, .. } = self.parts.config;
        let (hidden, [gate, up, down]) = (self.stack.hidden, self.names.feed_forward);
        let down = self.linear(layer, &[down], dim, hidden)?;
        let feed_forward = if gated {
            let gate_up = self.linear(layer, &[gate, up], hidden, dim)?;
            FeedForward::gated(gate_up, down, activation)
        } else {
            FeedForward::plain(self.linear(layer, &[up], hidden, dim)?, down, activation)
        };
        self.sublayer(layer, self.names.feed_forward_norm, feed_forward)
    }

    fn recurrence(&self, layer: usize) -> Result<Recurrence> {
        let (dim, weights) = (self.parts.config.dim, self.parts.weights);
        let [input, gate] = self.names.recurrence.map(|part| self.names.layer(layer, part));
        let weight = |name: &str| weights.get_matrix(&format!("{name}.weight"), dim, dim);
        let bias = weights.get_shaped(&format!("{gate}.bias"), &[dim])?;
        Recurrence::new(layer, weight(&input)?, weight(&gate)?, bias, self.parts.backend)
    }

    /// The attention pattern of a layer of the encoder.
    fn pattern(&self, layer: usize) -> Result<LayerPattern> {
        let linear =
            |parts: &[&str]| self.linear(layer, parts, self.width(), self.parts.config.dim);
        Ok(match (&self.parts.config.attention_pattern, &self.block_bias) {
            (
                AttentionPattern::TransientGlobal { radius, block_size, norm, .. },
                Some(block_bias),
            ) => LayerPattern::TransientGlobal {
                radius: *radius,
                block_size: *block_size,
                norm: self.parts.norm(&self.names.layer(layer, norm))?,
                block_bias: block_bias.clone(),
            },
            (AttentionPattern::FirstTokenGlobal { radii, first: [q, k, v] }, _) => {
                let radius = radii.get(layer).or(radii.last()).copied().unwrap_or(0);
                let (query, key_value) = (linear(&[q])?, linear(&[k, v])?);
                LayerPattern::FirstTokenGlobal { radius, query, key_value }
            }
            (
                AttentionPattern::Local { radius }
                | AttentionPattern::TransientGlobal { radius, .. },
                _,
            ) => LayerPattern::Local { radius: *radius },
            (AttentionPattern::Full, _) => LayerPattern::Full,
        })
    }

    /// The stack's table of positions, in families that have one.
    fn positions(&self) -> Result<Option<Positions>> {
        let Builder { config, weights, backend } = *self.parts;
        let length = self.stack.context_length;
        Ok(match config.positions {
            PositionKind::Learned { offset } => {
                let name = self.names.positions;
                let table = weights.get_rows(name, config.dim)?;
                let rows = table.dim(0)?;
                if rows < length.saturating_add(offset) {
                    let message = format!(
                        "weight {name} has {rows} rows, too few for the {length} positions of its configuration"
                    );
                    return Err(Error::model(weights.model(), message));
                }
                Some(Positions::learned(&table, offset, backend)?)
            }
            PositionKind::Sinusoidal => Some(Positions::sinusoidal(length, config.dim, backend)?),
            PositionKind::SinusoidalFairseq { first } => {
                Some(Positions::sinusoidal_fairseq(first, length, config.dim, backend)?)
            }
            PositionKind::Relative { .. } => None,
        })
    }
}
