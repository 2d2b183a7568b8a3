//! SmolLM3, some layers of which see no positions (Hugging Face 2025); reference: `transformers`'
//! `SmolLM3ForCausalLM`.

use super::decoder::{DecoderConfig, LayerConfig};
use super::{Model, Numbers, llama, qwen2};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

/// The base of rotary embeddings where a configuration states none.
const ROPE_BASE: f64 = 2e6;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "smollm3" };
    let base = llama::decoder(&numbers, weights, ROPE_BASE)?;
    // A list with 1 for each layer that rotates, or every so many layers one that does not; GGUF
    // files do not say.
    let listed = config.json("no_rope_layers").and_then(|list| list.as_array());
    let period = numbers.number("", "no_rope_layer_interval").map_or(4, |p| (p as usize).max(1));
    let rotates = |i: usize| match listed.and_then(|all| all.get(i)?.as_u64()) {
        Some(rotates) => rotates != 0,
        None => !(i + 1).is_multiple_of(period),
    };
    let layers = qwen2::layers(&numbers, base.layers.len())?.into_iter().enumerate();
    let layer =
        |(i, layer): (usize, LayerConfig)| LayerConfig { rope: rotates(i).then_some(0), ..layer };
    let decoder = DecoderConfig {
        layers: layers.map(layer).collect(),
        tied_output: numbers.is_tied(true),
        ..base
    };
    llama::build(decoder, &numbers, [&llama::HUB, &llama::GGUF], weights, backend)
}
