//! The lists of articles in a value that wraps them, found by their structure: `articles`,
//! `response.docs`, `hits.hits`, whatever they are called, and articles by their ids.

use crate::text::json::path::{plain, resolve};
use crate::text::json::{blocks, search};
use serde_json::{Map, Value};

/// The way from a value to a list in it: names, and `None` for all elements or members.
pub(super) type Way = Vec<Option<String>>;

/// Whether a way leads on through the value that is `depth` steps down and of that name.
pub(super) fn leads_to(way: &Way, depth: usize, name: Option<&[u8]>) -> bool {
    let step = depth.checked_sub(1).and_then(|last| way.get(last));
    step.is_some_and(|step| step.as_ref().is_none_or(|step| Some(step.as_bytes()) == name))
}

/// Lists of other things that look like articles.
const OTHER_LISTS: [&str; 36] = [
    "comments",
    "replies",
    "reactions",
    "responses",
    "kommentare",
    "commentaires",
    "comentarios",
    "comentários",
    "commenti",
    "reacties",
    "komentarze",
    "комментарии",
    "评论",
    "評論",
    "related",
    "relatedarticles",
    "relatedposts",
    "recommended",
    "recommendations",
    "suggestions",
    "seealso",
    "ads",
    "advertisements",
    "sponsored",
    "promotions",
    "authors",
    "contributors",
    "users",
    "tags",
    "categories",
    "images",
    "media",
    "links",
    "breadcrumbs",
    "notices",
    "faq",
];

/// Levels at which a list may lie.
const DEEPEST: usize = 8;

/// Elements of a list that are looked at.
const LOOKED_AT: usize = 5;

/// What an element is worth that has a title and a text, as an article has.
const ARTICLE: usize = 4;

/// The ways to the lists of articles of a file that begins with these bytes, which may break off
/// anywhere; none when the value that begins there is an article itself, an array of articles, or
/// something else.
pub(in crate::io::articles::readers) fn of_head(head: &[u8], text_field: Option<&str>) -> Vec<Way> {
    let text = String::from_utf8_lossy(head);
    let Some((closed, is_cut)) = closed(text.trim_start()) else { return Vec::new() };
    match serde_json::from_str(&closed) {
        Ok(value) => ways(&value, text_field, is_cut),
        Err(_) => Vec::new(),
    }
}

/// Whether the array that begins there is one article: the blocks of an editor.
pub(in crate::io::articles::readers) fn is_blocks(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let array = || serde_json::from_str(&closed(text)?.0).ok();
    let parsed = text.starts_with('[').then(array).flatten();
    let Some(Value::Array(values)) = parsed else { return false };
    let mut some = values.iter().take(LOOKED_AT).peekable();
    some.peek().is_some()
        && some.all(|value| {
            let object = value.as_object();
            object.is_some_and(|o| blocks::has_block_kind(o) && !search::has_title(o))
        })
}

/// The path to a list of articles in an object, where one leads through objects only.
pub(super) fn find(value: &Value) -> Option<Vec<String>> {
    let mut named = ways(value, None, false).into_iter();
    named.find_map(|way| way.into_iter().collect::<Option<Vec<String>>>()).filter(|w| !w.is_empty())
}

/// A list of articles.
struct List {
    way: Way,
    /// How much like an article its best element is, and all that were looked at together.
    best: usize,
    sum: usize,
}

/// The ways to the lists of articles in a value: to all lists of the highest level that has any
/// whose elements have titles and texts, else to the one that is most like it. `is_cut`: the last
/// things in the value may lack their ends.
fn ways(value: &Value, text_field: Option<&str>, is_cut: bool) -> Vec<Way> {
    let objects: Vec<&Map<String, Value>> = match value {
        Value::Array(values) => {
            values.iter().take(LOOKED_AT).filter_map(Value::as_object).collect()
        }
        Value::Object(object) => vec![object],
        _ => return Vec::new(),
    };
    // A field that the user names is the article's.
    if text_field.is_some_and(|name| objects.iter().any(|o| resolve(o, name).is_some())) {
        return Vec::new();
    }
    // The text of one article lies no deeper than lists of what belongs to it.
    let texts = objects.iter().filter(|_| text_field.is_none());
    let text = texts.filter_map(|object| search::depth_of_text(object)).min();
    let around = usize::from(value.is_array());
    let is_within = |way: &Way| text.is_none_or(|depth| way.len() < depth + around);
    let mut level = vec![Place { way: Way::new(), name: "", value }];
    for _ in 0..=DEEPEST {
        let lists: Vec<List> = level.iter().filter_map(|place| list(place, is_cut)).collect();
        if !lists.is_empty() {
            let mut ways = chosen(&lists, &level);
            // An array at the top needs no way.
            ways.retain(|way| is_within(way) && !(way.is_empty() && value.is_array()));
            return ways;
        }
        level = level.iter().flat_map(below).collect();
    }
    Vec::new()
}

/// A value that may be a list, and the way to it.
struct Place<'a> {
    way: Way,
    name: &'a str,
    value: &'a Value,
}

impl Place<'_> {
    /// Whether it lies within an array.
    fn is_wrapped(&self) -> bool {
        self.way.iter().any(Option::is_none)
    }
}

/// The arrays and objects right below a value, but for lists of other things.
fn below<'a>(place: &Place<'a>) -> Vec<Place<'a>> {
    let to = |step: Option<String>| place.way.iter().cloned().chain([step]).collect();
    let places: Vec<Place> = match place.value {
        _ if is_other(place.name) => Vec::new(),
        Value::Object(members) => {
            let place = |(name, value): (&'a String, &'a Value)| Place {
                way: to(Some(name.clone())),
                name,
                value,
            };
            members.iter().map(place).collect()
        }
        Value::Array(values) => {
            let some = values.iter().take(LOOKED_AT);
            some.map(|value| Place { way: to(None), name: "", value }).collect()
        }
        _ => Vec::new(),
    };
    places.into_iter().filter(|place| place.value.is_object() || place.value.is_array()).collect()
}

fn is_other(name: &str) -> bool {
    OTHER_LISTS.contains(&plain(name).as_str())
}

/// The list of articles that a value is, if it is one.
fn list(place: &Place, is_cut: bool) -> Option<List> {
    let scores = match place.value {
        _ if is_other(place.name) => return None,
        Value::Array(values) => {
            let score = |element| article(place.name, element);
            values.iter().take(LOOKED_AT).map(score).collect()
        }
        Value::Object(members) => by_name(members, place.way.is_empty(), is_cut)?,
        _ => return None,
    };
    let (best, sum) = (scores.iter().copied().max()?, scores.iter().sum());
    // What lies in the elements of an array must surely be articles: these may be some themselves.
    (sum > 0 && (best == ARTICLE || !place.is_wrapped())).then(|| {
        let way = place.way.clone();
        List { way, best, sum }
    })
}

/// The scores of the members of an object that are articles by number or by name, as the pages of a
/// wiki: all of one kind, or they are the fields of one article. `is_top`: the object is the whole
/// value, whose members may wrap other things.
fn by_name(members: &Map<String, Value>, is_top: bool, is_cut: bool) -> Option<Vec<usize>> {
    let is_field = |(name, value): (&String, &Value)| {
        value.is_array()
            || value.is_object() && (search::is_text_name(name) || search::is_other_thing(name))
    };
    // Articles by a number or a date, and those with an address or a date of their own, need no
    // title to be known from the parts of one.
    let numbered = members.keys().all(|name| name.contains(|c: char| c.is_ascii_digit()));
    let is_near = |element: &Value| {
        let at = |depth: Option<usize>| depth == Some(1) || !is_top && depth.is_some();
        element.as_object().is_some_and(|element| {
            let is_block = blocks::has_block_kind(element) && !search::has_title(element);
            at(search::depth_of_text(element))
                && (at(search::depth_of_title(element))
                    || (numbered || has_mark(element)) && is_top && !is_block)
        })
    };
    let objects = || members.values().filter(|value| value.is_object());
    if objects().nth(1).is_none() || members.iter().any(is_field) {
        return None;
    }
    let whole = objects().count() - usize::from(is_cut);
    let all = objects().take(whole.min(LOOKED_AT)).all(is_near);
    all.then(|| vec![ARTICLE; whole.min(LOOKED_AT)])
}

/// Whether an object has what an article has of its own, and a part of one has not.
fn has_mark(element: &Map<String, Value>) -> bool {
    const MARKS: [&str; 13] = [
        "url",
        "link",
        "permalink",
        "canonicalurl",
        "date",
        "pubdate",
        "published",
        "publishedat",
        "publishdate",
        "datepublished",
        "publicationdate",
        "author",
        "byline",
    ];
    element.keys().any(|name| MARKS.contains(&plain(name).as_str()))
}

/// How much like an article an element of a list is: 1 for a title, 2 for a text.
fn article(list: &str, element: &Value) -> usize {
    let Value::Object(element) = element else { return 0 };
    let title = search::depth_of_title(element).is_some();
    let text = search::depth_of_text(element).is_some();
    match (title, text) {
        _ if blocks::has_block_kind(element) && !title => 0,
        (true, true) => ARTICLE,
        (true, false) => 1,
        // Pieces of one text have no titles.
        (false, true) => 2 * usize::from(!search::is_text_name(list)),
        (false, false) => 0,
    }
}

/// The ways to those of the lists of a level that hold the articles.
fn chosen(lists: &[List], level: &[Place]) -> Vec<Way> {
    if lists.iter().all(|list| list.best < ARTICLE) {
        let first = lists.iter().rev().max_by_key(|list| list.sum);
        return first.map(|list| list.way.clone()).into_iter().collect();
    }
    let mut ways: Vec<Way> = Vec::new();
    for list in lists.iter().filter(|list| list.best == ARTICLE) {
        let all = all_beside(&list.way, lists, level).unwrap_or_else(|| list.way.clone());
        if !ways.contains(&all) {
            ways.push(all);
        }
    }
    ways
}

/// The way to all members of an object, where each of several is a list, as articles are by day or
/// by section: there may be more of them further on.
fn all_beside(way: &Way, lists: &[List], level: &[Place]) -> Option<Way> {
    let (last, around) = way.split_last()?;
    let is_beside = |other: &Way| other.split_last().is_some_and(|(_, up)| up == around);
    let is_list = |other: &Way| lists.iter().any(|l| l.way == *other && l.best == ARTICLE);
    let mut beside = level.iter().map(|place| &place.way).filter(|other| is_beside(other));
    let several = lists.iter().any(|list| is_beside(&list.way) && list.way != *way);
    let all = last.is_some() && several && beside.all(is_list);
    all.then(|| around.iter().cloned().chain([None]).collect())
}

/// The beginning of a JSON text, cut back to its last whole value and closed, and whether there was
/// need to.
fn closed(text: &str) -> Option<(String, bool)> {
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
    Some((text[..end].chars().chain(ends.copied()).collect(), !open.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The ways with dots between their steps, and spaces between them.
    fn path(value: Value) -> Option<String> {
        let shown = |way: Way| {
            way.into_iter().map(|step| step.unwrap_or("*".into())).collect::<Vec<_>>().join(".")
        };
        let ways = of_head(value.to_string().as_bytes(), None);
        (!ways.is_empty()).then(|| ways.into_iter().map(shown).collect::<Vec<_>>().join(" "))
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
    fn several_lists_lists_in_lists_and_articles_by_id() {
        let article = json!({"title": "T", "content": "Some words."});
        let comment = json!({"user": "x", "text": "A few words."});
        let some = |path: &str| Some(path.to_string());
        for (value, ways) in [
            (json!({"id1": article, "id2": article}), some("")),
            (
                json!({"count": 2, "7": {"title": {"rendered": "T"}, "content": {"rendered": "x"}},
                "8": article}),
                some(""),
            ),
            (json!({"a-1": {"body": "Some words."}, "a-2": {"body": "Some more."}}), some("")),
            (
                json!({"pear": {"url": "u", "text": "One."}, "plum": {"url": "v", "text": "Two."}}),
                some(""),
            ),
            (json!({"2026-01-01": [article], "2026-01-02": [article]}), some("*")),
            (json!({"d": {"a": [article], "b": [article]}, "n": [1]}), some("d.*")),
            (
                json!({"featured": [article], "latest": [article], "tags": [{"title": "x"}]}),
                some("featured latest"),
            ),
            (json!({"reactions": [comment, comment, comment], "items": [article]}), some("items")),
            (json!({"posts": [article], "notes": [comment, comment, comment]}), some("posts")),
            (json!([[article], [article]]), some("*")),
            (
                json!([{"section": "x", "articles": [article]}, {"articles": [article]}]),
                some("*.articles"),
            ),
            (json!({"pages": [{"number": 1, "hits": [article]}]}), some("pages.*.hits")),
        ] {
            assert_eq!(path(value.clone()), ways, "{value}");
        }
        for one in [
            json!({"id1": article}),
            json!({"article": article, "related": article}),
            json!({"data": {"article": article}, "site": {"title": "x", "text": "y"}}),
            json!({"title": "T", "parts": {"a": {"x": 1}, "b": {"x": 2}}}),
            json!([article, article]),
            json!([{"title": "T", "related": [article]}]),
            json!([{"user": "x", "text": "y", "answers": [{"text": "z"}]}]),
        ] {
            assert_eq!(path(one.clone()), None, "{one}");
        }
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
            let ways = of_head(&whole.as_bytes()[..end], None);
            assert_eq!(ways, [vec![Some("list".to_string())]], "{end}");
        }
        (0..whole.len()).for_each(|end| drop(of_head(&whole.as_bytes()[..end], None)));
        assert!(of_head(whole.as_bytes(), Some("list.0.text")).is_empty());
        assert!(of_head("[".repeat(10_000).as_bytes(), None).is_empty());
    }
}
