//! What pages leave between the lines of a text: their numbers, and the lines that head them.

use super::ledger::Ledger;
use super::lines::Line;
use super::wraps::{continues, ends_sentence};
use crate::types::Removal;
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A page number by itself, with the word for it or without.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let words = "page|seite|pagina|página|pág|pag|стр|страница|strona|str|side|sida|p|s|pg";
    let of = "/|of|von|de|sur|di|из|z|av|af|van";
    let pattern = format!(
        r"(?i)^[\s–—\-\[(|•]*(?P<word>(?:{words})\.?\s*)?(?P<number>\d{{1,4}})(?:\s*(?:{of})\s*\d{{1,4}})?[\s–—\-\])|•]*$"
    );
    Regex::new(&pattern).expect("the pattern is constant and tested")
});

/// Longest line, in characters, that heads a page.
const LONGEST_HEAD: usize = 90;

/// Leaves out page numbers, and the lines beside them that come on several pages. Where a sentence
/// goes on over the page, so does its paragraph.
pub(super) fn without_furniture<'a>(
    mut lines: Vec<Line<'a>>,
    removed: &mut Ledger,
) -> Vec<Line<'a>> {
    let written: Vec<usize> = (0..lines.len()).filter(|&i| !whole(&lines[i]).is_empty()).collect();
    let numbers = page_numbers(&lines, &written);
    if !numbers.contains(&true) {
        return lines;
    }
    let drop = with_heads(&lines, &written, numbers);
    // A run of lines that are dropped or blank goes as a whole where a sentence goes on after it.
    let mut keep = vec![true; lines.len()];
    let mut before: Option<usize> = None;
    let mut dropped = Vec::new();
    for (place, &at) in written.iter().enumerate() {
        if drop[place] {
            dropped.push(at);
            continue;
        }
        if let (Some(start), false) = (before, dropped.is_empty()) {
            dropped.iter().for_each(|&at| keep[at] = false);
            if continues(&lines[start], &lines[at]) {
                keep[start + 1..at].fill(false);
                lines[at].goes_on = true;
            }
        } else {
            dropped.iter().for_each(|&at| keep[at] = false);
        }
        dropped.clear();
        before = Some(at);
    }
    dropped.iter().for_each(|&at| keep[at] = false);
    let mut keep = keep.into_iter();
    let mut is_kept = |line: &Line| {
        let is_kept = keep.next().unwrap_or(true);
        if !is_kept {
            removed.add(Removal::Margin, &whole(line));
        }
        is_kept
    };
    lines.into_iter().filter(|line| is_kept(line)).collect()
}

/// A line without the spaces around it; a bullet may be the dash before a number.
fn whole(line: &Line) -> String {
    format!("{}{}", line.marker, line.text).trim().to_string()
}

/// Which of the lines that are not blank are page numbers: those in the middle of a sentence, and
/// all when they count up.
fn page_numbers(lines: &[Line], written: &[usize]) -> Vec<bool> {
    let mut is_number = vec![false; written.len()];
    let mut found: Vec<(usize, u32, bool)> = Vec::new();
    for (place, &at) in written.iter().enumerate() {
        let text = whole(&lines[at]);
        let Some(number) = NUMBER.captures(&text).filter(|_| text.len() < 40) else { continue };
        let value = number["number"].parse().unwrap_or(0);
        found.push((
            place,
            value,
            number.name("word").is_some() || text.starts_with(['-', '–', '—']),
        ));
    }
    let neighbour = |place: usize, step: isize| {
        let place = place.checked_add_signed(step)?;
        Some(&lines[*written.get(place)?])
    };
    let parts_sentence = |place: usize| {
        // The line that heads the next page may stand between.
        let before = (-2..0).rev().filter_map(|step| neighbour(place, step));
        let before: Vec<&Line> = before.collect();
        let after: Vec<&Line> = (1..3).filter_map(|step| neighbour(place, step)).collect();
        before.iter().any(|b| after.iter().any(|a| continues(b, a)))
    };
    let counted = found.windows(2).filter(|pair| pair[1].1 == pair[0].1 + 1).count();
    let in_sentence = found.iter().filter(|(place, _, _)| parts_sentence(*place)).count();
    let worded = found.iter().filter(|(_, _, word)| *word).count();
    let all = found.len() >= 2
        && counted + 1 == found.len()
        && (in_sentence * 2 >= found.len() || worded * 2 >= found.len());
    for (place, _, _) in found {
        // A number in the middle of a sentence may be a part of it where no blank line is near.
        let at = written[place];
        let apart = at == 0
            || lines[at - 1].text.is_empty()
            || lines.get(at + 1).is_none_or(|l| l.text.is_empty());
        is_number[place] = all || apart && parts_sentence(place);
    }
    is_number
}

/// The same with the lines beside page numbers that come back on other pages.
fn with_heads(lines: &[Line], written: &[usize], numbers: Vec<bool>) -> Vec<bool> {
    let key = |place: usize| {
        let text = whole(&lines[written[place]]);
        let is_short = text.chars().count() <= LONGEST_HEAD && !ends_sentence(&text);
        is_short.then(|| text.chars().filter(|c| !c.is_numeric()).collect::<String>())
    };
    let beside = |place: usize| {
        let near = [place.wrapping_sub(1), place + 1];
        near.into_iter().any(|near| numbers.get(near).copied().unwrap_or(false))
    };
    let candidates: Vec<(usize, String)> = (0..numbers.len())
        .filter(|&place| !numbers[place] && beside(place))
        .filter_map(|place| Some((place, key(place)?)))
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, key) in &candidates {
        *counts.entry(key).or_default() += 1;
    }
    let heads: Vec<usize> = candidates
        .iter()
        .filter(|(_, key)| counts[key.as_str()] >= 2)
        .map(|(place, _)| *place)
        .collect();
    let mut drop = numbers;
    heads.into_iter().for_each(|place| drop[place] = true);
    drop
}
