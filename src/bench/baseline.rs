//! An earlier result to compare with.

use super::results::{Measurement, Setting, Spread};
use serde::Deserialize;

/// What an earlier benchmark found out, as its JSON says.
#[derive(Clone, Debug, Deserialize)]
pub struct Baseline {
    /// What was worked on, in words.
    pub sample: String,
    measurements: Vec<Earlier>,
}

#[derive(Clone, Debug, Deserialize)]
struct Earlier {
    #[serde(flatten)]
    setting: Setting,
    articles_per_second: Option<Spread>,
    sentences_per_second: Option<Spread>,
}

impl Baseline {
    /// Reads the JSON of an earlier benchmark.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(json: &str) -> Result<Baseline, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// How many times as fast as then it is with the same settings: in articles a second or,
    /// without articles, in sentences; `None` where they were not measured then.
    pub fn times(&self, now: &Measurement) -> Option<f64> {
        let then = self.measurements.iter().find(|then| then.setting == now.setting)?;
        let of_articles = now.articles_per_second.zip(then.articles_per_second);
        let (now, then) =
            of_articles.or(now.sentences_per_second.zip(then.sentences_per_second))?;
        (then.median > 0.0).then(|| now.median / then.median)
    }
}
