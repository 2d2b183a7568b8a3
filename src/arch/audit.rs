//! Weights that a model needs and its files lack, and weights that the files hold and nothing
//! reads.

use super::family::{
    AttentionPattern, EncoderDecoderConfig, Naming, PositionKind, StackConfig, StackNaming,
};
use crate::checkpoint::{Config, TrackedWeights, Weights};
use crate::error::{Error, Result};

/// Most names that a message lists.
const LISTED: usize = 8;
/// Most missing weights that are counted.
const COUNTED: usize = 10_000;

/// Checks that all weights of these names are there, before any is read.
///
/// # Errors
/// Lists what is missing.
pub(super) fn require(weights: &dyn Weights, names: impl Iterator<Item = String>) -> Result<()> {
    let missing: Vec<String> = names.filter(|name| !weights.has(name)).take(COUNTED).collect();
    let what = match missing.as_slice() {
        [] => return Ok(()),
        [one] => format!("weight {one} is missing"),
        all if all.len() == COUNTED => {
            format!("at least {COUNTED} weights are missing: {}", listed(all))
        }
        all => format!("{} weights are missing: {}", all.len(), listed(all)),
    };
    let held = weights.names();
    let found = if held.is_empty() { "none at all".to_string() } else { listed(&held) };
    let hint =
        "fetch the model again; if it is whole, its configuration is that of another architecture";
    Err(Error::model(
        weights.model(),
        format!("{what}; found {} weights: {found}; {hint}", held.len()),
    ))
}

/// The first of some names, and how many more there are.
fn listed(names: &[String]) -> String {
    let first = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The weights of a file that its model did not use, in one sentence; `None` where there are none
/// but those that published files are known to hold besides.
pub fn unused(weights: &TrackedWeights<'_>) -> Option<String> {
    let names: Vec<String> =
        weights.unused().into_iter().filter(|name| !is_harmless(name)).collect();
    let (what, are) = match names.len() {
        0 => return None,
        1 => ("weight", "is"),
        _ => ("weights", "are"),
    };
    Some(format!(
        "{} {what} of {} {are} not used: {}",
        names.len(),
        weights.model(),
        listed(&names)
    ))
}

/// What is assumed of a model whose configuration says that its output layer is not its embedding,
/// and whose files have nothing else, in one sentence. The families of T5 alone are loaded so:
/// `transformers` saves them that way, and those whose output layer is lost look the same.
pub fn assumed(config: &Config, weights: &dyn Weights) -> Option<String> {
    let output = super::t5::NAMING.output;
    let text = |key: &str| config.json(key).and_then(|value| value.as_str());
    let untied = config.json("tie_word_embeddings").and_then(|v| v.as_bool()) == Some(false);
    let is_t5 = matches!(text("model_type"), Some("t5" | "mt5" | "umt5"));
    (is_t5 && untied && !weights.has(output)).then(|| {
        format!(
            "{} has no {output}, though its configuration says tie_word_embeddings = false; its \
             embedding is used. If what it writes makes no sense, fetch it again",
            weights.model()
        )
    })
}

/// Whether published models hold a weight of that name that no implementation reads.
fn is_harmless(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        // Numbers that follow from the configuration.
        "position_ids",
        "inv_freq",
        "attn_rot_embd.weight",
        "rope_freqs.weight",
        // Rotary embeddings for texts that are longer than any that is read here.
        "rope_factors_long.weight",
        // Sines.
        "embed_positions.weight",
        "embed_positions.weights",
        // fairseq's marks.
        "_float_tensor",
        ".version",
        // The embedding once more, under another of its names.
        "embed_tokens.weight",
        "shared.weight",
        "lm_head.weight",
        "final_logits_bias",
        // T5's cross-attention was once saved with relative positions, which it never used.
        "EncDecAttention.relative_attention_bias.weight",
        "cross_attn_rel_b.weight",
    ];
    // What sees images, in the files of models that do.
    const PARTS: &[&str] = &["vision_tower.", "multi_modal_projector.", "vision_model."];
    let inner = name.strip_prefix("model.").unwrap_or(name);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || PARTS.iter().any(|part| inner.starts_with(part))
}

/// The names of all weights that an encoder–decoder needs, the embeddings apart.
pub(super) fn encoder_decoder<'a>(
    config: &'a EncoderDecoderConfig,
    naming: &'a Naming,
) -> impl Iterator<Item = String> + 'a {
    let stacks =
        [(&config.encoder, &naming.encoder, false), (&config.decoder, &naming.decoder, true)];
    stacks
        .into_iter()
        .flat_map(|(stack, names, is_decoder)| of_stack(config, stack, names, is_decoder))
}

fn of_stack<'a>(
    c: &'a EncoderDecoderConfig,
    stack: &'a StackConfig,
    names: &'a StackNaming,
    is_decoder: bool,
) -> impl Iterator<Item = String> + 'a {
    // Weight and bias of a matrix or a norm.
    let both = move |name: String| {
        let bias = (!c.rms).then(|| format!("{name}.bias"));
        [format!("{name}.weight")].into_iter().chain(bias)
    };
    let mut around = Vec::new();
    around.extend(
        matches!(c.positions, PositionKind::Learned { .. }).then(|| names.positions.to_string()),
    );
    around.extend(
        c.embedding_norm
            .then_some(names.embedding_norm)
            .into_iter()
            .map(String::from)
            .flat_map(both),
    );
    around.extend(
        c.final_norm.then_some(names.final_norm).into_iter().map(String::from).flat_map(both),
    );

    let recurrent = is_decoder && c.recurrent;
    let [input, gate] = names.recurrence;
    let mut parts: Vec<&str> = vec![names.attention_norm, names.feed_forward_norm];
    if recurrent {
        parts.push(gate)
    } else {
        parts.extend(names.attention)
    };
    parts.extend(&names.feed_forward[usize::from(!c.gated)..]);
    if is_decoder {
        parts.extend(names.cross);
        parts.push(names.cross_norm);
    }
    let (mut in_all, mut in_first) = (Vec::new(), Vec::new());
    match &c.attention_pattern {
        AttentionPattern::TransientGlobal { norm, relative, .. } if !is_decoder => {
            parts.push(norm);
            in_first.push(*relative);
        }
        AttentionPattern::FirstTokenGlobal { first, .. } if !is_decoder => parts.extend(first),
        _ => {}
    }
    match c.positions {
        PositionKind::Relative { every_layer: true, .. } => in_all.push(names.relative),
        PositionKind::Relative { .. } => in_first.push(names.relative),
        _ => {}
    }
    let layer = move |i: usize| {
        let parts = parts.iter().flat_map(|part| both(names.layer(i, part)));
        let tables = in_all
            .iter()
            .chain(in_first.iter().filter(|_| i == 0))
            .map(|table| names.layer(i, table));
        let input = recurrent.then(|| format!("{}.weight", names.layer(i, input)));
        parts.chain(tables).chain(input).collect::<Vec<_>>()
    };
    around.into_iter().chain((0..stack.layers).flat_map(layer))
}
