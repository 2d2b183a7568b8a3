//! The configuration of a checkpoint.

use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;

/// A model's configuration, as its files state it.
pub enum Config {
    /// The metadata of a GGUF file.
    Gguf(HashMap<String, Value>),
    /// A `config.json` in the Hub's layout.
    Json(serde_json::Value),
}

impl Config {
    /// An entry of a `config.json`; `None` in a GGUF file.
    pub fn json(&self, key: &str) -> Option<&serde_json::Value> {
        match self {
            Config::Json(config) => config.get(key),
            Config::Gguf(_) => None,
        }
    }

    /// A text in a GGUF file's metadata; `None` in a `config.json`.
    pub fn gguf_str(&self, key: &str) -> Option<String> {
        match self {
            Config::Gguf(meta) => meta.get(key)?.to_string().ok().cloned(),
            Config::Json(_) => None,
        }
    }

    /// A whole number in a GGUF file's metadata, by its key below the name of the architecture.
    pub fn gguf_number(&self, key: &str) -> Option<u64> {
        let Config::Gguf(meta) = self else { return None };
        let value = meta.get(&format!("{}.{key}", self.gguf_str("general.architecture")?))?;
        value.to_u32().map(u64::from).or_else(|_| value.to_u64()).ok()
    }
}
