//! The marks between the parts of a page's title: its headline, a section, the name of the site.

use crate::text::language::script::{self, Script};

/// Marks that part a title wherever they stand.
const STROKES: [char; 7] = ['|', '｜', '丨', '_', '¦', '│', '║'];
/// Marks of a path, which part a title with spaces around them.
const ARROWS: [char; 7] = ['»', '«', '›', '‹', '>', '<', '→'];
/// Marks that part a title with spaces around them, and are as usual in a headline.
const OTHERS: [char; 16] =
    ['-', '–', '—', '―', '−', ':', '：', '·', '•', '∙', '‧', '・', '/', '~', '*', '\\'];

/// Places of a title that are looked at.
const MOST: usize = 20;

/// A place where a title may be parted.
pub(super) struct Cut<'a> {
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    /// The marks there, with the spaces around them.
    pub(super) mark: &'a str,
}

impl<'a> Cut<'a> {
    /// Whether the parts stand apart, and not only within a word: "post-war", "4:15".
    pub(super) fn is_apart(&self) -> bool {
        let spaced = |c: char| c.is_whitespace();
        let mark = self.mark.trim();
        self.mark.contains(STROKES)
            || mark == "::"
            || self.mark.ends_with(spaced) && (self.mark.starts_with(spaced) || mark == ":")
    }

    /// Whether the mark is one that headlines do not have.
    pub(super) fn is_stroke(&self) -> bool {
        self.mark.contains(STROKES) || self.is_apart() && self.mark.contains(ARROWS)
    }

    /// The text from this place to a later one of the same title.
    pub(super) fn part(&self, next: &Cut<'a>) -> &'a str {
        let length = next.before.len().saturating_sub(self.before.len() + self.mark.len());
        &self.after[..length]
    }
}

fn is_mark(c: char) -> bool {
    STROKES.contains(&c) || ARROWS.contains(&c) || OTHERS.contains(&c)
}

/// The places where a title may be parted.
pub(super) fn cuts(title: &str) -> Vec<Cut<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = title[at..].find(is_mark).filter(|_| out.len() < MOST) {
        let start = at + start;
        let after = title[start..].trim_start_matches(|c: char| is_mark(c) || c.is_whitespace());
        let before = title[..start].trim_end();
        at = title.len() - after.len();
        if !before.is_empty() && !after.is_empty() {
            out.push(Cut { before, after, mark: &title[before.len()..at] });
        }
    }
    out
}

/// Whether a text that comes after a heading begins with marks, and is no more of its last word.
pub(super) fn starts_with_mark(text: &str, heading: &str) -> bool {
    let marks = text.trim_start_matches(|c: char| is_mark(c) || c.is_whitespace());
    let mark = &text[..text.len() - marks.len()];
    let wide = is_wide(heading) && !mark.is_empty();
    wide || mark.contains(is_mark) && Cut { before: heading, after: marks, mark }.is_apart()
}

/// Whether a text is in a script without spaces between words.
pub(super) fn is_wide(text: &str) -> bool {
    text.chars().any(|c| matches!(script::of(c), Script::Han | Script::Kana))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_parted_at_marks() {
        let apart = |title: &str| {
            let cuts = cuts(title);
            cuts.iter().map(|c| (c.before.len(), c.is_apart(), c.is_stroke())).collect::<Vec<_>>()
        };
        assert_eq!(apart("A b | c"), [(3, true, true)]);
        assert_eq!(apart("A b|c - d"), [(3, true, true), (5, true, false)]);
        assert_eq!(
            apart("Post-war: 4:15 :: x"),
            [(4, false, false), (8, true, false), (11, false, false), (14, true, false)]
        );
        assert_eq!(apart("- a -"), []);
        assert_eq!(apart(&"a|".repeat(1000)).len(), MOST);
        let parts = cuts("a | bc - d");
        assert_eq!(parts[0].part(&parts[1]), "bc");
    }
}
