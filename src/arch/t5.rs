//! T5 (Raffel et al. 2020), T5 1.1 and FLAN-T5, mT5 (Xue et al. 2021), UMT5 (Chung et al. 2023),
//! MADLAD-400 (Kudugunta et al. 2023); reference: `transformers`' `T5ForConditionalGeneration` and
//! its copies, and for GGUF files llama.cpp's `t5`.

use super::encoder_decoder::EncoderDecoder;
use super::family::{
    AttentionPattern, EncoderDecoderConfig, LanguagePromptFn, Naming, PositionKind, StackConfig,
    StackNaming,
};
use super::{GenerationDefaults, LanguagePrompt, Model, Numbers, numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::kernel::Activation;
use crate::languages;
use crate::nn::Backend;
use crate::types::Lang;

pub(super) const NAMING: Naming = Naming {
    shared: &["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
    output: "lm_head.weight",
    output_bias: "final_logits_bias",
    encoder: StackNaming {
        embedding: "encoder.embed_tokens.weight",
        final_norm: "encoder.final_layer_norm",
        layer: "encoder.block.{}.",
        feed_forward: [
            "layer.1.DenseReluDense.wi_0",
            "layer.1.DenseReluDense.wi_1",
            "layer.1.DenseReluDense.wo",
        ],
        feed_forward_norm: "layer.1.layer_norm",
        ..STACK
    },
    decoder: StackNaming {
        embedding: "decoder.embed_tokens.weight",
        final_norm: "decoder.final_layer_norm",
        layer: "decoder.block.{}.",
        cross: [
            "layer.1.EncDecAttention.q",
            "layer.1.EncDecAttention.k",
            "layer.1.EncDecAttention.v",
            "layer.1.EncDecAttention.o",
        ],
        cross_norm: "layer.1.layer_norm",
        feed_forward: [
            "layer.2.DenseReluDense.wi_0",
            "layer.2.DenseReluDense.wi_1",
            "layer.2.DenseReluDense.wo",
        ],
        feed_forward_norm: "layer.2.layer_norm",
        ..STACK
    },
};

const STACK: StackNaming = StackNaming {
    attention: [
        "layer.0.SelfAttention.q",
        "layer.0.SelfAttention.k",
        "layer.0.SelfAttention.v",
        "layer.0.SelfAttention.o",
    ],
    attention_norm: "layer.0.layer_norm",
    relative: "layer.0.SelfAttention.relative_attention_bias.weight",
    ..StackNaming::NONE
};

/// The names that llama.cpp's converter gives; a feed-forward layer without a gate has none of that
/// name.
const GGUF: Naming = Naming {
    shared: &["token_embd.weight"],
    output: "output.weight",
    output_bias: "",
    encoder: StackNaming { final_norm: "enc.output_norm", layer: "enc.blk.{}.", ..GGUF_STACK },
    decoder: StackNaming {
        final_norm: "dec.output_norm",
        layer: "dec.blk.{}.",
        cross: ["cross_attn_q", "cross_attn_k", "cross_attn_v", "cross_attn_o"],
        cross_norm: "cross_attn_norm",
        ..GGUF_STACK
    },
};

const GGUF_STACK: StackNaming = StackNaming {
    attention: ["attn_q", "attn_k", "attn_v", "attn_o"],
    attention_norm: "attn_norm",
    feed_forward: ["ffn_gate", "ffn_up", "ffn_down"],
    feed_forward_norm: "ffn_norm",
    relative: "attn_rel_b.weight",
    ..StackNaming::NONE
};

/// Longest source and target where the configuration names none: relative positions have no end,
/// memory has.
const LONGEST: usize = 2048;

/// The distance from which on all are the same, where the configuration names none, as GGUF files
/// do not.
const MAX_DISTANCE: usize = 128;

/// The differences between the descendants of T5.
pub(super) struct T5Variant {
    pub naming: Naming,
    pub attention_pattern: AttentionPattern,
    /// Longest source.
    pub source_length: usize,
    pub language_prompt: LanguagePromptFn,
}

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let source_length = target_length(&numbers(config, weights))?;
    let naming = if matches!(config, Config::Gguf(_)) { GGUF } else { NAMING };
    let variant = T5Variant {
        naming,
        attention_pattern: AttentionPattern::Full,
        source_length,
        language_prompt: Box::new(language_prompt),
    };
    load_variant(variant, config, weights, backend)
}

fn numbers<'a>(config: &'a Config, weights: &'a dyn Weights) -> Numbers<'a> {
    Numbers { config, model: weights.model(), gguf_prefix: "t5" }
}

fn target_length(numbers: &Numbers<'_>) -> Result<usize> {
    Ok(numbers.optional_positions("context_length", "n_positions")?.unwrap_or(LONGEST))
}

/// The differences between the members of the family.
struct Kind {
    activation: Activation,
    gated: bool,
    /// Whether what enters the output layer is scaled.
    scaled: bool,
    /// Whether every layer has relative positions of its own (UMT5).
    every_layer: bool,
}

impl Kind {
    /// GGUF files do not name it: their weights show it. Without a gate it is T5 1.0, the one with
    /// ReLU whose output layer is the embedding; the others have a GELU, and scale if they have no
    /// output layer of their own. (llama.cpp, which tells them apart the same way, leaves the
    /// scaling out: the most likely token is the same without it, and its probability is not.)
    fn of_gguf(weights: &dyn Weights) -> Kind {
        let gated = weights.has("enc.blk.0.ffn_gate.weight");
        Kind {
            activation: if gated { Activation::GeluTanh } else { Activation::Relu },
            gated,
            scaled: !gated || !weights.has(GGUF.output),
            every_layer: ["enc", "dec"]
                .iter()
                .any(|half| weights.has(&format!("{half}.blk.1.attn_rel_b.weight"))),
        }
    }

    fn of_hub(numbers: &Numbers<'_>) -> Result<Kind> {
        let model = numbers.text("model_type");
        let projection = numbers.text("feed_forward_proj").unwrap_or(if model == Some("t5") {
            "relu"
        } else {
            "gated-gelu"
        });
        let (gated, name) =
            projection.strip_prefix("gated-").map_or((false, projection), |name| (true, name));
        // "gated-gelu" means the tanh approximation, as in the models that it was made for.
        let name = if gated && name == "gelu" { "gelu_new" } else { name };
        let activation = numbers::activation(name).ok_or_else(|| {
            Error::model(
                numbers.model,
                format!("its configuration says feed_forward_proj = {projection:?}; known are relu, gelu, silu, each also gated"),
            )
        })?;
        let scaled = model != Some("mt5")
            && numbers.flag("scale_decoder_outputs", numbers.flag("tie_word_embeddings", true));
        Ok(Kind { activation, gated, scaled, every_layer: model == Some("umt5") })
    }
}

/// Builds a descendant of T5.
pub(super) fn load_variant(
    variant: T5Variant,
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let T5Variant { mut naming, attention_pattern, source_length, language_prompt } = variant;
    let numbers = numbers(config, weights);
    let in_gguf = matches!(config, Config::Gguf(_));
    let Kind { activation, gated, scaled, every_layer } =
        if in_gguf { Kind::of_gguf(weights) } else { Kind::of_hub(&numbers)? };
    if !gated && !in_gguf {
        // T5 1.0 has one matrix where the others have a gate beside it.
        for (half, layer) in [
            (&mut naming.encoder, ["layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wo"]),
            (&mut naming.decoder, ["layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wo"]),
        ] {
            half.feed_forward = ["", layer[0], layer[1]];
        }
    }
    let dim = numbers.size("embedding_length", "d_model")?;
    let layers = numbers.size("block_count", "num_layers")?;
    let stack = |layers: usize, context_length: usize| -> Result<StackConfig> {
        Ok(StackConfig {
            layers,
            heads: numbers.size("attention.head_count", "num_heads")?,
            head_dim: numbers.size("attention.key_length", "d_kv")?,
            hidden: numbers.size("feed_forward_length", "d_ff")?,
            context_length,
        })
    };
    let config = EncoderDecoderConfig {
        dim,
        encoder: stack(layers, source_length)?,
        decoder: stack(
            numbers.optional_size("decoder_block_count", "num_decoder_layers")?.unwrap_or(layers),
            target_length(&numbers)?,
        )?,
        activation,
        gated,
        pre_norm: true,
        rms: true,
        epsilon: numbers
            .number("attention.layer_norm_rms_epsilon", "layer_norm_epsilon")
            .unwrap_or(1e-6) as f32,
        embedding_norm: false,
        final_norm: true,
        embedding_scale: 1.0,
        attention_scale: 1.0,
        output_scale: if scaled { (dim as f64).powf(-0.5) } else { 1.0 },
        // `transformers` ties T5 whatever its configuration says, if the file has one matrix: the
        // configuration means the scaling.
        tied_output: true,
        separate_vocabularies: false,
        positions: PositionKind::Relative {
            max_distance: numbers
                .optional_positions("", "relative_attention_max_distance")?
                .unwrap_or(MAX_DISTANCE),
            every_layer,
        },
        attention_pattern,
        recurrent: false,
        aligning_head: None,
        empty_start: false,
        language_prompt,
    };
    let model = EncoderDecoder::load(config, &naming, weights, backend)?;
    if !in_gguf {
        return Ok(Box::new(model));
    }
    Ok(Box::new(model.with_generation_defaults(Box::new(generation_defaults))))
}

/// What `config.json` says of summaries in every published T5 and FLAN-T5, and what no GGUF file
/// keeps.
const SUMMARIES: &str = r#"{"task_specific_params": {"summarization": {"prefix": "summarize: ",
    "num_beams": 4, "early_stopping": true, "length_penalty": 2.0, "min_length": 30,
    "max_length": 200, "no_repeat_ngram_size": 3}}}"#;

/// Of GGUF files, T5 and FLAN-T5 are told by their tokens for gaps, which mT5 names otherwise, and
/// which MADLAD has beside those of the languages that it translates into: it does nothing else.
fn generation_defaults(has: &dyn Fn(&str) -> bool) -> GenerationDefaults {
    let config = if has("<extra_id_0>") && !has("<2en>") {
        serde_json::from_str(SUMMARIES).unwrap_or_default()
    } else {
        serde_json::Value::Null
    };
    GenerationDefaults { config, ..GenerationDefaults::default() }
}

/// MADLAD-400 has a token for each target language, `<2de>`, which stands before the source; T5 is
/// told in words, of the languages that it was trained on.
fn language_prompt(from: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    // Old codes (iw) and other names of a language are among its aliases.
    let aliases = languages::get(to)
        .into_iter()
        .flat_map(|(_, language)| language.aliases.iter().map(String::as_str));
    let codes = [to.as_str(), to.base()]
        .into_iter()
        .chain(aliases)
        .chain((to.base() == "he").then_some("iw"));
    let token = codes.map(lang_token).find(|token| has(token));
    if let Some(token) = token {
        return Some(LanguagePrompt { prefix: token + " ", begin: None });
    }
    if has("<2en>") {
        return None;
    }
    let pairs = ["de", "fr", "ro"];
    let known = |a: &Lang, b: &Lang| a.base() == "en" && pairs.contains(&b.base());
    (known(from, to)).then(|| LanguagePrompt {
        prefix: format!("translate {} to {}: ", languages::name(from), languages::name(to)),
        begin: None,
    })
}

fn lang_token(code: &str) -> String {
    format!("<2{}>", code.replace('-', "_"))
}
