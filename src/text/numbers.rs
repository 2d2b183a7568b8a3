//! Numbers of a text: in digits, in words, and as amounts of money.

/// Currencies that a text names.
pub mod currencies;
mod digits;
mod magnitude;
mod number_words;
mod numerals;
mod roman;
/// Decimal points and grouping separators, from one language's to another's.
pub mod separators;
mod spelled;

pub use digits::numbers;
pub(crate) use digits::{PlacedNumber, placed_numbers};
pub use number_words::spelled;
pub(crate) use number_words::spelled_in;
pub use roman::roman;
pub use spelled::Spelled;
