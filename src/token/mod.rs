//! Text to token ids and back.
//!
//! [`Tokenizer::from_folder`], [`Tokenizer::from_file`] and [`Tokenizer::from_gguf`] read what a
//! model comes with; a [`Tokenizer`] is one of two machines, the `tokenizers` crate's or
//! SentencePiece's algorithm with ids of its own, and the template that an encoder's input has.

mod convert;
mod files;
mod folder;
#[doc(hidden)]
pub mod fuzz;
mod gguf;
mod hf_tokenizer;
mod input_template;
mod language_codes;
mod mapped_sentencepiece;
mod numbered;
mod parts;
mod piece;
mod recent;
mod sentencepiece;
mod templated;
mod tokenizer;
mod tokenizer_config;

pub use piece::Piece;
pub use templated::TemplatedTokenizer;
pub use tokenizer::Tokenizer;
