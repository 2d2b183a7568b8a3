//! What site generators and other tools add to Markdown, and its parser does not know: shortcodes,
//! template tags, attribute lists, components, formulas, citations, wiki links.

use super::fences::{Fenced, fence, fenced};
use super::label;
use super::marked_lines::marked_lines;
use super::pairs::half;
use super::shield::{Role, Shield};
use crate::text::html::{self, Place};
use crate::text::{protect, tag};
use regex::{Captures, Regex};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::LazyLock;

/// What stands for itself, in a sentence or in lines of its own. Nothing looks for its end beyond
/// another beginning of its kind, so that a search takes no longer than what it finds.
const POINTS: &[&str] = &[
    // Hugo's shortcodes; Liquid, Jinja, Nunjucks: tags and comments
    r"\{\{<(?:[^{}]|\{[^{}]*\})*?>\}\}|\{\{%(?:[^{}]|\{[^{}]*\})*?%\}\}",
    r"\{%(?:[^{}]|\{[^{}]*\})*?%\}|\{#[^{}]*?#\}",
    // ERB, EJS, ASP; PHP; files put in by Markdown's extension for Python
    r"<%(?:[^%<]|%[^>]|<[^%])*%>|<\?(?:php\b|=)(?:[^?<]|\?[^>]|<[^?])*\?>|\{![^{}\n]*!\}",
    // elements whose content is Markdown
    r#"<[a-z][a-z0-9]*(?:\s[^<>]*)?\smarkdown(?:\s*=\s*["'][a-z0-9]+["'])?(?:\s[^<>]*)?>"#,
    // attribute lists of kramdown, Pandoc, Quarto, MkDocs; identifiers of headings; raw formats
    r"\{[ \t]*(?:[:.#]|[A-Za-z][A-Za-z0-9_:-]*=)[^{}\n]*\}|\{(?:-|=[a-z0-9_]+)\}",
    r"\{\{[:.#/!>][^{}\n]*\}\}",
    // components of MDX, with values in braces; comments and expressions
    r"</?[A-Z][A-Za-z0-9.]*(?:\s(?:[^<>{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)?/?>|</?>",
    r"\{/\*(?:[^{*]|\{[^/]|\*[^/])*\*/\}|\{\s*(?:'[^'\n]*'|\x22[^\x22\n]*\x22|`[^`\n]*`)\s*\}",
    concat!(
        r"\{\s*(?:\.\.\.|!|new\s+|await\s+)?[A-Za-z_$][A-Za-z0-9_$]*",
        r"(?:\??\.[A-Za-z_$][A-Za-z0-9_$]*|\[[^\[\]{}\n]*\])*",
        r"(?:\(|\s*=>|\s+(?:[-+*/%<>?]|&&|\|\||[!=]==?)\s)",
        r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}",
    ),
    // lines of code that MDX has
    concat!(
        r"(?m:^import\s+(?:[A-Za-z0-9_*\s{},]+\sfrom\s+)?(?:'[^'\n]+'|\x22[^\x22\n]+\x22)",
        r"[ \t]*;?[ \t]*$)",
    ),
    concat!(
        r"(?m:^export\s+(?:const|default|let|var|async|function|class)\s[^\n]*)",
        r"(?:\n[^\n]*\S[^\n]*|\n(?:[ \t]*\n)+[})\]][^\n]*)*",
    ),
    // marks of footnotes, whether or not the text has the note; citations
    r"\[\^[^\[\]\s]+\]",
    concat!(
        r"\[(?:[^\[\]\n@]{0,60}[\s(;])?-?@[A-Za-z0-9_][A-Za-z0-9_:.#$%&+?<>~/-]*",
        r"(?:[,;][^\[\]\n]*|[^\S\n]+pp?\.[^\[\]\n]*)?\]",
    ),
    // commands of TeX; comments of Obsidian; media of VuePress; keys of MkDocs; symbols by name
    r"\\[A-Za-z]+\*?(?:\[[^\[\]\n]*\])*(?:\{(?:[^{}\n]|\{[^{}\n]*\})*\})+",
    r"(?m:(?:^|[ \t])%%[^%\n]+%%)|@\[[^\[\]\n]*\]\([^()\n]*\)",
    r"\+\+[A-Za-z0-9_-]+(?:\+[A-Za-z0-9_-]+)*\+\+",
    r"(?-u:\b{start-half}):(?:[+-]1|[a-z][a-z0-9_+-]*[a-z0-9]):(?-u:\b{end-half})",
];

/// Whole lines that stand for themselves.
const LINES: &[&str] = &[
    // files put in by MkDocs and VitePress, tables of contents
    r"-+8<-+[ \t]*\n(?:[^\n]*\n)*?[ \t]*-+8<-+|-+8<-+[ \t]+(?:'[^'\n]*'|\x22[^\x22\n]*\x22)",
    r"<<<[ \t]*[@./~A-Za-z][^\n]*|\[(?:TOC|toc)\]",
    // labels and breaks of MyST, blocks of Obsidian: their comments and names
    r"\([A-Za-z0-9_][A-Za-z0-9_:./-]*\)=|\+{3}(?:[ \t]*\{[^\n]*\})?",
    r"%%[^%]*%%|\^[A-Za-z0-9][A-Za-z0-9-]*",
    // commands of TeX; formulas, with their labels
    concat!(
        r"\\[A-Za-z@]+\*?(?:\[[^\[\]\n]*\]",
        r"|\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\})*",
    ),
    r"\$\$[^$]+\$\$(?:[ \t]*(?:\{#[^{}\n]*\}|\([A-Za-z0-9_:-]+\)))?",
    protect::DISPLAYED,
];

/// Text between two marks: marked by Obsidian and others, changed by CriticMarkup, notes and spans
/// of Pandoc, arguments of TeX.
const SPANS: &[&str] = &[
    r"==[^\s=](?:[^=\n]*[^\s=])?==|\^\^[^\s^](?:[^^\n]*[^\s^])?\^\^",
    r"\{(?:\+\+[^{}+\n]+\+\+|--[^{}\n]+--|==[^{}=\n]+==|>>[^{}<>\n]+<<)\}",
    r"\^\[(?:[^\[\]\n]|\[[^\[\]\n]*\])+\]",
    concat!(
        r"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])+\]",
        r"\{[ \t]*(?:[:.#]|[A-Za-z][A-Za-z0-9_:-]*=)[^{}\n]*\}",
    ),
    concat!(
        r"\\(?:text|textbf|textit|textsc|textsl|emph|underline|footnote|caption|title|author|part",
        r"|chapter|(?:sub){0,2}section|(?:sub)?paragraph)\*?\{[^{}\n]+\}",
    ),
];

static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // code, comments: nothing in them is markup
        r"``(?:[^`\n]|`[^`\n])+``|`[^`\n]+(?:``+[^`\n]+)*`|<!--[\s\S]*?(?:-->|\z)",
        // roles of MyST, with their own text or without
        &format!("|(?<role>{})", protect::ROLE),
        &format!("|(?<span>{})", SPANS.join("|")),
        &format!(r"|(?<line>(?m:^[ \t]*(?:{})[ \t]*$))", LINES.join("|")),
        // the name of a block of Obsidian, after its text
        r"|(?<name>[ \t]\^[A-Za-z0-9][A-Za-z0-9-]*(?m:[ \t]*$))",
        &format!("|(?<point>{})", POINTS.join("|")),
        // elements with values that are code
        concat!(
            r"|(?<element><[a-z][A-Za-z0-9.-]*\s(?:[^<>{}]|\{(?:[^{}]|\{[^{}]*\})*\})*?=",
            r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}",
            r"(?:[^<>{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*/?>)",
        ),
        // fences of blocks of Pandoc, Docusaurus, VitePress, MyST, and of Python's extensions
        r"|(?<fence>(?m:^[ \t]*(?::{3,}|/{3,}(?:[ \t]+[a-z]|[ \t]*$))[^\n]*$))",
        // callouts of quotations, abbreviations
        r"|(?m:^[ \t]*>[ \t>]*)(?<callout>\[![A-Za-z]+\][+-]?)",
        r"|(?m:^)(?<abbreviation>\*\[[^\[\]\n]+\]:)",
        // items that Pandoc counts
        r"|(?m:^[ \t]*)(?<counted>#\.[ \t])",
        // admonitions and tabs of MkDocs, whose text is indented
        r"|(?m:^[ \t]*)(?<bang>!!!|\?\?\?|===)(?<kind>\+?(?:[ \t]+[a-z][a-z0-9-]*){0,3})",
        r"(?:[ \t]+(?<title>\x22[^\x22\n]*\x22))?(?m:[ \t]*$)",
        // wiki links
        r"|(?<wiki>!?\[\[[^\[\]\n^][^\[\]\n]*\]\])",
        // variables, messages, formulas, lowered and raised signs
        r"|(?<word>\{\{\{[^{}\n]*\}\}\}|\{\{[^{}\n]*\}\}|\$`[^`\n]+`\$|",
        &format!("{}|", protect::message()),
        &[protect::FORMULA, protect::INLINE, protect::DISPLAYED, protect::RAISED].join("|"),
        ")",
    ];
    Regex::new(&kinds.concat()).expect("the pattern is constant and tested")
});

/// Begins what is no text of a sentence: the address of a link.
const ADDRESS: [&str; 4] = ["<", "](", "]: ", "](<"];

/// The foreign markup of a text, in order.
pub(super) fn shields(text: &str) -> Vec<Shield> {
    let mut found: Vec<Shield> = Vec::new();
    let mut words = VecDeque::from(words(text));
    let mut at = 0;
    let mut lines = fenced(text);
    lines.extend(marked_lines(text, &lines));
    lines.sort_by_key(|line| line.range.start);
    for Fenced { range, role } in lines {
        running(text, at..range.start, &mut words, &mut found);
        pass(&mut words, range.end, text);
        at = range.end;
        found.extend(role.map(|role| Shield { range, role }));
    }
    running(text, at..text.len(), &mut words, &mut found);
    with_codes(found, text)
}

/// The foreign markup of a part of a text that has no fences in it, and the words there.
fn running(
    text: &str,
    part: Range<usize>,
    words: &mut VecDeque<Range<usize>>,
    found: &mut Vec<Shield>,
) {
    let as_word = |range| Shield { range, role: Role::Word };
    let (mut at, own) = (part.start, &text[..part.end]);
    while let Some(captures) = FOREIGN.captures_at(own, at) {
        let whole = captures.get(0).map_or(0..0, |whole| whole.range());
        while let Some(word) = words.pop_front_if(|word| word.end <= whole.start) {
            found.push(as_word(word));
        }
        // The sign of a placeholder (`${name}`, `%1$s`) begins no formula.
        let is_formula = captures.name("word").is_some_and(|word| word.as_str().starts_with('$'));
        let placeholder = words.pop_front_if(|word| is_formula && word.start <= whole.start);
        at = match placeholder {
            Some(word) => {
                found.push(as_word(word.clone()));
                word.end
            }
            None => {
                pass(words, whole.end, text);
                found.extend(foreign(&captures, text));
                whole.end
            }
        };
    }
    while let Some(word) = words.pop_front_if(|word| word.end <= part.end) {
        found.push(as_word(word));
    }
}

/// Leaves out the words that begin before a place. What the last of them has behind it is looked at
/// again: it began in what is no text.
fn pass(all: &mut VecDeque<Range<usize>>, end: usize, text: &str) {
    /// Longer ones are passed over, so that no part is looked at many times.
    const LONGEST: usize = 1000;
    let mut last = end;
    while let Some(word) = all.pop_front_if(|word| word.start < end) {
        last = last.max(word.end);
    }
    if (1..LONGEST).contains(&(last - end)) && text.is_char_boundary(end) {
        let rest = words(&text[end..last]).into_iter().rev();
        rest.for_each(|word| all.push_front(end + word.start..end + word.end));
    }
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
        let own = text[shield.range.clone()].trim();
        let half = half(own).filter(|_| shield.role == Role::Point)?;
        // An environment of TeX holds code of any name.
        let is_code = own.starts_with('\\') || own.starts_with('{') && CODES.contains(&half.name);
        is_code.then_some((half.name, half.is_end))
    };
    let mut next_end: HashMap<&str, usize> = HashMap::new();
    let mut ends = vec![None; shields.len()];
    for (number, shield) in shields.iter().enumerate().rev() {
        match half(shield) {
            Some((name, true)) => _ = next_end.insert(name, shield.range.end),
            Some((name, false)) => ends[number] = next_end.get(name).copied(),
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
        let (own, after) = (&text[range.clone()], &text[range.end..]);
        let is_escaped = text[..range.start].ends_with('\\') && own.starts_with(['<', '\\']);
        if is_escaped || own.starts_with("[^") && after.starts_with(':') {
            return Vec::new();
        }
        // The text of a link of Markdown's.
        if own.starts_with('[') && label::is_target(after) {
            return within(range.start + 1..range.end, text);
        }
        return one(range, Role::Point);
    }
    if let Some(range) = named("line").or_else(|| named("name")) {
        return one(range, Role::Point);
    }
    if let Some(range) = named("span") {
        return span(range, text);
    }
    if let Some(range) = named("role") {
        return role(range, text);
    }
    if let Some(range) = named("element") {
        // An element that begins a block is HTML's.
        let name = tag::name(&text[range.clone()]).to_ascii_lowercase();
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let begins = text[line..range.start].trim().is_empty();
        let is_block = matches!(html::place(&name), Place::Block | Place::Preformatted);
        return if is_block && begins { Vec::new() } else { one(range, Role::Point) };
    }
    if let Some(range) = named("fence") {
        return fence(range, text);
    }
    if let Some(range) = named("callout").or_else(|| named("abbreviation")) {
        let rest = text[range.end..].split('\n').next().unwrap_or_default();
        let role = if rest.trim().is_empty() { Role::Point } else { Role::Heading };
        return one(range, role);
    }
    if let Some(range) = named("counted") {
        return one(range, Role::Item);
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
    if let Some(range) = named("word") {
        let escaped = text[..range.start].ends_with('\\');
        return if escaped { Vec::new() } else { one(range, Role::Word) };
    }
    named("wiki").map_or_else(Vec::new, |range| wiki_link(range, text))
}

/// The marks at the ends of a span of text, and the foreign markup in it.
fn span(range: Range<usize>, text: &str) -> Vec<Shield> {
    let Range { start, end } = range;
    let own = &text[range];
    let (open, close) = match own.as_bytes() {
        [b'{', ..] => (3, 3),
        [b'^', b'[', ..] => (2, 1),
        [b'[', ..] => (1, own.len() - own.rfind("]{").unwrap_or(own.len() - 1)),
        [b'\\', ..] => (own.find('{').map_or(1, |at| at + 1), 1),
        _ => (2, 2),
    };
    let inside = start + open..end - close;
    if text[..start].ends_with('\\') {
        return Vec::new();
    } else if own.starts_with("^[") && label::plain(&text[inside.clone()]).is_some() {
        // A note in its text is no part of the sentence around it.
        return vec![Shield { range: start..end, role: Role::Point }];
    } else if own.starts_with('[') && text[..start].ends_with([']', '!']) {
        // The brackets are a label, or an image's.
        return vec![Shield { range: inside.end + 1..end, role: Role::Point }];
    }
    let mut all = vec![Shield { range: start..inside.start, role: Role::Open }];
    all.extend(within(inside.clone(), text));
    all.push(Shield { range: inside.end..end, role: Role::Close });
    all
}

/// The foreign markup of a part of a text.
fn within(part: Range<usize>, text: &str) -> Vec<Shield> {
    let moved = |Shield { range, role }: Shield| Shield {
        range: part.start + range.start..part.start + range.end,
        role,
    };
    shields(&text[part.clone()]).into_iter().map(moved).collect()
}

/// A role of MyST: a word, but for the text of a reference that has its own, with the label in
/// angle brackets after it.
fn role(range: Range<usize>, text: &str) -> Vec<Shield> {
    const REFERENCES: [&str; 7] = ["ref", "doc", "numref", "any", "download", "term", "cite"];
    let Range { start, end } = range;
    let own = &text[range.clone()];
    let tick = own.find('`').unwrap_or_default();
    let name = own[..tick].trim_matches(['{', '}', ':']);
    let name = name.rsplit(':').next().unwrap_or(name);
    let label = own.rfind('<').filter(|_| own.ends_with(">`") && REFERENCES.contains(&name));
    let shown = label.map(|at| own[tick + 1..at].trim_end());
    match shown.filter(|shown| protect::is_translatable(shown)) {
        Some(shown) => vec![
            Shield { range: start..start + tick + 1, role: Role::Open },
            Shield { range: start + tick + 1 + shown.len()..end, role: Role::Close },
        ],
        None => vec![Shield { range, role: Role::Word }],
    }
}

/// Addresses and placeholders of running text, whose marks are no emphasis.
fn words(text: &str) -> Vec<Range<usize>> {
    let word = |span: Range<usize>| {
        let (before, own) = (&text[..span.start], &text[span.clone()]);
        // Wiki links are looked at by themselves.
        let is_text = !own.starts_with(['<', '&', '[', '!'])
            && !ADDRESS.iter().any(|mark| before.ends_with(mark));
        // What Markdown and tables may have after an address.
        let length = own.find("](").or_else(|| own.find("][")).or_else(|| own.find('|'));
        let length = length.unwrap_or(own.len());
        // And what ends the emphasis around it.
        let own = &own[..length];
        let ends = ["**", "~~", "*.", "*,", "*;", "*:", "*!", "*?", "*)"];
        let length = match own.as_bytes().first() {
            Some(b'_' | b'{' | b'$' | b'%' | b'\\') => length,
            _ => {
                let end = ends.iter().filter_map(|end| own.find(end)).min().unwrap_or(length);
                own[..end].trim_end_matches('_').len()
            }
        };
        (is_text && length > 0).then(|| span.start..span.start + length)
    };
    // Fences may hold text, and what is code is passed over where it is found.
    let without_code = text.contains('`').then(|| text.replace('`', " "));
    protect::spans(without_code.as_deref().unwrap_or(text)).into_iter().filter_map(word).collect()
}

/// A wiki link: `[[target]]` is a word, of `[[target|text]]` the text is translated.
fn wiki_link(range: Range<usize>, text: &str) -> Vec<Shield> {
    // `[[1]](https://x.org)` is a link of Markdown's.
    if label::is_target(&text[range.end..]) {
        return within(range.start + 1..range.end - 1, text);
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
}
