//! Layers that the architectures share. They compute with the kernels of the CPU or with candle's
//! operations ([`Compute`]); elementwise operations choose in one place, `ops`.
//!
//! Batches are ragged: the new tokens of all sequences stand one after the other, (tokens, dim),
//! and each sequence has a cache of its own. Nothing is padded, so nothing has to be masked, and no
//! sequence can see another.

mod attention;
mod attention_candle;
mod attention_metadata;
mod backend;
mod cpu_ops;
mod embedding;
mod encoder_attention;
mod feed_forward;
mod forward_pass;
mod kv_cache;
mod kv_pool;
mod kv_store;
mod linear;
mod matrix;
mod norm;
mod ops;
mod output_layer;
mod output_rows;
mod position;
mod query_group;
mod ranges;
mod recurrence;
mod rope;
mod rope_scaling;
mod span;
mod top_k_device;

pub use attention::Attention;
pub use attention_metadata::MetadataCache;
pub use backend::{Backend, Compute};
pub use embedding::Embedding;
pub use encoder_attention::{EncoderAttention, LayerPattern};
pub use feed_forward::FeedForward;
pub use forward_pass::ForwardPass;
pub use kv_cache::{KvCache, SourceCache};
pub use kv_pool::KvPool;
pub use kv_store::KvStorage;
pub use linear::{Linear, LinearOutput};
pub use norm::Norm;
pub use ops::add;
pub use output_layer::OutputLayer;
pub use output_rows::OutputRows;
pub use position::{Positions, relative_bias};
pub use query_group::QueryGroup;
pub use recurrence::Recurrence;
pub use rope::{Angles, Rope};
pub use rope_scaling::RopeScaling;
pub use span::Span;
pub use top_k_device::{LogSumExp, TopKRequest};
