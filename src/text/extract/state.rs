//! The article in the data that a page's script starts from, for pages that show nothing before it
//! has run: `__NEXT_DATA__`, `window.__INITIAL_STATE__`, what Nuxt, Angular, Arc and Notion leave.

use super::body::SHORTEST;
use super::page::{Page, weight};
use crate::text::json::search::{TITLE_FIELDS, is_text_name, written};
use crate::text::json::{blocks, path};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Levels of the data that are looked into.
const DEEPEST: usize = 32;
/// Values that are looked at in all data of a page.
const MOST_VALUES: usize = 200_000;
/// Articles that are taken out of the data of a page.
const MOST_BODIES: usize = 64;

/// An assignment of data to a global variable, up to the value.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let names = r"__[A-Za-z][A-Za-z0-9_]*__|__[A-Za-z]+|Fusion\.globalContent|[A-Za-z.]*(?i:initialState|preloadedState|initialData|pageData|articleData)";
    Regex::new(&format!(r#"(?:{names})["'\]]*\s*=\s*"#))
        .expect("the pattern is constant and tested")
});

/// An article in the data: its headline, where it has one, and its text.
pub(super) type Body = (String, String);

/// The articles in the data of a page.
pub(super) fn bodies(page: &Page) -> Vec<Body> {
    let mut search = Search { bodies: Vec::new(), left: MOST_VALUES };
    for (at, node) in page.nodes.iter().enumerate().filter(|(_, node)| node.tag == "script") {
        let kind = node.attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
        let Some(text) = page.nodes.get(node.end.max(at + 1) - 1).map(|node| node.text.trim())
        else {
            continue;
        };
        match kind.as_str() {
            "application/json" => parsed(text).iter().for_each(|value| search.look(value, "", 0)),
            "" | "text/javascript" | "application/javascript" | "module" => {
                for found in ASSIGNMENT.find_iter(text) {
                    let value = assigned(&text[found.end()..]);
                    value.iter().for_each(|value| search.look(value, "", 0));
                }
            }
            _ => {}
        }
    }
    search.bodies
}

/// The value of a script that is nothing but data.
fn parsed(text: &str) -> Option<Value> {
    let value = serde_json::from_str(text).ok().or_else(|| {
        // Angular writes quotation marks and their like so that no parser of pages minds them.
        let escapes = [("&q;", "\""), ("&s;", "'"), ("&l;", "<"), ("&g;", ">"), ("&a;", "&")];
        let plain =
            escapes.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to));
        text.contains("&q;").then(|| serde_json::from_str(&plain).ok()).flatten()
    })?;
    Some(flattened(&value).unwrap_or(value))
}

/// The value of an assignment: JSON, or `JSON.parse` of a string.
fn assigned(script: &str) -> Option<Value> {
    let first = |text: &str| serde_json::Deserializer::from_str(text).into_iter().next()?.ok();
    match script.strip_prefix("JSON.parse(") {
        None if script.starts_with(['{', '[']) => first(script),
        None => None,
        Some(string) => {
            let string = string.trim_start();
            let double = string.strip_prefix('\'').map(in_double_quotes);
            match first(double.as_deref().unwrap_or(string))? {
                Value::String(json) => serde_json::from_str(&json).ok(),
                _ => None,
            }
        }
    }
}

/// A string that began with a single quotation mark, as JSON writes it.
fn in_double_quotes(rest: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => break,
            '"' => out.push_str("\\\""),
            '\\' => match chars.next() {
                Some('\'') => out.push('\''),
                Some('x') => out.push_str("\\u00"),
                escaped => out.extend(['\\'].into_iter().chain(escaped)),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list whose objects name their values by their places in it, as Nuxt writes data, as a tree.
fn flattened(value: &Value) -> Option<Value> {
    let list = value.as_array()?;
    let is_place = |value: &Value| value.as_u64().is_some_and(|at| at < list.len() as u64);
    let mut objects = list.iter().filter_map(Value::as_object).filter(|object| !object.is_empty());
    let is_flat = |object: &Map<String, Value>| object.values().all(|v| is_place(v) || v == -1);
    let first = objects.next().filter(|object| is_flat(object))?;
    if !objects.all(is_flat) {
        return None;
    }
    let mut left = MOST_VALUES;
    let tree = |value: &Value| tree(list, value, 0, &mut left);
    Some(Value::Array(first.values().map(tree).collect()))
}

fn tree(list: &[Value], place: &Value, depth: usize, left: &mut usize) -> Value {
    let value = place.as_u64().and_then(|at| list.get(usize::try_from(at).ok()?));
    let Some(value) = value.filter(|_| depth < DEEPEST && *left > 0) else { return Value::Null };
    *left -= 1;
    match value {
        Value::Object(object) => {
            let below =
                |(key, place): (&String, &Value)| (key.clone(), tree(list, place, depth + 1, left));
            Value::Object(object.iter().map(below).collect())
        }
        Value::Array(places) => {
            // A mark of what kind of object it is comes first.
            let places = places.iter().filter(|place| place.is_u64());
            Value::Array(places.map(|place| tree(list, place, depth + 1, left)).collect())
        }
        leaf => leaf.clone(),
    }
}

struct Search {
    bodies: Vec<Body>,
    /// Values that may still be looked at.
    left: usize,
}

impl Search {
    /// Takes the articles out of a value; `title` is that of the object around it.
    fn look(&mut self, value: &Value, title: &str, depth: usize) {
        if depth > DEEPEST || self.left == 0 || self.bodies.len() >= MOST_BODIES {
            return;
        }
        self.left -= 1;
        match value {
            Value::Array(values) => values.iter().for_each(|v| self.look(v, title, depth + 1)),
            Value::Object(object) => {
                let own = title_of(object);
                let title = own.as_deref().unwrap_or(title);
                if let Some(text) = notion(object) {
                    self.add(title, text);
                    return;
                }
                for (key, value) in object {
                    let text = is_text_name(key)
                        .then(|| written(value, std::slice::from_ref(key)))
                        .flatten()
                        .filter(|text| is_prose(&text.text));
                    match text {
                        Some(text) => self.add(title, text.text),
                        None => self.look(value, title, depth + 1),
                    }
                }
            }
            // Data within data.
            Value::String(text) if text.starts_with('{') && text.ends_with('}') => {
                if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
                    self.look(&value, title, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, title: &str, text: String) {
        if weight(&text) >= SHORTEST {
            self.bodies.push((title.to_string(), text));
        }
    }
}

/// Whether a text is prose, and no style sheet, script or key.
fn is_prose(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count();
    let signs = text.matches(['{', '}', ';', '=', '_']).count();
    letters * 10 > text.chars().count() * 6 && (signs * 50 < letters || text.contains("</p>"))
}

fn title_of(object: &Map<String, Value>) -> Option<String> {
    // "Name" is that of anything.
    let names = &TITLE_FIELDS[..TITLE_FIELDS.len() - 1];
    names.iter().find_map(|name| {
        let (key, value) = object.iter().find(|(key, _)| path::plain(key) == *name)?;
        Some(written(value, std::slice::from_ref(key))?.text)
    })
}

/// The page in a table of Notion's blocks, each under its number, as HTML.
fn notion(object: &Map<String, Value>) -> Option<String> {
    let table = object.get("block")?.as_object()?;
    // Newer ones have the block one level deeper.
    let block = |id: &str| -> Option<&Map<String, Value>> {
        let value = table.get(id)?.get("value")?;
        value.get("value").unwrap_or(value).as_object()
    };
    let (root, _) = table
        .keys()
        .filter_map(|id| Some((id, block(id)?)))
        .find(|(_, block)| block.get("type").is_some_and(|kind| kind == "page"))?;
    let mut out = String::new();
    let mut waiting = vec![root.as_str()];
    let mut left = table.len();
    while let Some(id) = waiting.pop() {
        let Some(block) = block(id).filter(|_| left > 0) else { continue };
        left -= 1;
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_root = id == root;
        let runs = block.get("properties").and_then(|p| p.get("title")).and_then(Value::as_array);
        let text: String =
            runs.into_iter().flatten().filter_map(|run| run.get(0)?.as_str()).collect();
        if !is_root && !text.trim().is_empty() {
            out.push_str(&blocks::element(kind, &text));
        }
        // Pages below this one are others.
        if is_root || kind != "page" {
            let inner = block.get("content").and_then(Value::as_array).into_iter().flatten();
            waiting.extend(inner.rev().filter_map(Value::as_str));
        }
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PROSE: &str = "The old bridge over the river will stay closed until the spring, because \
        the divers who went down to its piers last week found cracks in two of the four, said the \
        mayor of the town on Monday.";

    fn read(script: &str) -> Vec<Body> {
        bodies(&Page::parse(&format!("<html><body><div id=app></div>{script}</body></html>")))
    }

    #[test]
    fn the_data_of_many_frameworks() {
        let article = json!({"title": "The bridge", "body": format!("<p>{PROSE}</p>")});
        let nested =
            json!({"props": {"pageProps": {"post": &article, "menu": [{"title": "Home"}]}}});
        let escaped = nested.to_string().replace('&', "&a;").replace('"', "&q;");
        let quoted = serde_json::to_string(&nested.to_string()).unwrap();
        let single = nested.to_string().replace('\\', "\\\\").replace('<', "\\x3c");
        let flat = json!([["Reactive", 1], {"data": 2}, {"post": 3}, {"title": 4, "body": 5},
            "The bridge", format!("<p>{PROSE}</p>")]);
        for script in [
            format!("<script id=__NEXT_DATA__ type=application/json>{nested}</script>"),
            format!("<script>window.__INITIAL_STATE__ = {nested};(function(){{}})()</script>"),
            format!("<script>window['__PRELOADED_STATE__']={nested}</script>"),
            format!("<script>window.__STATE__ = JSON.parse({quoted});</script>"),
            format!("<script>window.__STATE__=JSON.parse('{single}')</script>"),
            format!("<script>Fusion.globalContent={article};Fusion.x=1</script>"),
            format!("<script id=ng-state type='application/json'>{escaped}</script>"),
            format!("<script id=__NUXT_DATA__ type='application/json'>{flat}</script>"),
        ] {
            let found = read(&script);
            assert_eq!(found, [("The bridge".into(), format!("<p>{PROSE}</p>"))], "{script}");
        }
    }

    #[test]
    fn blocks_of_editors_and_of_notion() {
        let tree = json!({"headline": "The bridge", "content": [
            {"type": "paragraph", "children": [{"type": "text", "text": PROSE}]}]});
        let found = read(&format!("<script type=application/json>{tree}</script>"));
        assert_eq!(found, [("The bridge".into(), format!("<p>{PROSE}</p>\n"))]);
        let block = |kind: &str, title: serde_json::Value, content: serde_json::Value| {
            json!({"role": "reader", "value": {
                "type": kind, "properties": {"title": title}, "content": content}})
        };
        let map = json!({"recordMap": {"block": {
            "a": block("page", json!([["The bridge"]]), json!(["b", "c"])),
            "c": block("text", json!([[PROSE], [" & more", [["b"]]]]), json!([])),
            "b": block("sub_header", json!([["What happened"]]), json!([])),
        }}});
        let found = read(&format!("<script type=application/json>{map}</script>"));
        let expected = format!("<h2>What happened</h2>\n<p>{PROSE} &amp; more</p>\n");
        assert_eq!(found, [(String::new(), expected)]);
    }

    /// Title, text and where it was read of a page.
    fn extracted(head: &str, body: &str) -> (Option<String>, String, Option<Value>) {
        let page = format!("<html><head>{head}</head><body>{body}</body></html>");
        let raw = crate::text::extract::tests::raw(crate::types::Format::Html, &page);
        let article = crate::text::extract::extract(&raw).unwrap();
        let text = article.text().trim_end().to_string();
        (article.title, text, article.extra.get("read_from").cloned())
    }

    #[test]
    fn a_page_that_shows_nothing_is_read_from_its_data() {
        let data = json!({"props": {"posts": [
            {"title": "Another story", "html": format!("<p>{PROSE}</p>").repeat(3)},
            {"title": "The bridge stays closed", "html": format!("<p>{PROSE}</p><p>{PROSE} Again.</p>")},
        ]}});
        let script = format!("<script id=__NEXT_DATA__ type=application/json>{data}</script>");
        let head = "<meta property=og:title content='The bridge stays closed'>";
        let (title, text, from) = extracted(head, &format!("<div>Loading</div>{script}"));
        assert_eq!(title.as_deref(), Some("The bridge stays closed"));
        assert_eq!((text, from), (format!("{PROSE}\n\n{PROSE} Again."), None));
        // What a page shows is its text, whatever its script has besides.
        let shown = format!("<article><h1>The bridge</h1><p>{}</p></article>", PROSE.repeat(5));
        let (_, text, _) = extracted(head, &format!("{shown}{script}"));
        assert_eq!(text, PROSE.repeat(5));
    }

    #[test]
    fn a_description_is_the_last_resort() {
        let said =
            "The old bridge over the river will stay closed until the spring, its divers said.";
        let head =
            format!("<title>The bridge</title><meta property=og:description content='{said}'>");
        let (_, text, from) = extracted(&head, "<div id=app></div><h1>The bridge</h1>");
        assert_eq!((text.as_str(), from), (said, Some("description".into())));
        let (_, text, from) = extracted(&head, &format!("<h1>The bridge</h1><p>{PROSE}</p>"));
        assert_eq!((text.as_str(), from), (PROSE, None));
    }

    #[test]
    fn amp_has_elements_of_its_own() {
        let parts = [
            ("amp-sidebar", "Home World Sport and all other sections of this newspaper."),
            ("amp-consent", "We would like to store data on this device, if you agree to that."),
            ("amp-ad", "Buy these shoes today, they are cheap and you will like them a lot."),
        ];
        let other: String =
            parts.iter().map(|(tag, text)| format!("<{tag}><p>{text}</p></{tag}>")).collect();
        let body =
            format!("{other}<article><h1>The bridge</h1><p>{}</p></article>", PROSE.repeat(3));
        assert_eq!(extracted("", &body).1, PROSE.repeat(3));
    }

    #[test]
    fn what_is_no_article_or_no_data_is_left() {
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        for script in [
            "<script>window.__INITIAL_STATE__ = {\"title\": \"x\"</script>".to_string(),
            format!("<script>var text = '{PROSE}'</script>"),
            format!("<script type=application/json>{{\"css\": \"{PROSE}\"}}</script>"),
            format!("<script type=application/json>{deep}</script>"),
            "<script type=application/json></script><script></script>".to_string(),
            format!(
                "<script type=application/json>{{\"body\": \"{}\"}}</script>",
                "a{b:c;}".repeat(99)
            ),
        ] {
            assert_eq!(read(&script), [], "{script}");
        }
    }
}
