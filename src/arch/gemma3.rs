//! Gemma 3, text only, also out of the files of the models that see images (Gemma Team 2025,
//! arXiv:2503.19786); reference: `transformers`' `Gemma3ForCausalLM`.

use super::decoder::{DecoderConfig, LayerConfig, Naming, QkNorm};
use super::rope_settings::{RopeLayers, RopeSettings};
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

/// What published files of larger models leave out of `config.json`: the sizes of the 4B model.
const HEADS: usize = 8;
const KV_HEADS: usize = 4;
const HEAD_DIM: usize = 256;
const CONTEXT_LENGTH: usize = 131_072;
const EPSILON: f64 = 1e-6;
/// Layers of the 27B model.
const LARGEST: usize = 62;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "gemma3" };
    let dim = numbers.size("embedding_length", "hidden_size")?;
    let layers = numbers.size("block_count", "num_hidden_layers")?;
    let heads = numbers.size_or("attention.head_count", "num_attention_heads", HEADS)?;
    let head_dim = numbers.size_or("attention.key_length", "head_dim", HEAD_DIM)?;
    // The scale of the scores is 1/√head_dim except in the 27B model, whose `config.json` says so.
    let largest = matches!(config, Config::Gguf(_)) && layers == LARGEST;
    let query_width = numbers
        .number("attention.query_pre_attn_scalar", "query_pre_attn_scalar")
        .unwrap_or(if largest { dim as f64 / heads as f64 } else { head_dim as f64 });
    let rope = |layers, base| RopeSettings::read(&numbers, weights, layers, head_dim, base);
    let (global, sliding) = (rope(RopeLayers::Global, 1e6)?, rope(RopeLayers::Sliding, 1e4)?);
    let period = numbers
        .number(
            "attention.sliding_window_pattern",
            "sliding_window_pattern|_sliding_window_pattern",
        )
        .map_or(6, |p| (p as usize).max(1));
    let windows = numbers.windows(layers, |i| !(i + 1).is_multiple_of(period))?;
    let layer =
        |window: Option<usize>| LayerConfig { window, rope: Some(usize::from(window.is_some())) };
    let cap = |key: &str| numbers.number(key, key).filter(|cap| *cap > 0.0).map(|cap| cap as f32);
    let epsilon = numbers.float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
    let context_length =
        numbers.size_or("context_length", "max_position_embeddings", CONTEXT_LENGTH)?;
    let decoder = DecoderConfig {
        layers: windows.into_iter().map(layer).collect(),
        dim,
        heads,
        kv_heads: numbers.size_or("attention.head_count_kv", "num_key_value_heads", KV_HEADS)?,
        head_dim,
        hidden: numbers.size("feed_forward_length", "intermediate_size")?,
        epsilon: if matches!(config, Config::Gguf(_)) {
            epsilon?
        } else {
            epsilon.unwrap_or(EPSILON)
        } as f32,
        context_length: global.limited(context_length),
        activation: Activation::GeluTanh,
        embedding_scale: f64::from((dim as f32).sqrt()),
        attention_scale: query_width.sqrt().recip() as f32,
        score_cap: cap("attn_logit_softcapping"),
        logit_cap: cap("final_logit_softcapping"),
        logit_scale: 1.0,
        ropes: vec![global.rope(), sliding.rope()],
        qk_norm: Some(QkNorm::BeforeRope),
        qkv_bias: false,
        o_bias: false,
        fused: false,
        mean_norm: false,
        parallel: false,
        post_norm: true,
        tied_output: numbers.is_tied(true),
    };
    llama::build(decoder, &numbers, [&HUB, &GGUF], weights, backend)
}
