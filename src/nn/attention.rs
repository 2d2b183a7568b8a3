//! Causal self-attention over each sequence's own cache.

use super::cache::LayerCache;
use super::{Span, with_slice};
use crate::error::Result;
use crate::kernel::{self, AttentionShape, KeyValues};
use candle_core::{D, Device, Tensor};

/// Attention of one layer.
pub struct Attention {
    /// Number of the layer, which is its place in the caches.
    pub layer: usize,
    /// Sizes.
    pub shape: AttentionShape,
}

impl Attention {
    /// Appends the new keys and values, (tokens, kv_heads, dim), to the caches and attends: (tokens, heads, dim) to (tokens, heads · dim).
    pub fn forward(&self, q: &Tensor, k: &Tensor, v: &Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
        if q.device().is_cpu() { self.on_host(q, k, v, spans) } else { self.on_device(q, k, v, spans) }
    }

    fn on_host(&self, q: &Tensor, k: &Tensor, v: &Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let (tokens, heads, dim) = q.dims3()?;
        let (q_width, kv_width) = (heads * dim, self.shape.kv_heads * dim);
        let mut out = vec![0.0; tokens * q_width];
        let attend = |q: &[f32], k: &[f32], v: &[f32]| -> Result<()> {
            let mut first = 0;
            for span in spans {
                let end = first + span.tokens.len();
                let new = first * kv_width..end * kv_width;
                span.cache.layers[self.layer].push(&k[new.clone()], &v[new])?;
                let parts = [host_part(span.cache.prefix_layer(self.layer)), host_part(Some(&span.cache.layers[self.layer]))];
                let rows = first * q_width..end * q_width;
                kernel::attend(&self.shape, &q[rows.clone()], parts, &mut out[rows]);
                first = end;
            }
            Ok(())
        };
        with_slice(q, |q| with_slice(k, |k| with_slice(v, |v| attend(q, k, v))?)?)??;
        Ok(Tensor::from_vec(out, (tokens, q_width), &Device::Cpu)?)
    }

    /// The same with candle's operations, one sequence after the other.
    fn on_device(&self, q: &Tensor, k: &Tensor, v: &Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
        let AttentionShape { heads, kv_heads, dim, scale, window } = self.shape;
        let group = heads / kv_heads;
        let mut outputs = Vec::with_capacity(spans.len());
        let mut first = 0;
        for span in spans {
            let tokens = span.tokens.len();
            let new = |t: &Tensor| t.narrow(0, first, tokens);
            span.cache.layers[self.layer].push_device(&new(k)?, &new(v)?)?;
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for part in [span.cache.prefix_layer(self.layer), Some(&span.cache.layers[self.layer])] {
                if let Some(LayerCache::Device(Some((k, v)))) = part {
                    keys.push(k.clone());
                    values.push(v.clone());
                }
            }
            // (kv_heads, positions, dim)
            let keys = Tensor::cat(&keys, 0)?.transpose(0, 1)?.contiguous()?;
            let values = Tensor::cat(&values, 0)?.transpose(0, 1)?.contiguous()?;
            let positions = keys.dim(1)?;
            // (kv_heads, tokens · group, dim): the query heads of a group read the same keys
            let q = new(q)?.reshape((tokens, kv_heads, group, dim))?.transpose(0, 1)?.contiguous()?;
            let q = q.reshape((kv_heads, tokens * group, dim))?;
            let scores = (q.matmul(&keys.t()?)? * f64::from(scale))?.reshape((kv_heads, tokens, group, positions))?;
            let mask: Vec<f32> = (0..tokens)
                .flat_map(|t| {
                    let last = positions - tokens + t;
                    (0..positions).map(move |p| if p <= last && window.is_none_or(|w| last - p < w) { 0.0 } else { f32::NEG_INFINITY })
                })
                .collect();
            let mask = Tensor::from_vec(mask, (1, tokens, 1, positions), q.device())?;
            let weights = candle_nn::ops::softmax(&scores.broadcast_add(&mask)?, D::Minus1)?;
            let out = weights.reshape((kv_heads, tokens * group, positions))?.matmul(&values)?;
            let out = out.reshape((kv_heads, tokens, group, dim))?.transpose(0, 1)?.contiguous()?;
            outputs.push(out.reshape((tokens, heads * dim))?);
            first += tokens;
        }
        Ok(Tensor::cat(&outputs, 0)?)
    }
}

fn host_part(layer: Option<&LayerCache>) -> KeyValues<'_> {
    match layer {
        Some(LayerCache::Host { keys, values }) => KeyValues { keys, values },
        _ => KeyValues { keys: &[], values: &[] },
    }
}
