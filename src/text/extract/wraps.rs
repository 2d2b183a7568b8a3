//! Line breaks that are only there because the line was full: at one width, or at any.

use super::lines::Line;

/// Longest line, in characters, that is taken to be hard-wrapped at one width.
const WIDEST: usize = 120;

/// Shortest line, in characters, that text is wrapped to.
const NARROWEST: usize = 20;

/// The way in which the lines of a text are wrapped.
pub(super) enum Wraps {
    /// Every line is one of its own.
    None,
    /// The next word would not have fitted into this many characters.
    At(usize),
    /// Anywhere, as in transcripts and in text out of columns; half of the lines are this long.
    Ragged(usize),
}

impl Wraps {
    /// Finds out how the lines of a text are wrapped.
    pub(super) fn of(lines: &[Line]) -> Wraps {
        let pairs: Vec<(&Line, &Line)> = lines
            .windows(2)
            .map(|w| (&w[0], &w[1]))
            .filter(|(a, b)| !a.text.is_empty() && !b.text.is_empty() && !b.stands_apart())
            .collect();
        let mut widths: Vec<usize> = pairs.iter().map(|(a, _)| a.width()).collect();
        widths.sort_unstable();
        let Some(&width) = widths.get(widths.len() * 9 / 10) else { return Wraps::None };
        if (24..=WIDEST).contains(&width) {
            let full = pairs.iter().filter(|(a, b)| is_full(a, b, width)).count();
            // Where every line is a sentence, no break is for want of room.
            let open = pairs.iter().any(|(a, _)| !ends_sentence(a.text));
            if open && full * 10 >= pairs.len() * 7 {
                return Wraps::At(width);
            }
        }
        let median = widths[widths.len() / 2];
        if is_ragged(&pairs, median) { Wraps::Ragged(median) } else { Wraps::None }
    }

    /// Whether two lines are one but for a break that says nothing.
    pub(super) fn join(&self, line: &Line, next: &Line) -> bool {
        match *self {
            _ if next.stands_apart() => false,
            Wraps::None => false,
            Wraps::At(width) => {
                is_full(line, next, width) || line.width() >= NARROWEST && continues(line, next)
            }
            Wraps::Ragged(width) => {
                continues(line, next)
                    || !ends_sentence(line.text) && line.width() * 10 >= width * 6
                    || line.width() * 10 >= width * 8
            }
        }
    }
}

/// Whether a line was full: the first word of the next one would not have fitted into it.
fn is_full(line: &Line, next: &Line, width: usize) -> bool {
    let first_word = next.text.split_whitespace().next().unwrap_or("");
    // A script without spaces breaks after any character.
    let needed = if first_word.is_ascii() || first_word.chars().count() < 20 {
        first_word.chars().count()
    } else {
        2
    };
    !next.stands_apart() && line.width() + 1 + needed + 1 >= width
}

/// Whether lines break in the middle of sentences: most go on with a small letter, and sentences
/// end within lines as often as they do in prose, or nowhere. The lines of a poem end with them.
fn is_ragged(pairs: &[(&Line, &Line)], median: usize) -> bool {
    let open = pairs.iter().filter(|(a, b)| continues(a, b)).count();
    // A comma at the end of a line is a poet's as a rule.
    let bare = |line: &Line| line.text.ends_with(char::is_alphanumeric);
    let strictly = pairs.iter().filter(|(a, b)| bare(a) && continues(a, b)).count();
    let last = pairs.last().is_some_and(|(_, b)| ends_sentence(b.text));
    let inside = pairs.iter().filter(|(a, _)| has_end_inside(a.text)).count();
    let at_end = pairs.iter().filter(|(a, _)| ends_sentence(a.text)).count();
    let is_prose = inside > 0 || last || at_end == 0 && pairs.len() >= 4;
    median >= NARROWEST && is_prose && strictly * 2 >= open && open * 2 >= pairs.len()
}

/// Whether a sentence goes on in the next line: this one has no end, that one begins small.
pub(super) fn continues(line: &Line, next: &Line) -> bool {
    !ends_sentence(line.text)
        && !line.text.ends_with([':', '：'])
        && next.text.starts_with(char::is_lowercase)
}

/// Whether a text ends where a sentence may end.
pub(super) fn ends_sentence(text: &str) -> bool {
    let closing = ['"', '”', '»', '’', '\'', ')', ']', '」', '』', '“'];
    text.trim_end_matches(closing)
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '։', '؟', '۔', '።'])
}

/// Whether a sentence ends in the middle of a line.
pub(super) fn has_end_inside(text: &str) -> bool {
    [". ", "! ", "? ", "؟ ", "۔ ", "। "].iter().any(|end| {
        text.match_indices(end).any(|(at, end)| {
            let next = text[at + end.len()..].chars().find(|c| c.is_alphanumeric());
            next.is_some_and(|c| !c.is_lowercase())
        })
    })
}
