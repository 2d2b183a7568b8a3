//! Phi-3 and Phi-4-mini (Abdin et al. 2024, arXiv:2404.14219); reference: `transformers`'
//! `Phi3ForCausalLM`.
//!
//! Models for long contexts have two sets of rotary embeddings, and choose by the length of the
//! text. Here they have the set for shorter ones, and a context that ends where it does.

use super::decoder::{DecoderConfig, LayerConfig, Naming};
use super::{Model, Numbers, llama, qwen2};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

pub(super) const GGUF: Naming = Naming {
    q: "",
    k: "",
    v: "",
    qkv: "attn_qkv.weight",
    gate: "",
    up: "",
    gate_up: "ffn_up.weight",
    ..qwen2::GGUF
};

pub(super) const HUB: Naming = Naming {
    q: "",
    k: "",
    v: "",
    qkv: "self_attn.qkv_proj.weight",
    gate: "",
    up: "",
    gate_up: "mlp.gate_up_proj.weight",
    ..llama::HUB
};

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "phi3" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let windows = numbers.windows(base.layers.len(), |_| true)?;
    let decoder = DecoderConfig {
        layers: windows.into_iter().map(|window| LayerConfig { window, rope: Some(0) }).collect(),
        fused: true,
        qkv_bias: false,
        o_bias: false,
        ..base
    };
    llama::build(decoder, &numbers, [&HUB, &GGUF], weights, backend)
}
