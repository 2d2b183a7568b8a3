//! What site generators add to Markdown, and its parser does not know: shortcodes, template tags,
//! attribute lists, components, formulas, wiki links.

use super::pairs::half;
use crate::text::protect;
use regex::{Captures, Regex};
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
    /// It begins a line of its own, as a heading's mark does.
    Heading,
    /// It begins a block whose text is indented, as an item's mark does.
    Item,
}

static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // code, comments: nothing in them is markup
        r"(?m:^[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*```[^`\n]*$)[\s\S]*?(?:(?m:^[ \t>]*```+[ \t]*$)|\z)",
        r"|(?m:^[ \t>]*~~~[^\n]*$)[\s\S]*?(?:(?m:^[ \t>]*~~~+[ \t]*$)|\z)",
        r"|``(?:[^`\n]|`[^`\n])+``|`[^`\n]+`|<!--[\s\S]*?(?:-->|\z)",
        // Hugo's shortcodes; Liquid, Jinja, Nunjucks: tags and comments
        r"|(?<point>\{\{<(?:[^{}]|\{[^{}]*\})*?>\}\}|\{\{%(?:[^{}]|\{[^{}]*\})*?%\}\}",
        r"|\{%(?:[^{}]|\{[^{}]*\})*?%\}|\{#[^{}]*?#\}|<%[^<>]*%>",
        // elements whose content is Markdown
        r#"|<[a-z][a-z0-9]*(?:\s[^<>]*)?\smarkdown(?:\s*=\s*["'][a-z0-9]+["'])?(?:\s[^<>]*)?>"#,
        // attribute lists of kramdown, Pandoc, Quarto; identifiers of headings
        r"|\{[:.#][^{}\n]*\}|\{\{[:.#/!>][^{}\n]*\}\}",
        // components of MDX, with values in braces
        r"|</?[A-Z][A-Za-z0-9.]*(?:\s(?:[^<>{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)?/?>|</?>",
        // comments of MDX; lines of code that it may begin with
        r"|\{/\*[\s\S]*?\*/\}",
        r#"|(?m:^(?:import\s[^\n]*['"][^'"\n]+['"];?|export\s+(?:const|default|let)\s[^\n]*)$)"#,
        // marks of footnotes, whether or not the text has the note; citations
        r"|\[\^[^\[\]\s]+\]|\[-?@[^\[\]\n]+\])",
        // fences of Pandoc's, Docusaurus's, VitePress's and MyST's blocks
        r"|(?<fence>(?m:^[ \t]*:{3,}[^\n]*$))",
        // callouts of quotations, abbreviations
        r"|(?m:^[ \t]*>[ \t>]*)(?<callout>\[![A-Za-z]+\][+-]?)",
        r"|(?m:^)(?<abbreviation>\*\[[^\[\]\n]+\]:)",
        // admonitions and tabs of MkDocs, whose text is indented
        r"|(?m:^[ \t]*)(?<bang>!!!|\?\?\?|===)(?<kind>\+?(?:[ \t]+[a-z][a-z0-9-]*){0,3})",
        r"(?:[ \t]+(?<title>\x22[^\x22\n]*\x22))?(?m:[ \t]*$)",
        // wiki links
        r"|(?<wiki>!?\[\[[^\[\]\n]+\]\])",
        // marked text, of Obsidian, Pandoc and others
        r"|(?<marked>==[^\s=](?:[^=\n]*[^\s=])?==)",
        // variables, formulas, lowered and raised signs
        r"|(?<word>\{\{[^{}\n]*\}\}|",
        protect::FORMULA,
        r"|(?-u:\b)[A-Za-z0-9]+(?:~[A-Za-z0-9+-]{1,9}~|\^[A-Za-z0-9+-]{1,9}\^)[A-Za-z0-9]*)",
    ];
    Regex::new(&kinds.concat()).expect("the pattern is constant and tested")
});

/// Begins what is no text of a sentence: the address of a link.
const ADDRESS: [&str; 4] = ["<", "](", "]: ", "](<"];

/// The foreign markup of a text, in order.
pub(super) fn shields(text: &str) -> Vec<Shield> {
    let mut found: Vec<Shield> = Vec::new();
    let mut words = words(text).into_iter().peekable();
    let as_word = |range| Shield { range, role: Role::Word };
    let mut at = 0;
    while let Some(captures) = FOREIGN.captures_at(text, at) {
        let whole = captures.get(0).map_or(0..0, |whole| whole.range());
        while let Some(word) = words.next_if(|word| word.end <= whole.start) {
            found.push(as_word(word));
        }
        // The sign of a placeholder (`${name}`, `%1$s`) begins no formula.
        let is_formula = captures.name("word").is_some_and(|word| word.as_str().starts_with('$'));
        let placeholder = words.next_if(|word| is_formula && word.start <= whole.start);
        at = match placeholder {
            Some(word) => {
                found.push(as_word(word.clone()));
                word.end
            }
            None => {
                while words.next_if(|word| word.start < whole.end).is_some() {}
                found.extend(foreign(&captures, text));
                whole.end
            }
        };
    }
    found.extend(words.map(as_word));
    with_codes(found, text)
}

/// The same with one shield for each pair of tags that has something else than text in it.
fn with_codes(shields: Vec<Shield>, text: &str) -> Vec<Shield> {
    const CODES: [&str; 11] = [
        "highlight",
        "code",
        "codeblock",
        "raw",
        "verbatim",
        "comment",
        "mermaid",
        "math",
        "katex",
        "latex",
        "plantuml",
    ];
    let half = |shield: &Shield| {
        let half = half(&text[shield.range.clone()]).filter(|_| shield.role == Role::Point)?;
        let name = CODES.iter().position(|code| *code == half.name)?;
        text[shield.range.clone()].starts_with('{').then_some((name, half.is_end))
    };
    let mut next_end = [None; CODES.len()];
    let mut ends = vec![None; shields.len()];
    for (number, shield) in shields.iter().enumerate().rev() {
        match half(shield) {
            Some((name, true)) => next_end[name] = Some(shield.range.end),
            Some((name, false)) => ends[number] = next_end[name],
            None => {}
        }
    }
    let mut out: Vec<Shield> = Vec::with_capacity(shields.len());
    for (shield, end) in shields.into_iter().zip(ends) {
        if out.last().is_none_or(|last| last.range.end <= shield.range.start) {
            let range = shield.range.start..end.unwrap_or(shield.range.end);
            out.push(Shield { range, ..shield });
        }
    }
    out
}

/// What one find is.
fn foreign(captures: &Captures<'_>, text: &str) -> Vec<Shield> {
    let one = |range: Range<usize>, role| vec![Shield { range, role }];
    let named = |name: &str| captures.name(name).map(|found| found.range());
    if let Some(range) = named("point") {
        let after = &text[range.end..];
        let is_escaped =
            text[..range.start].ends_with('\\') && text[range.clone()].starts_with('<');
        let is_other = is_escaped
            || text[range.clone()].starts_with("[^") && after.starts_with(':')
            || text[range.clone()].starts_with(['[']) && after.starts_with('(');
        return if is_other { Vec::new() } else { one(range, Role::Point) };
    }
    if let Some(range) = named("fence") {
        return fence(range, text);
    }
    if let Some(range) = named("callout").or_else(|| named("abbreviation")) {
        let rest = text[range.end..].split('\n').next().unwrap_or_default();
        let role = if rest.trim().is_empty() { Role::Point } else { Role::Heading };
        return one(range, role);
    }
    if let (Some(bang), Some(kind)) = (named("bang"), named("kind")) {
        let mut parts = one(bang.clone(), Role::Item);
        let title = named("title").filter(|title| title.len() > 2);
        if bang.end < kind.end || title.is_some() {
            let end = title.as_ref().map_or(kind.end, |title| title.start + 1);
            parts.push(Shield { range: bang.end..end, role: Role::Heading });
        }
        parts.extend(title.map(|t| Shield { range: t.end - 1..t.end, role: Role::Point }));
        let is_tab = text[bang].starts_with('=') && parts.len() < 3;
        return if parts.len() > 1 && !is_tab { parts } else { Vec::new() };
    }
    if let Some(Range { start, end }) = named("marked") {
        return [(start..start + 2, Role::Open), (end - 2..end, Role::Close)]
            .map(|(range, role)| Shield { range, role })
            .into();
    }
    if let Some(range) = named("word") {
        let escaped = text[..range.start].ends_with('\\');
        return if escaped { Vec::new() } else { one(range, Role::Word) };
    }
    named("wiki").map_or_else(Vec::new, |range| wiki_link(range, text))
}

/// A fence, whose title is a heading: `::: tip Title`, `:::tip[Title]{.x}`, `:::{note} Title`.
fn fence(range: Range<usize>, text: &str) -> Vec<Shield> {
    static TITLED: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r"^[ \t]*:{3,}[ \t]*(?:[A-Za-z][A-Za-z0-9_-]*|\{[^{}]*\})",
            r"(?:\[(?<label>[^\[\]\n]+)(?<tail>\](?:\{[^{}]*\})?)",
            r"|[ \t]+(?<title>[^\s\[{:=][^{}=\n]*?))[ \t]*$",
        );
        Regex::new(pattern).expect("the pattern is constant and tested")
    });
    let Range { start, end } = range;
    let found = TITLED.captures(&text[range.clone()]);
    let title = found.as_ref().and_then(|found| found.name("label").or(found.name("title")));
    let Some(title) = title.filter(|title| title.as_str().contains(char::is_alphabetic)) else {
        return vec![Shield { range, role: Role::Point }];
    };
    let (head, tail) = (start + title.start(), start + title.end());
    let mut shields = vec![Shield { range: start..head, role: Role::Heading }];
    if found.as_ref().is_some_and(|found| found.name("tail").is_some()) {
        shields.push(Shield { range: tail..end, role: Role::Point });
    }
    shields
}

/// Addresses and placeholders of running text, whose marks are no emphasis.
fn words(text: &str) -> Vec<Range<usize>> {
    let word = |span: Range<usize>| {
        let (before, own) = (&text[..span.start], &text[span.clone()]);
        // Wiki links are looked at by themselves.
        let is_text = !own.starts_with(['<', '`', '&', '[', '!'])
            && !ADDRESS.iter().any(|mark| before.ends_with(mark));
        // What Markdown and tables may have after an address.
        let length = own.find("](").or_else(|| own.find("][")).or_else(|| own.find('|'));
        let length = length.unwrap_or(own.len());
        (is_text && length > 0).then(|| span.start..span.start + length)
    };
    protect::spans(text).into_iter().filter_map(word).collect()
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
/// byte for byte, and points at its ends where it has marks there. A line that has nothing else,
/// and belongs to no sentence, is blank.
pub(super) fn shielded(text: &str, shields: &[Shield]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for Shield { range, role } in shields {
        let mark = match role {
            Role::Heading => Some(b'#'),
            Role::Item => Some(b'-'),
            _ => None,
        };
        bytes[range.clone()].fill(if mark.is_some() { b' ' } else { b'x' });
        match mark {
            Some(mark) => bytes[range.start] = mark,
            // Whether emphasis begins beside it depends on that.
            None => [range.start, range.end - 1]
                .into_iter()
                .filter(|at| text.as_bytes()[*at].is_ascii_punctuation())
                .for_each(|at| bytes[at] = b'.'),
        }
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
    // What began in a line before was looked at there.
    if own().next().is_none_or(|shield| shield.range.start < line.start)
        || own().any(|shield| shield.role != Role::Point)
    {
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
        for shield in shields[first..].iter().take_while(|shield| shield.range.start < end) {
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
        assert!(found("un mot et 3 < 5 > 2 : 12:30:45 {").is_empty());
        // Signs of placeholders and prices are no formulas, whatever stands between them.
        assert_eq!(
            found("${a} un [mot](x) ${b}, %1$s {c} %2$s, 5 $ de a_b et 6 $, $n_1$"),
            ["${a}", "${b}", "%1$s", "{c}", "%2$s", "$n_1$"].map(|word| (word, Word))
        );
    }

    #[test]
    fn lines_of_their_own_are_blank() {
        let text = "a\n{% if x %}\nb {% y %} c\n> {{< z\n  w >}}\n:::note\nd\n:::\n";
        let shielded = shielded(text, &shields(text));
        let expected = "a\n          \nb .xxxxx. c\n>      \n       \n       \nd\n   \n";
        assert_eq!(shielded, expected);
        assert_eq!(shielded.len(), text.len());
    }
}
