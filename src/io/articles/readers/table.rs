//! Tables whose rows are articles, with columns for the text, the title and the like.

use super::super::decode;
use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Several};
use super::json;
use crate::document::RowCutter;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::io::{self, BufReader, Read};

/// How the rows are read: each as the JSON object that the first one names the fields of.
pub(in crate::io::articles) const ROWS: Several =
    Several { cut, parse: json::parse, piece: "row", expected: "rows below the names of columns" };

/// Whether the rows of a table are articles, by its first bytes: a column is called as the text of
/// an article is, or as the user says. Whoever names columns to translate has no articles in mind.
pub(in crate::io::articles) fn holds_articles(head: &[u8], options: &ReadOptions) -> bool {
    let bytes = decode::narrow_head(head);
    let text = match encoding(&bytes) {
        Some(encoding) => encoding.decode_without_bom_handling(&bytes).0,
        None => String::from_utf8_lossy(&bytes),
    };
    let (cutter, before) = RowCutter::new(&text);
    let names = text.get(before..).and_then(|text| cutter.first(text, true));
    let Some(Ok(names)) = names.filter(|_| options.columns.is_empty()) else { return false };
    let is_text = |name: &String| match &options.text_field {
        Some(field) => name.trim() == field,
        None => json::names_a_text(name.trim()),
    };
    before + names.length < text.len() && names.values.iter().any(is_text)
}

/// The encoding of a table that is not in UTF-8.
fn encoding(head: &[u8]) -> Option<&'static Encoding> {
    // A character may be cut at the end.
    if std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true) {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, true);
    Some(detector.guess(None, Utf8Detection::Deny))
}

fn cut(head: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let declared = encoding(&decode::narrow_head(head));
    let reader = decode::narrow_as(head, declared, input)?;
    Ok(Box::new(Rows {
        text: Text { reader, text: String::new(), at: 0, torn: Vec::new(), is_all: false },
        cutter: None,
        names: Vec::new(),
        max: options.max_bytes,
        number: 0,
    }))
}

/// The rows of a table that are not blank.
struct Rows {
    text: Text,
    cutter: Option<RowCutter>,
    names: Vec<String>,
    max: usize,
    number: usize,
}

impl Cutter for Rows {
    fn next(&mut self) -> Cut {
        let piece = self.next_row();
        Cut { number: self.number.max(1), alone: false, piece }
    }
}

impl Rows {
    fn next_row(&mut self) -> io::Result<Option<Piece>> {
        let cutter = match &self.cutter {
            Some(cutter) => cutter.clone(),
            None => {
                self.text.read(decode::HEAD)?;
                let (cutter, before) = RowCutter::new(self.text.rest());
                self.text.at = before;
                self.cutter.insert(cutter).clone()
            }
        };
        loop {
            let (rest, is_all) = (self.text.rest(), self.text.is_all);
            if rest.is_empty() && is_all {
                return Ok(None);
            }
            match cutter.first(rest, is_all) {
                Some(Ok(row)) => {
                    self.text.at += row.length;
                    if row.values.iter().all(|value| value.trim().is_empty()) {
                        continue;
                    }
                    if self.names.is_empty() {
                        self.names = names(row.values);
                        continue;
                    }
                    self.number += 1;
                    let is_large = row.length > self.max;
                    let piece = || Piece::Whole(self.object(row.values));
                    return Ok(Some(if is_large { Piece::TooLarge } else { piece() }));
                }
                Some(Err(_)) => {
                    self.number += 1;
                    self.text.at = self.text.text.len();
                    return Ok(Some(Piece::Torn));
                }
                None if rest.len() > self.max => {
                    self.number += 1;
                    self.text.at += rest.find('\n').map_or(rest.len(), |at| at + 1);
                    return Ok(Some(Piece::TooLarge));
                }
                None => self.text.read(decode::HEAD.max(rest.len()))?,
            }
        }
    }

    /// A row as a JSON object; what is empty in it is left out.
    fn object(&self, values: Vec<String>) -> Vec<u8> {
        let mut object = Map::new();
        for (column, value) in values.into_iter().enumerate() {
            if !value.trim().is_empty() {
                let name = self.names.get(column).cloned().unwrap_or_else(|| unnamed(column));
                object.insert(name, Value::String(value));
            }
        }
        Value::Object(object).to_string().into_bytes()
    }
}

/// The names of the columns, each another.
fn names(row: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let name = |(column, name): (usize, String)| {
        let name = name.trim();
        let name = if name.is_empty() { unnamed(column) } else { name.to_string() };
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut names = [name.clone()].into_iter().chain(numbered);
        names.find(|name| seen.insert(name.clone())).unwrap_or_default()
    };
    row.into_iter().enumerate().map(name).collect()
}

fn unnamed(column: usize) -> String {
    format!("column {}", column + 1)
}

/// Text as it comes in. It is read in steps that do not depend on how the input gives it, so that
/// neither do the rows.
struct Text {
    reader: BufReader<Input>,
    text: String,
    /// Bytes of the text that are dealt with.
    at: usize,
    /// The beginning of a character.
    torn: Vec<u8>,
    is_all: bool,
}

impl Text {
    /// What is there and not dealt with.
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Reads so many bytes more, or to the end.
    fn read(&mut self, bytes: usize) -> io::Result<()> {
        self.text.drain(..self.at);
        self.at = 0;
        let mut read = std::mem::take(&mut self.torn);
        let before = read.len();
        (&mut self.reader).take(bytes as u64).read_to_end(&mut read)?;
        self.is_all = read.len() - before < bytes;
        let mut chunks = read.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text.push_str(chunk.valid());
            let is_last = chunks.peek().is_none();
            let is_torn = || {
                let error = std::str::from_utf8(chunk.invalid()).err();
                error.is_some_and(|error| error.error_len().is_none())
            };
            match chunk.invalid() {
                [] => {}
                start if is_last && !self.is_all && is_torn() => self.torn = start.to_vec(),
                _ => self.text.push(char::REPLACEMENT_CHARACTER),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn told(table: &[u8], max: usize) -> Vec<String> {
        let options = ReadOptions { max_bytes: max, ..ReadOptions::default() };
        let mut rows = cut(table, Box::new(Cursor::new(table.to_vec())), &options).unwrap();
        std::iter::from_fn(|| rows.next().piece.unwrap())
            .map(|piece| match piece {
                Piece::Whole(bytes) => match json::parse(bytes, &options, &mut Vec::new()) {
                    Ok(c) => format!(
                        "{} | {} | {} | {}",
                        c.id.unwrap_or_default(),
                        c.title.unwrap_or_default(),
                        c.text,
                        Value::Object(c.extra)
                    ),
                    Err(e) => e,
                },
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn rows_have_the_fields_that_the_first_one_names() {
        let table = "ID;Title;Text;desk;\r\n7;Pont;\"Le pont\r\nest fermé.\";B;\r\n;;;;\r\n\
            8;;Le bac.;;x;y\r\n";
        assert_eq!(
            told(table.as_bytes(), 100),
            [
                "7 | Pont | Le pont\r\nest fermé. | {\"ID\":\"7\",\"desk\":\"B\"}",
                "8 |  | Le bac. | {\"ID\":\"8\",\"column 5\":\"x\",\"column 6\":\"y\"}"
            ]
        );
        let legacy = encoding_rs::WINDOWS_1252.encode(table).0;
        assert_eq!(told(&legacy, 100), told(table.as_bytes(), 100));
        let wide: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(told(&wide, 100), told(table.as_bytes(), 100));
        assert_eq!(names(vec!["a".into(), String::new(), " a".into()]), ["a", "column 2", "a (2)"]);
    }

    #[test]
    fn long_tables_stream_and_what_is_too_large_is_told() {
        let mut table = String::from("id,text\n");
        for number in 0..20_000 {
            let text = if number == 9_000 { "é".repeat(300) } else { "é, ".repeat(5) };
            table += &format!("{number},\"{text}\"\n");
        }
        let rows = told(table.as_bytes(), 400);
        assert_eq!((rows.len(), rows[9_000].as_str()), (20_000, "TooLarge"));
        assert!(rows[19_999].starts_with("19999 | "));
        let torn = told(b"id,text\n1,one\n2,\"two\n3,three\n", 400);
        assert_eq!(torn[1..], ["Torn"]);
        let large = format!("id,text\n1,one\n2,\"{}\n", "x, y\n".repeat(100_000));
        assert_eq!(told(large.as_bytes(), 1000)[1], "TooLarge");
    }

    #[test]
    fn tables_of_articles_are_told_by_the_names_of_their_columns() {
        let is = |table: &str, field: Option<&str>, columns: &[&str]| {
            let options = ReadOptions {
                text_field: field.map(String::from),
                columns: columns.iter().map(|c| c.to_string()).collect(),
                ..ReadOptions::default()
            };
            holds_articles(table.as_bytes(), &options)
        };
        assert!(is("id,title,body\n1,a,b\n", None, &[]) && is("Text\nOne.\n", None, &[]));
        assert!(!is("key,label\nok,Fine\n", None, &[]) && !is("text,body\n", None, &[]));
        assert!(is("key,label\nok,Fine\n", Some("label"), &[]));
        assert!(
            !is("id,text\n1,b\n", Some("label"), &[]) && !is("id,text\n1,b\n", None, &["text"])
        );
        assert!(!is("", None, &[]) && !is("\"text", None, &[]));
    }
}
