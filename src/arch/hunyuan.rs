//! Hunyuan's dense models, Hy-MT2, HY-MT1.5 and Hunyuan-MT among them (Tencent 2025); reference:
//! `transformers`' `HunYuanDenseV1ForCausalLM`.

use super::decoder::{DecoderConfig, Naming, QkNorm};
use super::rope_settings::{RopeLayers, RopeSettings};
use super::{Model, Numbers, llama, qwen3};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

/// As Qwen3's, whose norms stand before the rotation.
pub(super) const GGUF: Naming = qwen3::GGUF;

pub(super) const HUB: Naming = Naming {
    q_norm: "self_attn.query_layernorm.weight",
    k_norm: "self_attn.key_layernorm.weight",
    ..llama::HUB
};

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "hunyuan-dense" };
    let base = llama::decoder(&numbers, weights, llama::ROPE_BASE)?;
    let (head_dim, global) = (base.head_dim, RopeLayers::Global);
    let mut rope = RopeSettings::read(&numbers, weights, global, head_dim, llama::ROPE_BASE)?;
    let mut context_length = base.context_length;
    // NTK-aware scaling by a fixed factor, which makes the base larger. GGUF files state the base
    // that comes of it.
    if let Some(alpha) = numbers.number("", "rope_parameters/alpha|rope_scaling/alpha") {
        if !(alpha > 0.0 && alpha.is_finite()) || head_dim <= 2 {
            let message = format!(
                "its configuration scales rotary embeddings of {head_dim} by alpha = {alpha}; expected more than 2, by a number above 0"
            );
            return Err(Error::model(weights.model(), message));
        }
        rope.base *= alpha.powf(head_dim as f64 / (head_dim as f64 - 2.0));
        context_length = numbers.size("context_length", "max_position_embeddings")?;
    }
    let decoder = DecoderConfig {
        ropes: vec![rope.rope()],
        context_length,
        qk_norm: Some(QkNorm::AfterRope),
        ..base
    };
    llama::build(decoder, &numbers, [&HUB, &GGUF], weights, backend)
}
