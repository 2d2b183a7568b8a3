//! Which tokens of a vocabulary go on with a word.

use crate::token::Tokenizer;

/// What the tokens of a vocabulary mean for words.
pub(super) struct WordPieces {
    /// Whether a token goes on with the word before it, if there is one.
    continues: Vec<bool>,
    /// Whether a word may go on after a token.
    is_open: Vec<bool>,
    /// Tokens that go on with a word, ascending.
    continuing: Vec<u32>,
    /// Those, and tokens that may join another word to the one before them, ascending.
    extending: Vec<u32>,
    /// Whether a token begins with a hyphen that may join another word to the one before it.
    joins: Vec<bool>,
    /// Whether a word may be joined after a token, which ends with a hyphen.
    is_joint: Vec<bool>,
}

impl WordPieces {
    /// Those of the tokens that are written.
    pub(super) fn of(tokenizer: &Tokenizer, vocabulary: usize) -> WordPieces {
        let text = |id: u32| tokenizer.token(id).unwrap_or_default();
        let pieces: Vec<String> = (0..vocabulary as u32).map(text).collect();
        WordPieces::new(&pieces, |id| tokenizer.is_end(id))
    }

    /// Those of tokens with these texts, as a vocabulary has them; `is_end` says which end a text.
    pub(super) fn new(pieces: &[impl AsRef<str>], is_end: impl Fn(u32) -> bool) -> WordPieces {
        let continues: Vec<bool> =
            (0..).zip(pieces).map(|(id, piece)| !is_end(id) && goes_on(piece.as_ref())).collect();
        let is_open = |piece: &str| piece.ends_with(char::is_alphanumeric);
        let joins: Vec<bool> = pieces.iter().map(|piece| joins(piece.as_ref())).collect();
        let ids = |is: &dyn Fn(usize) -> bool| {
            (0..pieces.len()).filter(|&id| is(id)).map(|id| id as u32).collect()
        };
        WordPieces {
            continuing: ids(&|id| continues[id]),
            extending: ids(&|id| continues[id] || joins[id]),
            is_open: pieces.iter().map(|piece| is_open(piece.as_ref())).collect(),
            joins,
            is_joint: pieces.iter().map(|piece| is_joint(piece.as_ref())).collect(),
            continues,
        }
    }

    /// Tokens that go on with a word, ascending.
    pub(super) fn continuing(&self) -> &[u32] {
        &self.continuing
    }

    /// Tokens that go on with a word, or may join another one to it, ascending.
    pub(super) fn extending(&self) -> &[u32] {
        &self.extending
    }

    /// Whether a token may join another word to the one before it.
    pub(super) fn joins(&self, token: u32) -> bool {
        self.joins.get(token as usize).copied().unwrap_or(false)
    }

    /// Whether a token ends with a hyphen to which a word may be joined.
    pub(super) fn is_joint(&self, token: u32) -> bool {
        self.is_joint.get(token as usize).copied().unwrap_or(false)
    }

    /// Whether a token goes on with the word before it, if there is one.
    pub(super) fn continues(&self, token: u32) -> bool {
        self.continues.get(token as usize).copied().unwrap_or(false)
    }

    /// Whether a word may go on after a token.
    pub(super) fn is_open(&self, token: u32) -> bool {
        self.is_open.get(token as usize).copied().unwrap_or(false)
    }
}

const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{2011}'];

/// Whether a token is a hyphen, or begins with one before a word.
fn joins(piece: &str) -> bool {
    let rest = piece.strip_prefix(HYPHENS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_alphanumeric))
}

/// Whether a token is a hyphen, or ends with one after a word.
fn is_joint(piece: &str) -> bool {
    let rest = piece.strip_suffix(HYPHENS);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_alphanumeric))
}

/// Whether a token begins with a letter or a part of one (`<0xC3>`) and not with a mark of a space.
fn goes_on(piece: &str) -> bool {
    let is_byte = piece.starts_with("<0x") && piece.ends_with('>');
    let opens = piece.starts_with(['\u{2581}', '\u{120}', ' ']);
    is_byte || !opens && piece.starts_with(char::is_alphanumeric)
}
