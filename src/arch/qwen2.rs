//! Qwen2 and Qwen2.5 (Qwen Team 2024, arXiv:2407.10671); reference: `transformers`'
//! `Qwen2ForCausalLM`.

use super::decoder::{DecoderConfig, LayerConfig, Naming};
use super::{Model, Numbers, llama};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

/// Llama's names; queries and keys lie as they are rotated.
pub(super) const GGUF: Naming = Naming { interleaved_rope: false, ..llama::GGUF };

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "qwen2" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let decoder = DecoderConfig {
        layers: layers(&numbers, base.layers.len())?,
        qkv_bias: numbers.has_part(weights, "blk.0.attn_q.bias", "", true),
        o_bias: false,
        ..base
    };
    llama::build(decoder, &numbers, [&llama::HUB, &GGUF], weights, backend)
}

/// Layers with a window only where a switch asks for it: then all but the first few.
pub(super) fn layers(numbers: &Numbers<'_>, count: usize) -> Result<Vec<LayerConfig>> {
    if !numbers.flag("use_sliding_window", false) {
        return Ok(LayerConfig::alike(count));
    }
    let first = numbers.number("", "max_window_layers").map_or(0, |first| first as usize);
    let windows = numbers.windows(count, |i| i >= first)?;
    Ok(windows.into_iter().map(|window| LayerConfig { window, rope: Some(0) }).collect())
}
