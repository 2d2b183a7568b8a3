//! int8 matrix product: weights and activations in groups of [`GROUP`] along `k`, one scale each.
//!
//! Within a group the products are summed as integers, exactly; groups are summed in order in f32. The scales per group
//! keep outlier features (which these models have) from spoiling the resolution of the rest of a row.

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

/// Quantizes one group symmetrically: the largest magnitude becomes 127. Returns the scale.
fn quantize_group(values: &[f32], mut put: impl FnMut(usize, i8)) -> f32 {
    let largest = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        (0..values.len()).for_each(|i| put(i, 0));
        return 0.0;
    }
    let inverse = 127.0 / largest;
    for (i, v) in values.iter().enumerate() {
        put(i, (v * inverse).round_ties_even() as i8);
    }
    largest / 127.0
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
        for i in 0..n {
            row(i, &mut buffer);
            let (panel, lane) = (i / PANEL, i % PANEL);
            let base = panel * depth * PANEL;
            for (g, group) in buffer.chunks(GROUP).enumerate() {
                scales[(panel * groups + g) * PANEL + lane] = quantize_group(group, |j, v| {
                    let p = g * GROUP + j;
                    values[base + (p / 2) * PANEL * 2 + lane * 2 + p % 2] = v;
                });
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
        for (r, row) in x.chunks_exact(k).enumerate() {
            for (g, group) in row.chunks(GROUP).enumerate() {
                let out = &mut values[(r * groups + g) * GROUP..][..group.len()];
                scales[r * groups + g] = quantize_group(group, |j, v| out[j] = i16::from(v));
            }
        }
        Activations { values, scales }
    }
}

/// Rows a tile: 6 × 16 sums fill twelve of AVX2's sixteen registers.
const TILE: usize = 6;

/// Multiplies activations, (rows, k), with the weights of `n` features into `out`, (rows, n).
pub(super) fn matmul(isa: super::Isa, x: &Activations, weights: Panels<'_>, n: usize, out: &mut [f32]) {
    let groups = weights.groups;
    let depth = groups * GROUP;
    let rows = x.scales.len() / groups;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over it.
    let panels = weights.values.chunks_exact(depth * PANEL).zip(weights.scales.chunks_exact(groups * PANEL));
    for (panel, (values, scales)) in panels.enumerate() {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        for first in (0..rows).step_by(TILE) {
            let height = TILE.min(rows - first);
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

fn tile(isa: super::Isa, xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    #[cfg(target_arch = "x86_64")]
    if isa == super::Isa::Avx2 {
        // SAFETY: `Isa::Avx2` is only ever made after the CPU was found to have AVX2 and FMA.
        unsafe {
            match sums.len() {
                6 => avx2::tile::<6>(xv, xs, wv, ws, sums),
                5 => avx2::tile::<5>(xv, xs, wv, ws, sums),
                4 => avx2::tile::<4>(xv, xs, wv, ws, sums),
                3 => avx2::tile::<3>(xv, xs, wv, ws, sums),
                2 => avx2::tile::<2>(xv, xs, wv, ws, sums),
                _ => avx2::tile::<1>(xv, xs, wv, ws, sums),
            }
        }
        return;
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
mod avx2 {
    use super::{GROUP, PANEL};
    use std::arch::x86_64::*;

    /// The same sums as `scalar_tile`, with `vpmaddwd`: two products a lane, no saturation.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn tile<const MR: usize>(xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
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
                    for r in 0..MR {
                        let pair = _mm256_set1_epi32(x.add(r * depth + 2 * p).cast::<i32>().read_unaligned());
                        acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(pair, w0));
                        acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(pair, w1));
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
