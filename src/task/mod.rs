//! The tasks: translating an article, summarizing it, checking what came out.

pub mod checks;
pub mod digest;
pub mod extractive;
mod likelihood;
mod prompts;
mod rerank;
pub mod summarize;
pub mod translate;

pub use prompts::{Instruction, translatable_languages, uses_examples};
