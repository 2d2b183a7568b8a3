//! Untrusted text as HTML: everything escaped, the layout of an article (headings, lists,
//! quotations, code) kept.

use std::cmp::Reverse;
use std::fmt::Write;
use std::ops::Range;

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

/// The places where one of the sentences stands in a line, in order, none within another.
fn places(line: &str, sentences: &[&str]) -> Vec<Range<usize>> {
    let goes_on = |one: Option<char>, other: Option<char>| {
        one.zip(other).is_some_and(|(a, b)| a.is_alphanumeric() && b.is_alphanumeric())
    };
    let is_whole = |place: &Range<usize>| {
        let (before, sentence, after) =
            (&line[..place.start], &line[place.clone()], &line[place.end..]);
        !goes_on(before.chars().next_back(), sentence.chars().next())
            && !goes_on(sentence.chars().next_back(), after.chars().next())
    };
    let texts =
        sentences.iter().map(|sentence| sentence.trim()).filter(|sentence| !sentence.is_empty());
    let all = texts.flat_map(|text| line.match_indices(text).map(|(at, text)| at..at + text.len()));
    let mut all: Vec<Range<usize>> = all.filter(is_whole).collect();
    all.sort_by_key(|place| (place.start, Reverse(place.end)));
    let mut end = 0;
    all.retain(|place| {
        let is_apart = place.start >= end;
        end = if is_apart { place.end } else { end };
        is_apart
    });
    all
}

/// A line with the sentences in it that a reader should look at twice.
fn marked(line: &str, sentences: &[&str]) -> String {
    let (mut out, mut end) = (String::new(), 0);
    for place in places(line, sentences) {
        let _ = write!(
            out,
            "{}<mark>{}</mark>",
            escape(&line[end..place.start]),
            escape(&line[place.clone()])
        );
        end = place.end;
    }
    out + &escape(&line[end..])
}

/// A link to a file below the page's folder; None when the path leads out of it.
pub(super) fn relative_link(path: &str) -> Option<String> {
    if path.is_empty() || path.split('/').any(|part| part.is_empty() || part == "." || part == "..")
    {
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
    (web && url[scheme.len()..].starts_with("://")
        && !url.contains(|c: char| c.is_whitespace() || c.is_control()))
    .then_some(url)
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
    let numbered = (1..=3).contains(&digits)
        && (trimmed[digits..].starts_with(". ") || trimmed[digits..].starts_with(") "));
    if trimmed.is_empty() {
        Line::Blank
    } else if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        Line::Fence
    } else if trimmed.len() >= 3
        && (trimmed.bytes().all(|b| b == b'-') || trimmed.bytes().all(|b| b == b'*'))
    {
        Line::Rule
    } else if (1..=6).contains(&marks) && trimmed[marks..].starts_with(' ') {
        Line::Heading(trimmed[marks..].trim_start())
    } else if let Some(item) =
        ["- ", "* ", "+ ", "• "].iter().find_map(|mark| trimmed.strip_prefix(mark))
    {
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

/// An article's text as HTML, with the doubtful ones of its sentences marked. Each block finds its
/// own writing direction, so mixed languages stand right.
pub(super) fn blocks(text: &str, doubtful: &[&str]) -> String {
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
            out.push_str(&marked(text, doubtful));
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
                let _ = writeln!(out, "<h4 dir=\"auto\">{}</h4>", marked(text, doubtful));
            }
            Line::Item(text) => {
                switch(&mut out, &mut open, Some("ul"));
                let numbered = if text.starts_with(|c: char| c.is_ascii_digit()) {
                    " class=\"numbered\""
                } else {
                    ""
                };
                let _ = writeln!(out, "<li dir=\"auto\"{numbered}>{}</li>", marked(text, doubtful));
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
            blocks(text, &[]).replace(" dir=\"auto\"", ""),
            "<p>First &lt;b&gt;line&lt;/b&gt;\nsecond</p>\n<h4>A &amp; B</h4>\n<ul><li>one</li>\n<li>two</li>\n<li class=\"numbered\">3. three</li>\n</ul>\n\
             <blockquote>said</blockquote>\n<pre>&lt;code&gt;\n\n- x\n</pre>\n<p>last</p>\n<hr>\n<pre>| a | b |</pre>\n"
        );
        assert_eq!(blocks("```\nnever closed", &[]), "<pre dir=\"auto\">never closed\n</pre>\n");
        assert_eq!(
            blocks("###### ######\n#\n# \n12\n>\n", &[]),
            "<h4 dir=\"auto\">######</h4>\n<p dir=\"auto\">#\n#\n12</p>\n<blockquote dir=\"auto\"></blockquote>\n"
        );
    }

    #[test]
    fn doubtful_sentences_are_marked_where_they_stand() {
        let text =
            "## 5 < 6\n\nOne. A < b. Two? A < b.\n- So 15 < 60\n- これは。変だ。\n\nA < b. One";
        let doubtful = ["A < b.", "5 < 6", "Two? A < b.", "変だ。", "", "Three."];
        assert_eq!(
            blocks(text, &doubtful).replace(" dir=\"auto\"", ""),
            "<h4><mark>5 &lt; 6</mark></h4>\n<p>One. <mark>A &lt; b.</mark> <mark>Two? A &lt; b.</mark></p>\n\
             <ul><li>So 15 &lt; 60</li>\n<li>これは。<mark>変だ。</mark></li>\n</ul>\n<p><mark>A &lt; b.</mark> One</p>\n"
        );
    }

    #[test]
    fn links_lead_nowhere_else() {
        assert_eq!(relative_link("a b/ж#1.en.md").unwrap(), "a%20b/%D0%B6%231.en.md");
        assert_eq!(relative_link("javascript:alert(1)").unwrap(), "javascript%3Aalert%281%29");
        assert!(
            ["../x", "/etc", "a//b", "", "a/../../b"].iter().all(|p| relative_link(p).is_none())
        );
        assert_eq!(web_link(" HTTPS://x.org/?a=b "), Some("HTTPS://x.org/?a=b"));
        assert!(
            [
                "javascript:alert(1)",
                "java\nscript:x",
                "data:text/html,x",
                "https:x",
                "//x.org",
                "http://a b"
            ]
            .iter()
            .all(|u| web_link(u).is_none())
        );
    }
}
