//! Markdown: the text of paragraphs, headings, items and cells is found by the parser's offsets,
//! with its markup beside it; everything else stays as it is.

mod fences;
mod foreign;
mod label;
mod leaves;
mod marked_lines;
mod pairs;
mod shield;
#[cfg(test)]
mod tests_of_writing;

use super::found::Found;
use super::front::{Value, front_matter, values};
use crate::types::{Block, BlockKind, Marked};
use leaves::{Leaf, leaves};

/// Reads Markdown. Front matter, code, HTML blocks, rules, link definitions and the lines of site
/// generators become [`BlockKind::Verbatim`].
pub(super) fn read(source: &str) -> Found {
    let front = front_matter(source);
    let mut blocks: Vec<Block> = Vec::new();
    let mut source = source;
    if let Some(front) = &front {
        let (text, rest) = source.split_at(front.text.len());
        let end = "\n".repeat(usize::from(rest.starts_with('\n')));
        source = &rest[end.len()..];
        blocks.extend(of_front(text, &end));
    }
    let first = blocks.len();
    let leaves = leaves(source);
    let mut at = 0;
    for leaf in leaves {
        let Leaf { kind, range, marked, asides, notation } = leaf;
        if range.start < at || marked.text.is_empty() && marked.inline.is_empty() {
            continue;
        }
        let prefix = between(&source[at..range.start], &mut blocks, first);
        let written = &source[range.clone()];
        let original = (marked.to_markup() != written).then(|| written.to_string());
        let Marked { text, inline } = marked;
        at = range.end;
        blocks.push(Block {
            kind,
            prefix,
            text,
            inline,
            original,
            notation,
            asides,
            ..Block::default()
        });
    }
    let rest = between(&source[at..], &mut blocks, first);
    if !rest.is_empty() {
        match blocks.last_mut() {
            // What closes the last line belongs to it.
            Some(last) if last.suffix.is_empty() => last.suffix = rest,
            Some(last) if rest.trim().is_empty() => last.suffix.push_str(&rest),
            _ => blocks.push(verbatim(rest, String::new())),
        }
    }
    Found { title: front.and_then(|front| front.title), blocks, ..Found::default() }
}

/// The texts of front matter, each with what stands before it; `end` follows all.
fn of_front(front: &str, end: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut at = 0;
    for Value { range, text, notation } in values(front) {
        let written = &front[range.clone()];
        blocks.push(Block {
            kind: BlockKind::Heading,
            prefix: front[at..range.start].to_string(),
            original: (text != written).then(|| written.to_string()),
            text,
            notation,
            ..Block::default()
        });
        at = range.end;
    }
    let rest = &front[at..];
    match blocks.last_mut() {
        Some(last) => last.suffix = [rest, end].concat(),
        None => blocks.push(verbatim(rest.into(), end.into())),
    }
    blocks
}

fn verbatim(text: String, suffix: String) -> Block {
    Block { kind: BlockKind::Verbatim, text, suffix, ..Block::default() }
}

/// Divides the source between two leaves: the end of the line and blank lines go to the block
/// before, other whole lines become verbatim blocks, and the beginning of the line before the next
/// leaf is returned as its prefix. The first blocks are those of the front matter.
fn between(gap: &str, blocks: &mut Vec<Block>, first: usize) -> String {
    let Some(last_break) = gap.rfind('\n') else { return gap.to_string() };
    let (mut whole, prefix) = gap.split_at(last_break + 1);
    if blocks.len() > first
        && let Some(block) = blocks.last_mut()
    {
        let first_break = whole.find('\n').map_or(whole.len(), |i| i + 1);
        let (mut end, mut rest) = whole.split_at(first_break);
        // The underline of a heading goes with it.
        if block.kind == BlockKind::Heading && block.prefix.trim().is_empty() {
            let underline = rest.split_inclusive('\n').next().unwrap_or("");
            if !underline.trim().is_empty()
                && underline.trim().chars().all(|c| matches!(c, '=' | '-'))
            {
                (end, rest) = whole.split_at(end.len() + underline.len());
            }
        }
        block.suffix.push_str(end);
        whole = rest;
    }
    let mut lead = String::new();
    for line in whole.split_inclusive('\n') {
        let blank = line.trim_matches(|c: char| c.is_whitespace() || c == '>').is_empty();
        match blocks.last_mut() {
            Some(block) if blank => block.suffix.push_str(line),
            None if blank => lead.push_str(line),
            // Lines of one code block or table stay together.
            Some(block) if block.kind == BlockKind::Verbatim && block.suffix == "\n" => {
                block.text.push('\n');
                block.text.push_str(line.trim_end_matches('\n'));
            }
            _ => blocks.push(Block {
                kind: BlockKind::Verbatim,
                prefix: std::mem::take(&mut lead),
                text: line.trim_end_matches('\n').to_string(),
                suffix: "\n".repeat(usize::from(line.ends_with('\n'))),
                ..Block::default()
            }),
        }
    }
    lead + prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::inline;

    const SAMPLE: &str = "---\ntitle: \"The talks\"\ndate: 2024-05-12\n---\n\n# The talks\n\nThe \
        *talks* began, see [the\nreport](https://x.org/r) and `code`.\nThey go on.\n\n- one\n- [ ] \
        two\n  - nested **three**\n\n1. First\n   wrapped\n\n> quoted line\n> goes on\n\nHard  \
        \nbreak \\* here\n\n```rust\nfn main() {}\n```\n\n| a | b |\n|---|---|\n| c | d |\
        \n\nUnder\n=====\n\n![map](m.png) text\n\n<div>html</div>\n\n[x]: https://x.org\n\nEnd.\n";

    fn whole(source: &str) -> String {
        let blocks = read(source).blocks;
        blocks.iter().map(|b| format!("{}{}{}", b.prefix, b.written(), b.suffix)).collect()
    }

    #[test]
    fn blocks_and_their_surroundings() {
        use BlockKind::*;
        let blocks = read(SAMPLE).blocks;
        let marked: Vec<(BlockKind, &str, String)> = blocks
            .iter()
            .map(|b| {
                let text = match b.kind {
                    Verbatim => b.text.clone(),
                    _ => inline::markdown(&b.marked(), &b.prefix),
                };
                (b.kind, b.prefix.as_str(), text)
            })
            .collect();
        let text: Vec<(BlockKind, &str, &str)> =
            marked.iter().map(|(kind, prefix, text)| (*kind, *prefix, text.as_str())).collect();
        assert_eq!(
            text,
            [
                (Heading, "---\ntitle: ", "The talks"),
                (Heading, "# ", "The talks"),
                (
                    Paragraph,
                    "",
                    "The *talks* began, see [the report](https://x.org/r) and `code`. They go on."
                ),
                (Item, "- ", "one"),
                (Item, "- [ ] ", "two"),
                (Item, "  - ", "nested **three**"),
                (Item, "1. ", "First wrapped"),
                (Paragraph, "> ", "quoted line goes on"),
                (Paragraph, "", "Hard"),
                (Paragraph, "", "break * here"),
                (Verbatim, "", "```rust\nfn main() {}\n```"),
                (Paragraph, "| ", "a"),
                (Paragraph, " | ", "b"),
                (Verbatim, "", "|---|---|"),
                (Paragraph, "| ", "c"),
                (Paragraph, " | ", "d"),
                (Heading, "", "Under"),
                (Paragraph, "", "![map](m.png) text"),
                (Paragraph, "<div>", "html"),
                (Verbatim, "", "[x]: https://x.org"),
                (Paragraph, "", "End."),
            ]
        );
        assert_eq!(read(SAMPLE).title.as_deref(), Some("The talks"));
    }

    #[test]
    fn a_reader_sees_text_and_the_markup_stands_beside_it() {
        let shown = |source: &str| {
            let found = read(source).blocks;
            let blocks = found.iter().filter(|block| block.kind != BlockKind::Verbatim);
            blocks
                .map(|b| (b.text.clone(), inline::markdown(&b.marked(), &b.prefix)))
                .collect::<Vec<_>>()
        };
        for (source, text, again) in [
            (
                "[![état](https://x.org/a_(b).svg)](https://y.org?a=1&b=2)",
                "",
                "[![état](https://x.org/a_(b).svg)](https://y.org?a=1&b=2)",
            ),
            (
                "See [<u>the report</u>](https://x.org/r_(f).pdf)[^1], **[the plan](p)**.",
                "See the report, the plan.",
                "See [<u>the report</u>](https://x.org/r_(f).pdf)[^1], **[the plan](p)**.",
            ),
            (
                "[the map][map] and [a *b*][]\n\n[map]: m\n[a *b*]: n",
                "the map and a b",
                "[the map][map] and [a *b*][a *b*]",
            ),
            (
                "Go: <https://x.org/a_b_c>!",
                "Go: https://x.org/a_b_c!",
                "Go: <https://x.org/a_b_c>!",
            ),
            ("A ~~b~~ &amp; c\\*", "A b & c*", "A ~~b~~ & c*"),
            ("Set `a_b_` to\n`1`.", "Set `a_b_` to `1`.", "Set `a_b_` to `1`."),
            (
                "Dear {{ user.name }}, {% if x %}yes{% endif %}",
                "Dear {{ user.name }}, yes",
                "Dear {{ user.name }}, {% if x %}yes{% endif %}",
            ),
            ("## Map {#fig-map .wide}", "Map", "Map {#fig-map .wide}"),
            (
                "[[Bridge|The bridge]] and [[Ferry]]",
                "The bridge and [[Ferry]]",
                "[[Bridge|The bridge]] and [[Ferry]]",
            ),
            ("字*字\n字*字", "字字字字", "字*字字*字"),
            ("**one\n[two](x)** three", "one two three", "**one [two](x)** three"),
        ] {
            let found = shown(source);
            assert_eq!(found[0], (text.to_string(), again.to_string()), "{source}");
        }
        // Lines of site generators divide paragraphs.
        let source = "{{% note %}}\nOne.\n{{% /note %}}\n\n{{< figure\n  src=\"x\" >}}\nTwo\n::: tip\nThree\n:::\n";
        let texts: Vec<String> = shown(source).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, ["One.", "Two", "Three"]);
        assert_eq!(whole(source), source);
    }

    #[test]
    fn the_source_comes_back_to_the_byte() {
        assert_eq!(whole(SAMPLE), SAMPLE);
    }

    #[test]
    fn odd_input_is_kept_too() {
        for text in [
            "",
            "\n\na",
            "\n---\n",
            "# \n",
            "- \n",
            "> > deep\n> > more",
            "a\\\nb",
            "*open",
            "[a](b\nc)",
            "***\n",
            "    code\n",
            "a | b\n-|-\n1 | 2",
            "&amp; x",
            "* a\n\n  b\n* c",
        ] {
            assert_eq!(whole(text), text);
        }
    }
}
