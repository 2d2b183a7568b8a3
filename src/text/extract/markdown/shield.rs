//! What site generators add to Markdown, and its parser does not know: shortcodes, template tags,
//! attribute lists, components, formulas, wiki links.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A part of a text that is markup of another language than Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shield {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it does in its sentence.
    pub role: Role,
}

/// What foreign markup does in its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It stands for itself.
    Point,
    /// It begins a span of text.
    Open,
    /// It ends one.
    Close,
    /// It is a word of its sentence, as a variable's name is.
    Word,
}

static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // Hugo's shortcodes; Liquid, Jinja, Nunjucks: tags and comments
        r"(?<point>\{\{<[\s\S]*?>\}\}|\{\{%[\s\S]*?%\}\}|\{%[\s\S]*?%\}|\{#[\s\S]{0,400}?#\}",
        // attribute lists of kramdown, Pandoc, Quarto; identifiers of headings
        r"|\{[:.#][^{}\n]*\}|\{\{[:.#/!>][^{}\n]*\}\}",
        // components of MDX, with values in braces
        r"|</?[A-Z][A-Za-z0-9.]*(?:\s(?:[^<>{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)?/?>|</?>",
        // comments of MDX; lines of code that it may begin with
        r"|\{/\*[\s\S]*?\*/\}",
        r#"|(?m:^(?:import\s[^\n]*['"][^'"\n]+['"];?|export\s+(?:const|default|let)\s[^\n]*)$)"#,
        // fences of Pandoc's and Docusaurus's blocks
        r"|(?m:^[ \t]*:{3,}[^\n]*$)",
        // marks of footnotes, whether or not the text has the note
        r"|\[\^[^\[\]\s]+\])",
        // wiki links
        r"|(?<wiki>!?\[\[[^\[\]\n]+\]\])",
        // variables, formulas, emoji by name
        r"|(?<word>\{\{[^{}\n]*\}\}|\$\$[^$]+\$\$|\$[^$\n]*[\\^_{][^$\n]*\$)",
    ];
    Regex::new(&kinds.concat()).expect("the pattern is constant and tested")
});

/// The foreign markup of a text, in order.
pub(super) fn shields(text: &str) -> Vec<Shield> {
    let mut found = Vec::new();
    for captures in FOREIGN.captures_iter(text) {
        if let Some(whole) = captures.name("point") {
            let is_definition =
                whole.as_str().starts_with("[^") && text[whole.end()..].starts_with(':');
            if is_definition {
                continue;
            }
            found.push(Shield { range: whole.range(), role: Role::Point });
        } else if let Some(whole) = captures.name("word") {
            let escaped = text[..whole.start()].ends_with('\\');
            if !escaped {
                found.push(Shield { range: whole.range(), role: Role::Word });
            }
        } else if let Some(whole) = captures.name("wiki") {
            found.extend(wiki_link(whole.range(), text));
        }
    }
    found
}

/// A wiki link: `[[target]]` is a word, of `[[target|text]]` the text is translated.
fn wiki_link(range: Range<usize>, text: &str) -> Vec<Shield> {
    // `[[1]](https://x.org)` is a link of Markdown's.
    if text[range.end..].starts_with(['(', '[']) {
        return Vec::new();
    }
    let link = &text[range.clone()];
    let bar = link.rfind('|').filter(|_| !link.starts_with('!'));
    let Some(bar) = bar else { return vec![Shield { range, role: Role::Word }] };
    let Range { start, end } = range;
    vec![
        Shield { range: start..start + bar + 1, role: Role::Open },
        Shield { range: end - 2..end, role: Role::Close },
    ]
}

/// A text in which the foreign markup cannot be taken for Markdown's: letters stand in its place,
/// byte for byte. A line that has nothing else, and belongs to no sentence, is blank.
pub(super) fn shielded(text: &str, shields: &[Shield]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for Shield { range, .. } in shields {
        bytes[range.clone()].fill(b'x');
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        blank_foreign_line(text, range, shields, &mut bytes);
    }
    // Only whole ranges of characters were replaced, each byte by an ASCII character.
    String::from_utf8(bytes).unwrap_or_else(|_| text.into())
}

/// Blanks what a line has of foreign markup, if that begins and ends in it or in lines that have
/// nothing else either.
fn blank_foreign_line(text: &str, line: Range<usize>, shields: &[Shield], bytes: &mut [u8]) {
    let first = shields.partition_point(|shield| shield.range.end <= line.start);
    let own = || shields[first..].iter().take_while(|shield| shield.range.start < line.end);
    if own().next().is_none() || own().any(|shield| shield.role != Role::Point) {
        return;
    }
    let line_of = |place: usize| {
        let start = text[..place].rfind('\n').map_or(0, |at| at + 1);
        let end = text[place..].find('\n').map_or(text.len(), |at| place + at);
        start..end
    };
    let is_bare = |part: &str| part.chars().all(|c| c.is_whitespace() || c == '>');
    let all = || {
        let (from, to) = (own().map(|s| s.range.start).min()?, own().map(|s| s.range.end).max()?);
        Some((line_of(from).start.min(line.start), line_of(to).end.max(line.end)))
    };
    let Some((start, end)) = all() else { return };
    let mut rest = start;
    let mut is_alone = true;
    let first = shields.partition_point(|shield| shield.range.end <= start);
    for shield in shields[first..].iter().take_while(|shield| shield.range.start < end) {
        is_alone &= is_bare(&text[rest..shield.range.start.max(rest)]);
        rest = rest.max(shield.range.end);
    }
    if is_alone && (rest >= end || is_bare(&text[rest..end])) {
        for shield in own() {
            for at in shield.range.clone() {
                bytes[at] = if text.as_bytes()[at] == b'\n' { b'\n' } else { b' ' };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Role)> {
        shields(text).iter().map(|s| (&text[s.range.clone()], s.role)).collect()
    }

    #[test]
    fn foreign_markup_is_found() {
        use Role::*;
        let text = "{{< figure src=\"a_b_c\" >}} et {% if a %}oui{% endif %} {{ page.title }} # T \
            {#fig-x .wide}";
        assert_eq!(
            found(text),
            [
                ("{{< figure src=\"a_b_c\" >}}", Point),
                ("{% if a %}", Point),
                ("{% endif %}", Point),
                ("{{ page.title }}", Word),
                ("{#fig-x .wide}", Point),
            ]
        );
        assert_eq!(
            found("[[Pont|le pont]] [[Bac]] [[1]](https://x.org)"),
            [("[[Pont|", Open), ("]]", Close), ("[[Bac]]", Word)]
        );
        assert_eq!(
            found("<Tabs items={[1, {a: 2}]}>x</Tabs> $x_1 + \\alpha$, 5 $ ou 6 $"),
            [("<Tabs items={[1, {a: 2}]}>", Point), ("</Tabs>", Point), ("$x_1 + \\alpha$", Word)]
        );
        assert!(found("un {mot} et 3 < 5 > 2 : 12:30:45 {").is_empty());
    }

    #[test]
    fn lines_of_their_own_are_blank() {
        let text = "a\n{% if x %}\nb {% y %} c\n> {{< z\n  w >}}\n:::note\nd\n:::\n";
        let shielded = shielded(text, &shields(text));
        let expected = "a\n          \nb xxxxxxx c\n>      \n       \n       \nd\n   \n";
        assert_eq!(shielded, expected);
        assert_eq!(shielded.len(), text.len());
    }
}
