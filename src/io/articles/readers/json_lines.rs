//! JSON Lines: one object a line.

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Reader, Several};
use super::json::{self, first_line_wraps, head};
use crate::text::json::search::depth_of_title;
use crate::types::Format;
use std::io::{self, BufRead, BufReader, Read};

pub(super) const READER: Reader = Reader {
    // Pages of a service, one a line: each is a value by itself for the reader of JSON.
    refine: |head| (first_line_wraps(head) && !is_titled(head)).then_some(Format::Json),
    ..Reader::several(
        Format::Jsonl,
        &["jsonl", "ndjson"],
        is_lines,
        Several { cut, parse: json::parse, piece: "line", expected: "JSON objects" },
    )
};

/// Whether the first line is an article, and not an object that wraps a list of them.
fn is_lines(bytes: &[u8]) -> bool {
    head::is_object(bytes) && head::first_line_is_object(bytes) && !first_line_wraps(bytes)
}

/// Whether the object in the first line has a title: then it may be an article without a text.
fn is_titled(bytes: &[u8]) -> bool {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    serde_json::from_slice(line).is_ok_and(|object| depth_of_title(&object) == Some(1))
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let reader = decode::narrow(head, input)?;
    Ok(Box::new(Lines { reader, max: options.max_bytes, number: 0 }))
}

/// The lines of an input that are not blank, with their numbers.
struct Lines {
    reader: BufReader<Input>,
    max: usize,
    number: usize,
}

impl Cutter for Lines {
    fn next(&mut self) -> Cut {
        loop {
            self.number += 1;
            let piece = next_line(&mut self.reader, self.max);
            let piece = piece.map(|piece| piece.map(without_comma));
            let blank =
                matches!(&piece, Ok(Some(Piece::Whole(line))) if line.trim_ascii().is_empty());
            if !blank {
                return Cut { number: self.number, alone: false, piece };
            }
        }
    }
}

/// A line without the comma that it ends with, as the elements of an array have it, or without the
/// bracket of such an array that it is.
fn without_comma(piece: Piece) -> Piece {
    let Piece::Whole(mut line) = piece else { return piece };
    let kept = line.trim_ascii_end();
    let whole = kept.strip_suffix(b",").map(<[u8]>::trim_ascii_end);
    let length = match whole.filter(|whole| whole.ends_with(b"}")) {
        Some(whole) => whole.len(),
        None if matches!(kept.trim_ascii_start(), b"[" | b"]" | b"],") => 0,
        None => line.len(),
    };
    line.truncate(length);
    Piece::Whole(line)
}

/// The next line without its line break.
pub(in crate::io::articles) fn next_line(
    reader: &mut impl BufRead,
    max: usize,
) -> io::Result<Option<Piece>> {
    let mut line = Vec::new();
    let limit = (max as u64).saturating_add(1);
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > max {
        reader.skip_until(b'\n')?;
        return Ok(Some(Piece::TooLarge));
    }
    Ok(Some(Piece::Whole(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_service_are_no_articles() {
        let page: &[u8] = br#"{"n": 1, "articles": [{"title": "T", "text": "x"}]}"#;
        assert_eq!((READER.refine)(page), Some(Format::Json));
        let article: &[u8] = br#"{"title": "T", "related": [{"title": "U", "text": "x"}]}"#;
        assert_eq!((READER.refine)(article), None);
    }

    #[test]
    fn commas_and_brackets_of_an_array_are_passed_over() {
        let whole = |line: &str| without_comma(Piece::Whole(line.into()));
        for (line, kept) in
            [("{\"a\": 1},\r", "{\"a\": 1}"), ("{\"a\": 1} ,", "{\"a\": 1}"), ("[", ""), ("] ", "")]
        {
            assert_eq!(whole(line), Piece::Whole(kept.into()), "{line}");
        }
        assert_eq!(whole("{\"a\": \"x,"), Piece::Whole("{\"a\": \"x,".into()));
    }

    #[test]
    fn lines_beyond_the_limit_are_passed_over() {
        let mut reader = io::BufReader::with_capacity(3, "12345\n\n123456789\n1\n12345".as_bytes());
        let lines: Vec<_> = std::iter::from_fn(|| next_line(&mut reader, 5).unwrap()).collect();
        let whole = |s: &str| Piece::Whole(s.into());
        assert_eq!(lines, [whole("12345"), whole(""), Piece::TooLarge, whole("1"), whole("12345")]);
    }
}
