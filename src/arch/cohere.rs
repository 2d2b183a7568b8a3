//! Cohere's Command R and Aya, the second generation too (Cohere 2024); reference: `transformers`'
//! `CohereForCausalLM` and `Cohere2ForCausalLM`.

use super::decoder::{DecoderConfig, LayerConfig, Naming};
use super::{Model, Numbers, llama};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

/// Llama's names, but for the norm of the feed-forward layers, which they do not have.
pub(super) const GGUF: Naming = Naming { feed_forward_norm: "", ..llama::GGUF };
pub(super) const HUB: Naming =
    Naming { feed_forward_norm: "", interleaved_rope: true, ..llama::HUB };

/// Where `config.json` states none.
const LOGIT_SCALE: f64 = 0.0625;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "command-r" };
    if numbers.has_part(weights, "blk.0.attn_q_norm.weight", "use_qk_norm", false) {
        let message = "its queries and keys have norms (use_qk_norm), as the largest models of this family have; they are not supported";
        return Err(Error::model(weights.model(), message));
    }
    let base = llama::decoder(&numbers, weights, 5e5)?;
    parallel(base, &numbers, weights, backend)
}

/// The second generation: layers with a window rotate, the others do not.
pub(super) fn load_second(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "cohere2" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let period = numbers.number("", "sliding_window_pattern").map_or(4, |p| (p as usize).max(1));
    let windows = numbers.windows(base.layers.len(), |i| !(i + 1).is_multiple_of(period))?;
    let layer = |window: Option<usize>| LayerConfig { window, rope: window.map(|_| 0) };
    let layers = windows.into_iter().map(layer).collect();
    parallel(DecoderConfig { layers, ..base }, &numbers, weights, backend)
}

fn parallel(
    config: DecoderConfig,
    numbers: &Numbers<'_>,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let decoder = DecoderConfig {
        mean_norm: true,
        parallel: true,
        logit_scale: numbers.number("logit_scale", "logit_scale").unwrap_or(LOGIT_SCALE),
        tied_output: numbers.is_tied(true),
        ..config
    };
    llama::build(decoder, numbers, [&HUB, &GGUF], weights, backend)
}
