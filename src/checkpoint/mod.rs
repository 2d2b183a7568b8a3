//! The checkpoint contract: a model's configuration and its named weights, as the readers of files
//! hand them over and as the architectures and the tokenizers read them.
//!
//! Matrices are read a few rows at a time ([`MatrixReader`]), so that a checkpoint is never in
//! memory as f32 beside the model that is made of it. An adapter is merged while its weights are
//! read ([`LoraMerged`]).

mod config;
mod lora;
mod matrix_reader;
mod slices;
pub(crate) mod stand_in;
mod text_part;
mod tracked;
mod weights;

pub use crate::kernel::BlockFormat;
pub use config::Config;
pub use lora::{AdapterDelta, LoraMerged, LowRank};
pub use matrix_reader::MatrixReader;
pub(crate) use slices::{cpu_slice, with_slice};
pub use text_part::{TextPart, text_config};
pub use tracked::TrackedWeights;
pub use weights::{Amount, Weights};
