//! The lines of plain text: what stands before the text of one, and after it.

use regex::Regex;
use std::sync::LazyLock;

/// Indent, quotation mark or bullet before the text of a line.
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\s\u{3000}]*(?:>[\s>]*)?(?:[-*+•‣▪●◦·–—]\s+|\(?\d{1,3}[.)]\s+)?")
        .expect("the pattern is constant and tested")
});

/// A line of a text.
pub(super) struct Line<'a> {
    pub(super) marker: &'a str,
    pub(super) text: &'a str,
    /// Spaces at the end of the line and its line break.
    pub(super) end: &'a str,
    /// Whether a sentence that began on the page before goes on in it.
    pub(super) goes_on: bool,
    /// Whether somebody begins to speak in it.
    pub(super) begins_turn: bool,
}

impl Line<'_> {
    pub(super) fn has_bullet(&self) -> bool {
        self.marker.contains(|c: char| !c.is_whitespace() && c != '>')
    }

    /// Whether the line begins something of its own: an item of a list, a turn of a conversation.
    pub(super) fn stands_apart(&self) -> bool {
        self.has_bullet() || self.begins_turn
    }

    pub(super) fn width(&self) -> usize {
        (self.marker.chars().count()) + self.text.chars().count()
    }
}

/// A line of its source, with its line break.
pub(super) fn line(whole: &str) -> Line<'_> {
    let marked = MARKER.find(whole).map_or(0, |m| m.end());
    let (marker, rest) = whole.split_at(marked);
    let text = rest.trim_end();
    if text.is_empty() {
        // A line of white space, or a bullet without text, which is text then.
        let bare = marker.trim();
        return match bare.is_empty() {
            true => of("", "", whole),
            false => {
                let at = whole.find(bare).unwrap_or(0);
                of(&whole[..at], bare, &whole[at + bare.len()..])
            }
        };
    }
    of(marker, text, &rest[text.len()..])
}

fn of<'a>(marker: &'a str, text: &'a str, end: &'a str) -> Line<'a> {
    Line { marker, text, end, goes_on: false, begins_turn: false }
}
