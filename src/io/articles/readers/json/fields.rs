//! The fields of an article in a JSON object, which may lie some levels deep in it.

use super::list;
use crate::io::articles::decode::decode;
use crate::io::articles::options::ReadOptions;
use crate::io::articles::reader::Contents;
use crate::text::json::mend::mended;
use crate::text::json::path::{self, Path, at, plain, shown};
use crate::text::json::search::{
    TEXT_FIELDS, TITLE_FIELDS, Text, find, html, is_other_thing, parts_beside, scalar, written,
    written_at,
};
use crate::text::marks;
use crate::types::Markup;
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Makes an article of the bytes of one object; the error is a phrase that follows its place.
pub(in crate::io::articles) fn parse(
    bytes: Vec<u8>,
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Contents, String> {
    fields(&decode(bytes, notes)?, options, notes)
}

/// Names of fields with the beginning of an article, or what it says in short.
const SUMMARY_FIELDS: [&str; 14] = [
    "description",
    "summary",
    "abstract",
    "excerpt",
    "leadparagraph",
    "lead",
    "standfirst",
    "trailtext",
    "snippet",
    "teaser",
    "intro",
    "deck",
    "dek",
    "subtitle",
];

/// Names of the id field.
const ID_FIELDS: [&str; 6] = ["id", "uid", "uuid", "guid", "docid", "articleid"];

/// The end of a text that a news service cut off, with the number of characters that are missing.
static CUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\s*(?:…|\.\.\.)?\s*\[\+(\d+) char(?:acter)?s\]\s*$")
        .expect("the pattern is constant and tested")
});

fn fields(json: &str, options: &ReadOptions, notes: &mut Vec<String>) -> Result<Contents, String> {
    let parsed = serde_json::from_str(json)
        .or_else(|e| mended(json).map_or(Err(e), |json| serde_json::from_str(&json)));
    // An object in a string, as message queues have it.
    let parsed = parsed.map(|value| match &value {
        Value::String(inner) => serde_json::from_str(inner).unwrap_or(value),
        _ => value,
    });
    let mut object = match parsed {
        Ok(Value::Object(object)) => object,
        Ok(blocks @ Value::Array(_)) if written(&blocks, &[]).is_some() => {
            Map::from_iter([("blocks".to_string(), blocks)])
        }
        Ok(other) => {
            return Err(format!("expected an object with a text field, found {}", kind(&other)));
        }
        Err(e) => return Err(format!("expected a JSON object: {e}")),
    };
    let text_path = match &options.text_field {
        Some(name) => Some(named(&object, name)?),
        None => find(&object, &TEXT_FIELDS),
    };
    let (text_path, mut text) =
        match text_path.and_then(|path| Some((written_at(&object, &path)?, path))) {
            Some((text, path)) => (path, text),
            None => summary(&object, notes)?,
        };
    if options.text_field.is_none() {
        notes.extend(left_out(&object, &text_path));
    }
    let title = title(&object, options, &text_path);
    let id = id(&object, options, &text_path);
    if let Some(cut) = CUT.captures(&text.text) {
        notes.push(format!(
            "is cut off by the service that it comes from: {} characters are missing",
            &cut[1]
        ));
        let length = text.text.len() - cut[0].len();
        text.text.truncate(length);
    }
    if options.text_field.is_none()
        && let Some((path, parts)) = parts_beside(&object, &text_path)
    {
        text = Text { text: html(&text) + &parts, markup: Markup::Fragment };
        path::remove(&mut object, &path);
    }
    path::remove(&mut object, &text_path);
    if let Some((path, _)) = &title {
        path::remove(&mut object, path);
    }
    let title = title.map(|(_, title)| marks::without(&title));
    Ok(Contents { id, title, text: text.text, markup: text.markup, blocks: None, extra: object })
}

/// The field that the user named.
fn named(object: &Map<String, Value>, name: &str) -> Result<Path, String> {
    let Some(path) = path::resolve(object, name) else {
        let hint = path::resolve_end(object, name)
            .map(|end| format!("; name it `{end}`, as each article of the list has it"));
        let hint = hint.unwrap_or_default();
        return Err(format!("has no field `{name}`; its fields are {}{hint}", keys(object)));
    };
    match at(object, &path) {
        Some(value) if written(value, &path).is_some() => Ok(path),
        value => {
            let found = value.map_or("nothing", kind);
            let hint = value.and_then(|value| longest(value, &path, 1)).map(|(path, _)| {
                format!("; there is text in `{0}`: name it with --text-field {0}", shown(&path))
            });
            let hint = hint.unwrap_or_default();
            Err(format!("expected text in its field `{name}`, found {found}{hint}"))
        }
    }
}

/// What is there instead of a text: a summary, or a title alone, when no other field is longer.
fn summary(object: &Map<String, Value>, notes: &mut Vec<String>) -> Result<(Path, Text), String> {
    /// Words of a text that could be the one looked for.
    const LONG: usize = 8;
    let path = find(object, &SUMMARY_FIELDS);
    let found = path.and_then(|path| Some((written_at(object, &path)?, path)));
    let longest = longest(&Value::Object(object.clone()), &[], LONG);
    let title = find(object, &TITLE_FIELDS);
    let least = match (&found, &title) {
        (Some((text, _)), _) => 2 * words(&text.text),
        (None, Some(_)) => 0,
        (None, None) => return Err(no_text(object, longest)),
    };
    let is_title = |path: &Path| Some(path) == title.as_ref();
    if let Some(longest) = longest.filter(|(path, words)| *words > least && !is_title(path)) {
        return Err(no_text(object, Some(longest)));
    }
    Ok(match found {
        Some((text, path)) => {
            notes.push(format!(
                "has no text but its field `{}`, which may be a part of it",
                shown(&path)
            ));
            (path, text)
        }
        None => {
            notes.push("has no text but its title".into());
            (Path::new(), Text { text: String::new(), markup: Markup::Plain })
        }
    })
}

/// What is said of objects beside the one that the text is in, which have a text as that one has:
/// they may be articles, or parts of this one.
fn left_out(object: &Map<String, Value>, text: &[String]) -> Option<String> {
    let (name, below) = text.split_first().filter(|(_, below)| !below.is_empty())?;
    let has_text = |value: &Value| {
        let inner = value.as_object();
        inner.is_some_and(|inner| written_at(inner, below).is_some())
    };
    let beside = object.iter().filter(|(other, _)| *other != name && !is_other_thing(other));
    let others = beside.filter(|(_, value)| has_text(value)).count();
    (others > 0).then(|| {
        format!(
            "has texts in {} objects, of which that in `{name}` is read: a list of them is read as \
             an article each",
            others + 1
        )
    })
}

/// The message about an object without a text, and how to get at what there is.
fn no_text(object: &Map<String, Value>, longest: Option<(Path, usize)>) -> String {
    let fields = keys(object);
    let hint = match (list::find(&Value::Object(object.clone())), longest) {
        (Some(list), _) => {
            let list = shown(&list);
            format!(
                "its list `{list}` seems to hold articles: `jq -c '.{list}[]'` makes a line of each"
            )
        }
        (None, Some((path, words))) => {
            let path = shown(&path);
            format!(
                "its longest text is in `{path}` ({words} words): read that with --text-field {path}"
            )
        }
        (None, None) => {
            "name the right one with --text-field, a path such as `content.rendered` too".into()
        }
    };
    format!(
        "has no text in a field of a usual name (text, body, content, article …); its fields are {fields}: {hint}"
    )
}

/// The longest string of a value and its number of words, which is `least` or more; addresses are
/// none.
fn longest(value: &Value, path: &[String], least: usize) -> Option<(Path, usize)> {
    let below = |key: String| path.iter().cloned().chain([key]).collect::<Path>();
    let inner: Vec<(Path, usize)> = match value {
        Value::String(text) if !text.contains("://") || words(text) > 1 => {
            vec![(path.to_vec(), words(text))]
        }
        Value::Array(values) => {
            let numbered = values.iter().take(1).enumerate();
            numbered.filter_map(|(i, v)| longest(v, &below(i.to_string()), least)).collect()
        }
        Value::Object(object) => {
            object.iter().filter_map(|(key, v)| longest(v, &below(key.clone()), least)).collect()
        }
        _ => Vec::new(),
    };
    let found = inner.into_iter().rev().max_by_key(|(_, words)| *words);
    found.filter(|(_, words)| *words >= least)
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The title and its path: as the user named it, or what stands nearest to the text.
fn title(
    object: &Map<String, Value>,
    options: &ReadOptions,
    text: &[String],
) -> Option<(Path, String)> {
    let value_at = |path: Path| {
        let title = match at(object, &path)? {
            Value::Object(inner) => scalar(inner)?.1.to_string(),
            value => written(value, &[])?.text,
        };
        (path != text).then_some((path, title))
    };
    match &options.title_field {
        Some(name) => path::resolve(object, name).and_then(value_at),
        None => near(object, text, &TITLE_FIELDS).find_map(value_at),
    }
}

fn id(object: &Map<String, Value>, options: &ReadOptions, text: &[String]) -> Option<String> {
    let value_at = |path: Path| match at(object, &path)? {
        Value::String(id) if !id.trim().is_empty() => Some(id.trim().to_string()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    match &options.id_field {
        Some(name) => path::resolve(object, name).and_then(value_at),
        None => {
            // The outermost one is the article's.
            let mut near: Vec<Path> = near(object, text, &ID_FIELDS).collect();
            near.sort_by_key(Vec::len);
            near.into_iter().find_map(value_at)
        }
    }
}

/// The fields of these names beside a field, then those beside the object that it is in, and so on
/// outwards.
fn near<'a>(
    object: &'a Map<String, Value>,
    path: &'a [String],
    names: &'a [&'a str],
) -> impl Iterator<Item = Path> + 'a {
    (0..path.len().max(1)).rev().flat_map(move |depth| {
        let around = path.get(..depth).unwrap_or_default();
        let place =
            if depth == 0 { Some(object) } else { at(object, around).and_then(Value::as_object) };
        names.iter().flat_map(move |name| {
            let keys = place.into_iter().flat_map(Map::keys).filter(move |key| plain(key) == *name);
            keys.map(move |key| around.iter().cloned().chain([key.clone()]).collect())
        })
    })
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
        Value::Array(_) => "an array of something else than strings or blocks of text",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
