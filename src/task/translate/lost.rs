//! Addresses, code and placeholders that no attempt has kept: put back where they belong.

use super::{Segment, Translation, terms};
use crate::text::inline::{self, Link};
use crate::text::protect;
use crate::text::terms::FoundTerm;
use crate::types::{Inline, Marked, Problem, Tag, TagKind};
use std::cmp::Reverse;
use std::ops::Range;

/// Puts what must come through unchanged, and is missing, back into a translation: next to the
/// words that it stood at, as far as these are known. A character reference may have become the
/// character.
pub(super) fn put_back(segment: &Segment, terms: &[FoundTerm], translation: &mut Translation) {
    let source = segment.text.as_str();
    if !translation.problems.contains(&Problem::Protected) {
        return;
    }
    let mut missing = protect::missing(source, &translation.text);
    missing.retain(|span| !span.starts_with('&'));
    // The last of several equal ones are those that are lost.
    let mut lost: Vec<Range<usize>> = Vec::new();
    for span in protect::spans(source).into_iter().rev() {
        if let Some(number) = missing.iter().position(|text| *text == source[span.clone()]) {
            missing.swap_remove(number);
            lost.push(span);
        }
    }
    let touches = |span: &Range<usize>, other: &Range<usize>| {
        span.start < other.end && other.start < span.end
    };
    let kept = terms::lost(terms, &translation.text);
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
        insert(translation, at, &markup, own);
    }
    let is_there = terms::lost(terms, &translation.text).is_empty();
    if is_there && protect::missing(source, &translation.text).is_empty() {
        translation.problems.retain(|problem| *problem != Problem::Protected);
    }
}

/// Puts a span between the words at a place; `own` is where it stands in the source.
fn insert(translation: &mut Translation, at: usize, span: &str, own: Option<Range<usize>>) {
    let Translation { text, links, .. } = translation;
    let is_word = |c: char| c.is_alphanumeric();
    let before = if text[..at].ends_with(|c: char| !c.is_whitespace()) { " " } else { "" };
    let after = if text[at..].starts_with(is_word) { " " } else { "" };
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
        let segment = Segment {
            text: source.into(),
            from: Lang::parse("fr").unwrap(),
            to: Lang::en(),
            align: false,
            kept: Vec::new(),
        };
        put_back(&segment, &[], &mut found);
        assert_eq!(found.text, "See https://x.org/a before {jour}, says @ana Ana.");
        assert_eq!(found.problems, [Problem::Doubtful]);
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
