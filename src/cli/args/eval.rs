//! The flags of `polygist eval`.

use super::{OutputFormat, lang};
use crate::io::segments::Segments;
use crate::metrics::tokens::Tokenizer;
use crate::types::Lang;
use clap::{Args, ValueEnum};

/// `polygist eval`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist eval --ref reference.txt --hyp translation.txt
  polygist eval --src source.txt --ref a.txt --ref b.txt --hyp translation.txt --to zh
  polygist eval --summaries --src set.jsonl:article --ref set.jsonl:summary --hyp mine.txt

A file has one text a line; of JSON lines it is FILE.jsonl:FIELD that counts. Scores and intervals are those of sacreBLEU.")]
pub struct Eval {
    /// What is judged: translations or summaries
    #[arg(long, value_name = "FILE")]
    pub hyp: Segments,
    /// What is right, line by line; several times for several references
    #[arg(long = "ref", value_name = "FILE", required = true)]
    pub references: Vec<Segments>,
    /// What was translated or summarized: tells how much of it was copied, and what its first
    /// three sentences would score as summaries
    #[arg(long, value_name = "FILE")]
    pub src: Option<Segments>,
    /// The texts are summaries: ROUGE in place of BLEU and chrF
    #[arg(long, conflicts_with = "tokenize")]
    pub summaries: bool,
    /// Language of what is judged, which says how it is divided into tokens [default: found out]
    #[arg(long, value_name = "LANG", value_parser = lang)]
    pub to: Option<Lang>,
    /// How BLEU divides a line into tokens [default: zh for Chinese, char where words have no
    /// spaces between them, else 13a]
    #[arg(long, value_name = "TOKENIZER")]
    pub tokenize: Option<TokenizerArg>,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
}

/// How BLEU divides a line into tokens, by sacreBLEU's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenizerArg {
    /// Words and marks, as mteval-v13a
    #[value(name = "13a")]
    Words,
    /// Chinese characters one by one, the rest as 13a
    Zh,
    /// Every character
    Char,
    /// What stands between spaces
    None,
}

impl From<TokenizerArg> for Tokenizer {
    fn from(arg: TokenizerArg) -> Tokenizer {
        match arg {
            TokenizerArg::Words => Tokenizer::Words,
            TokenizerArg::Zh => Tokenizer::Chinese,
            TokenizerArg::Char => Tokenizer::Characters,
            TokenizerArg::None => Tokenizer::Spaces,
        }
    }
}
