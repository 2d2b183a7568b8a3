//! How much batching brings: new tokens a second, one sequence at a time and many, on one thread,
//! with the same code and the same results; and how much of it is left when the sequences come from
//! sixteen callers, one by one, on all cores.
//!
//!     cargo bench --bench batching -- MODEL.gguf
//!
//! The path of an installed model: `polygist models info gemma-3-270m`.

use candle_core::Device;
use polygist::error::Result;
use polygist::generate::{DecodingOptions, Generate, Output, Request};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use std::path::Path;
use std::time::Instant;

const PREFIX: &str = "English: The river rose by 40 centimetres on Monday.\nFrench: La rivière est montée de 40 centimètres lundi.\n\nEnglish: ";
const SENTENCES: usize = 32;
const TOKENS: usize = 32;
const CALLERS: usize = 16;
/// Sentences of each caller.
const OF_A_CALLER: usize = 8;

fn main() -> Result<()> {
    let Some(path) = std::env::args().skip(1).find(|a| a.ends_with(".gguf")) else {
        println!(
            "no model is named, nothing is measured: cargo bench --bench batching -- MODEL.gguf"
        );
        return Ok(());
    };
    for precision in [Precision::F32, Precision::Int8] {
        one_call(path.as_ref(), precision)?;
        many_callers(path.as_ref(), precision)?;
    }
    Ok(())
}

fn requests(count: usize) -> Vec<Request> {
    let request = |i: usize| Request {
        prefix: PREFIX.into(),
        prompt: format!(
            "On day {i} the town council discussed the {i} bridges, parks and schools that need repairs."
        ),
        suffix: "\nFrench:".into(),
        options: DecodingOptions { max_tokens: TOKENS, ..DecodingOptions::default() },
        ..Request::default()
    };
    (0..count).map(request).collect()
}

/// New tokens a second, and the texts.
fn rate(start: Instant, outputs: Vec<Output>) -> (f64, Vec<String>) {
    let tokens: usize = outputs.iter().map(|output| output.tokens).sum();
    let rate = tokens as f64 / start.elapsed().as_secs_f64();
    (rate, outputs.into_iter().map(|output| output.text).collect())
}

fn same(expected: &[String], found: &[String]) -> &'static str {
    if expected == found { "same text" } else { "OTHER TEXT" }
}

/// One call on one thread, with batches of several sizes.
fn one_call(path: &Path, precision: Precision) -> Result<()> {
    let requests = requests(SENTENCES);
    let mut first: Option<(f64, Vec<String>)> = None;
    for batch in [1, 4, 16, 32] {
        let runtime = Runtime { batch, ..Runtime::new(Device::Cpu, precision, 1) };
        let engine = model::open("bench", path, &runtime)?;
        // The prefix is read, and the memory touched, before the clock runs.
        engine.generate(&requests[..1], &|_, _| true)?;
        let start = Instant::now();
        let (rate, texts) = rate(start, engine.generate(&requests, &|_, _| true)?);
        let (single, expected) = first.get_or_insert_with(|| (rate, texts.clone()));
        println!(
            "{precision:?} batch {batch:>2}: {rate:>7.1} tokens/s, {:>4.1} times one at a time, {}",
            rate / *single,
            same(expected, &texts)
        );
    }
    Ok(())
}

/// Callers that submit their sentences one after the other, in turns, beside one call with all of
/// them: with the usual batch, and with one that has as many in the works as there are callers.
fn many_callers(path: &Path, precision: Precision) -> Result<()> {
    let requests = requests(CALLERS * OF_A_CALLER);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let usual = Runtime::new(Device::Cpu, precision, cores);
    let alike = Runtime { batch: CALLERS.div_ceil(cores), ..usual.clone() };
    let (engine, alike) =
        (model::open("bench", path, &usual)?, model::open("bench", path, &alike)?);
    for engine in [&engine, &alike] {
        engine.generate(&requests[..1], &|_, _| true)?;
    }
    let of_a_caller = &|own: &[Request]| -> Result<Vec<Output>> {
        own.iter().map(|request| engine.submit(request.clone())?.wait()).collect()
    };
    for _ in 0..3 {
        let start = Instant::now();
        let (one, expected) = rate(start, engine.generate(&requests, &|_, _| true)?);
        let start = Instant::now();
        let (bound, _) = rate(start, alike.generate(&requests, &|_, _| true)?);
        let start = Instant::now();
        let outputs = std::thread::scope(|scope| {
            let start = |own| scope.spawn(move || of_a_caller(own));
            let callers: Vec<_> = requests.chunks(OF_A_CALLER).map(start).collect();
            callers.into_iter().map(join).collect::<Result<Vec<_>>>()
        })?;
        let (many, texts) = rate(start, outputs.concat());
        println!(
            "{precision:?} {cores} threads: {one:>7.1} tokens/s in one call, {bound:>7.1} with {CALLERS} at \
             once, {many:>7.1} from {CALLERS} callers, {:>3.0} %, {}",
            many / bound * 100.0,
            same(&expected, &texts)
        );
    }
    Ok(())
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
