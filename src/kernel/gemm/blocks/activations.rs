//! Activations, quantized once for all features that they are multiplied with, and put in tiles.

use super::layout::GROUP;
use crate::kernel::gemm::int8::quantize;
use crate::kernel::simd::{Aligned, Isa, IsaKind, per_isa};
use std::ops::Range;

/// Parts of a group of which sums are kept: the finest that a format has scales for.
pub(super) const PARTS: usize = 2;

/// Rows a tile, at most, of any instruction set.
pub(super) const MAX_MR: usize = 12;

/// Rows a tile of an instruction set, at most: their sums, and those of the groups before, for
/// sixteen features take 24 of AVX-512's 32 registers, and as many of other sets with half as many.
pub(super) fn mr(isa: Isa) -> usize {
    match isa.kind() {
        IsaKind::Avx512 => MAX_MR,
        IsaKind::Avx2 | IsaKind::AvxVnni => 6,
        IsaKind::Scalar | IsaKind::Neon => 4,
    }
}

/// Rows of quantized activations in tiles of nearly the same height, so that a micro-kernel reads
/// in order what it multiplies.
pub(in crate::kernel::gemm) struct Activations {
    isa: Isa,
    rows: usize,
    k: usize,
    /// Tiles of (k/4, rows, 4).
    values: Aligned<i8>,
    /// What one of a group's integers stands for, in tiles of (groups, rows).
    scales: Vec<f32>,
    /// The sum of a group's numbers with its sign changed, in tiles of (groups, rows).
    negative_sums: Vec<f32>,
    /// The sums of integers, in tiles of (groups, [`PARTS`], rows).
    sums: Vec<i32>,
}

/// A tile of [`Activations`].
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    /// Number of rows.
    pub mr: usize,
    /// (k/4, rows, 4)
    pub values: &'a [i8],
    /// (groups, rows)
    pub scales: &'a [f32],
    /// (groups, rows)
    pub negative_sums: &'a [f32],
    /// (groups, [`PARTS`], rows)
    pub sums: &'a [i32],
}

impl Activations {
    /// Quantizes rows of `k` values, whole groups.
    pub(in crate::kernel::gemm) fn quantize(isa: Isa, x: &[f32], k: usize) -> Activations {
        let (rows, groups) = (x.len() / k, k / GROUP);
        let mut all = Activations {
            isa,
            rows,
            k,
            values: Aligned::zeros(rows * k),
            scales: vec![0.0; rows * groups],
            negative_sums: vec![0.0; rows * groups],
            sums: vec![0; rows * groups * PARTS],
        };
        for tile in 0..all.tiles() {
            let rows = all.tile_rows(tile);
            let (mr, groups) = (rows.len(), rows.start * groups..rows.end * groups);
            let target = Target {
                mr,
                values: &mut all.values[rows.start * k..rows.end * k],
                scales: &mut all.scales[groups.clone()],
                negative_sums: &mut all.negative_sums[groups.clone()],
                sums: &mut all.sums[groups.start * PARTS..groups.end * PARTS],
            };
            quantize_tile(isa, &x[rows.start * k..rows.end * k], k, target);
        }
        all
    }

    /// The instruction set that they were put in tiles for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// Number of tiles.
    pub(super) fn tiles(&self) -> usize {
        self.rows.div_ceil(mr(self.isa))
    }

    /// The rows of a tile.
    pub(super) fn tile_rows(&self, tile: usize) -> Range<usize> {
        let tiles = self.tiles();
        tile * self.rows / tiles..(tile + 1) * self.rows / tiles
    }

    /// A tile.
    pub(super) fn tile(&self, tile: usize) -> Tile<'_> {
        let rows = self.tile_rows(tile);
        let groups = self.k / GROUP;
        let groups = rows.start * groups..rows.end * groups;
        Tile {
            mr: rows.len(),
            values: &self.values[rows.start * self.k..rows.end * self.k],
            scales: &self.scales[groups.clone()],
            negative_sums: &self.negative_sums[groups.clone()],
            sums: &self.sums[groups.start * PARTS..groups.end * PARTS],
        }
    }
}

/// A tile that is being made.
struct Target<'a> {
    mr: usize,
    values: &'a mut [i8],
    scales: &'a mut [f32],
    negative_sums: &'a mut [f32],
    sums: &'a mut [i32],
}

per_isa! {
    /// Quantizes the rows of a tile.
    fn quantize_tile(x: &[f32], k: usize, target: Target<'_>) = quantize_tile_body
}

#[inline(always)]
fn quantize_tile_body(x: &[f32], k: usize, target: Target<'_>) {
    let Target { mr, values, scales, negative_sums, sums } = target;
    let fours = values.as_chunks_mut::<4>().0;
    for (r, row) in x.chunks_exact(k).enumerate() {
        for (g, group) in row.as_chunks::<GROUP>().0.iter().enumerate() {
            // Infinities are kept, NaN is not.
            let mut largest = [0.0f32; 8];
            for eight in group.as_chunks::<8>().0 {
                for (largest, value) in largest.iter_mut().zip(eight) {
                    *largest = if value.abs() > *largest { value.abs() } else { *largest };
                }
            }
            let largest = largest.into_iter().fold(0.0, f32::max);
            let is_sound = largest > 0.0 && largest.is_finite();
            let (scale, inverse) =
                if is_sound { (largest / 127.0, 127.0 / largest) } else { (0.0, 0.0) };
            // What is no number ends as zero.
            let integers = group.map(|value| i32::from(quantize(value, inverse) as i8));
            let parts = integers.as_chunks::<{ GROUP / PARTS }>().0;
            let mut sum = 0;
            for (part, integers) in parts.iter().enumerate() {
                let own: i32 = integers.iter().sum();
                sums[(g * PARTS + part) * mr + r] = own;
                sum += own;
            }
            scales[g * mr + r] = scale;
            negative_sums[g * mr + r] = -(scale * sum as f32);
            for (i, four) in integers.as_chunks::<4>().0.iter().enumerate() {
                fours[(g * GROUP / 4 + i) * mr + r] = four.map(|value| value as i8);
            }
        }
    }
}
