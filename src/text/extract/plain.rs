//! Plain text: paragraphs between blank lines, or one a line; hard-wrapped lines are joined.

use super::found::{Found, join_line};
use crate::types::{Block, BlockKind};
use regex::Regex;
use std::sync::LazyLock;

/// Indent, quotation mark or bullet before the text of a line.
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\s\u{3000}]*(?:>[\s>]*)?(?:[-*+•‣▪●◦·–—]\s+|\(?\d{1,3}[.)]\s+)?")
        .expect("the pattern is constant and tested")
});

/// Longest line, in characters, that is taken to be hard-wrapped.
const WIDEST: usize = 120;

struct Line<'a> {
    marker: &'a str,
    text: &'a str,
    /// Spaces at the end of the line and its line break.
    end: &'a str,
}

impl Line<'_> {
    fn has_bullet(&self) -> bool {
        self.marker.contains(|c: char| !c.is_whitespace() && c != '>')
    }

    fn width(&self) -> usize {
        (self.marker.chars().count()) + self.text.chars().count()
    }
}

/// Reads plain text.
pub(super) fn read(text: &str) -> Found {
    let lines: Vec<Line> = text.split_inclusive('\n').map(line).collect();
    let width = wrap_width(&lines);
    let mut blocks: Vec<Block> = Vec::new();
    let mut previous: Option<&Line> = None;
    // Where the text of the open item begins: lines indented as far go on with it.
    let mut hanging = None;
    for line in &lines {
        if line.text.is_empty() {
            if let Some(block) = blocks.last_mut() {
                block.suffix.push_str(line.marker);
                block.suffix.push_str(line.end);
            }
            (previous, hanging) = (None, None);
            continue;
        }
        let joins = previous
            .is_some_and(|before| width.is_some_and(|w| is_wrapped(before, line, w)))
            || hanging == Some(line.marker.len()) && line.marker.trim().is_empty();
        match blocks.last_mut() {
            Some(block) if joins => {
                join_line(&mut block.text, line.text);
                block.suffix = line.end.to_string();
            }
            _ => blocks.push(Block {
                kind: if line.has_bullet() { BlockKind::Item } else { BlockKind::Paragraph },
                prefix: line.marker.to_string(),
                text: line.text.to_string(),
                suffix: line.end.to_string(),
            }),
        }
        if line.has_bullet() {
            hanging = Some(line.marker.len());
        } else if !joins {
            hanging = None;
        }
        previous = Some(line);
    }
    mark_headings(&mut blocks);
    let title = first_title(&blocks);
    Found { title, blocks, ..Found::default() }
}

fn line(whole: &str) -> Line<'_> {
    let marked = MARKER.find(whole).map_or(0, |m| m.end());
    let (marker, rest) = whole.split_at(marked);
    let text = rest.trim_end();
    if text.is_empty() {
        // A line of white space, or a bullet without text, which is text then.
        let bare = marker.trim();
        return match bare.is_empty() {
            true => Line { marker: "", text: "", end: whole },
            false => {
                let at = whole.find(bare).unwrap_or(0);
                Line { marker: &whole[..at], text: bare, end: &whole[at + bare.len()..] }
            }
        };
    }
    Line { marker, text, end: &rest[text.len()..] }
}

/// The width at which the lines are hard-wrapped; `None` when they are not. They are when nearly
/// all lines that another one follows directly are so long that the next word would not have
/// fitted.
fn wrap_width(lines: &[Line]) -> Option<usize> {
    let pairs: Vec<(&Line, &Line)> = lines
        .windows(2)
        .map(|w| (&w[0], &w[1]))
        .filter(|(a, b)| !a.text.is_empty() && !b.text.is_empty() && !b.has_bullet())
        .collect();
    let mut widths: Vec<usize> = pairs.iter().map(|(a, _)| a.width()).collect();
    widths.sort_unstable();
    let width = *widths.get(widths.len() * 9 / 10)?;
    if !(24..=WIDEST).contains(&width) {
        return None;
    }
    let wrapped = pairs.iter().filter(|(a, b)| is_wrapped(a, b, width)).count();
    (wrapped * 10 >= pairs.len() * 7).then_some(width)
}

/// Whether the break between two lines is only there because the line was full.
fn is_wrapped(line: &Line, next: &Line, width: usize) -> bool {
    let first_word = next.text.split_whitespace().next().unwrap_or("");
    // A script without spaces breaks after any character.
    let needed = if first_word.is_ascii() || first_word.chars().count() < 20 {
        first_word.chars().count()
    } else {
        2
    };
    !next.has_bullet() && line.width() + 1 + needed + 1 >= width
}

/// Marks as headings the short lines without a full stop that stand before a long paragraph.
fn mark_headings(blocks: &mut [Block]) {
    for i in 0..blocks.len().saturating_sub(1) {
        let (block, next) = (&blocks[i], &blocks[i + 1]);
        let alone = block.suffix.matches('\n').count() > 1
            && (i == 0 || blocks[i - 1].suffix.matches('\n').count() > 1);
        let short = block.text.chars().count() <= 140 && !block.text.ends_with(ENDS);
        let same = block.text == next.text;
        let text_follows = next.text.chars().count() > block.text.chars().count().min(60)
            && next.text.ends_with(ENDS);
        if block.kind == BlockKind::Paragraph
            && block.prefix.is_empty()
            && alone
            && short
            && (same || text_follows)
        {
            blocks[i].kind = BlockKind::Heading;
        }
    }
}

const ENDS: [char; 21] = [
    '.', '!', '?', '…', ':', ';', ',', '"', '”', '»', '’', ')', '。', '！', '？', '」', '”', '।',
    '։', '؟', '۔',
];

/// The title: the first block when it is a heading, when it comes twice, or when it is the only
/// line without a full stop where every line is a sentence or paragraph.
fn first_title(blocks: &[Block]) -> Option<String> {
    let (first, rest) = blocks.split_first()?;
    let length = first.text.chars().count();
    let twice = blocks.len() > 2 && rest[0].text == first.text && length <= 300;
    let stopped = rest.iter().filter(|b| b.text.ends_with(ENDS)).count();
    let plain = first.kind == BlockKind::Paragraph
        && first.prefix.is_empty()
        && !first.text.ends_with(ENDS);
    let alone = plain && length <= 160 && rest.len() >= 2 && stopped * 10 >= rest.len() * 8;
    (twice || alone || first.kind == BlockKind::Heading && blocks.len() > 1)
        .then(|| first.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        read(text).blocks.into_iter().map(|b| b.text).collect()
    }

    #[test]
    fn layout_is_kept_exactly() {
        for text in [
            "One.\n\nTwo.  \n \n\nThree.",
            "Title\n\n- a\n- b\n  1. c\n\n> quoted\n\nEnd.\n",
            "a\nb\nc\n",
            "• x\n\u{3000}字\n-\n",
        ] {
            let whole: String = read(text)
                .blocks
                .iter()
                .map(|b| format!("{}{}{}", b.prefix, b.text, b.suffix))
                .collect();
            assert_eq!(whole, text);
        }
    }

    #[test]
    fn hard_wrapped_lines_are_joined() {
        let text = "The ministry said on Monday that the talks\nwould go on for three days, and \
            that the well-\nknown mediator would take part in all of\nthem.\n\nA second paragraph \
            is wrapped at the same\nwidth as the first one.\n";
        assert_eq!(
            texts(text),
            [
                "The ministry said on Monday that the talks would go on for three days, and that \
                 the well-known mediator would take part in all of them.",
                "A second paragraph is wrapped at the same width as the first one.",
            ]
        );
        let chinese = "外交部周一表示会谈将持续三天而且著名的调解人将参加全\n部会谈双方都希望能够达成一个持久的和平协议并且尽快签\n署。\n";
        assert_eq!(
            texts(chinese),
            [
                "外交部周一表示会谈将持续三天而且著名的调解人将参加全部会谈双方都希望能够达成一个持久的和平协议并且尽快签署。"
            ]
        );
    }

    #[test]
    fn lines_of_their_own_stay_apart() {
        assert_eq!(
            texts(
                "First sentence here.\nSecond.\nA third one, which is much longer than \
            the others.\nFourth."
            )
            .len(),
            4
        );
        assert_eq!(
            texts("- one\n- two\n  and a half\n- three"),
            ["one", "two and a half", "three"]
        );
        assert_eq!(texts("Roses are red,\nviolets are blue").len(), 2);
    }

    #[test]
    fn titles() {
        assert_eq!(
            read("A title\n\nA long paragraph follows here.\n").title.as_deref(),
            Some("A title")
        );
        assert_eq!(read("A sentence.\n\nAnother one.\n").title, None);
        assert_eq!(read("Only a line").title, None);
        assert_eq!(
            read("A volcano spits ash\nIt began on Monday.\nIt goes on.\n").title.as_deref(),
            Some("A volcano spits ash")
        );
        assert_eq!(read("Roses are red\nviolets are blue\nsugar is sweet\n").title, None);
    }
}
