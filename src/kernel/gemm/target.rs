//! The memory that a product is written to.

use std::mem::MaybeUninit;

/// Rows of memory, `stride` apart; a product fills the first columns of each.
pub(super) struct Target<'a> {
    pub out: &'a mut [MaybeUninit<f32>],
    pub stride: usize,
}
