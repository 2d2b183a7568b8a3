//! Terms of a glossary in a translation: which there are, how a model is told, and whether they
//! came.

use super::{Routed, Segment, Settings, Translation};
use crate::generate::Constraint;
use crate::task::checks::Severity;
use crate::text::terms::{self, FoundTerm};
use crate::text::words::words;
use crate::types::{Problem, Term, Terms};
use std::ops::Range;

/// What a term may cost: the greatest loss of log-probability (natural logarithm) for each of its
/// tokens. Models that learned from another's translations hold what they would not write for next
/// to impossible; what costs more stands where nothing goes on after it.
const GREATEST_LOSS: f32 = 20.0;

/// The terms of each segment; `within` says of each whether it is one step of a longer way.
pub(super) fn of(
    settings: &Settings,
    segments: &[Segment],
    within: &[bool],
) -> Vec<Vec<FoundTerm>> {
    let find = |(segment, within): (&Segment, &bool)| {
        let Segment { text, from, to, kept, .. } = segment;
        let index = settings.terms.as_ref();
        let mut found = index.map_or_else(Vec::new, |index| index.find(text, from, to, *within));
        found.retain(|term| !kept.iter().any(|own| touch(own, &term.range)));
        found.extend(kept.iter().map(|own| FoundTerm {
            range: own.clone(),
            forms: vec![text[own.clone()].to_string()],
            is_kept: true,
        }));
        found.sort_by_key(|term| term.range.start);
        found
    };
    segments.iter().zip(within).map(find).collect()
}

fn touch(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Where parts of a text that were copied stand in its translation, in order.
pub(super) fn found_again(
    kept: &[Range<usize>],
    text: &str,
    translation: &str,
) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::with_capacity(kept.len());
    for own in kept.iter().map(|range| &text[range.clone()]) {
        let is_free = |range: &Range<usize>| !found.iter().any(|other| touch(other, range));
        let places = translation.match_indices(own).map(|(at, own)| at..at + own.len());
        let place = places.into_iter().find(is_free);
        found.extend(place);
    }
    found.sort_by_key(|range| range.start);
    found
}

/// Which terms of a text its translation has.
pub(super) fn told(settings: &Settings, text: &Routed<'_>, translation: &str) -> Terms {
    let languages = text.route.languages();
    let mut told = Terms::default();
    let (Some(index), [from, .., to]) = (&settings.terms, languages.as_slice()) else {
        return told;
    };
    let found = index.find(text.text, from, to, false);
    let places = terms::places(&found, translation);
    for (FoundTerm { range, forms, .. }, place) in found.into_iter().zip(places) {
        let source = text.text[range].to_string();
        match place {
            Some(place) => {
                let target = translation[place].to_string();
                told.applied.push(Term { segment: None, source, target });
            }
            None => {
                let target = forms.into_iter().next().unwrap_or_default();
                told.missed.push(Term { segment: None, source, target });
            }
        }
    }
    told
}

/// How many terms a translation has.
pub(super) fn met(terms: &[FoundTerm], translation: &str) -> usize {
    terms::places(terms, translation).iter().flatten().count()
}

/// The terms that a translation lacks.
pub(super) fn missing(terms: &[FoundTerm], translation: &str) -> Vec<FoundTerm> {
    let places = terms::places(terms, translation);
    let lacking = terms.iter().zip(places).filter(|(_, place)| place.is_none());
    lacking.map(|(term, _)| term.clone()).collect()
}

/// Where in a segment the terms stand that are not to be translated, and that its translation
/// lacks.
pub(super) fn lost(terms: &[FoundTerm], segment: &Segment, translation: &str) -> Vec<Range<usize>> {
    let kept: Vec<FoundTerm> = terms.iter().filter(|term| term.is_kept).cloned().collect();
    if kept.is_empty() {
        return Vec::new();
    }
    // What is a part of a word in the source may be one in the translation.
    let is_there = |term: &FoundTerm| {
        let own = &segment.text[term.range.clone()];
        let same = segment.kept.iter().filter(|range| segment.text[(*range).clone()] == *own);
        is_within_word(&segment.text, &term.range)
            && translation.matches(own).count() >= same.count()
    };
    let missing = missing(&kept, translation).into_iter();
    missing.filter(|term| !is_there(term)).map(|term| term.range).collect()
}

/// Whether letters or digits touch a part of a text that begins or ends with one.
fn is_within_word(text: &str, part: &Range<usize>) -> bool {
    let is_word = char::is_alphanumeric;
    let (before, own, after) = (&text[..part.start], &text[part.clone()], &text[part.end..]);
    before.ends_with(is_word) && own.starts_with(is_word)
        || own.ends_with(is_word) && after.starts_with(is_word)
}

/// Where in a part of a segment, as a model reads it, the terms stand that are not to be
/// translated.
pub(super) fn kept(terms: &[FoundTerm], segment: &Segment, part: &str) -> Vec<Range<usize>> {
    let kept: Vec<FoundTerm> = terms.iter().filter(|term| term.is_kept).cloned().collect();
    let mut places: Vec<Range<usize>> =
        in_part(&kept, segment, part).into_iter().flatten().collect();
    places.sort_by_key(|place| place.start);
    places
}

/// The terms of a segment as constraints of what is written of a part of it.
pub(super) fn constraints(terms: &[FoundTerm], segment: &Segment, part: &str) -> Vec<Constraint> {
    let constraint = |(term, place): (&FoundTerm, Option<Range<usize>>)| {
        let mut forms = term.forms.clone();
        if !term.is_kept {
            // A term may open a sentence, wherever it stands in the source.
            forms.extend(term.forms.iter().filter_map(|form| capitalized(form)));
        }
        let ends_word = term.forms.iter().all(|form| terms::ends_with_its_word(form));
        let is_name = |form: &String| form.starts_with(char::is_uppercase);
        let joins = term.is_kept || term.forms.iter().any(is_name);
        Some(Constraint { source: place?, forms, ends_word, joins, is_near: false })
    };
    terms.iter().zip(in_part(terms, segment, part)).filter_map(constraint).collect()
}

/// The place of each term in a part of its segment, if it is there.
fn in_part(terms: &[FoundTerm], segment: &Segment, part: &str) -> Vec<Option<Range<usize>>> {
    let as_written = |term: &FoundTerm| FoundTerm {
        forms: vec![segment.text[term.range.clone()].to_string()],
        is_kept: term.is_kept,
        range: term.range.clone(),
    };
    terms::places(&terms.iter().map(as_written).collect::<Vec<_>>(), part)
}

fn capitalized(form: &str) -> Option<String> {
    let mut chars = form.chars();
    let first = chars.next().filter(|c| c.is_lowercase())?;
    Some(first.to_uppercase().chain(chars).collect())
}

/// Whether a translation that was told the terms is to stand in the place of one that lacks some:
/// it has more of them, nothing else is worse, and it is no heap of words in which they stand. That
/// the model doubts it says nothing: it would not have written the terms by itself.
pub(super) fn is_better(
    (new, held): (&Translation, &Translation),
    terms: &[FoundTerm],
    tokens: &dyn Fn(&str) -> usize,
) -> bool {
    let (now, before) = (met(terms, &new.text), met(terms, &held.text));
    let severity = |one: &Translation| {
        let found = one.problems.iter().copied().filter(|one| *one != Problem::Doubtful);
        Severity::of(&found.collect::<Vec<Problem>>())
    };
    if now <= before || severity(new) > severity(held) {
        return false;
    }
    let count = |text: &str| words(text).len();
    let longest = |term: &FoundTerm| term.forms.iter().map(|form| count(form)).max().unwrap_or(0);
    let room: usize = terms.iter().map(longest).sum();
    let (long, usual) = (count(&new.text), count(&held.text));
    let is_as_long = long <= usual + usual / 2 + room + 2 && long + room + 2 >= usual / 2;
    let loss = match (new.confidence, held.confidence) {
        (Some(new_one), Some(old)) => (old.ln() - new_one.ln()) * tokens(&new.text) as f32,
        _ => 0.0,
    };
    let brought: usize = missing(terms, &held.text)
        .iter()
        .map(|term| term.forms.iter().map(|form| tokens(form)).max().unwrap_or(0))
        .sum();
    is_as_long && loss <= GREATEST_LOSS * brought as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Lang;

    fn term(range: Range<usize>, forms: &[&str]) -> FoundTerm {
        let forms = forms.iter().map(|form| form.to_string()).collect();
        FoundTerm { range, forms, is_kept: false }
    }

    fn segment(text: &str) -> Segment {
        let to = Lang::parse("pt").unwrap();
        Segment::new(text, Lang::en(), to)
    }

    #[test]
    fn a_term_is_a_constraint_of_the_part_that_has_it() {
        let segment = segment("A cat, and the dog.");
        let terms = [term(2..5, &["gato"]), term(15..18, &["Cão", "人"])];
        let found = constraints(&terms, &segment, "and the dog.");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].source.clone(), found[0].ends_word), (8..11, false));
        assert_eq!(found[0].forms, ["Cão", "人"]);
        let first = constraints(&terms, &segment, "A cat,");
        assert_eq!(
            (first[0].forms.as_slice(), first[0].ends_word),
            (&["gato".to_string(), "Gato".to_string()][..], true)
        );
    }

    #[test]
    fn what_is_worse_otherwise_is_no_gain() {
        let terms = [term(0..3, &["gato"])];
        let translation = |text: &str, problems: &[Problem], confidence| Translation {
            text: text.into(),
            problems: problems.to_vec(),
            confidence: Some(confidence),
            ..Translation::default()
        };
        let held = translation("O felino dorme no sofá.", &[], 0.9);
        let better = |new: &Translation| is_better((new, &held), &terms, &|text| words(text).len());
        assert!(better(&translation("O gato dorme no sofá.", &[Problem::Doubtful], 0.3)));
        assert!(!better(&translation("O bichano dorme no sofá.", &[], 0.9)));
        assert!(!better(&translation("O gato dorme no sofá.", &[Problem::Repetition], 0.9)));
        assert!(!better(&translation("O gato dorme no sofá.", &[], 0.01)));
        let long = "O gato dorme no sofá e o gato e o felino e o felino dorme no sofá.";
        assert!(!better(&translation(long, &[], 0.9)));
    }
}
