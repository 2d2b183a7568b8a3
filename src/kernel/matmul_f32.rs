//! f32 matrix product with packed weights: the reference path.
//!
//! Each output is a sum of the sums of [`BLOCK`] products, each a chain of fused multiply-adds in
//! order, so that it does not depend on how rows are tiled. One chain over all of `k` would round
//! at the height of the whole sum every time: its error grows with `k`, that of blocks with √k
//! (Higham 1993, "The accuracy of floating point summation").

use super::isa::per_isa;
use super::packed::Target;

/// Output features a panel: two AVX2 registers, one of AVX-512.
pub(super) const PANEL: usize = 16;

/// Rows a tile: 6 × 16 accumulators fill twelve of AVX2's sixteen registers.
const TILE: usize = 6;

/// Products added up before they meet the sum of those before them: about √k for the widths of
/// transformers, where the error is least.
const BLOCK: usize = 32;

/// Rows of activations in tiles, each (k, height), so that the inner loop reads in order.
pub(super) struct Tiles {
    values: Vec<f32>,
    k: usize,
    rows: usize,
}

impl Tiles {
    /// Of rows of `k` values.
    pub(super) fn new(x: &[f32], k: usize) -> Tiles {
        let mut values = vec![0.0; x.len()];
        for (tile, rows) in values.chunks_mut(TILE * k).zip(x.chunks(TILE * k)) {
            let height = rows.len() / k;
            for (r, row) in rows.chunks_exact(k).enumerate() {
                for (p, &value) in row.iter().enumerate() {
                    tile[p * height + r] = value;
                }
            }
        }
        Tiles { values, k, rows: x.len() / k }
    }
}

/// Multiplies rows, (rows, k), with panels of weights, (panels, k, PANEL), adds the bias of the `n`
/// features if there is one, and writes (rows, n).
pub(super) fn matmul(
    isa: super::Isa,
    x: &Tiles,
    weights: &[f32],
    n: usize,
    bias: Option<&[f32]>,
    target: Target<'_>,
) {
    let Tiles { values: tiles, k, rows } = x;
    let Target { out, stride } = target;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over
    // it.
    for (panel, weights) in weights.chunks_exact(k * PANEL).enumerate() {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        for (t, tile) in tiles.chunks(TILE * k).enumerate() {
            let mut sums = [[0.0; PANEL]; TILE];
            match tile.len() / k {
                6 => tile_product::<6>(isa, tile, weights, &mut sums),
                5 => tile_product::<5>(isa, tile, weights, &mut sums),
                4 => tile_product::<4>(isa, tile, weights, &mut sums),
                3 => tile_product::<3>(isa, tile, weights, &mut sums),
                2 => tile_product::<2>(isa, tile, weights, &mut sums),
                _ => tile_product::<1>(isa, tile, weights, &mut sums),
            }
            for (r, sums) in sums.iter_mut().enumerate().take(rows - t * TILE) {
                if let Some(bias) = bias {
                    sums.iter_mut()
                        .zip(&bias[column..column + width])
                        .for_each(|(sum, bias)| *sum += bias);
                }
                let out = &mut out[(t * TILE + r) * stride + column..][..width];
                out.iter_mut().zip(&*sums).for_each(|(out, sum)| _ = out.write(*sum));
            }
        }
    }
}

per_isa! {
    /// One tile of rows, (k, MR), with one panel of weights, (k, PANEL).
    fn tile_product<const MR: usize>(tile: &[f32], weights: &[f32], sums: &mut [[f32; PANEL]; TILE]) = tile_product_body::<MR>
}

#[inline(always)]
fn tile_product_body<const MR: usize>(
    tile: &[f32],
    weights: &[f32],
    sums: &mut [[f32; PANEL]; TILE],
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
