//! LongT5 (Guo et al. 2021, arXiv:2112.07916), which is T5 with local attention in the encoder, and
//! transient global attention if the model was trained with it; reference: `transformers`'
//! `LongT5ForConditionalGeneration`.

use super::family::{AttentionPattern, Naming, StackNaming};
use super::t5::{self, T5Variant};
use super::{Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;

const LOCAL: StackNaming = StackNaming {
    attention: [
        "layer.0.LocalSelfAttention.q",
        "layer.0.LocalSelfAttention.k",
        "layer.0.LocalSelfAttention.v",
        "layer.0.LocalSelfAttention.o",
    ],
    relative: "layer.0.LocalSelfAttention.relative_attention_bias.weight",
    ..t5::NAMING.encoder
};

const TRANSIENT_GLOBAL: StackNaming = StackNaming {
    attention: [
        "layer.0.TransientGlobalSelfAttention.q",
        "layer.0.TransientGlobalSelfAttention.k",
        "layer.0.TransientGlobalSelfAttention.v",
        "layer.0.TransientGlobalSelfAttention.o",
    ],
    relative: "layer.0.TransientGlobalSelfAttention.relative_attention_bias.weight",
    ..t5::NAMING.encoder
};

/// Longest source: the published summarizers were trained on this many tokens. (`n_positions` says
/// less in their files, and nothing in the graph depends on it.)
const LONGEST_SOURCE: usize = 16384;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let radius = numbers.optional_size("", "local_radius")?.unwrap_or(127);
    let kind = numbers.text("encoder_attention_type").unwrap_or("local");
    let (encoder, attention_pattern) = match kind {
        "local" => (LOCAL, AttentionPattern::Local { radius }),
        "transient-global" => {
            let attention_pattern = AttentionPattern::TransientGlobal {
                radius,
                block_size: numbers.optional_size("", "global_block_size")?.unwrap_or(16),
                norm: "layer.0.TransientGlobalSelfAttention.global_input_layer_norm",
                relative: "layer.0.TransientGlobalSelfAttention.global_relative_attention_bias.weight",
            };
            (TRANSIENT_GLOBAL, attention_pattern)
        }
        _ => {
            let message = format!(
                "its configuration says encoder_attention_type = {kind:?}; known are local and transient-global"
            );
            return Err(Error::model(weights.model(), message));
        }
    };
    let naming = Naming { encoder, ..t5::NAMING };
    let variant = T5Variant {
        naming,
        attention_pattern,
        source_length: LONGEST_SOURCE,
        language_prompt: Box::new(|_, _, _| None),
    };
    t5::load_variant(variant, config, weights, backend)
}
