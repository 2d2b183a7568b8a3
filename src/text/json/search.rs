//! Looking for text and titles in a JSON object, by the names that fields usually have.

use super::blocks;
use super::escapes::unescaped;
use super::path::{Path, at, plain};
use crate::text::marks;
use crate::types::Markup;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Names of the title field, most telling first; compared as [`plain`] has them.
pub(crate) const TITLE_FIELDS: [&str; 14] = [
    "title",
    "headline",
    "headlines",
    "head",
    "heading",
    "articletitle",
    "newstitle",
    "webtitle",
    "titre",
    "titulo",
    "título",
    "titel",
    "titolo",
    "name",
];

/// Names of the text field, most telling first.
pub(crate) const TEXT_FIELDS: [&str; 45] = [
    "text",
    "body",
    "content",
    "article",
    "maintext",
    "articlebody",
    "articletext",
    "articlecontent",
    "fulltext",
    "fullcontent",
    "bodytext",
    "contenttext",
    "textcontent",
    "plaintext",
    "rawtext",
    "cleantext",
    "maincontent",
    "newscontent",
    "story",
    "document",
    "paragraphs",
    "contentencoded",
    "contenthtml",
    "bodyhtml",
    "htmlbody",
    "html",
    "cooked",
    "extract",
    "selftext",
    "blocks",
    "richtext",
    "markdown",
    "lexical",
    "contentelements",
    "texte",
    "contenu",
    "texto",
    "cuerpo",
    "contenido",
    "inhalt",
    "testo",
    PARTS[0],
    PARTS[1],
    PARTS[2],
    PARTS[3],
];

/// Names of a list of the parts of one article, each with its own text and perhaps a heading.
const PARTS: [&str; 4] = ["sections", "chapters", "parts", "segments"];

/// Whether a field of this name holds the text of an article, as a rule.
pub(crate) fn names_a_text(name: &str) -> bool {
    TEXT_FIELDS.contains(&plain(name).as_str())
}

/// Names of the string in an object that stands for a text: `{"rendered": …}`.
const VALUE_FIELDS: [&str; 16] = [
    "rendered",
    "processed",
    "value",
    "main",
    "html",
    "text",
    "plain",
    "raw",
    "content",
    "default",
    "basic",
    // As XML becomes JSON.
    "#text",
    "$t",
    "_text",
    "__cdata",
    "#cdata-section",
];

/// Objects of other things than the article.
const OTHER_THINGS: [&str; 22] = [
    "author",
    "authors",
    "byline",
    "source",
    "publisher",
    "site",
    "user",
    "owner",
    "media",
    "image",
    "images",
    "thumbnail",
    "video",
    "meta",
    "metadata",
    "seo",
    "links",
    "related",
    "comments",
    "category",
    "categories",
    "tags",
];

/// Levels below the object at which its text may lie.
const DEEPEST: usize = 8;

/// A text and how to read it.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) markup: Markup,
}

/// The shallowest field of one of these names that has text in it, in the object or below it.
pub(crate) fn find(object: &Map<String, Value>, names: &[&str]) -> Option<Path> {
    let mut waiting = VecDeque::from([(Path::new(), object)]);
    while let Some((path, object)) = waiting.pop_front() {
        let below = |key: &str| path.iter().cloned().chain([key.to_string()]).collect::<Path>();
        for name in names {
            let of_name = object.iter().filter(|(key, _)| plain(key) == *name);
            for (key, value) in of_name {
                if !is_article(value) && written(value, &below(key)).is_some() {
                    return Some(below(key));
                }
            }
        }
        if path.len() < DEEPEST {
            let inner = object.iter().filter(|(key, _)| !is_other_thing(key));
            waiting.extend(inner.filter_map(|(key, value)| Some((below(key), value.as_object()?))));
        }
    }
    None
}

/// Whether a value is a whole article, with a title beside its text, and no text itself.
fn is_article(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        let names = &TITLE_FIELDS[..TITLE_FIELDS.len() - 1];
        object.iter().any(|(key, value)| value.is_string() && names.contains(&&*plain(key)))
            && object.keys().any(|key| is_text_name(key))
            && !blocks::has_block_kind(object)
    })
}

/// Whether a field of this name holds the title of an article: no name, and no heading of a part.
pub(crate) fn names_a_title(name: &str) -> bool {
    const OTHERS: [&str; 3] = ["head", "heading", "name"];
    let name = plain(name);
    TITLE_FIELDS.contains(&&*name) && !OTHERS.contains(&&*name)
}

/// Whether an object has text in a field of a usual name, and how many levels deep.
pub(crate) fn depth_of_text(object: &Map<String, Value>) -> Option<usize> {
    find(object, &TEXT_FIELDS).map(|path| path.len())
}

/// The same of a title; a name is none.
pub(crate) fn depth_of_title(object: &Map<String, Value>) -> Option<usize> {
    find(object, &TITLE_FIELDS[..TITLE_FIELDS.len() - 1]).map(|path| path.len())
}

/// Whether an object has a title in a field of a usual name.
pub(crate) fn has_title(object: &Map<String, Value>) -> bool {
    depth_of_title(object).is_some()
}

/// Whether a field of this name holds something else than the article.
pub(crate) fn is_other_thing(name: &str) -> bool {
    OTHER_THINGS.contains(&name.to_lowercase().as_str())
}

/// Whether a field of that name holds a text or its parts.
pub(crate) fn is_text_name(key: &str) -> bool {
    TEXT_FIELDS.contains(&plain(key).as_str())
}

pub(crate) fn written_at(object: &Map<String, Value>, path: &[String]) -> Option<Text> {
    written(at(object, path)?, path)
}

/// The text of a value: a string, an array of strings as paragraphs, an object that stands for one
/// of them, or a tree of blocks. None when there is nothing to read in it.
pub(crate) fn written(value: &Value, path: &[String]) -> Option<Text> {
    let undeclared = |text: String| Text { text, markup: Markup::Undeclared };
    let found = match value {
        Value::String(text) => {
            if let Some(text) = encoded(text) {
                return Some(Text { text, markup: Markup::Fragment });
            }
            let text = &unescaped(text).unwrap_or_else(|| text.clone());
            let name = path.last().map(|name| plain(name)).unwrap_or_default();
            let is_html = ["html", "rendered", "processed", "cooked", "encoded"]
                .iter()
                .any(|end| name.ends_with(end));
            let fragment = is_html && marks::is_marked_up(text) && !marks::is_page(text);
            let markup = if fragment { Markup::Fragment } else { Markup::Undeclared };
            Text { text: text.clone(), markup }
        }
        Value::Array(parts) if parts.iter().all(Value::is_string) => {
            let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            undeclared(parts.join("\n\n"))
        }
        Value::Object(object) => match scalar(object) {
            Some((key, _)) => return written(&object[key], &[key.to_string()]),
            None => match (object.len(), object.iter().next()) {
                (1, Some((key, inner))) if is_language(key) => return written(inner, path),
                // A list that was written by the places of its elements.
                (2.., _) if object.iter().all(|(k, v)| is_number(k) && v.is_object()) => {
                    return written(&Value::Array(object.values().cloned().collect()), path);
                }
                _ => Text { text: blocks::html(value)?, markup: Markup::Fragment },
            },
        },
        Value::Array(values) if names_parts(path) && values.iter().any(has_heading) => {
            Text { text: parts(values)?, markup: Markup::Fragment }
        }
        value => Text { text: blocks::html(value)?, markup: Markup::Fragment },
    };
    (!found.text.trim().is_empty()).then_some(found)
}

/// Whether a path leads to a field that holds the parts of an article.
fn names_parts(path: &[String]) -> bool {
    path.last().is_some_and(|name| PARTS.contains(&plain(name).as_str()))
}

/// The parts of an article in a field beside its text, where the text lacks them.
pub(crate) fn parts_beside(object: &Map<String, Value>, text: &[String]) -> Option<(Path, String)> {
    let (last, around) = text.split_last()?;
    let beside = if around.is_empty() { Some(object) } else { at(object, around)?.as_object() };
    let own = written_at(object, text)?.text;
    let mut lists = beside?.iter().filter_map(|(name, value)| {
        let path: Path = around.iter().cloned().chain([name.clone()]).collect();
        let values = value.as_array().filter(|_| name != last && names_parts(&path))?;
        let first = values.iter().find_map(|part| Some(text_of_part(part.as_object()?)?.1.text))?;
        (!own.contains(first.trim())).then(|| Some((path, parts(values)?))).flatten()
    });
    lists.next()
}

/// HTML of the parts of an article: each with its heading, its text, and the parts that it has.
fn parts(values: &[Value]) -> Option<String> {
    let mut out = String::new();
    for value in values {
        let Value::Object(part) = value else {
            out.extend(value.as_str().map(|text| blocks::element("p", text)));
            continue;
        };
        out.extend(heading(part).map(|text| blocks::element("heading", text)));
        let Some((name, text)) = text_of_part(part) else { continue };
        out.push_str(&html(&text));
        let is_other = |key: &&String| *key != name && names_parts(std::slice::from_ref(*key));
        let inner = part.keys().find(is_other).and_then(|key| parts(part[key].as_array()?));
        out.extend(inner);
    }
    (!out.is_empty()).then_some(out)
}

fn has_heading(value: &Value) -> bool {
    value.as_object().is_some_and(|part| heading(part).is_some())
}

/// The heading of a part: a title right in it.
fn heading(part: &Map<String, Value>) -> Option<&str> {
    let of_name = |name: &&str| part.iter().find(|(key, _)| plain(key) == **name)?.1.as_str();
    TITLE_FIELDS.iter().find_map(of_name).filter(|text| !text.trim().is_empty())
}

/// The text right in a part, and the name of its field.
fn text_of_part(part: &Map<String, Value>) -> Option<(&String, Text)> {
    TEXT_FIELDS.iter().find_map(|name| {
        let mut of_name = part.iter().filter(|(key, _)| plain(key) == *name);
        of_name.find_map(|(key, value)| Some((key, written(value, std::slice::from_ref(key))?)))
    })
}

/// A text as HTML: as it is where it has tags, else its paragraphs.
pub(crate) fn html(text: &Text) -> String {
    if text.markup == Markup::Fragment || marks::is_marked_up(&text.text) {
        return format!("{}\n", text.text);
    }
    text.text.split("\n\n").map(|paragraph| blocks::element("p", paragraph)).collect()
}

/// The blocks of an editor, where a field has them as a string of JSON.
fn encoded(text: &str) -> Option<String> {
    let is_json = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
    let value: Value = is_json.then(|| serde_json::from_str(text).ok()).flatten()?;
    blocks::html(&value)
}

fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name is the code of a language, as `fr`, `en-US`, or `und` for none.
fn is_language(key: &str) -> bool {
    let mut parts = key.split(['-', '_']);
    let is_code = |part: &str| matches!(part.len(), 2 | 3) && part.is_ascii();
    parts.next().is_some_and(|p| is_code(p) && p.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|p| is_code(p) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The string in an object that is there for its sake.
pub(crate) fn scalar<'a>(object: &'a Map<String, Value>) -> Option<(&'a str, &'a str)> {
    let string = |value: &'a Value| value.as_str().filter(|text| !text.trim().is_empty());
    let named = VALUE_FIELDS.iter().find_map(|name| {
        let (key, value) = object.get_key_value(*name)?;
        Some((key.as_str(), string(value)?))
    });
    named.or_else(|| {
        // The same in several languages: the first, as that of the site.
        let all = object.keys().all(|key| is_language(key));
        let mut first = object.iter().filter(|_| all);
        first.find_map(|(key, value)| Some((key.as_str(), string(value)?)))
    })
}
