//! Keys and values on a device: those of all sequences in one log, so that a step appends and
//! attends with a few large operations, whatever the number of sequences.

use super::cache::misplaced;
use crate::error::Result;
use crate::kernel::cuda;
use candle_core::Tensor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The keys and values of a model's sequences in every layer, in the order in which they came.
#[derive(Default)]
pub struct Log(Mutex<Written>);

/// What a log holds.
pub struct Written {
    /// Keys and values of each layer, each (capacity, width); `None` before the first.
    layers: Vec<Option<[Tensor; 2]>>,
    capacity: usize,
    used: usize,
    holders: Vec<Weak<Rows>>,
}

/// The rows of a log that one sequence holds, in the order of its positions.
#[derive(Default)]
pub struct Rows(Mutex<Vec<u32>>);

impl Default for Written {
    fn default() -> Written {
        Written { layers: Vec::new(), capacity: 1024, used: 0, holders: Vec::new() }
    }
}

impl Log {
    /// The log, for one step or one batch of sources.
    pub(super) fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sequence that holds no rows yet.
    pub(super) fn holder(&self) -> Arc<Rows> {
        let rows = Arc::new(Rows::default());
        let holders = &mut self.lock().holders;
        if holders.len() == holders.capacity() {
            holders.retain(|holder| holder.strong_count() > 0);
        }
        holders.push(Arc::downgrade(&rows));
        rows
    }
}

impl Rows {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// Makes room for some more rows, the first of which it returns. The numbers of all that is
    /// held may change.
    pub(super) fn reserve(&mut self, count: usize) -> Result<usize> {
        if self.used + count > self.capacity {
            self.compact(count)?;
        }
        self.used += count;
        Ok(self.used - count)
    }

    /// Keeps what is still held, and has room for half as much again.
    fn compact(&mut self, count: usize) -> Result<()> {
        let mut kept: Vec<u32> = Vec::new();
        self.holders.retain(|holder| holder.strong_count() > 0);
        for holder in self.holders.iter().filter_map(Weak::upgrade) {
            for row in holder.lock().iter_mut() {
                kept.push(*row);
                *row = kept.len() as u32 - 1;
            }
        }
        self.used = kept.len();
        self.capacity = self.capacity.max((kept.len() + count) * 3 / 2);
        for layer in self.layers.iter_mut().flatten() {
            for held in layer {
                // Rows that nobody has written are read, with a weight of zero, where sequences are
                // padded: they must be numbers.
                let new =
                    Tensor::zeros((self.capacity, held.dim(1)?), held.dtype(), held.device())?;
                if !kept.is_empty() {
                    new.slice_set(
                        &held.index_select(&Tensor::new(kept.as_slice(), held.device())?, 0)?,
                        0,
                        0,
                    )?;
                }
                *held = new;
            }
        }
        Ok(())
    }

    /// Writes keys and values of a layer, each (tokens, kv_heads, dim), into reserved rows.
    pub(super) fn write(
        &mut self,
        layer: usize,
        first: usize,
        k: &Tensor,
        v: &Tensor,
    ) -> Result<()> {
        let (tokens, heads, dim) = k.dims3()?;
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, None);
        }
        let held = match &mut self.layers[layer] {
            Some(held) => held,
            empty => {
                let zeros = || Tensor::zeros((self.capacity, heads * dim), k.dtype(), k.device());
                empty.insert([zeros()?, zeros()?])
            }
        };
        for (held, new) in held.iter().zip([k, v]) {
            if cuda::appended(held, new, first)? {
                continue;
            }
            held.slice_set(&new.contiguous()?.reshape((tokens, heads * dim))?, 0, first)?;
        }
        Ok(())
    }

    /// Bytes of a row in all layers.
    pub(super) fn row_bytes(&self) -> usize {
        let held = self.layers.iter().flatten().flatten();
        held.map(|held| held.elem_count() / self.capacity * held.dtype().size_in_bytes()).sum()
    }

    /// Keys and values of a layer, each (capacity, width).
    pub(super) fn layer(&self, layer: usize) -> Result<&[Tensor; 2]> {
        self.layers.get(layer).and_then(Option::as_ref).ok_or_else(misplaced)
    }
}
