//! Symmetric quantization of rows: the largest magnitude of each group becomes 127, or all values
//! are multiplied with a factor that a model's file fixes.

use super::layout::GROUP;
use crate::kernel::simd::{LANES, per_isa};

per_isa! {
    /// Quantizes a row to 16-bit integers. As many groups as there are scales get one each, or all
    /// the one of a fixed factor.
    pub(super) fn quantize_i16(
        row: &[f32],
        fixed: Option<f32>,
        out: &mut [i16],
        scales: &mut [f32],
    ) = quantize_i16_body
}

per_isa! {
    /// Quantizes a row to 8-bit integers, as [`quantize_i16`], and gives, per group, the value from
    /// which its sums of products with weights start, so that they come out without the weights'
    /// bias.
    pub(super) fn quantize_i8(
        row: &[f32],
        fixed: Option<f32>,
        out: &mut [i8],
        scales: &mut [f32],
        starts: &mut [i32],
        weight_bias: i32,
    ) = quantize_i8_body
}

#[inline(always)]
fn quantize_i16_body(row: &[f32], fixed: Option<f32>, out: &mut [i16], scales: &mut [f32]) {
    let size = out.len() / scales.len();
    for ((group, out), group_scale) in row.chunks(size).zip(out.chunks_exact_mut(size)).zip(scales)
    {
        let inverse;
        (*group_scale, inverse) = scale(group, fixed);
        out.iter_mut().zip(group).for_each(|(out, v)| *out = quantize(*v, inverse) as i16);
    }
}

#[inline(always)]
fn quantize_i8_body(
    row: &[f32],
    fixed: Option<f32>,
    out: &mut [i8],
    scales: &mut [f32],
    starts: &mut [i32],
    weight_bias: i32,
) {
    let size = out.len() / scales.len();
    for (((group, out), group_scale), start) in
        row.chunks(size).zip(out.chunks_exact_mut(size)).zip(scales).zip(starts)
    {
        let inverse;
        (*group_scale, inverse) = scale(group, fixed);
        // Parts of a length that the compiler knows.
        let (parts, rest) = group.as_chunks::<GROUP>();
        let (parts_out, rest_out) = out.as_chunks_mut::<GROUP>();
        let mut sum = 0;
        for (out, part) in parts_out.iter_mut().zip(parts) {
            for (out, v) in out.iter_mut().zip(part) {
                *out = quantize(*v, inverse) as i8;
                sum += i32::from(*out);
            }
        }
        let rest_out = parts_out[parts.len()..].as_flattened_mut().iter_mut().chain(rest_out);
        for (out, v) in rest_out.zip(rest) {
            *out = quantize(*v, inverse) as i8;
            sum += i32::from(*out);
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

/// The scale of a group's values, and its inverse, by which they are multiplied: both zero where
/// all values are zero or one is infinite.
#[inline(always)]
fn scale(group: &[f32], fixed: Option<f32>) -> (f32, f32) {
    if let Some(factor) = fixed {
        return (factor.recip(), factor);
    }
    let abs_max = abs_max(group);
    let sound = abs_max > 0.0 && abs_max.is_finite();
    if sound { (abs_max / 127.0, 127.0 / abs_max) } else { (0.0, 0.0) }
}

/// The nearest integer to a value times `inverse`, at most ±127, ties to even. Adding and taking
/// away 1.5 · 2²³ rounds without a call.
#[inline(always)]
fn quantize(value: f32, inverse: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    let value = value * inverse;
    let value = if value > 127.0 { 127.0 } else { value };
    let value = if value < -127.0 { -127.0 } else { value };
    (value + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}
