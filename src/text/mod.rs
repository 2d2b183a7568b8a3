//! Text in, text and plain structs out: no disk, no network, no model.
//!
//! The order in which an article goes through: [`extract`] (with [`clean`]) → [`language`] →
//! [`sentences`]; the other modules answer questions that tasks and checks have about a text.

/// Sentences that refer to the one before them.
pub mod anaphora;
/// Text written in capitals: recognized, and changed to sentence case and back.
pub mod caps;
/// Normalization of characters: Unicode form, control and invisible characters, line ends.
pub mod clean;
/// Currencies that a text names.
pub mod currencies;
/// From a raw article to its title and blocks.
pub mod extract;
/// Which language a text is written in.
pub mod language;
/// Numbers that are written as words, with their values.
pub mod number_words;
/// Numbers of a text, in a form that does not depend on language and digits.
pub mod numbers;
/// What must come through a translation unchanged: addresses, code, placeholders, tags.
pub mod protect;
/// Quotation marks, from one language's to another's.
pub mod quotes;
/// Writing systems.
pub mod script;
/// Where the translated pieces of a sentence meet.
pub mod seams;
/// Sentences of a text, and pieces of a sentence that is too long.
pub mod sentences;
/// Decimal points and grouping separators, from one language's to another's.
pub mod separators;
/// Words and names of a text, for comparing texts.
pub mod words;

mod abbreviations;
mod boilerplate;
mod function_words;
mod html;
mod html_blocks;
mod markdown;
mod numerals;
mod plain;
