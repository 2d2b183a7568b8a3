//! JSON: an array of objects, objects one after the other, or a single one.

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Reader, Several};
use super::{json_fields, json_head};
use crate::types::Format;
use std::io::{self, BufRead};

pub(super) const READER: Reader = Reader {
    refine: |head| is_lines(head).then_some(Format::Jsonl),
    ..Reader::several(
        Format::Json,
        &["json"],
        |head| json_head::is_object(head) || json_head::is_array(head),
        Several { cut, parse: json_fields::parse, piece: "article", expected: "JSON objects" },
    )
};

/// Whether a file called `.json` holds one object a line all the same.
fn is_lines(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    head.contains(&b'\n') && json_head::first_line_is_object(head)
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let values = Values::new(decode::narrow(head, input)?, options.max_bytes);
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
        let alone = first
            && !self.values.in_array
            && matches!(piece, Ok(Some(_)))
            && self.values.at_end().unwrap_or(false);
        Cut { number: self.number, alone, piece }
    }
}

/// Cuts a stream of JSON into values without parsing them: the elements of arrays at the top, and
/// other values at the top one by one. So an array of any size streams, and a broken element does
/// not take its neighbours with it.
struct Values<R> {
    reader: R,
    max: usize,
    in_array: bool,
    count: usize,
}

impl<R: BufRead> Values<R> {
    fn new(reader: R, max: usize) -> Self {
        Values { reader, max, in_array: false, count: 0 }
    }

    /// Whether nothing but white space is left.
    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.skip(|b| b.is_ascii_whitespace())?.is_none())
    }

    /// Passes over bytes and returns the first other one, unread.
    fn skip(&mut self, pass: impl Fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let passed = buffer.iter().take_while(|&&b| pass(b)).count();
            let next = buffer.get(passed).copied();
            self.reader.consume(passed);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// The next value and its number from 1. Values in a row that are no objects (an array of
    /// numbers, a page of another format) are one: the first stands for all.
    fn next_value(&mut self) -> io::Result<Option<(usize, Piece)>> {
        let number = self.count + 1;
        match self.seek()? {
            None if self.in_array => {
                self.in_array = false;
                Ok(Some((number, Piece::Torn)))
            }
            None => Ok(None),
            Some(b'{') => Ok(Some((number, self.value()?))),
            Some(_) => {
                let first = self.value()?;
                while self.seek()?.is_some_and(|b| b != b'{') {
                    self.value()?;
                }
                Ok(Some((number, first)))
            }
        }
    }

    /// Goes to the start of the next value and returns its first byte.
    fn seek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.skip(|b| b.is_ascii_whitespace() || b == b',')? {
                Some(b'[') if !self.in_array => self.in_array = true,
                Some(b']') => self.in_array = false,
                other => return Ok(other),
            }
            self.reader.consume(1);
        }
    }

    fn value(&mut self) -> io::Result<Piece> {
        self.count += 1;
        let mut value = Vec::new();
        let mut scan = Scan::default();
        let mut large = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if !scan.closed() && !large {
                    self.in_array = false;
                    return Ok(Piece::Torn);
                }
                return Ok(if large { Piece::TooLarge } else { Piece::Whole(value) });
            }
            let end = buffer.iter().position(|&b| scan.ends_before(b));
            let length = end.unwrap_or(buffer.len());
            large |= value.len() + length > self.max;
            if large {
                value = Vec::new();
            } else {
                value.extend_from_slice(&buffer[..length]);
            }
            self.reader.consume(length);
            if end.is_some() {
                return Ok(if large { Piece::TooLarge } else { Piece::Whole(value) });
            }
        }
    }
}

/// Where in a value a byte stands.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    started: bool,
}

impl Scan {
    fn closed(&self) -> bool {
        self.started && self.depth == 0 && !self.in_string
    }

    /// Whether the value was over before this byte; takes the byte in otherwise.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        // Objects directly after each other need no separator.
        if self.closed()
            && (byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | b'{' | b'}'))
        {
            return true;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.started = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, max: usize) -> Vec<Option<String>> {
        // A tiny buffer puts every seam somewhere.
        let mut values = Values::new(io::BufReader::with_capacity(3, text.as_bytes()), max);
        std::iter::from_fn(|| values.next_value().unwrap())
            .map(|(_, piece)| {
                if let Piece::Whole(bytes) = piece {
                    Some(String::from_utf8(bytes).unwrap())
                } else {
                    None
                }
            })
            .collect()
    }

    #[test]
    fn streams_are_cut_into_values() {
        let some = |s: &str| Some(s.to_string());
        assert_eq!(
            values(r#" [ {"a": "]},\"{"} , {"b": [1, {}]}, "x y", 3 ,{}]"#, 99),
            [some(r#"{"a": "]},\"{"}"#), some(r#"{"b": [1, {}]}"#), some("\"x y\""), some("{}"),]
        );
        assert_eq!(values("<html> a page, not JSON {", 99), [some("<html>"), None]);
        assert_eq!(
            values("{\"a\":1}{\"b\":2}\n{\"c\":3}", 99),
            [some("{\"a\":1}"), some("{\"b\":2}"), some("{\"c\":3}")]
        );
        assert_eq!(values("[{\"a\": }, {\"b\":2}]", 99), [some("{\"a\": }"), some("{\"b\":2}")]);
        assert_eq!(values("[{\"a\":1}, {\"b\":", 99), [some("{\"a\":1}"), None]);
        assert_eq!(values("[{\"a\":1}", 99), [some("{\"a\":1}"), None]);
        assert_eq!(values("[{\"a\":\"long long\"}, {}]", 8), [None, some("{}")]);
        assert_eq!(values("  [ ] ", 8), []);
    }
}
