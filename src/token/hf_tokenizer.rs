//! Tokenizers that the `tokenizers` crate runs.

use super::piece::Piece;
use super::sentencepiece::model_file::byte_of;
use crate::error::{Error, Result};
use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;
use std::collections::HashSet;
use std::sync::OnceLock;
use tokenizers::ModelWrapper;
use tokenizers::models::unigram::Unigram;

/// A tokenizer of the crate, and a second one, made when first needed, that does not recognize
/// control tokens.
pub(super) struct HfTokenizer {
    inner: tokenizers::Tokenizer,
    plain: OnceLock<std::result::Result<tokenizers::Tokenizer, String>>,
    /// Finds the text of control tokens, if there are any.
    control: Option<AhoCorasick>,
    /// All of them but the unknown token, which any text may contain.
    control_ids: HashSet<u32>,
    unknown: Option<u32>,
}

fn wrong(error: impl ToString) -> Error {
    Error::Tokenizer(error.to_string())
}

impl HfTokenizer {
    /// Control tokens are the added tokens that are marked as special, and those in the vocabulary
    /// that `also_control` picks, if there may be any.
    pub fn new(
        mut inner: tokenizers::Tokenizer,
        unknown: Option<u32>,
        also_control: Option<fn(&str) -> bool>,
    ) -> Result<HfTokenizer> {
        // A tokenizer.json may have been saved with a limit that cuts long texts off.
        inner.with_truncation(None).map_err(wrong)?;
        inner.with_padding(None);
        let mut control: Vec<(u32, String)> = inner
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, t)| t.special && !t.content.is_empty())
            .map(|(id, t)| (id, t.content))
            .collect();
        if let Some(is_control) = also_control {
            control.extend(
                inner
                    .get_vocab(false)
                    .into_iter()
                    .filter(|(token, _)| is_control(token))
                    .map(|(token, id)| (id, token)),
            );
        }
        let finder = |texts: Vec<&String>| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(texts)
                .map_err(wrong)
        };
        Ok(HfTokenizer {
            control: if control.is_empty() {
                None
            } else {
                Some(finder(control.iter().map(|(_, text)| text).collect())?)
            },
            control_ids: control
                .into_iter()
                .map(|(id, _)| id)
                .filter(|id| Some(*id) != unknown)
                .collect(),
            plain: OnceLock::new(),
            inner,
            unknown,
        })
    }

    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.inner.encode_fast(text, false).map_err(wrong)?.get_ids().to_vec())
    }

    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        if !self.has_control(text) {
            let ids = self.encode(text)?;
            // Normalization may have made a control token out of other characters.
            if self.controls_in(&ids) == 0 {
                return Ok(ids);
            }
        }
        let plain = self.plain.get_or_init(|| self.without_control()).as_ref().map_err(wrong)?;
        let ids = plain.encode_fast(text, false).map_err(wrong)?.get_ids().to_vec();
        // BPE can put the text of a control token together from its parts.
        Ok(ids
            .into_iter()
            .filter_map(|id| if self.control_ids.contains(&id) { self.unknown } else { Some(id) })
            .collect())
    }

    /// The ids of `prefix`, whose control tokens are recognized, and the plain `text` right after
    /// it.
    pub fn encode_joined(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        if !self.has_control(text) {
            let ids = self.encode(&format!("{prefix}{text}"))?;
            if prefix.is_empty() && self.controls_in(&ids) == 0
                || self.controls_in(&ids) == self.controls_in(&self.encode(prefix)?)
            {
                return Ok(ids);
            }
        }
        let cut =
            self.control.iter().flat_map(|c| c.find_iter(prefix)).last().map_or(0, |m| m.end());
        let (marks, words) = prefix.split_at(cut);
        let mut ids = if marks.is_empty() { Vec::new() } else { self.encode(marks)? };
        ids.extend(self.encode_plain(&format!("{words}{text}"))?);
        Ok(ids)
    }

    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(wrong)
    }

    pub fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    pub fn ends_bytes(&self, id: u32) -> bool {
        let is_byte = |token: String| byte_of(&token).is_some();
        !self.control_ids.contains(&id) && !self.inner.id_to_token(id).is_none_or(is_byte)
    }

    /// The control token that a text begins with: its id and its length in bytes.
    pub fn leading_control(&self, text: &str) -> Option<(u32, usize)> {
        let found = self.control.as_ref()?.find(text).filter(|m| m.start() == 0)?;
        Some((self.token_id(&text[found.range()])?, found.end()))
    }

    pub fn pieces(&self) -> Vec<(u32, Piece)> {
        let piece = |id: u32| match self.inner.decode(&[id], true) {
            // A lone space is lost at the start of a text, where such decoders drop it.
            Ok(text) if text.is_empty() => match self.inner.id_to_token(id) {
                Some(token)
                    if !self.control_ids.contains(&id)
                        && token.chars().all(|c| c == '▁')
                        && !token.is_empty() =>
                {
                    Piece::Text(" ".repeat(token.chars().count()))
                }
                _ => Piece::Control,
            },
            Ok(text) if text.contains('\u{fffd}') => Piece::Bytes,
            Ok(text) => Piece::Text(text),
            Err(_) => Piece::Control,
        };
        (0..self.inner.get_vocab_size(true) as u32)
            .into_par_iter()
            .map(|id| (id, piece(id)))
            .collect()
    }

    fn has_control(&self, text: &str) -> bool {
        self.control.as_ref().is_some_and(|c| c.is_match(text))
    }

    fn controls_in(&self, ids: &[u32]) -> usize {
        ids.iter().filter(|id| self.control_ids.contains(id)).count()
    }

    /// A copy of the tokenizer with control tokens as plain text.
    fn without_control(&self) -> Result<tokenizers::Tokenizer, String> {
        let mut plain = self.inner.clone();
        let added = self.inner.get_added_tokens_decoder();
        let unmarked =
            added.into_iter().filter(|(id, token)| self.control_ids.contains(id) && !token.special);
        plain
            .add_special_tokens(unmarked.map(|(_, token)| token.special(true)))
            .map_err(|e| e.to_string())?;
        plain.set_encode_special_tokens(true);
        if let ModelWrapper::Unigram(model) = self.inner.get_model() {
            // They stand in its vocabulary too, with the best of scores: there they get texts that
            // none is ever given.
            let hidden = |id: u32| self.control_ids.contains(&id) || Some(id) == self.unknown;
            let vocabulary = model.iter().enumerate().map(|(id, (token, score))| {
                let token =
                    if hidden(id as u32) { format!("\u{ffff}{id}\u{ffff}") } else { token.clone() };
                (token, *score)
            });
            let unknown = self.unknown.map(|id| id as usize);
            let model = Unigram::from(vocabulary.collect(), unknown, model.byte_fallback())
                .map_err(|e| e.to_string())?;
            plain.with_model(model);
        }
        Ok(plain)
    }
}
