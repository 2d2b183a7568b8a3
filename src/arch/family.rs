//! The differences between families of encoder–decoder models: sizes, switches, and the names of
//! their weights.

use crate::kernel::Activation;
use crate::types::Lang;

/// Sizes and switches of an encoder–decoder.
pub(super) struct EncoderDecoderConfig {
    pub dim: usize,
    pub encoder: StackConfig,
    pub decoder: StackConfig,
    pub activation: Activation,
    /// Whether feed-forward layers have a gate.
    pub gated: bool,
    /// Whether a sublayer normalizes its input; if not, the sum of its input and its output.
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
    /// Whether the output layer may have the embedding's weights.
    pub tied_output: bool,
    /// Whether source and target have vocabularies, and embeddings, of their own.
    pub separate_vocabularies: bool,
    pub positions: PositionKind,
    pub attention_pattern: AttentionPattern,
    /// Whether the decoder's layers have a [`Recurrence`] in place of self-attention.
    pub recurrent: bool,
    /// The head of the decoder's last layer that was taught to align, if one was.
    pub aligning_head: Option<usize>,
    /// Whether the decoder starts with a token that has no embedding: zeros. Its id follows the
    /// last one of the vocabulary.
    pub empty_start: bool,
    /// See [`Model::language_prompt`].
    pub language_prompt: LanguagePromptFn,
}

/// Sizes of one stack of layers, the encoder or the decoder.
pub(super) struct StackConfig {
    pub layers: usize,
    pub heads: usize,
    pub head_dim: usize,
    pub hidden: usize,
    /// Longest source, or target.
    pub context_length: usize,
}

/// The attention pattern of an encoder, see [`LayerPattern`]; names are below the encoder's layer.
///
/// [`LayerPattern`]: crate::nn::LayerPattern
pub(super) enum AttentionPattern {
    Full,
    Local {
        radius: usize,
    },
    /// The table of the relative positions of blocks is in the first layer, for all.
    TransientGlobal {
        radius: usize,
        block_size: usize,
        norm: &'static str,
        relative: &'static str,
    },
    /// A radius for all layers, or one for each. `first` are names of the query, key and value that
    /// the first token has beside those that all have.
    FirstTokenGlobal {
        radii: Vec<usize>,
        first: [&'static str; 3],
    },
}

/// A family's encoding of positions.
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

/// A family's [`Model::language_prompt`]; the last argument says whether the model has a token.
pub(super) type LanguagePromptFn =
    Box<dyn Fn(&Lang, &Lang, &dyn Fn(&str) -> bool) -> Option<super::LanguagePrompt> + Send + Sync>;

/// A family's names of weights. Those of linear layers and norms stand without `.weight` and
/// `.bias`.
pub(super) struct Naming {
    /// The shared embedding, under one of these names.
    pub shared: &'static [&'static str],
    pub output: &'static str,
    /// Added to the logits, if there.
    pub output_bias: &'static str,
    pub encoder: StackNaming,
    pub decoder: StackNaming,
}

/// Names in one stack; those of a layer are below `layer`, `{}` for its number, `{1}` where the
/// first is number one.
pub(super) struct StackNaming {
    pub embedding: &'static str,
    pub positions: &'static str,
    pub embedding_norm: &'static str,
    pub final_norm: &'static str,
    pub layer: &'static str,
    /// Query, key, value, output.
    pub attention: [&'static str; 4],
    pub attention_norm: &'static str,
    /// Input and forget gate of a [`Recurrence`] in place of attention.
    pub recurrence: [&'static str; 2],
    /// Query, key, value, output of the decoder's cross-attention.
    pub cross: [&'static str; 4],
    pub cross_norm: &'static str,
    /// Gate (if there is one), up, down.
    pub feed_forward: [&'static str; 3],
    pub feed_forward_norm: &'static str,
    /// Table of the relative positions, below the layer.
    pub relative: &'static str,
}

impl StackNaming {
    /// No names: a base for those that a family has.
    pub const NONE: StackNaming = StackNaming {
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

    /// The name of a part of a layer.
    pub fn layer(&self, layer: usize, part: &str) -> String {
        format!(
            "{}{part}",
            self.layer.replace("{}", &layer.to_string()).replace("{1}", &(layer + 1).to_string())
        )
    }
}
