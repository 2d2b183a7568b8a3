//! The text that a token of the vocabulary writes.

/// The text of a token, as far as it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Whole characters.
    Text(String),
    /// A part of a character.
    Bytes,
    /// Nothing; it is a mark for the model.
    Control,
}
