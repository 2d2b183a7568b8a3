//! Markup that Markdown's parser does not know: what it does in its sentence, and how it is kept
//! from being taken for Markdown's.

use std::ops::Range;

/// A part of a text that is markup of another language than Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shield {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it does in its sentence.
    pub role: Role,
}

/// What foreign markup does in its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It stands for itself.
    Point,
    /// It begins a span of text.
    Open,
    /// It ends one.
    Close,
    /// It is a word of its sentence, as a variable's name is.
    Word,
    /// It begins a line of its own, as a heading's mark does.
    Heading,
    /// It begins a block whose text is indented, as an item's mark does.
    Item,
}

/// A text in which the foreign markup cannot be taken for Markdown's: letters stand in its place,
/// byte for byte, and points at its ends where it has marks there. A line that has nothing else,
/// and belongs to no sentence, is blank.
pub(super) fn shielded(text: &str, shields: &[Shield]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for Shield { range, role } in shields {
        let mark = match role {
            Role::Heading => Some(b'#'),
            Role::Item => Some(b'-'),
            _ => None,
        };
        bytes[range.clone()].fill(if mark.is_some() { b' ' } else { b'x' });
        match mark {
            // More spaces than four after an item's mark begin code; one in another do not.
            Some(b'-') if range.len() > 5 => {
                bytes[range.clone()].chunks_mut(2).for_each(|pair| pair[0] = b'-');
                if range.len() % 2 == 1 {
                    bytes[range.end - 1] = b' ';
                }
            }
            Some(mark) => bytes[range.start] = mark,
            // Whether emphasis begins beside it depends on that.
            None => [range.start, range.end - 1]
                .into_iter()
                .filter(|at| text.as_bytes()[*at].is_ascii_punctuation())
                .for_each(|at| bytes[at] = b'.'),
        }
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        blank_foreign_line(text, range, shields, &mut bytes);
    }
    // Only whole ranges of characters were replaced, each byte by an ASCII character.
    String::from_utf8(bytes).unwrap_or_else(|_| text.into())
}

/// Blanks what a line has of foreign markup, if that begins and ends in it or in lines that have
/// nothing else either.
fn blank_foreign_line(text: &str, line: Range<usize>, shields: &[Shield], bytes: &mut [u8]) {
    let first = shields.partition_point(|shield| shield.range.end <= line.start);
    let own = || shields[first..].iter().take_while(|shield| shield.range.start < line.end);
    // What began in a line before was looked at there.
    if own().next().is_none_or(|shield| shield.range.start < line.start)
        || own().any(|shield| shield.role != Role::Point)
    {
        return;
    }
    let line_of = |place: usize| {
        let start = text[..place].rfind('\n').map_or(0, |at| at + 1);
        let end = text[place..].find('\n').map_or(text.len(), |at| place + at);
        start..end
    };
    let is_bare = |part: &str| part.chars().all(|c| c.is_whitespace() || c == '>');
    let all = || {
        let (from, to) = (own().map(|s| s.range.start).min()?, own().map(|s| s.range.end).max()?);
        Some((line_of(from).start.min(line.start), line_of(to).end.max(line.end)))
    };
    let Some((start, end)) = all() else { return };
    let mut rest = start;
    let mut is_alone = true;
    let first = shields.partition_point(|shield| shield.range.end <= start);
    for shield in shields[first..].iter().take_while(|shield| shield.range.start < end) {
        is_alone &= is_bare(&text[rest..shield.range.start.max(rest)]);
        rest = rest.max(shield.range.end);
    }
    if is_alone && (rest >= end || is_bare(&text[rest..end])) {
        for shield in shields[first..].iter().take_while(|shield| shield.range.start < end) {
            for at in shield.range.clone() {
                bytes[at] = if text.as_bytes()[at] == b'\n' { b'\n' } else { b' ' };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::foreign::shields;
    use super::*;

    #[test]
    fn lines_of_their_own_are_blank() {
        let text = "a\n{% if x %}\nb {% y %} c\n> {{< z\n  w >}}\n:::note\nd\n:::\n";
        let shielded = shielded(text, &shields(text));
        let expected = "a\n          \nb .xxxxx. c\n>      \n       \n       \nd\n   \n";
        assert_eq!(shielded, expected);
        assert_eq!(shielded.len(), text.len());
    }
}
