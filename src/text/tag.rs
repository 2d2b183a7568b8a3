//! A tag of XML or HTML as it is written: its attributes are read and changed in place, the rest of
//! it stays as it is.

use std::borrow::Cow;
use std::ops::Range;

/// An attribute of a tag, by its places in it.
pub(crate) struct Attribute {
    pub name: Range<usize>,
    /// The value without its quotes; empty where there is none.
    pub value: Range<usize>,
    /// All of it, quotes included.
    pub all: Range<usize>,
}

/// The name of a tag: `w:p` of `<w:p a="b">` and of `</w:p>`.
pub(crate) fn name(tag: &str) -> &str {
    let start = tag.trim_start_matches('<').trim_start_matches('/');
    &start
        [..start.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(start.len())]
}

/// The attributes of a start tag, in order. HTML's forms are read, too: without quotes, without
/// a value.
pub(crate) fn attributes(tag: &str) -> Vec<Attribute> {
    let bytes = tag.as_bytes();
    let until = |from: usize, stop: &dyn Fn(u8) -> bool| {
        bytes[from..].iter().position(|&b| stop(b)).map_or(bytes.len(), |n| from + n)
    };
    let skip = |from: usize| until(from, &|b| !b.is_ascii_whitespace());
    let mut at = 1 + name(tag).len();
    let mut found = Vec::new();
    loop {
        at = until(at.min(bytes.len()), &|b| !(b.is_ascii_whitespace() || b == b'/'));
        if at >= bytes.len() || bytes[at] == b'>' {
            return found;
        }
        // A sign of equality at the start belongs to the name, says HTML.
        let end = until(at + 1, &|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'='));
        let name = at..end;
        let equals = skip(end);
        at = end;
        let mut value = end..end;
        if bytes.get(equals) == Some(&b'=') {
            let start = skip(equals + 1);
            match bytes.get(start) {
                Some(&quote @ (b'"' | b'\'')) => {
                    let close = until(start + 1, &|b| b == quote);
                    value = start + 1..close;
                    at = (close + 1).min(bytes.len());
                }
                _ => {
                    let close = until(start, &|b| b.is_ascii_whitespace() || b == b'>');
                    value = start..close;
                    at = close;
                }
            }
        }
        found.push(Attribute { all: name.start..at, name, value });
    }
}

/// A name without its prefix.
pub(crate) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The value of an attribute as it is written, its references not resolved.
pub(crate) fn value<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let attributes = attributes(tag);
    let found = attributes.iter().find(|a| tag[a.name.clone()].eq_ignore_ascii_case(name))?;
    Some(&tag[found.value.clone()])
}

/// The tag with an attribute of that value, in the place where it had one, else at its end.
pub(crate) fn with(tag: &str, name: &str, value: &str) -> String {
    let value = escape_value(value);
    let attributes = attributes(tag);
    match attributes.iter().find(|a| tag[a.name.clone()].eq_ignore_ascii_case(name)) {
        Some(found) => {
            let name = &tag[found.name.clone()];
            let (before, after) = (&tag[..found.all.start], &tag[found.all.end..]);
            format!("{before}{name}=\"{value}\"{after}")
        }
        None => {
            let inside = tag.trim_end_matches('>').trim_end_matches('/').trim_end();
            format!("{inside} {name}=\"{value}\"{}", &tag[inside.len()..])
        }
    }
}

/// The tag without some of its attributes.
pub(crate) fn without<'a>(tag: &'a str, drop: impl Fn(&str) -> bool) -> Cow<'a, str> {
    let mut kept = Cow::Borrowed(tag);
    for attribute in attributes(tag).iter().rev().filter(|a| drop(&tag[a.name.clone()])) {
        let start = tag[..attribute.all.start].trim_end().len();
        kept.to_mut().replace_range(start..attribute.all.end, "");
    }
    kept
}

/// The place of the first element of a name in some XML, which may have others of it in itself.
pub(crate) fn element(xml: &str, wanted: &str) -> Option<Range<usize>> {
    let mut start = None;
    let (mut depth, mut at) = (0usize, 0);
    while let Some(begin) = xml[at..].find('<').map(|n| at + n) {
        let end = begin + xml[begin..].find('>')? + 1;
        let tag = &xml[begin..end];
        at = end;
        if name(tag) != wanted {
            continue;
        }
        match (tag.starts_with("</"), tag.ends_with("/>")) {
            (true, _) => depth = depth.saturating_sub(1),
            (false, is_empty) => {
                start = start.or(Some(begin));
                depth += usize::from(!is_empty);
            }
        }
        if let Some(start) = start.filter(|_| depth == 0) {
            return Some(start..end);
        }
    }
    None
}

/// Text as XML and HTML write it.
pub(crate) fn escape(text: &str) -> String {
    escaped(text, false)
}

/// A value as it stands between double quotes.
pub(crate) fn escape_value(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, in_quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_quotes => out.push_str("&quot;"),
            // XML has no way to write them.
            '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_all_forms() {
        let tag = "<img  src=a/b.png alt = 'x > y' hidden data-x=\"\"/>";
        let read: Vec<_> =
            attributes(tag).iter().map(|a| (&tag[a.name.clone()], &tag[a.value.clone()])).collect();
        let expected = [("src", "a/b.png"), ("alt", "x > y"), ("hidden", ""), ("data-x", "")];
        assert_eq!(read, expected);
        assert_eq!(name("</w:p>"), "w:p");
        assert_eq!(value(tag, "ALT"), Some("x > y"));
        for odd in ["<", "<>", "<a", "<a b", "<a b=", "<a b='", "<a =", "<a / = >", "<é ü=ö>"] {
            attributes(odd);
        }
    }

    #[test]
    fn one_attribute_changes_and_the_rest_stays() {
        assert_eq!(with("<p id=a lang=fr>", "lang", "de"), "<p id=a lang=\"de\">");
        assert_eq!(with("<html>", "lang", "de"), "<html lang=\"de\">");
        assert_eq!(with("<br />", "a", "\"<"), "<br a=\"&quot;&lt;\" />");
        let tag = "<a:rPr lang=\"fr-FR\" b=\"1\" dirty=\"0\"/>";
        let without = without(tag, |name| matches!(name, "lang" | "dirty"));
        assert_eq!(without, "<a:rPr b=\"1\"/>");
        assert_eq!(escape("a<b>&\u{1}"), "a&lt;b&gt;&amp;");
    }
}
