//! LED (Beltagy et al. 2020, arXiv:2004.05150, section 7), which is BART with local attention in
//! the encoder; reference: `transformers`' `LEDForConditionalGeneration`.
//!
//! The first token of the source sees all and is seen by all, as its summarizers were trained
//! (there: `global_attention_mask` with a 1 for the first token; without that argument
//! `transformers` gives no token global attention, which no published summarizer is made for).

use super::bart::{self, BartVariant, load_variant};
use super::family::{AttentionPattern, Naming, PositionKind, StackNaming};
use super::{Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

const NAMING: Naming = Naming {
    shared: &[
        "led.shared.weight",
        "led.encoder.embed_tokens.weight",
        "led.decoder.embed_tokens.weight",
    ],
    encoder: StackNaming {
        positions: "led.encoder.embed_positions.weight",
        embedding_norm: "led.encoder.layernorm_embedding",
        layer: "led.encoder.layers.{}.",
        attention: [
            "self_attn.longformer_self_attn.query",
            "self_attn.longformer_self_attn.key",
            "self_attn.longformer_self_attn.value",
            "self_attn.output",
        ],
        ..bart::NAMING.encoder
    },
    decoder: StackNaming {
        positions: "led.decoder.embed_positions.weight",
        embedding_norm: "led.decoder.layernorm_embedding",
        layer: "led.decoder.layers.{}.",
        ..bart::NAMING.decoder
    },
    ..bart::NAMING
};

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    // Half of a window lies on either side.
    let radius = |key: &str| -> Result<usize> {
        let window = numbers.size("", key)?;
        if window % 2 != 0 {
            let message =
                format!("its configuration says {key} = {window}; expected an even number");
            return Err(Error::model(weights.model(), message));
        }
        Ok(window / 2)
    };
    let radii = if numbers.number("", "attention_window").is_some() {
        vec![radius("attention_window")?]
    } else {
        (0..numbers.size("", "encoder_layers")?)
            .map(|i| radius(&format!("attention_window/{i}")))
            .collect::<Result<_>>()?
    };
    let first = [
        "self_attn.longformer_self_attn.query_global",
        "self_attn.longformer_self_attn.key_global",
        "self_attn.longformer_self_attn.value_global",
    ];
    let variant = BartVariant {
        naming: &NAMING,
        positions: PositionKind::Learned { offset: 0 },
        attention_pattern: AttentionPattern::FirstTokenGlobal { radii, first },
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}
