//! The arguments of `polygist stream`.

use super::{Reading, Summarizing, TaskArg, Translating, lang};
use crate::types::Lang;
use clap::Args;

/// `polygist stream`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tail -f news.jsonl | polygist stream --to en --tasks translate > records.jsonl

Models are loaded once. A line is a JSON object as polygist batch reads them from .jsonl files; its record is a line as those of \
results.jsonl, with the object's own id, and its unknown fields in \"extra\". A line that cannot be read or translated has a record \
with \"status\": \"failed\" that says why. Each line is answered as soon as it can be; who reads slowly is waited for.")]
pub struct Stream {
    /// Language to translate into; without it, articles are summarized in their own
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// What to make of each article
    #[arg(
        long,
        value_name = "TASKS",
        value_delimiter = ',',
        default_value = "translate,summarize"
    )]
    pub tasks: Vec<TaskArg>,
    /// Write each record when it is ready, whatever the order of the lines
    #[arg(long)]
    pub unordered: bool,
    /// Articles that go into the models together, where so many wait
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub jobs: u16,
    /// How to translate.
    #[command(flatten)]
    pub translating: Translating,
    /// How to summarize.
    #[command(flatten)]
    pub summarizing: Summarizing,
    /// How to read the lines.
    #[command(flatten)]
    pub reading: Reading,
}
