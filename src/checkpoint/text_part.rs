//! The language model in the files of a model that sees images too.

use super::{Config, MatrixReader, Weights};
use crate::error::Result;
use candle_core::Tensor;
use serde_json::Value;
use std::borrow::Cow;

/// The weights of the language model in a larger model, by the names that they have when it stands
/// alone: `model.layers.0…` for `model.language_model.layers.0…`, or for
/// `language_model.model.layers.0…`, as older files have it.
pub struct TextPart<'a> {
    weights: &'a dyn Weights,
}

/// Prefixes of the language model's weights, in newer and in older files, for `model.`.
const PREFIXES: [&str; 2] = ["model.language_model.", "language_model.model."];

impl<'a> TextPart<'a> {
    /// The language model in `weights`.
    pub fn new(weights: &'a dyn Weights) -> TextPart<'a> {
        TextPart { weights }
    }

    /// The name of a weight in the files: as it is, or within the larger model.
    pub fn stored<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.weights.has(name) {
            return name.into();
        }
        let alone = PREFIXES
            .iter()
            .find_map(|prefix| Some(format!("model.{}", name.strip_prefix(prefix)?)))
            .unwrap_or_else(|| name.to_string());
        let rest = alone.strip_prefix("model.");
        let inside = rest.into_iter().flat_map(|rest| PREFIXES.map(|p| format!("{p}{rest}")));
        let found = inside
            .chain([format!("language_model.{alone}"), alone.clone()])
            .find(|name| self.weights.has(name));
        found.map_or(name.into(), Cow::Owned)
    }
}

/// The configuration of the language model, if `config` is that of a larger model.
pub fn text_config(config: &Config) -> Option<Config> {
    let Value::Object(mut text) = config.json("text_config")?.clone() else { return None };
    // The larger model's type and switch stand in for those of its part.
    for key in ["model_type", "tie_word_embeddings"] {
        if let Some(value) = config.json(key) {
            text.entry(key).or_insert_with(|| value.clone());
        }
    }
    Some(Config::Json(Value::Object(text)))
}

impl Weights for TextPart<'_> {
    fn model(&self) -> &str {
        self.weights.model()
    }

    fn has(&self, name: &str) -> bool {
        self.weights.has(&self.stored(name))
    }

    fn names(&self) -> Vec<String> {
        self.weights.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        self.weights.get(&self.stored(name))
    }

    fn get_integers(&self, name: &str) -> Result<Option<MatrixReader<'_>>> {
        self.weights.get_integers(&self.stored(name))
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        self.weights.get_rows_reader(&self.stored(name), width)
    }

    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        self.weights.smoothing(&self.stored(name), inputs)
    }
}
