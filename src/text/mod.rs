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
/// Title and blocks of a raw article.
pub mod extract;
/// Hash maps of the program's own words.
pub(crate) mod hash;
/// Words that leave something open.
pub(crate) mod hedges;
/// HTML as it is written, in pieces.
pub(crate) mod html;
pub mod inline;
pub(crate) mod json;
pub mod language;
pub(crate) mod letters;
pub(crate) mod lexicon;
pub(crate) mod marks;
/// Placeholders for what a model is not to touch.
pub mod mask;
pub(crate) mod negation;
pub mod numbers;
/// Spans that must come through a translation unchanged: addresses, code, placeholders, tags.
pub mod protect;
/// Quotation marks, from one language's to another's.
pub mod quotes;
pub mod sentences;
mod signs;
/// Tags of XML and HTML as they are written.
pub(crate) mod tag;
/// Terms of a glossary: where they occur in a source, and whether its translation has them.
pub mod terms;
pub(crate) mod tokens;
/// Texts in markup that is not taken apart.
pub(crate) mod unread;
/// Words and names of a text, for comparing texts.
pub mod words;
