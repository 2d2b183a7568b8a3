//! Element-wise operations on rows of activations: sums, and conversion to half precision.

use super::simd::{self, Isa, per_isa};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// Adds `y` to `x`, element by element, in place.
///
/// # Panics
/// If the lengths of the slices differ.
pub fn add(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len());
    add_isa(Isa::current(), x, y);
}

/// Adds `bias` to every row of `x`, (rows, width).
///
/// # Panics
/// If `x` is not whole rows of the bias' width.
pub fn add_to_rows(x: &mut [f32], bias: &[f32]) {
    assert!(!bias.is_empty() && x.len().is_multiple_of(bias.len()));
    x.chunks_exact_mut(bias.len()).for_each(|row| add_isa(Isa::current(), row, bias));
}

/// Brings every element softly between `-cap` and `cap`, in place: `cap · tanh(x / cap)` (Gemma
/// Team 2024).
pub fn soft_cap(x: &mut [f32], cap: f32) {
    soft_cap_isa(Isa::current(), x, cap);
}

/// Appends values in half precision; those that it cannot hold become its largest.
pub fn extend_half(out: &mut Vec<f16>, values: &[f32]) {
    let start = out.len();
    out.resize(start + values.len(), f16::ZERO);
    to_half(&mut out[start..], values);
}

/// Writes values in half precision, as [`extend_half`] does, to as many places.
pub(super) fn to_half(out: &mut [f16], values: &[f32]) {
    const MAX: f32 = 65504.0;
    for (out, values) in out.chunks_mut(256).zip(values.chunks(256)) {
        let mut clamped = [0.0; 256];
        let clamped = &mut clamped[..values.len()];
        clamped.iter_mut().zip(values).for_each(|(clamped, &v)| *clamped = v.clamp(-MAX, MAX));
        // Rounds to nearest, with instructions where the machine has them.
        out.convert_from_f32_slice(clamped);
    }
}

per_isa! { fn soft_cap_isa(x: &mut [f32], cap: f32) = soft_cap_body }

#[inline(always)]
fn soft_cap_body(x: &mut [f32], cap: f32) {
    x.iter_mut().for_each(|x| *x = simd::soft_cap(*x, cap));
}

per_isa! { fn add_isa(x: &mut [f32], y: &[f32]) = add_body }

#[inline(always)]
fn add_body(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_rounds_and_keeps_to_its_range() {
        let values: Vec<f32> = [
            0.0,
            -0.0,
            1.0,
            0.1,
            -7.7,
            65504.0,
            65519.0,
            65520.0,
            1e30,
            f32::INFINITY,
            -1e9,
            1e-8,
            6e-8,
        ]
        .repeat(50);
        let mut out = vec![f16::ONE];
        extend_half(&mut out, &values);
        assert_eq!((out.len(), out[0]), (values.len() + 1, f16::ONE));
        for (half, v) in out[1..].iter().zip(&values) {
            let bounded = v.clamp(-65504.0, 65504.0);
            assert!(
                (half.to_f32() - bounded).abs() <= bounded.abs() / 2048.0 + 3e-8,
                "{half} for {v}"
            );
        }
        extend_half(&mut out, &[f32::NAN]);
        assert!(out.last().unwrap().is_nan());
    }
}
