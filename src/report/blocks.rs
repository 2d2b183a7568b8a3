//! Untrusted text as HTML: everything escaped, the layout of an article (headings, lists, quotations, code) kept.

use std::fmt::Write;

/// Text for an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in HTML at all.
            c if c.is_control() && !c.is_whitespace() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// A link to a file below the page's folder; None when the path leads out of it.
pub(super) fn relative_link(path: &str) -> Option<String> {
    if path.is_empty() || path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return None;
    }
    let mut out = String::new();
    for byte in path.bytes() {
        // With `:` encoded, no path can be taken for a scheme.
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Some(out)
}

/// An address that a link may lead to; None for other schemes than the web's.
pub(super) fn web_link(url: &str) -> Option<&str> {
    let url = url.trim();
    let scheme = url.split(':').next().unwrap_or_default();
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (web && url[scheme.len()..].starts_with("://") && !url.contains(|c: char| c.is_whitespace() || c.is_control())).then_some(url)
}

/// What a line is by its first characters.
enum Line<'a> {
    Blank,
    Fence,
    Rule,
    Heading(&'a str),
    Item(&'a str),
    Quote(&'a str),
    Row(&'a str),
    Text(&'a str),
}

fn line(text: &str) -> Line<'_> {
    let trimmed = text.trim();
    let marks = trimmed.bytes().take_while(|&b| b == b'#').count();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = (1..=3).contains(&digits) && (trimmed[digits..].starts_with(". ") || trimmed[digits..].starts_with(") "));
    if trimmed.is_empty() {
        Line::Blank
    } else if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        Line::Fence
    } else if trimmed.len() >= 3 && (trimmed.bytes().all(|b| b == b'-') || trimmed.bytes().all(|b| b == b'*')) {
        Line::Rule
    } else if (1..=6).contains(&marks) && trimmed[marks..].starts_with(' ') {
        Line::Heading(trimmed[marks..].trim_start())
    } else if let Some(item) = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| trimmed.strip_prefix(mark)) {
        Line::Item(item.trim_start())
    } else if numbered {
        // The number is part of the text: it need not start at 1 or go on by 1.
        Line::Item(trimmed)
    } else if let Some(quoted) = trimmed.strip_prefix('>') {
        Line::Quote(quoted.trim_start())
    } else if trimmed.starts_with('|') && trimmed.ends_with('|') && trimmed.len() > 1 {
        Line::Row(trimmed)
    } else {
        Line::Text(trimmed)
    }
}

/// An article's text as HTML. Each block finds its own writing direction, so mixed languages stand right.
pub(super) fn blocks(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    // The element that is open, and whether its content is code.
    let mut open: Option<&str> = None;
    let mut code = false;
    fn switch<'a>(out: &mut String, open: &mut Option<&'a str>, to: Option<&'a str>) -> bool {
        if *open == to {
            return false;
        }
        if let Some(tag) = open {
            let _ = writeln!(out, "</{tag}>");
        }
        if let Some(tag) = to {
            let _ = write!(out, "<{tag} dir=\"auto\">");
        }
        *open = to;
        true
    }
    for text in text.lines() {
        let kind = line(text);
        if code {
            code = !matches!(kind, Line::Fence);
            if code {
                let _ = writeln!(out, "{}", escape(text));
            } else {
                switch(&mut out, &mut open, None);
            }
            continue;
        }
        let mut add = |tag, text: &str| {
            // Lines of one block stay lines.
            if !switch(&mut out, &mut open, Some(tag)) {
                out.push('\n');
            }
            out.push_str(&escape(text));
        };
        match kind {
            Line::Row(text) => add("pre", text),
            Line::Quote(text) => add("blockquote", text),
            Line::Text(text) => add("p", text),
            Line::Blank => _ = switch(&mut out, &mut open, None),
            Line::Fence => {
                switch(&mut out, &mut open, None);
                code = switch(&mut out, &mut open, Some("pre"));
            }
            Line::Rule => {
                switch(&mut out, &mut open, None);
                out.push_str("<hr>\n");
            }
            Line::Heading(text) => {
                switch(&mut out, &mut open, None);
                let _ = writeln!(out, "<h4 dir=\"auto\">{}</h4>", escape(text));
            }
            Line::Item(text) => {
                switch(&mut out, &mut open, Some("ul"));
                let numbered = if text.starts_with(|c: char| c.is_ascii_digit()) { " class=\"numbered\"" } else { "" };
                let _ = writeln!(out, "<li dir=\"auto\"{numbered}>{}</li>", escape(text));
            }
        }
    }
    switch(&mut out, &mut open, None);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_kept_and_everything_escaped() {
        let text = "First <b>line</b>\nsecond\n\n## A & B\n- one\n- two\n3. three\n\n> said\n```\n<code>\n\n- x\n```\nlast\n---\n| a | b |";
        assert_eq!(
            blocks(text).replace(" dir=\"auto\"", ""),
            "<p>First &lt;b&gt;line&lt;/b&gt;\nsecond</p>\n<h4>A &amp; B</h4>\n<ul><li>one</li>\n<li>two</li>\n<li class=\"numbered\">3. three</li>\n</ul>\n\
             <blockquote>said</blockquote>\n<pre>&lt;code&gt;\n\n- x\n</pre>\n<p>last</p>\n<hr>\n<pre>| a | b |</pre>\n"
        );
        assert_eq!(blocks("```\nnever closed"), "<pre dir=\"auto\">never closed\n</pre>\n");
        assert_eq!(
            blocks("###### ######\n#\n# \n12\n>\n"),
            "<h4 dir=\"auto\">######</h4>\n<p dir=\"auto\">#\n#\n12</p>\n<blockquote dir=\"auto\"></blockquote>\n"
        );
    }

    #[test]
    fn links_lead_nowhere_else() {
        assert_eq!(relative_link("a b/ж#1.en.md").unwrap(), "a%20b/%D0%B6%231.en.md");
        assert_eq!(relative_link("javascript:alert(1)").unwrap(), "javascript%3Aalert%281%29");
        assert!(["../x", "/etc", "a//b", "", "a/../../b"].iter().all(|p| relative_link(p).is_none()));
        assert_eq!(web_link(" HTTPS://x.org/?a=b "), Some("HTTPS://x.org/?a=b"));
        assert!(
            ["javascript:alert(1)", "java\nscript:x", "data:text/html,x", "https:x", "//x.org", "http://a b"]
                .iter()
                .all(|u| web_link(u).is_none())
        );
    }
}
