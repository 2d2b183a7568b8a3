//! The formats that can be read.
//!
//! # Adding a format
//!
//! 1. A variant of [`Format`] in `types.rs`: the name that records have for it.
//! 2. A file here with its [`Reader`], as `markdown.rs` is one: extensions, how its first bytes
//!    look, and a function from bytes to [`Contents`](super::reader::Contents).
//! 3. Its `mod` line and its line in [`READERS`].
//!
//! Help texts, messages, the names of output files and `polygist batch` follow from the list. What
//! is translated in place, as office documents and subtitles, is a format of `crate::document`.
//!
//! A reader is given bytes, of text in any encoding (`decode` makes text of them) or of a container
//! such as docx or epub, which it unpacks in memory: it must bound what it unpacks, since the file
//! is from outside. It returns plain text, Markdown or HTML and says which in
//! [`Markup`](crate::types::Markup); what of it is title, heading, paragraph and boilerplate is
//! found later, in `text/extract`. So a container that has headings and lists is best turned into
//! HTML. Files of several articles are cut into pieces as they stream in; `json_lines.rs` is the
//! example.

mod html;
mod json;
mod json_lines;
mod mail;
mod markdown;
mod parquet;
mod pdf;
pub(super) mod table;
mod text;
mod warc;
mod xml;

pub(super) use json::parse as parse_json;
pub(super) use json_lines::next_line;

use super::file::STDIN;
use super::packed::plain_name;
use super::reader::{ReadAs, Reader};
use super::tar;
use crate::document::FORMATS;
use crate::types::Format;
use std::sync::LazyLock;

/// All readers, as help texts list them. Content is compared with the last one first, so that what
/// is special comes after what is general. Documents come last; pages of HTML are articles.
static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let documents = FORMATS.iter().filter_map(|format| Reader::document(format));
    articles().into_iter().chain(documents).collect()
});

/// The readers of articles.
fn articles() -> Vec<Reader> {
    vec![
        text::READER,
        markdown::READER,
        html::READER,
        json::READER,
        json_lines::READER,
        xml::READER,
        mail::READER,
        warc::READER,
        pdf::READER,
        parquet::READER,
        Reader::archive(Format::Tar, &["tar", "tgz"], tar::is_start),
    ]
}

/// The reader of a format.
pub(super) fn of_format(format: Format) -> &'static Reader {
    READERS.iter().find(|reader| reader.format == format).unwrap_or(&READERS[0])
}

/// The format that a file name promises, `.gz` and `.zst` aside.
pub fn of_name(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let name = plain_name(&name);
    // A bare `.md` or `md` is a name, not an extension.
    let (stem, extension) = name.rsplit_once('.')?;
    let reader = READERS.iter().find(|reader| reader.extensions.contains(&extension))?;
    (!stem.is_empty()).then_some(reader.format)
}

/// The reader of a file with these first bytes; plain text when they look like nothing else.
/// `named` is the format that its name promises.
pub(super) fn of_content(named: Option<Format>, head: &[u8]) -> &'static Reader {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    match named.map(of_format) {
        Some(reader) => (reader.refine)(head).map_or(reader, of_format),
        None => READERS.iter().rev().find(|reader| (reader.detect)(head)).unwrap_or(&READERS[0]),
    }
}

/// Whether the files of that name may hold several articles.
pub(in crate::io) fn holds_several(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = plain_name(&name);
    // Rows of a table may be articles.
    let holds = |reader: &&Reader| {
        matches!(reader.read, ReadAs::Several(_)) || reader.format == Format::Csv
    };
    let several = READERS.iter().filter(holds);
    let ends =
        |extension: &&str| name.strip_suffix(extension).is_some_and(|stem| stem.ends_with('.'));
    name.ends_with(STDIN) || several.flat_map(|reader| reader.extensions).any(ends)
}

/// The extensions of all formats, with their dots.
pub fn extensions() -> Vec<String> {
    let all = READERS.iter().flat_map(|reader| reader.extensions);
    all.map(|extension| format!(".{extension}")).collect()
}

/// The extensions that are read inside folders, for messages.
pub(super) fn all_extensions() -> String {
    format!("{}, and each of them with .gz or .zst", extensions().join(", "))
}

/// The usual extension of each format, for help texts: `.txt .md .html .json .jsonl, each also as
/// .gz or .zst`.
pub fn usual_extensions() -> String {
    let usual: Vec<String> =
        READERS.iter().map(|reader| format!(".{}", reader.extensions[0])).collect();
    format!("{}, each also as .gz or .zst", usual.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(head: &[u8]) -> Format {
        of_content(None, head).format
    }

    #[test]
    fn names_and_contents() {
        assert_eq!(
            (of_name("A.TXT.GZ"), of_name("a.tar.zst")),
            (Some(Format::Text), Some(Format::Tar))
        );
        assert_eq!(of_name("a.b.ndjson"), Some(Format::Jsonl));
        assert_eq!(
            (of_name(".md"), of_name("README"), of_name("a.pdfx"), of_name("a.gz")),
            (None, None, None, None)
        );
        assert_eq!(of_bytes(b"\xEF\xBB\xBF <!DOCTYPE HTML><p>"), Format::Html);
        assert_eq!(of_bytes(b"[Reuters] Prices rose."), Format::Text);
        assert_eq!(of_bytes(b"{curly} words"), Format::Text);
        assert_eq!(of_bytes(b"# Title\n\nText"), Format::Markdown);
        assert_eq!(of_bytes(b"#tag first"), Format::Text);
        assert_eq!(of_bytes(b"[ {\"a\": 1}]"), Format::Json);
        assert_eq!(of_bytes(b"{\n \"a\": 1}"), Format::Json);
        assert_eq!(of_bytes(b"{\"a\": 1}\n{\"a\": 2}"), Format::Jsonl);
        let named = |head| of_content(Some(Format::Json), head).format;
        assert_eq!(named(b"{\"a\": 1}\n{\"a\": 2}"), Format::Jsonl);
        assert_eq!(named(b"{\"a\": 1}\n"), Format::Json);
    }

    #[test]
    fn every_format_has_one_reader_and_extensions_of_its_own() {
        let mut extensions: Vec<&str> =
            READERS.iter().flat_map(|reader| reader.extensions).copied().collect();
        let mut formats: Vec<String> =
            READERS.iter().map(|reader| format!("{:?}", reader.format)).collect();
        let counts = (extensions.len(), formats.len());
        extensions.sort_unstable();
        extensions.dedup();
        formats.sort_unstable();
        formats.dedup();
        assert_eq!((extensions.len(), formats.len()), counts);
        assert!(READERS.iter().all(|reader| !reader.extensions.is_empty()));
        assert!(extensions.iter().all(|e| *e != "gz" && *e == e.to_ascii_lowercase()));
    }

    #[test]
    fn the_lists_of_extensions() {
        let usual = usual_extensions();
        assert!(
            usual.starts_with(".txt .md .html .json .jsonl") && usual.ends_with(" as .gz or .zst")
        );
        assert!(all_extensions().starts_with(".txt, .text, .md, .markdown, .html, "));
        assert!(holds_several("a.JSONL.gz") && holds_several(".json") && holds_several(STDIN));
        assert!(!holds_several("a.txt") && !holds_several("ajson"));
    }
}
