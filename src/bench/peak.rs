//! What a device can do at best: matrix products that its caches like, and nothing else.

use crate::error::Result;
use crate::kernel::{Packed, Precision};
use crate::nn::Backend;
use candle_core::{DType, Device, Tensor};
use serde::Serialize;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// How fast a device multiplies matrices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// Precision of the weights.
    pub precision: String,
    /// Threads that multiply at the same time, as far as there are cores for them.
    pub threads: usize,
    /// 10⁹ operations a second, a multiplication and an addition counting as two.
    pub gops: f64,
}

/// Of each size.
const LASTS: Duration = Duration::from_millis(150);
/// The fastest part of that length counts: somebody else may have had the core in the others.
const PART: Duration = Duration::from_millis(5);
/// Rows, output features, input features: a batch of tokens through a layer whose weights fit in
/// the second cache.
const SIZES: [(usize, usize, usize); 3] = [(64, 512, 512), (64, 1024, 512), (128, 1024, 1024)];

/// Measures it: for less than a second the device does nothing else.
///
/// # Errors
/// When a GPU fails.
pub fn peak(device: &Device, precision: Precision, threads: usize) -> Result<Peak> {
    // More threads than cores take turns.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let gops = match device.is_cpu() {
        true => SIZES
            .iter()
            .map(|&size| on_cpu(precision, threads.clamp(1, cores), size).best)
            .fold(0.0, f64::max),
        false => on_device(device, Backend::new(device.clone(), precision).dtype())?,
    };
    Ok(Peak { precision: precision_name(device, precision).into(), threads, gops })
}

/// How fast the cores multiply 8-bit integers for these threads as things are, in 10⁹ operations a
/// second: what else runs on them counts. It takes a fifth of a second.
pub fn available(threads: usize) -> f64 {
    on_cpu(Precision::Int8, threads.max(1), SIZES[0]).mean
}

/// The precision in which a device computes, as it stands in results.
pub fn precision_name(device: &Device, precision: Precision) -> &'static str {
    match precision {
        Precision::Int8 | Precision::Int8Static if device.is_cpu() => "int8",
        Precision::Int4 if device.is_cpu() => "int4",
        Precision::F32 => "f32",
        Precision::F16 => "f16",
        Precision::Bf16 | Precision::Int8 | Precision::Int8Static | Precision::Int4 => "bf16",
    }
}

/// 10⁹ operations a second of all threads: in the fastest part of the time, and in all of it.
#[derive(Clone, Copy, Default)]
struct Rates {
    best: f64,
    mean: f64,
}

fn on_cpu(precision: Precision, threads: usize, (rows, n, k): (usize, usize, usize)) -> Rates {
    let value = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
    let packed = Packed::pack(precision, n, k, |row, out| {
        out.iter_mut().enumerate().for_each(|(p, out)| *out = value(row * k + p))
    });
    let x: Vec<f32> = (0..rows * k).map(value).collect();
    let together = Barrier::new(threads);
    let work = || {
        std::hint::black_box(packed.matmul(&x, None));
        together.wait();
        let (begun, mut best, mut all) = (Instant::now(), 0.0f64, 0.0);
        while begun.elapsed() < LASTS {
            let (part, mut products) = (Instant::now(), 0.0);
            while part.elapsed() < PART {
                std::hint::black_box(packed.matmul(&x, None));
                products += 1.0;
            }
            best = best.max(products / part.elapsed().as_secs_f64());
            all += products;
        }
        let operations = (2 * rows * n * k) as f64 / 1e9;
        Rates { best: best * operations, mean: all / begun.elapsed().as_secs_f64() * operations }
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A thread that panics has multiplied nothing.
        let rates = all.into_iter().map(|thread| thread.join().unwrap_or_default());
        rates.fold(Rates::default(), |all, one| Rates {
            best: all.best + one.best,
            mean: all.mean + one.mean,
        })
    })
}

fn on_device(device: &Device, dtype: DType) -> Result<f64> {
    const SIZE: usize = 4096;
    let x = Tensor::rand(-1f32, 1f32, (SIZE, SIZE), device)?.to_dtype(dtype)?;
    let product = || -> Result<()> {
        std::hint::black_box(x.matmul(&x)?);
        Ok(())
    };
    product()?;
    device.synchronize()?;
    let (begun, mut best) = (Instant::now(), f64::INFINITY);
    while begun.elapsed() < 3 * LASTS {
        let one = Instant::now();
        product()?;
        device.synchronize()?;
        best = best.min(one.elapsed().as_secs_f64());
    }
    Ok(2.0 * (SIZE as f64).powi(3) / best / 1e9)
}
