//! A model's tokenizer: one face for both machines, and what the model needs to know of it.

use super::hf_tokenizer::HfTokenizer;
use super::input_template::{InputTemplate, Slot};
use super::mapped_sentencepiece::MappedSentencePiece;
use super::piece::Piece;
use super::recent::Recent;
use crate::error::Result;

/// A model's tokenizer, with what the model needs to know of it.
pub struct Tokenizer {
    pub(super) backend: Backend,
    pub(super) template: InputTemplate,
    pub(super) begin: Option<u32>,
    pub(super) end: Vec<u32>,
    pub(super) pad: Option<u32>,
    pub(super) recent: Recent,
}

/// The machine that cuts text into tokens.
pub(super) enum Backend {
    Hf(Box<HfTokenizer>),
    Mapped(Box<MappedSentencePiece>),
}

impl Backend {
    pub fn token_id(&self, token: &str) -> Option<u32> {
        match self {
            Backend::Hf(hf) => hf.token_id(token),
            Backend::Mapped(mapped) => mapped.token_id(token),
        }
    }

    fn leading_control(&self, text: &str) -> Option<(u32, usize)> {
        match self {
            Backend::Hf(hf) => hf.leading_control(text),
            Backend::Mapped(mapped) => mapped.leading_control(text),
        }
    }

    fn encode_joined(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        match self {
            Backend::Hf(hf) => hf.encode_joined(prefix, text),
            Backend::Mapped(mapped) => Ok(mapped.encode_source(prefix, text)),
        }
    }
}

impl Tokenizer {
    pub(super) fn new(backend: Backend, begin: Option<u32>, end: Vec<u32>) -> Tokenizer {
        let before = begin.map(Slot::Token).into_iter().collect();
        let template = InputTemplate { before, after: Vec::new() };
        Tokenizer { backend, template, begin, end, pad: None, recent: Recent::default() }
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

    /// The token that fills short rows up, if the model has one. T5 also begins to write with it.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// The token that stands for what the vocabulary does not have, where there is one.
    pub fn unknown(&self) -> Option<u32> {
        match &self.backend {
            Backend::Hf(hf) => hf.unknown(),
            Backend::Mapped(mapped) => Some(mapped.unknown()),
        }
    }

    /// The id of a token by its exact text (`</s>`, `fra_Latn`, `__fr__`, `>>fra<<`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.backend.token_id(token)
    }

    /// The text that the vocabulary has for a token that is written, marks of the tokenizer's own
    /// included (`▁the`, `Ġthe`).
    pub fn token(&self, id: u32) -> Option<String> {
        match &self.backend {
            Backend::Hf(hf) => hf.token(id),
            Backend::Mapped(mapped) => mapped.token(id).map(String::from),
        }
    }

    /// The text of a token that an encoder reads, which may have a vocabulary of its own.
    pub fn source_token(&self, id: u32) -> Option<String> {
        match &self.backend {
            Backend::Hf(hf) => hf.token(id),
            Backend::Mapped(mapped) => mapped.source_token(id).map(String::from),
        }
    }

    /// The ids of a text of ours, without the begin token. Control tokens (`<|im_end|>`) in it are
    /// recognized.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &self.backend {
            Backend::Hf(hf) => hf.encode(text),
            Backend::Mapped(mapped) => Ok(mapped.encode(text)),
        }
    }

    /// The ids of a text from outside: what looks like a control token in it is read as plain text.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        self.recent.ids(text, || match &self.backend {
            Backend::Hf(hf) => hf.encode_plain(text),
            Backend::Mapped(mapped) => Ok(mapped.encode_plain(text)),
        })
    }

    /// The input of an encoder–decoder model's encoder: the begin token, if it has one there
    /// (BART); `prefix`, a text of ours with control tokens (`fra_Latn`, `>>fra<<`, `<2de> `) or
    /// words (`summarize: `); `text`, a text from outside, right after it; the end token. A
    /// language token at the head of the prefix takes the place that the model's kind has for it,
    /// which for mBART is after the end token. A language that the model does not know is read as
    /// words: ask [`Tokenizer::token_id`] first.
    pub fn encode_source(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        let language =
            if self.template.has_language() { self.backend.leading_control(prefix) } else { None };
        let words = language.map_or(prefix, |(_, length)| prefix[length..].trim_start());
        let body = match words {
            "" => self.encode_plain(text)?,
            words => self.backend.encode_joined(words, text)?,
        };
        Ok(self.template.fill(language.map(|(id, _)| id), body))
    }

    /// What a decoder writes, as ids: `prefix`, a text of ours with control tokens, and `text`, a
    /// text from outside, right after it; the end token apart. Where the two sides have
    /// vocabularies or models of their own, these are the target's; a decoder without an encoder
    /// has but one.
    pub fn encode_target(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        match &self.backend {
            Backend::Hf(hf) => hf.encode_joined(prefix, text),
            Backend::Mapped(mapped) => Ok(mapped.encode_target(prefix, text)),
        }
    }

    /// The text of some ids, without control tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        match &self.backend {
            Backend::Hf(hf) => hf.decode(ids),
            Backend::Mapped(mapped) => Ok(mapped.decode(ids)),
        }
    }

    /// Whether a token ends a row of single bytes (`<0xE4>`), which are decoded together: it is
    /// another than these, and writes something.
    pub fn ends_bytes(&self, id: u32) -> bool {
        match &self.backend {
            Backend::Hf(hf) => hf.ends_bytes(id),
            Backend::Mapped(mapped) => mapped.ends_bytes(id),
        }
    }

    /// Each token of the vocabulary with what it writes, ascending.
    pub fn pieces(&self) -> Vec<(u32, Piece)> {
        match &self.backend {
            Backend::Hf(hf) => hf.pieces(),
            Backend::Mapped(mapped) => mapped.pieces(),
        }
    }
}
