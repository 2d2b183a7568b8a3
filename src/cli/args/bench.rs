//! The flags of `polygist bench`.

use super::decoding::at_least_one;
use super::{LangOrAuto, PrecisionArg, Reading, TaskArg, lang, lang_or_auto};
use crate::bench::{SHAPES, Shape};
use crate::error::{Error, Result};
use crate::generate::MOST_BEAMS;
use crate::io::segments::Segments;
use crate::types::Lang;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `polygist bench`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist bench --synthetic marian-base       random weights, no download
  polygist bench --synthetic marian-base --threads 1,2 --batch 1,8,32 --beam 1,4
  polygist bench --to en articles              as `polygist batch`, but writing nothing
  polygist bench --to en --against nllb-200-distilled-600M articles
  polygist bench --to en --baseline before.json articles
  polygist bench --to en --ref lines.en.txt --against nllb-200-distilled-600M lines.fr.txt
  polygist bench --to en --model opus-mt-fr-en --format html --out bench.html articles

Flags that take several values are compared with each other, every combination. Nothing is written but the result.")]
pub struct Bench {
    /// Files and folders with articles, which go through the pipeline of `polygist batch`
    #[arg(value_name = "FILE", conflicts_with = "synthetic")]
    pub inputs: Vec<PathBuf>,
    /// A shape of a model in place of models and files.
    #[arg(long, value_name = "SHAPE", value_parser = shape, value_delimiter = ',', help = shapes_help())]
    pub synthetic: Vec<&'static Shape>,
    /// What to do: translate, summarize, or, with files, both. With random weights, it says how
    /// long the sources are
    #[arg(
        long = "task",
        alias = "tasks",
        value_name = "TASK",
        value_delimiter = ',',
        default_value = "translate"
    )]
    pub tasks: Vec<TaskArg>,
    /// Language of the articles, as fr or pt-BR; auto finds it out
    #[arg(long, value_name = "LANG", default_value = "auto", value_parser = lang_or_auto, conflicts_with = "synthetic")]
    pub from: LangOrAuto,
    /// Language to translate into
    #[arg(long, value_name = "LANG", value_parser = lang, conflicts_with = "synthetic")]
    pub to: Option<Lang>,
    /// Model that translates, or, where nothing is translated, summarizes; several as in `polygist
    /// translate`
    #[arg(long, value_name = "MODEL", value_delimiter = ',', conflicts_with = "synthetic")]
    pub model: Vec<String>,
    /// Also measure with this model in place of that of --model; several with commas are one chain,
    /// and the flag may be repeated
    #[arg(
        long,
        value_name = "MODEL",
        conflicts_with = "synthetic",
        requires = "inputs",
        help_heading = "What to compare"
    )]
    pub against: Vec<String>,
    /// An earlier result (--format json): how many times as fast it is now stands beside each row
    #[arg(long, value_name = "FILE", help_heading = "What to compare")]
    pub baseline: Option<PathBuf>,
    /// Translations that people made of the articles: the file to translate has one text a line
    /// then, and so has this one (or FILE.jsonl:FIELD); BLEU and chrF stand beside the speed.
    /// Several times for several references
    #[arg(
        long = "ref",
        value_name = "FILE",
        conflicts_with = "synthetic",
        requires = "inputs",
        help_heading = "What to compare"
    )]
    pub references: Vec<Segments>,
    /// Of more articles, measure so many, spread evenly, and reckon from them how long all take
    #[arg(
        long,
        value_name = "N",
        default_value_t = 64,
        value_parser = at_least_one,
        conflicts_with = "synthetic"
    )]
    pub sample: usize,
    /// As in `polygist translate`: no beam, nothing is read back
    #[arg(long, conflicts_with_all = ["best", "synthetic"])]
    pub fast: bool,
    /// As in `polygist translate`: a beam of four, and `auto` may fetch models of up to 500 MB
    #[arg(long, conflicts_with = "synthetic")]
    pub best: bool,
    /// Folder of a LoRA adapter for the model of --model, as in `polygist translate`
    #[arg(long, value_name = "DIR", conflicts_with = "synthetic")]
    pub adapter: Option<PathBuf>,
    /// Model that writes summaries
    #[arg(long, value_name = "MODEL", conflicts_with = "synthetic")]
    pub summary_model: Option<String>,
    /// CPU threads, one or several numbers [default: one a core; four for a GPU]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..), help_heading = "What to compare")]
    pub threads: Vec<u16>,
    /// Precisions of the weights, one or several [default: as in `polygist translate`]
    #[arg(
        long,
        value_name = "PRECISION,…",
        value_delimiter = ',',
        help_heading = "What to compare"
    )]
    pub precision: Vec<PrecisionArg>,
    /// Sentences that each thread has in the works at once, one or several numbers [default: 32, on
    /// a GPU 2048]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one, alias = "batch-size", help_heading = "What to compare")]
    pub batch: Vec<usize>,
    /// Widths of the beam, one or several [default: 1, with files as the model's files say]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=MOST_BEAMS as i64), help_heading = "What to compare")]
    pub beam: Vec<u8>,
    /// With random weights, so many sources [default: 64 sentences, or 8 articles for summaries]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sentences: Option<u32>,
    /// With random weights, exactly so many target tokens for each [default: 32, or 64 for
    /// summaries]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub tokens: Option<usize>,
    /// Runs that count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub runs: u16,
    /// Runs before these
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warmup: u16,
    /// Articles that are in the works at once, as in `polygist batch`
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Form of the result: a table, JSON, or a page of HTML with plots
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: BenchFormat,
    /// Write the result to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub reading: Reading,
}

/// Form of a benchmark's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchFormat {
    /// Text for people
    Table,
    /// One JSON object
    Json,
    /// A page with plots that needs nothing else
    Html,
}

fn shapes_help() -> String {
    let names: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
    let names = names.join(", ");
    format!(
        "Instead of models and files, take the shape of a well-known model with random weights, and random sentences of usual lengths: {names}"
    )
}

fn shape(name: &str) -> Result<&'static Shape> {
    Shape::named(name).ok_or_else(|| {
        let known: Vec<String> =
            SHAPES.iter().map(|shape| format!("{} ({})", shape.name, shape.about)).collect();
        Error::Usage(format!(
            "{name:?} is no shape that is known; expected one of\n  {}",
            known.join("\n  ")
        ))
    })
}
