//! Gemma 2, and what was made of it: GemmaX2, Tower+ (Gemma Team 2024, arXiv:2408.00118);
//! reference: `transformers`' `Gemma2ForCausalLM`.

use super::decoder::{DecoderConfig, LayerConfig, Naming};
use super::{Model, Numbers, gemma3, llama};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::kernel::Activation;
use crate::nn::Backend;

/// As Gemma 3, whose queries and keys have norms besides.
pub(super) const GGUF: Naming = Naming { q_norm: "", k_norm: "", ..gemma3::GGUF };
pub(super) const HUB: Naming = Naming { q_norm: "", k_norm: "", ..gemma3::HUB };

/// Layers of the 27B model, whose scores have a scale that its GGUF files do not state.
const LARGEST: usize = 46;
/// The caps of all published models, for files that leave them out.
const SCORE_CAP: f64 = 50.0;
const LOGIT_CAP: f64 = 30.0;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "gemma2" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let largest = matches!(config, Config::Gguf(_)) && base.layers.len() == LARGEST;
    let query_width =
        numbers.number("attention.query_pre_attn_scalar", "query_pre_attn_scalar").unwrap_or(
            if largest { base.dim as f64 / base.heads as f64 } else { base.head_dim as f64 },
        );
    let cap = |key: &str, default: f64| -> Option<f32> {
        // One that is null is none.
        let cap = match config.json(key) {
            Some(value) => value.as_f64(),
            None => numbers.number(key, key).or(Some(default)),
        };
        cap.filter(|cap| *cap > 0.0).map(|cap| cap as f32)
    };
    // Every other layer, the first included.
    let windows = numbers.windows(base.layers.len(), |i| i.is_multiple_of(2))?;
    let decoder = DecoderConfig {
        layers: windows.into_iter().map(|window| LayerConfig { window, rope: Some(0) }).collect(),
        activation: Activation::GeluTanh,
        embedding_scale: f64::from((base.dim as f32).sqrt()),
        attention_scale: query_width.sqrt().recip() as f32,
        score_cap: cap("attn_logit_softcapping", SCORE_CAP),
        logit_cap: cap("final_logit_softcapping", LOGIT_CAP),
        post_norm: true,
        tied_output: numbers.is_tied(true),
        ..base
    };
    llama::build(decoder, &numbers, [&HUB, &GGUF], weights, backend)
}
