//! Numbers written in words or numerals, as their readers return them.

use std::ops::Range;

/// A number that is written in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// Value of the number.
    pub value: u64,
    /// Whether it is a count and nothing else: an ordinal is not, nor is a word that has another
    /// meaning as well.
    pub counts: bool,
    /// Whether it says which one: the third.
    pub is_ordinal: bool,
    /// Place in the text, in bytes.
    pub place: Range<usize>,
}
