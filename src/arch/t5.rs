//! T5 (Raffel et al. 2020), T5 1.1 and FLAN-T5, mT5 (Xue et al. 2021), UMT5 (Chung et al. 2023), MADLAD-400 (Kudugunta et al. 2023);
//! reference: `transformers`' `T5ForConditionalGeneration` and its copies.

use super::encoder_decoder::{AddressFn, EncoderDecoder, EncoderDecoderConfig, HalfConfig, HalfNaming, Naming, PositionKind, SightKind};
use super::{Address, Model, Numbers, bart};
use crate::error::{Error, Result};
use crate::languages;
use crate::nn::{Backend, Config, Weights};
use crate::types::Lang;

pub(super) const NAMING: Naming = Naming {
    shared: &["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
    output: "lm_head.weight",
    output_bias: "final_logits_bias",
    encoder: HalfNaming {
        embedding: "encoder.embed_tokens.weight",
        final_norm: "encoder.final_layer_norm",
        layer: "encoder.block.{}.",
        feed_forward: ["layer.1.DenseReluDense.wi_0", "layer.1.DenseReluDense.wi_1", "layer.1.DenseReluDense.wo"],
        feed_forward_norm: "layer.1.layer_norm",
        ..HALF
    },
    decoder: HalfNaming {
        embedding: "decoder.embed_tokens.weight",
        final_norm: "decoder.final_layer_norm",
        layer: "decoder.block.{}.",
        cross: ["layer.1.EncDecAttention.q", "layer.1.EncDecAttention.k", "layer.1.EncDecAttention.v", "layer.1.EncDecAttention.o"],
        cross_norm: "layer.1.layer_norm",
        feed_forward: ["layer.2.DenseReluDense.wi_0", "layer.2.DenseReluDense.wi_1", "layer.2.DenseReluDense.wo"],
        feed_forward_norm: "layer.2.layer_norm",
        ..HALF
    },
};

const HALF: HalfNaming = HalfNaming {
    attention: ["layer.0.SelfAttention.q", "layer.0.SelfAttention.k", "layer.0.SelfAttention.v", "layer.0.SelfAttention.o"],
    attention_norm: "layer.0.layer_norm",
    relative: "layer.0.SelfAttention.relative_attention_bias.weight",
    ..HalfNaming::NONE
};

/// Longest source and target where the configuration names none: relative positions have no end, memory has.
const LONGEST: usize = 2048;

/// In what the descendants of T5 differ.
pub(super) struct Variant {
    pub naming: Naming,
    pub sight: SightKind,
    /// Longest source.
    pub source_length: usize,
    pub address: AddressFn,
}

pub(super) fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn Model>> {
    let source_length = target_length(&Numbers::of_hub(config, weights))?;
    let variant = Variant { naming: NAMING, sight: SightKind::All, source_length, address: Box::new(address) };
    load_variant(variant, config, weights, backend)
}

fn target_length(numbers: &Numbers<'_>) -> Result<usize> {
    Ok(numbers.optional_positions("n_positions")?.unwrap_or(LONGEST))
}

/// Builds a descendant of T5.
pub(super) fn load_variant(variant: Variant, config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn Model>> {
    let Variant { mut naming, sight, source_length, address } = variant;
    let numbers = Numbers::of_hub(config, weights);
    let projection =
        numbers.text("feed_forward_proj").unwrap_or(if numbers.text("model_type") == Some("t5") { "relu" } else { "gated-gelu" });
    let (gated, name) = projection.strip_prefix("gated-").map_or((false, projection), |name| (true, name));
    // "gated-gelu" means the tanh approximation, as in the models that it was made for.
    let activation = bart::activation(if gated && name == "gelu" { "gelu_new" } else { name }).ok_or_else(|| {
        Error::model(
            weights.model(),
            format!("its configuration says feed_forward_proj = {projection:?}; known are relu, gelu, silu, each also gated"),
        )
    })?;
    if !gated {
        // T5 1.0 has one matrix where the others have a gate beside it.
        for (half, layer) in [
            (&mut naming.encoder, ["layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wo"]),
            (&mut naming.decoder, ["layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wo"]),
        ] {
            half.feed_forward = ["", layer[0], layer[1]];
        }
    }
    let dim = numbers.size("", "d_model")?;
    let layers = numbers.size("", "num_layers")?;
    let half = |layers: usize, context_length: usize| -> Result<HalfConfig> {
        Ok(HalfConfig {
            layers,
            heads: numbers.size("", "num_heads")?,
            head_dim: numbers.size("", "d_kv")?,
            hidden: numbers.size("", "d_ff")?,
            context_length,
        })
    };
    let scaled = match numbers.text("model_type") {
        Some("mt5") => false,
        _ => numbers.flag("scale_decoder_outputs", numbers.flag("tie_word_embeddings", true)),
    };
    let config = EncoderDecoderConfig {
        dim,
        encoder: half(layers, source_length)?,
        decoder: half(numbers.optional_size("", "num_decoder_layers")?.unwrap_or(layers), target_length(&numbers)?)?,
        activation,
        gated,
        pre_norm: true,
        rms: true,
        epsilon: numbers.number("", "layer_norm_epsilon").unwrap_or(1e-6) as f32,
        embedding_norm: false,
        final_norm: true,
        embedding_scale: 1.0,
        attention_scale: 1.0,
        output_scale: if scaled { (dim as f64).powf(-0.5) } else { 1.0 },
        tied_output: false,
        separate_vocabularies: false,
        positions: PositionKind::Relative {
            max_distance: numbers.optional_positions("relative_attention_max_distance")?.unwrap_or(128),
            every_layer: numbers.text("model_type") == Some("umt5"),
        },
        sight,
        recurrent: false,
        empty_start: false,
        address,
    };
    Ok(Box::new(EncoderDecoder::load(config, &naming, weights, backend)?))
}

/// MADLAD-400 has a token for each target language, `<2de>`, which stands before the source; T5 is told in words, of the languages
/// that it was trained on.
fn address(from: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<Address> {
    // Old codes (iw) and other names of a language are among its aliases.
    let aliases = languages::get(to).into_iter().flat_map(|(_, language)| language.aliases.iter().map(String::as_str));
    let codes = [to.as_str(), to.base()].into_iter().chain(aliases).chain((to.base() == "he").then_some("iw"));
    let token = codes.map(lang_token).find(|token| has(token));
    if let Some(token) = token {
        return Some(Address { prefix: token + " ", begin: None });
    }
    if has("<2en>") {
        return None;
    }
    let pairs = ["de", "fr", "ro"];
    let known = |a: &Lang, b: &Lang| a.base() == "en" && pairs.contains(&b.base());
    (known(from, to)).then(|| Address { prefix: format!("translate {} to {}: ", languages::name(from), languages::name(to)), begin: None })
}

fn lang_token(code: &str) -> String {
    format!("<2{}>", code.replace('-', "_"))
}
