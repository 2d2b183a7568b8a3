//! int8 matrix product: weights and activations in groups of [`GROUP`] along `k`, one scale each.
//!
//! Within a group the products are summed as integers, exactly; groups are summed in order in f32.
//! The scales per group keep outlier features (which these models have) from spoiling the
//! resolution of the rest of a row: with one scale for a whole row of weights the product is 4%
//! faster, and the smallest models lose two points of chrF in the languages that they know least.

use super::aligned::Aligned;
use super::dots::{self, Panel, Rows};
use super::isa::{Isa, per_isa};
use super::packed::Target;
use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Elements along `k` that share a scale.
pub const GROUP: usize = 64;

/// Output features a panel: half of them with 6 rows, the sums of a group and those of all before
/// it take 24 of AVX-512's 32 registers.
pub(super) const PANEL: usize = 64;

/// Rows a tile, at most.
const TILE: usize = 6;

/// Rows a tile of an instruction set, at most: with six, NEON's registers would not hold the sums
/// and what is multiplied.
fn height(isa: Isa) -> usize {
    if isa == Isa::Neon { 5 } else { TILE }
}

/// Values along `k` that stand together in a panel, as the instruction set multiplies them: bytes
/// four at a time, words two.
fn step(isa: Isa) -> usize {
    match isa {
        Isa::AvxVnni | Isa::Avx512 | Isa::Neon => 4,
        Isa::Scalar | Isa::Avx2 => 2,
    }
}

/// What is added to weights: VNNI wants them without a sign.
fn offset(isa: Isa) -> u8 {
    if matches!(isa, Isa::AvxVnni | Isa::Avx512) { 128 } else { 0 }
}

/// Weights as 8-bit integers in panels of [`PANEL`] output features: (panels, k/step, PANEL, step),
/// padded to whole groups and panels.
pub(super) struct Weights {
    isa: Isa,
    /// The bits of signed integers, plus the [`offset`].
    values: Aligned<u8>,
    /// (panels, groups, PANEL)
    scales: Aligned<f32>,
    /// Groups along k.
    groups: usize,
}

impl Weights {
    /// Zeros, for [`Block::fill`] to write over.
    pub(super) fn zeros(isa: Isa, n: usize, k: usize) -> Weights {
        let (groups, panels) = (k.div_ceil(GROUP), n.div_ceil(PANEL));
        Weights {
            isa,
            values: Aligned::lasting(panels * groups * GROUP * PANEL),
            scales: Aligned::lasting(panels * groups * PANEL),
            groups,
        }
    }

    /// Blocks of so many rows, whole panels, that can be filled side by side; the last one may be
    /// smaller.
    pub(super) fn blocks(&mut self, rows: usize) -> impl IndexedParallelIterator<Item = Block<'_>> {
        let Weights { isa, values, scales, groups } = self;
        let (isa, groups, panels) = (*isa, *groups, rows / PANEL);
        let values = values.par_chunks_mut(panels * groups * GROUP * PANEL);
        values
            .zip(scales.par_chunks_mut(panels * groups * PANEL))
            .map(move |(values, scales)| Block { isa, values, scales, groups })
    }

    /// The instruction set that they were packed for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// A range of panels.
    pub(super) fn panels(&self, panels: Range<usize>) -> Panels<'_> {
        let size = self.groups * GROUP * PANEL;
        Panels {
            values: &self.values[panels.start * size..],
            scales: &self.scales
                [panels.start * self.groups * PANEL..panels.end * self.groups * PANEL],
            groups: self.groups,
            isa: self.isa,
        }
    }

    /// Some of the rows, in the order given, as they are.
    pub(super) fn select(&self, rows: &[u32]) -> Weights {
        let (step, size) = (step(self.isa), self.groups * GROUP * PANEL);
        let mut selected = Weights::zeros(self.isa, rows.len(), self.groups * GROUP);
        selected.blocks(PANEL).zip(rows.par_chunks(PANEL)).for_each(|(block, rows)| {
            for (target, &from) in rows.iter().enumerate() {
                let (from, source) = (from as usize / PANEL, from as usize % PANEL);
                let lines = self.values[from * size..][..size].chunks_exact(step * PANEL);
                for (held, line) in block.values.chunks_exact_mut(step * PANEL).zip(lines) {
                    held[target * step..][..step].copy_from_slice(&line[source * step..][..step]);
                }
                for g in 0..self.groups {
                    block.scales[g * PANEL + target] =
                        self.scales[(from * self.groups + g) * PANEL + source];
                }
            }
        });
        selected
    }

    /// Row `i` as f32.
    pub(super) fn row(&self, i: usize, out: &mut [f32]) {
        let (panel, lane, step) = (i / PANEL, i % PANEL, step(self.isa));
        let offset = offset(self.isa);
        let values = &self.values[panel * self.groups * GROUP * PANEL..];
        let scales = &self.scales[panel * self.groups * PANEL..];
        for (p, (few, line)) in
            out.chunks_mut(step).zip(values.chunks_exact(step * PANEL)).enumerate()
        {
            let scale = scales[p * step / GROUP * PANEL + lane];
            for (out, v) in few.iter_mut().zip(&line[lane * step..][..step]) {
                *out = f32::from(v.wrapping_sub(offset) as i8) * scale;
            }
        }
    }
}

/// Some panels of [`Weights`] that are being packed.
pub(super) struct Block<'a> {
    isa: Isa,
    values: &'a mut [u8],
    scales: &'a mut [f32],
    groups: usize,
}

impl Block<'_> {
    /// Packs rows of `k` values each. The largest magnitude of a group becomes 127.
    pub(super) fn fill(&mut self, rows: &[f32], k: usize) {
        match step(self.isa) {
            4 => self.fill_in_steps::<4>(rows, k),
            _ => self.fill_in_steps::<2>(rows, k),
        }
    }

    fn fill_in_steps<const STEP: usize>(&mut self, rows: &[f32], k: usize) {
        let groups = self.groups;
        let depth = groups * GROUP;
        let (mut whole, mut bytes, mut row_scales) =
            (vec![0i16; depth], vec![0; depth], vec![0.0; groups]);
        let offset = offset(self.isa);
        for (i, row) in rows.chunks_exact(k).enumerate() {
            quantize_wide(Isa::current(), row, &mut whole, &mut row_scales);
            let (panel, lane) = (i / PANEL, i % PANEL);
            let values = &mut self.values[panel * depth * PANEL..][..depth * PANEL];
            bytes
                .iter_mut()
                .zip(&whole)
                .for_each(|(byte, &v)| *byte = (v as u8).wrapping_add(offset));
            for (few, line) in
                bytes.as_chunks::<STEP>().0.iter().zip(values.chunks_exact_mut(STEP * PANEL))
            {
                line.as_chunks_mut().0[lane] = *few;
            }
            for (g, &scale) in row_scales.iter().enumerate() {
                self.scales[(panel * groups + g) * PANEL + lane] = scale;
            }
        }
    }
}

/// Some panels of [`Weights`].
pub(super) struct Panels<'a> {
    isa: Isa,
    /// From the first of them to the end of the matrix.
    values: &'a [u8],
    scales: &'a [f32],
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
    /// As 8-bit integers, and where the sums of their products with weights begin, (rows, groups),
    /// so that they come out without the offset.
    Narrow(Aligned<i8>, Vec<i32>),
}

impl Activations {
    /// Quantizes groups of up to [`GROUP`] values symmetrically: the largest magnitude of each
    /// becomes 127.
    pub(super) fn quantize(isa: Isa, x: &[f32], k: usize) -> Activations {
        let groups = k.div_ceil(GROUP);
        let depth = groups * GROUP;
        let rows = x.len() / k;
        let mut scales = vec![0.0; rows * groups];
        let lines = x.chunks_exact(k).zip(scales.chunks_exact_mut(groups));
        let values = if step(isa) == 4 {
            let (mut values, mut starts) =
                (Aligned::zeros(rows * depth), vec![0i32; rows * groups]);
            for (((row, scales), values), starts) in
                lines.zip(values.chunks_exact_mut(depth)).zip(starts.chunks_exact_mut(groups))
            {
                quantize_narrow(isa, row, values, scales, starts, offset(isa).into());
            }
            Values::Narrow(values, starts)
        } else {
            let mut values = vec![0i16; rows * depth];
            for ((row, scales), values) in lines.zip(values.chunks_exact_mut(depth)) {
                quantize_wide(isa, row, values, scales);
            }
            Values::Wide(values)
        };
        Activations { values, scales }
    }
}

per_isa! { fn quantize_wide(row: &[f32], out: &mut [i16], scales: &mut [f32]) = quantize_wide_body }
per_isa! { fn quantize_narrow(row: &[f32], out: &mut [i8], scales: &mut [f32], starts: &mut [i32], offset: i32) = quantize_narrow_body }

#[inline(always)]
fn quantize_wide_body(row: &[f32], out: &mut [i16], scales: &mut [f32]) {
    for ((group, out), held) in row.chunks(GROUP).zip(out.chunks_exact_mut(GROUP)).zip(scales) {
        let (scale, inverse) = scale(largest(group));
        *held = scale;
        out.iter_mut().zip(group).for_each(|(out, v)| *out = whole(*v, inverse) as i16);
    }
}

#[inline(always)]
fn quantize_narrow_body(
    row: &[f32],
    out: &mut [i8],
    scales: &mut [f32],
    starts: &mut [i32],
    offset: i32,
) {
    for (((group, out), held), start) in
        row.chunks(GROUP).zip(out.chunks_exact_mut(GROUP)).zip(scales).zip(starts)
    {
        let (scale, inverse) = scale(largest(group));
        *held = scale;
        let mut sum = 0;
        // A whole group has a length that the compiler knows.
        if let Ok(group) = <&[f32; GROUP]>::try_from(group) {
            for (out, v) in out.iter_mut().zip(group) {
                *out = whole(*v, inverse) as i8;
                sum += i32::from(*out);
            }
        } else {
            for (out, v) in out.iter_mut().zip(group) {
                *out = whole(*v, inverse) as i8;
                sum += i32::from(*out);
            }
        }
        *start = -offset * sum;
    }
}

/// The largest magnitude.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for block in blocks {
        // Not `f32::max`, whose care about what is no number costs as much again. Infinities are
        // kept, and what is no number is not.
        lanes
            .iter_mut()
            .zip(block)
            .for_each(|(lane, v)| *lane = if v.abs() > *lane { v.abs() } else { *lane });
    }
    lanes
        .iter()
        .copied()
        .chain(rest.iter().map(|v| v.abs()))
        .fold(0.0f32, |a, b| if b > a { b } else { a })
}

/// The scale of values with this largest magnitude, and what they are multiplied with: zero where
/// all are zero, or one is infinite.
#[inline(always)]
fn scale(largest: f32) -> (f32, f32) {
    let sound = largest > 0.0 && largest.is_finite();
    if sound { (largest / 127.0, 127.0 / largest) } else { (0.0, 0.0) }
}

/// The nearest integer to a value times `inverse`, ties to even. Adding and taking away 1.5 · 2²³
/// rounds without a call.
#[inline(always)]
fn whole(value: f32, inverse: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    (value * inverse + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}

/// Multiplies activations, (rows, k), with the weights of `n` features, adds the features' bias if
/// there is one, and writes (rows, n). Both are made for the same instruction set.
pub(super) fn matmul(
    x: &Activations,
    weights: Panels<'_>,
    n: usize,
    bias: Option<&[f32]>,
    target: Target<'_>,
) {
    let (isa, groups) = (weights.isa, weights.groups);
    let Target { out, stride } = target;
    let depth = groups * GROUP;
    let rows = x.scales.len() / groups;
    // Tiles of nearly the same height.
    let tiles = rows.div_ceil(height(isa));
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over
    // it.
    for (panel, (values, scales)) in weights
        .values
        .chunks_exact(depth * PANEL)
        .zip(weights.scales.chunks_exact(groups * PANEL))
        .enumerate()
    {
        let column = panel * PANEL;
        let width = PANEL.min(n - column);
        let bias = bias.map(|bias| &bias[column..column + width]);
        for tile in 0..tiles {
            let (first, end) = (tile * rows / tiles, (tile + 1) * rows / tiles);
            let xs = &x.scales[first * groups..end * groups];
            let span = first * depth..end * depth;
            let out = &mut out[first * stride + column..(end - 1) * stride + column + width];
            let epilogue = Epilogue { bias, out, stride, width };
            // The next panel comes from memory while the first rows are at work on this one.
            let ahead = if tile == 0 {
                weights.values.get((panel + 1) * depth * PANEL..).unwrap_or(values)
            } else {
                values
            };
            match &x.values {
                Values::Wide(xv) => {
                    let mut sums = [[0.0f32; PANEL]; TILE];
                    wide_tile(isa, &xv[span], xs, values, scales, &mut sums[..end - first]);
                    finish(isa, &sums[..end - first], epilogue);
                }
                Values::Narrow(xv, starts) => {
                    let rows = Rows {
                        values: &xv[span],
                        scales: xs,
                        starts: &starts[first * groups..end * groups],
                    };
                    dots::multiply(
                        isa,
                        end - first,
                        rows,
                        Panel { values, scales, ahead },
                        epilogue,
                    );
                }
            }
        }
    }
}

/// What becomes of a tile's sums: they get their features' bias, and go to their places.
pub(super) struct Epilogue<'a> {
    pub bias: Option<&'a [f32]>,
    /// From the first row's first place to the last row's last one.
    pub out: &'a mut [MaybeUninit<f32>],
    pub stride: usize,
    /// Features, of the panel's, that there are.
    pub width: usize,
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

/// The product of a few rows, (rows, k), with a panel.
fn wide_tile(isa: Isa, xv: &[i16], xs: &[f32], wv: &[u8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx2 {
        return dots::by_rows!(sums.len(), x86::tile_avx2(xv, xs, wv, ws, sums));
    }
    assert!(isa == Isa::Scalar, "packed for {}", isa.name());
    scalar_tile(xv, xs, wv, ws, sums);
}

fn scalar_tile(xv: &[i16], xs: &[f32], wv: &[u8], ws: &[f32], sums: &mut [[f32; PANEL]]) {
    let groups = xs.len() / sums.len();
    for (r, sums) in sums.iter_mut().enumerate() {
        for g in 0..groups {
            let x = &xv[(r * groups + g) * GROUP..][..GROUP];
            let w = &wv[g * GROUP * PANEL..][..GROUP * PANEL];
            let mut products = [0i32; PANEL];
            for (x, w) in x.chunks_exact(2).zip(w.chunks_exact(2 * PANEL)) {
                for (sum, w) in products.iter_mut().zip(w.chunks_exact(2)) {
                    *sum += i32::from(x[0]) * i32::from(w[0] as i8)
                        + i32::from(x[1]) * i32::from(w[1] as i8);
                }
            }
            for ((product, scale), sum) in
                products.iter().zip(&ws[g * PANEL..]).zip(sums.iter_mut())
            {
                *sum = (*product as f32).mul_add(xs[r * groups + g] * scale, *sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{GROUP, PANEL};
    use std::arch::x86_64::*;

    /// The same sums as `scalar_tile`, with `vpmaddwd`: two products a lane, no saturation.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn tile_avx2<const MR: usize>(
        xv: &[i16],
        xs: &[f32],
        wv: &[u8],
        ws: &[f32],
        sums: &mut [[f32; PANEL]],
    ) {
        let groups = xs.len() / MR;
        let depth = groups * GROUP;
        assert!(
            xv.len() == MR * depth
                && wv.len() == depth * PANEL
                && ws.len() == groups * PANEL
                && sums.len() == MR
        );
        for g in 0..groups {
            let w = wv[g * GROUP * PANEL..][..GROUP * PANEL].as_ptr();
            let x = xv.as_ptr().wrapping_add(g * GROUP);
            // Sixteen features at a time: twelve sums of sixteen registers.
            for column in (0..PANEL).step_by(16) {
                let mut acc = [[_mm256_setzero_si256(); 2]; MR];
                for p in 0..GROUP / 2 {
                    // SAFETY: the assertion above bounds both; a pair of weights of a panel's
                    // features is 2 × PANEL bytes, a pair of activations 4 bytes, and unaligned
                    // loads are used throughout.
                    unsafe {
                        let w = w.add((p * PANEL + column) * 2);
                        let w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.cast()));
                        let w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(16).cast()));
                        for (r, acc) in acc.iter_mut().enumerate() {
                            let pair = _mm256_set1_epi32(
                                x.add(r * depth + 2 * p).cast::<i32>().read_unaligned(),
                            );
                            acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(pair, w0));
                            acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(pair, w1));
                        }
                    }
                }
                for (r, acc) in acc.iter().enumerate() {
                    let row = _mm256_set1_ps(xs[r * groups + g]);
                    let scales = ws[g * PANEL + column..].as_chunks::<8>().0;
                    for ((sums, acc), scales) in
                        sums[r][column..].as_chunks_mut::<8>().0.iter_mut().zip(acc).zip(scales)
                    {
                        // SAFETY: `sums` and `scales` are 8 floats.
                        unsafe {
                            let scale = _mm256_mul_ps(row, _mm256_loadu_ps(scales.as_ptr()));
                            let total = _mm256_fmadd_ps(
                                _mm256_cvtepi32_ps(*acc),
                                scale,
                                _mm256_loadu_ps(sums.as_ptr()),
                            );
                            _mm256_storeu_ps(sums.as_mut_ptr(), total);
                        }
                    }
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
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
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

    fn packed(isa: Isa, w: &[f32], n: usize, k: usize) -> Weights {
        let mut weights = Weights::zeros(isa, n, k);
        weights
            .blocks(PANEL)
            .zip(w.par_chunks(PANEL * k))
            .for_each(|(mut block, rows)| block.fill(rows, k));
        weights
    }

    fn product(
        isa: Isa,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
        n: usize,
        k: usize,
    ) -> Vec<f32> {
        let weights = packed(isa, w, n, k);
        let rows = x.len() / k;
        let mut out = vec![MaybeUninit::new(f32::NAN); rows * n];
        let target = Target { out: &mut out, stride: n };
        matmul(
            &Activations::quantize(isa, x, k),
            weights.panels(0..n.div_ceil(PANEL)),
            n,
            bias,
            target,
        );
        // SAFETY: all was written before, be it with NaN.
        out.into_iter().map(|v| unsafe { v.assume_init() }).collect()
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_and_they_are_right() {
        for (rows, n, k) in [
            (1, 1, 1),
            (1, 64, 64),
            (2, 65, 64),
            (5, 17, 63),
            (7, 33, 65),
            (12, 130, 128),
            (15, 40, 200),
            (25, 16, 1000),
        ] {
            let (x, w) = (numbers(rows * k, 1), numbers(n * k, 2));
            let bias = numbers(n, 3);
            let expected = product(Isa::Scalar, &x, &w, None, n, k);
            let with_bias: Vec<f32> =
                expected.iter().zip(bias.iter().cycle()).map(|(sum, bias)| sum + bias).collect();
            for isa in Isa::available() {
                assert_eq!(
                    product(isa, &x, &w, None, n, k),
                    expected,
                    "{}, {rows} × {n} × {k}",
                    isa.name()
                );
                assert_eq!(
                    product(isa, &x, &w, Some(&bias), n, k),
                    with_bias,
                    "{}, {rows} × {n} × {k} with bias",
                    isa.name()
                );
            }
            // By the definition: quantized groups, exact sums, scales.
            for (r, x) in x.chunks_exact(k).enumerate() {
                for (c, w) in w.chunks_exact(k).enumerate() {
                    let scale =
                        |v: &[f32]| f64::from(v.iter().fold(0.0f32, |m, v| m.max(v.abs()))) / 127.0;
                    let whole = |v: f32, s: f64| {
                        if s == 0.0 { 0.0 } else { (f64::from(v) / s).round_ties_even() }
                    };
                    let group = |(x, w): (&[f32], &[f32])| {
                        let (sx, sw) = (scale(x), scale(w));
                        x.iter().zip(w).map(|(&x, &w)| whole(x, sx) * whole(w, sw)).sum::<f64>()
                            * sx
                            * sw
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
            let out = product(isa, &ones, &ones, None, 1, k);
            assert!((out[0] - k as f32).abs() < 0.01, "{}: {}", isa.name(), out[0]);
        }
    }

    #[test]
    fn rows_come_back() {
        let (n, k) = (19, 130);
        let w = numbers(n * k, 7);
        for isa in Isa::available() {
            let weights = packed(isa, &w, n, k);
            let mut row = vec![0.0; k];
            for i in 0..n {
                weights.row(i, &mut row);
                for (group, back) in w[i * k..(i + 1) * k].chunks(GROUP).zip(row.chunks(GROUP)) {
                    let largest = group.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                    assert!(group.iter().zip(back).all(|(a, b)| (a - b).abs() <= largest / 253.0));
                }
            }
            // Chosen rows are the same to the bit.
            let chosen: Vec<u32> = (0..130).map(|i| i * 7 % n as u32).collect();
            let selected = weights.select(&chosen);
            let mut same = vec![0.0; k];
            for (i, &of) in chosen.iter().enumerate() {
                weights.row(of as usize, &mut row);
                selected.row(i, &mut same);
                assert_eq!(row, same, "{}, row {i} of {of}", isa.name());
            }
        }
    }
}
