//! Llama 1 to 3 and its like, SmolLM2, EuroLLM and Salamandra among them (Touvron et al. 2023;
//! Grattafiori et al. 2024); reference: `transformers`' `LlamaForCausalLM`.

use super::decoder::{Decoder, DecoderConfig, LayerConfig, Naming};
use super::rope_settings::{RopeLayers, RopeSettings};
use super::{Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

pub(super) const GGUF: Naming = Naming {
    embedding: "token_embd.weight",
    output: "output.weight",
    output_norm: "output_norm.weight",
    layer: "blk.{}.",
    attention_norm: "attn_norm.weight",
    q: "attn_q.weight",
    k: "attn_k.weight",
    v: "attn_v.weight",
    o: "attn_output.weight",
    qkv: "",
    q_norm: "",
    k_norm: "",
    post_attention_norm: "",
    feed_forward_norm: "ffn_norm.weight",
    gate: "ffn_gate.weight",
    up: "ffn_up.weight",
    gate_up: "",
    down: "ffn_down.weight",
    post_feed_forward_norm: "",
    norm_offset: 0.0,
    interleaved_rope: true,
};

pub(super) const HUB: Naming = Naming {
    embedding: "model.embed_tokens.weight",
    output: "lm_head.weight",
    output_norm: "model.norm.weight",
    layer: "model.layers.{}.",
    attention_norm: "input_layernorm.weight",
    q: "self_attn.q_proj.weight",
    k: "self_attn.k_proj.weight",
    v: "self_attn.v_proj.weight",
    o: "self_attn.o_proj.weight",
    feed_forward_norm: "post_attention_layernorm.weight",
    gate: "mlp.gate_proj.weight",
    up: "mlp.up_proj.weight",
    down: "mlp.down_proj.weight",
    interleaved_rope: false,
    ..GGUF
};

/// The base of rotary embeddings where a configuration states none.
pub(super) const ROPE_BASE: f64 = 1e4;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "llama" };
    let config = decoder(&numbers, weights, ROPE_BASE)?;
    build(config, &numbers, [&HUB, &GGUF], weights, backend)
}

/// The sizes and switches of Llama, which other families change a few of; `rope_base` stands in
/// for one that is not stated.
pub(super) fn decoder(
    numbers: &Numbers<'_>,
    weights: &dyn Weights,
    rope_base: f64,
) -> Result<DecoderConfig> {
    let dim = numbers.size("embedding_length", "hidden_size")?;
    let heads = numbers.size("attention.head_count", "num_attention_heads")?;
    let head_dim =
        numbers.optional_size("attention.key_length", "head_dim")?.unwrap_or(dim / heads);
    if numbers.flag("mlp_bias", false) {
        let message =
            "its feed-forward layers have biases (mlp_bias), which this family's have not";
        return Err(Error::model(weights.model(), message));
    }
    let rope = RopeSettings::read(numbers, weights, RopeLayers::Global, head_dim, rope_base)?;
    let has_bias = |bias: &str| numbers.has_part(weights, bias, "attention_bias", false);
    Ok(DecoderConfig {
        layers: LayerConfig::alike(numbers.size("block_count", "num_hidden_layers")?),
        dim,
        heads,
        kv_heads: numbers
            .optional_size("attention.head_count_kv", "num_key_value_heads")?
            .unwrap_or(heads),
        head_dim,
        hidden: numbers.size("feed_forward_length", "intermediate_size")?,
        epsilon: numbers
            .float("attention.layer_norm_rms_epsilon", "rms_norm_eps|layer_norm_eps")
            .or_else(|e| numbers.number("attention.layer_norm_epsilon", "").ok_or(e))?
            as f32,
        context_length: rope.limited(numbers.size("context_length", "max_position_embeddings")?),
        activation: numbers.activation("hidden_act", "silu")?,
        embedding_scale: 1.0,
        attention_scale: (head_dim as f32).sqrt().recip(),
        score_cap: None,
        logit_cap: None,
        logit_scale: 1.0,
        ropes: vec![rope.rope()],
        qk_norm: None,
        qkv_bias: has_bias("blk.0.attn_q.bias"),
        o_bias: has_bias("blk.0.attn_output.bias"),
        fused: false,
        mean_norm: false,
        parallel: false,
        post_norm: false,
        tied_output: numbers.is_tied(false),
    })
}

/// Builds a decoder whose weights have the first names in the Hub's layout, the second in GGUF
/// files.
pub(super) fn build(
    config: DecoderConfig,
    numbers: &Numbers<'_>,
    [hub, gguf]: [&Naming; 2],
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let naming = if matches!(numbers.config, Config::Gguf(_)) { gguf } else { hub };
    Ok(Box::new(Decoder::load(config, naming, weights, backend)?))
}
