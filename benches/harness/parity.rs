//! Whether another device writes what the CPU writes in f32: greedy outputs and beams of both,
//! token by token, their scores, and the logits.
//!
//!     cargo run --release --features cuda --example parity -- \
//!         [--device cuda] [--precision f32] [--candle] MODEL …
//!
//! A MODEL is a folder in the Hub's layout, a GGUF file, or a shape of `polygist bench
//! --synthetic`, which has no logits to be seen. A line of JSON for each: how many outputs are
//! equal, the largest difference of two scores of equal outputs, and that of a logit as a share of
//! the largest logit. With --candle and --device cpu, what a GPU would do is done on the CPU.

use candle_core::Device;
use polygist::arch::{self, Model};
use polygist::bench::{self, Shape};
use polygist::error::{Error, Result};
use polygist::generate::{DecodingOptions, Engine, Generate, Output, Request};
use polygist::io::weights::{Gguf, open_folder};
use polygist::kernel::Precision;
use polygist::model::{self, DeviceChoice, Runtime};
use polygist::nn::{KvCache, Span};
use std::path::Path;

/// Requests of each model.
const REQUESTS: u32 = 24;
/// Tokens that are written for each.
const TOKENS: usize = 16;

fn main() -> Result<()> {
    let (mut device, mut precision, mut candle, mut models) =
        (DeviceChoice::Cuda(0), Precision::F32, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| Error::Usage(format!("{argument} has no value")));
        match argument.as_str() {
            "--device" => device = value()?.parse()?,
            "--precision" => {
                precision = match value()?.as_str() {
                    "f32" => Precision::F32,
                    "int8" => Precision::Int8,
                    "f16" => Precision::F16,
                    "bf16" => Precision::Bf16,
                    other => {
                        return Err(Error::Usage(format!(
                            "precision {other:?} is not known; expected f32, f16, bf16 or int8"
                        )));
                    }
                }
            }
            "--candle" => candle = true,
            _ => models.push(argument),
        }
    }
    let reference = Runtime::new(
        Device::Cpu,
        Precision::F32,
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    let other = Runtime::new(device.open()?.0, precision, 1);
    let other = Runtime { candle: candle || other.candle, ..other };
    for model in &models {
        println!(
            "{}",
            compare(model, &reference, &other)
                .unwrap_or_else(|e| serde_json::json!({"model": model, "error": e.to_string()}))
        );
    }
    Ok(())
}

fn compare(model: &str, reference: &Runtime, other: &Runtime) -> Result<serde_json::Value> {
    let (expected, found) = (open(model, reference)?, open(model, other)?);
    let mut result = serde_json::json!({"model": model});
    for beams in [1, 4] {
        let requests = requests(&expected, beams);
        let (expected, found) =
            (expected.generate(&requests, &|_, _| true)?, found.generate(&requests, &|_, _| true)?);
        let equal: Vec<(&Output, &Output)> =
            expected.iter().zip(&found).filter(|(a, b)| a.ids == b.ids).collect();
        let differ = |(a, b): &(&Output, &Output)| (a.score - b.score).abs();
        let score = equal.iter().map(differ).fold(0.0, f32::max);
        result[format!("beam {beams}")] =
            serde_json::json!({"equal": equal.len(), "of": requests.len(), "score": score});
    }
    if Shape::named(model).is_none() {
        let (expected, found) = (logits(model, reference)?, logits(model, other)?);
        let largest = expected.iter().filter(|l| l.is_finite()).fold(0.0f32, |m, l| m.max(l.abs()));
        // What is banned by an infinite bias is as good as any other such number.
        let differ = |(a, b): (&f32, &f32)| if a == b { 0.0 } else { (a - b).abs() };
        result["logits"] =
            (expected.iter().zip(&found).map(differ).fold(0.0, f32::max) / largest).into();
    }
    Ok(result)
}

fn open(model: &str, runtime: &Runtime) -> Result<Engine> {
    match Shape::named(model) {
        Some(shape) => bench::open(shape, runtime),
        None => model::open(model, model.as_ref(), runtime),
    }
}

/// Sources and prompts of different lengths, the same every time.
fn requests(engine: &Engine, beams: usize) -> Vec<Request> {
    let vocabulary = engine.vocabulary_size() as u32;
    let options = DecodingOptions {
        num_beams: beams,
        min_tokens: TOKENS,
        max_tokens: TOKENS,
        end_loops: false,
        scored: true,
        ..engine.defaults()
    };
    let ids = |i: u32| {
        (0..3 + i).map(move |j| 4 + (i * 31 + j * 17) % (vocabulary - 5)).collect::<Vec<u32>>()
    };
    let request = |i| {
        let (prompt, source) = if engine.is_decoder_only() {
            (ids(i).iter().map(|id| format!("t{id}")).collect::<Vec<_>>().join(" "), None)
        } else {
            (String::new(), Some(ids(i)))
        };
        Request { prompt, source, options: options.clone(), ..Request::default() }
    };
    (0..REQUESTS).map(request).collect()
}

/// The logits after a few tokens, of two sequences at once.
fn logits(model: &str, runtime: &Runtime) -> Result<Vec<f32>> {
    let backend = runtime.backend();
    let path = Path::new(model);
    let model: Box<dyn Model> = if path.is_dir() {
        let (config, weights) = open_folder(path)?;
        arch::load(&config, &*weights, &backend)?
    } else {
        let (config, weights) = Gguf::open(path)?;
        arch::load(&config, &weights, &backend)?
    };
    let sources: [&[u32]; 2] = [&[5, 9, 7, 6, 2], &[8, 3]];
    let mut caches: Vec<KvCache> = match model.encoder() {
        Some(encoder) => encoder.encode(&sources)?.into_iter().map(KvCache::reading).collect(),
        None => sources.iter().map(|_| model.new_cache()).collect(),
    };
    let mut logits = Vec::new();
    for tokens in [[1, 4, 6], [3, 7, 2]] {
        let mut spans: Vec<Span<'_>> =
            caches.iter_mut().map(|cache| Span::new(&tokens, cache)).collect();
        let hidden = model.forward(&mut spans)?;
        let (before, vocabulary) = (logits.len(), model.output().vocabulary());
        logits.resize(before + sources.len() * vocabulary, 0.0);
        model.output().blocks(&hidden, |first, width, block| {
            for (row, block) in block.chunks_exact(width).enumerate() {
                let start = before + row * vocabulary + first;
                logits[start..start + width].copy_from_slice(block);
            }
        })?;
    }
    Ok(logits)
}
