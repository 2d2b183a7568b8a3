use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// A formula of TeX between its signs: no space inside of them, and a mark that no price has; or
/// nothing but names of a letter or two, numbers, and operators between them, `$n = 2k$`.
pub const FORMULA: &str = concat!(
    r"\$\$[^$]+\$\$",
    r"|\$(?:[^\s$`][^$`\n]*)?[\\^_{](?:[^$`\n]*[^\s$`])?\$",
    r"|(?-u:\b{start-half})\$-?[0-9(|.]*[A-Za-z]{1,2}(?:[0-9()|\[\],.'!]+[A-Za-z]{1,2})*",
    r"[0-9()|\[\],.'!]*(?: ?[=<>+*/:,-] ?-?(?:[0-9][0-9.,)]*|[0-9(|.]*[A-Za-z]{1,2}",
    r"(?:[0-9()|\[\],.'!]+[A-Za-z]{1,2})*[0-9()|\[\],.'!]*))*\$",
    // an address may follow without a space
    r"(?:(?-u:\b{end-half})|(?i:https?)://[^\s<>\x22“”«»`]+)",
);

/// A formula of LaTeX between its brackets, `\(x_1\)`: with a mark or a command that no text
/// between escaped brackets has. `\\(x_1\\)` is the same where Markdown takes a backslash away.
pub const INLINE: &str = concat!(
    r"\\{1,2}\((?:(?:[^\\\n]|\\[A-Za-z,;!{}| ])*?(?:[\^_=]|\\[A-Za-z])",
    r"(?:[^\\\n]|\\[A-Za-z,;!{}| ])*?|[A-Za-z])\\{1,2}\)",
);

/// One that is shown by itself, `\[x_1\]`.
pub const DISPLAYED: &str = concat!(
    r"\\{1,2}\[(?:[^\\]|\\[A-Za-z,;!{}| ]|\\\\[^\[\]()])*?(?:[\^_=]|\\[A-Za-z])",
    r"(?:[^\\]|\\[A-Za-z,;!{}| ]|\\\\[^\[\]()])*?\\{1,2}\]",
);

/// A role of MyST or of reStructuredText with its text in backticks: `{ref}` or `:doc:` before it.
pub const ROLE: &str = r"(?:\{[A-Za-z][A-Za-z0-9_:+.-]*\}|:[a-z][a-z0-9_:+.-]*:)`[^`\n]+`";

/// Lowered and raised signs of Pandoc's Markdown, with the word that they stand in: `H~2~O`.
pub const RAISED: &str =
    r"(?-u:\b)[A-Za-z0-9]+(?:~[A-Za-z0-9+-]{1,9}~|\^[A-Za-z0-9+-]{1,9}\^)[A-Za-z0-9]*";

/// A message of ICU: `{n, plural, one {# day} other {# days}}`.
pub fn message() -> String {
    let inner =
        (0..5).fold("[^{}]*".to_string(), |inner, _| format!(r"(?:[^{{}}]|\{{{inner}\}})*"));
    let kinds = "plural|select|selectordinal|number|date|time";
    format!(r"\{{[A-Za-z0-9_.]{{1,40}},\s*(?:{kinds}){inner}\}}")
}

// Only ASCII word boundaries: with them the search needs no backtracking, which makes it ten times
// as fast.
static SPANS: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // code, with the role that MyST gives it
        r"```[\s\S]*?```|``(?:[^`\n]|`[^`\n])+``|`[^`\n]+(?:``+[^`\n]+)*`",
        ROLE,
        // HTML tag, comment, entity
        r#"</?[A-Za-z][A-Za-z0-9-]*(?:\s+[^<>"\n]*(?:"[^"\n]*"[^<>"\n]*)*)?/?>"#,
        r"<!--[\s\S]*?-->",
        r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});",
        // Markdown link: from the bracket to the end of the target
        r"\]\([^()\s]+(?:\([^()\s]*\)[^()\s]*)*",
        // URL, e-mail address, host
        r"(?:(?i:https?|ftps?|file|wss?)://|(?-u:\b)(?i:www)\.)[^\s<>\x22“”«»`]+",
        concat!(
            r"(?-u:\b)[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@",
            r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?-u:\b)",
        ),
        concat!(
            r"(?-u:\b)(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.)+",
            r"(?:com|org|net|gov|edu|info|io|int|eu|de|fr|uk|ru|cn|jp|br|in)(?-u:\b)",
            r"(?:/[^\s<>\x22“”«»`]*)?",
        ),
        // what Quarto and Pandoc refer to, a package of a scope; handle
        r"@(?:fig|tbl|tab|eq|sec|lst|thm|lem|cor|prp|def|exm)[:-][A-Za-z0-9_:-]*[A-Za-z0-9_]",
        r"@[a-z0-9-]{1,64}/[a-z0-9._-]{0,63}[a-z0-9]",
        r"@[A-Za-z0-9_](?:[A-Za-z0-9_.]{0,62}[A-Za-z0-9_])?",
        // placeholder: __X__, {% x %}, {{x}}, {x}, ${x}, %s, %1$d, %(name)s
        r"__[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*__",
        r"\{%[^{}\n]{0,200}%\}|\{\{\{[^{}\n]{0,80}\}\}\}|\{\{[^{}\n]{0,80}\}\}",
        r"\$?\{[A-Za-z0-9_.:-]{0,80}\}",
        &message(),
        // wiki link
        r"!\[\[[^\[\]\n^][^\[\]\n]{0,200}\]\]|\[\[[^\[\]\n|^][^\[\]\n|]{0,200}\]\]",
        RAISED,
        // (nothing else looks like one with a name or a number: letters may follow it)
        concat!(
            r"%(?:\([A-Za-z_][A-Za-z0-9_]*\)|[0-9]+\$)[-+0#]*[0-9]*(?:\.[0-9]+)?",
            r"(?:ll|l|h)?[sdifuxXeEgGc@]",
        ),
        r"%[-+0#]*[0-9]*(?:\.[0-9]+)?(?:ll|l|h)?[sdifuxXeEgGc@]",
        // after the placeholders that begin with its sign
        FORMULA,
        INLINE,
        DISPLAYED,
    ];
    Regex::new(&kinds.join("|")).expect("the pattern is constant and tested")
});

/// Protected spans of a text, which must come through a translation unchanged, as byte ranges in
/// order:
/// URLs, e-mail addresses, handles, code in backticks, placeholders (`{x}`, `{{x}}`, `${x}`, `%s`,
/// `%(name)s`), formulas (`$x_1$`), HTML tags and entities, targets of Markdown links.
pub fn spans(text: &str) -> Vec<Range<usize>> {
    iter(text).collect()
}

fn iter(text: &str) -> impl Iterator<Item = Range<usize>> {
    // Most sentences have none, and looking for a mark of one is much faster than the search.
    let text = if may_have_one(text) { text } else { "" };
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let found = SPANS.find_at(text, at)?;
            let own = own_part(text, found.range()).filter(|own| !own.is_empty());
            // What follows an address may be another thing.
            at = own.as_ref().map_or(found.end(), |own| own.end);
            if own.is_some() {
                return own;
            }
        }
    })
}

/// What is protected of a find.
fn own_part(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let (start, span, before) = (found.start, &text[found.clone()], &text[..found.start]);
    match span.as_bytes().first()? {
        b']' => Some(start + 2..found.end),
        b'[' | b'!' => Some(found),
        b'$' if !span.ends_with('$') => Some(start..start + without_punctuation(span).len()),
        b'`' | b'<' | b'&' | b'{' | b'$' | b'_' | b'\\' => Some(found),
        b'%' => {
            let is_word = !is_named(span) && text[found.end..].starts_with(is_of_word);
            (!is_word && !is_percentage(before, span)).then_some(found)
        }
        b'@' => (!before.ends_with(|c: char| c.is_alphanumeric())).then_some(found),
        _ if span.ends_with(['~', '^']) => Some(found),
        _ => Some(start..start + without_punctuation(span).len()),
    }
}

/// Whether a placeholder's sign is that of a percentage, as in Hungarian "5%-e" and "5 %-e": it
/// stands after a number. A placeholder with a name or a number is one all the same, and so is one
/// that stands apart from the number, and has nothing but its letter.
fn is_percentage(before: &str, span: &str) -> bool {
    let is_apart = span.len() == 2 && before.ends_with(char::is_whitespace);
    let is_after_number = before.trim_end().ends_with(char::is_numeric);
    is_after_number && !is_named(span) && !is_apart
}

/// Whether a placeholder has a name or a number: `%(name)s`, `%1$s`.
fn is_named(placeholder: &str) -> bool {
    placeholder.contains(['(', '$'])
}

/// Whether a letter before it belongs to a word with it, and to no placeholder: "%discount".
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// Whether a text has a mark without which nothing is protected.
fn may_have_one(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'`' | b'<' | b'&' | b'@' | b'{' | b'%' | b'~' | b'^' | b'$' => true,
        b']' | b':' | b'_' | b'[' => bytes.get(at + 1).is_some_and(|next| b"(/_[".contains(next)),
        // Of a host there is a letter after the last point; "www." has a point, too.
        b'.' => bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()),
        b'\\' => bytes.get(at + 1).is_some_and(|next| b"([\\".contains(next)),
        _ => false,
    })
}

/// An address without the punctuation after it in running text, and without closing brackets that
/// it did not open.
fn without_punctuation(span: &str) -> &str {
    let mut kept = &span[..unopened_bracket(span).unwrap_or(span.len())];
    while let Some(last) = kept.chars().next_back() {
        let unopened = |open: char| kept.matches(open).count() < kept.matches(last).count();
        let drop = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '‘' | '*' | '_' | '…' | '。'
            | '，' | '、' | '；' | '！' | '？' | '）' | '」' | '』' | '】' | '،' | '؛' | '؟'
            | '।' | '։' => true,
            ')' => unopened('('),
            ']' => unopened('['),
            '}' => unopened('{'),
            _ => false,
        };
        if !drop {
            break;
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
    kept
}

/// Where an address has its first round bracket that closes none of its own: it ends before, as in
/// "(https://x.org/a).B".
fn unopened_bracket(span: &str) -> Option<usize> {
    let mut open = 0;
    for (at, c) in span.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return Some(at),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

/// Whether there is anything to translate: a letter outside of the protected spans.
pub fn is_translatable(text: &str) -> bool {
    let mut start = 0;
    for span in iter(text) {
        if text[start..span.start].chars().any(char::is_alphabetic) {
            return true;
        }
        start = span.end;
    }
    text[start..].chars().any(char::is_alphabetic)
}

/// The protected spans of `source` that `output` lacks, each as often as it is lacking.
pub fn missing(source: &str, output: &str) -> Vec<String> {
    let wanted: Vec<&str> = spans(source).into_iter().map(|span| &source[span]).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: HashMap<&str, usize> = HashMap::new();
    for range in places(&wanted, output) {
        *found.entry(&output[range]).or_default() += 1;
    }
    let mut lacking: Vec<String> = Vec::new();
    for span in wanted {
        match found.get_mut(span) {
            Some(left) if *left > 0 => *left -= 1,
            _ => lacking.push(span.to_string()),
        }
    }
    lacking.sort_unstable();
    lacking
}

/// Where spans stand in a text, in order: the longer ones where one is a part of another.
pub fn places(spans: &[&str], text: &str) -> Vec<Range<usize>> {
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(spans);
    // It fails for more than any memory holds.
    finder.map_or_else(|_| Vec::new(), |finder| finder.find_iter(text).map(|m| m.range()).collect())
}

/// Where `output` has protected spans that `source` does not have, or not as often: those of the
/// source's that come once more, and placeholders that are none of the source's, or halves of them,
/// or code beside that of the source. Character references are what they stand for.
pub fn surplus(source: &str, output: &str) -> Vec<Range<usize>> {
    let found = spans(output);
    // Most sentences have nothing of it, and every sentence is asked.
    if found.is_empty() && !output.contains(['{', '}', '[', ']', '$']) {
        return Vec::new();
    }
    let own = spans(source);
    let has_formulas = own.iter().any(|span| kind_of(&source[span.clone()]) == b'$');
    // Between the signs of two prices, or of two changed placeholders, there may be others.
    let inside = |span: Range<usize>| {
        let between = output[span.clone()].strip_prefix('$').and_then(|t| t.strip_suffix('$'));
        let start = span.start + 1;
        let moved = |part: Range<usize>| start + part.start..start + part.end;
        match between {
            Some(text) if !has_formulas => spans(text).into_iter().map(moved).collect(),
            _ => vec![span],
        }
    };
    let found: Vec<Range<usize>> = found.into_iter().flat_map(inside).collect();
    let mut left: Vec<&str> = own.iter().map(|span| &source[span.clone()]).collect();
    let starts = own.iter().map(|span| span.start).chain([source.len()]);
    let between = std::iter::once(0).chain(own.iter().map(|span| span.end)).zip(starts);
    let rest: Vec<&str> = between.map(|(end, start)| &source[end..start]).collect();
    let mut is_surplus = |span: &Range<usize>| {
        let text = &output[span.clone()];
        if let Some(known) = left.iter().position(|other| *other == text) {
            left.swap_remove(known);
            return false;
        }
        let is_of_source = |kind| own.iter().any(|span| kind_of(&source[span.clone()]) == kind);
        let is_placeholder = match kind_of(text) {
            b'{' | b'%' | b'_' => true,
            // Signs of changed placeholders look like those of a formula.
            b'$' => text.starts_with("${") || has_formulas,
            kind @ (b'`' | b'[' | b'!') => is_of_source(kind),
            _ => false,
        };
        let is_known = own.iter().any(|span| &source[span.clone()] == text);
        let is_text = || rest.iter().any(|part| part.contains(text));
        !text.starts_with('&') && (is_known || is_placeholder && !is_text())
    };
    let mut surplus: Vec<Range<usize>> =
        found.iter().filter(|span| is_surplus(span)).cloned().collect();
    for mark in ["{{", "}}", "{%", "%}", "[[", "]]", "$"] {
        // Prices have the sign of formulas.
        let may_be = mark != "$" || has_formulas;
        if may_be && outside(source, &own, mark).next().is_none() {
            surplus.extend(outside(output, &found, mark));
        }
    }
    surplus.sort_by_key(|span| span.start);
    surplus.dedup_by(|next, last| next.start < last.end);
    surplus
}

/// Where a mark stands outside of some spans of a text.
fn outside<'a>(
    text: &'a str,
    spans: &'a [Range<usize>],
    mark: &'a str,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_outside = |place: &Range<usize>| {
        let next = spans.partition_point(|span| span.end <= place.start);
        spans.get(next).is_none_or(|span| place.end <= span.start)
    };
    text.match_indices(mark).map(|(at, mark)| at..at + mark.len()).filter(is_outside)
}

/// Puts back the protected spans that a translation changed: in the place of what is the same but
/// for its capitals; and where as many of the output's spans of a kind are unknown to the source as
/// are missing of the source's, each in the place of the one that stands in its place there.
pub fn restore(source: &str, output: &str) -> String {
    let mut out = output.to_string();
    let mut missing: Vec<&str> =
        spans(source).into_iter().map(|s| &source[s]).filter(|s| !output.contains(s)).collect();
    missing.retain(|original| {
        let place = out.to_ascii_lowercase().find(&original.to_ascii_lowercase());
        place.inspect(|at| out.replace_range(*at..at + original.len(), original)).is_none()
    });
    if missing.is_empty() {
        return out;
    }
    let found = spans(&out);
    let unknown: Vec<Range<usize>> =
        found.into_iter().filter(|s| !source.contains(&out[s.clone()])).collect();
    let mut changed: Vec<(&Range<usize>, &str)> = Vec::new();
    for kind in [b'`', b'<', b'&', b'{', b'$', b'%', b'_', b'@', b'[', 0] {
        let is_own = |span: &str| kind_of(span) == kind;
        let missing: Vec<&str> = missing.iter().copied().filter(|span| is_own(span)).collect();
        let unknown: Vec<_> = unknown.iter().filter(|s| is_own(&out[(*s).clone()])).collect();
        if missing.len() == unknown.len() {
            changed.extend(unknown.into_iter().zip(missing));
        }
    }
    changed.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, original) in changed {
        out.replace_range(span.clone(), original);
    }
    out
}

/// The kind of a protected span by its first mark; 0 for addresses.
fn kind_of(span: &str) -> u8 {
    span.bytes().next().filter(u8::is_ascii_punctuation).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|s| &text[s]).collect()
    }

    #[test]
    fn changed_spans_are_put_back() {
        let source = "Según el [boletín](https://a.example/boletin?n=48), escriba a x@a.example.";
        let output =
            "According to the [bulletin](https://a.example/bulletin?n=48), write to x@a.example.";
        assert_eq!(
            restore(source, output),
            "According to the [bulletin](https://a.example/boletin?n=48), write to x@a.example."
        );
        assert_eq!(restore("ver https://a.example", "see the site"), "see the site");
        assert_eq!(restore("`a` de {b} y %(c)s", "%(C)S: {d} of `e f`"), "%(c)s: {b} of `a`");
    }

    #[test]
    fn finds_each_kind() {
        assert_eq!(
            found("See https://example.com/a_(b)?q=1, or (http://x.org/y)."),
            ["https://example.com/a_(b)?q=1", "http://x.org/y"]
        );
        assert_eq!(found("详见https://example.cn/新闻。"), ["https://example.cn/新闻"]);
        assert_eq!(
            found("Mail j.doe+x@mail.example.co.uk or ask @john_doe."),
            ["j.doe+x@mail.example.co.uk", "@john_doe"]
        );
        assert_eq!(found("Run `cargo test -q` now"), ["`cargo test -q`"]);
        assert_eq!(
            found("Hi {name}, {{count}} of %d (%(who)s, %1$s) ${x}"),
            ["{name}", "{{count}}", "%d", "%(who)s", "%1$s", "${x}"]
        );
        assert_eq!(
            found(r#"A <a href="x > y">b</a> &amp; <br/> 1 < 2 > 0"#),
            [r#"<a href="x > y">"#, "</a>", "&amp;", "<br/>"]
        );
        assert_eq!(
            found("[the report](../docs/r.md) and ![map](m.png)"),
            ["../docs/r.md", "m.png"]
        );
        assert_eq!(
            found("{n, plural, one {# day} other {# days}} of [[The page]], H~2~O"),
            ["{n, plural, one {# day} other {# days}}", "[[The page]]", "H~2~O"]
        );
        let nested = "{g, select, a {{n, plural, one {# of {x}} other {#}}} other {b}}";
        assert_eq!(found(&format!("Of {nested} it")), [nested]);
        assert_eq!(
            found("As @fig:one-a and @tbl-b, @a/b-c say: {ref}`d <e>`, :doc:`f`, ![[g.png|9]]"),
            ["@fig:one-a", "@tbl-b", "@a/b-c", "{ref}`d <e>`", ":doc:`f`", "![[g.png|9]]"]
        );
        assert_eq!(
            found("$x$, $n = 2k$, $f(a, b)$ or $A_1$"),
            ["$x$", "$n = 2k$", "$f(a, b)$", "$A_1$"]
        );
        assert_eq!(found("2 %(n)s, %1$ss et 4 %s"), ["%(n)s", "%1$s", "%s"]);
        assert_eq!(found("${a} und $x_1 + y$ zu $$a = b$$"), ["${a}", "$x_1 + y$", "$$a = b$$"]);
        assert_eq!(found("Source: nytimes.com and gov.uk/rates."), ["nytimes.com", "gov.uk/rates"]);
    }

    #[test]
    fn leaves_prose_alone() {
        for text in [
            "Up 5 % de plus, 100% sure, 5%-e, 5 %-e, 5%s",
            "5 $ de a_b et 6 $, $5 and the_end at $6",
            "He said: (no). Yes/no, and/or",
            "e.g. this. That",
            "AT&T; R&D",
            "5 < 6 and 7 > 6",
            "end.In the",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn translatable_means_letters_outside() {
        assert!(is_translatable("Siehe https://x.de"));
        assert!(is_translatable("你好"));
        for text in ["https://x.de/abc", "12.05.2024 — 18:30", "`code`", "@handle", "", "😀 {x}"]
        {
            assert!(!is_translatable(text), "{text}");
        }
    }

    #[test]
    fn counts_what_is_missing_and_what_is_too_much() {
        assert_eq!(
            missing("{a} and {a} at https://x.org.", "{a} auf http://x.org"),
            ["https://x.org", "{a}"]
        );
        assert!(missing("Mail a@b.de", "Écrivez à a@b.de.").is_empty());
        let surplus = |source, output: &'static str| -> Vec<&str> {
            surplus(source, output).into_iter().map(|span| &output[span]).collect()
        };
        assert_eq!(surplus("{a} and {b}", "{a} und {a}, {b}, {c}"), ["{a}", "{c}"]);
        assert_eq!(surplus("{{ a }} b", "{{ {{ a }} b }}"), ["{{", "}}"]);
        assert!(surplus("Amazon at x.org", "Amazon.com at x.org").is_empty());
        assert!(surplus("A %1$s `a_b`", "B %2$t `a_b` %1$s").is_empty());
    }
}
