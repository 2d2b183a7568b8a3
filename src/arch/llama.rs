//! Llama and its like, SmolLM2 among them (Touvron et al. 2023); reference: `transformers`'
//! `LlamaForCausalLM`.

use super::decoder::{Decoder, DecoderConfig, Naming};
use super::{Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::kernel::Activation;
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
    q_norm: "",
    k_norm: "",
    post_attention_norm: "",
    feed_forward_norm: "ffn_norm.weight",
    gate: "ffn_gate.weight",
    up: "ffn_up.weight",
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

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "llama" };
    numbers.no_scaled_rope(weights)?;
    let dim = numbers.size("embedding_length", "hidden_size")?;
    let heads = numbers.size("attention.head_count", "num_attention_heads")?;
    let head_dim =
        numbers.optional_size("attention.key_length", "head_dim")?.unwrap_or(dim / heads);
    let config = DecoderConfig {
        layers: numbers.size("block_count", "num_hidden_layers")?,
        dim,
        heads,
        kv_heads: numbers
            .optional_size("attention.head_count_kv", "num_key_value_heads")?
            .unwrap_or(heads),
        head_dim,
        hidden: numbers.size("feed_forward_length", "intermediate_size")?,
        epsilon: numbers.float("attention.layer_norm_rms_epsilon", "rms_norm_eps")? as f32,
        context_length: numbers.size("context_length", "max_position_embeddings")?,
        activation: Activation::Silu,
        embedding_scale: 1.0,
        attention_scale: (head_dim as f32).sqrt().recip(),
        rope_base: numbers
            .number("rope.freq_base", "rope_theta|rope_parameters/rope_theta")
            .unwrap_or(1e4),
        sliding: None,
        qk_norm: false,
        post_norm: false,
        tied_output: numbers.is_tied(false),
    };
    let naming = if matches!(numbers.config, Config::Gguf(_)) { &GGUF } else { &HUB };
    Ok(Box::new(Decoder::load(config, naming, weights, backend)?))
}
