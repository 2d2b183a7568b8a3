//! The last step of a tile: its sums get their features' bias and go to their places.

use super::layout::PANEL;
use crate::kernel::simd::{Isa, per_isa};
use std::mem::MaybeUninit;

/// The bias of a tile's features, and the places of its results.
pub(in crate::kernel::gemm) struct Epilogue<'a> {
    pub bias: Option<&'a [f32]>,
    /// From the first row's first place to the last row's last one.
    pub out: &'a mut [MaybeUninit<f32>],
    pub stride: usize,
    /// Features of the panel that exist.
    pub width: usize,
}

impl Epilogue<'_> {
    /// Finishes the sums of each row.
    pub(super) fn finish(self, isa: Isa, sums: &[[f32; PANEL]]) {
        finish(isa, sums, self);
    }
}

per_isa! { fn finish(sums: &[[f32; PANEL]], epilogue: Epilogue<'_>) = finish_body }

#[inline(always)]
fn finish_body(sums: &[[f32; PANEL]], epilogue: Epilogue<'_>) {
    let Epilogue { bias, out, stride, width } = epilogue;
    for (out, sums) in out.chunks_mut(stride).zip(sums) {
        let sums = out[..width].iter_mut().zip(sums);
        match bias {
            Some(bias) => sums.zip(bias).for_each(|((out, sum), bias)| _ = out.write(sum + bias)),
            None => sums.for_each(|(out, sum)| _ = out.write(*sum)),
        }
    }
}
