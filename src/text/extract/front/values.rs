//! The values of front matter that people read: titles, descriptions, captions. Each has a place in
//! it; all else is the site generator's.

use crate::text::protect;
use crate::types::Notation;
use std::ops::Range;

/// A text in front matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::text::extract) struct Value {
    /// Its place, quotes included.
    pub range: Range<usize>,
    /// What it says.
    pub text: String,
    /// How it is written.
    pub notation: Notation,
}

/// Names of fields that hold text for readers, without the marks between their words.
const TEXTS: [&str; 32] = [
    "abstract",
    "alt",
    "caption",
    "deck",
    "dek",
    "description",
    "excerpt",
    "heading",
    "headline",
    "imagealt",
    "imagecaption",
    "intro",
    "introduction",
    "kicker",
    "lead",
    "lede",
    "linktitle",
    "metadescription",
    "metatitle",
    "navtitle",
    "ogdescription",
    "ogtitle",
    "seodescription",
    "seotitle",
    "shorttitle",
    "sidebarlabel",
    "standfirst",
    "subheading",
    "subtitle",
    "summary",
    "tagline",
    "title",
];

/// The texts of front matter, in order.
pub(in crate::text::extract) fn values(front: &str) -> Vec<Value> {
    let start = front.len() - front.trim_start().len();
    let line = front[start..].lines().next().unwrap_or_default();
    let inner = start + line.len();
    let body = front[inner.min(front.len())..].trim_start();
    let mut found = match line.get(..3).unwrap_or_default() {
        "+++" => Lines { front, is_toml: true }.values(),
        "---" | ";;;" if body.starts_with('{') => json(front),
        "---" => Lines { front, is_toml: line.ends_with("toml") }.values(),
        _ if line.starts_with('{') => json(front),
        _ if line.starts_with("% ") => vec![Value {
            range: start + 2..start + line.trim_end().len(),
            text: line[2..].trim().into(),
            notation: Notation::Line,
        }],
        _ => Lines { front, is_toml: false }.fields(),
    };
    found.retain(|value| protect::is_translatable(&value.text) && !is_word(&value.text));
    found
}

/// Whether a value is no text but a word of the format's, or a template's.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 5] = ["true", "false", "yes", "no", "null"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) || text.starts_with("{{")
}

fn is_text(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let name = name.to_ascii_lowercase();
    TEXTS.contains(&name.rsplit('.').next().unwrap_or_default())
}

/// Front matter line by line, in YAML or TOML.
struct Lines<'a> {
    front: &'a str,
    is_toml: bool,
}

impl<'a> Lines<'a> {
    fn values(&self) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        let mut at = 0;
        while at < self.front.len() {
            let next = self.next_line(at);
            let mut end = next;
            if let Some((column, start)) = self.field(at) {
                let own = self.value(start, column);
                end = own.last().map_or(next, |last| self.next_line(last.range.end)).max(next);
                found.extend(own);
            }
            at = end;
        }
        found
    }

    /// MultiMarkdown's fields, whose values have no quotes.
    fn fields(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.front.len() {
            if let Some((_, start)) = self.field(at) {
                let line = self.line(start);
                let range = start..start + line.trim_end().len();
                found.push(Value { range, text: line.trim().into(), notation: Notation::Line });
            }
            at = self.next_line(at);
        }
        found
    }

    /// What is left of the line at a place, without its end.
    fn line(&self, at: usize) -> &'a str {
        let rest = &self.front[at..];
        &rest[..rest.find('\n').unwrap_or(rest.len())]
    }

    fn next_line(&self, at: usize) -> usize {
        let rest = &self.front[at.min(self.front.len())..];
        at + rest.find('\n').map_or(rest.len(), |end| end + 1)
    }

    /// The field of text that a line begins: its column, and where its value begins.
    fn field(&self, at: usize) -> Option<(usize, usize)> {
        let line = self.line(at);
        let mut body = line.trim_start();
        while let Some(item) = body.strip_prefix("- ").filter(|_| !self.is_toml) {
            body = item.trim_start();
        }
        let column = line.len() - body.len();
        let (name, value) = body.split_once(if self.is_toml { '=' } else { ':' })?;
        let is_apart = self.is_toml || value.is_empty() || value.starts_with([' ', '\t']);
        let name = name.trim().trim_matches(['"', '\'']);
        let start = at + line.len() - value.trim_start().len();
        (is_apart && is_text(name)).then_some((column, start))
    }

    /// The texts of the value that begins at a place.
    fn value(&self, start: usize, column: usize) -> Vec<Value> {
        let line = self.line(start);
        let one = |value: Option<Value>| value.into_iter().collect();
        if self.is_toml {
            for mark in ["\"\"\"", "'''"] {
                if line.starts_with(mark) {
                    return self.between(start, mark);
                }
            }
        }
        match line.chars().next() {
            Some('"') => one(self.double(start)),
            Some('\'') => one(self.single(start)),
            Some('|' | '>') if !self.is_toml => self.block(start, column),
            None | Some('[' | '{' | '&' | '*' | '!' | '%' | '@' | '`' | '#') => Vec::new(),
            Some(_) if self.is_toml => Vec::new(),
            Some(_) => one(self.bare(start, column)),
        }
    }

    /// A value that ends at a place, if nothing but a comment follows in its line.
    fn ended(&self, range: Range<usize>, text: String, notation: Notation) -> Option<Value> {
        let after = self.line(range.end).trim();
        let is_end = after.is_empty() || after.starts_with('#');
        is_end.then_some(Value { range, text, notation })
    }

    fn double(&self, start: usize) -> Option<Value> {
        let inner = &self.front[start + 1..];
        let mut escaped = false;
        let end = inner.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        })?;
        let written =
            folded(&inner[..end]).filter(|text| !text.contains('\\') || !self.wraps(text));
        let text: String = serde_json::from_str(&format!("\"{}\"", written?)).ok()?;
        self.ended(start..start + end + 2, text, Notation::Double)
    }

    /// Whether a line ends with a backslash, as some do that go on.
    fn wraps(&self, text: &str) -> bool {
        text.contains("\\ ")
    }

    fn single(&self, start: usize) -> Option<Value> {
        let inner = &self.front[start + 1..];
        let mut end = inner.find('\'')?;
        while !self.is_toml && inner[end + 1..].starts_with('\'') {
            end += 2 + inner[end + 2..].find('\'')?;
        }
        let (text, notation) = match self.is_toml {
            true => (inner[..end].to_string(), Notation::Literal),
            false => (folded(&inner[..end])?.replace("''", "'"), Notation::Single),
        };
        (!text.contains('\n')).then_some(())?;
        self.ended(start..start + end + 2, text, notation)
    }

    /// A value without quotes: it goes on in lines that are further in, up to a comment.
    fn bare(&self, start: usize, column: usize) -> Option<Value> {
        let line = self.line(start);
        let own = line.split(" #").next().unwrap_or_default().trim_end();
        let mut end = start + own.len();
        let mut text = own.to_string();
        let mut at = self.next_line(start);
        while own.len() == line.trim_end().len() && at < self.front.len() {
            let line = self.line(at);
            let body = line.trim();
            if body.is_empty() || indent(line) <= column || body.starts_with('#') {
                break;
            }
            // Fields, items: whatever that is, it is no text that goes on.
            if body.contains(": ") || body.ends_with(':') || body.contains(" #") {
                return None;
            }
            text = format!("{text} {body}");
            end = at + line.trim_end().len();
            at = self.next_line(at);
        }
        (!text.contains(": ")).then_some(Value {
            range: start..end,
            text,
            notation: Notation::Bare,
        })
    }

    /// The paragraphs of a block of lines that are further in.
    fn block(&self, start: usize, column: usize) -> Vec<Value> {
        let header = self.line(start).split('#').next().unwrap_or_default().trim();
        let is_folded = header.starts_with('>');
        if !header[1..].chars().all(|c| matches!(c, '+' | '-' | '1'..='9')) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut at = self.next_line(start);
        while at < self.front.len() {
            let line = self.line(at);
            if !line.trim().is_empty() && indent(line) <= column {
                break;
            }
            lines.push(at);
            at = self.next_line(at);
        }
        self.paragraphs(&lines, is_folded)
    }

    /// The paragraphs of a TOML string of several lines.
    fn between(&self, start: usize, mark: &str) -> Vec<Value> {
        let first = start + mark.len();
        let Some(end) = self.front[first..].find(mark).map(|end| first + end) else {
            return Vec::new();
        };
        if self.front[first..end].contains('\\') {
            return Vec::new();
        }
        let part = Lines { front: &self.front[..end], is_toml: true };
        let mut lines = vec![first];
        while let Some(next) = lines.last().map(|at| part.next_line(*at)).filter(|at| *at < end) {
            lines.push(next);
        }
        part.paragraphs(&lines, false)
    }

    /// The paragraphs of some lines. Where line breaks count, a line goes on in the next one if no
    /// sentence ends with it and no list begins there.
    fn paragraphs(&self, lines: &[usize], is_folded: bool) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        let (mut goes_on, mut before) = (false, 0);
        for &at in lines {
            let line = self.line(at);
            let (body, depth) = (line.trim(), indent(line));
            if body.is_empty() {
                goes_on = false;
                continue;
            }
            let is_item = body.starts_with(['-', '*', '#', '>', '|', '<', '`']);
            let end = at + line.trim_end().len();
            match found.last_mut() {
                Some(last) if goes_on && !is_item && depth == before => {
                    last.text = format!("{} {body}", last.text);
                    last.range.end = end;
                }
                _ => {
                    let range = end - line.trim_end().trim_start().len()..end;
                    found.push(Value { range, text: body.into(), notation: Notation::Line });
                }
            }
            goes_on = is_folded || !body.ends_with(['.', '!', '?', ':', ';', '…']);
            before = depth;
        }
        found
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Lines of a quoted value as YAML joins them; none where blank lines divide them.
fn folded(text: &str) -> Option<String> {
    if !text.contains('\n') {
        return Some(text.into());
    }
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    (!lines.iter().any(|line| line.is_empty() || line.ends_with('\\'))).then(|| lines.join(" "))
}

/// The texts of a JSON object.
fn json(front: &str) -> Vec<Value> {
    let bytes = front.as_bytes();
    let (mut found, mut name, mut at) = (Vec::new(), String::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'}' {
            name.clear();
        }
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        let range = at..(end + 1).min(bytes.len());
        at = range.end;
        let Some(Ok(text)) = front.get(range.clone()).map(serde_json::from_str::<String>) else {
            continue;
        };
        if front[at..].trim_start().starts_with(':') {
            name = text;
        } else if is_text(&name) {
            found.push(Value { range, text, notation: Notation::Double });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(front: &str) -> Vec<(String, Notation)> {
        let shown = |value: Value| {
            assert!(!front[value.range.clone()].is_empty());
            (value.text, value.notation)
        };
        values(front).into_iter().map(shown).collect()
    }

    #[test]
    fn texts_of_every_kind_of_front_matter() {
        use Notation::*;
        let yaml = "---\ntitle: The talks # one\nslug: talks\ndescription: 'It''s on'\nsummary: >-\n  \
            One day\n  of talks.\n\n  Two.\nexcerpt: |\n  A line\n  goes on.\n  - item\ncover:\n  \
            alt: \"A \\\"map\\\"\"\n  image: map.png\ndraft: true\nlead: true\nitems:\n  - title: \
            First\n    url: a: b\nsubtitle: goes\n  on here\ndeck: [a, b]\n---\n";
        let expected = [
            ("The talks", Bare),
            ("It's on", Single),
            ("One day of talks.", Line),
            ("Two.", Line),
            ("A line goes on.", Line),
            ("- item", Line),
            ("A \"map\"", Double),
            ("First", Bare),
            ("goes on here", Bare),
        ];
        assert_eq!(found(yaml), expected.map(|(text, notation)| (text.to_string(), notation)));
        let toml = "+++\ntitle = \"The talks\"\ndate = 2024-05-12\nparams.description = 'On'\n\
            summary = \"\"\"\nOne.\nTwo\ngoes on.\n\"\"\"\n[seo]\ntitle = \"T\\u00e9\"\n+++";
        let expected = [
            ("The talks", Double),
            ("On", Literal),
            ("One.", Line),
            ("Two goes on.", Line),
            ("Té", Double),
        ];
        assert_eq!(found(toml), expected.map(|(text, notation)| (text.to_string(), notation)));
        let json = "{\"title\": \"A \\\"b\\\"\", \"tags\": [\"x\"], \"seo\": {\"description\": \
            \"On\", \"n\": 1}}";
        let expected = [("A \"b\"", Double), ("On", Double)];
        assert_eq!(found(json), expected.map(|(text, notation)| (text.to_string(), notation)));
        assert_eq!(found("% The talks\n% Me"), [("The talks".to_string(), Line)]);
        assert_eq!(found("Title: The talks\nDate: x"), [("The talks".to_string(), Line)]);
        for odd in ["---\ntitle: \"open\n---", "---\ntitle:\n  a: b\n---", "+++\ntitle = '''\n+++"]
        {
            assert!(found(odd).is_empty(), "{odd}");
        }
    }
}
