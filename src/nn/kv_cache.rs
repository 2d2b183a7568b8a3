//! The KV cache of a sequence, and that of a source.

use super::kv_pool::{KvPool, SlotList, misplaced};
use super::kv_store::{HostLayer, KvStorage, KvStore};
use super::ranges::ranges;
use crate::checkpoint::with_slice;
use crate::error::Result;
use crate::kernel::{AttentionShape, RowColumns, SourceKeyValues};
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
    store: SourceStore,
    /// The storage of the decoder's own keys and values.
    decoder: KvStorage,
}

enum SourceStore {
    /// For the kernels, a layer each.
    Host(Vec<SourceKeyValues>),
    /// In a pool.
    Pooled(KvStore),
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
        let layers = match &source.store {
            SourceStore::Host(layers) => layers.len(),
            SourceStore::Pooled(store) => store.layers(),
        };
        let cache = KvCache::new(layers, &source.decoder);
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
    /// A cache for each of some sources of these lengths, in `storage`, for a decoder whose own
    /// keys and values are in `decoder`. `layers` has the keys and values of all of them, side by
    /// side and one source after the other, for every layer of the decoder: (tokens, 2 · kv_heads ·
    /// dim).
    pub(crate) fn new(
        [storage, decoder]: [&KvStorage; 2],
        lengths: &[usize],
        shape: &AttentionShape,
        layers: impl ExactSizeIterator<Item = Result<Tensor>>,
    ) -> Result<Vec<Arc<SourceCache>>> {
        let stores = match storage.pool() {
            Some(pool) => SourceCache::pooled(pool, storage, lengths, shape, layers)?,
            None => {
                let half = matches!(storage, KvStorage::F16);
                SourceCache::hosted(half, lengths, shape, layers)?
            }
        };
        let cache = |store| Arc::new(SourceCache { store, decoder: decoder.clone() });
        Ok(stores.into_iter().map(cache).collect())
    }

    fn pooled(
        pool: &KvPool,
        storage: &KvStorage,
        lengths: &[usize],
        shape: &AttentionShape,
        layers: impl ExactSizeIterator<Item = Result<Tensor>>,
    ) -> Result<Vec<SourceStore>> {
        let stores: Vec<KvStore> =
            lengths.iter().map(|_| KvStore::new(layers.len(), storage)).collect();
        let mut pool = pool.lock();
        let first = pool.reserve(lengths.iter().sum())?;
        for (layer, keys_and_values) in layers.enumerate() {
            let both = keys_and_values?.reshape(((), 2 * shape.kv_heads, shape.dim))?;
            let [k, v] = [0, shape.kv_heads].map(|from| both.narrow(1, from, shape.kv_heads));
            pool.write(layer, first, &k?, &v?)?;
        }
        for (store, range) in stores.iter().zip(ranges(lengths)) {
            store.slots()?.lock().extend(range.map(|row| (first + row) as u32));
        }
        Ok(stores.into_iter().map(SourceStore::Pooled).collect())
    }

    fn hosted(
        half: bool,
        lengths: &[usize],
        shape: &AttentionShape,
        layers: impl ExactSizeIterator<Item = Result<Tensor>>,
    ) -> Result<Vec<SourceStore>> {
        let width = shape.kv_heads * shape.dim;
        let stride = 2 * width;
        let mut stores: Vec<Vec<SourceKeyValues>> =
            lengths.iter().map(|_| Vec::with_capacity(layers.len())).collect();
        for keys_and_values in layers {
            with_slice(&keys_and_values?.contiguous()?, |all| {
                for (store, range) in stores.iter_mut().zip(ranges(lengths)) {
                    let values = &all[range.start * stride..range.end * stride];
                    let [keys, values] =
                        [0, width].map(|first| RowColumns { values, stride, first, width });
                    store.push(SourceKeyValues::new(shape, half, keys, values));
                }
            })?;
        }
        Ok(stores.into_iter().map(SourceStore::Host).collect())
    }

    /// The slots of its positions in the pool.
    pub(super) fn slots(&self) -> Result<&SlotList> {
        match &self.store {
            SourceStore::Pooled(store) => store.slots(),
            SourceStore::Host(_) => Err(misplaced()),
        }
    }

    /// A layer in main memory.
    pub(super) fn host(&self, layer: usize) -> Result<&SourceKeyValues> {
        match &self.store {
            SourceStore::Host(layers) => layers.get(layer).ok_or_else(misplaced),
            SourceStore::Pooled(_) => Err(misplaced()),
        }
    }
}
