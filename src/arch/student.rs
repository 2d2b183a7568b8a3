//! Students of Marian's (Kim et al. 2019, "From Research to Production and Back: Ludicrously Fast
//! Neural Machine Translation"), such as Firefox's translation models: a transformer whose decoder
//! has recurrent layers in place of self-attention. Reference: Marian's `models/transformer.h`.
//! Decoders with self-attention are read as well.

use super::encoder_decoder::EncoderDecoder;
use super::family::{
    AttentionPattern, EncoderDecoderConfig, Naming, PositionKind, StackConfig, StackNaming,
};
use super::marian::Pair;
use super::numbers::activation;
use super::{GenerationDefaults, LanguagePrompt, LexicalShortlist, Model, Numbers};
use crate::checkpoint::{Config, MatrixReader, Weights};
use crate::error::{Error, Result};
use crate::nn::Backend;
use candle_core::Tensor;

/// Longest source: Bergamot splits what is longer, and students have seen nothing that is.
const LONGEST_SOURCE: usize = 128;
/// Most tokens of a translation for each of its source's, the end included: as Firefox has it
/// (Marian's `max-length-factor`; there it counts for the longest source of a batch, here for each,
/// so that a result does not depend on the others; a short one is allowed more). A loop goes on up
/// to that.
const LENGTH_FACTOR: usize = 2;
/// Longest target.
const LONGEST_TARGET: usize = LENGTH_FACTOR * LONGEST_SOURCE;

const NAMING: Naming = Naming {
    shared: &["Wemb"],
    output: "decoder_ff_logit_out_W.weight",
    output_bias: "decoder_ff_logit_out_b",
    encoder: StackNaming { embedding: "encoder_Wemb", layer: "encoder_l{1}_", ..STACK },
    decoder: StackNaming { embedding: "decoder_Wemb", layer: "decoder_l{1}_", ..STACK },
};

const STACK: StackNaming = StackNaming {
    attention: ["self_Wq", "self_Wk", "self_Wv", "self_Wo"],
    attention_norm: "self_Wo_ln", // of a decoder with a recurrence another, see `load`
    recurrence: ["rnn_W", "rnn_Wf"],
    cross: ["context_Wq", "context_Wk", "context_Wv", "context_Wo"],
    cross_norm: "context_Wo_ln",
    feed_forward: ["", "ffn_W1", "ffn_W2"],
    feed_forward_norm: "ffn_ffn_ln",
    ..StackNaming::NONE
};

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let unsupported = |what: String| {
        Error::model(
            weights.model(),
            format!("{what}; polygist reads Marian's transformer students"),
        )
    };
    only_what_is_known(&numbers).map_err(unsupported)?;
    let recurrent = is_recurrent(&numbers).map_err(unsupported)?;
    let dim = numbers.size("", "dim-emb")?;
    let heads = numbers.size("", "transformer-heads")?;
    if !dim.is_multiple_of(heads) {
        return Err(unsupported(format!(
            "its configuration has dim-emb {dim} and {heads} transformer-heads, which do not divide it"
        )));
    }
    let stack = |layers: &str, hidden: usize, context_length: usize| -> Result<StackConfig> {
        Ok(StackConfig {
            layers: numbers.size("", layers)?,
            heads,
            head_dim: dim / heads,
            hidden,
            context_length,
        })
    };
    let hidden = numbers.size("", "transformer-dim-ffn")?;
    // The decoder's own is 0 where it is the same.
    let decoder_hidden = match numbers.number("", "transformer-decoder-dim-ffn") {
        Some(own) if own != 0.0 => numbers.size("", "transformer-decoder-dim-ffn")?,
        _ => hidden,
    };
    let name = numbers.text("transformer-ffn-activation").unwrap_or("swish");
    let tied_all = numbers.flag("tied-embeddings-all", false);
    let pair = Pair::of(&numbers);
    let mut naming = NAMING;
    if recurrent {
        naming.decoder.attention_norm = "rnn_ffn_ln";
    }
    let config = EncoderDecoderConfig {
        dim,
        encoder: stack("enc-depth", hidden, LONGEST_SOURCE)?,
        decoder: stack("dec-depth", decoder_hidden, LONGEST_TARGET)?,
        activation: activation(name)
            .ok_or_else(|| unsupported(format!("its transformer-ffn-activation is {name}")))?,
        gated: false,
        pre_norm: false,
        rms: false,
        epsilon: 1e-6,
        embedding_norm: false,
        final_norm: false,
        embedding_scale: f64::from((dim as f32).sqrt()),
        attention_scale: ((dim / heads) as f32).sqrt().recip(),
        output_scale: 1.0,
        tied_output: tied_all || numbers.flag("tied-embeddings", false),
        separate_vocabularies: !tied_all && !numbers.flag("tied-embeddings-src", false),
        positions: PositionKind::SinusoidalFairseq { first: 0 },
        attention_pattern: AttentionPattern::Full,
        recurrent,
        // Marian's guided alignment is of the first head (`transformer-guided-alignment-layer`).
        aligning_head: Some(0),
        empty_start: true,
        language_prompt: Box::new(move |from, to, _| {
            pair.allows(from, to).then(LanguagePrompt::default)
        }),
    };
    let named = Named { weights, tied: tied_layers(&numbers) };
    let model = EncoderDecoder::load(config, &naming, &named, backend)?;
    let defaults = generation_defaults(&numbers, model.output().vocabulary());
    Ok(Box::new(model.with_generation_defaults(Box::new(move |_| defaults.clone()))))
}

/// A translation with a smaller mean probability of a token is doubted: a student, which was taught
/// by another model's translations alone, is sure of nearly all that it writes. Of FLORES dev,
/// Portuguese from and into English, these are about 7% (docs/quality.md).
const LEAST_CONFIDENCE: f32 = 0.87;

/// How Firefox runs a student: greedily, never the unknown token, at most twice as long as the
/// source, and without the shortlist that the folder may have: with it, words that it lacks come
/// out in pieces of others ("eighagogue percent").
fn generation_defaults(numbers: &Numbers<'_>, vocabulary: usize) -> GenerationDefaults {
    let vocabularies = numbers.config.json("vocabularies").and_then(|v| v.as_array());
    let shared = vocabularies.is_some_and(|files| files.len() == 1);
    let file = numbers.text("shortlist").filter(|file| !file.contains(['/', '\\']));
    GenerationDefaults {
        config: serde_json::json!({ "min_confidence": LEAST_CONFIDENCE }),
        // The decoder starts with a token that has no embedding.
        start: Some(vocabulary as u32),
        bad_tokens: vec!["<unk>"],
        shortlist: file.map(|file| LexicalShortlist { file: file.into(), shared }),
        length_factor: Some(LENGTH_FACTOR),
    }
}

/// Whether the decoder's layers have a recurrence in place of self-attention.
fn is_recurrent(numbers: &Numbers<'_>) -> std::result::Result<bool, String> {
    match (
        numbers.text("transformer-decoder-autoreg").unwrap_or("self-attention"),
        numbers.text("dec-cell"),
    ) {
        ("rnn", Some("ssru")) => Ok(true),
        ("self-attention", _) => Ok(false),
        (layer, cell) => {
            let cell = cell.unwrap_or("none");
            Err(format!(
                "its decoder has layers of the kind {layer} (cell {cell}); known are rnn (ssru), self-attention"
            ))
        }
    }
}

/// Refuses what would be computed wrongly: options of Marian's that are not known here and are not
/// as they are by default.
fn only_what_is_known(numbers: &Numbers<'_>) -> std::result::Result<(), String> {
    let kind = numbers.text("type").unwrap_or("");
    if kind != "transformer" {
        return Err(format!("it is of the type {kind:?}"));
    }
    // Dropout, `d`, is for training.
    let steps = |key: &str, default: &str| numbers.text(key).unwrap_or(default).replace('d', "");
    for (key, default, known) in [
        ("transformer-preprocess", "", ""),
        ("transformer-postprocess", "dan", "an"),
        ("transformer-postprocess-emb", "d", ""),
        ("transformer-postprocess-top", "", ""),
    ] {
        if steps(key, default) != known {
            return Err(format!(
                "its {key} is {:?} where {known:?} is known",
                numbers.text(key).unwrap_or(default)
            ));
        }
    }
    let flags = [
        "transformer-no-projection",
        "transformer-no-bias",
        "transformer-no-affine",
        "transformer-rnn-projection",
        "transformer-train-positions",
        "transformer-train-position-embeddings",
        "transformer-disable-position-embeddings",
        "layer-normalization",
        "output-omit-bias",
        "ulr",
    ];
    if let Some(flag) = flags.into_iter().find(|flag| numbers.flag(flag, false)) {
        return Err(format!("its configuration has {flag}, which is not known"));
    }
    for (key, known) in [
        ("transformer-ffn-depth", &[2.0][..]),
        ("transformer-decoder-ffn-depth", &[0.0, 2.0]),
        ("lemma-dim-emb", &[0.0]),
    ] {
        match numbers.number("", key) {
            Some(n) if !known.contains(&n) => {
                return Err(format!("its {key} is {n} where {} is known", known[known.len() - 1]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// For each layer of the decoder the number, from one, of the layer whose weights it has; empty
/// where each has its own.
fn tied_layers(numbers: &Numbers<'_>) -> Vec<u64> {
    let list = numbers.config.json("transformer-tied-layers").and_then(|v| v.as_array());
    list.into_iter().flatten().filter_map(|v| v.as_u64()).collect()
}

/// Marian's weights under the names that the other families have: a `.weight` is (out, in), a
/// `.bias` and both of a norm are vectors.
struct Named<'a> {
    weights: &'a dyn Weights,
    /// See [`tied_layers`].
    tied: Vec<u64>,
}

impl Named<'_> {
    /// Marian's name, and whether the weight is a matrix that is multiplied with.
    fn stored(&self, name: &str) -> (String, bool) {
        let name = self.untied(name);
        if let Some(base) = name.strip_suffix(".weight") {
            return if base.ends_with("_ln") {
                (format!("{base}_scale"), false)
            } else {
                (base.into(), true)
            };
        }
        match name.strip_suffix(".bias") {
            Some(base) if base.ends_with("_ln") => (format!("{base}_bias"), false),
            Some(base) => (
                base.rsplit_once("_W")
                    .map_or(format!("{base}_b"), |(layer, part)| format!("{layer}_b{part}")),
                false,
            ),
            None => (name, false),
        }
    }

    /// The factor that makes the inputs of a matrix 8-bit integers, Marian's "alpha", if the file
    /// has one. Marian's converter names that of an output layer with the embedding's weights
    /// `none`.
    fn input_factor(&self, stored: &str) -> Result<Option<f32>> {
        let own = format!("{stored}_QuantMultA");
        let names = if stored.ends_with("Wemb") { ["none_QuantMultA", &own] } else { [&own, ""] };
        let mut found = names.into_iter().filter(|name| self.weights.has(name)).collect::<Vec<_>>();
        found.truncate(1);
        let Some(name) = found.first() else { return Ok(None) };
        let factor = self.weights.get(name)?.flatten_all()?.to_vec1::<f32>()?.first().copied();
        Ok(factor.filter(|factor| factor.is_finite() && *factor > 0.0))
    }

    /// The name with the layer whose weights it has.
    fn untied(&self, name: &str) -> String {
        let layer = || {
            let (number, part) = name.strip_prefix("decoder_l")?.split_once('_')?;
            let own = self.tied.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
            Some(format!("decoder_l{own}_{part}"))
        };
        layer().unwrap_or_else(|| name.to_string())
    }
}

impl Weights for Named<'_> {
    fn model(&self) -> &str {
        self.weights.model()
    }

    fn has(&self, name: &str) -> bool {
        self.weights.has(&self.stored(name).0)
    }

    fn names(&self) -> Vec<String> {
        self.weights.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let (stored, is_matrix) = self.stored(name);
        let tensor = self.weights.get(&stored)?;
        if is_matrix && tensor.rank() == 2 {
            return Ok(tensor.t()?.contiguous()?);
        }
        // Vectors are stored as one row.
        let vector = name.ends_with(".bias") || name.ends_with(".weight");
        Ok(if vector && tensor.rank() == 2 && tensor.dim(0)? == 1 {
            tensor.flatten_all()?
        } else {
            tensor
        })
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        let (stored, _) = self.stored(name);
        match self.weights.get_integers(&stored)? {
            Some(matrix) if matrix.width == width => {
                Ok(matrix.with_input_factor(self.input_factor(&stored)?))
            }
            _ => MatrixReader::from_tensor(self.get_rows(name, width)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct None;

    impl Weights for None {
        fn model(&self) -> &str {
            "none"
        }

        fn has(&self, _: &str) -> bool {
            false
        }

        fn names(&self) -> Vec<String> {
            Vec::new()
        }

        fn get(&self, name: &str) -> Result<Tensor> {
            Err(Error::model("none", name))
        }
    }

    #[test]
    fn weights_have_marians_names() {
        let named =
            |tied: &[u64], name: &str| Named { weights: &None, tied: tied.to_vec() }.stored(name);
        for (name, stored, is_matrix) in [
            ("encoder_l1_self_Wq.weight", "encoder_l1_self_Wq", true),
            ("encoder_l1_self_Wq.bias", "encoder_l1_self_bq", false),
            ("encoder_l1_ffn_W2.bias", "encoder_l1_ffn_b2", false),
            ("decoder_l2_rnn_Wf.bias", "decoder_l2_rnn_bf", false),
            ("encoder_l6_self_Wo_ln.weight", "encoder_l6_self_Wo_ln_scale", false),
            ("decoder_l2_rnn_ffn_ln.bias", "decoder_l2_rnn_ffn_ln_bias", false),
            ("decoder_ff_logit_out_b", "decoder_ff_logit_out_b", false),
            ("Wemb", "Wemb", false),
        ] {
            assert_eq!(named(&[], name), (stored.to_string(), is_matrix));
        }
        assert_eq!(named(&[1, 1], "decoder_l2_rnn_W.weight").0, "decoder_l1_rnn_W");
        assert_eq!(named(&[1, 1], "encoder_l2_ffn_W1.weight").0, "encoder_l2_ffn_W1");
    }
}
