//! Where the keys and values of a sequence are: in main memory, or in the slots of a pool.

use super::kv_pool::{KvPool, SlotList, misplaced};
use super::{Backend, Compute};
use crate::error::Result;
use crate::kernel::{self, KeyValues, KvView, Precision};
use candle_core::Tensor;
use half::f16;
use std::sync::Arc;

/// The storage of a model's KV caches.
#[derive(Clone)]
pub enum KvStorage {
    /// Main memory, in f32.
    F32,
    /// Main memory, in half precision: with int8 weights, whose errors are larger.
    F16,
    /// A device, with one pool for all sequences.
    Pool(Arc<KvPool>),
}

impl KvStorage {
    /// The storage that fits a model's backend.
    pub fn of(backend: &Backend) -> KvStorage {
        match (backend.compute, backend.precision) {
            (Compute::Candle, _) => KvStorage::Pool(Arc::default()),
            (Compute::Kernels, Precision::Int8 | Precision::Int4) => KvStorage::F16,
            (Compute::Kernels, _) => KvStorage::F32,
        }
    }

    /// Bytes of a number in main memory; on a device they are none of it.
    pub fn number_size(&self) -> usize {
        match self {
            KvStorage::F32 => size_of::<f32>(),
            KvStorage::F16 => size_of::<f16>(),
            KvStorage::Pool(_) => 0,
        }
    }

    /// The pool, if there is one.
    pub fn pool(&self) -> Option<&KvPool> {
        if let KvStorage::Pool(pool) = self { Some(pool) } else { None }
    }
}

/// The keys and values of one sequence, in every layer.
pub(super) enum KvStore {
    /// In main memory, for the kernels.
    Host(Vec<HostLayer>),
    /// In a pool.
    Pooled {
        pool: Arc<KvPool>,
        slots: Arc<SlotList>,
        /// The states of recurrent layers, (positions, dim); `None` before the first position, and
        /// in layers of attention.
        states: Vec<Option<Tensor>>,
    },
}

impl KvStore {
    pub fn new(layers: usize, storage: &KvStorage) -> KvStore {
        match storage {
            KvStorage::F32 => KvStore::Host((0..layers).map(|_| HostLayer::f32()).collect()),
            KvStorage::F16 => KvStore::Host((0..layers).map(|_| HostLayer::f16()).collect()),
            KvStorage::Pool(pool) => KvStore::Pooled {
                pool: pool.clone(),
                slots: pool.register(),
                states: vec![None; layers],
            },
        }
    }

    /// The storage that this store is of.
    pub fn storage(&self) -> KvStorage {
        match self {
            KvStore::Pooled { pool, .. } => KvStorage::Pool(pool.clone()),
            KvStore::Host(layers) => match layers.first() {
                Some(HostLayer::F16 { .. }) => KvStorage::F16,
                Some(HostLayer::F32 { .. }) | None => KvStorage::F32,
            },
        }
    }

    pub fn layers(&self) -> usize {
        match self {
            KvStore::Host(layers) => layers.len(),
            KvStore::Pooled { states, .. } => states.len(),
        }
    }

    /// A layer in main memory.
    pub fn host(&self, layer: usize) -> Result<&HostLayer> {
        match self {
            KvStore::Host(layers) => layers.get(layer).ok_or_else(misplaced),
            KvStore::Pooled { .. } => Err(misplaced()),
        }
    }

    /// A layer in main memory, to be appended to.
    pub fn host_mut(&mut self, layer: usize) -> Result<&mut HostLayer> {
        match self {
            KvStore::Host(layers) => layers.get_mut(layer).ok_or_else(misplaced),
            KvStore::Pooled { .. } => Err(misplaced()),
        }
    }

    /// The slots in the pool.
    pub fn slots(&self) -> Result<&SlotList> {
        match self {
            KvStore::Pooled { slots, .. } => Ok(slots),
            KvStore::Host(_) => Err(misplaced()),
        }
    }

    /// The states of a recurrent layer on a device.
    pub fn states_mut(&mut self, layer: usize) -> Result<&mut Option<Tensor>> {
        match self {
            KvStore::Pooled { states, .. } => states.get_mut(layer).ok_or_else(misplaced),
            KvStore::Host(_) => Err(misplaced()),
        }
    }

    /// Bytes of the keys and values.
    pub fn bytes(&self) -> usize {
        match self {
            KvStore::Host(layers) => layers.iter().map(HostLayer::bytes).sum(),
            KvStore::Pooled { pool, slots, states } => {
                let of_tensor = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
                let of_slots = pool.lock().slot_bytes() * slots.lock().len();
                states.iter().flatten().map(of_tensor).sum::<usize>() + of_slots
            }
        }
    }

    /// Gives back memory that was reserved for more positions.
    pub fn shrink(&mut self) {
        if let KvStore::Host(layers) = self {
            layers.iter_mut().for_each(HostLayer::shrink);
        }
    }
}

/// The keys and values of a sequence in one layer, each (positions, kv_heads, dim), in main memory.
/// The states of a recurrent layer, (positions, dim), stand in place of the keys
/// ([`super::Recurrence`]).
pub(super) enum HostLayer {
    F32 { keys: Vec<f32>, values: Vec<f32> },
    F16 { keys: Vec<f16>, values: Vec<f16> },
}

impl HostLayer {
    fn f32() -> HostLayer {
        HostLayer::F32 { keys: Vec::new(), values: Vec::new() }
    }

    fn f16() -> HostLayer {
        HostLayer::F16 { keys: Vec::new(), values: Vec::new() }
    }

    /// Appends (tokens, kv_heads, dim).
    pub fn push(&mut self, k: &[f32], v: &[f32]) {
        match self {
            HostLayer::F32 { keys, values } => {
                keys.extend_from_slice(k);
                values.extend_from_slice(v);
            }
            HostLayer::F16 { keys, values } => {
                kernel::extend_half(keys, k);
                kernel::extend_half(values, v);
            }
        }
    }

    /// A row of f32 keys, which are of this width.
    pub fn key_row(&self, row: usize, width: usize) -> Result<&[f32]> {
        match self {
            HostLayer::F32 { keys, .. } => {
                keys.get(row * width..(row + 1) * width).ok_or_else(misplaced)
            }
            HostLayer::F16 { .. } => Err(misplaced()),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            HostLayer::F32 { keys, values } => {
                (keys.capacity() + values.capacity()) * size_of::<f32>()
            }
            HostLayer::F16 { keys, values } => {
                (keys.capacity() + values.capacity()) * size_of::<f16>()
            }
        }
    }

    fn shrink(&mut self) {
        match self {
            HostLayer::F32 { keys, values } => {
                [keys, values].into_iter().for_each(Vec::shrink_to_fit)
            }
            HostLayer::F16 { keys, values } => {
                [keys, values].into_iter().for_each(Vec::shrink_to_fit)
            }
        }
    }
}

/// The keys and values that queries attend to: those of the prefix, if there is one, and those
/// after it, of the same type.
pub(super) fn attended<'a>(
    prefix: Option<&'a HostLayer>,
    own: &'a HostLayer,
) -> Result<KvView<'a>> {
    Ok(match (prefix, own) {
        (None, HostLayer::F32 { keys, values }) => {
            KvView::F32([KeyValues::NONE, KeyValues { keys, values }])
        }
        (None, HostLayer::F16 { keys, values }) => {
            KvView::F16([KeyValues::NONE, KeyValues { keys, values }])
        }
        (Some(HostLayer::F32 { keys: k, values: v }), HostLayer::F32 { keys, values }) => {
            KvView::F32([KeyValues { keys: k, values: v }, KeyValues { keys, values }])
        }
        (Some(HostLayer::F16 { keys: k, values: v }), HostLayer::F16 { keys, values }) => {
            KvView::F16([KeyValues { keys: k, values: v }, KeyValues { keys, values }])
        }
        _ => return Err(misplaced()),
    })
}
