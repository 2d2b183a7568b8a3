//! The softmax of attention scores.

use crate::kernel::simd::{F32x16, LANES, exp_lanes};
use std::ops::Range;

/// Rows that are worked on side by side: a row by itself is a chain of operations of which each
/// waits for the one before.
pub(super) const ROWS: usize = 8;

/// Turns rows of scores, (rows, stride) with a multiple of the lanes as the stride, into weights:
/// those of `hidden` are zero, and the sum of all of a row is one.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(super) unsafe fn softmax<L: F32x16>(
    scores: &mut [f32],
    stride: usize,
    hidden: &[Range<usize>],
) {
    for rows in scores.chunks_mut(ROWS * stride) {
        let mut sums = [[0.0f32; LANES]; ROWS];
        for (row, sums) in rows.chunks_exact_mut(stride).zip(&mut sums) {
            // SAFETY: as the caller promises.
            unsafe { exponentials::<L>(row, hidden).store(sums) };
        }
        let mut totals = [0.0f32; ROWS];
        for lane in 0..LANES {
            totals.iter_mut().zip(&sums).for_each(|(total, sums)| *total += sums[lane]);
        }
        for (row, total) in rows.chunks_exact_mut(stride).zip(totals) {
            // SAFETY: as the caller promises.
            unsafe {
                let inverse = L::splat(1.0 / total);
                for block in row.as_chunks_mut::<LANES>().0 {
                    L::load(block.as_ptr()).mul(inverse).store(block);
                }
            }
        }
    }
}

/// Puts exp(score − the largest) in place of each score of a row, zero in those that are hidden;
/// returns the sums of each lane.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn exponentials<L: F32x16>(row: &mut [f32], hidden: &[Range<usize>]) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        // Of which the exponential is zero.
        hidden.iter().for_each(|hidden| row[hidden.clone()].fill(f32::NEG_INFINITY));
        let mut max = L::splat(f32::NEG_INFINITY);
        for block in row.as_chunks::<LANES>().0 {
            max = L::load(block.as_ptr()).max(max);
        }
        let max = L::splat(max.max_lane());
        let mut sums = L::zero();
        for block in row.as_chunks_mut::<LANES>().0 {
            let all = exp_lanes(L::load(block.as_ptr()).sub(max));
            all.store(block);
            sums = sums.add(all);
        }
        sums
    }
}
