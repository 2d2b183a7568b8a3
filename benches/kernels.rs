//! What the matrix products reach on one core, in billions of operations a second (a multiplication and an addition are two), at the shapes of
//! real models; and what attention takes.
//!
//!     cargo bench --bench kernels
//!     POLYGIST_ISA=avx2 cargo bench --bench kernels

use polygist::kernel::{Isa, Packed, Precision};
use std::time::Instant;

/// Rows, output and input features: a decoder step's layers, its vocabulary, an encoder's batch, a single sentence.
const SHAPES: [(usize, usize, usize); 12] = [
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
];

fn main() {
    println!("{}", Isa::current().name());
    for precision in [Precision::Int8, Precision::F32] {
        for (rows, n, k) in SHAPES {
            let packed = Packed::pack(precision, n, k, |i, row| {
                row.iter_mut().enumerate().for_each(|(p, w)| *w = ((i * 31 + p * 17) % 255) as f32 - 127.0)
            });
            let x: Vec<f32> = (0..rows * k).map(|i| ((i * 29) % 201) as f32 / 100.0 - 1.0).collect();
            let operations = 2.0 * (rows * n * k) as f64;
            // A few milliseconds a time; the best of many, since others use the machine too.
            let times = ((2e9 / operations) as usize).max(1);
            let mut best = f64::MAX;
            for _ in 0..40 {
                let start = Instant::now();
                (0..times).for_each(|_| drop(packed.matmul(&x, None)));
                best = best.min(start.elapsed().as_secs_f64() / times as f64);
            }
            println!("{precision:?} {rows:>3} × {k:>4} × {n:>6}: {:>6.1} GOPS, {:>9.1} µs", operations / best / 1e9, best * 1e6);
        }
    }
}
