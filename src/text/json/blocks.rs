//! Texts that are trees of blocks, as editors of content systems keep them, turned into HTML. The
//! names differ (`children`, `content`, `nodes`, `ops`; `type`, `nodeType`, `_type`), the structure
//! does not: blocks have a kind and children, leaves have text.

use crate::text::marks;
use serde_json::{Map, Value};

/// Fields that say what a node is.
const KINDS: [&str; 7] =
    ["type", "_type", "nodeType", "blockName", "__component", "component", "tag"];

/// Fields with a leaf's text, in plain or with inline tags.
const TEXTS: [&str; 11] = [
    "text",
    "value",
    "insert",
    "html",
    "innerHTML",
    "bodyHtml",
    "paragraph",
    "p",
    "content",
    "body",
    "caption",
];

/// Fields with the nodes below a node.
const CHILDREN: [&str; 11] = [
    "children",
    "content",
    "blocks",
    "nodes",
    "ops",
    "paragraphs",
    "items",
    "body",
    "root",
    "data",
    "value",
];

/// What a node becomes.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// An element around its text.
    Element(&'static str),
    /// Part of a text.
    Inline,
    /// A line break in a text.
    Break,
    /// A list, whose children are items.
    List,
    /// Pictures, films, embedded pages, advertisements: their captions alone are told.
    Unread,
    /// Whatever else: read for what is in it.
    Other,
}

/// HTML of a tree of blocks; `None` when the value is no such tree, or there is nothing in it.
pub(crate) fn html(value: &Value) -> Option<String> {
    let is_tree = match value {
        Value::Array(nodes) => !nodes.is_empty() && nodes.iter().all(is_node),
        Value::Object(node) => {
            child_nodes(node).is_some_and(|nodes| !nodes.is_empty() && nodes.iter().all(is_node))
        }
        _ => false,
    };
    let mut out = String::new();
    if is_tree {
        write(value, Role::Other, &mut out);
    }
    (!out.trim().is_empty()).then_some(out)
}

/// The element of a block of some kind with a plain text.
pub(crate) fn element(kind: &str, text: &str) -> String {
    let mut out = String::new();
    let name = match role(&kind.to_lowercase()) {
        Role::Unread => return out,
        Role::Element(name) => name,
        Role::List => "li",
        _ => "p",
    };
    wrap(name, &mut out, |out| write_text(text, out));
    out
}

/// Whether an object of a list is a block, by its kind.
pub(crate) fn has_block_kind(node: &Map<String, Value>) -> bool {
    kind(node).is_some_and(|kind| role(&kind) != Role::Other)
        || node.get("_type").is_some_and(|kind| kind == "block")
}

/// Whether a value may stand in a list of blocks. What has a title of its own and no kind is an
/// article.
fn is_node(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(nodes) => !nodes.is_empty() && nodes.iter().all(is_node),
        Value::Object(node) => {
            has_block_kind(node)
                || !["title", "headline", "slug", "url"].iter().any(|name| node.contains_key(*name))
                    && (text(node).is_some() || child_nodes(node).is_some())
        }
        _ => false,
    }
}

fn kind(node: &Map<String, Value>) -> Option<String> {
    KINDS.iter().find_map(|name| node.get(*name)?.as_str()).map(str::to_lowercase)
}

fn role(kind: &str) -> Role {
    // `core/heading`, `blocks.rich-text`, `unordered-list-item` …
    let kind = kind.rsplit(['/', '.']).next().unwrap_or(kind).replace(['_', '-'], "");
    let has = |names: &[&str]| names.iter().any(|name| kind.contains(name));
    match kind.as_str() {
        "text" | "span" | "a" | "b" | "i" | "em" | "strong" | "textnode" | "inline" => Role::Inline,
        "br" => Role::Break,
        "p" | "unstyled" | "normal" => Role::Element("p"),
        "ul" | "ol" => Role::List,
        "li" => Role::Element("li"),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Role::Element("h2"),
        "ad" | "hr" => Role::Unread,
        _ if has(&["hardbreak", "linebreak"]) => Role::Break,
        _ if has(&["link", "mention"]) => Role::Inline,
        _ if has(&["heading", "header", "headline"]) => Role::Element("h2"),
        _ if has(&["listitem", "liitem"]) => Role::Element("li"),
        _ if has(&["list"]) => Role::List,
        _ if has(&["quote"]) => Role::Element("blockquote"),
        _ if has(&["paragraph"]) => Role::Element("p"),
        _ if has(&[
            "image",
            "img",
            "photo",
            "picture",
            "gallery",
            "video",
            "audio",
            "embed",
            "iframe",
            "figure",
            "media",
            "advert",
            "script",
            "divider",
            "delimiter",
            "related",
            "newsletter",
            "podcast",
            "tweet",
            "youtube",
            "code",
        ]) =>
        {
            Role::Unread
        }
        _ => Role::Other,
    }
}

/// The role of a node by its kind, and by what portable text calls its style.
fn role_of(node: &Map<String, Value>) -> Role {
    // Others call a piece of a paragraph so; those of Arc have a paragraph for their content.
    let is = |name: &str| node.get(name).is_some_and(Value::is_string);
    if is("content") && !is("text") && kind(node).is_some_and(|kind| kind == "text") {
        return Role::Element("p");
    }
    if node.contains_key("listItem") {
        return Role::Element("li");
    }
    let styled = node.get("style").and_then(Value::as_str).map(str::to_lowercase);
    match (kind(node).map(|kind| role(&kind)), styled.map(|style| role(&style))) {
        (Some(Role::Other) | None, Some(Role::Element(element))) => Role::Element(element),
        (Some(role), _) => role,
        (None, _) if node.contains_key("insert") => Role::Inline,
        (None, _) => Role::Other,
    }
}

fn text(node: &Map<String, Value>) -> Option<&str> {
    let filled = |name: &&str| node.get(*name)?.as_str().filter(|text| !text.is_empty());
    TEXTS.iter().find_map(filled)
}

/// The values below a node; those of an object that stands between count.
fn child_nodes(node: &Map<String, Value>) -> Option<&[Value]> {
    CHILDREN.iter().find_map(|name| match node.get(*name)? {
        Value::Array(nodes) => Some(nodes.as_slice()),
        between @ Value::Object(inner) if text(inner).is_some() || child_nodes(inner).is_some() => {
            Some(std::slice::from_ref(between))
        }
        _ => None,
    })
}

/// Writes a value as blocks; `around` is the role of the node that it stands in.
fn write(value: &Value, around: Role, out: &mut String) {
    let element = if around == Role::List { "li" } else { "p" };
    match value {
        Value::String(text) => wrap(element, out, |out| write_text(text, out)),
        Value::Array(values) => write_all(values, around, out),
        Value::Object(node) => match role_of(node) {
            Role::Unread => write_caption(node, out),
            Role::Inline | Role::Break => wrap(element, out, |out| inline(value, out)),
            role => {
                let own = match role {
                    Role::Element(name) => name,
                    _ => element,
                };
                match (text(node), child_nodes(node)) {
                    (None, Some(nodes)) if nodes.iter().any(is_inline) => {
                        wrap(own, out, |out| nodes.iter().for_each(|node| inline(node, out)));
                    }
                    (None, Some(nodes))
                        if own == "p" || matches!(role, Role::List | Role::Other) =>
                    {
                        write_all(nodes, if role == Role::List { role } else { around }, out);
                    }
                    (None, Some(nodes)) => wrap(own, out, |out| write_inside(nodes, out)),
                    (Some(text), more) => {
                        wrap(own, out, |out| write_text(text, out));
                        // An item may have items of its own.
                        write_all(more.unwrap_or_default(), Role::List, out);
                    }
                    (None, None) => {}
                }
            }
        },
        _ => {}
    }
}

/// Writes the caption of a picture as one that is to be left out of the text, and told.
fn write_caption(node: &Map<String, Value>, out: &mut String) {
    let of = |node: &Map<String, Value>| node.get("caption")?.as_str().map(str::to_string);
    let inside = || CHILDREN.iter().find_map(|name| of(node.get(*name)?.as_object()?));
    if let Some(caption) = of(node).or_else(inside).filter(|text| !text.trim().is_empty()) {
        wrap_as("figcaption hidden", "figcaption", out, |out| write_text(&caption, out));
    }
}

/// Writes the nodes inside of an item, a heading or a quotation: what is a paragraph by itself goes
/// without its element.
fn write_inside(nodes: &[Value], out: &mut String) {
    for (number, node) in nodes.iter().enumerate() {
        match node {
            Value::Object(object) if matches!(role_of(object), Role::List) => {
                write(node, Role::Other, out);
            }
            _ => {
                out.push_str(if number > 0 { "<br>" } else { "" });
                inline(node, out);
            }
        }
    }
}

/// Writes nodes one after the other; those that are part of a text make one paragraph.
fn write_all(nodes: &[Value], around: Role, out: &mut String) {
    let listed = around == Role::List || nodes.iter().any(Value::is_string);
    for run in nodes.chunk_by(|a, b| !listed && is_inline(a) && is_inline(b)) {
        match run {
            [node] => write(node, around, out),
            run => wrap("p", out, |out| run.iter().for_each(|node| inline(node, out))),
        }
    }
}

fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(node) => matches!(role_of(node), Role::Inline | Role::Break),
        _ => false,
    }
}

/// Writes what a node has to say as part of a text.
fn inline(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Array(values) => values.iter().for_each(|value| inline(value, out)),
        Value::Object(node) => match role_of(node) {
            Role::Unread => {}
            Role::Break => out.push_str("<br>"),
            _ => match (text(node), child_nodes(node)) {
                (Some(text), _) => write_text(text, out),
                (None, Some(nodes)) => nodes.iter().for_each(|node| inline(node, out)),
                (None, None) => {}
            },
        },
        _ => {}
    }
}

fn wrap(element: &str, out: &mut String, inner: impl FnOnce(&mut String)) {
    wrap_as(element, element, out, inner);
}

/// Writes an element with attributes in its start.
fn wrap_as(start: &str, element: &str, out: &mut String, inner: impl FnOnce(&mut String)) {
    out.push_str(&format!("<{start}>"));
    inner(out);
    out.push_str(&format!("</{element}>\n"));
}

/// Writes a text that may have tags and entities in it, or is plain.
fn write_text(text: &str, out: &mut String) {
    if marks::is_marked_up(text) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("<br>\n"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(value: Value) -> Vec<String> {
        html(&value).unwrap_or_default().lines().map(String::from).collect()
    }

    #[test]
    fn the_trees_of_many_editors() {
        let both = ["<h2>One</h2>", "<p>Two <b>bold</b> &amp; three.</p>"];
        for tree in [
            // Strapi, Slate
            json!([
                {"type": "heading", "level": 2, "children": [{"type": "text", "text": "One"}]},
                {"type": "paragraph", "children": [{"type": "text", "text": "Two "},
                    {"type": "link", "url": "u", "children": [{"type": "text", "text": "<b>bold</b>"}]},
                    {"type": "text", "text": " & three."}]}
            ]),
            // Contentful
            json!({"nodeType": "document", "data": {}, "content": [
                {"nodeType": "heading-2", "content": [{"nodeType": "text", "value": "One", "marks": []}]},
                {"nodeType": "embedded-asset-block", "data": {"target": {}}, "content": []},
                {"nodeType": "paragraph", "content": [{"nodeType": "text", "value": "Two "},
                    {"nodeType": "hyperlink", "data": {"uri": "u"}, "content": [
                        {"nodeType": "text", "value": "<b>bold</b>"}]},
                    {"nodeType": "text", "value": " & three."}]}
            ]}),
            // portable text
            json!([
                {"_type": "block", "style": "h2", "children": [{"_type": "span", "text": "One"}]},
                {"_type": "image", "asset": {"_ref": "x"}},
                {"_type": "block", "style": "normal", "children": [
                    {"_type": "span", "text": "Two <b>bold</b> &amp; three."}]}
            ]),
            // Arc
            json!([
                {"_id": "a", "type": "header", "level": 2, "content": "One"},
                {"_id": "b", "type": "text", "content": "Two <b>bold</b> &amp; three."}
            ]),
            // Editor.js
            json!({"time": 1, "version": "2", "blocks": [
                {"id": "a", "type": "header", "data": {"text": "One", "level": 2}},
                {"id": "b", "type": "paragraph", "data": {"text": "Two <b>bold</b> &amp; three."}},
                {"id": "c", "type": "image", "data": {"caption": "A map", "file": {"url": "u"}}}
            ]}),
            // Gutenberg
            json!([
                {"blockName": "core/heading", "innerHTML": "One"},
                {"blockName": "core/paragraph", "innerHTML": "Two <b>bold</b> &amp; three."}
            ]),
            // Lexical
            json!({"root": {"type": "root", "children": [
                {"type": "heading", "tag": "h2", "children": [{"type": "text", "text": "One"}]},
                {"type": "paragraph", "children": [{"type": "text", "text": "Two <b>bold</b> &amp; three."}]}
            ]}}),
        ] {
            let text = lines(tree.clone());
            let text: Vec<&String> =
                text.iter().filter(|line| !line.starts_with("<figcaption")).collect();
            assert_eq!(text, both.iter().collect::<Vec<_>>(), "{tree}");
        }
    }

    #[test]
    fn captions_are_marked_as_such() {
        let paragraph = json!({"type": "paragraph", "data": {"text": "One."}});
        for image in [
            json!({"type": "image", "caption": "A <b>map</b>"}),
            json!({"type": "image", "data": {"caption": "A <b>map</b>", "file": {"url": "u"}}}),
        ] {
            let expected = ["<p>One.</p>", "<figcaption hidden>A <b>map</b></figcaption>"];
            assert_eq!(lines(json!([paragraph, image])), expected, "{image}");
        }
        for bare in [json!({"type": "image", "caption": " "}), json!({"type": "ad", "text": "x"})] {
            assert_eq!(lines(json!([paragraph, bare])), ["<p>One.</p>"], "{bare}");
        }
    }

    #[test]
    fn lists_quotations_and_paragraphs_without_a_kind() {
        assert_eq!(
            lines(
                json!([{"type": "list", "data": {"items": ["a", "b"]}}, {"type": "quote", "text": "c"}])
            ),
            ["<li>a</li>", "<li>b</li>", "<blockquote>c</blockquote>"]
        );
        assert_eq!(
            lines(json!({"type": "doc", "content": [{"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]}
            ]}]})),
            ["<li>a</li>"]
        );
        assert_eq!(lines(json!([{"text": "a"}, {"text": "b"}])), ["<p>a</p>", "<p>b</p>"]);
        assert_eq!(lines(json!([["a"], [{"text": "b"}]])), ["<p>a</p>", "<p>b</p>"]);
        assert_eq!(
            lines(json!({"ops": [{"insert": "a "}, {"insert": "b\nc"}]})),
            ["<p>a b<br>", "c</p>"]
        );
        assert_eq!(html(&json!([{"title": "t", "text": "x"}])), None);
        assert_eq!(
            (html(&json!("x")), html(&json!([])), html(&json!({"a": 1}))),
            (None, None, None)
        );
    }
}
