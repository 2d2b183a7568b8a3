//! HTML: the main text of a page, then its blocks.
//!
//! One parsed page is read by its signs of not being main text ([`prune`](super::prune)), by where
//! its prose is densest and what it declares ([`root`](super::root)), and by the text that it
//! carries as data ([`body`](super::body)). Where the first reading leaves little, it is read again
//! with fewer rules.

use super::about::About;
use super::boilerplate::{self, Verdict};
use super::found::Found;
use super::html_blocks::{Reading, walk};
use super::ledger::Ledger;
use super::page::{self, Page, measure};
use super::prune::{self, Gone, Rules};
use super::{body, ends, headline, hostile, plain, root, state};
use crate::types::{Block, BlockKind, Removal};
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<[^>]*>").expect("the pattern is constant and tested"));

/// Bytes of a source that are read as a page: the longest articles have a tenth, and the tree takes
/// memory by the number of its tags.
const LONGEST: usize = 4 << 20;

/// Tags that are read of a page; the longest articles have a tenth.
const MOST_TAGS: usize = 150_000;

/// Where the part of a source ends that is read as a page.
fn end_of_page(source: &str) -> usize {
    let tag = source.match_indices('<').nth(MOST_TAGS).map(|(at, _)| at);
    tag.unwrap_or(source.len()).min(source.floor_char_boundary(LONGEST))
}

/// Prose of a reading with which it is not tried again with fewer rules.
const ENOUGH: usize = 800;

/// Prose of a reading that is enough, too, when it is a quarter of the page's.
const LITTLE: usize = 150;

/// Reads a page, or a piece of one.
pub(super) fn read(source: &str) -> Found {
    read_by(source, main_text)
}

/// Reads the HTML of an article that stands alone: whatever is text in it belongs to it.
pub(super) fn read_fragment(source: &str) -> Found {
    read_by(source, whole_text)
}

/// Parses as much of a source as is read, and finds in it what `find` looks for; no parser takes in
/// hostile sources, which are read as plain text.
fn read_by(source: &str, find: fn(&Page, &mut Ledger) -> Found) -> Found {
    let (source, rest) = source.split_at(end_of_page(source));
    if hostile::is_hostile(source) {
        let mut found = plain::read(&TAG.replace_all(source, "\n\n"));
        found.removed.add(Removal::TooLong, rest);
        return found;
    }
    let mut removed = Ledger::default();
    removed.add(Removal::TooLong, rest);
    let found = find(&Page::parse(source), &mut removed);
    Found { removed, ..found }
}

fn main_text(page: &Page, removed: &mut Ledger) -> Found {
    let about = About::new(page);
    let title = headline::headline(page, &about);
    let attempt = best_attempt(page);
    attempt.account(page, removed);
    let blocks = ends::trim(attempt.blocks, removed);
    let blocks = without_link_lists(blocks, removed);
    let mut blocks = without_repetition(blocks, removed);
    let shown: usize = blocks.iter().map(|block| page::weight(&block.text)).sum();
    let declared = about.body(title.as_deref()).and_then(|b| body::instead(b, &blocks));
    let declared = declared.or_else(|| {
        let data = if shown < ENOUGH { state::bodies(page) } else { Vec::new() };
        body::of_headline(&data, title.as_deref()).and_then(|b| body::instead(b, &blocks))
    });
    if let Some(declared) = declared {
        blocks.iter().for_each(|b| removed.add(Removal::Elsewhere, &b.text));
        blocks = declared;
    }
    if blocks.iter().all(|b| boilerplate::judge(&b.text) == Verdict::Anywhere) {
        blocks.drain(..).for_each(|b| removed.add(Removal::Boilerplate, &b.text));
    }
    let mut fields = about.fields();
    if blocks.iter().all(|b| b.kind == BlockKind::Heading)
        && let Some(description) = about.description()
    {
        blocks.extend(plain::read(description).blocks);
        fields.insert("read_from".into(), "description".into());
    }
    // A page that shows nothing, not even a headline, is no article.
    let title = title.filter(|_| !blocks.is_empty() || page.nodes.iter().any(|n| n.tag == "h1"));
    Found { title, blocks, fields, ..Found::default() }
}

fn whole_text(page: &Page, removed: &mut Ledger) -> Found {
    let mut gone = Gone::new(page);
    prune::never(page, &mut gone);
    prune::marked_captions(page, &mut gone);
    for (at, reason) in gone.outermost(page) {
        removed.add(reason, &page.text_of(at, |_| false));
    }
    let blocks = without_link_lists(walk(page, 0, &gone.nodes), removed);
    Found { blocks, ..Found::default() }
}

/// One reading of a page.
struct Attempt {
    gone: Gone,
    root: usize,
    /// Elements before the root that lead into the text.
    lead: Vec<usize>,
    blocks: Vec<Reading>,
    /// Prose of the reading, and of the page.
    prose: usize,
    whole: usize,
}

/// The reading by all rules, or by fewer where the rules leave little of a page: they may have
/// taken the article for something else, as the posts of a forum for comments.
fn best_attempt(page: &Page) -> Attempt {
    let mut best = Attempt::new(page, Rules::All);
    for rules in [Rules::Tags, Rules::None] {
        if best.prose > ENOUGH || best.prose > LITTLE && best.prose * 4 > best.whole {
            break;
        }
        let other = Attempt::new(page, rules);
        if best.blocks.is_empty() || other.prose > 2 * best.prose + 300 {
            best = other;
        }
    }
    best
}

impl Attempt {
    fn new(page: &Page, rules: Rules) -> Attempt {
        let mut gone = Gone::new(page);
        prune::never(page, &mut gone);
        let whole = measure(page, &gone.nodes)[0].prose;
        prune::apply(page, &mut gone, rules);
        let sums = measure(page, &gone.nodes);
        let root = root::choose(page, &sums);
        let lead = root::lead(page, &sums, root, &gone.nodes);
        prune::links(page, root, &mut gone);
        let mut blocks: Vec<Reading> =
            lead.iter().flat_map(|&at| walk(page, at, &gone.nodes)).collect();
        for reading in &mut blocks {
            reading.block.suffix = "\n\n".into();
        }
        blocks.extend(walk(page, root, &gone.nodes));
        let prose = blocks.iter().map(|r| page::prose(&r.block.text, r.linked)).sum();
        Attempt { gone, root, lead, blocks, prose, whole }
    }

    /// Tells what the reading leaves out.
    fn account(&self, page: &Page, removed: &mut Ledger) {
        for (at, reason) in self.gone.outermost(page) {
            removed.add(reason, &page.text_of(at, |_| false));
        }
        let mut at = 1;
        while at < page.nodes.len() {
            let node = &page.nodes[at];
            let used = at == self.root || self.lead.contains(&at);
            if self.gone.nodes[at] || used || node.end <= at {
                at = node.end.max(at + 1);
                continue;
            }
            let holds_used =
                page.holds(at, self.root) || self.lead.iter().any(|&l| page.holds(at, l));
            if !holds_used {
                let text = page.text_of(at, |i| self.gone.nodes[i]);
                removed.add(Removal::Elsewhere, &text);
                at = node.end;
            } else {
                at += 1;
            }
        }
    }
}

/// Drops blocks that are only links: three in a row, or any after a line such as "Related
/// articles"; those after a line of the text that ends in a colon are a part of it.
fn without_link_lists(blocks: Vec<Reading>, removed: &mut Ledger) -> Vec<Block> {
    let is_link = |r: &Reading| {
        r.block.kind != BlockKind::Heading
            && r.linked * 10 >= r.block.text.len() * 9
            && r.block.text.len() < 400
    };
    let mut keep = vec![true; blocks.len()];
    let mut start = 0;
    while start < blocks.len() {
        let end = start + blocks[start..].iter().take_while(|r| is_link(r)).count();
        let line = start.checked_sub(1).map(|before| blocks[before].block.text.as_str());
        let away = line.is_some_and(|l| {
            boilerplate::judge(l) == Verdict::Anywhere || boilerplate::heads_an_end(l)
        });
        let introduced = !away && line.is_some_and(|l| l.ends_with(':'));
        if end - start >= 3 && !introduced || end > start && away {
            keep[start..end].fill(false);
        }
        start = end + 1;
    }
    // A page that is nothing but links is a list that someone wanted.
    if !keep.contains(&true) {
        keep.fill(true);
    }
    let mut kept = Vec::new();
    for (reading, keep) in blocks.into_iter().zip(keep) {
        match keep {
            true => kept.push(reading.block),
            false => removed.add(Removal::Links, &reading.block.text),
        }
    }
    kept
}

/// Length in characters from which on a block is no refrain.
const LONG: usize = 100;

/// Drops what a page shows a second time: the copy for small screens, for printing, of a lead.
fn without_repetition(blocks: Vec<Block>, removed: &mut Ledger) -> Vec<Block> {
    let mut seen = HashSet::new();
    let seen: Vec<bool> = blocks.iter().map(|b| !seen.insert(b.text.clone())).collect();
    let is_copy = |at: usize| {
        seen.get(at) == Some(&true)
            && blocks[at].kind != BlockKind::Verbatim
            && page::weight(&blocks[at].text) >= LONG
    };
    let mut drop = Vec::with_capacity(blocks.len());
    for (at, &again) in seen.iter().enumerate() {
        let beside = drop.last() == Some(&true) || is_copy(at + 1);
        drop.push(is_copy(at) || again && beside);
    }
    let mut drop = drop.into_iter();
    blocks
        .into_iter()
        .filter(|block| {
            let is_copy = drop.next().unwrap_or(false);
            if is_copy {
                removed.add(Removal::Repeated, &block.text);
            }
            !is_copy
        })
        .collect()
}

#[cfg(test)]
mod tests;
