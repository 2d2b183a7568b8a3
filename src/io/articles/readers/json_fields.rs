//! The fields of an article in a JSON object.

use super::super::decode::decode;
use super::super::options::ReadOptions;
use super::super::reader::Contents;
use crate::types::Markup;
use serde_json::{Map, Value};

/// Makes an article of the bytes of one object; the error is a phrase that follows its place.
pub(super) fn parse(bytes: Vec<u8>, options: &ReadOptions) -> Result<Contents, String> {
    let names = Names {
        id: options.id_field.as_deref(),
        title: options.title_field.as_deref(),
        text: options.text_field.as_deref(),
    };
    fields(&decode(bytes)?, &names)
}

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

/// Names of the fields to use, as the user gave them.
struct Names<'a> {
    id: Option<&'a str>,
    title: Option<&'a str>,
    text: Option<&'a str>,
}

fn fields(bytes: &str, names: &Names) -> Result<Contents, String> {
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
    // The field may hold a page.
    Ok(Contents { id, title, text, markup: Markup::Undeclared, extra: object })
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

#[cfg(test)]
mod tests {
    use super::*;

    const NO_NAMES: Names = Names { id: None, title: None, text: None };

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
