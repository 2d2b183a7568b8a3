//! Tags and character references in a text that is said to be plain.

use dom_query::Document;
use regex::Regex;
use std::sync::LazyLock;

/// A tag, or a character reference with its semicolon.
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
        .expect("the pattern is constant and tested")
});

/// Style sheets, scripts and comments.
static UNREAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?is)<style\b.*?</style>|<script\b.*?</script>|<!--.*?-->")
        .expect("the pattern is constant and tested")
});

/// Longest text, in bytes, of which a parser makes one line.
const LONGEST: usize = 4096;

/// Whether there are tags or character references in a text.
pub(crate) fn is_marked_up(text: &str) -> bool {
    text.contains(['<', '&']) && MARKS.is_match(text)
}

/// Whether a text is a whole page.
pub(crate) fn is_page(text: &str) -> bool {
    let start = text[..text.floor_char_boundary(1024)].trim_start().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag))
}

/// The number of words between the tags of a source.
pub(crate) fn words(html: &str) -> usize {
    MARKS.replace_all(&UNREAD.replace_all(html, " "), " ").split_whitespace().count()
}

/// A title or name without tags, and with characters in place of their references.
pub(crate) fn without(text: &str) -> String {
    let mut text = text.to_string();
    // Feeds write `&amp;#8217;` where they mean `&#8217;`.
    for _ in 0..2 {
        if text.len() > LONGEST || !is_marked_up(&text) {
            break;
        }
        text = Document::fragment(text.as_str()).root().text().to_string();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_plain_text_stays() {
        assert_eq!(without("Le pont est <em>ferm&eacute;</em> &amp;#8217;"), "Le pont est fermé ’");
        for plain in ["AT&T < Verizon; a <3 b", "x & y", "1 < 2 > 0", "R&D; a"] {
            assert_eq!(without(plain), plain);
        }
    }
}
