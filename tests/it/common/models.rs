//! Models of the fixtures, opened.

use polygist::arch::{self, Encoder, Model};
use polygist::generate::Engine;
use polygist::io::weights::open_folder;
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use polygist::nn::{Backend, KvCache, Span};
use std::path::Path;

use candle_core::Device;

/// The CPU, so many threads, and as many sequences at a time as suits them.
pub fn cpu(precision: Precision, threads: usize) -> Runtime {
    Runtime::new(Device::Cpu, precision, threads)
}

/// The same, with at most so many sequences at a time.
pub fn batches(precision: Precision, threads: usize, batch: usize) -> Runtime {
    Runtime { batch, ..cpu(precision, threads) }
}

/// The engine of a folder or a GGUF file.
pub fn engine(path: &Path, runtime: &Runtime) -> Engine {
    model::open("fixture", path, runtime).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The network alone of a folder.
pub fn load(folder: &Path, precision: Precision) -> Box<dyn Model> {
    let (config, weights) = open_folder(folder).unwrap();
    arch::load(&config, &*weights, &Backend::new(Device::Cpu, precision)).unwrap()
}

/// The logits of a model after the tokens `decoder`, over the whole vocabulary; one that has an
/// encoder reads `source` with it.
pub fn logits(model: &dyn Model, source: &[u32], decoder: &[u32]) -> Vec<f32> {
    let reading =
        |encoder: &dyn Encoder| KvCache::reading(encoder.encode(&[source]).unwrap().remove(0));
    let mut cache = model.encoder().map_or_else(|| model.new_cache(), reading);
    next_logits(model, decoder, &mut cache)
}

/// The log-probability of each token of a student's output after those before it, with the whole
/// vocabulary or some of it; a token of the output always might come.
pub fn log_probabilities(
    model: &dyn Model,
    source: &[u32],
    targets: &[u32],
    tokens: Option<&[u32]>,
) -> Vec<f32> {
    let memory = model.encoder().unwrap().encode(&[source]).unwrap().remove(0);
    let mut cache = KvCache::reading(memory);
    // What a student's decoder starts with.
    let mut before = model.output().vocabulary() as u32;
    let mut found = Vec::new();
    for &target in targets {
        let logits = next_logits(model, &[before], &mut cache);
        let seen =
            |token: u32| token == target || tokens.is_none_or(|tokens| tokens.contains(&token));
        let total: f64 = (0..)
            .zip(&logits)
            .filter(|(token, _)| seen(*token))
            .map(|(_, l)| f64::from(*l).exp())
            .sum();
        found.push((f64::from(logits[target as usize]) - total.ln()) as f32);
        before = target;
    }
    found
}

/// The logits after some more tokens.
pub fn next_logits(model: &dyn Model, tokens: &[u32], cache: &mut KvCache) -> Vec<f32> {
    let hidden = model.forward(&mut [Span::new(tokens, cache)]).unwrap();
    let mut logits = Vec::new();
    model.output().blocks(&hidden, |_, _, block| logits.extend_from_slice(block)).unwrap();
    logits
}
