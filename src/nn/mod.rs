//! Layers that the architectures share. On the CPU they call the kernels; on a GPU, candle's
//! ([`Backend::candle`]).
//!
//! Batches are ragged: the new tokens of all sequences stand one after the other, (tokens, dim),
//! and each sequence has a cache of its own. Nothing is padded, so nothing has to be masked, and no
//! sequence can see another.

mod adapted;
mod attention;
mod cache;
mod feed_forward;
mod linear;
mod log;
mod norm;
mod plan;
mod position;
mod recurrence;
mod rope;
mod sight;
mod weights;

pub use adapted::{AdapterDelta, LoraMerged, LowRank};
pub use attention::{Attention, Group};
pub(crate) use cache::LayerCache;
pub use cache::{Keeping, KvCache, SourceCache, Span};
pub use feed_forward::FeedForward;
pub use linear::{Embedding, Linear, LinearOutput, LogSumExp, OutputLayer, TopKRequest};
pub use log::{Log, Rows};
pub use norm::{Norm, add};
pub use plan::{Plan, Plans, Step};
pub use position::{Positions, relative_bias};
pub use recurrence::Recurrence;
pub use rope::Rope;
pub use sight::Sight;
pub use weights::{Backend, Config, MatrixReader, TrackedWeights, Weights};

use crate::error::{Error, Result};
use candle_core::{CpuStorage, Layout, Storage, Tensor};

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Error {
        Error::Compute(Box::new(error))
    }
}

/// Calls `f` with the values of a contiguous f32 tensor in main memory.
pub(crate) fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(cpu_slice(storage, layout)?)),
        _ => Err(candle_core::Error::msg("expected a tensor in main memory").bt().into()),
    }
}

fn cpu_slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("expected a contiguous tensor"),
    }
}
