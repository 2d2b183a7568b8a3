//! Attention: of a decoder over each sequence's own cache, of a decoder over its source, of an encoder over itself.

use super::cache::LayerCache;
use super::{SourceCache, Span, with_slice};
use crate::error::{Error, Result};
use crate::kernel::{self, AttentionShape, KeyValues, Reach, RelativeBias};
use candle_core::{D, Device, Tensor};

/// Attention of one layer.
pub struct Attention {
    /// Number of the layer, which is its place in the caches.
    pub layer: usize,
    /// Sizes.
    pub shape: AttentionShape,
}

impl Attention {
    /// Causal self-attention: appends the new keys and values, (tokens, kv_heads, dim), to the caches and attends:
    /// (tokens, heads, dim) to (tokens, heads · dim).
    pub fn forward(&self, q: &Tensor, k: &Tensor, v: &Tensor, bias: Option<&RelativeBias>, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let mut first = 0;
        let on_host = q.device().is_cpu();
        if on_host {
            let width = self.shape.kv_heads * self.shape.dim;
            let mut push = |k: &[f32], v: &[f32]| -> Result<()> {
                for span in spans.iter_mut() {
                    let new = first * width..(first + span.tokens.len()) * width;
                    span.cache.layers[self.layer].push(&k[new.clone()], &v[new])?;
                    first += span.tokens.len();
                }
                Ok(())
            };
            with_slice(k, |k| with_slice(v, |v| push(k, v))?)??;
        } else {
            for span in spans.iter_mut() {
                let tokens = span.tokens.len();
                span.cache.layers[self.layer].push_device(&k.narrow(0, first, tokens)?, &v.narrow(0, first, tokens)?)?;
                first += tokens;
            }
        }
        let queries = |span: &Span<'_>| span.tokens.len();
        self.attend(q, spans, queries, bias, |span| Seen {
            parts: [span.cache.prefix_layer(self.layer), Some(&span.cache.layers[self.layer])],
            reach: span.paths.map_or(Reach::Causal, Reach::Paths),
        })
    }

    /// Cross-attention of every token, (tokens, heads, dim), to its sequence's source (Vaswani et al. 2017).
    pub fn cross(&self, q: &Tensor, spans: &[Span<'_>]) -> Result<Tensor> {
        let queries = |span: &Span<'_>| span.tokens.len();
        self.attend(q, spans, queries, None, |span| Seen { parts: [None, span.cache.source_layer(self.layer)], reach: Reach::All })
    }

    /// Self-attention of an encoder: sequences of these lengths stand one after the other in `q`, `k` and `v`, and each sees itself whole.
    pub fn among(&self, q: &Tensor, k: &Tensor, v: &Tensor, bias: Option<&RelativeBias>, lengths: &[usize]) -> Result<Tensor> {
        if !q.device().is_cpu() {
            let sources: Vec<(LayerCache, usize)> = SourceCache::split(k, v, lengths)?.into_iter().zip(lengths.iter().copied()).collect();
            return self.attend(q, &sources, |source| source.1, bias, |source| Seen { parts: [None, Some(&source.0)], reach: Reach::All });
        }
        let (tokens, heads, dim) = q.dims3()?;
        let (q_width, kv_width) = (heads * dim, self.shape.kv_heads * dim);
        let mut out = vec![0.0; tokens * q_width];
        let mut attend = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut first = 0;
            for &length in lengths {
                let span = |width: usize| first * width..(first + length) * width;
                let own = KeyValues { keys: &k[span(kv_width)], values: &v[span(kv_width)] };
                let none = KeyValues { keys: &[], values: &[] };
                kernel::attend(&self.shape, Reach::All, bias, &q[span(q_width)], [none, own], &mut out[span(q_width)]);
                first += length;
            }
        };
        with_slice(q, |q| with_slice(k, |k| with_slice(v, |v| attend(q, k, v))))???;
        Ok(Tensor::from_vec(out, (tokens, q_width), &Device::Cpu)?)
    }

    /// Attention of queries that belong to a few sequences, one after the other.
    fn attend<T>(
        &self,
        q: &Tensor,
        sequences: &[T],
        queries: impl Fn(&T) -> usize,
        bias: Option<&RelativeBias>,
        seen: impl Fn(&T) -> Seen<'_>,
    ) -> Result<Tensor> {
        let (tokens, heads, dim) = q.dims3()?;
        let width = heads * dim;
        if !q.device().is_cpu() {
            let mut first = 0;
            let mut outputs = Vec::with_capacity(sequences.len());
            for sequence in sequences {
                let count = queries(sequence);
                outputs.push(self.on_device(&q.narrow(0, first, count)?, seen(sequence), bias)?);
                first += count;
            }
            return Ok(Tensor::cat(&outputs, 0)?);
        }
        let mut out = vec![0.0; tokens * width];
        with_slice(q, |q| -> Result<()> {
            let mut first = 0;
            for sequence in sequences {
                let rows = first * width..(first + queries(sequence)) * width;
                let Seen { parts, reach } = seen(sequence);
                let parts = [host_part(parts[0], self.shape)?, host_part(parts[1], self.shape)?];
                kernel::attend(&self.shape, reach, bias, &q[rows.clone()], parts, &mut out[rows]);
                first += queries(sequence);
            }
            Ok(())
        })??;
        Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
    }

    /// The queries of one sequence, (tokens, heads, dim), with candle's operations.
    fn on_device(&self, q: &Tensor, seen: Seen<'_>, bias: Option<&RelativeBias>) -> Result<Tensor> {
        let AttentionShape { heads, kv_heads, dim, scale, window } = self.shape;
        let group = heads / kv_heads;
        let tokens = q.dim(0)?;
        let held: Vec<(Tensor, Tensor)> = seen.parts.into_iter().flatten().filter_map(LayerCache::on_device).collect();
        let (keys, values): (Vec<Tensor>, Vec<Tensor>) = held.into_iter().unzip();
        // (positions, kv_heads, dim) to (kv_heads, positions, dim)
        let by_head = |parts: &[Tensor]| Tensor::cat(parts, 0)?.transpose(0, 1)?.contiguous();
        let (keys, values) = (by_head(&keys)?, by_head(&values)?);
        let positions = keys.dim(1)?;
        let prefix = seen.parts[0].and_then(LayerCache::on_device).map_or(Ok(0), |(keys, _)| keys.dim(0))?;
        // Which key a query sees at which place in its sequence, and where it stands itself.
        let place = |t: usize, p: usize| match seen.reach {
            Reach::Causal => {
                let own = positions - tokens + t;
                (p <= own && window.is_none_or(|w| own - p < w)).then_some((own, p))
            }
            Reach::All => Some((t, p)),
            Reach::Paths(paths) if p < prefix => Some((prefix + paths[t].len() - 1, p)),
            Reach::Paths(paths) => {
                let at = paths[t].iter().position(|&row| row as usize == p - prefix)?;
                Some((prefix + paths[t].len() - 1, prefix + at))
            }
        };
        let mut mask = Vec::with_capacity(heads * tokens * positions);
        for head in 0..heads {
            for t in 0..tokens {
                mask.extend((0..positions).map(|p| match place(t, p) {
                    Some((query, key)) => bias.map_or(0.0, |bias| bias.at(head, query, key)),
                    None => f32::NEG_INFINITY,
                }));
            }
        }
        // (kv_heads, group · tokens, dim): the query heads of a group read the same keys
        let q = q.transpose(0, 1)?.contiguous()?.reshape((kv_heads, group * tokens, dim))?;
        let mask = Tensor::from_vec(mask, (kv_heads, group * tokens, positions), q.device())?;
        let scores = ((q.matmul(&keys.t()?)? * f64::from(scale))? + mask)?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
        let out = weights.matmul(&values)?.reshape((heads, tokens, dim))?.transpose(0, 1)?.contiguous()?;
        Ok(out.reshape((tokens, heads * dim))?)
    }
}

/// What the queries of one sequence see.
struct Seen<'a> {
    parts: [Option<&'a LayerCache>; 2],
    reach: Reach<'a>,
}

fn host_part(layer: Option<&LayerCache>, shape: AttentionShape) -> Result<KeyValues<'_>> {
    match layer {
        Some(LayerCache::Host { keys, values }) => Ok(KeyValues { keys, values }),
        Some(LayerCache::Device(Some(_))) => {
            let message = format!("attention with {} heads in main memory got a cache on a device", shape.heads);
            Err(Error::from(candle_core::Error::msg(message)))
        }
        _ => Ok(KeyValues { keys: &[], values: &[] }),
    }
}
