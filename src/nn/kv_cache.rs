//! The KV cache of a sequence, and that of a source.

use super::kv_pool::SlotList;
use super::kv_store::{HostLayer, KvStorage, KvStore};
use super::ranges::ranges;
use crate::checkpoint::with_slice;
use crate::error::Result;
use candle_core::Tensor;
use std::sync::Arc;

/// The keys and values of one sequence, in every layer. A sequence may begin with a prefix that
/// many share, and may attend to a source. The hypotheses of a beam share one cache: each has a
/// path through its rows.
pub struct KvCache {
    prefix: Option<Arc<KvCache>>,
    source: Option<Arc<SourceCache>>,
    pub(super) store: KvStore,
    length: usize,
}

/// The keys and values of a source that an encoder has read, for the cross-attention of every layer
/// of the decoder.
pub struct SourceCache {
    store: KvStore,
}

impl KvCache {
    /// An empty cache of `layers` layers.
    pub fn new(layers: usize, storage: &KvStorage) -> KvCache {
        let store = KvStore::new(layers, storage);
        KvCache { prefix: None, source: None, store, length: 0 }
    }

    /// An empty cache that continues `prefix`, which must not have a prefix itself.
    pub fn after(prefix: Arc<KvCache>) -> KvCache {
        let cache = KvCache::new(prefix.store.layers(), &prefix.store.storage());
        KvCache { prefix: Some(prefix), ..cache }
    }

    /// An empty cache of a decoder that attends to `source`.
    pub fn reading(source: Arc<SourceCache>) -> KvCache {
        let cache = KvCache::new(source.store.layers(), &source.store.storage());
        KvCache { source: Some(source), ..cache }
    }

    /// The slots of its own positions in the pool.
    pub(super) fn slots(&self) -> Result<&SlotList> {
        self.store.slots()
    }

    /// The shared prefix that this cache continues.
    pub(super) fn prefix(&self) -> Option<&Arc<KvCache>> {
        self.prefix.as_ref()
    }

    /// The source that the sequence attends to.
    pub fn source(&self) -> Option<&Arc<SourceCache>> {
        self.source.as_ref()
    }

    /// Rows of the cache's own, the prefix apart: the number of the next row in the paths of a
    /// [`super::Span`].
    pub fn rows(&self) -> usize {
        self.length
    }

    /// Positions of the prefix.
    pub fn prefix_len(&self) -> usize {
        self.prefix.as_ref().map_or(0, |p| p.length)
    }

    /// Positions passed, the prefix included; of a cache without paths.
    pub fn len(&self) -> usize {
        self.length + self.prefix_len()
    }

    /// Whether no position has passed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the keys and values, those of the prefix apart.
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// Gives back memory that was reserved for more positions.
    pub fn shrink(&mut self) {
        self.store.shrink();
    }

    /// Counts `tokens` more positions, once all layers have seen them.
    pub fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }

    /// A layer of the prefix, if there is one, in main memory.
    pub(super) fn host_prefix(&self, layer: usize) -> Result<Option<&HostLayer>> {
        self.prefix.as_ref().map(|prefix| prefix.store.host(layer)).transpose()
    }
}

impl SourceCache {
    /// A cache for each of some sources of these lengths. `layers` has the keys and values of all
    /// of them, one after the other, for every layer of the decoder: each (tokens, kv_heads, dim).
    pub(crate) fn new(
        storage: &KvStorage,
        lengths: &[usize],
        layers: impl ExactSizeIterator<Item = Result<[Tensor; 2]>>,
    ) -> Result<Vec<Arc<SourceCache>>> {
        let store = |_| KvStore::new(layers.len(), storage);
        let mut stores: Vec<KvStore> = lengths.iter().map(store).collect();
        match storage.pool() {
            Some(pool) => {
                let mut pool = pool.lock();
                let first = pool.reserve(lengths.iter().sum())?;
                for (layer, keys_and_values) in layers.enumerate() {
                    let [k, v] = keys_and_values?;
                    pool.write(layer, first, &k, &v)?;
                }
                for (store, range) in stores.iter().zip(ranges(lengths)) {
                    store.slots()?.lock().extend(range.map(|row| (first + row) as u32));
                }
            }
            None => {
                for (layer, keys_and_values) in layers.enumerate() {
                    let [k, v] = keys_and_values?;
                    let width = k.elem_count() / k.dim(0)?.max(1);
                    let mut push = |k: &[f32], v: &[f32]| -> Result<()> {
                        for (store, range) in stores.iter_mut().zip(ranges(lengths)) {
                            let rows = range.start * width..range.end * width;
                            store.host_mut(layer)?.push(&k[rows.clone()], &v[rows]);
                        }
                        Ok(())
                    };
                    with_slice(&k, |k| with_slice(&v, |v| push(k, v)))???;
                }
            }
        }
        Ok(stores.into_iter().map(|store| Arc::new(SourceCache { store })).collect())
    }

    /// The slots of its positions in the pool.
    pub(super) fn slots(&self) -> Result<&SlotList> {
        self.store.slots()
    }

    /// A layer in main memory.
    pub(super) fn host(&self, layer: usize) -> Result<&HostLayer> {
        self.store.host(layer)
    }
}
