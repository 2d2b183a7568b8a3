//! JSON: an array of objects, objects one after the other, or a single one.

mod fields;
pub(super) mod head;
pub(super) mod list;

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Reader, Several};
use crate::types::Format;
use std::io::{self, BufRead};

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

/// Whether a file called `.json` holds one object a line all the same.
fn is_lines(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    head.contains(&b'\n') && head::first_line_is_object(head)
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let start = decode::narrow_head(head);
    let list = list::of_head(&start, options.text_field.as_deref()).unwrap_or_default();
    let is_one = options.text_field.is_none() && list::is_blocks(&start);
    let values = Values::new(decode::narrow(head, input)?, options.max_bytes, list);
    let values = Values { is_one, ..values };
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
            && self.values.list.is_empty()
            && !self.values.in_array
            && matches!(piece, Ok(Some(_)))
            && self.values.at_end().unwrap_or(false);
        Cut { number: self.number, alone, piece }
    }
}

/// Cuts a stream of JSON into values without parsing them: the elements of arrays at the top, or of
/// the list that the objects at the top wrap, and other values at the top one by one. So an array
/// of any size streams, and a broken element does not take its neighbours with it.
struct Values<R> {
    reader: R,
    max: usize,
    /// The names that lead to the list in an object at the top; none where there is no such list.
    list: Vec<String>,
    /// Whether an array at the top is one value.
    is_one: bool,
    in_array: bool,
    /// Objects around the list that is being read.
    around: usize,
    /// Whether the list is an object, whose values have names.
    keyed: bool,
    count: usize,
}

impl<R: BufRead> Values<R> {
    fn new(reader: R, max: usize, list: Vec<String>) -> Self {
        Values {
            reader,
            max,
            list,
            is_one: false,
            in_array: false,
            around: 0,
            keyed: false,
            count: 0,
        }
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
                (self.in_array, self.keyed) = (false, false);
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
                Some(b'{') if !self.in_array && !self.list.is_empty() => {
                    self.reader.consume(1);
                    self.descend()?;
                    continue;
                }
                Some(b'"') if self.keyed => {
                    self.name()?;
                    if self.skip(|b| b.is_ascii_whitespace())? != Some(b':') {
                        continue;
                    }
                }
                Some(b'[') if !self.in_array && !self.is_one => self.in_array = true,
                Some(b'}') if self.keyed => self.leave()?,
                Some(b']') => self.leave()?,
                other => return Ok(other),
            }
            self.reader.consume(1);
        }
    }

    /// Goes from the start of an object at the top to the elements of its list, or to its end.
    fn descend(&mut self) -> io::Result<()> {
        let mut level = 0;
        loop {
            match self.skip(|b| b.is_ascii_whitespace() || b == b',')? {
                Some(b'"') => {}
                None => return Ok(()),
                Some(_) => return self.pass_over(level + 1),
            }
            let is_next = self.name()? == self.list[level].as_bytes();
            let next = self.skip(|b| b.is_ascii_whitespace() || b == b':')?;
            match next {
                Some(b'{') if is_next && level + 1 < self.list.len() => level += 1,
                Some(open @ (b'{' | b'[')) if is_next && level + 1 == self.list.len() => {
                    self.in_array = true;
                    self.keyed = open == b'{';
                    self.around = self.list.len();
                    self.reader.consume(1);
                    return Ok(());
                }
                Some(_) => {
                    self.pass_value()?;
                    continue;
                }
                None => return Ok(()),
            }
            self.reader.consume(1);
        }
    }

    /// Leaves the list before its closing bracket, and the objects around it behind.
    fn leave(&mut self) -> io::Result<()> {
        (self.in_array, self.keyed) = (false, false);
        let around = std::mem::take(&mut self.around);
        if around > 0 { self.pass_over(around + 1) } else { Ok(()) }
    }

    /// Passes over the rest of `levels` objects, up to the bracket that closes the last.
    fn pass_over(&mut self, levels: usize) -> io::Result<()> {
        let mut scan = Scan { depth: levels, started: true, ..Scan::default() };
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|&b| {
                let closes = scan.depth == 1 && !scan.in_string && matches!(b, b'}' | b']');
                closes || scan.ends_before(b)
            });
            let (length, empty) = (end.unwrap_or(buffer.len()), buffer.is_empty());
            self.reader.consume(length);
            if end.is_some() || empty {
                return Ok(());
            }
        }
    }

    /// Passes over a value.
    fn pass_value(&mut self) -> io::Result<()> {
        let mut scan = Scan::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            let bare = |scan: &Scan, b| scan.depth == 0 && !scan.in_string && b",}]".contains(&b);
            let end = buffer.iter().position(|&b| bare(&scan, b) || scan.ends_before(b));
            let (length, empty) = (end.unwrap_or(buffer.len()), buffer.is_empty());
            self.reader.consume(length);
            if end.is_some() || empty {
                return Ok(());
            }
        }
    }

    /// Reads a name up to its closing quotation mark; a long one is no name that is looked for.
    fn name(&mut self) -> io::Result<Vec<u8>> {
        const LONGEST: usize = 1 << 10;
        let mut name = Vec::new();
        let mut scan = Scan::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|&b| {
                scan.ends_before(b);
                scan.closed()
            });
            let length = end.map_or(buffer.len(), |end| end + 1);
            name.extend_from_slice(&buffer[..length.min(LONGEST.saturating_sub(name.len()))]);
            self.reader.consume(length);
            if end.is_some() || length == 0 {
                return Ok(serde_json::from_slice::<String>(&name).map_or(name, String::into_bytes));
            }
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
                    (self.in_array, self.keyed) = (false, false);
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
        values_of("", text, max)
    }

    fn values_of(list: &str, text: &str, max: usize) -> Vec<Option<String>> {
        let list = list.split('.').filter(|name| !name.is_empty()).map(String::from).collect();
        // A tiny buffer puts every seam somewhere.
        let mut values = Values::new(io::BufReader::with_capacity(3, text.as_bytes()), max, list);
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

    #[test]
    fn lists_inside_of_objects_stream_too() {
        let some = |s: &str| Some(s.to_string());
        let ab = [some("{\"a\":1}"), some("{\"b\":2}")];
        let list = r#"{"n": 3, "s": "]}\"", "o": {"x": [1]}, "x": [ {"a":1}, {"b":2} ], "y": {}}"#;
        assert_eq!(values_of("x", list, 99), ab);
        let deep = format!("{{\"r\": {{\"e\": true, \"d\": {list} , \"z\": [[]]}}}}");
        assert_eq!(values_of("r.d.x", &deep, 99), ab);
        assert_eq!(
            values_of("r.d.x", &format!("{deep}\n{deep}"), 99),
            [ab.clone(), ab.clone()].concat()
        );
        assert_eq!(values_of("p", r#"{"p": {"1": {"a":1}, "2" : {"b":2}}, "q": 1}"#, 99), ab);
        assert_eq!(
            values_of("x", r#"{"x": [{"a":1}, {"b":2}"#, 99),
            [ab.as_slice(), &[None]].concat()
        );
        assert_eq!(values_of("x", r#"{"y": [{"a":1}, "#, 99), []);
    }
}
