//! Mistral and Ministral, Seed-X among what was made of them (Jiang et al. 2023); reference:
//! `transformers`' `MistralForCausalLM`, `MinistralForCausalLM` and `Ministral3ForCausalLM`.
//!
//! GGUF files of the older ones call themselves Llama's. Ministral 3 lengthens its queries beyond
//! the positions that it was first trained on; here that is where its context ends.

use super::decoder::{DecoderConfig, LayerConfig};
use super::{Model, Numbers, llama};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "mistral3" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    // Where there is a window, all layers have it, unless they are listed.
    let windows = numbers.windows(base.layers.len(), |_| true)?;
    let layers = windows.into_iter().map(|window| LayerConfig { window, rope: Some(0) }).collect();
    let decoder = DecoderConfig { layers, ..base };
    llama::build(decoder, &numbers, [&llama::HUB, &llama::GGUF], weights, backend)
}
