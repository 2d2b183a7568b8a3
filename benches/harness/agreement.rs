//! How far 8-bit weights are from 32-bit ones on given texts: reads a JSON array of texts from
//! standard input, lets the model read each with both, and says at how many places the likeliest
//! next token is the same, and how far apart the two distributions are.
//!
//!     echo '["French: Bonjour.\nEnglish: Good morning."]' \
//!         | cargo run --release --example agreement -- model.gguf [ADAPTER]

use candle_core::Device;
use polygist::arch::{self, Model};
use polygist::error::{Error, Result};
use polygist::io::weights::{Adapter, Gguf};
use polygist::kernel::Precision;
use polygist::nn::{Backend, KvCache, Span};
use polygist::token::Tokenizer;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or_else(|| {
        Error::Usage("expected a GGUF file and, if there is one, an adapter's folder".into())
    })?;
    let adapter = arguments.next();
    let texts: Vec<String> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of texts: {e}")))?;

    let (config, weights) = Gguf::open(path.as_ref())?;
    let tokenizer = Tokenizer::from_gguf(&config, &path)?;
    let load = |precision| -> Result<Box<dyn Model>> {
        let changes = adapter
            .as_deref()
            .map(|folder| Adapter::open(folder.as_ref()))
            .transpose()?
            .unwrap_or_default()
            .changes;
        arch::load(
            &config,
            &arch::adapt(&config, &weights, changes)?,
            &Backend::new(Device::Cpu, precision),
        )
    };
    let models = [load(Precision::F32)?, load(Precision::Int8)?];
    let mut ids: Vec<Vec<u32>> = Vec::new();
    for text in &texts {
        ids.push(tokenizer.begin().into_iter().chain(tokenizer.encode(text)?).collect());
    }

    let (mut places, mut same, mut divergence) = (0usize, 0usize, 0.0f64);
    for ids in ids.chunks(32) {
        let mut caches = models
            .each_ref()
            .map(|model| ids.iter().map(|_| model.new_cache()).collect::<Vec<KvCache>>());
        for at in 0..ids.iter().map(Vec::len).max().unwrap_or(0) {
            let mut logits = [Vec::new(), Vec::new()];
            for ((model, caches), logits) in models.iter().zip(&mut caches).zip(&mut logits) {
                let tokens = ids.iter().zip(caches).filter(|(ids, _)| at < ids.len());
                let mut spans: Vec<Span<'_>> =
                    tokens.map(|(ids, cache)| Span::new(&ids[at..=at], cache)).collect();
                *logits = vec![Vec::new(); spans.len()];
                let hidden = model.forward(&mut spans)?;
                model.output().blocks(&hidden, |_, width, block| {
                    logits
                        .iter_mut()
                        .zip(block.chunks_exact(width))
                        .for_each(|(all, part)| all.extend_from_slice(part));
                })?;
            }
            let [exact, rounded] = &logits;
            for (exact, rounded) in exact.iter().zip(rounded) {
                places += 1;
                same += usize::from(likeliest(exact) == likeliest(rounded));
                divergence += apart(exact, rounded);
            }
        }
    }
    let share = 100.0 * same as f64 / places.max(1) as f64;
    println!(
        "{places} places: the likeliest token is the same at {share:.2}%, mean divergence {:.6} nats",
        divergence / places.max(1) as f64
    );
    Ok(())
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
}

/// The Kullback–Leibler divergence of the second distribution from the first.
fn apart(exact: &[f32], rounded: &[f32]) -> f64 {
    let total = |logits: &[f32]| {
        let largest = logits.iter().copied().fold(f32::MIN, f32::max);
        f64::from(largest) + logits.iter().map(|&l| f64::from(l - largest).exp()).sum::<f64>().ln()
    };
    let (p, q) = (total(exact), total(rounded));
    exact
        .iter()
        .zip(rounded)
        .map(|(&a, &b)| (f64::from(a) - p, f64::from(b) - q))
        .map(|(a, b)| a.exp() * (a - b))
        .sum()
}
