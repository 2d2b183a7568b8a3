//! Normalizations of rows of activations.

use super::simd::{Isa, LANES, per_isa};

/// Layer normalization (Ba et al. 2016) of every row, (rows, width), in place.
///
/// # Panics
/// If the lengths of the slices do not fit.
pub fn layer_norm(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    assert!(
        !weight.is_empty() && weight.len() == bias.len() && x.len().is_multiple_of(weight.len())
    );
    layer_norm_isa(Isa::current(), x, weight, bias, epsilon);
}

/// Root-mean-square normalization (Zhang and Sennrich 2019) of every row, (rows, width), in place.
///
/// # Panics
/// If the lengths of the slices do not fit.
pub fn rms_norm(x: &mut [f32], weight: &[f32], epsilon: f32) {
    assert!(!weight.is_empty() && x.len().is_multiple_of(weight.len()));
    rms_norm_isa(Isa::current(), x, weight, epsilon);
}

per_isa! {
    fn layer_norm_isa(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32)
        = layer_norm_body
}
per_isa! {
    fn rms_norm_isa(x: &mut [f32], weight: &[f32], epsilon: f32) = rms_norm_body
}

#[inline(always)]
fn layer_norm_body(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let inverse = 1.0 / weight.len() as f32;
    for row in x.chunks_exact_mut(weight.len()) {
        let mean = sum(row, |v| v) * inverse;
        let variance = sum(row, |v| (v - mean) * (v - mean)) * inverse;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((x, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *x = ((*x - mean) * factor).mul_add(*w, *b);
        }
    }
}

#[inline(always)]
fn rms_norm_body(x: &mut [f32], weight: &[f32], epsilon: f32) {
    for row in x.chunks_exact_mut(weight.len()) {
        let mean = sum(row, |v| v * v) / weight.len() as f32;
        let factor = 1.0 / (mean + epsilon).sqrt();
        row.iter_mut().zip(weight).for_each(|(x, w)| *x = *x * factor * w);
    }
}

/// Σ f(v) in a fixed order: one sum per lane, then the lanes one after the other.
#[inline(always)]
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for (sum, &v) in sums.iter_mut().zip(block) {
            *sum += f(v);
        }
    }
    for (sum, &v) in sums.iter_mut().zip(rest) {
        *sum += f(v);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizations_are_what_their_definitions_say_on_every_isa() {
        for width in [1, 7, 16, 100] {
            let x: Vec<f32> = (0..3 * width).map(|i| ((i * 37) % 101) as f32 / 9.0 - 4.0).collect();
            let weight: Vec<f32> = (0..width).map(|i| 0.5 + i as f32 / 50.0).collect();
            let bias: Vec<f32> = (0..width).map(|i| i as f32 / 30.0 - 1.0).collect();
            let mut first: Option<(Vec<f32>, Vec<f32>)> = None;
            for isa in Isa::available() {
                let (mut layer, mut rms) = (x.clone(), x.clone());
                layer_norm_isa(isa, &mut layer, &weight, &bias, 1e-5);
                rms_norm_isa(isa, &mut rms, &weight, 1e-6);
                for (r, row) in x.chunks_exact(width).enumerate() {
                    let of = |f: &dyn Fn(f64) -> f64| {
                        row.iter().map(|&v| f(f64::from(v))).sum::<f64>() / width as f64
                    };
                    let mean = of(&|v| v);
                    let (variance, square) = (of(&|v| (v - mean).powi(2)), of(&|v| v * v));
                    for i in 0..width {
                        let (v, w) = (f64::from(row[i]), f64::from(weight[i]));
                        let want = (v - mean) / (variance + 1e-5).sqrt() * w + f64::from(bias[i]);
                        assert!(
                            (f64::from(layer[r * width + i]) - want).abs()
                                < 1e-5 * (1.0 + want.abs())
                        );
                        let want = v / (square + 1e-6).sqrt() * w;
                        assert!(
                            (f64::from(rms[r * width + i]) - want).abs()
                                < 1e-5 * (1.0 + want.abs())
                        );
                    }
                }
                let (one, other) = first.get_or_insert_with(|| (layer.clone(), rms.clone()));
                assert!(*one == layer && *other == rms, "{}", isa.name());
            }
        }
    }
}
