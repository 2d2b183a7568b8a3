//! The CPU kernels: matrix products on packed weights, attention, activations. They see slices,
//! never tensors, and each runs on the calling thread; parallelism is one worker per core, further
//! up. Packing, at load, uses all cores by itself, and a worker that knows others to be idle may
//! have their cores' help with its products ([`with_helpers`]). Beside them are kernels for CUDA
//! devices (`cuda`), which see candle's tensors there.
//!
//! Two properties hold for all kernels of the CPU and are tested:
//! - A row's result depends on that row alone, never on the rows beside it. Batched equals single,
//!   to the bit.
//! - Every instruction set gives the same bits: integer sums are exact, and floating-point sums
//!   have one fixed order, with fused multiply-add, lane by lane.
//!
//! This folder is the only place where `unsafe` is allowed.
#![allow(unsafe_code)]

mod activation;
mod attention;
pub(crate) mod cuda;
mod elementwise;
mod gemm;
mod norms;
mod recur;
mod share;
mod simd;
mod top_k;

pub use activation::{Activation, activate, gated};
pub use attention::{
    AttentionShape, GlobalBlocks, KeyValues, KvView, Mask, RelativeBias, RowColumns,
    SourceKeyValues, attend, attend_itself, attend_source,
};
pub use cuda::open_cuda;
pub use elementwise::{add, add_to_rows, extend_half, soft_cap};
pub use gemm::{BlockFormat, BlockRows, GROUP, IntegerRows, Packed, Precision};
pub use norms::{layer_norm, rms_norm};
pub use recur::recur;
pub use share::with_helpers;
pub use simd::Isa;
pub use top_k::{Candidate, TopK};
