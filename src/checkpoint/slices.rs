//! The numbers of a tensor in main memory, as a slice.

use crate::error::Result;
use candle_core::{CpuStorage, Layout, Storage, Tensor};

/// Calls `f` with the values of a contiguous f32 tensor in main memory.
pub(crate) fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(cpu_slice(storage, layout)?)),
        _ => Err(candle_core::Error::msg("expected a tensor in main memory").bt().into()),
    }
}

/// The values of a contiguous f32 tensor in main memory, from its storage and its layout.
pub(crate) fn cpu_slice<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("expected a contiguous tensor"),
    }
}
