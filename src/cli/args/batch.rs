//! The arguments of `polygist batch`.

use super::{Beside, Reading, Summarizing, TaskArg, Translating, lang};
use crate::error::{Error, Result};
use crate::io::articles::usual_extensions;
use crate::job::Shard;
use crate::types::Lang;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// `polygist batch`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  polygist batch articles --to en --out results

It writes a Markdown file for each article, results.jsonl and report.html. Run it again and only what is new or changed is done. \
Results are written as they are finished: stop it at any moment, with Ctrl-C or otherwise, and the next run goes on from there.")]
pub struct Batch {
    /// Files and folders with articles
    #[arg(value_name = "IN", required = true)]
    #[arg(help = format!("Files and folders with articles: {}", usual_extensions()))]
    pub inputs: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, short, value_name = "DIR", required = true)]
    pub out: PathBuf,
    /// Language to translate into, or several, as en,de,fr: each article then has a file and a
    /// record for each; without it, articles are summarized in their own
    #[arg(long, short = 't', value_name = "LANG", value_parser = lang, value_delimiter = ',')]
    pub to: Vec<Lang>,
    /// What to make of each article
    #[arg(
        long,
        value_name = "TASKS",
        value_delimiter = ',',
        default_value = "translate,summarize"
    )]
    pub tasks: Vec<TaskArg>,
    /// Do one part of the job, for one of many machines: its number from 0 and how many there are,
    /// as 3/16; auto asks Slurm or Kubernetes. Each part has a folder of its own in DIR, and
    /// `polygist merge DIR` makes one job of them
    #[arg(long, value_name = "N/M")]
    pub shard: Option<Shard>,
    /// Articles that are in the works at once, at most: more is faster and takes more memory
    #[arg(
        long,
        value_name = "N",
        default_value_t = 32,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub jobs: u16,
    /// Do everything again, also what is done
    #[arg(long)]
    pub force: bool,
    /// Try again the articles that failed, and do nothing else
    #[arg(long)]
    pub retry_failed: bool,
    /// Longest time for one article, as 90s or 5m: one that takes longer fails, and the others go
    /// on
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// An article whose text was not read whole, or in whose translation a check still finds a
    /// fault, counts as failed
    #[arg(long)]
    pub strict: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// When all is done, wait for files that come or change, and do those too, until Ctrl-C
    #[arg(long, conflicts_with_all = ["dry_run", "shard", "retry_failed"])]
    pub watch: bool,
    /// Do not remember translations of sentences in the output folder: equal ones are translated
    /// again
    #[arg(long = "no-translation-memory", alias = "no-memory")]
    pub no_memory: bool,
    /// Leave the segments, each sentence with its translation, out of results.jsonl
    #[arg(long, conflicts_with_all = ["bilingual", "write_tm"])]
    pub no_segments: bool,
    /// What is known, and what is written beside.
    #[command(flatten)]
    pub beside: Beside,
    /// How to translate.
    #[command(flatten)]
    pub translating: Translating,
    /// How to summarize.
    #[command(flatten)]
    pub summarizing: Summarizing,
    /// How to read them.
    #[command(flatten)]
    pub reading: Reading,
}

fn duration(text: &str) -> Result<Duration> {
    let parsed = text.parse().map(Duration::from_secs).or_else(|_| humantime::parse_duration(text));
    parsed.ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::Usage(format!("{text:?} is no length of time; expected one as 90s, 5m or 1h 30m"))
    })
}
