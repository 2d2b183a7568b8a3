//! The ends of a page's text: datelines and labels before it, and after it the sections that lead
//! away from it.

use super::boilerplate::{self, Verdict};
use super::html_blocks::Reading;
use super::ledger::Ledger;
use super::page::{prose, weight};
use crate::types::{BlockKind, Removal};

/// Drops what stands before and after the text.
pub(super) fn trim(mut blocks: Vec<Reading>, removed: &mut Ledger) -> Vec<Reading> {
    let total: usize = blocks.iter().map(|r| prose(&r.block.text, r.linked)).sum();
    if total < 100 {
        return blocks;
    }
    let mut before = 0;
    let cut = blocks.iter().enumerate().position(|(i, r)| {
        let late = before * 100 >= total * 60
            || before * 100 >= total * 35 && are_teasers(&blocks[i + 1..]);
        before += prose(&r.block.text, r.linked);
        late && leads_away(r)
    });
    if let Some(cut) = cut {
        blocks.drain(cut..).for_each(|r| removed.add(Removal::Ends, &r.block.text));
    }
    while let Some(last) = blocks.pop_if(|last| is_tail(last)) {
        removed.add(Removal::Ends, &last.block.text);
    }
    // Bylines, dates and credits of pictures at the head of the text.
    let mut seen = 0;
    blocks.retain(|r| {
        let text = &r.block.text;
        seen += 1;
        let reason = match r.block.kind == BlockKind::Paragraph {
            true if seen <= 6 && boilerplate::is_byline(text) => Removal::Details,
            true if boilerplate::is_caption(text) => Removal::Caption,
            _ => return true,
        };
        removed.add(reason, text);
        false
    });
    let first = blocks.iter().position(|r| !is_label(r)).unwrap_or(0);
    blocks.drain(..first).for_each(|r| removed.add(Removal::Ends, &r.block.text));
    blocks
}

/// Whether a block is the heading of a section about other articles, the author, the sources.
fn leads_away(reading: &Reading) -> bool {
    let text = reading.block.text.trim();
    // "Read more: a headline" is one line within the text.
    let may_head = match reading.block.kind {
        BlockKind::Verbatim => false,
        BlockKind::Heading => true,
        _ => reading.linked == 0 && (text.ends_with(':') || !text.contains(':')),
    };
    may_head && weight(text) < 80 && boilerplate::heads_an_end(text)
}

/// Whether blocks are many short ones, with links among them, as teasers are.
fn are_teasers(blocks: &[Reading]) -> bool {
    let all: usize = blocks.iter().map(|r| r.block.text.len()).sum();
    let linked: usize = blocks.iter().map(|r| r.linked).sum();
    all < 120 * blocks.len() && linked * 4 > all
}

/// Whether a block at the end is no part of the text: a heading without text, a label, a link.
fn is_tail(reading: &Reading) -> bool {
    let text = &reading.block.text;
    match reading.block.kind {
        BlockKind::Heading => true,
        BlockKind::Verbatim | BlockKind::Item => false,
        _ => {
            let all_link = reading.linked * 10 >= text.len() * 9;
            all_link
                || weight(text) < 60 && !ends_sentence(text)
                || boilerplate::judge(text) != Verdict::Article
                || boilerplate::is_credit(text)
        }
    }
}

/// Whether a block before the text is a date, a place, a category.
fn is_label(reading: &Reading) -> bool {
    let text = &reading.block.text;
    let trail = text.matches(['>', '»', '›', '→']).count() >= 2 && reading.linked > 0;
    matches!(reading.block.kind, BlockKind::Paragraph | BlockKind::Item)
        && (trail || weight(text) < 60 && !ends_sentence(text))
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '»', '’', ')', '\''])
        .ends_with(['.', '!', '?', '…', ':', ';', ',', '。', '！', '？', '」', '।', '։', '؟', '۔'])
}
