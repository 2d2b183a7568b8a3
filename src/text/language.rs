//! The language and the writing systems of a text.

mod code;
mod detect;
mod evidence;
/// Function words of languages.
pub(super) mod function_words;
mod names;
mod passage;
mod relatives;
/// Writing systems.
pub mod script;
mod weights;

pub use detect::detect;
pub(crate) use detect::is_evident;
pub use function_words::is_function_word;
pub use passage::{Languages, leans, of_passage};
pub use relatives::are_close;

#[cfg(test)]
mod tests;
