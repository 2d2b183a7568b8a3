//! Addresses that a link of the page may lead to.

use crate::types::Record;
use std::fmt::Write;

/// A link to a file below the page's folder; `None` when the path leads out of it.
pub(in crate::report) fn relative_link(path: &str) -> Option<String> {
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

/// An address on the web; `None` for other schemes than `http` and `https`.
pub(super) fn web_link(url: &str) -> Option<&str> {
    let url = url.trim();
    let scheme = url.split(':').next().unwrap_or_default();
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (web && url[scheme.len()..].starts_with("://")
        && !url.contains(|c: char| c.is_whitespace() || c.is_control()))
    .then_some(url)
}

/// The address of the article on the web, where its source says it.
pub(super) fn address(record: &Record) -> Option<&str> {
    let fields = ["url", "link", "source_url", "canonical_url"];
    fields.iter().find_map(|field| web_link(record.extra.get(*field)?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

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
