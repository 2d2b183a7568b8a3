//! int8 matrix product: weights and activations in groups of [`GROUP`] along `k`, one scale each.
//!
//! Within a group the products are summed as integers, exactly; groups are summed in order in f32. The scales per group
//! keep outlier features (which these models have) from spoiling the resolution of the rest of a row.

use super::isa::{Isa, per_isa};
use super::matmul_f32::PANEL;
use std::ops::Range;

/// Elements along `k` that share a scale.
pub const GROUP: usize = 64;

/// Weights as 8-bit integers in panels of [`PANEL`] output features: (panels, k/2, PANEL, 2), padded with zeros to whole groups.
pub(super) struct Weights {
    values: Vec<i8>,
    /// (panels, groups, PANEL)
    scales: Vec<f32>,
    /// Groups along k.
    groups: usize,
}

/// Quantizes groups of up to [`GROUP`] values symmetrically: the largest magnitude of each becomes 127. `values` and `out` have the same
/// length; `scales` has one place a group.
fn quantize(values: &[f32], out: &mut [i16], scales: &mut [f32]) {
    quantize_isa(Isa::current(), values, out, scales);
}

per_isa! { fn quantize_isa(values: &[f32], out: &mut [i16], scales: &mut [f32]) = quantize_body }

#[inline(always)]
fn quantize_body(values: &[f32], out: &mut [i16], scales: &mut [f32]) {
    for ((group, out), scale) in values.chunks(GROUP).zip(out.chunks_mut(GROUP)).zip(scales) {
        const LANES: usize = 16;
        let mut lanes = [0.0f32; LANES];
        for chunk in group.chunks(LANES) {
            for (lane, v) in lanes.iter_mut().zip(chunk) {
                *lane = lane.max(v.abs());
            }
        }
        let largest = lanes.iter().fold(0.0f32, |m, &v| m.max(v));
        if largest == 0.0 || !largest.is_finite() {
            out.fill(0);
            *scale = 0.0;
            continue;
        }
        let inverse = 127.0 / largest;
        for (out, v) in out.iter_mut().zip(group) {
            *out = (v * inverse).round_ties_even() as i16;
        }
        *scale = largest / 127.0;
    }
}

impl Weights {
    /// Packs rows of `k` values each; `row(i, buffer)` fills in row `i`.
    pub(super) fn pack(n: usize, k: usize, mut row: impl FnMut(usize, &mut [f32])) -> Weights {
        let groups = k.div_ceil(GROUP);
        let panels = n.div_ceil(PANEL);
        let depth = groups * GROUP;
        let mut values = vec![0i8; panels * depth * PANEL];
        let mut scales = vec![0.0; panels * groups * PANEL];
        let mut buffer = vec![0.0; k];
        let (mut row_values, mut row_scales) = (vec![0i16; k], vec![0.0; groups]);
        for i in 0..n {
            row(i, &mut buffer);
            quantize(&buffer, &mut row_values, &mut row_scales);
            let (panel, lane) = (i / PANEL, i % PANEL);
            let values = &mut values[panel * depth * PANEL..];
            for (p, pair) in row_values.chunks(2).enumerate() {
                for (j, &v) in pair.iter().enumerate() {
                    values[(p * PANEL + lane) * 2 + j] = v as i8;
                }
            }
            for (g, &scale) in row_scales.iter().enumerate() {
                scales[(panel * groups + g) * PANEL + lane] = scale;
            }
        }
        Weights { values, scales, groups }
    }

    /// A range of panels.
    pub(super) fn panels(&self, panels: Range<usize>) -> Panels<'_> {
        let (depth, groups) = (self.groups * GROUP * PANEL, self.groups * PANEL);
        Panels {
            values: &self.values[panels.start * depth..panels.end * depth],
            scales: &self.scales[panels.start * groups..panels.end * groups],
            groups: self.groups,
        }
    }

    /// Row `i` as f32.
    pub(super) fn row(&self, i: usize, out: &mut [f32]) {
        let (panel, lane) = (i / PANEL, i % PANEL);
        let base = panel * self.groups * GROUP * PANEL;
        for (p, out) in out.iter_mut().enumerate() {
            let value = self.values[base + (p / 2) * PANEL * 2 + lane * 2 + p % 2];
            *out = f32::from(value) * self.scales[(panel * self.groups + p / GROUP) * PANEL + lane];
        }
    }
}

/// Some panels of [`Weights`].
pub(super) struct Panels<'a> {
    values: &'a [i8],
    scales: &'a [f32],
    groups: usize,
}

/// Rows of activations, quantized once for all their consumers. The 8-bit values are stored as i16, as the AVX2 kernel multiplies them.
#[derive(Default)]
pub(super) struct Activations {
    /// (rows, groups × GROUP)
    values: Vec<i16>,
    /// (rows, groups)
    scales: Vec<f32>,
}

impl Activations {
    pub(super) fn quantize(x: &[f32], k: usize) -> Activations {
        let groups = k.div_ceil(GROUP);
        let rows = x.len() / k;
        let mut values = vec![0i16; rows * groups * GROUP];
        let mut scales = vec![0.0; rows * groups];
        let rows_out = values.chunks_exact_mut(groups * GROUP).zip(scales.chunks_exact_mut(groups));
        for (row, (values, scales)) in x.chunks_exact(k).zip(rows_out) {
            quantize(row, &mut values[..k], scales);
        }
        Activations { values, scales }
    }
}

/// Most rows a tile has.
const TILE: usize = 12;

/// Rows a tile: 6 × 16 sums fill twelve of AVX2's sixteen registers, 12 × 16 sums twelve of AVX-512's thirty-two.
fn tile_rows(isa: Isa) -> usize {
    if isa == Isa::Avx512 { TILE } else { TILE / 2 }
}

/// Multiplies activations, (rows, k), with the weights of `n` features into `out`, (rows, n).
pub(super) fn matmul(isa: Isa, x: &Activations, weights: Panels<'_>, n: usize, out: &mut [f32]) {
    let groups = weights.groups;
    let depth = groups * GROUP;
    let rows = x.scales.len() / groups;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over it.
    let panels = weights.values.chunks_exact(depth * PANEL).zip(weights.scales.chunks_exact(groups * PANEL));
    for (panel, (values, scales)) in panels.enumerate() {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        for first in (0..rows).step_by(tile_rows(isa)) {
            let height = tile_rows(isa).min(rows - first);
            let xv = &x.values[first * depth..(first + height) * depth];
            let xs = &x.scales[first * groups..(first + height) * groups];
            let mut sums = [[0.0f32; PANEL]; TILE];
            tile(isa, xv, xs, values, scales, &mut sums[..height]);
            for (r, sums) in sums[..height].iter().enumerate() {
                out[(first + r) * n + column..][..width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

fn tile(isa: Isa, xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! by_rows {
            ($kernel:ident, $($rows:literal)*) => {
                // SAFETY: an `Isa` is only ever made after the CPU was found to have its features.
                match sums.len() { $($rows => return unsafe { x86::$kernel::<$rows>(xv, xs, wv, ws, sums) },)* _ => {} }
            };
        }
        match isa {
            Isa::Avx512 => by_rows!(tile_avx512, 1 2 3 4 5 6 7 8 9 10 11 12),
            Isa::Avx2 => by_rows!(tile_avx2, 1 2 3 4 5 6),
            Isa::Scalar => {}
        }
    }
    let _ = isa;
    scalar_tile(xv, xs, wv, ws, sums);
}

fn scalar_tile(xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    let groups = ws.len() / PANEL;
    for (r, sums) in sums.iter_mut().enumerate() {
        for g in 0..groups {
            let x = &xv[(r * groups + g) * GROUP..][..GROUP];
            let w = &wv[g * GROUP * PANEL..][..GROUP * PANEL];
            let mut products = [0i32; PANEL];
            for (x, w) in x.chunks_exact(2).zip(w.chunks_exact(2 * PANEL)) {
                for (sum, w) in products.iter_mut().zip(w.chunks_exact(2)) {
                    *sum += i32::from(x[0]) * i32::from(w[0]) + i32::from(x[1]) * i32::from(w[1]);
                }
            }
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = (products[lane] as f32).mul_add(xs[r * groups + g] * ws[g * PANEL + lane], *sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{GROUP, PANEL};
    use std::arch::x86_64::*;

    /// The same sums as `scalar_tile`, with VNNI's `vpdpwssd`: two products a lane, added up in one instruction.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn tile_avx512<const MR: usize>(xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
        let groups = ws.len() / PANEL;
        let depth = groups * GROUP;
        assert!(xv.len() == MR * depth && xs.len() == MR * groups && wv.len() == depth * PANEL && sums.len() == MR);
        let mut totals = [_mm512_setzero_ps(); MR];
        for g in 0..groups {
            let mut acc = [_mm512_setzero_si512(); MR];
            let w = wv[g * GROUP * PANEL..][..GROUP * PANEL].as_ptr();
            let x = xv.as_ptr().wrapping_add(g * GROUP);
            for p in 0..GROUP / 2 {
                // SAFETY: the assertion above bounds both; a pair of weights is 2 × PANEL bytes, a pair of activations 4 bytes,
                // and unaligned loads are used throughout.
                unsafe {
                    let w = _mm512_cvtepi8_epi16(_mm256_loadu_si256(w.add(p * 2 * PANEL).cast()));
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let pair = _mm512_set1_epi32(x.add(r * depth + 2 * p).cast::<i32>().read_unaligned());
                        *acc = _mm512_dpwssd_epi32(*acc, pair, w);
                    }
                }
            }
            // SAFETY: PANEL is 16 floats.
            let scales = unsafe { _mm512_loadu_ps(ws[g * PANEL..][..PANEL].as_ptr()) };
            for (r, (total, acc)) in totals.iter_mut().zip(acc).enumerate() {
                let scale = _mm512_mul_ps(_mm512_set1_ps(xs[r * groups + g]), scales);
                *total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc), scale, *total);
            }
        }
        for (sum, total) in sums.iter_mut().zip(totals) {
            // SAFETY: `sum` is PANEL floats.
            unsafe { _mm512_storeu_ps(sum.as_mut_ptr(), total) };
        }
    }

    /// The same sums as `scalar_tile`, with `vpmaddwd`: two products a lane, no saturation.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn tile_avx2<const MR: usize>(xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
        let groups = ws.len() / PANEL;
        let depth = groups * GROUP;
        assert!(xv.len() == MR * depth && xs.len() == MR * groups && wv.len() == depth * PANEL && sums.len() == MR);
        for g in 0..groups {
            let mut acc = [[_mm256_setzero_si256(); 2]; MR];
            let w = wv[g * GROUP * PANEL..][..GROUP * PANEL].as_ptr();
            let x = xv.as_ptr().wrapping_add(g * GROUP);
            for p in 0..GROUP / 2 {
                // SAFETY: the assertion above bounds both; a pair of weights is 2 × PANEL bytes, a pair of activations 4 bytes,
                // and unaligned loads are used throughout.
                unsafe {
                    let w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(p * 2 * PANEL).cast()));
                    let w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(p * 2 * PANEL + PANEL).cast()));
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let pair = _mm256_set1_epi32(x.add(r * depth + 2 * p).cast::<i32>().read_unaligned());
                        acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(pair, w0));
                        acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(pair, w1));
                    }
                }
            }
            let scales = &ws[g * PANEL..][..PANEL];
            // SAFETY: PANEL is 16 floats: two unaligned loads of 8.
            let (s0, s1) = unsafe { (_mm256_loadu_ps(scales.as_ptr()), _mm256_loadu_ps(scales.as_ptr().add(8))) };
            for (r, acc) in acc.iter().enumerate() {
                let xs = _mm256_set1_ps(xs[r * groups + g]);
                let sum = sums[r].as_mut_ptr();
                // SAFETY: as above; `sums[r]` is PANEL floats.
                unsafe {
                    let f0 = _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc[0]), _mm256_mul_ps(xs, s0), _mm256_loadu_ps(sum));
                    let f1 = _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc[1]), _mm256_mul_ps(xs, s1), _mm256_loadu_ps(sum.add(8)));
                    _mm256_storeu_ps(sum, f0);
                    _mm256_storeu_ps(sum.add(8), f1);
                }
            }
        }
    }
}
