//! Plain text: paragraphs between blank lines, or one a line; hard-wrapped lines are joined, page
//! numbers between them are left out, and paragraphs without a space between them are parted.

use super::found::{Found, join_line};
use super::ledger::Ledger;
use super::lines::{Line, line};
use super::wraps::{Wraps, has_end_inside};
use super::{boilerplate, furniture, glue, turns};
use crate::types::{Block, BlockKind};

/// Reads plain text.
pub(super) fn read(text: &str) -> Found {
    let lines: Vec<Line> = text.split_inclusive('\n').map(line).collect();
    let mut removed = Ledger::default();
    let mut lines = furniture::without_furniture(lines, &mut removed);
    turns::mark(&mut lines);
    let wraps = Wraps::of(&lines);
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
        let joins = previous.is_some_and(|before| line.goes_on || wraps.join(before, line))
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
                ..Block::default()
            }),
        }
        if line.has_bullet() {
            hanging = Some(line.marker.len());
        } else if !joins {
            hanging = None;
        }
        previous = Some(line);
    }
    let mut blocks = glue::part(blocks);
    let is_talk = lines.iter().any(|line| line.begins_turn);
    let title = if is_talk {
        // The first words of a conversation are no title of it, and its short turns no headings.
        let first = blocks.first().filter(|first| turns::speaker(&first.text).is_none());
        first.and_then(|_| first_title(&blocks))
    } else {
        mark_headings(&mut blocks);
        first_title(&blocks)
    };
    Found { title, blocks, removed, ..Found::default() }
}

/// Marks as headings the short lines without a full stop that stand before a long paragraph.
fn mark_headings(blocks: &mut [Block]) {
    for i in 0..blocks.len().saturating_sub(1) {
        let (block, next) = (&blocks[i], &blocks[i + 1]);
        let alone = gap(block) > 1 && (i == 0 || gap(&blocks[i - 1]) > 1);
        let short = block.text.chars().count() <= 140 && is_open(&block.text);
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

const ENDS: [char; 23] = [
    '.', '!', '?', '…', ':', ';', ',', '"', '”', '»', '’', ')', '。', '！', '？', '：', '；', '」',
    '”', '।', '։', '؟', '۔',
];

/// Whether a text has no mark at its end, as a headline has none; one that ends with quoted words,
/// or with words in brackets, has none either.
fn is_open(text: &str) -> bool {
    const CLOSING: [char; 7] = ['"', '”', '»', '’', ')', '」', '\''];
    !text.ends_with(ENDS) || text.trim_end_matches(CLOSING).ends_with(char::is_alphanumeric)
}

/// Line breaks after a block.
fn gap(block: &Block) -> usize {
    block.suffix.matches('\n').count()
}

/// The title: the first block when it is a heading, when it comes twice, when it is the only
/// line without a full stop where every line is a sentence or paragraph, or when it is a sentence
/// that stands as headlines do.
fn first_title(blocks: &[Block]) -> Option<String> {
    let (first, rest) = blocks.split_first()?;
    let length = first.text.chars().count();
    let twice = blocks.len() > 2 && rest[0].text == first.text && length <= 300;
    let stopped = rest.iter().filter(|b| b.text.ends_with(ENDS)).count();
    let bare = first.kind == BlockKind::Paragraph && first.prefix.is_empty();
    let plain = bare && is_open(&first.text);
    let alone = plain && length <= 160 && rest.len() >= 2 && stopped * 10 >= rest.len() * 8;
    let heads = bare && length <= 140 && !has_end_inside(&first.text) && is_set_apart(first, rest);
    (twice || alone || heads || first.kind == BlockKind::Heading && blocks.len() > 1)
        .then(|| first.text.clone())
}

/// Whether a sentence is no part of the running text after it: more blank lines follow it than any
/// other paragraph, or who wrote it, or where and when. The first sentence of an article may be a
/// paragraph as well, so that nothing else tells.
fn is_set_apart(first: &Block, rest: &[Block]) -> bool {
    let Some((next, more)) = rest.split_first() else { return false };
    let others = rest.iter().take(rest.len() - 1).map(gap);
    let is_wider = rest.len() > 2 && others.max().is_some_and(|most| gap(first) > most);
    let is_signed = gap(first) > 1
        && (!more.is_empty() && is_open(&next.text) && boilerplate::is_byline(&next.text)
            || boilerplate::has_dateline(&next.text));
    is_wider || is_signed
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
    fn ragged_lines_are_joined() {
        let transcript = "okay hello everybody and welcome back\nto the channel\ntoday we are going to \
            talk about the old bridge\nand why it was closed so as you\nmay have heard the divers \
            went down last week\n";
        assert_eq!(texts(transcript).len(), 1);
        let columns = "The ministry said on Monday that the talks would go on\nfor three days. The \
            well-known\nmediator, whom both sides trust, would take part in all of them\nafter all, \
            and nobody\nwould be turned away.\n\nA second paragraph follows\nhere, wrapped as it \
            fell.\n";
        assert_eq!(
            texts(columns),
            [
                "The ministry said on Monday that the talks would go on for three days. The \
                 well-known mediator, whom both sides trust, would take part in all of them after \
                 all, and nobody would be turned away.",
                "A second paragraph follows here, wrapped as it fell."
            ]
        );
        let poem = "The wind is up tonight again,\nthe boats lie still along the quay,\nand \
            nobody is there to see\nthe lights go out, the falling rain.\n";
        assert_eq!(texts(poem).len(), 4);
        assert_eq!(texts("milk\nbread\neggs\nbutter\nand some honey from the market").len(), 5);
    }

    #[test]
    fn page_numbers_go_and_sentences_go_on() {
        let text = "The divers went down last week and found cracks in two\n\n12\n\nof the four \
            piers. Nobody had expected that, said the\n\nAnnual Report\n13\n\nmayor of the town, \
            who came by boat.\n\nAnnual Report\n14\n\nThe end.\n";
        assert_eq!(
            texts(text),
            [
                "The divers went down last week and found cracks in two of the four piers. Nobody \
                 had expected that, said the mayor of the town, who came by boat.",
                "The end."
            ]
        );
        assert_eq!(
            texts("Results\n\n3\n\n2\n\nThe match was even."),
            ["Results", "3", "2", "The match was even."]
        );
        assert_eq!(
            texts("1\n\nThe beginning.\n\n2\n\nThe end."),
            ["1", "The beginning.", "2", "The end."]
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

    #[test]
    fn a_headline_may_end_as_a_sentence_does_where_it_stands_as_one() {
        let body = "The bridge was closed in May. Divers had found cracks.\n\nIt is open \
            again. Nobody was hurt.\n\nThe work took eleven months. It cost a lot.\n";
        let title = |text: &str| read(text).title;
        for (headline, between) in [
            ("The bridge is open again.", "\n\n\n"),
            ("Will the bridge ever open?", "\n\nBy Jane Doe\n\n"),
            ("The bridge is open again.", "\n\n12 May 2025, 14:30\n\n"),
            ("The bridge is open again.", "\n\nPORT ELLEN, May 3 (Reuters) - "),
            ("Brücke wieder offen!", "\n\nPort Ellen (dpa) – "),
            ("Mayor says bridge is “open again”", "\n\n"),
            ("Mayor says: 'We will rebuild'", "\n\n"),
            ("Bridge open again (video)", "\n\n"),
        ] {
            let text = format!("{headline}{between}{body}");
            assert_eq!(title(&text).as_deref(), Some(headline), "{text}");
        }
        // The first sentence of a text is none, however short.
        for first in [
            "The bridge is open again.",
            "It was a cold night.",
            "“We will rebuild.”",
            "“We will rebuild,” he said.",
            "Is it open?",
        ] {
            assert_eq!(title(&format!("{first}\n\n{body}")), None, "{first}");
        }
        for next in ["The mayor (left) – he smiled – said so.", "It cost 3 - nothing more."] {
            let text = format!("The bridge is open again.\n\n{next}\n\n{body}");
            assert_eq!(title(&text), None, "{next}");
        }
        // A sentence with a time in it is no byline.
        let chinese = "大桥重新开放。\n\n潜水员周一14:30发现裂缝。\n\n工程历时十一个月。\n";
        assert_eq!(title(chinese), None);
        let two = "The bridge is open. At last.\n\n\n";
        assert_eq!(title(&format!("{two}{body}")), None);
        // Lines without a pattern tell nothing.
        assert_eq!(title("The bridge is open.\n\n\nNobody was hurt.\n"), None);
        assert_eq!(title("The bridge is open.\n\nSo is the road.\nAnd the ferry runs.\n"), None);
    }
}
