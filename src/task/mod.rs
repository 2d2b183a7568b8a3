//! What polygist does with an article: translate it, summarize it, check what came out.

mod channel;
pub mod checks;
pub mod extractive;
mod prompts;
pub mod summarize;
pub mod translate;

pub use prompts::translatable_languages;
