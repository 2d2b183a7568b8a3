//! The reader of SentencePiece models (`*.spm`, `spiece.model`): the protocol buffer `ModelProto`,
//! of which only what is needed to encode and decode is read. The file is untrusted: every length
//! is checked against what is left of it before anything is done with it.

use crate::checkpoint::stand_in::stand_in;
use crate::error::{Error, Result};
use std::path::Path;

/// Larger files are refused. The largest vocabularies in use, 256,000 pieces, are 5 MB.
const MAX_FILE: u64 = 64 << 20;
/// SentencePiece itself refuses longer pieces.
const MAX_PIECE: usize = 8000;
/// No vocabulary in use has more than a quarter of it.
const MAX_PIECES: usize = 1 << 20;

/// The kind of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Byte,
    Unused,
}

impl Kind {
    /// The kind that files write as this number, SentencePiece's own and GGUF.
    pub fn numbered(number: u64) -> Option<Kind> {
        Some(match number {
            1 => Kind::Normal,
            2 => Kind::Unknown,
            3 => Kind::Control,
            4 => Kind::UserDefined,
            5 => Kind::Unused,
            6 => Kind::Byte,
            _ => return None,
        })
    }

    /// Whether a piece of this kind is text that stands for itself.
    pub fn is_plain(self) -> bool {
        matches!(self, Kind::Normal | Kind::UserDefined | Kind::Unused)
    }
}

/// An entry of the vocabulary.
#[derive(Clone, Debug)]
pub struct SpmPiece {
    pub text: String,
    /// Log probability (unigram) or the negated rank of the merge (BPE).
    pub score: f32,
    pub kind: Kind,
}

impl SpmPiece {
    pub fn check(self) -> Result<SpmPiece, String> {
        if self.text.is_empty() || self.text.len() >= MAX_PIECE || self.text.contains('\0') {
            return Err(format!(
                "a piece of {} bytes is empty, too long or contains NUL",
                self.text.len()
            ));
        }
        if !self.score.is_finite() {
            return Err(format!("the piece {:?} has the score {}", self.text, self.score));
        }
        Ok(self)
    }
}

/// The algorithm that cuts text into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Unigram,
    Bpe,
}

/// A SentencePiece model.
#[derive(Debug)]
pub struct Spm {
    pub pieces: Vec<SpmPiece>,
    pub algorithm: Algorithm,
    /// Unknown characters become bytes (`<0xE2>`).
    pub byte_fallback: bool,
    /// The piece of [`Kind::Unknown`]; every model has exactly one.
    pub unknown: usize,
    /// Replacements before everything else, in SentencePiece's own format; may be empty.
    pub charsmap: Vec<u8>,
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
    /// The dummy space stands after the text.
    pub space_as_suffix: bool,
}

impl Spm {
    /// # Errors
    /// When the file cannot be read or is no SentencePiece model.
    pub fn open(path: &Path) -> Result<Spm> {
        let bytes = crate::token::files::read(path, MAX_FILE)?;
        Spm::parse(&bytes).map_err(|message| {
            let hint =
                "expected a SentencePiece model; if the download was cut off, fetch it again";
            let why = stand_in(&bytes).unwrap_or(message);
            Error::model(path.display().to_string(), format!("{why}; {hint}"))
        })
    }

    /// Reads the bytes of a model. The error says what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Spm, String> {
        let mut spm = Spm {
            pieces: Vec::new(),
            algorithm: Algorithm::Unigram,
            byte_fallback: false,
            unknown: 0,
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            space_as_suffix: false,
        };
        let mut message = Message(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, Value::Bytes(_)) if spm.pieces.len() == MAX_PIECES => {
                    return Err(format!("it has more than {MAX_PIECES} pieces"));
                }
                (1, Value::Bytes(piece)) => spm.pieces.push(read_piece(piece)?),
                (2, Value::Bytes(trainer)) => spm.read_trainer(trainer)?,
                (3, Value::Bytes(normalizer)) => spm.read_normalizer(normalizer)?,
                _ => {}
            }
        }
        spm.check()
    }

    fn read_trainer(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut message = Message(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (3, Value::Number(1)) => self.algorithm = Algorithm::Unigram,
                (3, Value::Number(2)) => self.algorithm = Algorithm::Bpe,
                (3, Value::Number(other)) => {
                    return Err(format!(
                        "model type {other}; polygist knows unigram (1) and BPE (2)"
                    ));
                }
                (24, Value::Number(flag)) => self.space_as_suffix = flag != 0,
                (35, Value::Number(flag)) => self.byte_fallback = flag != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normalizer(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut message = Message(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (2, Value::Bytes(map)) => self.charsmap = map.to_vec(),
                (3, Value::Number(flag)) => self.add_dummy_prefix = flag != 0,
                (4, Value::Number(flag)) => self.remove_extra_whitespaces = flag != 0,
                (5, Value::Number(flag)) => self.escape_whitespaces = flag != 0,
                _ => {}
            }
        }
        Ok(())
    }

    /// The checks that SentencePiece makes when it loads a model.
    pub fn check(mut self) -> Result<Spm, String> {
        let mut unknown = self
            .pieces
            .iter()
            .enumerate()
            .filter(|(_, p)| p.kind == Kind::Unknown)
            .map(|(id, _)| id);
        self.unknown = unknown.next().ok_or_else(|| {
            format!("none of its {} pieces is the unknown one", self.pieces.len())
        })?;
        if unknown.next().is_some() {
            return Err("more than one piece is the unknown one".into());
        }
        let mut seen = std::collections::HashSet::with_capacity(self.pieces.len());
        if let Some(twice) = self.pieces.iter().find(|p| !seen.insert((p.text.as_str(), p.kind))) {
            return Err(format!("the piece {:?} stands twice in it", twice.text));
        }
        let bytes = self.pieces.iter().filter(|p| p.kind == Kind::Byte);
        if let Some(wrong) = bytes.clone().find(|p| byte_of(&p.text).is_none()) {
            return Err(format!("the byte piece {:?} is not of the form <0x41>", wrong.text));
        }
        if self.byte_fallback && bytes.count() != 256 {
            return Err("it falls back to bytes and does not have 256 byte pieces".into());
        }
        Ok(self)
    }
}

/// The byte that a byte piece (`<0xE2>`) stands for.
pub fn byte_of(piece: &str) -> Option<u8> {
    let hex = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let digits =
        hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    if digits { u8::from_str_radix(hex, 16).ok() } else { None }
}

fn read_piece(bytes: &[u8]) -> Result<SpmPiece, String> {
    let mut piece = SpmPiece { text: String::new(), score: 0.0, kind: Kind::Normal };
    let mut message = Message(bytes);
    while let Some((field, value)) = message.field()? {
        match (field, value) {
            (1, Value::Bytes(text)) => {
                piece.text =
                    String::from_utf8(text.to_vec()).map_err(|_| "a piece is not valid UTF-8")?;
            }
            (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Number(kind)) => {
                piece.kind = Kind::numbered(kind)
                    .ok_or_else(|| format!("a piece is of the unknown type {kind}"))?;
            }
            _ => {}
        }
    }
    piece.check()
}

/// A field's value, as the wire format of protocol buffers writes it.
enum Value<'a> {
    Number(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(&'a [u8]),
}

/// The rest of a message.
struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    /// The next field's number and value; none at the end.
    fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => {
                let bytes =
                    self.take(4)?.try_into().map_err(|_| "it ends in the middle of a number")?;
                Value::Fixed32(u32::from_le_bytes(bytes))
            }
            other => return Err(format!("a field has the wire type {other}")),
        };
        Ok(Some((key >> 3, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let left = self.0.len();
        let (head, tail) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| format!("a field of {length} bytes where {left} are left"))?;
        self.0 = tail;
        Ok(head)
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or("it ends in the middle of a number")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number of more than 64 bits".into())
    }
}
