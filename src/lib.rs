//! polygist turns articles in any language into translations and summaries, on your own machine,
//! with local transformer models.
//!
//! ```no_run
//! # fn main() -> polygist::Result<()> {
//! let translator = polygist::Translator::builder().build()?; // the best model for each pair
//! for translation in translator.translate("fr", "en", ["Bonjour.", "Merci."])? {
//!     println!("{translation}"); // translation.text, .confidence, .problems
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | for | there is |
//! |---|---|
//! | texts in another language | [`Translator`] |
//! | summaries of articles | [`Summarizer`] |
//! | folders of articles, as a job that can be stopped and resumed | [`BatchJob`], [`Record`] |
//! | models: found by name, fetched, verified, opened | [`ModelStore`] |
//! | where and how to compute | [`RuntimeOptions`], [`Runtime`] |
//! | stopping work, and hearing how far it is | [`CancelToken`], [`Event`] |
//! | the language of a text | [`detect_language`], [`Lang`] |
//!
//! Errors are one type, [`Error`]. Nothing in the library prints or exits.
//!
//! # Features
//!
//! `cli` (default) is the `polygist` program; `serve` (default) is its server; `fetch` (default)
//! downloads models, without it they have to be on this machine; `parquet` (default) reads and
//! writes Parquet; `cuda` and `metal` compute on a GPU; `python` is the module for Python.
//!
//! Modules that are not shown here are the program's own: they may change in any version.

#[doc(hidden)]
pub mod arch;
#[doc(hidden)]
pub mod bench;
mod cancel;
#[doc(hidden)]
pub mod checkpoint;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod document;
#[doc(hidden)]
pub mod embed;
#[doc(hidden)]
pub mod error;
mod event;
#[doc(hidden)]
pub mod generate;
#[doc(hidden)]
pub mod io;
#[doc(hidden)]
pub mod job;
#[doc(hidden)]
pub mod kernel;
#[doc(hidden)]
pub mod languages;
#[doc(hidden)]
pub mod main_memory;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod model;
mod model_store;
#[doc(hidden)]
pub mod nn;
#[doc(hidden)]
pub mod pipeline;
#[cfg(feature = "python")]
mod python;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod route;
mod runtime;
#[cfg(feature = "serve")]
#[doc(hidden)]
pub mod serve;
mod summarizer;
#[doc(hidden)]
pub mod task;
#[cfg(test)]
mod testing;
#[doc(hidden)]
pub mod text;
#[doc(hidden)]
pub mod token;
mod translator;
#[doc(hidden)]
pub mod types;

pub use cancel::CancelToken;
pub use error::{Error, Result};
pub use event::{Event, JobProgress, OnEvent};
#[doc(inline)]
pub use io::catalog::Task;
#[doc(inline)]
pub use job::{BatchJob, BatchJobBuilder, BatchOutcome, Bilingual};
#[doc(inline)]
pub use kernel::Precision;
#[doc(inline)]
pub use main_memory::MemoryBudget;
#[doc(inline)]
pub use model::{DeviceChoice, Runtime};
pub use model_store::{ModelStore, ModelStoreBuilder};
#[doc(inline)]
pub use pipeline::Progress;
#[doc(inline)]
pub use route::Preset;
pub use runtime::RuntimeOptions;
pub use summarizer::{Summarizer, SummarizerBuilder, Summary};
#[doc(inline)]
pub use task::summarize::{Length, Style};
pub use translator::{
    TranslatedSentence, Translation, TranslationStream, Translator, TranslatorBuilder,
};
#[doc(inline)]
pub use types::{
    Checks, Detection, ErrorRecord, Flag, Format, Glossary, GlossaryEntry, Lang, Origin, Place,
    Problem, Record, Removal, Removed, SegmentRecord, Source, Stats, Status, StepRecord,
    SummaryMethod, SummaryRecord, SummarySentence, Term, Terms, TitleRecord, TranslationRecord,
};

/// Finds out the language of a text; `und` with confidence 0 when it is not sure.
///
/// ```
/// let found = polygist::detect_language("Der Rat der Stadt hat am Dienstag den Bau beschlossen.");
/// assert_eq!(found.code.as_str(), "de");
/// ```
pub fn detect_language(text: &str) -> Detection {
    let found = text::language::detect(text);
    Detection { code: languages::canonical(&found.code), ..found }
}
