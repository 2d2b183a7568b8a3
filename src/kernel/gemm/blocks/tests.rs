//! The product with blocks against its definition, on every instruction set.

use super::layout::{BlockFormat, GROUP, PANEL};
use super::{Activations, Weights, matmul};
use crate::kernel::gemm::target::Target;
use crate::kernel::gemm::{BlockRows, Packed};
use crate::kernel::simd::Isa;
use crate::kernel::with_helpers;
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use half::f16;
use rayon::prelude::*;
use std::convert::Infallible;
use std::mem::MaybeUninit;

const FORMATS: [BlockFormat; 4] =
    [BlockFormat::Q4_0, BlockFormat::Q4K, BlockFormat::Q5K, BlockFormat::Q6K];

/// Numbers that look random.
fn random(seed: u64) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    }
}

/// Activations over some orders of magnitude, with both signs, zeros, repeats of the extremes and a
/// group of zeros.
fn activations(count: usize, seed: u64) -> Vec<f32> {
    let mut next = random(seed);
    let number = |i: usize, bits: u32, size: u32| match size % 8 {
        _ if i / GROUP % 5 == 3 => 0.0,
        0 => 0.0,
        1 => 9.0,
        2 => -9.0,
        size => (bits as f32 / 1_073_741_824.0 - 1.0) * 10f32.powi(size as i32 - 6),
    };
    (0..count).map(|i| number(i, next(), next())).collect()
}

/// Blocks with any integers and sensible scales, as a file has them.
fn stored(format: BlockFormat, n: usize, k: usize, seed: u64) -> Vec<u8> {
    let mut next = random(seed);
    let blocks = n * k / format.width();
    let mut all: Vec<u8> = (0..blocks * format.bytes()).map(|_| next() as u8).collect();
    for block in all.chunks_exact_mut(format.bytes()) {
        let mut half = |at: usize, factor: f32| {
            let value = (next() % 2000) as f32 / 1000.0 - 1.0;
            block[at..at + 2].copy_from_slice(&f16::from_f32(value * factor).to_le_bytes());
        };
        match format {
            BlockFormat::Q4_0 => half(0, 0.2),
            BlockFormat::Q4K | BlockFormat::Q5K => {
                half(0, 0.01);
                half(2, 0.02);
            }
            BlockFormat::Q6K => half(208, 0.001),
        }
    }
    all
}

/// The weights that blocks stand for, as candle reads them.
fn dequantized(format: BlockFormat, bytes: &[u8], n: usize, k: usize) -> Vec<f32> {
    let kind = match format {
        BlockFormat::Q4_0 => GgmlDType::Q4_0,
        BlockFormat::Q4K => GgmlDType::Q4K,
        BlockFormat::Q5K => GgmlDType::Q5K,
        BlockFormat::Q6K => GgmlDType::Q6K,
    };
    let tensor = qtensor_from_ggml(kind, bytes, vec![n, k], &Device::Cpu).unwrap();
    tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn packed(format: BlockFormat, bytes: &[u8], n: usize, k: usize) -> Weights {
    let mut weights = Weights::zeros(format, n, k);
    let panel = PANEL * k / format.width() * format.bytes();
    weights
        .panels_mut()
        .zip(bytes.par_chunks(panel))
        .for_each(|(mut panel, rows)| panel.fill(rows));
    weights
}

fn product(isa: Isa, x: &[f32], weights: &Weights, bias: Option<&[f32]>, n: usize) -> Vec<f32> {
    let k = weights.k();
    let mut out = vec![MaybeUninit::new(f32::NAN); x.len() / k * n];
    let target = Target { out: &mut out, stride: n };
    matmul(&Activations::quantize(isa, x, k), weights.panels(0..n), n, bias, target);
    // SAFETY: all was written before, be it with NaN.
    out.into_iter().map(|v| unsafe { v.assume_init() }).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits_and_they_are_right() {
    for format in FORMATS {
        let shapes = [
            (1, 1, 256),
            (1, 64, 512),
            (2, 65, 256),
            (3, 200, 256),
            (5, 17, 256),
            (7, 33, 768),
            (11, 70, 256),
            (12, 130, 256),
            (15, 40, 1024),
            (25, 16, 256),
        ];
        for (rows, n, k) in shapes {
            let (x, bytes) = (activations(rows * k, 1), stored(format, n, k, 2));
            let (weights, w) = (packed(format, &bytes, n, k), dequantized(format, &bytes, n, k));
            let bias = activations(n, 3);
            let expected = product(Isa::available()[0], &x, &weights, None, n);
            let with_bias: Vec<f32> =
                expected.iter().zip(bias.iter().cycle()).map(|(sum, bias)| sum + bias).collect();
            for isa in Isa::available() {
                let what = format!("{format:?} on {}, {rows} × {n} × {k}", isa.name());
                assert_eq!(product(isa, &x, &weights, None, n), expected, "{what}");
                assert_eq!(product(isa, &x, &weights, Some(&bias), n), with_bias, "{what}");
                for (row, expected) in x.chunks_exact(k).zip(expected.chunks_exact(n)) {
                    assert_eq!(product(isa, row, &weights, None, n), expected, "{what}, alone");
                }
            }
            // By the definition: activations in groups of 8-bit integers, weights as they are.
            for (r, x) in x.chunks_exact(k).enumerate() {
                let x: Vec<f64> = x.chunks_exact(GROUP).flat_map(rounded).collect();
                for (c, w) in w.chunks_exact(k).enumerate() {
                    let products = || x.iter().zip(w).map(|(x, w)| x * f64::from(*w));
                    let size: f64 = products().map(f64::abs).sum();
                    // Scales and minimums of a group are subtracted from each other.
                    let bound = 1e-4 * (size + x.iter().map(|x| x.abs()).sum::<f64>()) + 1e-6;
                    let (got, want) = (f64::from(expected[r * n + c]), products().sum::<f64>());
                    assert!((got - want).abs() <= bound, "{format:?}: {got} for {want}");
                }
            }
        }
    }
}

/// A group of activations as what its integers stand for.
fn rounded(group: &[f32]) -> Vec<f64> {
    let largest = group.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let (scale, inverse) =
        if largest > 0.0 { (largest / 127.0, 127.0 / largest) } else { (0., 0.) };
    let integer = |v: &f32| f64::from((v * inverse).clamp(-127.0, 127.0).round_ties_even());
    group.iter().map(|v| integer(v) * f64::from(scale)).collect()
}

#[test]
fn the_largest_values_do_not_overflow() {
    for format in FORMATS {
        let (n, k) = (PANEL, 256 * 40);
        let mut bytes = stored(format, n, k, 5);
        // All integers and factors as large as they come; scales of one.
        for block in bytes.chunks_exact_mut(format.bytes()) {
            block.fill(255);
            let halves: &[usize] = match format {
                BlockFormat::Q4_0 => &[0],
                BlockFormat::Q4K | BlockFormat::Q5K => &[0, 2],
                BlockFormat::Q6K => &[208],
            };
            for &at in halves {
                block[at..at + 2].copy_from_slice(&f16::ONE.to_le_bytes());
            }
        }
        let weights = packed(format, &bytes, n, k);
        let w = f64::from(dequantized(format, &bytes, n, k)[0]);
        for x in [1.0f32, -1.0] {
            let x = vec![x; 3 * k];
            let want = w * f64::from(x[0]) * k as f64;
            for isa in Isa::available() {
                for got in product(isa, &x, &weights, None, n) {
                    let off = (f64::from(got) - want).abs() / want.abs().max(k as f64);
                    assert!(off < 1e-4, "{format:?} on {}: {got} for {want}", isa.name());
                }
            }
        }
    }
}

#[test]
fn infinite_and_undefined_activations_spoil_their_own_group_only() {
    let (n, k) = (8, 512);
    let weights = packed(BlockFormat::Q4K, &stored(BlockFormat::Q4K, n, k, 5), n, k);
    let mut x = activations(k, 9);
    x[40] = f32::INFINITY;
    let mut without = x.clone();
    without[GROUP..2 * GROUP].fill(0.0);
    for isa in Isa::available() {
        let (with, without) =
            (product(isa, &x, &weights, None, n), product(isa, &without, &weights, None, n));
        assert_eq!(with, without, "{}", isa.name());
    }
}

#[test]
fn rows_are_those_of_the_file() {
    for format in FORMATS {
        let (n, k) = (130, 512);
        let bytes = stored(format, n, k, 7);
        let (weights, expected) = (packed(format, &bytes, n, k), dequantized(format, &bytes, n, k));
        let mut row = vec![0.0; k];
        let chosen: Vec<usize> = (0..200).map(|i| i * 7 % n).collect();
        let mut selected = weights.zeros_like(chosen.len());
        for (i, &of) in chosen.iter().enumerate() {
            selected.copy_row(i, &weights, of);
        }
        for (i, expected) in expected.chunks_exact(k).enumerate() {
            weights.row(i, &mut row);
            assert_eq!(row, expected, "{format:?}, row {i}");
        }
        for (i, &of) in chosen.iter().enumerate() {
            selected.row(i, &mut row);
            assert_eq!(row, expected[of * k..][..k], "{format:?}, row {i} of {of}");
        }
    }
}

/// A matrix of parts in several formats, with its rows as numbers.
fn in_parts(k: usize, parts: &[BlockRows]) -> (Option<Packed>, Vec<f32>) {
    let bytes: Vec<Vec<u8>> = parts
        .iter()
        .zip(11..)
        .map(|(part, seed)| stored(part.format, part.rows, k, seed))
        .collect();
    let packed = Packed::try_pack_blocks(k, parts, |part, rows, out| {
        let row = k / parts[part].format.width() * parts[part].format.bytes();
        out.copy_from_slice(&bytes[part][rows.start * row..rows.end * row]);
        Ok::<_, Infallible>(())
    });
    let rows = parts
        .iter()
        .zip(&bytes)
        .flat_map(|(part, bytes)| dequantized(part.format, bytes, part.rows, k));
    (packed.unwrap_or_else(|never| match never {}), rows.collect())
}

#[test]
fn parts_of_several_formats_are_one_matrix_whoever_helps() {
    let k = 512;
    let part = |format, rows| BlockRows { format, rows };
    let parts = [
        part(BlockFormat::Q4K, 256),
        part(BlockFormat::Q6K, 512),
        part(BlockFormat::Q5K, 256),
        part(BlockFormat::Q4_0, 83),
    ];
    let (matrix, rows) = in_parts(k, &parts);
    let matrix = matrix.unwrap();
    assert_eq!((matrix.n(), matrix.k()), (1107, k));
    let mut row = vec![0.0; k];
    for (i, expected) in rows.chunks_exact(k).enumerate() {
        matrix.row(i, &mut row);
        assert_eq!(row, expected, "row {i}");
    }
    let bias = activations(matrix.n(), 4);
    for count in [1, 3, 14] {
        let x = activations(count * k, 8);
        let expected = matrix.matmul(&x, Some(&bias));
        for (r, x) in x.chunks_exact(k).enumerate() {
            for (c, (w, bias)) in rows.chunks_exact(k).zip(&bias).enumerate() {
                let products = || x.iter().zip(w).map(|(x, w)| f64::from(x * w));
                let want = products().sum::<f64>() + f64::from(*bias);
                let got = f64::from(expected[r * matrix.n() + c]);
                let size: f64 = x.iter().map(|x| f64::from(x.abs())).sum();
                assert!((got - want).abs() < 0.02 * size, "{got} for {want}");
            }
        }
        with_helpers(8, || assert_eq!(matrix.matmul(&x, Some(&bias)), expected));
        let in_blocks = |threads: usize| {
            let mut all = vec![0.0; expected.len()];
            with_helpers(threads, || {
                matrix.matmul_blocks(&x, Some(&bias), |first, width, block| {
                    for (all, block) in all.chunks_mut(1107).zip(block.chunks_exact(width)) {
                        all[first..first + width].copy_from_slice(block);
                    }
                })
            });
            all
        };
        assert_eq!(in_blocks(1), expected);
        assert_eq!(in_blocks(3), expected);
    }
}

#[test]
fn what_is_not_whole_panels_and_blocks_is_left_to_others() {
    let part = |format, rows| BlockRows { format, rows };
    assert!(in_parts(512, &[part(BlockFormat::Q4K, 83)]).0.is_some());
    assert!(in_parts(96, &[part(BlockFormat::Q4_0, 1)]).0.is_some());
    let uneven = [part(BlockFormat::Q4K, 83), part(BlockFormat::Q6K, 64)];
    assert!(in_parts(512, &uneven).0.is_none());
    let read = |_, _: std::ops::Range<usize>, _: &mut [u8]| Err("no weights");
    assert!(matches!(Packed::try_pack_blocks(320, &[part(BlockFormat::Q4K, 64)], read), Ok(None)));
    assert!(matches!(Packed::try_pack_blocks(256, &[], read), Ok(None)));
    let failed = Packed::try_pack_blocks(256, &[part(BlockFormat::Q4K, 64)], read);
    assert_eq!(failed.err(), Some("no weights"));
}
