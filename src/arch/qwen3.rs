//! Qwen3, LMT-60 among what was made of it (Qwen Team 2025, arXiv:2505.09388); reference:
//! `transformers`' `Qwen3ForCausalLM`.

use super::decoder::{DecoderConfig, Naming, QkNorm};
use super::{Model, Numbers, llama, qwen2};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

pub(super) const GGUF: Naming =
    Naming { q_norm: "attn_q_norm.weight", k_norm: "attn_k_norm.weight", ..qwen2::GGUF };

pub(super) const HUB: Naming =
    Naming { q_norm: "self_attn.q_norm.weight", k_norm: "self_attn.k_norm.weight", ..llama::HUB };

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "qwen3" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let decoder = DecoderConfig {
        layers: qwen2::layers(&numbers, base.layers.len())?,
        qk_norm: Some(QkNorm::BeforeRope),
        ..base
    };
    llama::build(decoder, &numbers, [&HUB, &GGUF], weights, backend)
}
