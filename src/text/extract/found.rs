//! Title and blocks of an article, as the readers of all formats return them, and the joining of
//! lines that they share.

use super::ledger::Ledger;
use crate::text::language::script;
use crate::types::Block;

/// Title and blocks as a reader of one format finds them.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The title that the format names (front matter, the page's head), or the first heading stands
    /// for.
    pub(super) title: Option<String>,
    /// The blocks in order; the title may be among them.
    pub(super) blocks: Vec<Block>,
    /// What of the source is left out.
    pub(super) removed: Ledger,
    /// What the page says about itself: author, date, site, language, address.
    pub(super) fields: serde_json::Map<String, serde_json::Value>,
}

/// One line of a text, its words divided by single spaces.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Joins a line to the text before it.
pub(super) fn join_line(text: &mut String, line: &str) {
    if needs_space(text, line) {
        text.push(' ');
    }
    text.push_str(line);
}

/// Whether a space stands between two lines that are one text: not where the script has none, or
/// where a hyphen stands at the break.
pub(super) fn needs_space(text: &str, line: &str) -> bool {
    let unspaced = |c: Option<char>| {
        c.is_some_and(|c| {
            script::of(c).is_unspaced()
                || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
        })
    };
    let mut before = text.chars().rev();
    let last = before.next();
    let hyphen = last == Some('-')
        && before.next().is_some_and(char::is_alphabetic)
        && line.starts_with(char::is_lowercase);
    let together = hyphen || unspaced(last) && unspaced(line.chars().next());
    !(text.is_empty() || together)
}
