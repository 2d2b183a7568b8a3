//! What can be said on the command line: structs and their checks, nothing that touches the
//! machine.

mod batch;
mod bench;
mod beside;
mod decoding;
mod digest;
mod eval;
mod folder;
mod language;
mod memory;
mod models;
#[cfg(feature = "serve")]
mod serve;
mod setup;
mod stream;

pub use batch::Batch;
pub use bench::{Bench, BenchFormat};
pub use beside::{Beside, BilingualArg};
use decoding::at_least_one;
pub use decoding::{Decoding, EarlyStoppingArg};
pub use digest::Digest;
pub use eval::{Eval, TokenizerArg};
pub use folder::{Clean, Export, Folder, Merge};
pub use language::LangOrAuto;
pub(super) use language::lang;
use language::lang_or_auto;
pub use memory::MemoryArg;
pub use models::{ModelTaskArg, Models, ModelsCommand, ModelsList, ModelsPull};
#[cfg(feature = "serve")]
pub use serve::Serve;
pub use setup::{Completions, Doctor, Init, Man};
pub use stream::Stream;

use crate::document::{self, FORMATS};
use crate::error::{Error, Result};
use crate::kernel::Precision;
use crate::model::DeviceChoice;
use crate::task::Instruction;
use crate::task::summarize::{Length, Style};
use crate::types::Lang;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Turns folders of news articles in any language into translations and summaries, on your own
/// machine.
#[derive(Debug, Parser)]
#[command(
    name = "polygist",
    version,
    propagate_version = true,
    after_help = "Examples:
  polygist batch articles --to en --out results    a folder of articles
  polygist translate --to en article.fr.txt        text to standard output
  polygist \"Bonjour le monde\"                      into your system's language
  polygist summarize --to en https://example.org/news
  tail -f news.jsonl | polygist stream --to en     JSON lines as they come
  polygist detect *.txt

Results go to standard output, everything else to standard error.

Exit codes:
  0    all done
  1    wrong usage, or something is missing on this machine
  2    some articles failed; the others are done
  130  stopped with Ctrl-C (143: by a request to end, as of `kill`)"
)]
pub struct Cli {
    /// What to do; without it, something to read is translated.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of all commands.
    #[command(flatten)]
    pub global: Global,
}

/// Flags of all commands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// Where to compute: auto, cpu, cuda, cuda:N or metal [default: auto]
    #[arg(long, global = true, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// CPU threads [default: one a core; four for a GPU]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Precision of the weights [default: int8, int4 for GGUF files of 4 to 6 bits, on a GPU
    /// bf16]
    #[arg(long, global = true, value_name = "PRECISION")]
    pub precision: Option<PrecisionArg>,
    /// Sentences that each thread has in the works at once, a beam of N counting as N [default: 32,
    /// on a GPU 2048]
    #[arg(long, global = true, value_name = "N", value_parser = at_least_one, alias = "batch-size")]
    pub batch: Option<usize>,
    /// Tokens that each thread has in the works at once: those read, and those that may be written,
    /// for each hypothesis of a beam. It bounds the memory besides the model's own: a thread keeps
    /// up to N positions of keys and values. Where long texts take too much, try 4000; a text that
    /// has more by itself is done alone. Results are the same with any N [default: no bound but
    /// --batch]
    #[arg(long, global = true, value_name = "N", value_parser = at_least_one)]
    pub batch_tokens: Option<usize>,
    /// Most main memory to take, such as 6GB: models that are too large for it are refused, and
    /// fewer sentences are in the works at once. Results are the same. Not for a GPU's memory
    /// [default: no bound]
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<MemoryArg>,
    /// Seed of what is drawn at random: the last attempt at a sentence that fails the checks
    /// otherwise, and, with --temperature, all text [default: 0]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Open no connection; use the models that are on this machine
    #[arg(long, global = true)]
    pub offline: bool,
    /// Read this configuration file instead of the one in the usual place
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep models in this folder [default: the platform's folder for caches]
    #[arg(long, global = true, value_name = "DIR", env = "POLYGIST_CACHE", hide_env_values = true)]
    pub cache_dir: Option<PathBuf>,
    /// Say nothing but errors on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Translate text: files or standard input in, text out
    Translate(Translate),
    /// Summarize articles in any language
    Summarize(Summarize),
    /// Translate and summarize folders of articles: a job that can be stopped and resumed
    Batch(Batch),
    /// Tell how far the job of an output folder is
    Status(Folder),
    /// Check that the files of an output folder are those that its records make
    Verify(Folder),
    /// Remove records of failed articles from an output folder, and of those whose source is gone
    Clean(Clean),
    /// Make one job of the parts that `batch --shard` has made
    Merge(Merge),
    /// Put the articles of an output folder together by the stories that they tell
    Digest(Digest),
    /// Write the records of an output folder as Parquet, CSV or JSON Lines, in files by language
    Export(Export),
    /// Translate and summarize JSON lines as they come: one object in, one record out
    Stream(Stream),
    /// Answer over HTTP: LibreTranslate's interface, OpenAI's, and a page for a browser
    #[cfg(feature = "serve")]
    Serve(Box<Serve>),
    /// Tell the language of text
    Detect(Detect),
    /// Measure how fast models are on this machine, on your articles or without any download
    Bench(Box<Bench>),
    /// Measure how good translations or summaries are beside references: BLEU, chrF, ROUGE
    Eval(Eval),
    /// List, fetch and check models
    Models(Models),
    /// Look at this machine: processor, GPU, disk, network, models, speed
    Doctor(Doctor),
    /// Write a configuration file with comments, for you to change
    Init(Init),
    /// Write a script that completes commands and flags in your shell
    Completions(Completions),
    /// Write manual pages
    Man(Man),
}

/// Which files, and how to read them.
#[derive(Clone, Debug, Args)]
pub struct Inputs {
    /// Files, folders, addresses of pages, or a text in quotes; `-` or nothing is standard input
    #[arg(value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub reading: Reading,
}

/// How to read articles.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct Reading {
    /// Take only files of folders that match, as '*.html' or 'politics/**'
    #[arg(long, value_name = "GLOB")]
    pub pattern: Option<String>,
    /// Take only the first N articles
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Columns of tables (.csv, .tsv) that are translated in place, by name or by number from 1, as
    /// title,text [default: those that hold text; of `batch`, rows are articles where a column is
    /// called text, body or the like]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// JSON field, or column of a table, that holds the text
    #[arg(long, value_name = "NAME")]
    pub text_field: Option<String>,
    /// JSON field, or column of a table, that holds the title
    #[arg(long, value_name = "NAME")]
    pub title_field: Option<String>,
    /// JSON field, or column of a table, that holds the id
    #[arg(long, value_name = "NAME")]
    pub id_field: Option<String>,
    /// Largest article, in bytes after decompression
    #[arg(long, value_name = "N", default_value_t = 64 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_bytes: u64,
}

/// How to translate.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Translating")]
pub struct Translating {
    /// Language of the input, as fr or pt-BR; auto finds it out
    #[arg(long, value_name = "LANG", default_value = "auto", value_parser = lang_or_auto)]
    pub from: LangOrAuto,
    /// Model that translates (of `summarize` without --to: that writes): a name of `polygist models
    /// list`, a folder, a GGUF file, or owner/name on the Hub. Of several, each pair of languages
    /// goes to the first that knows it, or through English. `auto` takes for each pair the best
    /// that is here or can be fetched in a few seconds [default: auto]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub model: Vec<String>,
    /// Rather fast than good: no beam, nothing is read back
    #[arg(long, conflicts_with = "best")]
    pub fast: bool,
    /// Rather good than fast: a beam of four, and `auto` may fetch models of up to 500 MB
    #[arg(long)]
    pub best: bool,
    /// Folder of a LoRA adapter in PEFT's format, trained for the model of --model:
    /// adapter_config.json and adapter_model.safetensors. The records name the model MODEL+DIR
    /// then. A polygist.json in the folder may say {"taught": true}, and a language model is asked
    /// without examples, and how it should write, as "generation": {"num_beams": 4}
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// What to do with a sentence whose translation the checks reject [default: source where a
    /// small language model translates, as the starter, which invents what it does not know; else
    /// keep]
    #[arg(long, value_name = "WHAT")]
    pub on_bad: Option<OnBadArg>,
    /// Translate terms as this file says: a table (CSV, TSV) with the columns source and target, or
    /// codes as fr,en, or TBX. Forms of a term are separated by |; without a target a term stays as
    /// it is. Records say which terms could not be brought in. Several may be named
    #[arg(long, value_name = "FILE")]
    pub glossary: Vec<PathBuf>,
    /// Leave as it is what matches this regular expression, as '[A-Z]{2}-[0-9]+'
    #[arg(long, value_name = "PATTERN")]
    pub keep: Vec<String>,
    /// What chat models are told in place of what their cards say, with {text} where the text goes;
    /// {from}, {to}: the languages, {from_code}, {to_code}: their codes, {terms}: the glossary's,
    /// {context}: the sentences of --context
    #[arg(long, value_name = "PROMPT")]
    pub prompt: Option<Instruction>,
    /// Sentences before each that a chat model reads to understand it by. Other models read a
    /// sentence at a time, and so do those whose cards do not say how they are given more
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub context: usize,
    /// How models write.
    #[command(flatten)]
    pub decoding: Decoding,
}

/// How to summarize.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Summarizing")]
pub struct Summarizing {
    /// short, medium, long, a number of words (80w) or sentences (3s), a share of the words (20%)
    #[arg(long, value_name = "LENGTH", default_value = "medium")]
    pub length: Length,
    /// paragraph, bullets, line (one sentence of at most 25 words) or headline
    #[arg(long, value_name = "STYLE", default_value = "paragraph")]
    pub style: Style,
    /// Take all sentences from the article and rank them by its words: no model is needed, whatever
    /// the configuration names
    #[arg(long)]
    pub extractive: bool,
    /// Model that writes summaries, or encoder of sentences that chooses them; `auto` is the best
    /// instruction model on this machine, if there is one [default: the encoder all-MiniLM-L6-v2;
    /// summaries are made of the articles' own sentences]
    #[arg(long, value_name = "MODEL")]
    pub summary_model: Option<String>,
}

/// `polygist translate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist translate --to en article.fr.txt
  polygist translate --to de --from en --lines < sentences.en.txt > sentences.de.txt
  polygist translate --to en --format json *.html
  polygist translate --to en film.srt -o film.en.srt
  polygist translate --to en --lines --format json --align --model opus-mt-fr-en < sentences.fr.txt")]
pub struct Translate {
    /// Language to translate into
    #[arg(long, short = 't', value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// Whether the language is the system's where none is named: somebody left out the command.
    #[arg(skip)]
    pub into_own: bool,
    /// Each line is one segment: line N of the output is the translation of line N of the input
    #[arg(long)]
    pub lines: bool,
    /// Form of the output: text, json, or a document's, as srt or html, in which standard input is
    /// read and written back [default: that of a document that is read, else text]
    #[arg(long, value_name = "FORMAT", value_parser = translate_format)]
    pub format: Option<TranslateFormat>,
    /// Write here instead of to standard output: a file, or a folder for a file of each input
    #[arg(long, short, value_name = "FILE", conflicts_with = "lines")]
    pub output: Option<PathBuf>,
    /// Say which source token each token comes from, by the attention of the model's last layer:
    /// "alignments" in JSON, with the tokens of both sides, the number of the source token and its
    /// weight. With translation models that have an encoder, and --format json
    #[arg(long)]
    pub align: bool,
    /// What is known, and what is written beside.
    #[command(flatten)]
    pub beside: Beside,
    /// Which files.
    #[command(flatten)]
    pub inputs: Inputs,
    /// How to translate.
    #[command(flatten)]
    pub translating: Translating,
}

/// `polygist summarize`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist summarize article.txt --length 2s
  polygist summarize --to en --style bullets article.fr.txt
  polygist summarize --extractive --length 80w < article.txt")]
pub struct Summarize {
    /// Language of the summary [default: the article's own]
    #[arg(long, short = 't', value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
    /// Write to this file instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which files.
    #[command(flatten)]
    pub inputs: Inputs,
    /// How to summarize.
    #[command(flatten)]
    pub summarizing: Summarizing,
    /// How to translate.
    #[command(flatten)]
    pub translating: Translating,
}

/// `polygist detect`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist detect *.txt
  polygist detect --paragraphs --format json article.txt")]
pub struct Detect {
    /// One line a paragraph
    #[arg(long)]
    pub paragraphs: bool,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
    /// Which files.
    #[command(flatten)]
    pub inputs: Inputs,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Text for people and pipes
    Text,
    /// One JSON record a line
    Json,
}

/// Form of a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranslateFormat {
    /// Text, or a JSON record a line.
    Plain(OutputFormat),
    /// The document format of this name, read and written.
    Document(&'static str),
}

fn translate_format(text: &str) -> Result<TranslateFormat> {
    match (text, document::named(text)) {
        ("text", _) => Ok(TranslateFormat::Plain(OutputFormat::Text)),
        ("json", _) => Ok(TranslateFormat::Plain(OutputFormat::Json)),
        (_, Some(format)) => Ok(TranslateFormat::Document(format.name)),
        (_, None) => {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            Err(Error::Usage(format!(
                "{text:?} is no form of a translation; expected text, json, html, {}",
                names.join(", ")
            )))
        }
    }
}

impl Translate {
    /// Whether text or records are written, documents apart.
    pub fn plain_format(&self) -> OutputFormat {
        match self.format {
            Some(TranslateFormat::Plain(format)) => format,
            _ => OutputFormat::Text,
        }
    }
}

/// A task of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskArg {
    /// Translate the text
    Translate,
    /// Summarize it
    Summarize,
}

/// What to do with a bad translation of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnBadArg {
    /// Keep the best attempt and mark it
    Keep,
    /// Put the source sentence in its place
    Source,
}

/// Precision of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionArg {
    /// 8-bit integers: less memory, faster
    Int8,
    /// 8-bit integers, and inputs of layers quantized with the factors that the model's file gives
    /// for them: as Marian and Firefox run their models
    #[serde(rename = "int8-static")]
    Int8Static,
    /// The 4- to 6-bit integers that a GGUF file has, as they are: least memory; other weights as
    /// int8
    Int4,
    /// 32-bit floats: the reference
    F32,
    /// 16-bit floats, on a GPU
    F16,
    /// 16-bit floats with the range of 32-bit ones, on a GPU
    Bf16,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Precision {
        match precision {
            PrecisionArg::Int8 => Precision::Int8,
            PrecisionArg::Int8Static => Precision::Int8Static,
            PrecisionArg::Int4 => Precision::Int4,
            PrecisionArg::F32 => Precision::F32,
            PrecisionArg::F16 => Precision::F16,
            PrecisionArg::Bf16 => Precision::Bf16,
        }
    }
}
