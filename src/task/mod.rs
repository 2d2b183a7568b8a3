//! The tasks: translating an article, summarizing it, checking what came out.

pub mod checks;
pub mod digest;
pub mod extractive;
mod instruction;
mod likelihood;
mod prompts;
mod rerank;
pub mod summarize;
pub mod translate;

pub use instruction::Instruction;
pub use prompts::{translatable_languages, uses_examples};
