//! Activations, quantized once for all features that they are multiplied with.

use super::layout::{GROUP, Rows, k_pack, weight_bias};
use super::quantize::{quantize_i8, quantize_i16};
use crate::kernel::simd::{Aligned, Isa};
use std::ops::Range;

/// Rows of quantized activations, in groups of values that share a scale.
pub(in crate::kernel::gemm) struct Activations {
    values: Values,
    /// (rows, groups)
    scales: Vec<f32>,
    groups: usize,
    /// Values of a row, padded to whole [`GROUP`]s.
    depth: usize,
}

/// 8-bit values as the instruction set multiplies them, (rows, depth).
enum Values {
    /// As 16-bit integers.
    I16(Vec<i16>),
    /// As 8-bit integers, and the values from which the sums of their products with weights start,
    /// (rows, groups), so that they come out without the weights' bias.
    I8(Aligned<i8>, Vec<i32>),
}

/// A tile of [`Activations`].
pub(super) enum Tile<'a> {
    I16(Rows<'a, i16>),
    /// With the starts of their sums, (rows, groups).
    I8(Rows<'a, i8>, &'a [i32]),
}

impl Activations {
    /// Quantizes rows of `k` values; each `group` of them gets a scale, or all are multiplied with
    /// a fixed factor.
    pub(in crate::kernel::gemm) fn quantize(
        isa: Isa,
        x: &[f32],
        k: usize,
        group: usize,
        fixed: Option<f32>,
    ) -> Activations {
        let depth = k.next_multiple_of(GROUP);
        let (rows, groups) = (x.len() / k, depth / group);
        let mut scales = vec![0.0; rows * groups];
        let lines = x.chunks_exact(k).zip(scales.chunks_exact_mut(groups));
        let values = if k_pack(isa) == 4 {
            let (mut values, mut starts) =
                (Aligned::zeros(rows * depth), vec![0i32; rows * groups]);
            for (((row, scales), values), starts) in
                lines.zip(values.chunks_exact_mut(depth)).zip(starts.chunks_exact_mut(groups))
            {
                let weight_bias = weight_bias(isa).into();
                quantize_i8(isa, row, fixed, values, (scales, starts), weight_bias);
            }
            Values::I8(values, starts)
        } else {
            let mut values = vec![0i16; rows * depth];
            for ((row, scales), values) in lines.zip(values.chunks_exact_mut(depth)) {
                quantize_i16(isa, row, fixed, values, scales);
            }
            Values::I16(values)
        };
        Activations { values, scales, groups, depth }
    }

    /// Number of rows.
    #[inline]
    pub(super) fn rows(&self) -> usize {
        self.scales.len() / self.groups
    }

    /// A range of rows.
    #[inline]
    pub(super) fn tile(&self, rows: Range<usize>) -> Tile<'_> {
        let groups = rows.start * self.groups..rows.end * self.groups;
        let span = rows.start * self.depth..rows.end * self.depth;
        let (mr, scales) = (rows.len(), &self.scales[groups.clone()]);
        match &self.values {
            Values::I16(values) => Tile::I16(Rows { mr, values: &values[span], scales }),
            Values::I8(values, starts) => {
                Tile::I8(Rows { mr, values: &values[span], scales }, &starts[groups])
            }
        }
    }
}
