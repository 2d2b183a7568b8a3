//! JSON articles: the stream of values in a file, and the fields of an article in a value.

use serde_json::{Map, Value};
use std::io::{self, BufRead, Read};

/// Names of the title field, most telling first; compared in lower case without `_` and `-`.
const TITLE_FIELDS: [&str; 7] =
    ["title", "headline", "head", "heading", "articletitle", "newstitle", "name"];

/// Names of the text field, most telling first.
const TEXT_FIELDS: [&str; 17] = [
    "text",
    "body",
    "content",
    "article",
    "maintext",
    "articlebody",
    "articletext",
    "fulltext",
    "bodytext",
    "contenttext",
    "plaintext",
    "maincontent",
    "story",
    "document",
    "paragraphs",
    "contenthtml",
    "html",
];

/// Names of the id field.
const ID_FIELDS: [&str; 6] = ["id", "uid", "uuid", "guid", "docid", "articleid"];

/// What an object holds of an article.
pub(super) struct Fields {
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) text: String,
    /// All other fields, the id among them.
    pub(super) extra: Map<String, Value>,
}

/// Names of the fields to use, as the user gave them.
pub(super) struct Names<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) title: Option<&'a str>,
    pub(super) text: Option<&'a str>,
}

/// Reads the fields of one article; the error is a phrase that follows its place.
pub(super) fn fields(bytes: &str, names: &Names) -> Result<Fields, String> {
    let mut object = match serde_json::from_str(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(other) => {
            return Err(format!("expected an object with a text field, found {}", kind(&other)));
        }
        Err(e) => return Err(format!("expected a JSON object: {e}")),
    };
    let text_key = match names.text {
        Some(name) if object.contains_key(name) => name.to_string(),
        Some(name) => return Err(format!("has no field `{name}`; its fields are {}", keys(&object))),
        None => pick(&object, &TEXT_FIELDS, |v| written(v).is_some()).ok_or_else(|| {
            let fields = keys(&object);
            format!(
                "has no text in a field of a usual name (text, body, content, article …); its fields are {fields}: \
                 name the right one with --text-field"
            )
        })?,
    };
    let Some(text) = object.get(&text_key).and_then(written) else {
        let found = object.get(&text_key).map_or("nothing", kind);
        return Err(format!("expected text in its field `{text_key}`, found {found}"));
    };
    let title_key = match names.title {
        Some(name) => Some(name.to_string()).filter(|name| object.contains_key(name)),
        None => pick(&object, &TITLE_FIELDS, |v| written(v).is_some()),
    };
    let title = title_key.as_ref().and_then(|key| object.get(key)).and_then(written);
    let id_key =
        names.id.map(str::to_string).or_else(|| pick(&object, &ID_FIELDS, |v| id(v).is_some()));
    let id = id_key.and_then(|key| object.get(&key).and_then(id));
    object.shift_remove(&text_key);
    if let Some(key) = title_key.filter(|_| title.is_some()) {
        object.shift_remove(&key);
    }
    Ok(Fields { id, title, text, extra: object })
}

/// The first name of `names` under which the object has a value that will do.
fn pick(
    object: &Map<String, Value>,
    names: &[&str],
    will_do: impl Fn(&Value) -> bool,
) -> Option<String> {
    let plain = |key: &str| {
        key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase()
    };
    names.iter().find_map(|name| {
        object
            .iter()
            .find(|(key, value)| plain(key) == *name && will_do(value))
            .map(|(key, _)| key.clone())
    })
}

/// The text of a value: a string, or an array of strings as paragraphs. None when there is nothing
/// to read in it.
fn written(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join("\n\n")
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.trim().is_empty() => Some(id.trim().to_string()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn keys(object: &Map<String, Value>) -> String {
    const SHOWN: usize = 20;
    if object.is_empty() {
        return "none".into();
    }
    let mut keys: Vec<String> = object.keys().take(SHOWN).map(|k| format!("`{k}`")).collect();
    if object.len() > SHOWN {
        keys.push("…".into());
    }
    keys.join(", ")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(s) if s.trim().is_empty() => "empty text",
        Value::String(_) => "a string",
        Value::Array(a) if a.is_empty() => "an empty array",
        Value::Array(_) => "an array of something else than strings",
        Value::Object(_) => "an object",
    }
}

/// One piece of a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// The bytes of one line or value.
    Whole(Vec<u8>),
    /// It was larger than the limit and has been passed over.
    TooLarge,
    /// The stream ended inside of it.
    Torn,
}

/// The next line without its line break.
pub(super) fn next_line(reader: &mut impl BufRead, max: usize) -> io::Result<Option<Piece>> {
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

/// Cuts a stream of JSON into values without parsing them: the elements of arrays at the top, and
/// other values at the top one by one. So an array of any size streams, and a broken element does
/// not take its neighbours with it.
pub(super) struct Values<R> {
    reader: R,
    max: usize,
    in_array: bool,
    count: usize,
}

impl<R: BufRead> Values<R> {
    pub(super) fn new(reader: R, max: usize) -> Self {
        Values { reader, max, in_array: false, count: 0 }
    }

    /// Whether the stream is inside of an array at the top.
    pub(super) fn in_array(&self) -> bool {
        self.in_array
    }

    /// Whether nothing but white space is left.
    pub(super) fn at_end(&mut self) -> io::Result<bool> {
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
    pub(super) fn next_value(&mut self) -> io::Result<Option<(usize, Piece)>> {
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

    const NO_NAMES: Names = Names { id: None, title: None, text: None };

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

    #[test]
    fn lines_beyond_the_limit_are_passed_over() {
        let mut reader = io::BufReader::with_capacity(3, "12345\n\n123456789\n1\n12345".as_bytes());
        let lines: Vec<_> = std::iter::from_fn(|| next_line(&mut reader, 5).unwrap()).collect();
        let whole = |s: &str| Piece::Whole(s.into());
        assert_eq!(lines, [whole("12345"), whole(""), Piece::TooLarge, whole("1"), whole("12345")]);
    }

    #[test]
    fn fields_are_found_among_usual_names_and_the_rest_is_kept() {
        let found = fields(r#"{"ID": 7, "Headline": "H", "url": "u", "content": "", "main_text": ["a", "b"], "name": "n"}"#, &NO_NAMES)
            .ok()
            .unwrap();
        assert_eq!(
            (found.id.as_deref(), found.title.as_deref(), found.text.as_str()),
            (Some("7"), Some("H"), "a\n\nb")
        );
        assert_eq!(found.extra.keys().collect::<Vec<_>>(), ["ID", "url", "content", "name"]);
        let names = Names { id: Some("url"), title: Some("none"), text: Some("name") };
        let found =
            fields(r#"{"id": 7, "url": "u", "name": "n", "text": "t"}"#, &names).ok().unwrap();
        assert_eq!((found.id.as_deref(), found.title, found.text.as_str()), (Some("u"), None, "n"));
    }

    #[test]
    fn what_is_no_article_is_told() {
        let message = |json: &str, names: &Names| fields(json, names).err().unwrap();
        assert!(message(r#"{"label": "x", "n": 1}"#, &NO_NAMES).contains("`label`, `n`"));
        assert!(
            message(r#"{"text": "x"}"#, &Names { text: Some("body"), ..NO_NAMES })
                .contains("no field `body`")
        );
        assert!(
            message(r#"{"body": 3}"#, &Names { text: Some("body"), ..NO_NAMES })
                .contains("found a number")
        );
        assert!(message("\"just text\"", &NO_NAMES).contains("found a string"));
        assert!(message("{\"text\": NaN}", &NO_NAMES).contains("column"));
    }
}
