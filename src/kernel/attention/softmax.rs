//! The softmax of attention scores.

use crate::kernel::simd::{LANES, exp};
use std::ops::Range;

/// Turns scores, a multiple of the lanes, into weights: those of `hidden` are zero, and the sum of
/// all is one.
#[inline(always)]
pub(super) fn softmax(scores: &mut [f32], hidden: &[Range<usize>]) {
    hidden.iter().for_each(|rows| scores[rows.clone()].fill(f32::NEG_INFINITY));
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in scores.as_chunks::<LANES>().0 {
        lanes
            .iter_mut()
            .zip(block)
            .for_each(|(lane, &score)| *lane = if score > *lane { score } else { *lane });
    }
    let max = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    for block in scores.as_chunks_mut::<LANES>().0 {
        block.iter_mut().for_each(|score| *score = exp(*score - max));
    }
    hidden.iter().for_each(|rows| scores[rows.clone()].fill(0.0));
    let mut sums = [0.0f32; LANES];
    for block in scores.as_chunks::<LANES>().0 {
        sums.iter_mut().zip(block).for_each(|(sum, score)| *sum += score);
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for block in scores.as_chunks_mut::<LANES>().0 {
        block.iter_mut().for_each(|score| *score *= inverse);
    }
}
