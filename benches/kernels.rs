//! What the matrix products reach on one core, in billions of operations a second (a multiplication
//! and an addition are two), at the shapes of real models; and what attention takes.
//!
//!     cargo bench --bench kernels -- [int8|f32|q4_k|q6_k]
//!     POLYGIST_ISA=avx2 cargo bench --bench kernels

use half::f16;
use polygist::kernel::{
    self, AttentionShape, BlockFormat, BlockRows, Isa, KeyValues, KvView, Mask, Packed, Precision,
};
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

/// Rows, output and input features: a decoder step's layers, its vocabulary, an encoder's batch, a
/// single sentence; a layer of a language model of 1.5 billion weights.
const SHAPES: [(usize, usize, usize); 15] = [
    (64, 512, 512),
    (64, 1536, 512),
    (64, 2048, 512),
    (64, 512, 2048),
    (64, 59_514, 512),
    (512, 2048, 512),
    (64, 4096, 1024),
    (64, 262_144, 640),
    (1, 512, 512),
    (1, 2048, 512),
    (4, 2048, 512),
    (16, 2048, 512),
    (1, 8960, 1536),
    (16, 8960, 1536),
    (512, 8960, 1536),
];

/// What weights are multiplied as.
const KINDS: [(&str, Kind); 4] = [
    ("int8", Kind::Numbers(Precision::Int8)),
    ("f32", Kind::Numbers(Precision::F32)),
    ("q4_k", Kind::Blocks(BlockFormat::Q4K)),
    ("q6_k", Kind::Blocks(BlockFormat::Q6K)),
];

#[derive(Clone, Copy)]
enum Kind {
    Numbers(Precision),
    /// As a GGUF file has them.
    Blocks(BlockFormat),
}

/// A matrix of any weights; `None` where its rows are no whole blocks.
fn packed(kind: Kind, n: usize, k: usize) -> Option<Packed> {
    match kind {
        Kind::Numbers(precision) => Some(Packed::pack(precision, n, k, |i, row| {
            row.iter_mut()
                .enumerate()
                .for_each(|(p, w)| *w = ((i * 31 + p * 17) % 255) as f32 - 127.0)
        })),
        Kind::Blocks(format) => {
            let parts = [BlockRows { format, rows: n }];
            let read = |_, rows: std::ops::Range<usize>, out: &mut [u8]| {
                let bytes = out.iter_mut().enumerate();
                bytes.for_each(|(p, byte)| *byte = ((rows.start + p) * 97 % 127) as u8);
                Ok::<_, Infallible>(())
            };
            Packed::try_pack_blocks(k, &parts, read).unwrap_or_else(|never| match never {})
        }
    }
}

fn main() {
    println!("{}", Isa::current().name());
    let named: Vec<String> = std::env::args().skip(1).map(|a| a.to_lowercase()).collect();
    let is_kind = |n: &String| KINDS.iter().any(|(name, _)| n == name);
    for (name, kind) in KINDS {
        if named.iter().any(is_kind) && !named.iter().any(|n| n == name) {
            continue;
        }
        for (rows, n, k) in SHAPES {
            let Some(packed) = packed(kind, n, k) else { continue };
            let x: Vec<f32> =
                (0..rows * k).map(|i| ((i * 29) % 201) as f32 / 100.0 - 1.0).collect();
            let operations = 2.0 * (rows * n * k) as f64;
            // A few milliseconds a time; the best of many, since others use the machine too.
            let times = ((2e9 / operations) as usize).max(1);
            let mut best = f64::MAX;
            for _ in 0..40 {
                let start = Instant::now();
                (0..times).for_each(|_| multiply(&packed, &x));
                best = best.min(start.elapsed().as_secs_f64() / times as f64);
            }
            println!(
                "{name:>4} {rows:>3} × {k:>4} × {n:>6}: {:>6.1} GOPS, {:>9.1} µs",
                operations / best / 1e9,
                best * 1e6
            );
        }
    }
    attention();
}

/// As a layer or, where there are so many columns, as a vocabulary.
fn multiply(packed: &Packed, x: &[f32]) {
    if packed.n() > 50_000 {
        packed.matmul_blocks(x, None, |_, _, block| _ = black_box(block));
    } else {
        drop(black_box(packed.matmul(x, None)));
    }
}

/// One token's attention over the positions of its sequence, heads of 64: with one sequence over
/// and over, whose keys and values stay in the cache, and with as many as a batch has in all
/// layers, which come from memory each time.
fn attention() {
    for (heads, positions) in [(8, 18), (8, 31), (16, 31), (16, 500)] {
        let shape = AttentionShape {
            heads,
            kv_heads: heads,
            dim: 64,
            scale: 0.125,
            cap: None,
            window: None,
        };
        let width = heads * 64;
        for sequences in [1, 400] {
            let count = positions * width;
            let all: Vec<f32> = (0..count).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
            let halves: Vec<f16> = all.iter().map(|&v| f16::from_f32(v)).collect();
            let floats: Vec<[Vec<f32>; 2]> =
                (0..sequences).map(|_| [all.clone(), all.clone()]).collect();
            let halves: Vec<[Vec<f16>; 2]> =
                (0..sequences).map(|_| [halves.clone(), halves.clone()]).collect();
            let q = vec![0.1; width];
            let mut out = vec![0.0; width];
            let calls = 400;
            for half in [false, true] {
                let mut best = f64::MAX;
                for _ in 0..10 {
                    let start = Instant::now();
                    for call in 0..calls {
                        let [k, v] = &floats[call % sequences];
                        let [hk, hv] = &halves[call % sequences];
                        let view = if half {
                            KvView::F16([KeyValues::NONE, KeyValues { keys: hk, values: hv }])
                        } else {
                            KvView::F32([KeyValues::NONE, KeyValues { keys: k, values: v }])
                        };
                        kernel::attend(&shape, Mask::Full, None, &q, view, &mut out);
                    }
                    best = best.min(start.elapsed().as_secs_f64() / calls as f64);
                }
                let kind = if half { "f16" } else { "f32" };
                println!(
                    "attention, {heads:>2} heads, {positions:>3} positions in {kind}, \
                     {sequences:>3} sequences: {:>7.2} µs",
                    best * 1e6
                );
            }
        }
    }
}
