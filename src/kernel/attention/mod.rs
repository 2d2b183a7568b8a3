//! Scaled dot-product attention of queries over cached keys and values.

mod attend;
mod key_index;
mod masked;
mod products;
mod relative_bias;
mod shape;
mod softmax;
mod source;
mod source_tile;
mod tile;

pub use attend::attend;
pub use relative_bias::RelativeBias;
pub use shape::{AttentionShape, GlobalBlocks, KeyValues, KvView, Mask, RowColumns};
pub use source::{SourceKeyValues, attend_itself, attend_source};
