//! Tokenizers of two steps: SentencePiece cuts a text into pieces, a `vocab.json` gives the pieces
//! their ids. So work Marian (opus-mt), with a model for each side, and M2M100; where the ids are
//! SentencePiece's own, so work Marian's students and GGUF files.

use super::piece::Piece;
use super::sentencepiece::SentencePiece;
use super::sentencepiece::model_file::{Kind, Spm, byte_of};
use crate::error::{Error, Result};
use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// The parts of a [`MappedSentencePiece`].
pub(super) struct Parts {
    pub source: SentencePiece,
    /// Encodes what is written, where it is not the model that encodes what is read.
    pub target: Option<SentencePiece>,
    /// Pieces to ids on the side of the encoder.
    pub ids: HashMap<String, u32>,
    /// Pieces to ids on the side of the decoder, where they are others.
    pub target_ids: Option<HashMap<String, u32>>,
    /// Recognized everywhere in a text of ours, and never written; all are in `ids`.
    pub control: Vec<String>,
    pub unknown: u32,
    /// A text of ours may begin with `>>xx<<`.
    pub has_codes: bool,
    /// White space around what is written is not meant, as in `transformers`.
    pub trims: bool,
}

impl Parts {
    /// The parts for a SentencePiece model whose ids are its own; `file` names it in messages.
    pub fn of_model(spm: Spm, file: &str) -> Result<Parts> {
        let control = spm
            .pieces
            .iter()
            .filter(|p| matches!(p.kind, Kind::Control | Kind::Unknown))
            .map(|p| p.text.clone())
            .collect();
        let unknown = spm.unknown as u32;
        let source = SentencePiece::new(spm, file)?;
        Ok(Parts {
            ids: source.ids().clone(),
            source,
            target: None,
            target_ids: None,
            control,
            unknown,
            has_codes: false,
            trims: true,
        })
    }
}

/// What encodes the texts of one side.
#[derive(Clone, Copy)]
struct Side<'a> {
    pieces: &'a SentencePiece,
    ids: &'a HashMap<String, u32>,
}

pub(super) struct MappedSentencePiece {
    parts: Parts,
    tokens: HashMap<u32, String>,
    /// Tokens that are read, where they are others; made when first needed.
    source_tokens: OnceLock<HashMap<u32, String>>,
    control: HashSet<String>,
    /// Finds the text of control tokens.
    finder: AhoCorasick,
    silent: HashSet<u32>,
}

impl MappedSentencePiece {
    pub fn new(parts: Parts) -> Result<MappedSentencePiece> {
        let written = parts.target_ids.as_ref().unwrap_or(&parts.ids);
        let tokens: HashMap<u32, String> =
            written.iter().map(|(token, id)| (*id, token.clone())).collect();
        let silent = parts.control.iter().filter_map(|token| written.get(token).copied()).collect();
        let control = parts.control.iter().cloned().collect();
        let finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&parts.control);
        let finder = finder.map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(MappedSentencePiece {
            parts,
            tokens,
            source_tokens: OnceLock::new(),
            control,
            finder,
            silent,
        })
    }

    /// With control tokens and language codes recognized.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encode_source(text, "")
    }

    pub fn encode_plain(&self, text: &str) -> Vec<u32> {
        self.plain(self.source(), text)
    }

    /// The ids of `prefix`, whose control tokens are recognized, and the plain `text` right after
    /// it, as an encoder reads them.
    pub fn encode_source(&self, prefix: &str, text: &str) -> Vec<u32> {
        self.joined(self.source(), prefix, text)
    }

    /// The same as a decoder writes them.
    pub fn encode_target(&self, prefix: &str, text: &str) -> Vec<u32> {
        self.joined(self.target(), prefix, text)
    }

    fn source(&self) -> Side<'_> {
        Side { pieces: &self.parts.source, ids: &self.parts.ids }
    }

    fn target(&self) -> Side<'_> {
        Side {
            pieces: self.parts.target.as_ref().unwrap_or(&self.parts.source),
            ids: self.parts.target_ids.as_ref().unwrap_or(&self.parts.ids),
        }
    }

    fn plain(&self, side: Side<'_>, text: &str) -> Vec<u32> {
        side.pieces.encode(text).iter().map(|piece| self.piece_id(side, piece)).collect()
    }

    /// A piece of a plain text is never a control token, whatever the vocabulary says.
    fn piece_id(&self, side: Side<'_>, piece: &str) -> u32 {
        let control = self.control.contains(piece) || self.parts.has_codes && is_code(piece);
        side.ids.get(piece).filter(|_| !control).copied().unwrap_or(self.parts.unknown)
    }

    fn joined(&self, side: Side<'_>, prefix: &str, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = prefix;
        loop {
            if let (true, Some(end)) =
                (self.parts.has_codes && rest.starts_with(">>"), rest.find("<<"))
            {
                let (code, tail) = rest.split_at(end + 2);
                ids.push(side.ids.get(code).copied().unwrap_or(self.parts.unknown));
                rest = tail;
            }
            let Some(found) = self.finder.find(rest) else { break };
            ids.extend(self.plain(side, &rest[..found.start()]));
            ids.extend(side.ids.get(&rest[found.range()]));
            rest = &rest[found.end()..];
        }
        ids.extend(self.plain(side, &format!("{rest}{text}")));
        ids
    }

    pub fn decode(&self, ids: &[u32]) -> String {
        let pieces = ids
            .iter()
            .filter(|id| !self.silent.contains(id))
            .filter_map(|id| self.tokens.get(id))
            .map(String::as_str);
        // Where both sides share a vocabulary, the source's model decodes all.
        let side = if self.parts.target_ids.is_some() { self.target() } else { self.source() };
        let text = side.pieces.decode(pieces);
        let text = text.replace('▁', " ");
        if self.parts.trims { text.trim_matches(is_python_space).to_string() } else { text }
    }

    pub fn unknown(&self) -> u32 {
        self.parts.unknown
    }

    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.parts.ids.get(token).copied()
    }

    pub fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(&id).map(String::as_str)
    }

    pub fn source_token(&self, id: u32) -> Option<&str> {
        if self.parts.target_ids.is_none() {
            return self.token(id);
        }
        let reversed = || self.parts.ids.iter().map(|(token, id)| (*id, token.clone())).collect();
        self.source_tokens.get_or_init(reversed).get(&id).map(String::as_str)
    }

    pub fn ends_bytes(&self, id: u32) -> bool {
        !self.silent.contains(&id) && self.token(id).is_some_and(|token| byte_of(token).is_none())
    }

    /// The control token that a text begins with: its id and its length in bytes.
    pub fn leading_control(&self, text: &str) -> Option<(u32, usize)> {
        let found = self.finder.find(text).filter(|found| found.start() == 0)?;
        Some((self.token_id(&text[found.range()])?, found.end()))
    }

    pub fn pieces(&self) -> Vec<(u32, Piece)> {
        let piece = |id: u32, token: &str| {
            if self.silent.contains(&id) || self.parts.has_codes && is_code(token) {
                Piece::Control
            } else if byte_of(token).is_some() {
                Piece::Bytes
            } else {
                Piece::Text(token.replace('▁', " "))
            }
        };
        let mut tokens: Vec<(u32, &str)> =
            self.tokens.iter().map(|(&id, token)| (id, token.as_str())).collect();
        tokens.sort_unstable();
        tokens.into_par_iter().map(|(id, token)| (id, piece(id, token))).collect()
    }
}

fn is_code(token: &str) -> bool {
    token.starts_with(">>") && token.ends_with("<<")
}

/// White space as Python's `str.strip` understands it, with four control characters that Unicode
/// does not count.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
