//! BART and its like (Lewis et al. 2019, arXiv:1910.13461); reference: `transformers`'
//! `BartForConditionalGeneration`. Also what its descendants share: how they name their weights,
//! and most of their configuration.

use super::encoder_decoder::EncoderDecoder;
use super::family::{
    AttentionPattern, EncoderDecoderConfig, LanguagePromptFn, Naming, PositionKind, StackConfig,
    StackNaming,
};
use super::{Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

pub(super) const NAMING: Naming = Naming {
    shared: &[
        "model.shared.weight",
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
    ],
    output: "lm_head.weight",
    output_bias: "final_logits_bias",
    encoder: StackNaming {
        embedding: "model.encoder.embed_tokens.weight",
        positions: "model.encoder.embed_positions.weight",
        embedding_norm: "model.encoder.layernorm_embedding",
        final_norm: "model.encoder.layer_norm",
        layer: "model.encoder.layers.{}.",
        ..STACK
    },
    decoder: StackNaming {
        embedding: "model.decoder.embed_tokens.weight",
        positions: "model.decoder.embed_positions.weight",
        embedding_norm: "model.decoder.layernorm_embedding",
        final_norm: "model.decoder.layer_norm",
        layer: "model.decoder.layers.{}.",
        ..STACK
    },
};

const STACK: StackNaming = StackNaming {
    attention: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"],
    attention_norm: "self_attn_layer_norm",
    cross: [
        "encoder_attn.q_proj",
        "encoder_attn.k_proj",
        "encoder_attn.v_proj",
        "encoder_attn.out_proj",
    ],
    cross_norm: "encoder_attn_layer_norm",
    feed_forward: ["", "fc1", "fc2"],
    feed_forward_norm: "final_layer_norm",
    ..StackNaming::NONE
};

/// The differences between the descendants of BART.
pub(super) struct BartVariant {
    pub naming: &'static Naming,
    pub pre_norm: bool,
    pub embedding_norm: bool,
    pub final_norm: bool,
    pub positions: PositionKind,
    /// When the configuration does not say.
    pub activation: &'static str,
    /// Whether the embeddings are scaled, when the configuration does not say.
    pub scaled: bool,
    pub separate_vocabularies: bool,
    pub attention_pattern: AttentionPattern,
    pub language_prompt: LanguagePromptFn,
}

impl Default for BartVariant {
    /// BART itself.
    fn default() -> BartVariant {
        BartVariant {
            naming: &NAMING,
            pre_norm: false,
            embedding_norm: true,
            final_norm: false,
            positions: PositionKind::Learned { offset: 2 },
            activation: "gelu",
            scaled: false,
            separate_vocabularies: false,
            attention_pattern: AttentionPattern::Full,
            language_prompt: Box::new(|_, _, _| None),
        }
    }
}

/// Builds a descendant of BART.
pub(super) fn load_variant(
    variant: BartVariant,
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let dim = numbers.size("", "d_model")?;
    let stack = |name: &str| -> Result<StackConfig> {
        let heads = numbers.size("", &format!("{name}_attention_heads"))?;
        if !dim.is_multiple_of(heads) {
            let message = format!(
                "its configuration says d_model = {dim} and {name}_attention_heads = {heads}, which does not divide it"
            );
            return Err(Error::model(weights.model(), message));
        }
        Ok(StackConfig {
            layers: numbers.size("", &format!("{name}_layers"))?,
            heads,
            head_dim: dim / heads,
            hidden: numbers.size("", &format!("{name}_ffn_dim"))?,
            context_length: numbers.positions(
                "",
                &format!("max_{name}_position_embeddings|max_position_embeddings"),
            )?,
        })
    };
    let (encoder, decoder) = (stack("encoder")?, stack("decoder")?);
    if encoder.head_dim != decoder.head_dim {
        let message = format!(
            "encoder heads of width {} and decoder heads of width {} are not supported",
            encoder.head_dim, decoder.head_dim
        );
        return Err(Error::model(weights.model(), message));
    }
    let config = EncoderDecoderConfig {
        dim,
        activation: numbers.activation("activation_function", variant.activation)?,
        gated: false,
        pre_norm: variant.pre_norm,
        rms: false,
        epsilon: 1e-5,
        embedding_norm: variant.embedding_norm,
        final_norm: variant.final_norm,
        embedding_scale: if numbers.flag("scale_embedding", variant.scaled) {
            f64::from((dim as f32).sqrt())
        } else {
            1.0
        },
        attention_scale: (encoder.head_dim as f32).sqrt().recip(),
        output_scale: 1.0,
        tied_output: numbers.is_tied(true),
        separate_vocabularies: variant.separate_vocabularies,
        positions: variant.positions,
        attention_pattern: variant.attention_pattern,
        recurrent: false,
        aligning_head: None,
        empty_start: false,
        language_prompt: variant.language_prompt,
        encoder,
        decoder,
    };
    Ok(Box::new(EncoderDecoder::load(config, variant.naming, weights, backend)?))
}

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let variant = BartVariant {
        // Old configuration files have switches; the published models leave them as they are here.
        pre_norm: numbers.flag("normalize_before", false),
        embedding_norm: numbers.flag("normalize_embedding", true),
        final_norm: numbers.flag("add_final_layer_norm", false),
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}
