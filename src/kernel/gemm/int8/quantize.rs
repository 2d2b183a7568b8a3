//! Symmetric quantization of rows: the largest magnitude of each group becomes 127, or all values
//! are multiplied with a factor that a model's file fixes.

use super::layout::GROUP;
use crate::kernel::simd::{F32x16, Isa, LANES, LaneKernel, run_on};

/// Quantizes a row to 16-bit integers. As many groups as there are scales get one each, or all the
/// one of a fixed factor.
pub(super) fn quantize_i16(
    isa: Isa,
    row: &[f32],
    fixed: Option<f32>,
    out: &mut [i16],
    scales: &mut [f32],
) {
    run_on(isa, ToI16 { row, fixed, out, scales });
}

/// Quantizes a row to 8-bit integers, as [`quantize_i16`], and gives, per group, the value from
/// which its sums of products with weights start, so that they come out without the weights' bias.
pub(super) fn quantize_i8(
    isa: Isa,
    row: &[f32],
    fixed: Option<f32>,
    out: &mut [i8],
    (scales, starts): (&mut [f32], &mut [i32]),
    weight_bias: i32,
) {
    run_on(isa, ToI8 { row, fixed, out, scales, starts, weight_bias });
}

/// The arguments of [`quantize_i16`].
struct ToI16<'a> {
    row: &'a [f32],
    fixed: Option<f32>,
    out: &'a mut [i16],
    scales: &'a mut [f32],
}

/// The arguments of [`quantize_i8`].
struct ToI8<'a> {
    row: &'a [f32],
    fixed: Option<f32>,
    out: &'a mut [i8],
    scales: &'a mut [f32],
    starts: &'a mut [i32],
    weight_bias: i32,
}

impl LaneKernel for ToI16<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: F32x16>(self) {
        let ToI16 { row, fixed, out, scales } = self;
        let size = out.len() / scales.len();
        let groups = row.chunks(size).zip(out.chunks_exact_mut(size));
        for ((group, out), group_scale) in groups.zip(scales) {
            let inverse;
            // SAFETY: as the caller promises.
            (*group_scale, inverse) = unsafe { scale::<L>(group, fixed) };
            out.iter_mut().zip(group).for_each(|(out, v)| *out = quantize(*v, inverse) as i16);
        }
    }
}

impl LaneKernel for ToI8<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: F32x16>(self) {
        let ToI8 { row, fixed, out, scales, starts, weight_bias } = self;
        let size = out.len() / scales.len();
        let groups = row.chunks(size).zip(out.chunks_exact_mut(size));
        for (((group, out), group_scale), start) in groups.zip(scales).zip(starts) {
            let inverse;
            // SAFETY: as the caller promises.
            (*group_scale, inverse) = unsafe { scale::<L>(group, fixed) };
            // Parts of a length that the compiler knows, and a sum for each of their places.
            let (parts, rest) = group.as_chunks::<GROUP>();
            let (parts_out, rest_out) = out.as_chunks_mut::<GROUP>();
            let mut sums = [0i32; GROUP];
            for (out, part) in parts_out.iter_mut().zip(parts) {
                for ((out, v), sum) in out.iter_mut().zip(part).zip(&mut sums) {
                    let value = quantize(*v, inverse);
                    *out = value as i8;
                    *sum += value;
                }
            }
            let mut sum = sums.iter().sum::<i32>();
            let rest_out = parts_out[parts.len()..].as_flattened_mut().iter_mut().chain(rest_out);
            for (out, v) in rest_out.zip(rest) {
                let value = quantize(*v, inverse);
                *out = value as i8;
                sum += value;
            }
            *start = -weight_bias * sum;
        }
    }
}

/// The largest magnitude. Infinities are kept, NaN is not.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn abs_max<L: F32x16>(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    // SAFETY: as the caller promises; each block has sixteen floats.
    unsafe {
        // Four, so that none waits for the one before.
        let mut largest = [L::zero(); 4];
        for four in blocks.chunks(4) {
            for (largest, block) in largest.iter_mut().zip(four) {
                let block = L::load(block.as_ptr());
                *largest = block.max(L::zero().sub(block).max(*largest));
            }
        }
        let [a, b, c, d] = largest;
        let largest = a.max(b).max(c.max(d)).max_lane();
        rest.iter().map(|v| v.abs()).fold(largest, |a, b| if b > a { b } else { a })
    }
}

/// The scale of a group's values, and its inverse, by which they are multiplied: both zero where
/// all values are zero or one is infinite.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn scale<L: F32x16>(group: &[f32], fixed: Option<f32>) -> (f32, f32) {
    if let Some(factor) = fixed {
        return (factor.recip(), factor);
    }
    // SAFETY: as the caller promises.
    let abs_max = unsafe { abs_max::<L>(group) };
    let sound = abs_max > 0.0 && abs_max.is_finite();
    if sound { (abs_max / 127.0, 127.0 / abs_max) } else { (0.0, 0.0) }
}

/// The nearest integer to a value times `inverse`, at most ±127, ties to even. Adding and taking
/// away 1.5 · 2²³ rounds without a call.
#[inline(always)]
pub(in crate::kernel::gemm) fn quantize(value: f32, inverse: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    let value = value * inverse;
    let value = if value > 127.0 { 127.0 } else { value };
    let value = if value < -127.0 { -127.0 } else { value };
    (value + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}
