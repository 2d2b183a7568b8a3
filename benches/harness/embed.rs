//! What an encoder of sentences computes and how long that takes, for comparing with other
//! implementations: reads a JSON array of texts from standard input and prints, for each, a line of
//! JSON with its vector; on standard error, the milliseconds a text on one thread.
//!
//!     echo '["It rained."]' | cargo run --release --example embed -- FOLDER f32

use polygist::error::{Error, Result};
use polygist::kernel::Precision;
use polygist::model::{Runtime, open_sentence_encoder};
use std::io::Write;
use std::time::Instant;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::Usage("expected a folder, and f32 or int8".into());
    let folder = arguments.next().ok_or_else(usage)?;
    let precision = match arguments.next().as_deref() {
        Some("f32") => Precision::F32,
        Some("int8") => Precision::Int8,
        _ => return Err(usage()),
    };
    let texts: Vec<String> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of texts: {e}")))?;
    let runtime = Runtime::cpu().with_precision(precision)?;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.map_err(|e| Error::Usage(format!("no thread to compute with: {e}")))?;
    let begun = Instant::now();
    let encoder = one.install(|| open_sentence_encoder("encoder", folder.as_ref(), &runtime))?;
    let opened = begun.elapsed();
    // The first texts wake the caches.
    one.install(|| encoder.embed(&texts[..texts.len().min(32)]))?;
    let begun = Instant::now();
    let vectors = one.install(|| encoder.embed(&texts))?;
    let took = begun.elapsed().as_secs_f64() * 1e3 / texts.len().max(1) as f64;
    eprintln!("opened in {:.0} ms; {took:.2} ms a text", opened.as_secs_f64() * 1e3);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for vector in vectors {
        let line = serde_json::json!(vector);
        writeln!(out, "{line}").map_err(Error::io("writing", "standard output"))?;
    }
    Ok(())
}
