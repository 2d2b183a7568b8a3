//! The arguments of commands that look at an output folder.

use super::OutputFormat;
use clap::Args;
use std::path::PathBuf;

/// `polygist status`, `polygist verify`
#[derive(Debug, Args)]
pub struct Folder {
    /// The output folder of `polygist batch`
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
}

/// `polygist clean`
#[derive(Debug, Args)]
#[command(after_help = "The next run of polygist batch does the articles again that failed.")]
pub struct Clean {
    /// The output folder of `polygist batch`
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Also remove records and files of articles whose source is not there any more, seen from the
    /// current folder
    #[arg(long)]
    pub gone: bool,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `polygist merge`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  polygist batch articles --to en --out results --shard 0/2    on one machine
  polygist batch articles --to en --out results --shard 1/2    on another
  polygist merge results                                       when both are done

The parts stay as they are, and merging again takes in what is new in them.")]
pub struct Merge {
    /// The output folder in which the parts are
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Take what is there, although parts are missing or not complete
    #[arg(long)]
    pub partial: bool,
}
