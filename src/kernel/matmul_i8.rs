//! int8 matrix product: weights and activations in groups of [`GROUP`] along `k`, one scale each.
//!
//! Within a group the products are summed as integers, exactly; groups are summed in order in f32. The scales per group
//! keep outlier features (which these models have) from spoiling the resolution of the rest of a row.

use super::isa::{Isa, per_isa};
use super::matmul_f32::PANEL;
use std::ops::Range;

/// Elements along `k` that share a scale.
pub const GROUP: usize = 64;

/// Values along `k` that stand together in a panel, as the instruction set multiplies them: AVX-512's `vpdpbusd` four at a time, others two.
fn step(isa: Isa) -> usize {
    if isa == Isa::Avx512 { 4 } else { 2 }
}

/// What is added to activations where the instruction set wants them without a sign.
const OFFSET: i16 = 128;

/// Weights as 8-bit integers in panels of [`PANEL`] output features: (panels, k/step, PANEL, step), padded with zeros to whole groups.
pub(super) struct Weights {
    isa: Isa,
    values: Vec<i8>,
    /// What [`OFFSET`] adds to each sum, with the sign turned: (panels, groups, PANEL). Empty where there is no offset.
    corrections: Vec<i32>,
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
per_isa! { fn quantize_offset_isa(values: &[f32], out: &mut [u8], scales: &mut [f32]) = quantize_offset_body }

#[inline(always)]
fn quantize_body(values: &[f32], out: &mut [i16], scales: &mut [f32]) {
    for ((group, out), scale) in values.chunks(GROUP).zip(out.chunks_mut(GROUP)).zip(scales) {
        let inverse = group_scale(group, scale);
        out.iter_mut().zip(group).for_each(|(out, v)| *out = whole(*v, inverse) as i16);
    }
}

/// The same with [`OFFSET`] added.
#[inline(always)]
fn quantize_offset_body(values: &[f32], out: &mut [u8], scales: &mut [f32]) {
    for ((group, out), scale) in values.chunks(GROUP).zip(out.chunks_mut(GROUP)).zip(scales) {
        let inverse = group_scale(group, scale);
        out.iter_mut().zip(group).for_each(|(out, v)| *out = (whole(*v, inverse) + i32::from(OFFSET)) as u8);
    }
}

/// Sets the scale of a group, and returns what its values are multiplied with: zero for a group of zeros, or one that is no numbers.
#[inline(always)]
fn group_scale(group: &[f32], scale: &mut f32) -> f32 {
    const LANES: usize = 16;
    let (blocks, rest) = group.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, v)| *lane = lane.max(v.abs()));
    }
    let largest = lanes.iter().copied().chain(rest.iter().map(|v| v.abs())).fold(0.0f32, f32::max);
    let sound = largest > 0.0 && largest.is_finite();
    *scale = if sound { largest / 127.0 } else { 0.0 };
    if sound { 127.0 / largest } else { 0.0 }
}

/// The nearest integer to a value times `inverse`, ties to even. Adding and taking away 1.5 · 2²³ rounds without a call.
#[inline(always)]
fn whole(value: f32, inverse: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    (value * inverse + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}

impl Weights {
    /// Packs rows of `k` values each for an instruction set; `row(i, buffer)` fills in row `i`.
    pub(super) fn pack(isa: Isa, n: usize, k: usize, mut row: impl FnMut(usize, &mut [f32])) -> Weights {
        let step = step(isa);
        let groups = k.div_ceil(GROUP);
        let panels = n.div_ceil(PANEL);
        let depth = groups * GROUP;
        let mut values = vec![0i8; panels * depth * PANEL];
        let mut scales = vec![0.0; panels * groups * PANEL];
        let mut corrections = vec![0i32; if step == 4 { scales.len() } else { 0 }];
        let mut buffer = vec![0.0; k];
        let (mut row_values, mut row_scales) = (vec![0i16; k], vec![0.0; groups]);
        for i in 0..n {
            row(i, &mut buffer);
            quantize(&buffer, &mut row_values, &mut row_scales);
            let (panel, lane) = (i / PANEL, i % PANEL);
            let values = &mut values[panel * depth * PANEL..];
            for (p, few) in row_values.chunks(step).enumerate() {
                for (j, &v) in few.iter().enumerate() {
                    values[(p * PANEL + lane) * step + j] = v as i8;
                }
            }
            if step == 4 {
                for (g, group) in row_values.chunks(GROUP).enumerate() {
                    let sum: i32 = group.iter().map(|&v| i32::from(v)).sum();
                    corrections[(panel * groups + g) * PANEL + lane] = -i32::from(OFFSET) * sum;
                }
            }
            for (g, &scale) in row_scales.iter().enumerate() {
                scales[(panel * groups + g) * PANEL + lane] = scale;
            }
        }
        Weights { isa, values, corrections, scales, groups }
    }

    /// The instruction set that they were packed for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// A range of panels.
    pub(super) fn panels(&self, panels: Range<usize>) -> Panels<'_> {
        let (depth, groups) = (self.groups * GROUP * PANEL, self.groups * PANEL);
        Panels {
            values: &self.values[panels.start * depth..panels.end * depth],
            scales: &self.scales[panels.start * groups..panels.end * groups],
            corrections: if self.corrections.is_empty() { &[] } else { &self.corrections[panels.start * groups..panels.end * groups] },
            groups: self.groups,
            isa: self.isa,
        }
    }

    /// Row `i` as f32.
    pub(super) fn row(&self, i: usize, out: &mut [f32]) {
        let (panel, lane, step) = (i / PANEL, i % PANEL, step(self.isa));
        let base = panel * self.groups * GROUP * PANEL;
        for (p, out) in out.iter_mut().enumerate() {
            let value = self.values[base + (p / step * PANEL + lane) * step + p % step];
            *out = f32::from(value) * self.scales[(panel * self.groups + p / GROUP) * PANEL + lane];
        }
    }
}

/// Some panels of [`Weights`].
pub(super) struct Panels<'a> {
    isa: Isa,
    values: &'a [i8],
    scales: &'a [f32],
    corrections: &'a [i32],
    groups: usize,
}

/// Rows of activations, quantized once for all their consumers.
pub(super) struct Activations {
    values: Values,
    /// (rows, groups)
    scales: Vec<f32>,
}

/// 8-bit values as the instruction set multiplies them, (rows, groups × GROUP).
enum Values {
    /// As 16-bit integers.
    Wide(Vec<i16>),
    /// Without a sign: [`OFFSET`] is added.
    Offset(Vec<u8>),
}

impl Activations {
    pub(super) fn quantize(isa: Isa, x: &[f32], k: usize) -> Activations {
        let groups = k.div_ceil(GROUP);
        let depth = groups * GROUP;
        let rows = x.len() / k;
        let mut scales = vec![0.0; rows * groups];
        let lines = x.chunks_exact(k).zip(scales.chunks_exact_mut(groups));
        let values = if step(isa) == 4 {
            let mut values = vec![OFFSET as u8; rows * depth];
            for ((row, scales), values) in lines.zip(values.chunks_exact_mut(depth)) {
                quantize_offset_isa(isa, row, &mut values[..k], scales);
            }
            Values::Offset(values)
        } else {
            let mut values = vec![0i16; rows * depth];
            for ((row, scales), values) in lines.zip(values.chunks_exact_mut(depth)) {
                quantize(row, &mut values[..k], scales);
            }
            Values::Wide(values)
        };
        Activations { values, scales }
    }
}

/// Most rows a tile has.
const TILE: usize = 12;

/// Rows a tile: 6 × 16 sums fill twelve of AVX2's sixteen registers, 12 × 16 sums twelve of AVX-512's thirty-two.
fn tile_rows(isa: Isa) -> usize {
    if isa == Isa::Avx512 { TILE } else { TILE / 2 }
}

/// Multiplies activations, (rows, k), with the weights of `n` features into `out`, (rows, n). Both are made for the same instruction set.
pub(super) fn matmul(x: &Activations, weights: Panels<'_>, n: usize, out: &mut [f32]) {
    let (isa, groups) = (weights.isa, weights.groups);
    let depth = groups * GROUP;
    let rows = x.scales.len() / groups;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over it.
    let panels = weights.values.chunks_exact(depth * PANEL).zip(weights.scales.chunks_exact(groups * PANEL));
    for (panel, (values, scales)) in panels.enumerate() {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        let corrections = weights.corrections.get(panel * groups * PANEL..(panel + 1) * groups * PANEL).unwrap_or_default();
        for first in (0..rows).step_by(tile_rows(isa)) {
            let height = tile_rows(isa).min(rows - first);
            let xs = &x.scales[first * groups..(first + height) * groups];
            let span = first * depth..(first + height) * depth;
            let mut sums = [[0.0f32; PANEL]; TILE];
            match &x.values {
                Values::Wide(xv) => tile(isa, &xv[span], xs, values, scales, &mut sums[..height]),
                Values::Offset(xv) => offset_tile(isa, &xv[span], xs, values, scales, corrections, &mut sums[..height]),
            }
            for (r, sums) in sums[..height].iter().enumerate() {
                out[(first + r) * n + column..][..width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! by_rows {
    ($kernel:ident, $arguments:tt, $sums:ident, $($rows:literal)*) => {
        // SAFETY: an `Isa` is only ever made after the CPU was found to have its features.
        match $sums.len() { $($rows => return unsafe { x86::$kernel::<$rows> $arguments },)* _ => {} }
    };
}

fn tile(isa: Isa, xv: &[i16], xs: &[f32], wv: &[i8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx2 {
        by_rows!(tile_avx2, (xv, xs, wv, ws, sums), sums, 1 2 3 4 5 6);
    }
    assert!(isa == Isa::Scalar, "packed for {}", isa.name());
    scalar_tile(xv, xs, wv, ws, sums);
}

/// The same with activations that have an offset, and what takes it out of the sums again.
fn offset_tile(isa: Isa, xv: &[u8], xs: &[f32], wv: &[i8], ws: &[f32], corrections: &[i32], sums: &mut [[f32; PANEL]]) {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 {
        by_rows!(tile_avx512, (xv, xs, wv, ws, corrections, sums), sums, 1 2 3 4 5 6 7 8 9 10 11 12);
    }
    let _ = (xv, xs, wv, ws, corrections, sums);
    unreachable!("only AVX-512 has activations with an offset");
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

    /// The same sums as `scalar_tile`, with VNNI's `vpdpbusd`: four products a lane, added up in one instruction. The activations are `u8`, larger by
    /// the offset than what they stand for; `corrections` is where the sums begin, so that they come out the same.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn tile_avx512<const MR: usize>(
        xv: &[u8],
        xs: &[f32],
        wv: &[i8],
        ws: &[f32],
        corrections: &[i32],
        sums: &mut [[f32; PANEL]],
    ) {
        let groups = ws.len() / PANEL;
        let depth = groups * GROUP;
        assert!(xv.len() == MR * depth && xs.len() == MR * groups && wv.len() == depth * PANEL && sums.len() == MR);
        assert!(corrections.len() == ws.len());
        let mut totals = [_mm512_setzero_ps(); MR];
        for g in 0..groups {
            // SAFETY: PANEL is 16 integers.
            let start = unsafe { _mm512_loadu_si512(corrections[g * PANEL..][..PANEL].as_ptr().cast()) };
            let mut acc = [start; MR];
            let w = wv[g * GROUP * PANEL..][..GROUP * PANEL].as_ptr();
            let x = xv.as_ptr().wrapping_add(g * GROUP);
            for p in 0..GROUP / 4 {
                // SAFETY: the assertion above bounds both; four weights a lane are 64 bytes, four activations 4 bytes, and unaligned
                // loads are used throughout.
                unsafe {
                    let w = _mm512_loadu_si512(w.add(p * 4 * PANEL).cast());
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let four = _mm512_set1_epi32(x.add(r * depth + 4 * p).cast::<i32>().read_unaligned());
                        *acc = _mm512_dpbusd_epi32(*acc, four, w);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers over many orders of magnitude, with both signs, zeros and repeats of the extremes.
    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let number = |bits: u32, size: u32| match size % 8 {
            0 => 0.0,
            1 => 127.0,
            2 => -127.0,
            size => (bits as f32 / 1_073_741_824.0 - 1.0) * 10f32.powi(size as i32 - 5),
        };
        (0..n).map(|_| number(next(), next())).collect()
    }

    fn product(isa: Isa, x: &[f32], w: &[f32], n: usize, k: usize) -> Vec<f32> {
        let weights = Weights::pack(isa, n, k, |i, row| row.copy_from_slice(&w[i * k..(i + 1) * k]));
        let mut out = vec![f32::NAN; x.len() / k * n];
        matmul(&Activations::quantize(isa, x, k), weights.panels(0..n.div_ceil(PANEL)), n, &mut out);
        out
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_and_they_are_right() {
        for (rows, n, k) in [(1, 1, 1), (1, 16, 64), (5, 17, 63), (7, 33, 65), (12, 48, 128), (13, 40, 200), (25, 16, 1000)] {
            let (x, w) = (numbers(rows * k, 1), numbers(n * k, 2));
            let expected = product(Isa::Scalar, &x, &w, n, k);
            for isa in Isa::available() {
                assert_eq!(product(isa, &x, &w, n, k), expected, "{}, {rows} × {n} × {k}", isa.name());
            }
            // By the definition: quantized groups, exact sums, scales.
            for (r, x) in x.chunks_exact(k).enumerate() {
                for (c, w) in w.chunks_exact(k).enumerate() {
                    let group = |(x, w): (&[f32], &[f32])| {
                        let scale = |v: &[f32]| f64::from(v.iter().fold(0.0f32, |m, v| m.max(v.abs()))) / 127.0;
                        let (sx, sw) = (scale(x), scale(w));
                        let whole = |v: f32, s: f64| if s == 0.0 { 0.0 } else { (f64::from(v) / s).round_ties_even() };
                        x.iter().zip(w).map(|(&x, &w)| whole(x, sx) * whole(w, sw)).sum::<f64>() * sx * sw
                    };
                    let want: f64 = x.chunks(GROUP).zip(w.chunks(GROUP)).map(group).sum();
                    let got = f64::from(expected[r * n + c]);
                    let size: f64 = x.iter().zip(w).map(|(x, w)| f64::from((x * w).abs())).sum();
                    // A value halfway between two integers may be rounded either way.
                    assert!((got - want).abs() <= 0.02 * size + 1e-6, "{got} for {want}");
                }
            }
        }
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let k = 64 * 40;
        let ones = vec![1.0f32; k];
        for isa in Isa::available() {
            let out = product(isa, &ones, &ones, 1, k);
            assert!((out[0] - k as f32).abs() < 0.01, "{}: {}", isa.name(), out[0]);
        }
    }

    #[test]
    fn rows_come_back() {
        let (n, k) = (19, 130);
        let w = numbers(n * k, 7);
        for isa in Isa::available() {
            let weights = Weights::pack(isa, n, k, |i, row| row.copy_from_slice(&w[i * k..(i + 1) * k]));
            let mut row = vec![0.0; k];
            for i in 0..n {
                weights.row(i, &mut row);
                for (group, back) in w[i * k..(i + 1) * k].chunks(GROUP).zip(row.chunks(GROUP)) {
                    let largest = group.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                    assert!(group.iter().zip(back).all(|(a, b)| (a - b).abs() <= largest / 253.0));
                }
            }
        }
    }
}
