//! The logits of an encoder–decoder model after given tokens, for comparing with other
//! implementations: reads a JSON array of `{"source": [ids], "decoder": [ids]}` from standard input
//! and prints a line of JSON with the logits of the next token for each.
//!
//!     cargo run --release --example logits -- FOLDER [f32|int8] < requests.json

use candle_core::Device;
use polygist::arch;
use polygist::error::{Error, Result};
use polygist::io::weights::open_folder;
use polygist::kernel::Precision;
use polygist::nn::{Backend, KvCache, Span};

fn main() -> Result<()> {
    let usage = |why: &str| Error::Usage(why.to_string());
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| usage("expected a folder, and f32 or int8"))?;
    let precision = match arguments.next().as_deref() {
        None | Some("f32") => Precision::F32,
        Some("int8") => Precision::Int8,
        Some(_) => return Err(usage("the precisions are f32 and int8")),
    };
    let requests: Vec<serde_json::Value> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| usage(&format!("standard input is no array of requests: {e}")))?;

    let (config, weights) = open_folder(folder.as_ref())?;
    let model = arch::load(&config, &*weights, &Backend::new(Device::Cpu, precision))?;
    let encoder = model
        .encoder()
        .ok_or_else(|| usage("this model has no encoder; the example `reference` is for those"))?;
    for request in &requests {
        let ids = |field: &str| -> Vec<u32> {
            request[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| u32::try_from(id.as_u64()?).ok())
                .collect()
        };
        let memory = encoder
            .encode(&[&ids("source")])?
            .pop()
            .ok_or_else(|| usage("the encoder gave nothing back"))?;
        let mut cache = KvCache::reading(memory);
        let hidden = model.forward(&mut [Span::new(&ids("decoder"), &mut cache)])?;
        let mut logits: Vec<f32> = Vec::new();
        model.output().blocks(&hidden, |_, _, block| logits.extend_from_slice(block))?;
        println!("{}", serde_json::json!({ "logits": logits }));
    }
    Ok(())
}
