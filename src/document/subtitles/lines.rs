//! Lines of a cue, and the parts of a sentence that runs over several: where a text may be broken,
//! and where best.

use super::markup::is_dense;
use super::shares::shared;
use crate::types::{Marked, Tag, TagKind};
use std::ops::Range;

/// Marks the end of a cue in a text that goes on in the next.
pub(super) const BORDER: &str = "\n";

/// Widest line, in columns; a character of Chinese, Japanese or Korean has two.
const WIDEST: usize = 42;
/// The same for text in those languages: 16 characters.
const WIDEST_DENSE: usize = 32;
/// Lines that a cue has room for.
pub(super) const LINES: usize = 2;

/// Places at which more than so many breaks are possible are broken without weighing all.
const WEIGHED: usize = 400;

/// A cue into which a part of a text goes.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Width of the text that it had.
    pub width: usize,
    /// Milliseconds for which it is shown; none or less where the file makes no sense.
    pub shown: i64,
    /// Lines that it had.
    pub lines: usize,
    /// The tags in the text that it had.
    pub tags: Vec<Tag>,
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| 1 + usize::from(is_wide(c))).sum()
}

fn is_wide(c: char) -> bool {
    is_dense(c) || matches!(u32::from(c), 0x1100..=0x115F | 0xAC00..=0xD7A3)
}

/// Columns that a line of this text may have.
fn widest(text: &str) -> usize {
    let wide = text.chars().filter(|&c| is_wide(c)).count();
    if wide * 2 > text.chars().count() { WIDEST_DENSE } else { WIDEST }
}

/// The places at which a text may be broken: spaces, which a break replaces, and between characters
/// of scripts without spaces, where no punctuation is torn off.
fn breaks(text: &str) -> Vec<Range<usize>> {
    const NEVER_FIRST: &str =
        "、。，．：；！？）」』】》〉〕…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・,.!?)]}%";
    const NEVER_LAST: &str = "（「『【《〈〔([{";
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let is_space = matches!(c, ' ' | '\t' | '\u{3000}');
        match (before, found.last_mut()) {
            (None, _) => {}
            (_, Some(last)) if is_space && last.end == at => last.end = at + c.len_utf8(),
            _ if is_space => found.push(at..at + c.len_utf8()),
            (Some(b), last) => {
                let after_space = last.is_some_and(|last| last.end == at);
                let is_katakana = |c: char| ('ァ'..='ヿ').contains(&c);
                let is_word = is_katakana(b) && is_katakana(c);
                let is_dense = (is_dense(b) || is_dense(c)) && !is_word;
                if is_dense && !after_space && !NEVER_FIRST.contains(c) && !NEVER_LAST.contains(b) {
                    found.push(at..at);
                }
            }
        }
        before = Some(c);
    }
    found.retain(|b| b.end < text.len());
    found
}

/// Chooses `parts - 1` of the breaks, whose numbers are from 1 to `breaks`, so that the parts cost
/// least; `cost` is that of a part between two breaks, where 0 is the start of the text and
/// `breaks + 1` its end.
fn cheapest(breaks: usize, parts: usize, cost: impl Fn(usize, usize, usize) -> f64) -> Vec<usize> {
    let end = breaks + 1;
    let first = (1..=end).map(|to| cost(0, 0, to));
    let mut best: Vec<f64> = std::iter::once(f64::INFINITY).chain(first).collect();
    let mut ways: Vec<Vec<usize>> = Vec::with_capacity(parts);
    for part in 1..parts {
        let (mut next, mut way) = (vec![f64::INFINITY; end + 1], vec![0; end + 1]);
        for to in part + 1..=end {
            for (from, before) in best.iter().enumerate().take(to).skip(part) {
                let sum = before + cost(part, from, to);
                if sum < next[to] {
                    (next[to], way[to]) = (sum, from);
                }
            }
        }
        best = next;
        ways.push(way);
    }
    let mut at = end;
    let back = ways.iter().rev().map(|way| {
        at = way[at];
        at
    });
    let mut chosen: Vec<usize> = back.collect();
    chosen.reverse();
    chosen
}

/// The width of a text up to the start of each break, and to its end.
fn widths(text: &str, breaks: &[Range<usize>]) -> Vec<usize> {
    let (mut sum, mut at) = (0, 0);
    let ends = breaks.iter().map(|b| b.start).chain([text.len()]);
    let sums = ends.map(|end| {
        sum += width(&text[at..end]);
        at = end;
        sum
    });
    std::iter::once(0).chain(sums).collect()
}

/// What a break costs that tears apart what belongs together, rather than coming after punctuation.
fn tear(text: &str, found: &Range<usize>) -> f64 {
    let is_pause = text[..found.start].ends_with(|c: char| ".,;:!?…、。，；：！？—–".contains(c));
    if is_pause { 0.0 } else { 0.05 }
}

/// The lines of a cue: one where there is room in it, otherwise as few as are needed and of about
/// the same length, at most `most`.
pub(super) fn wrapped(marked: &Marked, most: usize) -> Vec<Marked> {
    let text = &marked.text;
    let (limit, whole) = (widest(text), width(text));
    let breaks = breaks(text);
    let number = whole.div_ceil(limit).min(most).min(breaks.len() + 1);
    if number <= 1 {
        return vec![marked.clone()];
    }
    if breaks.len() > WEIGHED {
        return marked.split(&between(&even(text, &breaks, number), text.len()));
    }
    let widths = widths(text, &breaks);
    let lines = |number: usize| {
        let share = whole as f64 / number as f64;
        let cost = |_: usize, from: usize, to: usize| {
            let width = (widths[to] - widths[from]) as f64;
            let over = (width - limit as f64).max(0.0) / limit as f64;
            let torn = if to <= breaks.len() { tear(text, &breaks[to - 1]) } else { 0.0 };
            ((width - share) / whole as f64).powi(2) + 10.0 * over * over + torn
        };
        let chosen = cheapest(breaks.len(), number, cost);
        let cuts: Vec<Range<usize>> = chosen.iter().map(|&n| breaks[n - 1].clone()).collect();
        marked.split(&between(&cuts, text.len()))
    };
    let fits = |lines: &[Marked]| lines.iter().all(|line| width(&line.text) <= limit);
    let few = lines(number);
    if fits(&few) || number == most || number > breaks.len() { few } else { lines(number + 1) }
}

/// Breaks at about even distances.
fn even(text: &str, breaks: &[Range<usize>], parts: usize) -> Vec<Range<usize>> {
    let place = |part: usize| text.len() / parts * part;
    let nearest = |part: usize| breaks.partition_point(|b| b.start < place(part));
    let mut chosen: Vec<usize> = (1..parts).map(nearest).filter(|&n| n < breaks.len()).collect();
    chosen.dedup();
    chosen.into_iter().map(|n| breaks[n].clone()).collect()
}

/// Divides a text over the cues that its source had: where its borders were placed, by the lengths
/// of the source and the times, at a pause where one is near, so that no cue is empty or holds more
/// than it has room for. A text of fewer words than cues stays to be read until the last.
pub(super) fn divided(marked: &Marked, cues: &[Shape]) -> Vec<Marked> {
    let (marked, borders) = without_borders(marked);
    let text = &marked.text;
    let all = breaks(text);
    let parts = cues.len().min(all.len() + 1);
    let cuts = if parts <= 1 {
        Vec::new()
    } else if all.len() > WEIGHED {
        even(text, &all, parts)
    } else {
        best_cuts(text, &all, cues, (borders.len() == cues.len() - 1).then_some(&borders))
    };
    let mut shares = between(&cuts, text.len());
    while let (true, Some(last)) = (shares.len() < cues.len(), shares.last()) {
        shares.push(last.clone());
    }
    let tags: Vec<&[Tag]> = cues.iter().map(|cue| cue.tags.as_slice()).collect();
    shared(&marked, &shares, &tags)
}

/// What is left of a text of a length without what is cut out of it.
fn between(cuts: &[Range<usize>], length: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(cuts.iter().map(|cut| cut.end));
    let ends = cuts.iter().map(|cut| cut.start).chain([length]);
    starts.zip(ends).map(|(start, end)| start..end.max(start)).collect()
}

fn best_cuts(
    text: &str,
    all: &[Range<usize>],
    cues: &[Shape],
    borders: Option<&Vec<usize>>,
) -> Vec<Range<usize>> {
    let parts = cues.len().min(all.len() + 1);
    let widths = widths(text, all);
    let whole = widths.last().copied().unwrap_or(0).max(1) as f64;
    let shares = shares(cues);
    let limit = widest(text);
    let borders = borders.filter(|borders| {
        parts == cues.len()
            && borders.windows(2).all(|pair| pair[0] < pair[1])
            && borders.iter().all(|&at| 0 < at && at < text.len())
    });
    let at = |number: usize| {
        if number == 0 { 0 } else { all.get(number - 1).map_or(text.len(), |b| b.start) }
    };
    let cost = |part: usize, from: usize, to: usize| {
        let width = (widths[to] - widths[from]) as f64;
        let room = (limit * cues[part].lines.max(LINES)) as f64;
        let mut sum = (width / whole - shares[part]).powi(2) + 4.0 * (width - room).max(0.0) / room;
        if !text[at(from)..at(to)].contains(char::is_alphanumeric) {
            sum += 5.0;
        }
        if to <= all.len() {
            sum += tear(text, &all[to - 1]);
            if let Some(border) = borders.and_then(|borders| borders.get(part)) {
                sum += 3.0 * ((at(to) as f64 - *border as f64) / text.len() as f64).powi(2);
            }
        }
        sum
    };
    cheapest(all.len(), parts, cost).iter().map(|&n| all[n - 1].clone()).collect()
}

/// The part of a text that each cue should have: by the text that it had, and less by its time.
fn shares(cues: &[Shape]) -> Vec<f64> {
    let width: usize = cues.iter().map(|cue| cue.width.max(1)).sum();
    let shown: i64 = cues.iter().map(|cue| cue.shown.max(0)).sum();
    let all_shown = cues.iter().all(|cue| cue.shown > 0);
    let share = |cue: &Shape| {
        let by_width = cue.width.max(1) as f64 / width as f64;
        if all_shown { 0.7 * by_width + 0.3 * cue.shown as f64 / shown as f64 } else { by_width }
    };
    cues.iter().map(share).collect()
}

/// A text without the marks of cues' ends, and their places in it.
fn without_borders(marked: &Marked) -> (Marked, Vec<usize>) {
    let mut plain = marked.clone();
    let is_border = |tag: &Tag| tag.kind == TagKind::Point && tag.markup == BORDER;
    let borders = marked.inline.tags.iter().filter(|tag| is_border(tag)).map(|tag| tag.at);
    plain.inline.tags.retain(|tag| !is_border(tag));
    (plain, borders.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, most: usize) -> Vec<String> {
        wrapped(&Marked::plain(text), most).into_iter().map(|line| line.text).collect()
    }

    fn shape(width: usize, shown: i64) -> Shape {
        Shape { width, shown, lines: 1, tags: Vec::new() }
    }

    fn pieces(text: &str, borders: &[usize], cues: &[Shape]) -> Vec<String> {
        let mut marked = Marked::plain(text);
        let tag = |&at| Tag { at, markup: BORDER.into(), kind: TagKind::Point };
        marked.inline.tags = borders.iter().map(tag).collect();
        divided(&marked, cues).iter().map(Marked::to_markup).collect()
    }

    #[test]
    fn lines_are_balanced_and_few() {
        assert_eq!(lines("A short line.", 2), ["A short line."]);
        assert_eq!(
            lines("The bridge in the old town will be closed, from Monday on, for works.", 2),
            ["The bridge in the old town will be closed,", "from Monday on, for works."]
        );
        let long = "word ".repeat(40);
        assert_eq!(lines(long.trim(), 2).len(), 2);
        assert_eq!(
            lines("政府は火曜日、新しいエネルギー計画を発表した。", 2),
            ["政府は火曜日、新しい", "エネルギー計画を発表した。"]
        );
        assert_eq!(lines("Donaudampfschifffahrtsgesellschaftskapitänsmütze", 2).len(), 1);
        let huge = "word ".repeat(100_000);
        assert_eq!(lines(huge.trim(), 2).len(), 2);
    }

    #[test]
    fn a_sentence_is_divided_where_its_borders_were_placed() {
        let cues = [shape(30, 2000), shape(30, 2000)];
        let text = "When the bridge is closed, nobody can cross the river.";
        assert_eq!(
            pieces(text, &[26], &cues),
            ["When the bridge is closed,", "nobody can cross the river."]
        );
        // Without them by length and at a pause.
        assert_eq!(pieces(text, &[], &cues), pieces(text, &[26], &cues));
        // A border at the very end leaves no cue empty.
        assert_eq!(pieces(text, &[text.len()], &cues), pieces(text, &[26], &cues));
    }

    #[test]
    fn no_cue_is_empty() {
        let cues = vec![shape(10, 1000); 3];
        assert_eq!(pieces("Good.", &[], &cues), ["Good."; 3]);
        assert_eq!(pieces("Very good.", &[1, 2], &cues), ["Very", "good.", "good."]);
        assert_eq!(pieces("", &[], &cues), [""; 3]);
        let long = "one two three four five six seven eight nine ten ".repeat(4);
        let parts = pieces(long.trim(), &[3, 7], &cues);
        assert!(parts.iter().all(|part| (20..=84).contains(&part.len())), "{parts:?}");
    }
}
