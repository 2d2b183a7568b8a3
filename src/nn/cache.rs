//! Keys and values of the positions that a sequence has passed.

use crate::error::{Error, Result};
use candle_core::Tensor;
use std::sync::Arc;

/// The keys and values of one sequence, in every layer. A sequence may begin with a prefix that many share.
pub struct KvCache {
    prefix: Option<Arc<KvCache>>,
    pub(super) layers: Vec<LayerCache>,
    length: usize,
}

/// One layer's keys and values of a sequence, each (positions, kv_heads, dim).
pub(super) enum LayerCache {
    /// In main memory, for the kernels.
    Host { keys: Vec<f32>, values: Vec<f32> },
    /// On a GPU; `None` before the first position.
    Device(Option<(Tensor, Tensor)>),
}

impl KvCache {
    /// An empty cache of `layers` layers.
    pub fn new(layers: usize, on_host: bool) -> KvCache {
        let layer = || if on_host { LayerCache::Host { keys: Vec::new(), values: Vec::new() } } else { LayerCache::Device(None) };
        KvCache { prefix: None, layers: (0..layers).map(|_| layer()).collect(), length: 0 }
    }

    /// An empty cache that continues `prefix`, which must not have a prefix itself.
    pub fn after(prefix: Arc<KvCache>) -> KvCache {
        let on_host = matches!(prefix.layers.first(), Some(LayerCache::Host { .. }));
        KvCache { prefix: Some(prefix.clone()), ..KvCache::new(prefix.layers.len(), on_host) }
    }

    /// Positions passed, the prefix included.
    pub fn len(&self) -> usize {
        self.length + self.prefix.as_ref().map_or(0, |p| p.length)
    }

    /// Whether no position has passed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the keys and values, those of the prefix apart.
    pub fn bytes(&self) -> usize {
        let of_tensor = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
        let of_layer = |layer: &LayerCache| match layer {
            LayerCache::Host { keys, values } => (keys.capacity() + values.capacity()) * size_of::<f32>(),
            LayerCache::Device(held) => held.as_ref().map_or(0, |(keys, values)| of_tensor(keys) + of_tensor(values)),
        };
        self.layers.iter().map(of_layer).sum()
    }

    /// Gives back memory that was reserved for more positions.
    pub fn shrink(&mut self) {
        for layer in &mut self.layers {
            if let LayerCache::Host { keys, values } = layer {
                keys.shrink_to_fit();
                values.shrink_to_fit();
            }
        }
    }

    pub(super) fn prefix_layer(&self, layer: usize) -> Option<&LayerCache> {
        self.prefix.as_ref().map(|p| &p.layers[layer])
    }

    /// To be called once all layers have seen `tokens` more positions.
    pub fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}

impl LayerCache {
    /// Appends (tokens, kv_heads, dim).
    pub(super) fn push(&mut self, k: &[f32], v: &[f32]) -> Result<()> {
        match self {
            LayerCache::Host { keys, values } => {
                keys.extend_from_slice(k);
                values.extend_from_slice(v);
                Ok(())
            }
            LayerCache::Device(_) => Err(misplaced()),
        }
    }

    pub(super) fn push_device(&mut self, k: &Tensor, v: &Tensor) -> Result<()> {
        match self {
            LayerCache::Device(held) => {
                *held = Some(match held.take() {
                    None => (k.clone(), v.clone()),
                    Some((keys, values)) => (Tensor::cat(&[&keys, k], 0)?, Tensor::cat(&[&values, v], 0)?),
                });
                Ok(())
            }
            LayerCache::Host { .. } => Err(misplaced()),
        }
    }
}

fn misplaced() -> Error {
    candle_core::Error::msg("a cache and its model are on different devices").into()
}

/// The next tokens of one sequence, and its cache.
pub struct Span<'a> {
    /// At least one token.
    pub tokens: &'a [u32],
    /// What went before.
    pub cache: &'a mut KvCache,
}
