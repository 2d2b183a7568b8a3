//! The KV cache on a device: one pool for all sequences, so that a forward pass appends and attends
//! with a few large operations, whatever the number of sequences.

use super::ops;
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The pool of a model's keys and values in every layer, in slots that its sequences hold.
///
/// Its lock is also the device's turn: a forward pass holds it from its first layer to its last
/// ([`super::ForwardPass`]), and whoever registers a sequence meanwhile waits for it.
#[derive(Default)]
pub struct KvPool(Mutex<KvPoolInner>);

/// The content of a pool, behind its lock.
pub(super) struct KvPoolInner {
    /// Keys and values of each layer, each (capacity, width); `None` before the first.
    layers: Vec<Option<[Tensor; 2]>>,
    /// Slots that there is memory for.
    capacity: usize,
    /// Slots that were handed out, those that nobody holds any more included.
    used: usize,
    sequences: Vec<Weak<SlotList>>,
}

/// The slots of one sequence, in the order of its positions.
#[derive(Default)]
pub(super) struct SlotList(Mutex<Vec<u32>>);

impl Default for KvPoolInner {
    fn default() -> KvPoolInner {
        KvPoolInner { layers: Vec::new(), capacity: 1024, used: 0, sequences: Vec::new() }
    }
}

impl KvPool {
    /// Locks the pool, for one forward pass or one batch of sources.
    pub(super) fn lock(&self) -> MutexGuard<'_, KvPoolInner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a sequence, which holds no slots yet.
    pub(super) fn register(&self) -> Arc<SlotList> {
        let slots = Arc::new(SlotList::default());
        let sequences = &mut self.lock().sequences;
        if sequences.len() == sequences.capacity() {
            sequences.retain(|sequence| sequence.strong_count() > 0);
        }
        sequences.push(Arc::downgrade(&slots));
        slots
    }
}

impl SlotList {
    pub fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KvPoolInner {
    /// Reserves `count` slots, one after the other, and returns the first. The slots of all
    /// sequences may change.
    pub fn reserve(&mut self, count: usize) -> Result<usize> {
        if self.used + count > self.capacity {
            self.compact(count)?;
        }
        self.used += count;
        Ok(self.used - count)
    }

    /// Moves the slots that sequences still hold to the front, with room for half as many again and
    /// at least `count`.
    fn compact(&mut self, count: usize) -> Result<()> {
        let mut kept: Vec<u32> = Vec::new();
        self.sequences.retain(|sequence| sequence.strong_count() > 0);
        for sequence in self.sequences.iter().filter_map(Weak::upgrade) {
            for slot in sequence.lock().iter_mut() {
                kept.push(*slot);
                *slot = kept.len() as u32 - 1;
            }
        }
        self.used = kept.len();
        self.capacity = self.capacity.max((kept.len() + count) * 3 / 2);
        for old in self.layers.iter_mut().flatten().flatten() {
            // Padded sequences read slots that were never written, with a weight of zero: they must
            // hold numbers.
            let new = Tensor::zeros((self.capacity, old.dim(1)?), old.dtype(), old.device())?;
            if !kept.is_empty() {
                let kept = Tensor::new(kept.as_slice(), old.device())?;
                new.slice_set(&old.index_select(&kept, 0)?, 0, 0)?;
            }
            *old = new;
        }
        Ok(())
    }

    /// Writes keys and values of a layer, each (tokens, kv_heads, dim), into reserved slots, from
    /// `first` on.
    pub fn write(&mut self, layer: usize, first: usize, k: &Tensor, v: &Tensor) -> Result<()> {
        let (_, heads, dim) = k.dims3()?;
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, None);
        }
        let pooled = match &mut self.layers[layer] {
            Some(pooled) => pooled,
            empty => {
                let zeros = || Tensor::zeros((self.capacity, heads * dim), k.dtype(), k.device());
                empty.insert([zeros()?, zeros()?])
            }
        };
        pooled.iter().zip([k, v]).try_for_each(|(pool, new)| ops::write_rows(pool, new, first))
    }

    /// Bytes of a slot in all layers.
    pub fn slot_bytes(&self) -> usize {
        let pooled = self.layers.iter().flatten().flatten();
        pooled.map(|pool| pool.elem_count() / self.capacity * pool.dtype().size_in_bytes()).sum()
    }

    /// Keys and values of a layer, each (capacity, width).
    pub fn layer(&self, layer: usize) -> Result<&[Tensor; 2]> {
        self.layers.get(layer).and_then(Option::as_ref).ok_or_else(misplaced)
    }
}

/// The error of a cache that belongs to another model.
pub(super) fn misplaced() -> Error {
    candle_core::Error::msg(
        "a cache and its model are on different devices, or in different precisions",
    )
    .into()
}
