//! Text that may be HTML without saying so: fields of JSON hold pages, pieces of pages, plain text
//! with a few tags or character references in it, and plain text.

use crate::types::Markup;
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Bytes from the start of a text that decide.
const HEAD: usize = 20_000;

/// A tag that begins or ends a line of its own.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let names = "p|div|br|h[1-6]|ul|ol|li|blockquote|table|tr|td|article|section|figure|pre|hr";
    Regex::new(&format!(r"(?i)</?(?:{names}|html|head|body|main)(?:\s[^<>]*)?/?>"))
        .expect("the pattern is constant and tested")
});

/// A tag inside of a line.
static INLINE: LazyLock<Regex> = LazyLock::new(|| {
    let names = "a|b|i|em|strong|span|u|s|sub|sup|small|font|img|mark|cite|q|abbr|time";
    Regex::new(&format!(r"(?i)</?(?:{names})(?:\s[^<>]*)?/?>"))
        .expect("the pattern is constant and tested")
});

/// A character reference.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
        .expect("the pattern is constant and tested")
});

/// The markup that a text without a declaration has by its look.
pub(super) fn markup(text: &str) -> Markup {
    let head = &text[..text.floor_char_boundary(HEAD)];
    let start = head.trim_start();
    let begins = |tag: &str| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag));
    if ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins) {
        return Markup::Html;
    }
    let blocks = BLOCK.find_iter(head).take(2).count();
    let inline = INLINE.find_iter(head).take(2).count();
    let is_html = blocks >= 2
        || blocks + inline >= 1 && (start.starts_with('<') || blocks + inline >= 2)
        || REFERENCE.is_match(head);
    if is_html { Markup::Fragment } else { Markup::Plain }
}

/// Tags that were escaped once too often.
static ESCAPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)&lt;/?(?:p|div|br|h[1-6]|ul|ol|li|blockquote)\b[^<>]*?/?&gt;")
        .expect("the pattern is constant and tested")
});

/// A text whose block tags are all written as character references, with the tags in their place.
pub(super) fn with_tags(text: &str) -> Cow<'_, str> {
    if BLOCK.is_match(text) || ESCAPED.find_iter(text).take(2).count() < 2 {
        return text.into();
    }
    let tags = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    tags.replace("&amp;", "&").into()
}

/// A fragment with its line breaks as tags where no tag makes a line in it.
pub(super) fn with_breaks(text: &str) -> Cow<'_, str> {
    if BLOCK.is_match(text) { text.into() } else { text.replace('\n', "<br>\n").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_told_by_its_look() {
        for (text, expected) in [
            ("<!DOCTYPE html><p>x", Markup::Html),
            ("<p>One.</p><p>Two.</p>", Markup::Fragment),
            ("One.<br>Two.<br/>Three.", Markup::Fragment),
            ("He said <b>no</b>.", Markup::Fragment),
            ("L&#8217;ouvrage &amp; le bac", Markup::Fragment),
            ("Plain text, with 1 < 2 and AT&T.", Markup::Plain),
            ("The tag <p> begins a paragraph.", Markup::Plain),
        ] {
            assert_eq!(markup(text), expected, "{text}");
        }
        assert_eq!(with_tags("&lt;p&gt;A &amp;amp; b.&lt;/p&gt;"), "<p>A &amp; b.</p>");
        for text in ["Write &lt;p&gt; first.", "<p>Write &lt;p&gt; and &lt;/p&gt;.</p>"] {
            assert_eq!(with_tags(text), text);
        }
        assert_eq!(with_breaks("a <b>b</b>\n\nc"), "a <b>b</b><br>\n<br>\nc");
    }
}
