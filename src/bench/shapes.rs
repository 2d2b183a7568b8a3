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
