use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

// Only ASCII word boundaries: with them the search needs no backtracking, which makes it ten times
// as fast.
static SPANS: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // code
        r"```[\s\S]*?```|``(?:[^`\n]|`[^`\n])+``|`[^`\n]+`",
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
        // handle
        r"@[A-Za-z0-9_](?:[A-Za-z0-9_.]{0,62}[A-Za-z0-9_])?",
        // placeholder: __X__, {{x}}, {x}, ${x}, %s, %1$d, %(name)s
        r"__[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*__",
        r"\{\{[^{}\n]{0,80}\}\}|\$?\{[A-Za-z0-9_.:-]{0,80}\}",
        // a message of ICU: {n, plural, one {# day} other {# days}}
        concat!(
            r"\{[A-Za-z0-9_]{1,40},\s*(?:plural|select|selectordinal|number|date|time)",
            r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}",
        ),
        // wiki link
        r"!?\[\[[^\[\]\n|]{1,200}\]\]",
        // lowered and raised signs of Pandoc's Markdown
        r"(?-u:\b)[A-Za-z0-9]+(?:~[A-Za-z0-9+-]{1,9}~|\^[A-Za-z0-9+-]{1,9}\^)[A-Za-z0-9]*",
        concat!(
            r"%(?:\([A-Za-z_][A-Za-z0-9_]*\)|[0-9]+\$)?[-+0#]*[0-9]*(?:\.[0-9]+)?",
            r"(?:ll|l|h)?[sdifuxXeEgGc@](?-u:\b)",
        ),
    ];
    Regex::new(&kinds.join("|")).expect("the pattern is constant and tested")
});

/// Protected spans of a text, which must come through a translation unchanged, as byte ranges in
/// order:
/// URLs, e-mail addresses, handles, code in backticks, placeholders (`{x}`, `{{x}}`, `${x}`, `%s`,
/// `%(name)s`), HTML tags and entities, targets of Markdown links.
pub fn spans(text: &str) -> Vec<Range<usize>> {
    iter(text).collect()
}

fn iter(text: &str) -> impl Iterator<Item = Range<usize>> {
    // Most sentences have none, and looking for a mark of one is much faster than the search.
    let text = if may_have_one(text) { text } else { "" };
    SPANS.find_iter(text).filter_map(|found| {
        let (start, span) = (found.start(), found.as_str());
        let before = &text[..start];
        match span.as_bytes().first()? {
            b']' => Some(start + 2..found.end()),
            b'[' | b'!' => Some(found.range()),
            b'`' | b'<' | b'&' | b'{' | b'$' | b'_' => Some(found.range()),
            // "5 % de" is a percentage in prose, not a placeholder.
            b'%' => (!before.trim_end().ends_with(|c: char| c.is_numeric())).then(|| found.range()),
            b'@' => (!before.ends_with(|c: char| c.is_alphanumeric())).then(|| found.range()),
            _ if span.ends_with(['~', '^']) => Some(found.range()),
            _ => Some(start..start + without_punctuation(span).len()),
        }
    })
}

/// Whether a text has a mark without which nothing is protected.
fn may_have_one(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'`' | b'<' | b'&' | b'@' | b'{' | b'%' | b'~' | b'^' => true,
        b']' | b':' | b'_' | b'[' => bytes.get(at + 1).is_some_and(|next| b"(/_[".contains(next)),
        // Of a host there is a letter after the last point; "www." has a point, too.
        b'.' => bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()),
        _ => false,
    })
}

/// An address without the punctuation after it in running text, and without closing brackets that
/// it did not open.
fn without_punctuation(span: &str) -> &str {
    let mut kept = span;
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
    let mut wanted: Vec<&str> = spans(source).into_iter().map(|span| &source[span]).collect();
    wanted.sort_unstable();
    let mut lacking = Vec::new();
    for group in wanted.chunk_by(|a, b| a == b) {
        let found = output.matches(group[0]).count();
        lacking.extend(group.iter().skip(found).map(|s| s.to_string()));
    }
    lacking
}

/// Puts back the protected spans that a translation changed: where as many of the output's spans
/// are unknown to the source as are missing of the source's, each is replaced by the one that
/// stands in its place there. Otherwise the output stays as it is.
pub fn restore(source: &str, output: &str) -> String {
    let (wanted, found) = (spans(source), spans(output));
    let missing: Vec<&str> =
        wanted.iter().map(|s| &source[s.clone()]).filter(|s| !output.contains(s)).collect();
    let unknown: Vec<&Range<usize>> =
        found.iter().filter(|s| !source.contains(&output[(*s).clone()])).collect();
    let mut out = output.to_string();
    if missing.len() == unknown.len() {
        for (span, original) in unknown.into_iter().zip(missing).rev() {
            out.replace_range(span.clone(), original);
        }
    }
    out
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
        assert_eq!(found("Source: nytimes.com and gov.uk/rates."), ["nytimes.com", "gov.uk/rates"]);
    }

    #[test]
    fn leaves_prose_alone() {
        for text in [
            "Up 5 % de plus, 100% sure",
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
    fn counts_what_is_missing() {
        assert_eq!(
            missing("{a} and {a} at https://x.org.", "{a} auf http://x.org"),
            ["https://x.org", "{a}"]
        );
        assert!(missing("Mail a@b.de", "Écrivez à a@b.de.").is_empty());
    }
}
