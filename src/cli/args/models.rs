//! The flags of `polygist models`.

use super::{OutputFormat, lang};
use crate::types::Lang;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `polygist models`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist models list --from fr --to en           the best for a pair first
  polygist models pull                             the starter pack
  polygist models pull --from fr,de,ru --to en     for a machine that will be offline
  polygist models import model.gguf --name mine    a file that is here already
  polygist translate --to en --model mine article.txt")]
pub struct Models {
    /// What to do with models.
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// What can be had, and what is here; with filters, the best first
    List(ModelsList),
    /// Fetch models, by name or for pairs of languages; without either, the starter pack
    Pull(ModelsPull),
    /// All that is known of a model
    Info {
        /// Its name
        #[arg(value_name = "MODEL")]
        model: String,
    },
    /// Compare the files of models with their checksums
    Verify {
        /// Their names; without one, every model that is here
        #[arg(value_name = "MODEL")]
        models: Vec<String>,
    },
    /// Delete models
    Rm {
        /// Their names
        #[arg(value_name = "MODEL", required = true)]
        models: Vec<String>,
    },
    /// Copy a folder in the Hub's, Firefox's or translateLocally's layout, or a GGUF file, into the
    /// store
    Import {
        /// The folder or file
        #[arg(value_name = "DIR")]
        path: PathBuf,
        /// Name to keep it under [default: firefox- and the pair of languages, for a folder of
        /// Firefox's; else the name of the folder or file]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Replace the model that has that name
        #[arg(long)]
        force: bool,
    },
}

/// `polygist models pull`
#[derive(Debug, Args)]
pub struct ModelsPull {
    /// Names of `polygist models list`, or owner/name on the Hub
    #[arg(value_name = "MODEL")]
    pub models: Vec<String>,
    /// The best model for each pair of these languages and those of --to; two, by way of English,
    /// where there is none
    #[arg(long, value_name = "LANG", value_delimiter = ',', value_parser = lang, requires = "to",
        conflicts_with = "models")]
    pub from: Vec<Lang>,
    /// Languages to translate into
    #[arg(long, value_name = "LANG", value_delimiter = ',', value_parser = lang, requires = "from",
        conflicts_with = "models")]
    pub to: Vec<Lang>,
}

/// A task of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelTaskArg {
    /// Translate
    Translate,
    /// Write summaries
    Summarize,
    /// Tell which sentences of a text say the most, and which texts say the same
    Encode,
}

/// `polygist models list`
#[derive(Debug, Args)]
pub struct ModelsList {
    /// Only models for this task
    #[arg(long, value_name = "TASK")]
    pub task: Option<ModelTaskArg>,
    /// Only models that read this language
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub from: Option<Lang>,
    /// Only models that write this language
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// Only models that are on this machine
    #[arg(long)]
    pub installed: bool,
    /// A table, or one JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
}
