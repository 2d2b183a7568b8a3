//! Text to token ids and back.

mod gguf;

use crate::error::{Error, Result};
use crate::nn::Config;
use aho_corasick::AhoCorasick;
use std::path::Path;

/// A model's tokenizer, with what the model needs to know of it.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    begin: Option<u32>,
    end: Vec<u32>,
    /// Finds the text of control tokens, if the model has any.
    control: Option<AhoCorasick>,
}

impl Tokenizer {
    fn new(inner: tokenizers::Tokenizer, begin: Option<u32>, end: Vec<u32>) -> Result<Tokenizer> {
        let control: Vec<String> =
            inner.get_added_tokens_decoder().into_values().filter(|t| t.special && !t.content.is_empty()).map(|t| t.content).collect();
        let control = if control.is_empty() { None } else { Some(AhoCorasick::new(control).map_err(|e| Error::Tokenizer(e.to_string()))?) };
        Ok(Tokenizer { inner, begin, end, control })
    }

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
        Tokenizer::new(inner, ids("bos_token_id").first().copied(), ids("eos_token_id"))
    }

    /// The token that stands before every text, if the model wants one.
    pub fn begin(&self) -> Option<u32> {
        self.begin
    }

    /// Whether a token ends a text.
    pub fn is_end(&self, token: u32) -> bool {
        self.end.contains(&token)
    }

    /// The tokens that end a text.
    pub fn ends(&self) -> &[u32] {
        &self.end
    }

    /// The ids of a text as an encoder reads it.
    pub fn encode_source(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode(prefix)?;
        ids.extend(self.encode_plain(text)?);
        ids.extend(self.end.first());
        Ok(ids)
    }

    /// A token by its text.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The ids of a text of ours, without the begin token. Control tokens (`<|im_end|>`) in it are recognized.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of a text from outside: what looks like a control token in it is read as plain text.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        let mut rest = text;
        // A control token that is cut after its first character is recognized no more.
        while let Some(found) = self.control.as_ref().and_then(|c| c.find(rest)) {
            let first = rest[found.range()].chars().next().map_or(1, char::len_utf8);
            let (head, tail) = rest.split_at(found.start() + first);
            ids.extend(self.encode(head)?);
            rest = tail;
        }
        ids.extend(self.encode(rest)?);
        Ok(ids)
    }

    /// The text of some ids, without control tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|e| Error::Tokenizer(e.to_string()))
    }

    /// What each token of the vocabulary writes.
    pub fn pieces(&self) -> impl Iterator<Item = (u32, Piece)> + '_ {
        (0..self.inner.get_vocab_size(true) as u32).map(|id| {
            let piece = match self.inner.decode(&[id], true) {
                Ok(text) if text.is_empty() => Piece::Control,
                Ok(text) if text.contains('\u{fffd}') => Piece::Bytes,
                Ok(text) => Piece::Text(text),
                Err(_) => Piece::Control,
            };
            (id, piece)
        })
    }
}

/// What a token writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Whole characters.
    Text(String),
    /// A part of a character.
    Bytes,
    /// Nothing; it is a mark for the model.
    Control,
}
