//! Front matter: what site generators want to know of a Markdown file, before its text.

mod values;

use serde_json::Value as Json;
pub(super) use values::{Value, values};

/// Front matter at the top of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Front<'a> {
    /// It, with its fences, up to the end of its last line.
    pub(super) text: &'a str,
    /// The title that it gives.
    pub(super) title: Option<String>,
}

/// The front matter of a file: YAML, TOML or JSON between fences (`---`, `+++`, `;;;`), a JSON
/// object, Pandoc's lines with `%`, or MultiMarkdown's fields.
pub(super) fn front_matter(source: &str) -> Option<Front<'_>> {
    fenced(source).or_else(|| json(source)).or_else(|| pandoc(source)).or_else(|| fields(source))
}

fn fenced(source: &str) -> Option<Front<'_>> {
    let mut at = 0;
    let mut lines = source.split_inclusive('\n').map(|line| {
        at += line.len();
        (at, line.trim_end())
    });
    // Blank lines before it are forgiven.
    let (start, fence) = lines.find(|(_, line)| !line.is_empty())?;
    let name = fence.split([' ', '\t']).next().unwrap_or_default();
    let is_fence = matches!(fence, "---" | "+++" | ";;;")
        || matches!(
            fence,
            "---yaml" | "---toml" | "---json" | "--- yaml" | "--- toml" | "--- json"
        );
    let mark = name.get(..3).filter(|_| is_fence)?;
    let mut lines = lines.skip_while(|(at, _)| *at <= start);
    let (first, line) = lines.next()?;
    // A rule with a blank line after it is no fence.
    if line.is_empty() {
        return None;
    }
    let is_end = |line: &str| line == mark || mark == "---" && line == "...";
    let end = if is_end(line) { first } else { lines.find(|(_, line)| is_end(line))?.0 };
    let text = source[..end].trim_end_matches('\n');
    let inner = &source[start..end];
    let title = match serde_json::from_str(inner.trim_end().trim_end_matches(mark)) {
        Ok(Json::Object(object)) => object.get("title").and_then(Json::as_str).map(String::from),
        _ => title(inner),
    };
    Some(Front { text, title })
}

/// The value of the field `title` in lines of YAML or TOML; indented ones belong to other fields.
fn title(lines: &str) -> Option<String> {
    let mut lines = lines.lines();
    let value = lines.by_ref().find_map(|line| {
        let (name, value) = line.split_at_checked(line.find([':', '='])?)?;
        let name = name.trim_end().trim_matches(['"', '\'']);
        name.eq_ignore_ascii_case("title").then(|| value[1..].trim())
    })?;
    let value = match value {
        // Lines that follow, folded into one.
        ">" | ">-" | ">+" | "|" | "|-" | "|+" | "" => {
            let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
            folded.map(str::trim).collect::<Vec<_>>().join(" ")
        }
        value => unquoted(value),
    };
    Some(value).filter(|value| !value.is_empty())
}

fn unquoted(value: &str) -> String {
    for mark in ["\"\"\"", "'''", "\"", "'"] {
        let Some(rest) = value.strip_prefix(mark) else { continue };
        let mut end = None;
        for (at, _) in rest.match_indices(mark) {
            let escaped = mark == "\"" && rest[..at].ends_with('\\');
            let doubled =
                mark == "'" && (rest[at + 1..].starts_with('\'') || rest[..at].ends_with('\''));
            if !escaped && !doubled {
                end = Some(at);
                break;
            }
        }
        let Some(end) = end else { continue };
        return match mark {
            "\"" => rest[..end].replace("\\\"", "\"").replace("\\\\", "\\"),
            "'" => rest[..end].replace("''", "'"),
            _ => rest[..end].to_string(),
        };
    }
    // A comment needs a space before it.
    value.split(" #").next().unwrap_or(value).trim().to_string()
}

/// An object at the top, as Hugo has it.
fn json(source: &str) -> Option<Front<'_>> {
    if !source.starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(source).into_iter::<Json>();
    let Ok(Json::Object(object)) = values.next()? else { return None };
    let end = values.byte_offset();
    let rest = &source[end..];
    let title = object.get("title").and_then(Json::as_str).map(String::from);
    (rest.is_empty() || rest.starts_with('\n')).then_some(Front { text: &source[..end], title })
}

/// `% title`, `% authors`, `% date`.
fn pandoc(source: &str) -> Option<Front<'_>> {
    let first = source.lines().next()?.strip_prefix("% ")?;
    let is_more = |line: &&str| line.starts_with(['%', ' ']) && !line.trim().is_empty();
    let length = source.split_inclusive('\n').take_while(is_more).map(str::len).sum::<usize>();
    let title = Some(first.trim().to_string()).filter(|title| !title.is_empty());
    Some(Front { text: source[..length].trim_end_matches('\n'), title })
}

/// `Title: …` and more fields, up to a blank line.
fn fields(source: &str) -> Option<Front<'_>> {
    const NAMES: [&str; 12] = [
        "title",
        "author",
        "date",
        "tags",
        "category",
        "categories",
        "slug",
        "status",
        "summary",
        "language",
        "lang",
        "modified",
    ];
    let lines: Vec<&str> =
        source.split_inclusive('\n').take_while(|l| !l.trim().is_empty()).collect();
    let is_field = |line: &&str| {
        let name = line.split_once(':').map(|(name, _)| name.trim().to_ascii_lowercase());
        name.is_some_and(|name| NAMES.contains(&name.as_str()))
    };
    let is_front = lines.len() >= 2
        && lines[0].get(..6).is_some_and(|start| start.eq_ignore_ascii_case("title:"))
        && lines.iter().all(is_field);
    let text = source[..lines.concat().len()].trim_end_matches('\n');
    is_front.then(|| Front {
        text,
        title: Some(lines[0][6..].trim().to_string()).filter(|t| !t.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known() {
        let title = |source: &str| front_matter(source).map(|f| f.title.unwrap_or_default());
        let some = |title: &str| Some(title.to_string());
        for (source, found) in [
            ("---\ntitle: The talks\n---\nText", some("The talks")),
            ("\n---\nseo:\n  title: no\nTitle: 'It''s on'  # comment\n...\nText", some("It's on")),
            ("---\ntitle: >-\n  The talks\n  go on\ndate: x\n---\n", some("The talks go on")),
            ("---\ntitle: Plain # comment\n---\n", some("Plain")),
            ("---\ndate: x\n---\n", some("")),
            ("+++\ntitle = \"The \\\"talks\\\"\" # x\n+++\n", some("The \"talks\"")),
            (";;;\n{\"title\": \"The talks\"}\n;;;\n", some("The talks")),
            ("{\n \"title\": \"The talks\"\n}\n\nText", some("The talks")),
            ("% The talks\n% A. Writer\n\nText", some("The talks")),
            ("Title: The talks\nDate: 2024-05-12\n\nText", some("The talks")),
            ("Title: that is how it begins.\nAnd so it goes on.\n", None),
            ("---\n\nText\n\n---\n", None),
            ("---\nno end", None),
            ("{curly} words", None),
            ("Text", None),
        ] {
            assert_eq!(title(source), found, "{source}");
        }
        let front = front_matter("---\na: b\n---\n\nText\n").unwrap();
        assert_eq!(front.text, "---\na: b\n---");
    }
}
