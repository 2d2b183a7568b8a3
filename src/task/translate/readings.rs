//! A few words by themselves: a heading, a button, a lone noun.
//!
//! A translation model was taught sentences. Of a lone word it makes another one easily ("Hello"
//! becomes "Olá, aqui"), and is as sure of it as of a right one. What it reads out of several
//! forms of the words, and is sure of in sum, is right more often than what it reads out of one:
//! docs/quality.md counts it on words and headings, Portuguese to English and back.

use super::retry::RetryStrategy;
use super::{Segment, Translation};
use crate::languages;
use crate::task::checks;
use crate::text::words;

/// The forms in which a few words are tried besides the one that they have.
pub(super) const READINGS: &[RetryStrategy] =
    &[RetryStrategy::AsLabel, RetryStrategy::Quoted, RetryStrategy::InLowerCase];

/// Most words that are no sentence yet.
const FEW: usize = 3;

/// Whether a segment is a few words without a mark at their end or a number.
pub(super) fn are_few_words(segment: &Segment) -> bool {
    let Segment { text, from, .. } = segment;
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1
        && !languages::is_spaceless(from)
        && text.trim_end().ends_with(char::is_alphabetic)
        && !text.contains(char::is_numeric)
        && (1..=FEW).contains(&words::words(text).len())
}

/// The number of the translation that most speaks for: of those that say the same, whatever their
/// capitals and marks, the confidences are added up. Of the best ones it is the first; `None` where
/// the checks reject all. The words themselves are no translation of them, unless the first one, of
/// the words as they are, leaves them so or is rejected: a name stays one.
pub(super) fn elect(source: &str, candidates: &[Translation]) -> Option<usize> {
    let said = |translation: &Translation| words::words(&translation.text);
    let is_copy = |translation: &Translation| said(translation) == words::words(source);
    let is_sound = |translation: &Translation| !checks::deserve_retry(&translation.problems);
    let may_copy = candidates.first().is_some_and(|first| is_copy(first) || !is_sound(first));
    let stands = |one: &Translation| is_sound(one) && (may_copy || !is_copy(one));
    let votes = |chosen: &Translation| {
        let same = candidates.iter().filter(|other| stands(other) && said(other) == said(chosen));
        same.filter_map(|other| other.confidence).sum::<f32>()
    };
    let mut best: Option<(usize, f32)> = None;
    for (number, candidate) in candidates.iter().enumerate().filter(|(_, one)| stands(one)) {
        let votes = votes(candidate);
        if best.is_none_or(|(_, most)| votes > most) {
            best = Some((number, votes));
        }
    }
    best.map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Lang, Problem};

    fn translation(text: &str, confidence: f32, problems: &[Problem]) -> Translation {
        Translation {
            text: text.into(),
            confidence: Some(confidence),
            problems: problems.to_vec(),
            ..Translation::default()
        }
    }

    #[test]
    fn what_is_said_most_is_chosen() {
        let rejected = [Problem::Repetition];
        let all = [
            translation("Olá, aqui", 0.6, &[]),
            translation("Olá", 0.5, &[]),
            translation("OLÁ", 0.3, &[Problem::Doubtful]),
            translation("Oi oi", 0.9, &rejected),
        ];
        assert_eq!(elect("Hello", &all), Some(1));
        assert_eq!(elect("Hello", &all[..1]), Some(0));
        assert_eq!(elect("Hello", &all[3..]), None);
        // A copy is no translation, unless the words by themselves are left as they are.
        let copies = [translation("Gato", 0.5, &[]), translation("cat", 0.9, &[])];
        assert_eq!(elect("Cat", &copies), Some(0));
        let terms = [
            translation("(edição", 0.5, &rejected),
            translation("changelog", 0.6, &[]),
            translation("editar", 0.5, &[]),
        ];
        assert_eq!(elect("changelog", &terms), Some(1));
        let names = [translation("Erik", 0.3, &[]), translation("Eric", 0.2, &[])];
        assert_eq!(elect("Erik", &names), Some(0));
        // The first where there is nothing between them.
        let even = [translation("Olá", 0.5, &[]), translation("Oi", 0.5, &[])];
        assert_eq!(elect("Hello", &even), Some(0));
    }

    #[test]
    fn headings_are_few_words_and_sentences_are_none() {
        let is = |text: &str, from: &str| {
            let (from, to) = (Lang::parse(from).unwrap(), Lang::en());
            are_few_words(&Segment::new(text, from, to))
        };
        for text in ["FIM", "Até logo", "Leia mais notícias", "Segunda-feira"] {
            assert!(is(text, "pt"), "{text}");
        }
        for text in ["Vamos!", "Ele disse:", "h", "Capítulo 3", "12.05.2026", "Um dois três quatro"]
        {
            assert!(!is(text, "pt"), "{text}");
        }
        assert!(!is("世界", "zh"));
    }
}
