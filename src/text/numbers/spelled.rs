use std::ops::Range;

/// A number that is written in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// How much it is.
    pub value: u64,
    /// Whether it says how many and nothing else; an ordinal does not, nor does a word that means
    /// something else, too.
    pub counts: bool,
    /// Where in the text.
    pub place: Range<usize>,
}
