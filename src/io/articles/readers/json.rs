//! JSON: an array of objects, objects one after the other, or a single one.

mod fields;
mod guard;
pub(super) mod head;
pub(super) mod list;
mod rows;
mod values;

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Reader, Several};
use crate::types::Format;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use values::Values;

pub(super) use crate::text::json::search::names_a_text;
pub(in crate::io::articles) use fields::parse;

pub(super) const READER: Reader = Reader {
    refine: |head| is_lines(head).then_some(Format::Jsonl),
    ..Reader::several(
        Format::Json,
        &["json"],
        is_json,
        Several { cut, parse, piece: "article", expected: "JSON objects" },
    )
};

/// Whether an object or an array of objects begins there, or what services write around one.
fn is_json(head: &[u8]) -> bool {
    let json = guard::without(head);
    head::is_object(json) || head::is_array(json)
}

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
    let before = guard::length(&start);
    let start = &start[before..];
    let ways = list::of_head(start, options.text_field.as_deref());
    let is_one = options.text_field.is_none() && list::is_blocks(start);
    let mut reader = decode::narrow(head, input)?;
    // An error comes again where the first value is read.
    let _ = io::copy(&mut reader.by_ref().take(before as u64), &mut io::sink());
    let by_rows = options.text_field.is_none() && ways.is_empty();
    let values = Values::new(reader, options.max_bytes, ways, is_one, before > 0);
    Ok(Box::new(Articles { values, number: 0, by_rows, rows: VecDeque::new() }))
}

/// The values of an input.
struct Articles<R> {
    values: Values<R>,
    number: usize,
    /// Whether the first value may hold several articles as rows.
    by_rows: bool,
    /// Rows that are still to come.
    rows: VecDeque<Vec<u8>>,
}

impl<R: BufRead + Send> Cutter for Articles<R> {
    fn next(&mut self) -> Cut {
        let first = self.number == 0;
        self.number += 1;
        if let Some(row) = self.rows.pop_front() {
            return Cut { number: self.number, alone: false, piece: Ok(Some(Piece::Whole(row))) };
        }
        let piece = self.values.next_value().map(|next| {
            next.map(|(number, piece)| {
                self.number = self.number.max(number);
                piece
            })
        });
        let alone = first && matches!(piece, Ok(Some(_))) && self.values.is_alone();
        if alone
            && self.by_rows
            && let Ok(Some(Piece::Whole(value))) = &piece
            && let Some(rows) = rows::of_value(value)
        {
            self.rows = rows.into();
            self.number = 0;
            return self.next();
        }
        Cut { number: self.number, alone, piece }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids, titles and texts of the articles in a file, `-` where there is none.
    fn read(json: &str) -> Vec<String> {
        let options = ReadOptions::default();
        let input = Box::new(io::Cursor::new(json.as_bytes().to_vec()));
        let mut cutter = cut(json.as_bytes(), input, &options).unwrap();
        let mut out = Vec::new();
        while let Some(piece) = cutter.next().piece.unwrap() {
            let Piece::Whole(bytes) = piece else { panic!("{piece:?} in {json}") };
            let found = parse(bytes, &options, &mut Vec::new()).unwrap();
            let or = |value: Option<String>| value.unwrap_or("-".into());
            out.push(format!("{} {} {}", or(found.id), or(found.title), found.text));
        }
        out
    }

    #[test]
    fn what_is_written_around_json_is_passed_over() {
        let one = r#"{"title": "A", "text": "One."}"#;
        let list = format!("[{one}, {one}]");
        for (json, articles) in [
            (format!("callback({one});"), 1),
            (format!("/**/ news.show({list});\n"), 2),
            (format!(")]}}',\n{list}"), 2),
            (format!("while(1);{{\"articles\": {list}}}"), 2),
            (format!("for(;;);{one}"), 1),
            (format!("\u{feff}{list}"), 2),
            (format!("\u{feff}f({one})"), 1),
        ] {
            assert_eq!(read(&json), vec!["- A One."; articles], "{json}");
            let head = json.trim_start_matches('\u{feff}');
            assert!((READER.detect)(head.as_bytes()), "{json}");
        }
        assert!(!is_json(b"See the list (page 3)."));
    }

    #[test]
    fn articles_are_read_that_are_no_list_of_objects() {
        let table = r#"{"id": [7, 8], "title": ["A", "B"], "text": ["One.", "Two."]}"#;
        assert_eq!(read(table), ["7 A One.", "8 B Two."]);
        let text = "The bridge stays closed until spring, the council said.";
        let by_id = format!(r#"{{"n1": "{text}", "n2": "{text}"}}"#);
        assert_eq!(read(&by_id), [format!("n1 - {text}"), format!("n2 - {text}")]);
        let packed = serde_json::json!(r#"[{"title": "A", "text": "One."}]"#).to_string();
        assert_eq!(read(&packed), ["- A One."]);
        // Paragraphs of one article.
        assert_eq!(read(r#"{"title": "A", "text": ["One.", "Two."]}"#), ["- A One.\n\nTwo."]);
    }
}
