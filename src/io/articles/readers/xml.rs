//! Feeds and news files in XML: RSS, Atom, RDF, NITF, NewsML-G2, and what is built like them.

mod article;
mod elements;

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Reader, Several};
use super::html;
use crate::types::Format;
use elements::Elements;
use encoding_rs::Encoding;

pub(super) const READER: Reader = Reader {
    refine: |head| html::is_page(head).then_some(Format::Html),
    ..Reader::several(
        Format::Xml,
        &["xml", "rss", "atom", "rdf", "nitf", "newsml"],
        is_xml,
        Several {
            cut,
            parse: article::parse,
            piece: "article",
            expected: "RSS, Atom, RDF, NITF or NewsML-G2 with articles in it",
        },
    )
};

fn is_xml(head: &[u8]) -> bool {
    let has = |start: &str| {
        head.get(..start.len()).is_some_and(|h| h.eq_ignore_ascii_case(start.as_bytes()))
    };
    !html::is_page(head)
        && ["<?xml", "<rss", "<feed", "<rdf:", "<nitf", "<newsItem", "<newsMessage"]
            .into_iter()
            .any(has)
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let input = decode::narrow_as(head, declared(head), input)?;
    let elements = Elements::new(input, &article::NAMES, options.max_bytes);
    Ok(Box::new(Articles { elements, number: 0 }))
}

/// The encoding that the first line declares. Many a file declares one and is UTF-8 all the same.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let end = head.iter().position(|&b| b == b'>')?;
    let line = String::from_utf8_lossy(head.get(..end)?);
    let value = line.trim_start().strip_prefix("<?xml")?.split_once("encoding")?.1;
    let label = value.split(['"', '\'']).nth(1)?;
    // A character may be cut at the end of the head.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true);
    Encoding::for_label(label.as_bytes())
        .filter(|e| e.is_ascii_compatible() && (!is_utf8 || head.is_ascii()))
}

struct Articles {
    elements: Elements,
    number: usize,
}

impl Cutter for Articles {
    fn next(&mut self) -> Cut {
        self.number += 1;
        let piece = self.elements.next_piece();
        let is_root = matches!(piece, Ok(Some(_))) && self.elements.is_root();
        Cut { number: self.number, alone: is_root && self.number == 1, piece }
    }
}
