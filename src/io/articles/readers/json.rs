//! JSON: an array of objects, objects one after the other, or a single one.

mod fields;
pub(super) mod head;
pub(super) mod list;
mod values;

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Reader, Several};
use crate::types::Format;
use std::io::BufRead;
use values::Values;

pub(super) use crate::text::json::search::names_a_text;
pub(in crate::io::articles) use fields::parse;

pub(super) const READER: Reader = Reader {
    refine: |head| is_lines(head).then_some(Format::Jsonl),
    ..Reader::several(
        Format::Json,
        &["json"],
        |head| head::is_object(head) || head::is_array(head),
        Several { cut, parse, piece: "article", expected: "JSON objects" },
    )
};

/// Whether a file called `.json` holds one article a line all the same.
fn is_lines(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    head.contains(&b'\n') && head::first_line_is_object(head) && !first_line_wraps(head)
}

/// Whether the first line is an object that wraps lists of articles.
pub(super) fn first_line_wraps(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    !list::of_head(line, None).is_empty()
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let start = decode::narrow_head(head);
    let ways = list::of_head(&start, options.text_field.as_deref());
    let is_one = options.text_field.is_none() && list::is_blocks(&start);
    let values = Values::new(decode::narrow(head, input)?, options.max_bytes, ways, is_one);
    Ok(Box::new(Articles { values, number: 0 }))
}

/// The values of an input.
struct Articles<R> {
    values: Values<R>,
    number: usize,
}

impl<R: BufRead + Send> Cutter for Articles<R> {
    fn next(&mut self) -> Cut {
        let first = self.number == 0;
        self.number += 1;
        let piece = self.values.next_value().map(|next| {
            next.map(|(number, piece)| {
                self.number = number;
                piece
            })
        });
        let alone = first && matches!(piece, Ok(Some(_))) && self.values.is_alone();
        Cut { number: self.number, alone, piece }
    }
}
