//! What a benchmark finds out, as plain data.

use super::peak::Peak;
use serde::{Deserialize, Serialize};

/// A number that was measured several times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle one; of an even number of them, the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of some numbers; `None` of none.
    pub fn of(numbers: &[f64]) -> Option<Spread> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        };
        Some(Spread { median, min, max })
    }

    /// How many there are of something in each second, where these are seconds: the median's is the
    /// median, the longest time's the smallest.
    pub(super) fn rate(self, amount: f64) -> Spread {
        let per = |seconds: f64| amount / seconds.max(1e-9);
        Spread { median: per(self.median), min: per(self.max), max: per(self.min) }
    }
}

/// How near translations are to references.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// BLEU or chrF, from 0 to 100.
    pub score: f64,
    /// Half the width of the range in which it lies for 95% of resampled texts; `None` of a single
    /// text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_width: Option<f64>,
}

/// What was asked for: one of the combinations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Names of the models, or of the shape.
    pub model: String,
    /// `translate`, `summarize` or both, separated by commas.
    pub task: String,
    /// `cpu`, `cuda` or `metal`.
    pub device: String,
    /// Of the weights.
    pub precision: String,
    /// Workers, one a core.
    pub threads: usize,
    /// Hypotheses that a worker advances at once.
    pub batch: usize,
    /// Width of the beam; `None` where it is as the model's files say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beam: Option<usize>,
}

/// Seconds of the stages of a run, the median of the runs each, so that they need not sum up to the
/// whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stages {
    /// Reading and decoding the files, which was done once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<f64>,
    /// Everything around the models: extracting, telling the language, splitting, checking,
    /// choosing sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<f64>,
    /// Cutting texts into tokens to count them. What a model reads is cut up while it generates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenize: Option<f64>,
    /// In the models: tokens in, tokens out.
    pub generate: f64,
    /// Making Markdown and JSON out of the records; no file is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<f64>,
}

/// What was measured of one combination. The counts are those of each run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// What was asked for.
    #[serde(flatten)]
    pub setting: Setting,
    /// Articles, where files were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub articles: Option<usize>,
    /// Those of them that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<usize>,
    /// Sentences: of the articles, those that were translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences: Option<usize>,
    /// Requests that the models answered: for articles, sentences, once more those whose first
    /// translation a check rejected, and what summaries ask for.
    pub requests: usize,
    /// Tokens of these, without what stands before many of them (examples, instructions).
    pub source_tokens: usize,
    /// Tokens that were written.
    pub target_tokens: usize,
    /// Seconds of each run, in their order.
    pub runs: Vec<f64>,
    /// The same.
    pub seconds: Spread,
    /// Articles a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub articles_per_second: Option<Spread>,
    /// Sentences a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences_per_second: Option<Spread>,
    /// How many times the rate of an earlier run, where there is one to compare with: of articles,
    /// else of sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_baseline: Option<f64>,
    /// Seconds that all articles of the folder would take with loading, reckoned from those that
    /// were measured by the length of their texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder_seconds: Option<f64>,
    /// BLEU of the translations, where there are references.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bleu: Option<Score>,
    /// chrF of the translations, where there are references.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chrf: Option<Score>,
    /// Source tokens a second.
    pub source_tokens_per_second: Spread,
    /// Target tokens a second.
    pub target_tokens_per_second: Spread,
    /// From a request until its first token is chosen, where the request is alone: reading the
    /// source and one step. What many prompts share has been read before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_seconds: Option<Spread>,
    /// Loading the models, once for all combinations of this precision: reading the files, or
    /// making random weights, and packing them.
    pub load_seconds: f64,
    /// Most bytes of memory while loading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_memory: Option<u64>,
    /// Most bytes of memory while running, the models' own included, and what the allocator kept of
    /// models that were measured before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Operations of each run in matrix products with weights, as far as they follow from the
    /// tokens that stand in results: attention scores, norms, what a beam rejects at its end and
    /// what a shortlist leaves of the output layer are not counted. A multiplication and an
    /// addition are two.
    pub operations: f64,
    /// 10⁹ such operations for each second in the models.
    pub gops: Spread,
    /// How much of the device's measured peak that is, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_peak: Option<f64>,
    /// Seconds of the stages.
    pub stages: Stages,
}

/// The machine, as far as it matters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Operating system.
    pub os: &'static str,
    /// Architecture of the processor.
    pub arch: &'static str,
    /// Instruction set of the kernels.
    pub isa: &'static str,
    /// Cores that this process may use.
    pub cores: usize,
    /// How many processes wanted to run in the minute before, where the system says: what others do
    /// slows this down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_average: Option<f64>,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Machine {
        let average = std::fs::read_to_string("/proc/loadavg").ok();
        Machine {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            isa: crate::kernel::Isa::current().name(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load_average: average.and_then(|text| text.split_whitespace().next()?.parse().ok()),
        }
    }
}

/// All of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of polygist.
    pub version: &'static str,
    /// When, in UTC.
    pub created: String,
    /// Where.
    pub machine: Machine,
    /// What was worked on, in words.
    pub sample: String,
    /// Runs before the ones that count.
    pub warmup: usize,
    /// Runs that count.
    pub runs: usize,
    /// What the device can do at best.
    pub peaks: Vec<Peak>,
    /// One for each combination.
    pub measurements: Vec<Measurement>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_times() {
        let seconds = Spread::of(&[4.0, 1.0, 2.0]).unwrap();
        assert_eq!(seconds, Spread { median: 2.0, min: 1.0, max: 4.0 });
        assert_eq!(seconds.rate(8.0), Spread { median: 4.0, min: 2.0, max: 8.0 });
        assert_eq!(Spread::of(&[1.0, 2.0, 3.0, 10.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of(&[]), None);
    }
}
