//! Products with weights that stay in the blocks in which a GGUF file has them, of 4 to 6 bits.
//!
//! A file's integers are multiplied as they are, with its own scales and minimums, so that a weight
//! has the value that llama.cpp gives it, and takes as much memory as in the file. Blocks are only
//! put in another order: panels of [`PANEL`] features side by side, in which four neighbours of a
//! row stand in a lane (Q4_0, and llama.cpp's k-quants). Activations are quantized to 8 bits, a
//! scale for each [`GROUP`]. Sums within a block are exact, and those of blocks are added in order.

mod activations;
mod format;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod lanes_neon;
#[cfg(target_arch = "x86_64")]
mod lanes_x86;
mod layout;
mod matmul;
mod micro_kernel;
mod stored;
#[cfg(test)]
mod tests;
mod tile;
mod weights;

pub use layout::BlockFormat;

pub(super) use activations::Activations;
pub(super) use layout::PANEL;
pub(super) use matmul::matmul;
pub(super) use weights::Weights;
