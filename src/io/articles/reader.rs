//! A reader: what a file format is to the rest of the program. The list of them, and how to add
//! one, is in `readers.rs`.

use super::options::ReadOptions;
use crate::document::DocumentFormat;
use crate::types::{Block, Format, Markup};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, Read};

/// A stream of bytes, unpacked if it was gzipped.
pub(super) type Input = Box<dyn Read + Send>;

/// One format: how its files are recognized and read.
pub(super) struct Reader {
    pub format: Format,
    /// Extensions of its files in lower case, without the dot, the usual one first. Each may be
    /// followed by `.gz` or `.zst`.
    pub extensions: &'static [&'static str],
    /// Whether a file whose name says nothing is of this format, by its first bytes: up to 64 KiB,
    /// UTF-16 as UTF-8, without byte order mark and leading white space. Containers look for their
    /// magic number.
    pub detect: fn(&[u8]) -> bool,
    /// The format that a file turns out to have by its first bytes although its name says this
    /// one; none for most.
    pub refine: fn(&[u8]) -> Option<Format>,
    /// Sets up a cutter for a file on the disk that holds several articles, where that is better
    /// than to read it as a stream.
    pub on_disk: Option<OpenFile>,
    pub read: ReadAs,
}

/// The way in which a format's files hold their articles.
pub(super) enum ReadAs {
    /// One article a file: made from all its bytes, which are no more than
    /// [`ReadOptions::max_bytes`] and may be anything.
    Whole(Parse),
    /// Several articles a file: it is cut into pieces as it comes in, each of which is parsed by
    /// itself, so that a bad one is an error in its place and a file of any size is read.
    Several(Several),
    /// A document, whose format divides it into blocks: one article a file.
    Document(&'static DocumentFormat),
    /// Files in an archive, each read as its own name says.
    Archive,
}

/// Makes an article of a file's bytes, and notes what is missing or broken in them. The error is a
/// phrase that follows the file's name, and so is each note.
pub(super) type Parse = fn(Vec<u8>, &mut Vec<String>) -> Result<Contents, String>;

/// The same for a piece of a file; the phrases follow the piece's name.
type ParsePiece = fn(Vec<u8>, &ReadOptions, &mut Vec<String>) -> Result<Contents, String>;

/// Sets up a cutter for an input whose first bytes are known.
type MakeCutter = fn(head: &[u8], Input, &ReadOptions) -> Result<Box<dyn Cutter>, String>;

/// The same for a file on the disk.
type OpenFile = fn(File, &ReadOptions) -> Result<Box<dyn Cutter>, String>;

/// Cutting and parsing a file of several articles.
#[derive(Clone, Copy)]
pub(super) struct Several {
    /// Sets up the cutter. The first bytes of the input are given besides, and come in it again.
    pub cut: MakeCutter,
    /// Makes an article of a piece, and notes what is missing or broken in it. The error is a
    /// phrase that follows the piece's name.
    pub parse: ParsePiece,
    /// The name of a piece in messages, before its number: `line`, `article`.
    pub piece: &'static str,
    /// The kind of value that a piece should be, for the message about a file without any.
    pub expected: &'static str,
}

impl Reader {
    /// A reader of files that hold one article each.
    pub const fn whole(
        format: Format,
        extensions: &'static [&'static str],
        detect: fn(&[u8]) -> bool,
        read: Parse,
    ) -> Reader {
        Reader::new(format, extensions, detect, ReadAs::Whole(read))
    }

    /// A reader of documents that are translated in place.
    pub fn document(document: &'static DocumentFormat) -> Option<Reader> {
        let DocumentFormat { name, extensions, detect, .. } = document;
        let format = Format::of_name(name)?;
        Some(Reader::new(format, extensions, *detect, ReadAs::Document(document)))
    }

    /// A reader of files that hold several articles.
    pub const fn several(
        format: Format,
        extensions: &'static [&'static str],
        detect: fn(&[u8]) -> bool,
        read: Several,
    ) -> Reader {
        Reader::new(format, extensions, detect, ReadAs::Several(read))
    }

    /// A reader of archives, whose members are files.
    pub const fn archive(
        format: Format,
        extensions: &'static [&'static str],
        detect: fn(&[u8]) -> bool,
    ) -> Reader {
        Reader::new(format, extensions, detect, ReadAs::Archive)
    }

    /// A reader whose files are what their names say, and are read as streams.
    const fn new(
        format: Format,
        extensions: &'static [&'static str],
        detect: fn(&[u8]) -> bool,
        read: ReadAs,
    ) -> Reader {
        Reader { format, extensions, detect, refine: |_| None, on_disk: None, read }
    }
}

/// An article as its file has it. Id and source are added by whoever reads the file.
#[derive(Debug)]
pub(super) struct Contents {
    /// Its own id, if it has one; unique within its file as a rule.
    pub id: Option<String>,
    /// Its title, if the format has a field for it.
    pub title: Option<String>,
    /// Its text, decoded, and not yet cleaned.
    pub text: String,
    /// The markup of the text.
    pub markup: Markup,
    /// See [`RawArticle::blocks`](crate::types::RawArticle::blocks).
    pub blocks: Option<Vec<Block>>,
    /// Other fields, which are passed on to the record.
    pub extra: Map<String, Value>,
}

impl Contents {
    /// An article that is a text and nothing else.
    pub fn of_text(text: String, markup: Markup) -> Contents {
        Contents { id: None, title: None, text, markup, blocks: None, extra: Map::new() }
    }

    /// Sets a field that is passed on, unless there is nothing in it.
    pub fn set(&mut self, name: &str, value: &str) {
        if !value.trim().is_empty() {
            self.extra.insert(name.into(), value.trim().into());
        }
    }
}

/// Cuts an input into pieces, one at a time.
pub(super) trait Cutter: Send {
    /// The next piece; nothing more is asked for after an error or the end.
    fn next(&mut self) -> Cut;
}

/// One find of a cutter.
pub(super) struct Cut {
    /// Number of the piece from 1, as messages and ids count it.
    pub number: usize,
    /// Whether the file turns out to hold this one piece, and could be one article as a whole.
    pub alone: bool,
    /// The piece; none at the end.
    pub piece: io::Result<Option<Piece>>,
}

/// One piece of an input.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// Its bytes.
    Whole(Vec<u8>),
    /// It was larger than the limit and has been passed over.
    TooLarge,
    /// The input ended inside of it.
    Torn,
}
