//! Sentences of a text, pieces of a sentence that is too long, and the seams of translated pieces.

mod abbreviations;
mod asides;
mod boundary;
mod candidates;
mod english;
mod glued;
mod headings;
mod items;
mod long;
mod openers;
mod parts;
mod quotations;
mod references;
/// Seams where the translated pieces of a sentence meet.
pub mod seams;
mod split;

pub use long::split_long;
pub use split::split;

#[cfg(test)]
mod tests;
