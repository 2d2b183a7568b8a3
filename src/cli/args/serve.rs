//! The arguments of `polygist serve`.

use super::{Reading, Summarizing, Translating, at_least_one, lang};
use crate::types::Lang;
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

/// `polygist serve`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist serve
  curl http://127.0.0.1:5000/translate -d q='Bom dia!' -d source=auto -d target=en
  polygist serve --host 0.0.0.0 --allow-host desk.example.org --api-keys keys.txt

Programs that speak LibreTranslate's interface use http://127.0.0.1:5000, those that speak OpenAI's \
http://127.0.0.1:5000/v1 with the model polygist:fr for translations into French; people open it in a browser. \
/openapi.json lists all. Ctrl-C stops after the work at hand.")]
pub struct Serve {
    /// Address to listen on; 0.0.0.0 or :: lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one, which is told
    #[arg(long, value_name = "PORT", default_value_t = 5000)]
    pub port: u16,
    /// Let in requests that call the server by this name, besides localhost and addresses
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub allow_host: Vec<String>,
    /// Let in pages of this origin, as `https://reader.example.org`, besides the server's own; *
    /// lets in all
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<String>,
    /// Ask for an API key; those of this file are good, one a line, with the requests a minute
    /// that it allows after it
    #[arg(long, value_name = "FILE")]
    pub api_keys: Option<PathBuf>,
    /// Ask for this API key
    #[arg(long, value_name = "KEY", env = "POLYGIST_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Requests a minute, of each key or address [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: Option<u32>,
    /// Most bytes of a request, batches apart
    #[arg(long, value_name = "N", default_value_t = 8 << 20, value_parser = at_least_one)]
    pub max_body: usize,
    /// Most texts of a request
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_one)]
    pub max_texts: usize,
    /// Requests in the models at once
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = at_least_one)]
    pub concurrency: usize,
    /// Requests that may wait for these; more are told to come again
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub queue: usize,
    /// Open connections at once
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = at_least_one)]
    pub max_connections: usize,
    /// Seconds until an answer, at most
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub timeout: u64,
    /// Seconds in which a request has to be there: its head, then its body
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub read_timeout: u64,
    /// Seconds that work at hand may go on after the server is told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub grace: u64,
    /// Let go of a model that was not used for so many seconds [default: keep all]
    #[arg(long, value_name = "SECONDS")]
    pub keep_loaded: Option<u64>,
    /// Keep at most about so many megabytes of models loaded, those in use apart; the one that was
    /// not used for the longest time goes first
    #[arg(long, value_name = "MB")]
    pub model_memory: Option<u64>,
    /// Keep batches in this folder [default: one that goes with the server]
    #[arg(long, value_name = "DIR")]
    pub jobs_dir: Option<PathBuf>,
    /// Batches in the works at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pub max_batches: usize,
    /// Most bytes of a batch
    #[arg(long, value_name = "N", default_value_t = 256 << 20, value_parser = at_least_one)]
    pub max_batch_body: usize,
    /// The language that the page offers first [default: en]
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// How to translate.
    #[command(flatten)]
    pub translating: Translating,
    /// How to summarize, where a request does not say.
    #[command(flatten)]
    pub summarizing: Summarizing,
    /// How to read articles.
    #[command(flatten)]
    pub reading: Reading,
}
