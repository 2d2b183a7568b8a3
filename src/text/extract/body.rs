//! The text of an article that a page carries as data (JSON-LD, the state of its script), which
//! stands in for the page's own where a script would have to write that.

use super::html_blocks::walk;
use super::page::{Page, weight};
use super::{hostile, plain};
use crate::text::clean;
use crate::text::words::words;
use crate::types::Block;
use std::collections::HashSet;

/// Length in characters from which on a declared text can be an article.
pub(super) const SHORTEST: usize = 150;

/// The text of the article under a headline: of several texts with their headlines the longest that
/// is under this one, else the longest, for pages carry teasers of others, too.
pub(super) fn of_headline<'a>(
    bodies: &'a [(String, String)],
    title: Option<&str>,
) -> Option<&'a str> {
    let title = words(title.unwrap_or_default());
    let is_own = |headline: &str| {
        let headline = words(headline);
        let shared = headline.iter().filter(|w| title.contains(w)).count();
        !headline.is_empty() && shared * 3 >= headline.len().max(title.len()) * 2
    };
    // A line under the headline of a live blog is not its text.
    let own = |(headline, body): &&(String, String)| {
        (body.len() >= SHORTEST && is_own(headline), body.len())
    };
    bodies.iter().max_by_key(own).map(|(_, body)| body.as_str())
}

/// The blocks of the declared text, if the page shows little of it.
pub(super) fn instead(body: &str, shown: &[Block]) -> Option<Vec<Block>> {
    let blocks = read(body);
    let text =
        |blocks: &[Block]| blocks.iter().map(|b| b.text.as_str()).collect::<Vec<_>>().join(" ");
    let (declared, shown) = (text(&blocks), text(shown));
    let longer = weight(&declared) > weight(&shown) * 6 / 5 || weight(&shown) < SHORTEST;
    (weight(&declared) >= SHORTEST && longer && coverage(&declared, &shown) < 0.6).then_some(blocks)
}

fn read(body: &str) -> Vec<Block> {
    let body = clean::normalize(body);
    let Some(mut blocks) = as_page(&body) else { return plain::read(&body).blocks };
    // What was written for a page may be a page itself, and that, too.
    for _ in 0..2 {
        let text: String = blocks.iter().map(|b| format!("{}\n\n", b.text)).collect();
        blocks = as_page(&text).unwrap_or(blocks);
    }
    blocks
}

/// The blocks of what was written for a page, with tags, or lines of text with entities.
fn as_page(text: &str) -> Option<Vec<Block>> {
    match (has_tags(text), has_entities(text)) {
        (false, false) => None,
        (true, _) => Some(parsed(text)),
        (false, true) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            Some(parsed(&lines.map(|line| format!("<p>{line}</p>\n")).collect::<String>()))
        }
    }
}

fn has_tags(text: &str) -> bool {
    ["</p>", "<br", "</div>", "<p>", "</a>", "</h2>"].iter().any(|tag| text.contains(tag))
}

fn has_entities(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let name = rest.bytes().take(12).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#');
        let length = name.count();
        length > 1 && rest.as_bytes().get(length) == Some(&b';')
    })
}

fn parsed(source: &str) -> Vec<Block> {
    if hostile::is_hostile(source) {
        return plain::read(source).blocks;
    }
    let page = Page::parse(source);
    let gone = vec![false; page.nodes.len()];
    walk(&page, 0, &gone).into_iter().map(|r| r.block).collect()
}

/// Share of a text's pairs of words that another text has, too.
fn coverage(text: &str, other: &str) -> f64 {
    let of = |text: &str| {
        let words = words(text);
        words.windows(2).map(|w| (w[0].clone(), w[1].clone())).collect::<HashSet<_>>()
    };
    let (pairs, there) = (of(text), of(other));
    pairs.intersection(&there).count() as f64 / pairs.len().max(1) as f64
}
