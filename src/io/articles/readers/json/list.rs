//! The list of articles in an object that wraps it, found by its structure: `articles`,
//! `response.docs`, `hits.hits`, whatever it is called.

use crate::text::json::path::{Path, plain, resolve};
use crate::text::json::{blocks, search};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Lists of other things that look like articles.
const OTHER_LISTS: [&str; 14] = [
    "comments",
    "replies",
    "related",
    "relatedarticles",
    "recommended",
    "recommendations",
    "authors",
    "contributors",
    "tags",
    "categories",
    "images",
    "media",
    "links",
    "breadcrumbs",
];

/// Levels at which the list may lie.
const DEEPEST: usize = 8;

/// Elements of a list that are looked at.
const LOOKED_AT: usize = 5;

/// The path to the list of articles of a file that begins with these bytes, which may break off
/// anywhere; `None` when the object that begins there is an article itself, or something else.
pub(in crate::io::articles::readers) fn of_head(
    head: &[u8],
    text_field: Option<&str>,
) -> Option<Path> {
    let text = String::from_utf8_lossy(head);
    match serde_json::from_str(&closed(text.trim_start())?).ok()? {
        Value::Object(object) => find(&object, text_field),
        _ => None,
    }
}

/// Whether the array that begins there is one article: the blocks of an editor.
pub(in crate::io::articles::readers) fn is_blocks(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let parsed = text.starts_with('[').then(|| serde_json::from_str(&closed(text)?).ok()).flatten();
    let Some(Value::Array(values)) = parsed else { return false };
    let mut some = values.iter().take(LOOKED_AT).peekable();
    some.peek().is_some()
        && some.all(|value| {
            let object = value.as_object();
            object.is_some_and(|o| blocks::has_block_kind(o) && !search::has_title(o))
        })
}

/// The path to the list of articles in an object. The names on it lead through objects only.
pub(super) fn find(object: &Map<String, Value>, text_field: Option<&str>) -> Option<Path> {
    // A field that the user names is the article's.
    if text_field.is_some_and(|name| resolve(object, name).is_some()) {
        return None;
    }
    let text = match text_field {
        None => search::depth_of_text(object),
        Some(_) => None,
    };
    let mut waiting = VecDeque::from([(Path::new(), object)]);
    let mut best: Option<(usize, Path)> = None;
    while let Some((path, object)) = waiting.pop_front() {
        if best.as_ref().is_some_and(|(_, best)| best.len() <= path.len()) {
            break;
        }
        for (key, value) in object {
            let below: Path = path.iter().cloned().chain([key.clone()]).collect();
            let score = score(key, value);
            if score > best.as_ref().map_or(0, |(score, _)| *score) {
                best = Some((score, below.clone()));
            }
            if let (Value::Object(inner), true) = (value, below.len() < DEEPEST) {
                waiting.push_back((below, inner));
            }
        }
    }
    // The text of one article lies no deeper than lists of what belongs to it.
    best.map(|(_, path)| path).filter(|path| text.is_none_or(|depth| path.len() < depth))
}

/// How much like a list of articles a value is: the number of those among its first elements that
/// have a text, and half of it for titles.
fn score(key: &str, value: &Value) -> usize {
    let elements: Vec<&Value> = match value {
        Value::Array(values) => values.iter().take(LOOKED_AT).collect(),
        // By number or name, as the pages of a wiki.
        Value::Object(values) if values.len() > 1 => values.values().take(LOOKED_AT).collect(),
        _ => return 0,
    };
    if OTHER_LISTS.contains(&plain(key).as_str()) || elements.is_empty() {
        return 0;
    }
    let named = value.is_object();
    let scores: Vec<usize> = elements.iter().map(|element| article(key, named, element)).collect();
    // Members of an object are of one kind, or they are its fields.
    if named && scores.contains(&0) { 0 } else { scores.iter().sum() }
}

/// 0 for what is no article, 1 for a title, 2 for a text.
fn article(key: &str, named: bool, element: &Value) -> usize {
    let Value::Object(element) = element else { return 0 };
    let (title, text) = (search::has_title(element), search::depth_of_text(element).is_some());
    match (title, text) {
        _ if blocks::has_block_kind(element) && !title => 0,
        (true, true) => 2,
        (true, false) => usize::from(!named),
        // Pieces of one text have no titles.
        (false, true) => 2 * usize::from(!named && !search::is_text_name(key)),
        (false, false) => 0,
    }
}

/// The beginning of a JSON text, cut back to its last whole value and closed.
fn closed(text: &str) -> Option<String> {
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    let mut safe = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                open.push(if byte == b'{' { '}' } else { ']' });
                safe = (at + 1, open.len());
            }
            b'}' | b']' => {
                open.pop()?;
                safe = (at + 1, open.len());
                if open.is_empty() {
                    break;
                }
            }
            b',' => safe = (at, open.len()),
            _ => {}
        }
    }
    // What was opened after the last whole value is gone with the rest.
    let (end, depth) = safe;
    let ends = open.get(..depth)?.iter().rev();
    Some(text[..end].chars().chain(ends.copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(value: Value) -> Option<String> {
        of_head(value.to_string().as_bytes(), None).map(|path| path.join("."))
    }

    #[test]
    fn lists_of_any_name() {
        let article = json!({"title": "T", "content": "Some words."});
        let some = |path: &str| Some(path.to_string());
        assert_eq!(path(json!({"status": "ok", "articles": [article, article]})), some("articles"));
        assert_eq!(
            path(json!({"response": {"docs": [{"headline": {"main": "T"}, "abstract": "x"}]}})),
            some("response.docs")
        );
        assert_eq!(
            path(json!({"hits": {"total": 1, "hits": [{"_id": "1", "_source": article}]}})),
            some("hits.hits")
        );
        assert_eq!(
            path(json!({"data": [{"id": 1, "attributes": article}], "meta": {"page": 1}})),
            some("data")
        );
        assert_eq!(path(json!({"content": [article], "totalPages": 1})), some("content"));
        assert_eq!(path(json!({"data": {"edges": [{"node": article}]}})), some("data.edges"));
        assert_eq!(
            path(json!({"query": {"pages": {"12": article, "13": article}}})),
            some("query.pages")
        );
        assert_eq!(path(json!({"sources": [{"id": "a", "name": "A"}], "x": [article]})), some("x"));
        assert_eq!(
            path(json!({"data": [{"id": 1, "text": "One."}, {"id": 2, "text": "Two."}]})),
            some("data")
        );
        assert_eq!(
            path(json!({"title": "A feed", "items": [{"title": "T", "content_html": "<p>x</p>"}]})),
            some("items")
        );
    }

    #[test]
    fn what_is_an_article_itself() {
        let other = json!({"title": "T", "content": "Some words."});
        assert_eq!(path(other.clone()), None);
        assert_eq!(
            path(json!({"title": "T", "text": "x", "related": [other], "more": [other]})),
            None
        );
        assert_eq!(
            path(json!({"data": {"title": "T", "body": "x", "comments": [{"text": "x"}]}})),
            None
        );
        assert_eq!(
            path(json!({"title": "T", "content": [{"type": "paragraph", "text": "x"}]})),
            None
        );
        assert_eq!(path(json!({"title": "T", "paragraphs": [{"text": "x"}, {"text": "y"}]})), None);
        assert_eq!(path(json!({"label": "x", "n": [1, 2]})), None);
    }

    #[test]
    fn an_array_may_be_one_article() {
        let is = |value: Value| is_blocks(value.to_string().as_bytes());
        assert!(is(json!([{"type": "paragraph", "children": [{"text": "x"}]}])));
        assert!(is(json!([{"_type": "block", "children": [{"text": "x"}]}, {"_type": "image"}])));
        assert!(!is(json!([{"type": "article", "title": "T", "text": "x"}])));
        assert!(!is(json!([{"text": "x"}, {"text": "y"}])));
        assert!(!is(json!([])) && !is_blocks(b"{") && !is_blocks(b"[1"));
    }

    #[test]
    fn a_head_may_break_off_anywhere() {
        let whole = json!({"meta": {"n": 2}, "list": [{"title": "T \"\\", "text": "One."}, {"title": "U", "text": "Two."}]}).to_string();
        let from = whole.find("\"One.\"").unwrap() + 8;
        for end in from..whole.len() {
            assert_eq!(of_head(&whole.as_bytes()[..end], None).unwrap(), ["list"], "{end}");
        }
        (0..whole.len()).for_each(|end| drop(of_head(&whole.as_bytes()[..end], None)));
        assert_eq!(of_head(whole.as_bytes(), Some("list.0.text")), None);
        assert_eq!(of_head("[".repeat(10_000).as_bytes(), None), None);
    }
}
