//! What the engine computes, for comparing with other implementations: reads a JSON array of
//! prompts from standard input and prints, for each, a line of JSON with its token ids, the logits
//! after it, and its greedy continuation (f32, no batching).
//!
//!     echo '["The capital of France is"]' \
//!         | cargo run --release --example reference -- model.gguf 20
//!
//! With 0 new tokens it only tokenizes.

use polygist::error::{Error, Result};
use polygist::io::weights::Gguf;
use polygist::kernel::Precision;
use polygist::nn::{Backend, Span};
use polygist::token::Tokenizer;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::Usage("expected a GGUF file and a number of new tokens".into());
    let path = arguments.next().ok_or_else(usage)?;
    let new_tokens: usize = arguments.next().and_then(|n| n.parse().ok()).ok_or_else(usage)?;
    let prompts: Vec<String> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of texts: {e}")))?;

    let (config, weights) = Gguf::open(path.as_ref())?;
    let tokenizer = Tokenizer::from_gguf(&config, &path)?;
    let backend = Backend::new(candle_core::Device::Cpu, Precision::F32);
    let model = if new_tokens > 0 {
        Some(polygist::arch::load(&config, &weights, &backend)?)
    } else {
        None
    };
    for prompt in prompts {
        let mut ids: Vec<u32> = tokenizer.begin().into_iter().collect();
        ids.extend(tokenizer.encode(&prompt)?);
        let (mut first, mut written) = (Vec::new(), Vec::new());
        if let Some(model) = &model {
            let mut cache = model.new_cache();
            let mut next = ids.clone();
            while written.len() < new_tokens {
                let hidden = model.forward(&mut [Span::new(&next, &mut cache)])?;
                let mut logits: Vec<f32> = Vec::new();
                model.output().blocks(&hidden, |_, _, block| logits.extend_from_slice(block))?;
                let best = (0..logits.len())
                    .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
                    .unwrap_or_default() as u32;
                if written.is_empty() {
                    first = logits;
                }
                written.push(best);
                next = vec![best];
            }
        }
        println!("{}", serde_json::json!({"ids": ids, "logits": first, "greedy": written}));
    }
    Ok(())
}
