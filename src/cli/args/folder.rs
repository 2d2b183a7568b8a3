//! The arguments of commands that look at an output folder.

use super::OutputFormat;
use super::decoding::at_least_one;
use crate::job::ExportFormat;
use clap::{Args, ValueEnum};
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

/// `polygist export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist export results --out table
  python3 -c 'import pandas; print(pandas.read_parquet(\"table\"))'
  duckdb -c \"select language, count(*) from 'table/**/*.parquet' group by language\"

The files are language=fr/part-00000.parquet and so on, by the language of the articles. It may be done while the job runs.")]
pub struct Export {
    /// The output folder of `polygist batch`
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Folder for the files, which is new
    #[arg(long = "out", value_name = "FOLDER", required = true)]
    pub to: PathBuf,
    /// Form of the files
    #[arg(long, value_name = "FORMAT", default_value = "parquet")]
    pub format: ExportArg,
    /// Records that a file has at most
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = at_least_one)]
    pub rows: usize,
}

/// Form of exported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportArg {
    /// Parquet, a row for each record
    Parquet,
    /// CSV, a row for each record
    Csv,
    /// JSON Lines, the records as results.jsonl has them
    Jsonl,
}

impl From<ExportArg> for ExportFormat {
    fn from(format: ExportArg) -> ExportFormat {
        match format {
            ExportArg::Parquet => ExportFormat::Parquet,
            ExportArg::Csv => ExportFormat::Csv,
            ExportArg::Jsonl => ExportFormat::Jsonl,
        }
    }
}
