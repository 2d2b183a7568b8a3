//! The multiply-adds of a model, which a benchmark compares with what the machine can do.

/// Multiply-adds with weight matrices; attention scores, norms, activations and lookups are not
/// counted, nor the extra projections of LED's first token and of LongT5's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Macs {
    /// Per token of a source that an encoder reads: the encoder, and the keys and values of
    /// the decoder's attention to it.
    pub source: u64,
    /// Per token that the decoder reads, of a prompt or its own.
    pub token: u64,
    /// Per token that is chosen: the projection onto the vocabulary.
    pub output: u64,
}

/// Multiply-adds of a feed-forward layer per token.
pub(super) fn feed_forward(dim: usize, hidden: usize, gated: bool) -> usize {
    (if gated { 3 } else { 2 }) * dim * hidden
}
