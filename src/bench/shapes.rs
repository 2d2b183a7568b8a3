//! The shapes of models: their sizes are those of published models, their weights are not needed.

use serde_json::{Value, json};

/// A model's shape.
#[derive(Debug)]
pub struct Shape {
    /// Its name on the command line.
    pub name: &'static str,
    /// Which models have it.
    pub about: &'static str,
    config: fn() -> Value,
}

/// All that are known, the smallest first.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "tiny",
        about: "no published model: an encoder–decoder of 0.2 million weights, to try things out",
        config: tiny,
    },
    Shape {
        name: "tiny-decoder",
        about: "no published model: a decoder of 0.1 million weights, to try things out",
        config: tiny_decoder,
    },
    Shape {
        name: "firefox-tiny",
        about: "Firefox's smallest, 17 million weights",
        config: || firefox(256, 1536, 2),
    },
    Shape {
        name: "firefox-base-memory",
        about: "most of Firefox's, 31 million weights",
        config: || firefox(384, 1536, 4),
    },
    Shape {
        name: "firefox-base",
        about: "Firefox's largest, 43 million weights",
        config: || firefox(512, 2048, 2),
    },
    Shape {
        name: "marian-base",
        about: "opus-mt, 75 million weights",
        config: || marian(512, 6, 2048, 8, 59514, "swish"),
    },
    Shape { name: "smollm2-135m", about: "SmolLM2 135M", config: smollm2 },
    Shape {
        name: "marian-big",
        about: "opus-mt-tc-big, 240 million weights",
        config: || marian(1024, 6, 4096, 16, 59514, "relu"),
    },
    Shape { name: "gemma-270m", about: "Gemma 3 270M", config: gemma3 },
    Shape { name: "bart-large", about: "BART large, 406 million weights", config: bart },
    Shape { name: "mt5-base", about: "mT5 base, 580 million weights", config: mt5 },
    Shape { name: "nllb-600m", about: "NLLB-200 distilled 600M", config: nllb },
    Shape { name: "qwen3-0.6b", about: "Qwen3 0.6B, LMT-60 0.6B", config: qwen3 },
    Shape { name: "llama-3.2-1b", about: "Llama 3.2 1B", config: llama3 },
    Shape { name: "qwen2.5-1.5b", about: "Qwen2.5 1.5B", config: qwen2 },
    Shape { name: "hunyuan-1.8b", about: "Hy-MT2 1.8B, HY-MT1.5 1.8B", config: hunyuan },
    Shape { name: "gemma-2-2b", about: "Gemma 2 2B, GemmaX2, Tower+ 2B", config: gemma2 },
    Shape { name: "smollm3-3b", about: "SmolLM3 3B", config: smollm3 },
    Shape { name: "phi-4-mini", about: "Phi-4-mini, 3.8 billion weights", config: phi4 },
    Shape { name: "gemma-3-4b", about: "Gemma 3 4B, TranslateGemma 4B", config: gemma3_4b },
    Shape { name: "mistral-7b", about: "Mistral 7B, Seed-X 7B", config: mistral },
    Shape { name: "aya-8b", about: "Aya Expanse 8B", config: aya },
];

impl Shape {
    /// The shape of a name.
    pub fn named(name: &str) -> Option<&'static Shape> {
        SHAPES.iter().find(|shape| shape.name == name)
    }

    /// What `config.json` would say.
    pub(super) fn config(&self) -> Value {
        (self.config)()
    }
}

fn encoder_decoder(
    dim: usize,
    layers: usize,
    hidden: usize,
    heads: usize,
    vocabulary: usize,
) -> Value {
    json!({
        "d_model": dim, "encoder_layers": layers, "decoder_layers": layers, "encoder_ffn_dim": hidden, "decoder_ffn_dim": hidden,
        "encoder_attention_heads": heads, "decoder_attention_heads": heads, "vocab_size": vocabulary
    })
}

/// Joins the entries of two objects.
fn with(mut config: Value, more: Value) -> Value {
    if let (Some(all), Value::Object(more)) = (config.as_object_mut(), more) {
        all.extend(more);
    }
    config
}

fn marian(
    dim: usize,
    layers: usize,
    hidden: usize,
    heads: usize,
    vocabulary: usize,
    activation: &str,
) -> Value {
    let more = json!({
        "model_type": "marian", "activation_function": activation, "scale_embedding": true, "max_position_embeddings": 512,
        "eos_token_id": 0, "decoder_start_token_id": vocabulary - 1
    });
    with(encoder_decoder(dim, layers, hidden, heads, vocabulary), more)
}

/// A student of Marian's, in the words of its own files.
fn firefox(dim: usize, hidden: usize, decoder_layers: usize) -> Value {
    json!({
        "model_type": "marian-student", "type": "transformer", "dim-emb": dim, "transformer-dim-ffn": hidden, "transformer-heads": 8,
        "enc-depth": 6, "dec-depth": decoder_layers, "transformer-decoder-autoreg": "rnn", "dec-cell": "ssru",
        "transformer-ffn-activation": "relu", "tied-embeddings-all": true, "vocab_size": 32000, "eos_token_id": 0,
        "decoder_start_token_id": 32000
    })
}

fn tiny() -> Value {
    marian(64, 2, 128, 4, 512, "swish")
}

fn bart() -> Value {
    let more = json!({
        "model_type": "bart", "activation_function": "gelu", "max_position_embeddings": 1024, "eos_token_id": 2, "decoder_start_token_id": 2
    });
    with(encoder_decoder(1024, 12, 4096, 16, 50264), more)
}

fn nllb() -> Value {
    let more = json!({
        "model_type": "m2m_100", "activation_function": "relu", "scale_embedding": true, "max_position_embeddings": 1024,
        "eos_token_id": 2, "decoder_start_token_id": 2
    });
    with(encoder_decoder(1024, 12, 4096, 16, 256_206), more)
}

fn mt5() -> Value {
    json!({
        "model_type": "mt5", "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_decoder_layers": 12, "num_heads": 12,
        "vocab_size": 250_112, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "eos_token_id": 1, "decoder_start_token_id": 0
    })
}

fn llama(
    dim: usize,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    vocabulary: usize,
) -> Value {
    json!({
        "model_type": "llama", "hidden_size": dim, "num_hidden_layers": layers, "intermediate_size": hidden, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "vocab_size": vocabulary, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
        "rope_theta": 100_000.0, "eos_token_id": 2, "tie_word_embeddings": true
    })
}

fn tiny_decoder() -> Value {
    llama(64, 2, 128, 4, 2, 512)
}

fn smollm2() -> Value {
    llama(576, 30, 1536, 9, 3, 49152)
}

fn gemma3() -> Value {
    json!({
        "model_type": "gemma3_text", "hidden_size": 640, "num_hidden_layers": 18, "intermediate_size": 2048, "num_attention_heads": 4,
        "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262_144, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
        "sliding_window": 512, "sliding_window_pattern": 6, "query_pre_attn_scalar": 256, "rope_theta": 1e6, "rope_local_base_freq": 1e4,
        "eos_token_id": 1
    })
}

/// Llama's sizes, and what another family says besides.
fn like_llama(kind: &str, sizes: [usize; 6], more: Value) -> Value {
    let [dim, layers, hidden, heads, kv_heads, vocabulary] = sizes;
    let config = llama(dim, layers, hidden, heads, kv_heads, vocabulary);
    with(with(config, json!({"model_type": kind})), more)
}

fn llama3() -> Value {
    let scaling = json!({
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192
    });
    let more = json!({
        "rope_theta": 5e5, "rope_scaling": scaling, "max_position_embeddings": 131_072, "head_dim": 64
    });
    like_llama("llama", [2048, 16, 8192, 32, 8, 128_256], more)
}

fn qwen2() -> Value {
    let more = json!({"rope_theta": 1e6, "max_position_embeddings": 32768});
    like_llama("qwen2", [1536, 28, 8960, 12, 2, 151_936], more)
}

fn qwen3() -> Value {
    let more = json!({"rope_theta": 1e6, "max_position_embeddings": 40960, "head_dim": 128});
    like_llama("qwen3", [1024, 28, 3072, 16, 8, 151_936], more)
}

fn hunyuan() -> Value {
    let scaling = json!({"type": "dynamic", "alpha": 1000.0, "factor": 1.0});
    let more = json!({
        "rope_theta": 1e4, "rope_scaling": scaling, "max_position_embeddings": 262_144, "head_dim": 128
    });
    like_llama("hunyuan_v1_dense", [2048, 32, 6144, 16, 4, 120_818], more)
}

fn gemma2() -> Value {
    let more = json!({
        "head_dim": 256, "sliding_window": 4096, "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50.0,
        "final_logit_softcapping": 30.0, "rope_theta": 1e4
    });
    like_llama("gemma2", [2304, 26, 9216, 8, 4, 256_000], more)
}

fn smollm3() -> Value {
    let more = json!({"rope_theta": 5e6, "max_position_embeddings": 65536});
    like_llama("smollm3", [2048, 36, 11008, 16, 4, 128_256], more)
}

fn phi4() -> Value {
    let more =
        json!({"rope_theta": 1e4, "partial_rotary_factor": 0.75, "max_position_embeddings": 4096});
    like_llama("phi3", [3072, 32, 8192, 24, 8, 200_064], more)
}

fn gemma3_4b() -> Value {
    let more = json!({
        "head_dim": 256, "sliding_window": 1024, "query_pre_attn_scalar": 256, "rope_theta": 1e6,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "max_position_embeddings": 131_072
    });
    like_llama("gemma3_text", [2560, 34, 10240, 8, 4, 262_208], more)
}

fn mistral() -> Value {
    let more = json!({"rope_theta": 1e4, "tie_word_embeddings": false});
    like_llama("mistral", [4096, 32, 14336, 32, 8, 32768], more)
}

fn aya() -> Value {
    let more = json!({"rope_theta": 1e4, "layer_norm_eps": 1e-5, "logit_scale": 0.125});
    like_llama("cohere", [4096, 32, 14336, 32, 8, 256_000], more)
}
