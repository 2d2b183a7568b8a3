//! The flags that say how models write, and the checks of their numbers.

use crate::error::{Error, Result};
use crate::generate::{EarlyStopping, MOST_BEAMS, MOST_PATIENCE};
use clap::{Args, ValueEnum};

/// How models write; what is not said is as the model's own files say.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Decoding, where it shall differ from what the model's files say")]
pub struct Decoding {
    /// Hypotheses that are followed at once; 1 is greedy
    #[arg(long, value_name = "N", aliases = ["beams", "beam-size", "num-beams"], value_parser = clap::value_parser!(u8).range(1..=MOST_BEAMS as i64))]
    pub beam: Option<u8>,
    /// Exponent of the length by which a beam's log-probabilities are divided; above 0 favours long
    /// outputs
    #[arg(long, value_name = "X", value_parser = finite, allow_negative_numbers = true)]
    pub length_penalty: Option<f32>,
    /// When a beam with as many finished outputs as it is wide ends
    #[arg(long, value_name = "WHEN")]
    pub early_stopping: Option<EarlyStoppingArg>,
    /// Wait for X times as many finished outputs as the beam is wide; 1 is off
    #[arg(long, value_name = "X", value_parser = patience)]
    pub patience: Option<f32>,
    /// Of a beam, count against an output what it leaves out of the source, by attention (GNMT's
    /// beta); 0 is off, 0.2 is usual. Translation models only
    #[arg(long, value_name = "X", value_parser = not_negative)]
    pub coverage_penalty: Option<f32>,
    /// Of a beam's translations, count how likely the model holds the source when it reads one back
    /// (noisy-channel reranking); 0 is off. Language models only
    #[arg(long, value_name = "X", value_parser = not_negative)]
    pub channel_weight: Option<f32>,
    /// Mark a translation that is read back if the model's confidence in it is below this, from 0
    /// to 1; 0 is off
    #[arg(long, value_name = "P", value_parser = probability)]
    pub min_confidence: Option<f32>,
    /// Write only tokens that text in the language is usually made of, where the model has a list
    /// of them: faster, and rare words suffer
    #[arg(long)]
    pub shortlist: bool,
    /// At least so many tokens for a sentence, or for a summary
    #[arg(long, value_name = "N", aliases = ["min-new-tokens", "min-decoding-length"])]
    pub min_tokens: Option<usize>,
    /// At most so many tokens for a sentence, or for a summary
    #[arg(long, value_name = "N", aliases = ["max-new-tokens", "max-decoding-length"], value_parser = at_least_one)]
    pub max_tokens: Option<usize>,
    /// No N tokens in a row may come twice; 0 is off
    #[arg(long, value_name = "N", alias = "no-repeat-ngram-size")]
    pub no_repeat_ngram: Option<usize>,
    /// No N tokens in a row may come from the source, of a model with an encoder; 0 is off
    #[arg(long, value_name = "N", alias = "encoder-no-repeat-ngram-size")]
    pub encoder_no_repeat_ngram: Option<usize>,
    /// Makes tokens that were written less likely; 1 is off
    #[arg(long, value_name = "X", value_parser = positive)]
    pub repetition_penalty: Option<f32>,
    /// Makes tokens of the source likelier, of a model with an encoder; 1 is off
    #[arg(long, value_name = "X", value_parser = positive)]
    pub encoder_repetition_penalty: Option<f32>,
    /// Draw tokens at this temperature instead of taking the likeliest
    #[arg(long, value_name = "X", alias = "sampling-temperature", value_parser = temperature)]
    pub temperature: Option<f32>,
    /// Draw from the N likeliest tokens; 0 is off
    #[arg(long, value_name = "N", alias = "sampling-topk")]
    pub top_k: Option<usize>,
    /// Draw from the likeliest tokens that have this probability together; 1 is off
    #[arg(long, value_name = "P", alias = "sampling-topp", value_parser = probability)]
    pub top_p: Option<f32>,
    /// Draw from tokens that have this share of the likeliest's probability; 0 is off
    #[arg(long, value_name = "P", value_parser = probability)]
    pub min_p: Option<f32>,
}

/// When a beam ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EarlyStoppingArg {
    /// At once (early_stopping=True of transformers; CTranslate2)
    Always,
    /// When the best unfinished one, as it is, scores below all of them (False)
    Unlikely,
    /// When no unfinished one could ever score above one of them ("never")
    Never,
}

impl From<EarlyStoppingArg> for EarlyStopping {
    fn from(when: EarlyStoppingArg) -> EarlyStopping {
        match when {
            EarlyStoppingArg::Always => EarlyStopping::Always,
            EarlyStoppingArg::Unlikely => EarlyStopping::Unlikely,
            EarlyStoppingArg::Never => EarlyStopping::Never,
        }
    }
}

fn number(text: &str, expected: &str, fits: impl Fn(f32) -> bool) -> Result<f32> {
    let number = text.parse::<f32>().ok().filter(|x| x.is_finite() && fits(*x));
    number.ok_or_else(|| Error::Usage(format!("{text:?} is not {expected}")))
}

fn finite(text: &str) -> Result<f32> {
    number(text, "a number from -100 to 100", |x| x.abs() <= 100.0)
}

fn temperature(text: &str) -> Result<f32> {
    number(text, "a temperature: 0, or a number from 0.01 to 100", |x| {
        x == 0.0 || (0.01..=100.0).contains(&x)
    })
}

fn positive(text: &str) -> Result<f32> {
    number(text, "a number above 0, up to 100", |x| x > 0.0 && x <= 100.0)
}

fn patience(text: &str) -> Result<f32> {
    number(text, &format!("a number above 0, up to {MOST_PATIENCE}"), |x| {
        x > 0.0 && x <= MOST_PATIENCE as f32
    })
}

fn not_negative(text: &str) -> Result<f32> {
    number(text, "a number from 0 to 100", |x| (0.0..=100.0).contains(&x))
}

fn probability(text: &str) -> Result<f32> {
    number(text, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))
}

pub(super) fn at_least_one(text: &str) -> Result<usize> {
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| Error::Usage(format!("{text:?} is not a whole number from 1")))
}
