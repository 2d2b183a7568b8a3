//! Kernels of this crate's own for CUDA devices: what candle does in many small steps (attention
//! over the rows of a cache, the steps between two products, the best of a row of logits), each in
//! one. Every function returns `None`, or `false`, where its kernel does not fit, and candle's
//! operations have to do; for attention, [`supports_attention`] says it beforehand.

#[cfg(feature = "cuda")]
mod attention;
mod device;
#[cfg(feature = "cuda")]
mod launch;
#[cfg(feature = "cuda")]
mod layout;
mod parameters;
#[cfg(feature = "cuda")]
mod rows;
#[cfg(feature = "cuda")]
mod top_k;
#[cfg(not(feature = "cuda"))]
mod unavailable;

#[cfg(feature = "cuda")]
pub(crate) use attention::{append_rows, attention, supports_attention};
pub use device::open_cuda;
pub(crate) use parameters::NormParameters;
#[cfg(feature = "cuda")]
pub(crate) use rows::{bias_activation, gated, normalize};
#[cfg(feature = "cuda")]
pub(crate) use top_k::{MAX_TOP_K, top_k};
#[cfg(not(feature = "cuda"))]
pub(crate) use unavailable::{
    MAX_TOP_K, append_rows, attention, bias_activation, gated, normalize, supports_attention, top_k,
};
