//! The CPU kernels: matrix products on packed weights, attention, activations. They see slices,
//! never tensors, and each runs on the calling thread; parallelism is one worker per core, further
//! up. Only packing, at load, uses all cores by itself. Beside them are kernels for CUDA devices
//! (`cuda`), which see candle's tensors there.
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
mod aligned;
mod attention;
mod best;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "no_cuda.rs"]
pub(crate) mod cuda;
mod device;
mod dots;
mod isa;
mod lanes;
mod matmul_f32;
mod matmul_i8;
mod packed;
mod relative;
mod rows;
mod seen;
mod tile;

pub use activation::{Activation, activate, gated};
pub use attention::{Attended, AttentionShape, Blocks, KeyValues, Reach, attend};
pub use best::{Ranked, TopK};
pub use device::open_cuda;
pub use isa::Isa;
pub use matmul_i8::GROUP;
pub use packed::{Packed, Precision};
pub use relative::RelativeBias;
pub use rows::{add, add_to_rows, extend_half, layer_norm, rms_norm};
