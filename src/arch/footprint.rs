//! The main memory that a model's work takes besides its weights.

use crate::nn::KvStorage;

/// Bytes for tokens that are in the works. It is an estimate that leaves out what is small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Keys and values of a token that the decoder reads or writes.
    pub token: usize,
    /// Those of a token that the encoder reads, for the decoder to attend to.
    pub source: usize,
    /// What a step computes, for each token that it reads.
    pub step: usize,
}

impl Footprint {
    /// Bytes of a sequence whose encoder reads so many tokens and whose decoder reads and writes so
    /// many others.
    pub fn sequence(self, source: usize, tokens: usize) -> u64 {
        let of = |bytes: usize, tokens: usize| (bytes as u64).saturating_mul(tokens as u64);
        of(self.source, source).saturating_add(of(self.token, tokens))
    }
}

/// Bytes of the keys and values of a token in all layers, each of this width.
pub(super) fn keys_and_values(layers: usize, width: usize, storage: &KvStorage) -> usize {
    2 * layers * width * storage.number_size()
}

/// Bytes of what a layer computes for a token: states before and after, those of attention, and the
/// two halves of a feed-forward layer, as f32.
pub(super) fn layer_outputs(dim: usize, attention: usize, hidden: usize) -> usize {
    (4 * dim + attention + 2 * hidden) * size_of::<f32>()
}
