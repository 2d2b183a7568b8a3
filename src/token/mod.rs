//! Text to token ids and back.

mod gguf;

use crate::error::{Error, Result};
use crate::nn::Config;
use std::path::Path;

/// A model's tokenizer, with what the model needs to know of it.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    begin: Option<u32>,
    end: Vec<u32>,
}

impl Tokenizer {
    /// The tokenizer in the metadata of a GGUF file; `model` names the file in messages.
    ///
    /// # Errors
    /// When the metadata lacks a part or names a kind of tokenizer that is not known.
    pub fn from_gguf(config: &Config, model: &str) -> Result<Tokenizer> {
        gguf::build(config, model)
    }

    /// A `tokenizer.json` file; begin and end tokens come from the model's `config.json`.
    pub fn from_file(path: &Path, config: &Config) -> Result<Tokenizer> {
        let inner = tokenizers::Tokenizer::from_file(path).map_err(|e| Error::Tokenizer(format!("{}: {e}", path.display())))?;
        let ids = |key: &str| -> Vec<u32> {
            let Config::Json(config) = config else { return Vec::new() };
            let id = |v: &serde_json::Value| v.as_u64().and_then(|v| u32::try_from(v).ok());
            match config.get(key) {
                Some(serde_json::Value::Array(all)) => all.iter().filter_map(id).collect(),
                Some(one) => id(one).into_iter().collect(),
                None => Vec::new(),
            }
        };
        Ok(Tokenizer { inner, begin: ids("bos_token_id").first().copied(), end: ids("eos_token_id") })
    }

    /// The token that stands before every text, if the model wants one.
    pub fn begin(&self) -> Option<u32> {
        self.begin
    }

    /// Whether a token ends a text.
    pub fn is_end(&self, token: u32) -> bool {
        self.end.contains(&token)
    }

    /// The ids of a text, without the begin token. Control tokens (`<|im_end|>`) are recognized: text from outside is to be
    /// cleaned of them first.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some ids, without control tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|e| Error::Tokenizer(e.to_string()))
    }

    /// The vocabulary as text: each id with what it writes, `None` for control tokens and for single bytes.
    pub fn vocabulary(&self) -> impl Iterator<Item = (u32, Option<String>)> + '_ {
        let size = self.inner.get_vocab_size(true) as u32;
        (0..size).map(|id| (id, self.inner.decode(&[id], true).ok().filter(|t| !t.is_empty() && !t.contains('\u{fffd}'))))
    }
}
