//! Lines that begin with a mark of Pandoc or MyST: comments, examples, verses.

use super::fences::Fenced;
use super::shield::Role;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The mark of an example that Pandoc counts: `(@)`, `(@name)`.
static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\(@[A-Za-z0-9_-]{0,64}\)[ \t]{1,4}").expect("the pattern is constant and tested")
});

/// The marks at the beginnings of lines, outside of what is fenced. Only the first line of a
/// paragraph says which marks it has: in the middle of one, a percent sign is a percentage's.
pub(super) fn marked_lines(text: &str, fenced: &[Fenced]) -> Vec<Fenced> {
    let mut found = Vec::new();
    if !["%", "(@", "|"].iter().any(|mark| text.contains(mark)) {
        return found;
    }
    let mut paragraph: Vec<Range<usize>> = Vec::new();
    let (mut at, mut fenced) = (0, fenced.iter().peekable());
    for line in text.split_inclusive('\n') {
        let range = at..at + line.trim_end_matches('\n').len();
        at += line.len();
        while fenced.next_if(|one| one.range.end <= range.start).is_some() {}
        let is_fenced = fenced.peek().is_some_and(|one| one.range.start < range.end);
        if is_fenced || line.trim().is_empty() {
            marks(text, &std::mem::take(&mut paragraph), &mut found);
        } else {
            paragraph.push(range);
        }
    }
    marks(text, &paragraph, &mut found);
    found
}

/// The marks of a paragraph's lines.
fn marks(text: &str, lines: &[Range<usize>], found: &mut Vec<Fenced>) {
    let Some(first) = lines.first() else { return };
    let mut add = |range: Range<usize>, role| found.push(Fenced { range, role: Some(role) });
    let is_comment = |line: &str| line == "%" || line.starts_with("% ");
    if is_comment(&text[first.clone()]) {
        let comments = lines.iter().take_while(|line| is_comment(&text[(*line).clone()]));
        comments.for_each(|line| add(line.clone(), Role::Point));
    } else if EXAMPLE.is_match(&text[first.clone()]) {
        for line in lines {
            let mark = EXAMPLE.find(&text[line.clone()]);
            mark.into_iter().for_each(|m| add(line.start..line.start + m.end(), Role::Item));
        }
    } else if lines.iter().all(|line| is_verse(&text[line.clone()])) {
        for line in lines.iter().filter(|line| text[(*line).clone()].starts_with('|')) {
            let own = &text[line.clone()];
            let indent = line.end - own[1..].trim_start().len();
            let mark = (line.start + 2).min(line.end);
            if indent == line.end {
                add(line.clone(), Role::Point);
                continue;
            }
            add(line.start..mark, Role::Item);
            if mark < indent {
                add(mark..indent, Role::Point);
            }
        }
    }
}

/// Whether a line may be a verse, `| like this`, or go on with one; rows of tables have more bars,
/// or nothing but dashes.
fn is_verse(line: &str) -> bool {
    let rest = line.strip_prefix('|').filter(|rest| rest.is_empty() || rest.starts_with(' '));
    let rest = rest.or_else(|| line.strip_prefix("  "));
    rest.is_some_and(|rest| !rest.contains('|') && !is_rule(rest))
}

fn is_rule(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().chars().all(|c| matches!(c, '-' | ':' | '=' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_where_their_paragraph_begins_with_one() {
        use Role::*;
        let text = "% une note\n% une autre\nUn mot, soit 5\n% de tout.\n\n\
            (@) Un\n(@b) Deux\n\nVoir\n(@b) ici.\n\n| Un vers\n|   et un autre\n|\n| la fin\n\n| a | b |\n\
            | - | - |\n\n| a\n| ---\n| b\n";
        let found = marked_lines(text, &[]);
        let found: Vec<(&str, Role)> =
            found.iter().map(|one| (&text[one.range.clone()], one.role.unwrap())).collect();
        assert_eq!(
            found,
            [
                ("% une note", Point),
                ("% une autre", Point),
                ("(@) ", Item),
                ("(@b) ", Item),
                ("| ", Item),
                ("| ", Item),
                ("  ", Point),
                ("|", Point),
                ("| ", Item),
            ]
        );
    }
}
