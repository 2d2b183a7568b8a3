//! The arguments of `polygist digest`.

use super::lang;
use crate::error::{Error, Result};
use crate::task::digest::THRESHOLD;
use crate::task::summarize::Length;
use crate::types::Lang;
use clap::Args;
use std::path::PathBuf;

/// `polygist digest`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  polygist batch articles --to en --out results
  polygist digest results

It writes digest.md, digest.json and digest.html into the folder: what several sources tell first, \
with one summary, its sources and the figures on which they disagree.")]
pub struct Digest {
    /// The output folder of `polygist batch`
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Language of the digest: of translations into it, and of articles that are in it [default:
    /// en]
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// Length of a story's summary: short, medium, long, a number of words (80w) or of sentences
    /// (3s), a share of the words (20%)
    #[arg(long, value_name = "LENGTH", default_value = "medium")]
    pub length: Length,
    /// How near articles must be to tell one story, from 0 to 1: lower makes fewer, larger stories
    #[arg(long, value_name = "N", default_value_t = THRESHOLD, value_parser = share)]
    pub threshold: f32,
    /// Encoder of sentences [default: all-MiniLM-L6-v2, which knows English]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
}

fn share(text: &str) -> Result<f32> {
    let value = text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| Error::Usage(format!("expected a number from 0 to 1, found {text:?}")))
}
