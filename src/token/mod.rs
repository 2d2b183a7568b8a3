//! Text to token ids and back.

mod build;
mod charsmap;
mod codes;
mod files;
mod folder;
mod frame;
mod gguf;
mod gguf_t5;
mod library;
mod mapped;
mod numbered;
mod sentencepiece;
mod settings;
mod spm;

use crate::checkpoint::Config;
use crate::error::Result;
use frame::{Frame, Slot};
use library::Library;
use mapped::Mapped;
use std::path::Path;

/// A model's tokenizer, with what the model needs to know of it.
pub struct Tokenizer {
    pieces: Pieces,
    frame: Frame,
    begin: Option<u32>,
    end: Vec<u32>,
    pad: Option<u32>,
}

/// What cuts text into pieces.
enum Pieces {
    Library(Box<Library>),
    Mapped(Box<Mapped>),
}

impl Pieces {
    fn token_id(&self, token: &str) -> Option<u32> {
        match self {
            Pieces::Library(library) => library.token_id(token),
            Pieces::Mapped(mapped) => mapped.token_id(token),
        }
    }

    fn leading_control(&self, text: &str) -> Option<(u32, usize)> {
        match self {
            Pieces::Library(library) => library.leading_control(text),
            Pieces::Mapped(mapped) => mapped.leading_control(text),
        }
    }

    fn encode_joined(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        match self {
            Pieces::Library(library) => library.encode_joined(prefix, text),
            Pieces::Mapped(mapped) => Ok(mapped.encode_joined(prefix, text)),
        }
    }
}

impl Tokenizer {
    fn new(pieces: Pieces, begin: Option<u32>, end: Vec<u32>) -> Tokenizer {
        let frame =
            Frame { before: begin.map(Slot::Token).into_iter().collect(), after: Vec::new() };
        Tokenizer { pieces, frame, begin, end, pad: None }
    }

    /// The tokenizer in the metadata of a GGUF file; `model` names the file in messages.
    ///
    /// # Errors
    /// When the metadata lacks a part or names a kind of tokenizer that is not known.
    pub fn from_gguf(config: &Config, model: &str) -> Result<Tokenizer> {
        gguf::build(config, model)
    }

    /// A `tokenizer.json` file. Begin, end and padding tokens come from the model's `config.json`,
    /// and from the `generation_config.json` and `tokenizer_config.json` beside the file, if there
    /// are any.
    ///
    /// # Errors
    /// When one of these files cannot be read or is not what it should be.
    pub fn from_file(path: &Path, config: &Config) -> Result<Tokenizer> {
        folder::from_json(path, config)
    }

    /// The tokenizer of a folder in the Hub's layout: from its `tokenizer.json`; or `source.spm`,
    /// `target.spm` and `vocab.json` (Marian), or `vocab.*.spm` (Marian's own files); or a
    /// SentencePiece model (T5, mT5, MADLAD, Pegasus, mBART, mBART-50, NLLB; M2M100 with
    /// `vocab.json`); or `vocab.json` and `merges.txt` (BART, LED). Which it is say
    /// `tokenizer_config.json` and the model's `config.json`.
    ///
    /// # Errors
    /// When files that the kind of model needs are missing, cannot be read or are broken.
    pub fn from_folder(folder: &Path, config: &Config) -> Result<Tokenizer> {
        folder::open(folder, config)
    }

    /// A vocabulary of `size` tokens whose texts are `t0`, `t1`, …; in a text they are separated by
    /// spaces. `end` ends an output.
    ///
    /// # Errors
    /// None that is known.
    pub fn numbered(size: usize, end: u32) -> Result<Tokenizer> {
        numbered::build(size, end)
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

    /// The id of a token by its exact text (`</s>`, `fra_Latn`, `__fr__`, `>>fra<<`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.pieces.token_id(token)
    }

    /// The text that the vocabulary has for a token that is written, marks of the tokenizer's own
    /// included (`▁the`, `Ġthe`).
    pub fn token(&self, id: u32) -> Option<String> {
        match &self.pieces {
            Pieces::Library(library) => library.token(id),
            Pieces::Mapped(mapped) => mapped.token(id).map(String::from),
        }
    }

    /// The same for a token that an encoder reads, which may have a vocabulary of its own.
    pub fn source_token(&self, id: u32) -> Option<String> {
        match &self.pieces {
            Pieces::Library(library) => library.token(id),
            Pieces::Mapped(mapped) => mapped.source_token(id).map(String::from),
        }
    }

    /// The ids of a text of ours, without the begin token. Control tokens (`<|im_end|>`) in it are
    /// recognized.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &self.pieces {
            Pieces::Library(library) => library.encode(text),
            Pieces::Mapped(mapped) => Ok(mapped.encode(text)),
        }
    }

    /// The ids of a text from outside: what looks like a control token in it is read as plain text.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        match &self.pieces {
            Pieces::Library(library) => library.encode_plain(text),
            Pieces::Mapped(mapped) => Ok(mapped.encode_plain(text)),
        }
    }

    /// What the encoder of an encoder–decoder model reads: the begin token, if it has one there
    /// (BART); `prefix`, a text of ours with control tokens (`fra_Latn`, `>>fra<<`, `<2de> `) or
    /// words (`summarize: `); `text`, a text from outside, right after it; the end token. A
    /// language token at the head of the prefix takes the place that the model's kind has for it,
    /// which for mBART is after the end token. A language that the model does not know is read as
    /// words: ask [`Tokenizer::token_id`] first.
    pub fn encode_source(&self, prefix: &str, text: &str) -> Result<Vec<u32>> {
        let language =
            if self.frame.has_language() { self.pieces.leading_control(prefix) } else { None };
        let words = language.map_or(prefix, |(_, length)| prefix[length..].trim_start());
        let body = self.pieces.encode_joined(words, text)?;
        Ok(self.frame.around(language.map(|(id, _)| id), body))
    }

    /// The text of some ids, without control tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        match &self.pieces {
            Pieces::Library(library) => library.decode(ids),
            Pieces::Mapped(mapped) => Ok(mapped.decode(ids)),
        }
    }

    /// Whether a token ends a row of single bytes (`<0xE4>`), which are decoded together: it is
    /// another than these, and writes something.
    pub fn ends_bytes(&self, id: u32) -> bool {
        match &self.pieces {
            Pieces::Library(library) => library.ends_bytes(id),
            Pieces::Mapped(mapped) => mapped.ends_bytes(id),
        }
    }

    /// What each token of the vocabulary writes, ascending.
    pub fn pieces(&self) -> Vec<(u32, Piece)> {
        match &self.pieces {
            Pieces::Library(library) => library.pieces(),
            Pieces::Mapped(mapped) => mapped.pieces(),
        }
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
