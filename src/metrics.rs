//! How good translations and summaries are, by the field's metrics: [`bleu`], [`chrf`], [`rouge`],
//! the rate of what was [`copied`], and the interval ([`bootstrap`]) in which a score lies.
//!
//! Text in, numbers out: no disk, no model. BLEU, chrF and their intervals are those of sacreBLEU
//! (Post 2018, "A Call for Clarity in Reporting BLEU Scores"), digit by digit.

pub mod bleu;
pub mod bootstrap;
pub mod chrf;
pub mod copied;
mod numpy;
pub mod rouge;
pub mod tokens;
