//! Which source tokens the tokens of a translation come from.

use serde::{Deserialize, Serialize};

/// The alignment of one segment, or of a part of it that was translated by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentAlignment {
    /// 0-based number of the segment: the title if there is one, then the body's sentences.
    pub segment: usize,
    /// Its tokens.
    #[serde(flatten)]
    pub alignment: TokenAlignment,
}

/// What a model read and wrote, token by token. A translation that goes through English has one
/// alignment for each of its two steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenAlignment {
    /// The source's tokens, as the model's vocabulary has them (`▁the`); language and end tokens
    /// are among them.
    pub source: Vec<String>,
    /// The tokens written, as the model wrote them: what is mended in the text afterwards does not
    /// show.
    pub target: Vec<AlignedToken>,
}

/// A token that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlignedToken {
    /// As the model's vocabulary has it.
    pub text: String,
    /// 0-based number of the source token that it comes from: the one with the greatest weight.
    pub source: usize,
    /// The attention to that token when this one was chosen, from 0 to 1.
    pub weight: f32,
}
