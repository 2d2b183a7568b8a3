//! What an encoder–decoder model writes, for comparing with other implementations: reads a JSON
//! array of `{"source": [ids]}` from standard input and prints a line of JSON with the output's ids
//! for each.
//!
//!     cargo run --release --example seq2seq -- FOLDER [--beam 4] \
//!         [--tokens 36] [--threads 2] [--batch 64] [--precision int8] < requests.json
//!
//! `--tokens N` forces exactly N tokens, a request's own `"tokens"` so many for it. `--scores 1`
//! has scores of greedy outputs too. With `--alone 1` each request waits for the one before.
//! Standard error gets the seconds of loading and of generation, and the peak memory.

use candle_core::Device;
use polygist::error::{Error, Result};
use polygist::generate::{DecodingOptions, Generate, Request};
use polygist::kernel::Precision;
use polygist::main_memory::Memory;
use polygist::model::{self, Runtime};
use std::collections::HashMap;
use std::time::Instant;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || {
        Error::Usage(
            "expected a folder, and flags in pairs: --beam --tokens --threads --batch --precision"
                .into(),
        )
    };
    let (folder, flags) = arguments.split_first().ok_or_else(usage)?;
    let flags: HashMap<&str, &str> = flags
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.as_str(), pair.get(1)?.as_str())))
        .collect();
    let number = |flag: &str, default: usize| {
        flags.get(flag).map_or(Ok(default), |n| n.parse().map_err(|_| usage()))
    };
    let precision =
        if flags.get("--precision") == Some(&"int8") { Precision::Int8 } else { Precision::F32 };
    let requests: Vec<serde_json::Value> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of requests: {e}")))?;

    let (memory, start) = (Memory::begin(), Instant::now());
    let runtime = Runtime {
        batch: number("--batch", 64)?,
        ..Runtime::new(Device::Cpu, precision, number("--threads", 2)?)
    };
    let engine = model::open(folder, folder.as_ref(), &runtime)?;
    let loaded = start.elapsed().as_secs_f64();
    let options = DecodingOptions {
        num_beams: number("--beam", 1)?,
        end_loops: false,
        scored: flags.get("--scores") == Some(&"1"),
        ..engine.defaults()
    };
    let tokens = number("--tokens", 0)?;
    let ids = |request: &serde_json::Value| -> Vec<u32> {
        request["source"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| u32::try_from(id.as_u64()?).ok())
            .collect()
    };
    let request = |request: &serde_json::Value| {
        let mut options = options.clone();
        let tokens = request["tokens"].as_u64().map_or(tokens, |n| n as usize);
        if tokens > 0 {
            (options.min_tokens, options.max_tokens) = (tokens, tokens);
        }
        Request { source: Some(ids(request)), options, ..Request::default() }
    };
    let requests: Vec<Request> = requests.iter().map(request).collect();
    let start = Instant::now();
    let together = if flags.get("--alone") == Some(&"1") { 1 } else { requests.len().max(1) };
    let mut outputs = Vec::new();
    for requests in requests.chunks(together) {
        outputs.extend(engine.generate(requests, &|_, _| true)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    for output in &outputs {
        println!("{}", serde_json::json!({"ids": output.ids, "score": output.score}));
    }
    let written: usize = outputs.iter().map(|o| o.tokens).sum();
    let peak = memory.peak().map_or("unknown".into(), |bytes| format!("{} kB", bytes / 1024));
    eprintln!(
        "loaded in {loaded:.2} s, {written} tokens in {seconds:.2} s ({:.0} tokens/s), peak memory {peak}",
        written as f64 / seconds
    );
    Ok(())
}
