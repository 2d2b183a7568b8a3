//! Texts that stay in the source's language, since they stand in markup that is not taken apart.

use super::{html, protect};
use crate::types::{Block, BlockKind, Tag};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The head of a message with several texts, of which a program takes one.
static MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\{[A-Za-z0-9_.]+,\s*(?:plural|select|selectordinal),")
        .expect("the pattern is constant and tested")
});

/// What stands for an image; a value that is a text by its name.
static TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^ ?!\[(?<label>(?:[^\[\]\\]|\\.)+)\]",
        r"|(?i:\b(?:caption|title|subtitle|alt|label|description|summary|text|placeholder)",
        r"\s*=\s*(?:\x22(?<double>[^\x22]+)\x22|'(?<single>[^']+)'))",
    ))
    .expect("the pattern is constant and tested")
});

/// The texts of a block that are not translated with it.
pub(crate) fn texts(block: &Block) -> Vec<String> {
    if block.kind == BlockKind::Verbatim {
        let is_shortcode = ["{{<", "{{%", "{%"].iter().any(|mark| block.text.starts_with(mark));
        return if is_shortcode { of_markup(&block.text, |_| true).collect() } else { Vec::new() };
    }
    let has_message = block.text.contains('{');
    let spans = if has_message { protect::spans(&block.text) } else { Vec::new() };
    let spans = spans.into_iter().map(|span| &block.text[span]);
    let messages = spans.filter(|span| MESSAGE.is_match(span)).map(String::from);
    let tags = block.inline.tags.iter().enumerate();
    let of_tag = |(number, Tag { markup, .. }): (usize, &Tag)| {
        let own = block.asides.iter().filter(move |aside| aside.tag == number);
        let is_left = move |range: &Range<usize>| {
            own.clone()
                .all(|aside| aside.range.end <= range.start || range.end <= aside.range.start)
        };
        of_markup(markup, is_left).collect::<Vec<_>>()
    };
    messages.chain(tags.flat_map(of_tag)).collect()
}

/// The texts in a piece of markup, those apart that are read.
fn of_markup(
    markup: &str,
    is_left: impl Fn(&Range<usize>) -> bool,
) -> impl Iterator<Item = String> {
    TEXT.captures_iter(markup).filter_map(move |found| {
        let own = found.name("label").or(found.name("double")).or(found.name("single"))?;
        let text = own.as_str();
        let is_text = text.contains(' ') || text.starts_with(char::is_uppercase);
        let is_text = is_text && protect::is_translatable(text) && !html::is_name(text);
        (is_text && is_left(&own.range())).then(|| text.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Inline, TagKind};

    #[test]
    fn texts_that_nobody_reads_are_found() {
        let point = |markup: &str| Tag { at: 0, markup: markup.into(), kind: TagKind::Point };
        let found = |text: &str, kind, markup: &[&str]| {
            let tags = markup.iter().map(|markup| point(markup)).collect();
            let inline = Inline { tags, kept: Vec::new() };
            texts(&Block { kind, text: text.into(), inline, ..Block::default() })
        };
        let message = "{n, plural, one {# day} other {# days}}";
        let text = format!("After {message} and {{x}}.");
        let tags = ["![The *old* map](m.png)", "![](n.png)", "<b title=\"A plan\" id=\"The id\">"];
        assert_eq!(found(&text, BlockKind::Paragraph, &tags), [message, "The *old* map", "A plan"]);
        let shortcode = "{{< figure src=\"A b.png\" caption='The old map' alt=\"m_1.png\" >}}";
        assert_eq!(found(shortcode, BlockKind::Verbatim, &[]), ["The old map"]);
        assert!(found("a title=\"The code\"", BlockKind::Verbatim, &[]).is_empty());
    }
}
