//! How much batching brings: new tokens a second, one sequence at a time and many, on one thread,
//! with the same code and the same results.
//!
//!     cargo bench --bench batching -- MODEL.gguf
//!
//! The path of an installed model: `polygist models info gemma-3-270m`.

use candle_core::Device;
use polygist::error::Result;
use polygist::generate::{DecodingOptions, Generate, Request};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use std::time::Instant;

const PREFIX: &str = "English: The river rose by 40 centimetres on Monday.\nFrench: La rivière est montée de 40 centimètres lundi.\n\nEnglish: ";
const SENTENCES: usize = 32;
const TOKENS: usize = 32;

fn main() -> Result<()> {
    let Some(path) = std::env::args().skip(1).find(|a| a.ends_with(".gguf")) else {
        println!(
            "no model is named, nothing is measured: cargo bench --bench batching -- MODEL.gguf"
        );
        return Ok(());
    };
    let request = |i: usize| Request {
        prefix: PREFIX.into(),
        prompt: format!(
            "On day {i} the town council discussed the {i} bridges, parks and schools that need repairs."
        ),
        suffix: "\nFrench:".into(),
        options: DecodingOptions { max_tokens: TOKENS, ..DecodingOptions::default() },
        ..Request::default()
    };
    let requests: Vec<Request> = (0..SENTENCES).map(request).collect();
    for precision in [Precision::F32, Precision::Int8] {
        let mut first: Option<(f64, Vec<String>)> = None;
        for batch in [1, 4, 16, 32] {
            let runtime = Runtime { batch, ..Runtime::new(Device::Cpu, precision, 1) };
            let engine = model::open("bench", path.as_ref(), &runtime)?;
            // The prefix is read, and the memory touched, before the clock runs.
            engine.generate(&requests[..1], &|_, _| true)?;
            let start = Instant::now();
            let outputs = engine.generate(&requests, &|_, _| true)?;
            let rate = outputs.iter().map(|o| o.tokens).sum::<usize>() as f64
                / start.elapsed().as_secs_f64();
            let texts: Vec<String> = outputs.into_iter().map(|o| o.text).collect();
            let (single, expected) = first.get_or_insert_with(|| (rate, texts.clone()));
            let same = if *expected == texts { "same text" } else { "OTHER TEXT" };
            println!(
                "{precision:?} batch {batch:>2}: {rate:>7.1} tokens/s, {:>4.1} times one at a time, {same}",
                rate / *single
            );
        }
    }
    Ok(())
}
