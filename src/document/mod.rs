//! Documents that are translated in place: office files, books, subtitles, catalogs of messages,
//! tables. Bytes in, bytes out; no disk, no network.
//!
//! A format is one function, [`DocumentFormat::rewrite`]: it copies a document and asks, in reading
//! order, what is to become of each text in it. Reading is a copy that is thrown away, writing one
//! whose texts are replaced; so what was read and what is written cannot disagree, and a document
//! in which nothing is replaced keeps its content.
//!
//! The bytes are untrusted: what is unpacked is bounded, entities and links outside of the document
//! are not followed, nothing in it is run.
//!
//! # Adding a format
//!
//! A file here with its [`DocumentFormat`], and a line in [`FORMATS`].

mod atoms;
mod docx;
mod drawing;
mod edits;
mod encoded;
mod epub;
mod html;
mod messages;
mod odt;
mod opc;
mod package;
mod pairs;
mod part;
mod pieces;
mod po;
mod pptx;
mod subtitles;
mod table;

mod xliff;
mod xml;

pub use html::HTML;
pub use table::{RowCutter, values};
pub(crate) use xml::{Kind, Tokens};

use crate::error::{Error, Result};
use crate::types::{Block, BlockKind, Format, Lang, Marked};

/// A document format.
pub struct DocumentFormat {
    /// Its name, as records have it.
    pub name: &'static str,
    /// Extensions of its files in lower case, without the dot, the usual one first.
    pub extensions: &'static [&'static str],
    /// Whether a file whose name says nothing is of this format, by its first bytes.
    pub detect: fn(&[u8]) -> bool,
    /// Copies a document; see [`Rewrite`].
    pub rewrite: Rewrite,
}

/// Copies a document. `edit` is given each text that a reader sees, in reading order and with its
/// markup, as a block; the text of a heading, a paragraph, a list's item or a table's cell is one
/// block. Its prefix and suffix are for showing all blocks as one text: they are no part of the
/// document.
///
/// # Errors
/// [`Error::Input`] when the bytes are no such document, or would take more
/// than [`Settings::max_bytes`] of memory; the message is a phrase that follows the file's name.
/// An error of `edit` ends the copy.
pub type Rewrite = fn(&[u8], &Settings, &mut dyn FnMut(Block) -> Result<Edit>) -> Result<Vec<u8>>;

/// What is to become of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// It stays as it is, to the byte.
    Keep,
    /// Another stands in its place.
    Replace(Marked),
    /// Another follows it: two languages side by side.
    Append(Marked),
}

/// How documents are read and written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most bytes of a document and of what is unpacked of it.
    pub max_bytes: usize,
    /// The language of the document, for formats that tell it.
    pub from: Option<Lang>,
    /// The language that its texts are replaced by; `None` while it is read.
    pub to: Option<Lang>,
    /// Names, or numbers from 1, of the columns of a table that are translated; all of them with
    /// text if none is named.
    pub columns: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { max_bytes: 64 << 20, from: None, to: None, columns: Vec::new() }
    }
}

/// All formats, as help texts list them.
pub static FORMATS: &[&DocumentFormat] = &[
    &docx::DOCX,
    &odt::ODT,
    &pptx::PPTX,
    &epub::EPUB,
    &subtitles::SRT,
    &subtitles::VTT,
    &po::PO,
    &xliff::XLIFF,
    &table::CSV,
];

/// The format of a name: one of [`FORMATS`], or HTML, which is a document only where that is said:
/// a page is an article otherwise.
pub fn named(name: &str) -> Option<&'static DocumentFormat> {
    FORMATS.iter().copied().chain([&HTML]).find(|format| format.name == name)
}

impl DocumentFormat {
    /// The texts of a document.
    ///
    /// # Errors
    /// See [`Rewrite`].
    pub fn read(&self, bytes: &[u8], settings: &Settings) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        (self.rewrite)(bytes, settings, &mut |block| {
            blocks.push(block);
            Ok(Edit::Keep)
        })?;
        Ok(blocks)
    }

    /// A document with its texts changed: as many edits as it has texts, in their order; where
    /// there are fewer the others stay.
    ///
    /// # Errors
    /// See [`Rewrite`].
    pub fn write(
        &self,
        bytes: &[u8],
        settings: &Settings,
        edits: impl IntoIterator<Item = Edit>,
    ) -> Result<Vec<u8>> {
        let mut edits = edits.into_iter();
        (self.rewrite)(bytes, settings, &mut |_| Ok(edits.next().unwrap_or(Edit::Keep)))
    }
}

/// The place of a translation in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In the place of the source.
    Instead,
    /// After the source: two languages side by side.
    Beside,
}

/// A document with its translation: as many texts as it has blocks, those apart that are copied, in
/// their order. A text that came back as it was stays to the byte.
///
/// # Errors
/// See [`Rewrite`]; and when the number of texts is another.
pub fn translated(
    format: &DocumentFormat,
    bytes: &[u8],
    settings: &Settings,
    texts: &[Marked],
    placement: Placement,
) -> Result<Vec<u8>> {
    let mut rest = texts.iter();
    let mut missing = 0usize;
    let out = (format.rewrite)(bytes, settings, &mut |block| {
        if block.kind == BlockKind::Verbatim {
            return Ok(Edit::Keep);
        }
        let Some(new) = rest.next() else {
            missing += 1;
            return Ok(Edit::Keep);
        };
        Ok(match placement {
            _ if new.text == block.text && new.inline == block.inline => Edit::Keep,
            Placement::Instead => Edit::Replace(new.clone()),
            Placement::Beside => Edit::Append(new.clone()),
        })
    })?;
    let surplus = rest.count();
    if missing + surplus > 0 {
        let found = texts.len();
        let expected = found + missing - surplus;
        let message = format!("expected {expected} translated texts, found {found}");
        return Err(Error::input("", message));
    }
    Ok(out)
}

/// The format of a document that was read; `None` for formats of articles.
pub fn of_format(format: Format) -> Option<&'static DocumentFormat> {
    FORMATS.iter().find(|document| Format::of_name(document.name) == Some(format)).copied()
}

#[cfg(test)]
mod tests;
