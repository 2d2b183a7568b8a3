//! The flags for translation memories and for two languages side by side.

use crate::job::Bilingual;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What people have translated before, and what is written beside a translation.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Translation memories and two languages")]
pub struct Beside {
    /// Translation memory in TMX, also as .gz: where it has the very sentence, its translation
    /// stands in place of a model's. May be given several times; of two translations of a sentence
    /// the last one counts
    #[arg(long, value_name = "FILE.tmx")]
    pub tm: Vec<PathBuf>,
    /// Write all sentences and their translations to this file, in TMX 1.4b; those apart that the
    /// checks complain of
    #[arg(long, value_name = "FILE.tmx")]
    pub write_tm: Option<PathBuf>,
    /// Source and translation side by side. Alone, documents keep their format and hold both
    /// languages, and the rest becomes Markdown; --bilingual=html has two columns, --bilingual=csv
    /// a row for each sentence
    #[arg(
        long,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "source"
    )]
    pub bilingual: Option<BilingualArg>,
}

/// A form of two languages side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BilingualArg {
    /// Documents in their own format, the rest in Markdown
    Source,
    /// Markdown, the source as a quotation below each paragraph
    Markdown,
    /// A page of two columns
    Html,
    /// A table: source,target,problems
    Csv,
}

impl From<BilingualArg> for Bilingual {
    fn from(form: BilingualArg) -> Bilingual {
        match form {
            BilingualArg::Source => Bilingual::OfSource,
            BilingualArg::Markdown => Bilingual::Markdown,
            BilingualArg::Html => Bilingual::Html,
            BilingualArg::Csv => Bilingual::Csv,
        }
    }
}
