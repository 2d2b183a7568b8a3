//! How much a model multiplies: what a benchmark compares with what a machine can do.

/// Multiply-adds with weight matrices; attention scores, norms, activations and lookups are not
/// among them. What reads tokens in another way than all (the global tokens of LED, the blocks of
/// LongT5) has a little more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Macs {
    /// For each token of a source that an encoder reads: the encoder, and the keys and values of
    /// the decoder's attention to it.
    pub source: u64,
    /// For each token that the decoder reads, be it of a prompt or its own.
    pub token: u64,
    /// For each token that is chosen: the projection onto the vocabulary.
    pub output: u64,
}

/// Of a feed-forward layer.
pub(super) fn feed_forward(dim: usize, hidden: usize, gated: bool) -> usize {
    (if gated { 3 } else { 2 }) * dim * hidden
}
