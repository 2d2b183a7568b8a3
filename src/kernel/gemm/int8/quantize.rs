//! Symmetric quantization of rows: the largest magnitude of each group becomes 127.

use super::layout::GROUP;
use crate::kernel::simd::{LANES, per_isa};

per_isa! {
    /// Quantizes a row to 16-bit integers, with a scale per group.
    pub(super) fn quantize_i16(row: &[f32], out: &mut [i16], scales: &mut [f32])
        = quantize_i16_body
}

per_isa! {
    /// Quantizes a row to 8-bit integers, with a scale per group, and, per group, the value from
    /// which its sums of products with weights start, so that they come out without the weights'
    /// bias.
    pub(super) fn quantize_i8(
        row: &[f32],
        out: &mut [i8],
        scales: &mut [f32],
        starts: &mut [i32],
        weight_bias: i32,
    ) = quantize_i8_body
}

#[inline(always)]
fn quantize_i16_body(row: &[f32], out: &mut [i16], scales: &mut [f32]) {
    for ((group, out), group_scale) in
        row.chunks(GROUP).zip(out.chunks_exact_mut(GROUP)).zip(scales)
    {
        let (scale, inverse) = scale(abs_max(group));
        *group_scale = scale;
        out.iter_mut().zip(group).for_each(|(out, v)| *out = quantize(*v, inverse) as i16);
    }
}

#[inline(always)]
fn quantize_i8_body(
    row: &[f32],
    out: &mut [i8],
    scales: &mut [f32],
    starts: &mut [i32],
    weight_bias: i32,
) {
    for (((group, out), group_scale), start) in
        row.chunks(GROUP).zip(out.chunks_exact_mut(GROUP)).zip(scales).zip(starts)
    {
        let (scale, inverse) = scale(abs_max(group));
        *group_scale = scale;
        let mut sum = 0;
        // A whole group has a length that the compiler knows.
        if let Ok(group) = <&[f32; GROUP]>::try_from(group) {
            for (out, v) in out.iter_mut().zip(group) {
                *out = quantize(*v, inverse) as i8;
                sum += i32::from(*out);
            }
        } else {
            for (out, v) in out.iter_mut().zip(group) {
                *out = quantize(*v, inverse) as i8;
                sum += i32::from(*out);
            }
        }
        *start = -weight_bias * sum;
    }
}

/// The largest magnitude.
#[inline(always)]
fn abs_max(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for block in blocks {
        // Not `f32::max`, whose care about NaN costs as much again. Infinities are kept, NaN is
        // not.
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

/// The scale of values with this largest magnitude, and its inverse, by which they are multiplied:
/// both zero where all values are zero or one is infinite.
#[inline(always)]
fn scale(abs_max: f32) -> (f32, f32) {
    let sound = abs_max > 0.0 && abs_max.is_finite();
    if sound { (abs_max / 127.0, 127.0 / abs_max) } else { (0.0, 0.0) }
}

/// The nearest integer to a value times `inverse`, ties to even. Adding and taking away 1.5 · 2²³
/// rounds without a call.
#[inline(always)]
fn quantize(value: f32, inverse: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    (value * inverse + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}
