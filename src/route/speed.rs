//! How fast models are, roughly: for an estimate of how long a folder takes.

use super::Preset;
use crate::io::catalog::Model;
use crate::types::Prompting;

/// 10⁹ operations on 8-bit integers that the core does in a second on which these speeds were
/// measured, with nothing else to do (`polygist bench` says it of another).
pub const REFERENCE_GOPS: f64 = 440.0;
/// Words that Firefox's tiny models of 17 MB write in a second on one core of a Zen 4 (measured,
/// with all that is around them); larger ones are slower in proportion.
const TINY: (f64, f64) = (4_860.0, 17e6);
/// The same of the starter, which writes with a beam and reads back (measured on the sample
/// articles, whose sentences it often has to try again).
const STARTER: f64 = 36.0;
/// How much faster that is without beam and reading back.
const GREEDY: f64 = 3.9;

/// About how many words a second a model of the catalog writes on one core; `None` for models of
/// which nothing was measured.
pub fn words_per_second(model: &Model, preset: Preset) -> Option<f64> {
    match (model.architecture.as_str(), model.prompt) {
        ("marian-student", _) => {
            let weights = model.files.iter().map(|file| file.size).max()? as f64;
            let beam = if preset == Preset::Best { 4.0 } else { 1.0 };
            Some(TINY.0 * (TINY.1 / weights.max(TINY.1)) / beam)
        }
        ("gemma3", Some(Prompting::FineTuned)) => {
            Some(if preset == Preset::Fast { STARTER * GREEDY } else { STARTER })
        }
        _ => None,
    }
}
