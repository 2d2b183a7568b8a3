//! polygist turns articles in any language into translations and summaries, on your own machine,
//! with local transformer models.
//!
//! The program is a thin layer over this library; what it does is here, in the order in which data
//! flows:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`io::articles`] | files and folders | [`types::RawArticle`] |
//! | [`text`] | a raw article | clean text, its structure, its language, its sentences |
//! | [`token`], [`generate`] | prompts | generated text, in batches whose results do not depend on the batch |
//! | [`checkpoint`] | the files of a model | its configuration and weights, as tokenizers and architectures read them |
//! | [`arch`], [`nn`], [`kernel`] | tokens | hidden states: the architectures, their layers, the CPU's kernels |
//! | [`task`] | sentences | translations and summaries, checked |
//! | [`pipeline`] | articles | [`types::Record`]s: all of the above |
//! | [`report`], [`io::write`], [`io::journal`] | records | Markdown, JSON Lines, a page of HTML |
//! | [`mod@bench`] | articles, or shapes of models | how fast it is here |
//!
//! Models are found, fetched and verified by [`io::fetch`], and opened by [`model`].
//!
//! # Example
//!
//! What needs no model:
//!
//! ```
//! use polygist::{text, types::Lang};
//!
//! let found = text::language::detect("Der Rat der Stadt hat am Dienstag den Bau einer neuen Brücke beschlossen.");
//! assert_eq!(found.code.as_str(), "de");
//! let sentences = text::sentences::split("Dr. Weber lacht. Alle lachen mit.", &found.code);
//! assert_eq!(sentences.len(), 2);
//! ```
//!
//! Translating with a model that is on this machine:
//!
//! ```no_run
//! use polygist::task::translate::{self, Segment, Settings};
//! use polygist::types::Lang;
//! use polygist::model::{self, Runtime};
//!
//! # fn main() -> polygist::error::Result<()> {
//! let engine = model::open("gemma", "model.gguf".as_ref(), &Runtime::cpu())?;
//! let fr = Lang::parse("fr").expect("a language code");
//! let segments = [Segment { text: "Le train est en retard.".into(), from: fr, to: Lang::en() }];
//! let translations = translate::translate(&[&engine], &segments, Settings::default(), &|_| true)?;
//! println!("{}", translations[0].text);
//! # Ok(())
//! # }
//! ```
//!
//! Errors are one type, [`error::Error`]; nothing in the library prints or exits, the command line
//! ([`cli`]) aside.

pub mod arch;
pub mod bench;
mod cancel;
pub mod checkpoint;
pub mod cli;
pub mod error;
pub mod generate;
pub mod io;
pub mod kernel;
pub mod languages;
pub mod model;
pub mod nn;
pub mod pipeline;
pub mod report;
pub mod task;
pub mod text;
pub mod token;
pub mod types;

pub use cancel::CancelToken;
