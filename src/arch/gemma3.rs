//! Gemma 3, text only (Gemma Team 2025, arXiv:2503.19786); reference: `transformers`'
//! `Gemma3ForCausalLM`.

use super::decoder::{Decoder, DecoderConfig, Naming, Sliding};
use super::{Model, Numbers, llama};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::kernel::Activation;
use crate::nn::Backend;

/// The parts that Gemma has in common with Llama have the same names.
pub(super) const GGUF: Naming = Naming {
    q_norm: "attn_q_norm.weight",
    k_norm: "attn_k_norm.weight",
    post_attention_norm: "post_attention_norm.weight",
    post_feed_forward_norm: "post_ffw_norm.weight",
    interleaved_rope: false,
    ..llama::GGUF
};

pub(super) const HUB: Naming = Naming {
    q_norm: "self_attn.q_norm.weight",
    k_norm: "self_attn.k_norm.weight",
    post_attention_norm: "post_attention_layernorm.weight",
    feed_forward_norm: "pre_feedforward_layernorm.weight",
    post_feed_forward_norm: "post_feedforward_layernorm.weight",
    norm_offset: 1.0,
    ..llama::HUB
};

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "gemma3" };
    numbers.no_scaled_rope(weights)?;
    let dim = numbers.size("embedding_length", "hidden_size")?;
    let head_dim = numbers.size("attention.key_length", "head_dim")?;
    // The scale of the scores is 1/√head_dim except in the 27B model, whose files say so.
    let query_width = numbers
        .number("attention.query_pre_attn_scalar", "query_pre_attn_scalar")
        .unwrap_or(head_dim as f64);
    let config = DecoderConfig {
        layers: numbers.size("block_count", "num_hidden_layers")?,
        dim,
        heads: numbers.size("attention.head_count", "num_attention_heads")?,
        kv_heads: numbers.size("attention.head_count_kv", "num_key_value_heads")?,
        head_dim,
        hidden: numbers.size("feed_forward_length", "intermediate_size")?,
        epsilon: numbers.float("attention.layer_norm_rms_epsilon", "rms_norm_eps")? as f32,
        context_length: numbers.size("context_length", "max_position_embeddings")?,
        activation: Activation::GeluTanh,
        embedding_scale: f64::from((dim as f32).sqrt()),
        attention_scale: query_width.sqrt().recip() as f32,
        rope_base: numbers
            .number("rope.freq_base", "rope_theta|rope_parameters/full_attention/rope_theta")
            .unwrap_or(1e6),
        sliding: Some(Sliding {
            window: numbers.size("attention.sliding_window", "sliding_window")?,
            period: numbers
                .number(
                    "attention.sliding_window_pattern",
                    "sliding_window_pattern|_sliding_window_pattern",
                )
                .map_or(6, |p| (p as usize).max(1)),
            rope_base: numbers
                .number(
                    "rope.freq_base_swa",
                    "rope_local_base_freq|rope_parameters/sliding_attention/rope_theta",
                )
                .unwrap_or(1e4),
        }),
        qk_norm: true,
        post_norm: true,
        tied_output: numbers.is_tied(true),
    };
    let naming = if matches!(numbers.config, Config::Gguf(_)) { &GGUF } else { &HUB };
    Ok(Box::new(Decoder::load(config, naming, weights, backend)?))
}
