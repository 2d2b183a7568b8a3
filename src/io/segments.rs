//! Aligned texts, as metrics take them: one a line of a plain file, or one field of each line of a
//! file of JSON lines; each also as `.gz`.

use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The most bytes that such a file may have when it is unpacked.
const LARGEST: u64 = 1 << 30;

/// Where texts stand: `FILE`, or `FILE.jsonl:FIELD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The file.
    pub path: PathBuf,
    /// The field of each line that holds the text.
    pub field: Option<String>,
}

impl FromStr for Segments {
    type Err = Error;

    fn from_str(text: &str) -> Result<Segments> {
        let whole = || Segments { path: text.into(), field: None };
        Ok(match text.rsplit_once(':') {
            Some((path, field)) if holds_json(Path::new(path)) && !field.is_empty() => {
                Segments { path: path.into(), field: Some(field.into()) }
            }
            _ => whole(),
        })
    }
}

/// Whether a file's name says that it holds JSON lines.
fn holds_json(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.ends_with(".jsonl") || name.ends_with(".ndjson")
}

impl Segments {
    /// Reads the texts, as many as the file has lines.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be read or unpacked, [`Error::Input`] where it is larger
    /// than a gigabyte, is not UTF-8, or a line has no such field; `usual` names the fields that
    /// are looked for when none was named.
    pub fn read(&self, usual: &[&str]) -> Result<Vec<String>> {
        let path = &self.path;
        let mut file = File::open(path).map_err(Error::io("reading", path))?;
        let mut bytes = Vec::new();
        let is_packed = path.extension().is_some_and(|extension| extension == "gz");
        let read = if is_packed {
            MultiGzDecoder::new(file).take(LARGEST + 1).read_to_end(&mut bytes)
        } else {
            Read::by_ref(&mut file).take(LARGEST + 1).read_to_end(&mut bytes)
        };
        read.map_err(Error::io(if is_packed { "unpacking" } else { "reading" }, path))?;
        let wrong = |message: String| Error::input(path.display().to_string(), message);
        if bytes.len() as u64 > LARGEST {
            return Err(wrong("has more than 1 GiB of text; give it in parts".into()));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            wrong(format!("is not UTF-8 at byte {at}; convert it first, as with iconv -t utf-8"))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines = text.lines();
        if !holds_json(path) {
            return Ok(lines.map(str::to_string).collect());
        }
        let field = self.field.as_deref();
        let text_of = |(at, line): (usize, &str)| {
            of_json(line, field, usual).map_err(|found| wrong(format!("line {}: {found}", at + 1)))
        };
        lines.enumerate().filter(|(_, line)| !line.trim().is_empty()).map(text_of).collect()
    }
}

/// The text of a line of JSON, or what is wrong with it.
fn of_json(line: &str, field: Option<&str>, usual: &[&str]) -> Result<String, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("no JSON ({error})"))?;
    let Value::Object(object) = value else {
        return match value {
            Value::String(text) if field.is_none() => Ok(text),
            _ => Err("expected a JSON object".into()),
        };
    };
    let text_in = |name: &str| object.get(name).and_then(Value::as_str);
    let found = match field {
        Some(field) => text_in(field),
        None => usual.iter().find_map(|name| text_in(name)),
    };
    found.map(str::to_string).ok_or_else(|| {
        let fields: Vec<&str> = object.keys().map(String::as_str).take(12).collect();
        let expected = field.map_or_else(|| usual.join(" or "), str::to_string);
        format!(
            "expected text in the field {expected}, found the fields {}; name one after the file, as file.jsonl:FIELD",
            fields.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stands_after_a_file_of_json_lines_only() {
        let parsed = |text: &str| Segments::from_str(text).unwrap();
        assert_eq!(parsed("a.jsonl.gz:text").field.as_deref(), Some("text"));
        assert_eq!(parsed("a.jsonl").field, None);
        assert_eq!(parsed("C:\\a.txt").path, Path::new("C:\\a.txt"));
        assert_eq!(parsed("12:30.txt").field, None);
    }
}
