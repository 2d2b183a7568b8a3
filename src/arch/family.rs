//! What the families of encoder–decoder models differ in: sizes, switches, and the names of their
//! weights.

use crate::kernel::Activation;
use crate::types::Lang;

/// Sizes and switches of an encoder–decoder.
pub(super) struct EncoderDecoderConfig {
    pub dim: usize,
    pub encoder: HalfConfig,
    pub decoder: HalfConfig,
    pub activation: Activation,
    /// Whether feed-forward layers have a gate.
    pub gated: bool,
    /// Whether a sublayer normalizes what it reads; if not, what it has written, the sum with its
    /// input.
    pub pre_norm: bool,
    /// Root-mean-square normalization and layers without biases (T5), or layer normalization and
    /// layers with biases.
    pub rms: bool,
    pub epsilon: f32,
    /// Whether the embeddings are normalized.
    pub embedding_norm: bool,
    /// Whether the last layer's output is normalized.
    pub final_norm: bool,
    /// Factor of the embeddings.
    pub embedding_scale: f64,
    /// Factor of the attention scores.
    pub attention_scale: f32,
    /// Factor of the decoder's output.
    pub output_scale: f64,
    /// Whether the output layer has the embedding's weights.
    pub tied_output: bool,
    /// Whether source and target have vocabularies, and embeddings, of their own.
    pub separate_vocabularies: bool,
    pub positions: PositionKind,
    pub sight: SightKind,
    /// Whether the decoder's layers have a [`Recurrence`] in place of self-attention.
    pub recurrent: bool,
    /// Whether the decoder starts with a token that has no embedding: zeros. Its id follows the
    /// last one of the vocabulary.
    pub empty_start: bool,
    /// See [`Model::language_prompt`].
    pub language_prompt: LanguagePromptFn,
}

/// Sizes of one half.
pub(super) struct HalfConfig {
    pub layers: usize,
    pub heads: usize,
    pub head_dim: usize,
    pub hidden: usize,
    /// Longest source, or target.
    pub context_length: usize,
}

/// What the tokens of a source see of it, see [`Sight`]; names are below the encoder's layer.
pub(super) enum SightKind {
    All,
    Near {
        radius: usize,
    },
    /// The table of the relative positions of blocks is in the first layer, for all.
    NearAndBlocks {
        radius: usize,
        size: usize,
        norm: &'static str,
        relative: &'static str,
    },
    /// A radius for all layers, or one for each. `first` are names of the query, key and value that
    /// the first token has beside those that all have.
    NearAndFirst {
        radii: Vec<usize>,
        first: [&'static str; 3],
    },
}

/// How a family knows where a token stands.
pub(super) enum PositionKind {
    /// Learned vectors, the first few of which are not used.
    Learned { offset: usize },
    /// See [`Positions::sinusoidal`].
    Sinusoidal,
    /// See [`Positions::sinusoidal_fairseq`].
    SinusoidalFairseq { first: usize },
    /// T5's relative positions: in every layer, or in the first for all.
    Relative { max_distance: usize, every_layer: bool },
}

/// What a family answers to [`Model::language_prompt`]; the last argument tells whether the model
/// has a token.
pub(super) type LanguagePromptFn =
    Box<dyn Fn(&Lang, &Lang, &dyn Fn(&str) -> bool) -> Option<super::LanguagePrompt> + Send + Sync>;

/// How a family's files name the weights. Names of linear layers and norms stand without `.weight`
/// and `.bias`.
pub(super) struct Naming {
    /// The shared embedding, under one of these names.
    pub shared: &'static [&'static str],
    pub output: &'static str,
    /// Added to the logits, if there.
    pub output_bias: &'static str,
    pub encoder: HalfNaming,
    pub decoder: HalfNaming,
}

/// Names in one half; those of a layer are below `layer`, `{}` for its number, `{1}` where the
/// first is number one.
pub(super) struct HalfNaming {
    pub embedding: &'static str,
    pub positions: &'static str,
    pub embedding_norm: &'static str,
    pub final_norm: &'static str,
    pub layer: &'static str,
    /// Query, key, value, output.
    pub attention: [&'static str; 4],
    pub attention_norm: &'static str,
    /// The layer's input and forget gate, of a [`Recurrence`] in place of attention.
    pub recurrence: [&'static str; 2],
    /// The same for the cross-attention of the decoder.
    pub cross: [&'static str; 4],
    pub cross_norm: &'static str,
    /// Gate (if there is one), up, down.
    pub feed_forward: [&'static str; 3],
    pub feed_forward_norm: &'static str,
    /// Table of the relative positions, below the layer.
    pub relative: &'static str,
}

impl HalfNaming {
    /// Names nothing: what a family does not have, and what it fills in.
    pub const NONE: HalfNaming = HalfNaming {
        embedding: "",
        positions: "",
        embedding_norm: "",
        final_norm: "",
        layer: "",
        attention: [""; 4],
        attention_norm: "",
        recurrence: [""; 2],
        cross: [""; 4],
        cross_norm: "",
        feed_forward: [""; 3],
        feed_forward_norm: "",
        relative: "",
    };

    /// The name of a layer's part.
    pub fn layer(&self, layer: usize, part: &str) -> String {
        format!(
            "{}{part}",
            self.layer.replace("{}", &layer.to_string()).replace("{1}", &(layer + 1).to_string())
        )
    }
}
