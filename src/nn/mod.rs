//! Layers that the architectures share. On the CPU they call the kernels; on a GPU, candle's
//! ([`Backend::candle`]).
//!
//! Batches are ragged: the new tokens of all sequences stand one after the other, (tokens, dim),
//! and each sequence has a cache of its own. Nothing is padded, so nothing has to be masked, and no
//! sequence can see another.

mod attention;
mod backend;
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

pub use attention::{Attention, Group};
pub use backend::Backend;
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
