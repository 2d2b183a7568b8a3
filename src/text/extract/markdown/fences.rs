//! Fences around blocks that hold text, not code: containers of Pandoc, VitePress and Docusaurus,
//! and directives of MyST.

use super::shield::{Role, Shield};
use crate::text::html;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Directives that hold text, which may stand between fences of code.
const TEXTS: [&str; 38] = [
    "admonition",
    "attention",
    "aside",
    "callout",
    "card",
    "caution",
    "danger",
    "deprecated",
    "dropdown",
    "epigraph",
    "error",
    "example",
    "exercise",
    "figure",
    "grid",
    "grid-item",
    "grid-item-card",
    "hint",
    "image",
    "important",
    "list-table",
    "margin",
    "note",
    "proof",
    "pull-quote",
    "seealso",
    "sidebar",
    "solution",
    "tab-item",
    "tab-set",
    "table",
    "theorem",
    "tip",
    "topic",
    "versionadded",
    "versionchanged",
    "video",
    "warning",
];

/// Directives that hold none, which may stand between fences of text.
const CODES: [&str; 20] = [
    "bibliography",
    "code",
    "code-block",
    "code-cell",
    "csv-table",
    "doctest",
    "embed",
    "eval-rst",
    "glue",
    "graphviz",
    "iframe",
    "include",
    "literalinclude",
    "math",
    "mermaid",
    "parsed-literal",
    "plantuml",
    "raw",
    "sourcecode",
    "toctree",
];

/// The head of a fence: its marks, and the name of what it begins.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?<marks>`{3,}|~{3,}|:{3,})[ \t]*(?:\{(?<name>[A-Za-z:_-]+)\})?(?<rest>.*)$",
    )
    .expect("the pattern is constant and tested")
});

/// An option of a directive, `:class: tip`.
static OPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^:[A-Za-z][A-Za-z0-9_-]*:(?:\s|$)").expect("the pattern is constant and tested")
});

/// The name of an option whose value is a text.
static TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[ \t>]*:(?:alt|caption|title|subtitle|header):[ \t]+")
        .expect("the pattern is constant and tested")
});

/// A fence, whose title is a heading: `::: tip Title`, `:::tip[Title]{.x}`, `:::{note} Title`,
/// `/// note | Title`.
pub(super) fn fence(range: Range<usize>, text: &str) -> Vec<Shield> {
    static TITLED: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r"^[ \t]*(?:/{3,}[ \t]*[a-z][a-z-]*[ \t]*\|[ \t]*(?<last>[^\s|][^|\n]*?)",
            r"|(?::{3,}|`{3,}|~{3,})[ \t]*(?:[A-Za-z][A-Za-z0-9_-]*|\{[^{}]*\})",
            r"(?:\[(?<label>[^\[\]\n]+)(?<tail>\](?:\{[^{}]*\})?)",
            r"|[ \t]+(?<title>[^\s\[{:=][^{}=\n]*?)(?<attributes>[ \t]*\{[^{}]*\})?))[ \t]*$",
        );
        Regex::new(pattern).expect("the pattern is constant and tested")
    });
    let Range { start, end } = range;
    let found = TITLED.captures(&text[range.clone()]);
    let named = |name| found.as_ref().and_then(|found| found.name(name));
    let title = named("label").or(named("title")).or(named("last"));
    let is_text = |title: &str| title.contains(char::is_alphabetic) && !html::is_name(title);
    let Some(title) = title.filter(|title| is_text(title.as_str())) else {
        return vec![Shield { range, role: Role::Point }];
    };
    let (head, tail) = (start + title.start(), start + title.end());
    let mut shields = vec![Shield { range: start..head, role: Role::Heading }];
    if named("tail").or(named("attributes")).is_some() {
        shields.push(Shield { range: tail..end, role: Role::Point });
    }
    shields
}

/// A fence that is open.
struct Open<'a> {
    marks: &'a str,
    /// Whether there is code after it.
    is_code: bool,
    /// Where its line begins, or what comes after the last text in it.
    start: usize,
    /// Whether there is a text in it.
    has_text: bool,
    /// Whether it stands in a quotation, with which it ends.
    is_quoted: bool,
}

impl Open<'_> {
    /// What the part does that it ends; nothing where it is code that the parser knows.
    fn role(&self) -> Option<Role> {
        let is_read = self.is_code && !self.marks.starts_with(':') && !self.has_text;
        (!is_read).then_some(Role::Point)
    }
}

/// A part of a text that is no running text.
pub(super) struct Fenced {
    pub range: Range<usize>,
    /// What it does; nothing where it is code, which the parser knows.
    pub role: Option<Role>,
}

/// Blocks of code, and the lines of directives: what begins one, its options, what ends it; whole
/// where it holds code between fences of text.
pub(super) fn fenced(text: &str) -> Vec<Fenced> {
    let (mut found, mut open) = (Vec::new(), Vec::<Open<'_>>::new());
    if !["```", "~~~", ":::"].iter().any(|mark| text.contains(mark)) {
        return found;
    }
    // What nothing ends may begin where all ends.
    let mut add = |range: Range<usize>, role| {
        found.extend((!range.is_empty()).then_some(Fenced { range, role }));
    };
    // Whether options may follow; those between two lines of their own; a comment.
    let (mut has_options, mut in_options, mut in_comment) = (false, false, false);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.trim_end_matches('\n').len();
        at += line.len();
        let content = line.trim_matches(|c: char| c.is_whitespace() || c == '>');
        let is_border = content == "---";
        if in_options || has_options && (is_border || OPTION.is_match(content)) {
            has_options = !(in_options && is_border);
            in_options ^= is_border;
            let name = TEXT.find(&text[range.clone()]).filter(|name| name.end() < range.len());
            match (name, open.last_mut().filter(|last| last.is_code)) {
                // What stands before the text is a part of its own, and what comes after it.
                (Some(name), Some(last)) => {
                    if last.start < range.start {
                        add(last.start..range.start, Some(Role::Point));
                    }
                    add(range.start..range.start + name.end(), Some(Role::Heading));
                    (last.start, last.has_text) = (at, true);
                }
                (None, Some(_)) => {}
                (Some(name), None) => {
                    add(range.start..range.start + name.end(), Some(Role::Heading));
                }
                (None, None) => add(range, Some(Role::Point)),
            }
            continue;
        }
        has_options = false;
        let is_quoted = line.trim_start().starts_with('>');
        while let Some(last) = open.pop_if(|last| last.is_quoted && !is_quoted) {
            if last.is_code {
                add(last.start..range.start, last.role());
            }
        }
        let in_code = open.last().is_some_and(|last| last.is_code);
        in_comment = (in_comment || !in_code && content.starts_with("<!--"))
            && !line.trim_end().ends_with("-->");
        let Some(head) = HEAD.captures(&text[range.clone()]).filter(|_| !in_comment) else {
            continue;
        };
        let Some(marks) = head.name("marks").map(|marks| marks.as_str()) else { continue };
        let (name, rest) = (head.name("name"), head.name("rest").map_or("", |rest| rest.as_str()));
        let is_bare = name.is_none() && rest.trim().is_empty();
        if is_bare && let Some(last) = open.pop_if(|last| marks.starts_with(last.marks)) {
            let start = if last.is_code { last.start } else { range.start };
            add(start..range.end, last.role());
            continue;
        }
        if in_code || marks.starts_with('`') && rest.contains('`') {
            continue;
        }
        let name = name.map_or("", |name| name.as_str().rsplit(':').next().unwrap_or_default());
        let is_colons = marks.starts_with(':');
        let is_code = if is_colons { CODES.contains(&name) } else { !TEXTS.contains(&name) };
        if !is_code {
            fence(range.clone(), text).into_iter().for_each(|one| add(one.range, Some(one.role)));
        }
        has_options = !name.is_empty();
        if !(is_colons && is_bare) {
            let start = range.start;
            open.push(Open { marks, is_code, start, has_text: false, is_quoted });
        }
    }
    // Code that nothing ends goes on to the end of all.
    if let Some(last) = open.pop_if(|last| last.is_code) {
        add(last.start..text.len(), last.role());
    }
    found
}
