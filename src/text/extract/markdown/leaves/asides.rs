//! Texts inside of markup: what is shown in an image's place, titles, attributes of HTML.

use super::super::super::found::one_line;
use super::super::label::{end_of_label, plain, unescaped};
use crate::text::html::{self, Piece, Pieces};
use crate::text::{protect, tag};
use crate::types::{Aside, Notation, Tag, TagKind};
use std::ops::Range;

/// Elements whose text is no language's.
const CODE: [&str; 5] = ["code", "kbd", "samp", "var", "tt"];

/// The texts inside of some tags, in order.
pub(super) fn asides(tags: &[Tag]) -> Vec<Aside> {
    let mut found = Vec::new();
    for (number, Tag { markup, kind, .. }) in tags.iter().enumerate() {
        let mut add = |range: Range<usize>, text: String, notation| {
            if protect::is_translatable(&text) && !html::is_name(&text) {
                found.push(Aside { tag: number, range, text, notation });
            }
        };
        if markup.starts_with("![") && *kind == TagKind::Point {
            let Some(end) = end_of_label(markup, 2) else { continue };
            if let Some(text) = plain(&markup[2..end]) {
                add(2..end, text, Notation::ImageText);
            }
            if let Some((range, text)) = title(markup, end) {
                add(range, text, Notation::LinkTitle);
            }
        } else if let Some(note) = markup.strip_prefix("^[").and_then(|m| m.strip_suffix(']')) {
            if let Some(text) = plain(note) {
                add(2..2 + note.len(), text, Notation::ImageText);
            }
        } else if markup.starts_with("](") {
            if let Some((range, text)) = title(markup, 0) {
                add(range, text, Notation::LinkTitle);
            }
        } else if markup.starts_with('<') {
            of_elements(markup).for_each(|(range, text)| add(range, text, Notation::Attribute));
        }
    }
    found
}

/// The texts in the attributes of an element, and of those in it.
fn of_elements(markup: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let mut at = 0;
    Pieces::new(markup, false).flat_map(move |piece| {
        let start = at;
        at += piece.source().len();
        let texts = match piece {
            Piece::Start(raw) | Piece::Raw(raw) => html::texts(raw).collect(),
            _ => Vec::new(),
        };
        texts.into_iter().map(move |(range, text)| (start + range.start..start + range.end, text))
    })
}

/// The parts of a text that are code, or an address, by the tags around them, or not to be
/// translated.
pub(super) fn kept(tags: &[Tag], length: usize) -> Vec<Range<usize>> {
    let (mut found, mut open): (Vec<Range<usize>>, Vec<(bool, usize)>) = Default::default();
    for Tag { at, markup, kind } in tags {
        match kind {
            TagKind::Open => {
                let is_element = markup.starts_with('<');
                let name = tag::name(markup).to_ascii_lowercase();
                let is_address = markup == "<";
                let is_code = is_element && (CODE.contains(&&*name) || html::is_kept(markup));
                let is_kept = is_address || is_code;
                open.push((is_kept, *at));
            }
            TagKind::Close => {
                let start = open.pop().filter(|(is_kept, _)| *is_kept).map(|(_, start)| start);
                let is_within = open.iter().any(|(is_kept, _)| *is_kept);
                let range = start.map(|start| start..(*at).min(length));
                found.extend(range.filter(|range| !is_within && !range.is_empty()));
            }
            TagKind::Point => {}
        }
    }
    found
}

/// The title of a link's definition, `[x]: address "title"`, by its place. One that leads nowhere
/// is a comment, `[//]: # (comment)`.
pub(super) fn title_of_definition(definition: &str) -> Option<(Range<usize>, String)> {
    let start = definition.find("]:")? + 2;
    let (range, text) = quoted(definition.trim_end(), start)?;
    let address = definition[start..range.start].trim();
    (!matches!(address, "#" | "<>" | "<#>")).then_some((range, text))
}

/// The title behind the address that follows a label, which ends at a place.
fn title(markup: &str, label: usize) -> Option<(Range<usize>, String)> {
    let start = label + 2;
    let inner = markup.strip_suffix(')')?;
    markup.get(label..start).filter(|marks| *marks == "](")?;
    quoted(inner.trim_end(), start)
}

/// What stands between quotes at the end of a text, after something else from `start` on.
fn quoted(text: &str, start: usize) -> Option<(Range<usize>, String)> {
    let last = text.chars().next_back()?;
    let first = match last {
        '"' | '\'' => last,
        ')' => '(',
        _ => return None,
    };
    let end = text.len() - 1;
    let inner = text.get(start..end)?;
    let is_escaped = |at: usize| {
        let before = &inner[..at];
        (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
    };
    let open = inner.rmatch_indices(first).map(|(at, _)| at).find(|&at| !is_escaped(at))?;
    let before = &inner[..open];
    let is_apart = before.ends_with(char::is_whitespace) && !before.trim().is_empty();
    let text = plain_title(&inner[open + 1..]);
    is_apart.then_some((start + open..end + 1, text))
}

/// The text of a title, its escapes and references resolved.
fn plain_title(written: &str) -> String {
    one_line(&html::resolve(&unescaped(written)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(markup: &str) -> Vec<(&str, String)> {
        let kind = if markup.starts_with(']') { TagKind::Close } else { TagKind::Point };
        let tags = [Tag { at: 0, markup: markup.into(), kind }];
        let shown = |aside: Aside| (&markup[aside.range], aside.text);
        asides(&tags).into_iter().map(shown).collect()
    }

    #[test]
    fn texts_of_images_links_and_elements() {
        let none: [(&str, &str); 0] = [];
        for (markup, expected) in [
            (
                "![A map](m.png \"Of \\\"it\\\"\")",
                &[("A map", "A map"), ("\"Of \\\"it\\\"\"", "Of \"it\"")][..],
            ),
            ("![A \\[b\\]](m_(1).png 'T')", &[("A \\[b\\]", "A [b]"), ("'T'", "T")]),
            ("![A map](<m n.png> (Of it))", &[("A map", "A map"), ("(Of it)", "Of it")]),
            ("![A map][m]", &[("A map", "A map")]),
            ("![img_2.png](a \"12\")", &none),
            ("^[A note.]", &[("A note.", "A note.")]),
            ("![a *b*](c)", &none),
            ("](u \"A plan\")", &[("\"A plan\"", "A plan")]),
            ("](u\"v\")", &none),
            ("]( \"v\")", &none),
            ("](u)", &none),
            ("][u]", &none),
            ("<img src=a alt='A map' title=T>", &[("'A map'", "A map"), ("T", "T")]),
            ("<Card title=\"A &amp; b\" icon=\"x\" alt={t}>", &[("\"A &amp; b\"", "A & b")]),
            ("<picture><source media=m><img alt=\"A map\"></picture>", &[("\"A map\"", "A map")]),
            ("<!-- alt=\"no\" -->", &none),
        ] {
            let found = found(markup);
            let found: Vec<_> = found.iter().map(|(a, b)| (*a, b.as_str())).collect();
            assert_eq!(found, expected, "{markup}");
        }
        let definition = "[x]: <u> 'A plan'\n";
        let (range, text) = title_of_definition(definition).unwrap();
        assert_eq!((&definition[range], text.as_str()), ("'A plan'", "A plan"));
        for none in ["[x]: u", "[//]: # (A note)", "[comment]: <> (A note)", "[_]: <#> \"A\""] {
            assert_eq!(title_of_definition(none), None, "{none}");
        }
    }
}
