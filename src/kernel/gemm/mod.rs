//! Matrix products of activations with weights that are packed once, at load.

mod blocks;
mod fp32;
mod int8;
mod packed;
mod precision;
mod target;

pub use blocks::BlockFormat;
pub use int8::GROUP;
pub use packed::{BlockRows, IntegerRows, Packed};
pub use precision::Precision;
