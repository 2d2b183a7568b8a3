//! How fast the engine generates with a model's own weights, for comparing with other
//! implementations. It says what loading took, and then, for each line `sequences prompt new batch`
//! of standard input, the seconds that so many prompts of so many tokens and exactly so many new
//! tokens each take, so many sequences at once for each thread: a line of JSON each.
//!
//!     echo "1 32 64 1" | cargo run --release --example generation -- model.gguf int4 2

use polygist::error::{Error, Result};
use polygist::generate::{DecodingOptions, Generate, Request};
use polygist::model::{self, Runtime};
use serde_json::json;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::Usage("expected a model, a precision and a number of threads".into());
    let [path, precision, threads] = &arguments[..] else { return Err(usage()) };
    let threads: usize = threads.parse().map_err(|_| usage())?;
    let runtime = Runtime { threads, ..Runtime::cpu() }.with_precision(precision.parse()?)?;
    let begun = Instant::now();
    let mut engine = model::open("model", path.as_ref(), &runtime)?;
    say(json!({"load": begun.elapsed().as_secs_f64(), "peak": peak()}));
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(Error::io("reading", Path::new("standard input")))?;
        let numbers: Vec<usize> = line.split_whitespace().map_while(|n| n.parse().ok()).collect();
        let &[sequences, prompt, new, batch] = &numbers[..] else { return Err(usage()) };
        let options = DecodingOptions {
            max_tokens: new,
            min_tokens: new,
            end_loops: false,
            scored: false,
            ..DecodingOptions::default()
        };
        // A token each, in the vocabularies of language models.
        const WORDS: [&str; 5] = [" the", " house", " of", " my", " father"];
        let text = |number: usize| (0..prompt).map(|i| WORDS[(i + number) % WORDS.len()]).collect();
        let requests: Vec<Request> = (0..sequences)
            .map(|number| Request {
                prompt: text(number),
                options: options.clone(),
                ..Request::default()
            })
            .collect();
        engine = engine.with_settings(Runtime { batch, ..runtime.clone() }.settings())?;
        let begun = Instant::now();
        let outputs = engine.generate(&requests, &|_, _| true)?;
        let seconds = begun.elapsed().as_secs_f64();
        let read: usize = outputs.iter().map(|output| output.prompt_tokens).sum();
        let written: usize = outputs.iter().map(|output| output.tokens).sum();
        say(json!({"seconds": seconds, "read": read, "written": written, "peak": peak()}));
    }
    Ok(())
}

fn say(line: serde_json::Value) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

/// The most memory that the process has had, in bytes; null where the system does not say.
fn peak() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
