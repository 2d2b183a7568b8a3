//! f32 matrix product with packed weights: the reference path.
//!
//! Each output is a sum of the sums of [`BLOCK`] products, each a chain of fused multiply-adds in
//! order, so that it does not depend on how rows are tiled. One chain over all of `k` would round
//! at the height of the whole sum every time: its error grows with `k`, that of blocks with √k
//! (Higham 1993, "The accuracy of floating point summation").

use super::target::Target;
use crate::kernel::simd::{Aligned, Isa, per_isa};
use rayon::prelude::*;
use std::ops::Range;

/// Output features a panel: two AVX2 registers, one of AVX-512.
pub(super) const PANEL: usize = 16;

/// Rows a tile, at most: 6 × 16 accumulators fill twelve of AVX2's sixteen registers.
const MAX_MR: usize = 6;

/// Products added up before they meet the sum of those before them: about √k for the widths of
/// transformers, where the error is least.
const BLOCK: usize = 32;

/// Weights in panels of [`PANEL`] output features: (panels, k, PANEL), padded to whole panels.
pub(super) struct Weights {
    values: Aligned<f32>,
    k: usize,
}

impl Weights {
    /// Zeros, for [`Block::fill`] to write over.
    pub(super) fn zeros(n: usize, k: usize) -> Weights {
        Weights { values: Aligned::in_slab(n.div_ceil(PANEL) * k * PANEL), k }
    }

    /// Blocks of so many rows, whole panels, that can be filled side by side; the last one may be
    /// smaller.
    pub(super) fn blocks(&mut self, rows: usize) -> impl IndexedParallelIterator<Item = Block<'_>> {
        let k = self.k;
        self.values.par_chunks_mut(rows * k).map(move |values| Block { values, k })
    }

    /// A range of panels.
    pub(super) fn panels(&self, panels: Range<usize>) -> &[f32] {
        let size = self.k * PANEL;
        &self.values[panels.start * size..panels.end * size]
    }

    /// Copies row `from` of `all`, whose rows are as long, to row `to`.
    pub(super) fn copy_row(&mut self, to: usize, all: &Weights, from: usize) {
        let base = |i: usize| i / PANEL * self.k * PANEL + i % PANEL;
        let (to, from) = (base(to), base(from));
        for p in 0..self.k {
            self.values[to + p * PANEL] = all.values[from + p * PANEL];
        }
    }

    /// Writes row `i` to `out`.
    pub(super) fn row(&self, i: usize, out: &mut [f32]) {
        let base = i / PANEL * self.k * PANEL + i % PANEL;
        for (p, out) in out.iter_mut().enumerate() {
            *out = self.values[base + p * PANEL];
        }
    }
}

/// Some panels of [`Weights`] that are being packed.
pub(super) struct Block<'a> {
    values: &'a mut [f32],
    k: usize,
}

impl Block<'_> {
    /// Packs rows of `k` values each.
    pub(super) fn fill(&mut self, rows: &[f32]) {
        for (i, row) in rows.chunks_exact(self.k).enumerate() {
            let base = i / PANEL * self.k * PANEL + i % PANEL;
            row.iter().enumerate().for_each(|(p, &v)| self.values[base + p * PANEL] = v);
        }
    }
}

/// Rows of activations in tiles, each (k, mr), so that the inner loop reads in order.
pub(super) struct Activations {
    tiles: Vec<f32>,
    k: usize,
    rows: usize,
}

impl Activations {
    /// Tiles of rows of `k` values.
    pub(super) fn new(x: &[f32], k: usize) -> Activations {
        let mut tiles = vec![0.0; x.len()];
        for (tile, rows) in tiles.chunks_mut(MAX_MR * k).zip(x.chunks(MAX_MR * k)) {
            let mr = rows.len() / k;
            for (r, row) in rows.chunks_exact(k).enumerate() {
                for (p, &value) in row.iter().enumerate() {
                    tile[p * mr + r] = value;
                }
            }
        }
        Activations { tiles, k, rows: x.len() / k }
    }
}

/// Multiplies rows, (rows, k), with panels of weights, (panels, k, PANEL), adds the bias of the `n`
/// features if there is one, and writes (rows, n).
pub(super) fn matmul(
    isa: Isa,
    x: &Activations,
    weights: &[f32],
    n: usize,
    bias: Option<&[f32]>,
    target: Target<'_>,
) {
    let Activations { tiles, k, rows } = x;
    let Target { out, stride } = target;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over
    // it.
    for (panel, weights) in weights.chunks_exact(k * PANEL).enumerate() {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        for (t, tile) in tiles.chunks(MAX_MR * k).enumerate() {
            let mut sums = [[0.0; PANEL]; MAX_MR];
            match tile.len() / k {
                6 => tile_product::<6>(isa, tile, weights, &mut sums),
                5 => tile_product::<5>(isa, tile, weights, &mut sums),
                4 => tile_product::<4>(isa, tile, weights, &mut sums),
                3 => tile_product::<3>(isa, tile, weights, &mut sums),
                2 => tile_product::<2>(isa, tile, weights, &mut sums),
                _ => tile_product::<1>(isa, tile, weights, &mut sums),
            }
            for (r, sums) in sums.iter_mut().enumerate().take(rows - t * MAX_MR) {
                if let Some(bias) = bias {
                    sums.iter_mut()
                        .zip(&bias[column..column + width])
                        .for_each(|(sum, bias)| *sum += bias);
                }
                let out = &mut out[(t * MAX_MR + r) * stride + column..][..width];
                out.iter_mut().zip(&*sums).for_each(|(out, sum)| _ = out.write(*sum));
            }
        }
    }
}

per_isa! {
    /// One tile of rows, (k, MR), with one panel of weights, (k, PANEL).
    fn tile_product<const MR: usize>(
        tile: &[f32],
        weights: &[f32],
        sums: &mut [[f32; PANEL]; MAX_MR],
    ) = tile_product_body::<MR>
}

#[inline(always)]
fn tile_product_body<const MR: usize>(
    tile: &[f32],
    weights: &[f32],
    sums: &mut [[f32; PANEL]; MAX_MR],
) {
    let mut total = [[0.0f32; PANEL]; MR];
    for (tile, weights) in tile.chunks(BLOCK * MR).zip(weights.chunks(BLOCK * PANEL)) {
        let mut acc = [[0.0f32; PANEL]; MR];
        for (a, w) in tile.chunks_exact(MR).zip(weights.chunks_exact(PANEL)) {
            for r in 0..MR {
                for lane in 0..PANEL {
                    acc[r][lane] = a[r].mul_add(w[lane], acc[r][lane]);
                }
            }
        }
        for (total, acc) in total.as_flattened_mut().iter_mut().zip(acc.as_flattened()) {
            *total += acc;
        }
    }
    sums[..MR].copy_from_slice(&total);
}
