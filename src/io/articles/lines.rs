//! Articles that come in one a line, as JSON objects, through a pipe that may never end.

use super::options::ReadOptions;
use super::read::article;
use super::reader::Piece;
use super::readers::{next_line, parse_json};
use crate::error::Error;
use crate::io::files::sha256_hex;
use crate::types::{Format, RawArticle, ReadFailure, Source};
use serde_json::Value;
use std::io::{self, BufRead};

/// A line of the pipe.
#[derive(Debug)]
pub struct InputLine {
    /// Its number, from 1.
    pub number: usize,
    /// Its bytes; none when there are more than [`ReadOptions::max_bytes`].
    bytes: Option<Vec<u8>>,
}

/// The article of a line, or why it has none.
#[derive(Debug)]
pub struct LineArticle {
    /// Its id as the line writes it: a text or a number.
    pub id: Option<Value>,
    /// The article. Its own id is that of the line, or the line's number.
    pub read: Result<RawArticle, Box<ReadFailure>>,
}

/// The next line that is not blank; none at the end. `number` is that of the line before it.
///
/// # Errors
/// When the pipe breaks.
pub fn next(
    input: &mut impl BufRead,
    number: &mut usize,
    options: &ReadOptions,
) -> io::Result<Option<InputLine>> {
    loop {
        let Some(piece) = next_line(input, options.max_bytes)? else { return Ok(None) };
        *number += 1;
        let bytes = match piece {
            Piece::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
            Piece::Whole(bytes) => Some(bytes),
            Piece::TooLarge | Piece::Torn => None,
        };
        return Ok(Some(InputLine { number: *number, bytes }));
    }
}

impl InputLine {
    /// Reads the article.
    pub fn article(self, options: &ReadOptions) -> LineArticle {
        let InputLine { number, bytes } = self;
        let bytes_read = bytes.as_deref().unwrap_or_default();
        let mut source = Source {
            path: format!("line {number}"),
            format: Format::Jsonl,
            bytes: bytes_read.len() as u64,
            sha256: sha256_hex(bytes_read),
            notes: Vec::new(),
        };
        let Some(bytes) = bytes else {
            let limit = options.max_bytes;
            let message = format!(
                "is larger than {limit} bytes, the limit for one article; raise the limit with --max-bytes"
            );
            return LineArticle { id: None, read: Err(failure(source, None, message)) };
        };
        let id = id(&bytes, options);
        let named = id.as_ref().map(|id| id.as_str().map_or_else(|| id.to_string(), String::from));
        let read = match parse_json(bytes, options, &mut source.notes) {
            Ok(contents) if contents.text.trim().is_empty() => {
                let message = "holds white space only; expected an article".into();
                Err(failure(source, named, message))
            }
            Ok(mut contents) => {
                // A number is no id to the reader of files.
                contents.extra.remove(options.id_field.as_deref().unwrap_or("id"));
                Ok(article(named.unwrap_or_else(|| number.to_string()), source, contents))
            }
            Err(message) => Err(failure(source, named, message)),
        };
        LineArticle { id, read }
    }
}

/// The id as it is written: in the field that is named for it, or in `id`.
fn id(bytes: &[u8], options: &ReadOptions) -> Option<Value> {
    let mut line: serde_json::Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let id = line.remove(options.id_field.as_deref().unwrap_or("id"))?;
    (id.is_string() || id.is_number()).then_some(id)
}

fn failure(source: Source, id: Option<String>, message: String) -> Box<ReadFailure> {
    let id = id.unwrap_or_else(|| source.path.clone());
    let error = Error::input(&source.path, message);
    Box::new(ReadFailure { id, source, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_as_they_are_written_and_bad_lines_by_their_number() {
        let text = "{\"id\": 17, \"text\": \"Le pont.\", \"desk\": \"B\"}\n\n{\"text\": \"Le bac.\"}\n\
            {\"id\": \"x\", \"text\": \" \"}\nnonsense\n{\"id\": [1], \"text\": \"Un mot assez long pour dépasser.\"}\n";
        let options = ReadOptions { max_bytes: 55, ..ReadOptions::default() };
        let (mut input, mut number) = (text.as_bytes(), 0);
        let mut found = Vec::new();
        while let Some(line) = next(&mut input, &mut number, &options).unwrap() {
            let LineArticle { id, read } = line.article(&options);
            let read = match read {
                Ok(article) => {
                    let extra = serde_json::to_string(&article.extra).unwrap();
                    Ok((article.id, article.text, extra))
                }
                Err(failure) => Err((failure.id, failure.error.to_string())),
            };
            found.push((id, read));
        }
        let [first, second, blank, nonsense, long] = &found[..] else { panic!("{found:?}") };
        let text = |id: &str, text: &str, extra: &str| Ok((id.into(), text.into(), extra.into()));
        assert_eq!(*first, (Some(17.into()), text("17", "Le pont.", "{\"desk\":\"B\"}")));
        assert_eq!(*second, (None, text("3", "Le bac.", "{}")));
        assert!(
            blank.1.as_ref().is_err_and(|(id, why)| id == "x" && why.contains("line 4")),
            "{blank:?}"
        );
        assert!(
            nonsense.1.as_ref().is_err_and(|(id, why)| id == "line 5" && why.contains("line 5"))
        );
        assert!(long.1.as_ref().is_err_and(|(_, why)| why.contains("--max-bytes")));
    }
}
