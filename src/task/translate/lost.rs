//! Addresses, code and placeholders that no attempt has kept as often as they are there: put back
//! where they belong, and taken away where they do not.

use super::{Segment, Translation, terms};
use crate::text::inline::{self, Link};
use crate::text::protect;
use crate::text::terms::FoundTerm;
use crate::types::{Inline, Marked, Problem, Tag, TagKind};
use std::cmp::Reverse;
use std::iter;
use std::ops::Range;

/// Puts what must come through unchanged, and is missing, back into a translation: next to the
/// words that it stood at, as far as these are known. A character reference may have become the
/// character. What comes once more than in the source goes.
pub(super) fn put_back(segment: &Segment, terms: &[FoundTerm], translation: &mut Translation) {
    let source = segment.text.as_str();
    if !translation.problems.contains(&Problem::Protected) {
        return set_apart(source, translation);
    }
    remove_surplus(segment, translation);
    let mut missing = protect::missing(source, &translation.text);
    missing.retain(|span| !span.starts_with('&'));
    // The last of several equal ones are those that are lost.
    let mut lost: Vec<Range<usize>> = Vec::new();
    let touches = |span: &Range<usize>, other: &Range<usize>| {
        span.start < other.end && other.start < span.end
    };
    // Where parts are copied, their ends are known.
    let is_known = |span: &Range<usize>| segment.kept.iter().any(|own| touches(span, own));
    for span in protect::spans(source).into_iter().filter(|span| !is_known(span)).rev() {
        if let Some(number) = missing.iter().position(|text| *text == source[span.clone()]) {
            missing.swap_remove(number);
            lost.push(span);
        }
    }
    let kept = terms::lost(terms, segment, &translation.text);
    lost.retain(|span| !kept.iter().any(|other| touches(span, other)));
    lost.extend(kept);
    lost.sort_by_key(|span| Reverse(span.start));
    let point = |span: &Range<usize>| Tag {
        at: span.start,
        markup: source[span.clone()].to_string(),
        kind: TagKind::Point,
    };
    let tags: Vec<Tag> = lost.iter().rev().map(point).collect();
    let marked = Marked { text: source.into(), inline: Inline { tags, kept: Vec::new() } };
    let placed = inline::place(&marked, &translation.text, &translation.links).tags;
    for Tag { at, markup, .. } in placed.into_iter().rev() {
        let own = lost.iter().find(|span| source[(*span).clone()] == *markup).cloned();
        let at = before_signs(&translation.text, at);
        insert(translation, at, &markup, own);
    }
    set_apart(source, translation);
    // What is there now may be there twice: what stands in code does so beside it, too.
    remove_surplus(segment, translation);
    let missing = protect::missing(source, &translation.text);
    let is_lacking = missing.iter().any(|span| !span.starts_with('&'));
    if is_lacking || !surplus(segment, &translation.text).is_empty() {
        // What is too entangled to be put in order stays as it is, and is complained of.
        (translation.text, translation.links) = (source.into(), words_to_themselves(source));
        return;
    }
    let is_there = terms::lost(terms, segment, &translation.text).is_empty();
    if is_there && missing.is_empty() {
        translation.problems.retain(|problem| *problem != Problem::Protected);
    }
}

/// The links of a text that stays as it is.
fn words_to_themselves(text: &str) -> Vec<Link> {
    let mut at = 0;
    let words = text.split_inclusive(' ').map(|word| {
        let start = at;
        at += word.len();
        start..start + word.trim_end().len()
    });
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| Link { source: word.clone(), target: word, weight: 1.0 }).collect()
}

/// Takes away what is too much in a translation, and outside of what was copied.
fn remove_surplus(segment: &Segment, translation: &mut Translation) {
    // What stood on both sides may be one more.
    for _ in 0..4 {
        let found = surplus(segment, &translation.text);
        if found.is_empty() {
            return;
        }
        found.into_iter().for_each(|span| remove(translation, span));
    }
}

/// Where a translation has too much, the last first.
fn surplus(segment: &Segment, text: &str) -> Vec<Range<usize>> {
    let copied = terms::found_again(&segment.kept, &segment.text, text);
    let is_copied = |span: &Range<usize>| {
        copied.iter().any(|own| own.start <= span.start && span.end <= own.end)
    };
    let mut found: Vec<Range<usize>> = Vec::new();
    for span in protect::surplus(&segment.text, text) {
        let same = protect::places(&[&text[span.clone()]], text);
        let mut free = iter::once(span.clone()).chain(same);
        found.extend(free.find(|span| !is_copied(span) && !found.contains(span)));
    }
    found.sort_by_key(|span| Reverse(span.start));
    found
}

/// Puts spaces between what must come through unchanged and what it has grown together with: an
/// address takes in what follows it.
fn set_apart(source: &str, translation: &mut Translation) {
    let spans = protect::spans(source);
    let own: Vec<&str> = spans.into_iter().map(|span| &source[span]).collect();
    // Each has two ends.
    for _ in 0..2 * own.len() {
        let Some(at) = grown_together(&own, &translation.text) else { return };
        open_up(translation, at, 1);
        translation.text.insert(at, ' ');
    }
}

/// Where one of some spans is not found as such, since it is one with what it touches.
fn grown_together(own: &[&str], text: &str) -> Option<usize> {
    let found = protect::spans(text);
    let is_bare = |at: &usize| {
        let (before, after) = text.split_at(*at);
        !before.is_empty()
            && !after.is_empty()
            && !before.ends_with(char::is_whitespace)
            && !after.starts_with(char::is_whitespace)
    };
    let lost = protect::places(own, text).into_iter().filter(|place| !found.contains(place));
    let ends = lost.flat_map(|place| [place.start, place.end]);
    // Two pieces of code are read as one.
    let is_code = |at: &usize| text[..*at].ends_with('`') && text[*at..].starts_with('`');
    let ends_of_code = found.iter().map(|place| place.end).filter(is_code);
    ends.chain(ends_of_code).find(is_bare)
}

/// Moves what stands behind a place on by a length.
fn open_up(translation: &mut Translation, at: usize, length: usize) {
    for link in translation.links.iter_mut().filter(|link| link.target.end > at) {
        let Range { start, end } = link.target;
        link.target = if start < at { start } else { start + length }..end + length;
    }
}

/// Puts a span between the words at a place; `own` is where it stands in the source.
fn insert(translation: &mut Translation, at: usize, span: &str, own: Option<Range<usize>>) {
    let Translation { text, links, .. } = translation;
    let before = if text[..at].ends_with(|c: char| !c.is_whitespace()) { " " } else { "" };
    let after = if text[at..].starts_with(is_glued) { " " } else { "" };
    let piece = [before, span, after].concat();
    text.insert_str(at, &piece);
    for link in links.iter_mut().filter(|link| link.target.end > at) {
        link.target = link.target.start.max(at) + piece.len()..link.target.end + piece.len();
    }
    let start = at + before.len();
    let target = start..start + span.len();
    links.extend(own.map(|source| Link { source, target, weight: 1.0 }));
    links.sort_by_key(|link| link.target.start);
}

/// The place before the signs that belong to what follows: "R$5", "%2$t".
fn before_signs(text: &str, at: usize) -> usize {
    let is_own = text[at..].starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_own { text[..at].trim_end_matches(['%', '$', '#', '@', '&']).len() } else { at }
}

/// Whether what stands before a letter or mark without a space would go on with it: a word, or an
/// address, which would swallow the mark of a placeholder.
fn is_glued(next: char) -> bool {
    next.is_alphanumeric() || "_{[<%$@`(".contains(next)
}

/// Takes a span away, with the space before it.
fn remove(translation: &mut Translation, span: Range<usize>) {
    let Translation { text, links, .. } = translation;
    let start = text[..span.start].trim_end_matches(' ').len();
    let (start, end) = match text[span.end..].chars().next() {
        Some(next) if is_glued(next) => (span.start, span.end),
        _ => (start, span.end),
    };
    text.replace_range(start..end, "");
    let moved = |at: usize| if at <= start { at } else { at.max(end) - (end - start) };
    for link in links.iter_mut() {
        link.target = moved(link.target.start)..moved(link.target.end);
    }
    links.retain(|link| !link.target.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Lang;

    #[test]
    fn what_was_lost_is_there_again() {
        let source = "Voir https://x.org/a avant {jour}, dit @ana.";
        let text = "See before, says Ana.";
        let link = |source, target| Link { source, target, weight: 1.0 };
        let links = vec![link(0..4, 0..3), link(21..26, 4..10), link(35..38, 12..16)];
        let problems = vec![Problem::Protected, Problem::Doubtful];
        let mut found =
            Translation { text: text.into(), links, problems, ..Translation::default() };
        let segment = Segment::new(source, Lang::parse("fr").unwrap(), Lang::en());
        put_back(&segment, &[], &mut found);
        assert_eq!(found.text, "See https://x.org/a before {jour}, says @ana Ana.");
        assert_eq!(found.problems, [Problem::Doubtful]);
        // What comes twice, or from nowhere, goes.
        let mut twice = Translation {
            text: "See {jour} {jour}, {day}: https://x.org/a, says @ana.".into(),
            links: Vec::new(),
            ..Translation { problems: vec![Problem::Protected], ..found.clone() }
        };
        put_back(&segment, &[], &mut twice);
        assert_eq!(twice.text, "See {jour},: https://x.org/a, says @ana.");
        assert!(twice.problems.is_empty());
        // A term that stays as it is does so, too.
        let term = FoundTerm { range: 27..33, forms: vec!["{jour}".into()], is_kept: true };
        let kept = FoundTerm { range: 0..4, forms: vec!["Voir".into()], is_kept: true };
        let mut other =
            Translation { text: text.into(), problems: vec![Problem::Protected], ..found.clone() };
        put_back(&segment, &[kept, term], &mut other);
        assert!(
            other.text.contains("Voir") && other.text.matches("{jour}").count() == 1,
            "{other:?}"
        );
        assert!(other.problems.is_empty());
        assert!(found.links.iter().any(|link| link.source == (5..20) && link.target == (4..19)));
    }
}
