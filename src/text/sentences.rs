//! Sentences of a text, pieces of a sentence that is too long, and how translated pieces meet.

mod abbreviations;
mod boundary;
mod long;
/// Where the translated pieces of a sentence meet.
pub mod seams;
mod split;

pub use long::split_long;
pub use split::split;
