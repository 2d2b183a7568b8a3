//! The int8 product against its definition, on every instruction set.

use super::layout::{GROUP, PANEL};
use super::{Activations, Weights, matmul};
use crate::kernel::gemm::target::Target;
use crate::kernel::simd::Isa;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Numbers over many orders of magnitude, with both signs, zeros and repeats of the extremes.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
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

fn product(isa: Isa, x: &[f32], w: &[f32], bias: Option<&[f32]>, n: usize, k: usize) -> Vec<f32> {
    let weights = packed(isa, w, n, k);
    let rows = x.len() / k;
    let mut out = vec![MaybeUninit::new(f32::NAN); rows * n];
    let target = Target { out: &mut out, stride: n };
    matmul(
        &Activations::quantize(isa, x, k, GROUP, None),
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
        let expected = product(Isa::available()[0], &x, &w, None, n, k);
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
                let quantize = |v: f32, s: f64| {
                    if s == 0.0 { 0.0 } else { (f64::from(v) / s).round_ties_even() }
                };
                let group = |(x, w): (&[f32], &[f32])| {
                    let (sx, sw) = (scale(x), scale(w));
                    x.iter().zip(w).map(|(&x, &w)| quantize(x, sx) * quantize(w, sw)).sum::<f64>()
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
                let abs_max = group.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                assert!(group.iter().zip(back).all(|(a, b)| (a - b).abs() <= abs_max / 253.0));
            }
        }
        // Chosen rows are the same to the bit.
        let chosen: Vec<u32> = (0..130).map(|i| i * 7 % n as u32).collect();
        let mut selected = weights.zeros_like(chosen.len());
        for (i, &of) in chosen.iter().enumerate() {
            selected.copy_row(i, &weights, of as usize);
        }
        let mut same = vec![0.0; k];
        for (i, &of) in chosen.iter().enumerate() {
            weights.row(of as usize, &mut row);
            selected.row(i, &mut same);
            assert_eq!(row, same, "{}, row {i} of {of}", isa.name());
        }
    }
}

/// Products of rows of integers under a scale each, with a bias.
fn product_of_integers(
    isa: Isa,
    x: &[f32],
    (w, scales): (&[i8], &[f32]),
    fixed: Option<f32>,
    bias: &[f32],
) -> Vec<f32> {
    let (n, k) = (scales.len(), w.len() / scales.len());
    let mut weights = Weights::zeros_of_rows(isa, n, k);
    let rows: Vec<(&[i8], f32)> = w.chunks_exact(k).zip(scales.iter().copied()).collect();
    weights.blocks(PANEL).zip(rows.par_chunks(PANEL)).for_each(|(mut block, rows)| {
        rows.iter().enumerate().for_each(|(i, (row, scale))| block.fill_integers(i, row, *scale));
    });
    let mut out = vec![MaybeUninit::new(f32::NAN); x.len() / k * n];
    let x = Activations::quantize(isa, x, k, weights.group(), fixed);
    let panels = weights.panels(0..n.div_ceil(PANEL));
    matmul(&x, panels, n, Some(bias), Target { out: &mut out, stride: n });
    // SAFETY: all was written before, be it with NaN.
    out.into_iter().map(|v| unsafe { v.assume_init() }).collect()
}

#[test]
fn integers_are_multiplied_as_they_are_on_every_instruction_set() {
    for (rows, n, k) in [(1, 1, 1), (2, 65, 64), (7, 33, 65), (13, 130, 256), (3, 16, 1536)] {
        let x: Vec<f32> = numbers(rows * k, 1).iter().map(|v| v.clamp(-9.0, 9.0)).collect();
        let w: Vec<i8> = numbers(n * k, 2).iter().map(|&v| v as i8).collect();
        let scales: Vec<f32> = (0..n).map(|i| 0.004 + i as f32 / 9999.0).collect();
        let bias = numbers(n, 3);
        for fixed in [None, Some(14.27f32)] {
            let of = |isa| product_of_integers(isa, &x, (&w, &scales), fixed, &bias);
            let expected = of(Isa::available()[0]);
            for isa in Isa::available() {
                assert_eq!(of(isa), expected, "{}, {rows} × {n} × {k}", isa.name());
            }
            for (r, x) in x.chunks_exact(k).enumerate() {
                let largest = x.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                let factor = fixed.unwrap_or(127.0 / largest);
                for (c, w) in w.chunks_exact(k).enumerate() {
                    let sum: f64 = x
                        .iter()
                        .zip(w)
                        .map(|(x, w)| {
                            f64::from((x * factor).clamp(-127.0, 127.0).round_ties_even())
                                * f64::from(*w)
                        })
                        .sum();
                    let want = sum / f64::from(factor) * f64::from(scales[c]) + f64::from(bias[c]);
                    let got = f64::from(expected[r * n + c]);
                    assert!(
                        (got - want).abs() <= 1e-5 * (want.abs() + sum.abs() * 1e-2 + 1.0),
                        "{got} for {want}"
                    );
                }
            }
        }
    }
}
