//! What became of each segment of an article, in its record.

use super::{Lang, Problem};
use serde::{Deserialize, Serialize};

/// A segment of a translated article and its translation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// The source, without the markup in it.
    pub source: String,
    /// What stands for it in the result: its translation, or the source where that was refused.
    pub target: String,
    /// Where it stands.
    pub place: Place,
    /// Its language, where that is another than the article's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Lang>,
    /// How far the model trusts the translation, from 0 to 1, where it can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// What the checks complain of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Who translated it.
    #[serde(default, skip_serializing_if = "Origin::is_model")]
    pub origin: Origin,
}

/// The part of an article that a segment belongs to. Numbers are 0-based and count all blocks of
/// the article, those included that are copied, and the title's apart, where it stands among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The title.
    Title,
    /// A heading.
    Heading(usize),
    /// A paragraph.
    Paragraph(usize),
    /// An item of a list.
    Item(usize),
    /// A text in the markup of a block: what stands for an image, a link's title.
    Aside(usize),
}

/// Who made a translation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A model, in this run or an earlier one; or nobody, where there was nothing to translate.
    #[default]
    Model,
    /// Whoever wrote the translation memory that it was found in.
    Memory,
}

impl Origin {
    fn is_model(&self) -> bool {
        *self == Origin::Model
    }
}
