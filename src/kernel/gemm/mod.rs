//! Matrix products of activations with weights that are packed once, at load.

mod fp32;
mod int8;
mod packed;
mod precision;
mod target;

pub use int8::GROUP;
pub use packed::{IntegerRows, Packed};
pub use precision::Precision;
