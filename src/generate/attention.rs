//! The weights of a decoder's attention to its source, read off finished tokens.

use crate::arch::Encoder;
use crate::error::Result;
use crate::nn::{KvCache, SourceCache, Span};
use candle_core::Tensor;
use std::sync::Arc;

/// Tokens that are read in one go: what a layer makes of them bounds the memory.
const CHUNK: usize = 64;

/// The heads of a layer whose weights are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heads {
    /// The mean over all.
    Mean,
    /// One of them.
    One(usize),
}

impl Heads {
    /// The weights of these heads, of those of a layer, (heads, tokens, source): a row for each
    /// token.
    pub(super) fn of(self, layer: &Tensor) -> Result<Vec<Vec<f32>>> {
        let own = match self {
            Heads::Mean => layer.mean(0)?,
            Heads::One(head) => layer.get(head)?,
        };
        Ok(own.to_vec2::<f32>()?)
    }

    /// The layer and the heads that tell most of what a translation comes from: the last layer, and
    /// the head that was taught to align, where one was.
    pub(super) fn aligning(encoder: &dyn Encoder) -> (usize, Heads) {
        let heads = encoder.aligning_head().map_or(Heads::Mean, Heads::One);
        (encoder.attention_layers().saturating_sub(1), heads)
    }
}

/// The weights with which each of the tokens after the first `start` tokens was chosen, over the
/// tokens of the source: a row for each, of the heads of a layer. With `next`, one row more: that
/// of the token after the last.
pub(super) fn weights(
    encoder: &dyn Encoder,
    source: Arc<SourceCache>,
    tokens: &[u32],
    start: usize,
    next: bool,
    (layer, heads): (usize, Heads),
) -> Result<Vec<Vec<f32>>> {
    // A token is chosen after the one before it was read.
    let read = &tokens[..(tokens.len() + usize::from(next)).saturating_sub(1)];
    let mut cache = KvCache::reading(source);
    let mut rows = Vec::with_capacity(read.len());
    for chunk in read.chunks(CHUNK) {
        let all = encoder.attention(&mut Span::new(chunk, &mut cache), layer)?;
        rows.extend(heads.of(&all)?);
    }
    Ok(rows.split_off(start.saturating_sub(1).min(rows.len())))
}

/// The sum of the logarithms of the weights that the tokens of a source get in all, those above 1
/// as 1 (Wu et al. 2016). One without any weight does not count, as in CTranslate2: its logarithm
/// has no end.
pub(super) fn coverage(weights: &[Vec<f32>]) -> f32 {
    let columns = weights.first().map_or(0, Vec::len);
    let total = |column: usize| weights.iter().map(|row| row[column]).sum::<f32>();
    (0..columns).map(total).filter(|total| *total > 0.0).map(|total| total.min(1.0).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::coverage;

    #[test]
    fn coverage_is_that_of_wu_et_al() {
        // The totals are 0.5, 1.5 and 0: ln 0.5 + ln 1.
        let weights = [vec![0.25, 0.75, 0.0], vec![0.25, 0.75, 0.0]];
        assert!((coverage(&weights) - 0.5f32.ln()).abs() < 1e-6);
        assert_eq!(coverage(&[]), 0.0);
    }
}
