//! Items of a list in one line: "1.) Bread 2.) Milk", "a. Bread b. Milk", "• Bread • Milk".

use super::openers::is_opener;
use crate::types::Lang;
use regex::Regex;
use std::sync::LazyLock;

/// Marks that are looked at for the items after a list's first one.
const LONGEST: usize = 100;

const BULLETS: [char; 9] = ['•', '⁃', '‣', '▪', '▫', '◦', '●', '○', '■'];

static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)(?:^|[ \t])(\(?)([0-9]{1,2}|[a-z]|[ivx]{2,4})(\.\)|\.|\))[ \t]+")
        .expect("the pattern is constant and tested")
});

/// Whether a text is only the mark of an item: `•`, `1.)`, `a.`, `• 9.`
pub(super) fn is_mark(text: &str) -> bool {
    let inner = text.trim_start_matches(BULLETS).trim();
    let Some(inner) = inner.strip_suffix([')', '.']) else { return inner.is_empty() };
    let inner = inner.trim_end_matches('.').trim_start_matches('(');
    let digits = inner.bytes().all(|b| b.is_ascii_digit()) && inner.len() <= 3;
    let small = inner.len() == 1 && inner.bytes().all(|b| b.is_ascii_lowercase());
    let roman = inner.len() <= 4 && inner.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'));
    !inner.is_empty() && (digits || small || roman)
}

/// An item's mark in the text.
struct Mark<'a> {
    start: usize,
    end: usize,
    value: u32,
    /// How it is written but for its value: `(1)` and `2.)` are not of one list.
    form: (bool, bool, &'a str),
}

/// Places where items begin that stand in one line with other items: of a list that begins with the
/// line or after a colon.
pub(super) fn starts(text: &str, lang: &Lang) -> Vec<usize> {
    let mut out = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        out.extend(bullets(line).into_iter().map(|start| at + start));
        out.extend(numbered(line, lang).into_iter().map(|start| at + start));
        at += line.len();
    }
    out.retain(|&start| start > 0);
    out
}

/// The marks of items in a line.
fn marks(line: &str) -> Vec<Mark<'_>> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut at = 0;
    while let Some(found) = MARKS.captures_at(line, at) {
        let (Some(open), Some(value), Some(close)) = (found.get(1), found.get(2), found.get(3))
        else {
            break;
        };
        // The space after a mark is the space before the next one.
        at = close.end();
        if let Some(number) = value_of(value.as_str()) {
            let digits = value.as_str().starts_with(|c: char| c.is_ascii_digit());
            let form = (!open.is_empty(), digits, close.as_str());
            marks.push(Mark { start: open.start(), end: close.end(), value: number, form });
        }
    }
    marks
}

/// Where the items of a line's numbered lists begin.
fn numbered(line: &str, lang: &Lang) -> Vec<usize> {
    let mut out = Vec::new();
    // The regular expression is slow, and few lines have a list.
    let after_colon = || line.match_indices(':').any(|(at, _)| may_begin(&line[at + 1..]));
    if !may_begin(line) && !after_colon() {
        return out;
    }
    let marks = marks(line);
    for (first, mark) in marks.iter().enumerate() {
        let before = line[..mark.start].trim_end();
        if mark.value != 1 || !before.is_empty() && !before.ends_with(':') {
            continue;
        }
        let mut list = vec![mark.start];
        let mut last = mark;
        for next in marks[first + 1..].iter().take(LONGEST) {
            if next.form == last.form
                && next.value == last.value + 1
                && is_item(&line[last.end..next.start], &line[next.end..], next.form.2, lang)
            {
                list.push(next.start);
                last = next;
            }
        }
        if list.len() > 1 {
            out.extend(list);
        }
    }
    out
}

/// Whether a text may begin with the first mark of a list.
fn may_begin(text: &str) -> bool {
    let mark = text.trim_start_matches([' ', '\t', '(']);
    mark.strip_prefix(['1', 'a', 'i']).is_some_and(|after| after.starts_with(['.', ')']))
}

/// Whether a mark between `before` and `after` is that of an item, not a number in a sentence: "der
/// 2. Bundesliga".
fn is_item(before: &str, after: &str, close: &str, lang: &Lang) -> bool {
    let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    !word.is_empty()
        && !is_opener(&word.to_lowercase(), lang)
        && (close != "." || after.trim_start().starts_with(char::is_uppercase))
}

/// Bullets between the items of a line that begins with one.
fn bullets(line: &str) -> Vec<usize> {
    let Some(bullet) = line.trim_start().chars().next().filter(|c| BULLETS.contains(c)) else {
        return Vec::new();
    };
    let spaced = |&i: &usize| line[..i].ends_with(char::is_whitespace);
    line.match_indices(bullet).map(|(i, _)| i).filter(spaced).collect()
}

/// The place of an item in its list: 2 of `2`, `b` and `ii`.
fn value_of(text: &str) -> Option<u32> {
    match text {
        "i" => Some(1),
        "ii" => Some(2),
        "iii" => Some(3),
        "iv" => Some(4),
        _ if text.len() == 1 && text.as_bytes()[0].is_ascii_lowercase() => {
            Some(u32::from(text.as_bytes()[0] - b'a') + 1)
        }
        _ => text.parse().ok(),
    }
}
