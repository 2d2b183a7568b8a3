//! Which words of a text and of its translation belong together.

use crate::text::language::script;
use crate::text::protect;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// Parts of a text and of its translation that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Bytes of the text.
    pub source: Range<usize>,
    /// Bytes of its translation.
    pub target: Range<usize>,
    /// How sure that is, from 0 to 1.
    pub weight: f32,
}

/// The words of two texts, and for each word of the translation those of the source that it comes
/// from.
#[derive(Debug)]
pub(super) struct WordLinks {
    /// Byte ranges of the source's words.
    pub source: Vec<Range<usize>>,
    /// Byte ranges of the translation's words.
    pub target: Vec<Range<usize>>,
    /// For each word of the translation: words of the source, and how much speaks for them.
    from: Vec<Vec<(usize, f32)>>,
    /// For each word of the translation the word of the source that it comes from, as far as more
    /// than the order of words speaks for it; by the order where that is so of none.
    origins: Vec<Option<usize>>,
}

/// What the same word, or number, in both texts counts for, against the weights of links.
const SAME: f32 = 2.0;
/// What a word that is written nearly alike counts for, as many names and terms are; and how much
/// of its letters it shares at least, by itself and where a model tells what belongs together.
const ALIKE: f32 = 0.6;
const SHARED: f64 = 0.6;
const MUCH_SHARED: f64 = 0.7;
/// Letters from which on a word may be alike and not the same.
const LONG: usize = 5;
/// What a word's place in its sentence counts for.
const BY_ORDER: f32 = 0.1;
/// Less than this is no evidence against a run's going on through a word.
const CERTAIN: f32 = 0.15;

impl WordLinks {
    pub fn new(source: &str, target: &str, links: &[Link]) -> WordLinks {
        let (source_words, target_words) = (words(source), words(target));
        let mut from: Vec<Vec<(usize, f32)>> = vec![Vec::new(); target_words.len()];
        for Link { source, target, weight } in links {
            for word in touched(&target_words, target) {
                from[word].extend(touched(&source_words, source).map(|own| (own, *weight)));
            }
        }
        let is_aligned = !links.is_empty();
        let known: Vec<String> =
            source_words.iter().map(|word| source[word.clone()].to_lowercase()).collect();
        for (number, word) in target_words.iter().enumerate() {
            let word = target[word.clone()].to_lowercase();
            let mut same = known.iter().enumerate().filter(|(_, other)| **other == word);
            // A word that comes twice says nothing.
            match (same.next(), same.next()) {
                (Some((own, _)), None) => from[number].push((own, SAME)),
                // Attention runs ahead and lags behind, most of all where words change places.
                (None, _) => {
                    let least = if is_aligned { MUCH_SHARED } else { SHARED };
                    from[number].extend(most_alike(&word, &known, least).map(|own| (own, ALIKE)));
                }
                _ => {}
            }
        }
        let (source, target, origins) = (source_words, target_words, Vec::new());
        let mut all = WordLinks { source, target, from, origins };
        all.fill_by_order();
        all.origins = all.origins();
        all
    }

    /// Links words that have none with the word at about the same place between the links around
    /// them.
    fn fill_by_order(&mut self) {
        let (words, all) = (self.source.len(), self.target.len());
        if words == 0 {
            return;
        }
        let best: Vec<Option<usize>> = (0..all).map(|word| self.best(word)).collect();
        for word in (0..all).filter(|&word| best[word].is_none()) {
            let before =
                (0..word).rev().find_map(|other| Some((other as f32, best[other]? as f32)));
            let after = (word..all).find_map(|other| Some((other as f32, best[other]? as f32)));
            let (x0, y0) = before.unwrap_or((-1.0, -1.0));
            let (x1, y1) = after.unwrap_or((all as f32, words as f32));
            let place = y0 + (y1 - y0) * (word as f32 - x0) / (x1 - x0);
            let own = (place.round().max(0.0) as usize).min(words - 1);
            self.from[word].push((own, BY_ORDER));
        }
    }

    /// The word of the source that most speaks for.
    fn best(&self, word: usize) -> Option<usize> {
        let mut sums: Vec<(usize, f32)> = Vec::new();
        for &(own, weight) in &self.from[word] {
            match sums.iter_mut().find(|(other, _)| *other == own) {
                Some((_, sum)) => *sum += weight,
                None => sums.push((own, weight)),
            }
        }
        sums.into_iter().reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(own, _)| own)
    }

    /// The words of the source in a range of bytes.
    pub fn source_words(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.source.partition_point(|word| word.end <= range.start);
        let last = self.source.partition_point(|word| word.start < range.end);
        first..last.max(first)
    }

    /// The run of words, within some and none of them taken, that comes from a range of the
    /// source's words most of all: each word of the run that does counts for it, each that comes
    /// from elsewhere against it. Where none does, the words at about the same place; an empty run
    /// where all are taken.
    pub fn densest(
        &self,
        own: &Range<usize>,
        within: &Range<usize>,
        taken: &[bool],
    ) -> Range<usize> {
        let value = |word: usize| {
            let part = |is_own: bool| -> f32 {
                let links = self.from[word].iter();
                links.filter(|(from, _)| own.contains(from) == is_own).map(|(_, w)| w).sum()
            };
            let (inside, outside) = (part(true), part(false));
            match inside > outside {
                true => 0.5 + inside.min(1.0) / 2.0,
                false if outside < CERTAIN => -0.4,
                false => -1.0,
            }
        };
        let (mut best, mut found) = (0.0, None);
        let (mut sum, mut start) = (0.0, within.start);
        for word in within.clone() {
            if taken[word] {
                (sum, start) = (0.0, word + 1);
                continue;
            }
            if sum <= 0.0 {
                (sum, start) = (0.0, word);
            }
            sum += value(word);
            if sum > best {
                (best, found) = (sum, Some(start..word + 1));
            }
        }
        found.unwrap_or_else(|| self.by_place(own, within, taken))
    }

    /// The free word at the place of a range of the source's words.
    fn by_place(&self, own: &Range<usize>, within: &Range<usize>, taken: &[bool]) -> Range<usize> {
        let share = own.start as f32 / self.source.len().max(1) as f32;
        let place = within.start + (share * within.len() as f32) as usize;
        let free = within.clone().filter(|&word| !taken[word]);
        let nearest = free.min_by_key(|word| word.abs_diff(place));
        nearest.map_or(within.end..within.end, |word| word..word + 1)
    }

    /// What [`WordLinks::origins`] holds.
    fn origins(&self) -> Vec<Option<usize>> {
        let is_certain = |word: &usize| self.from[*word].iter().any(|(_, w)| *w > BY_ORDER);
        let all = || 0..self.target.len();
        let certain: Vec<Option<usize>> =
            all().map(|word| self.best(word).filter(|_| is_certain(&word))).collect();
        if certain.iter().any(Option::is_some) {
            return certain;
        }
        all().map(|word| self.best(word)).collect()
    }

    /// The first word of the translation that comes from a word of the source.
    pub fn first_of(&self, own: usize) -> Option<usize> {
        self.origins.iter().position(|word| *word == Some(own))
    }

    /// The last one that comes from a word of the source, or from one near to it.
    pub fn last_of(&self, own: usize) -> Option<usize> {
        let known = self.origins.iter().flatten().copied();
        let nearest = known.min_by_key(|other| (other.abs_diff(own), *other))?;
        self.origins.iter().rposition(|word| *word == Some(nearest))
    }
}

/// The word that is written most like another, if they share so much at least.
fn most_alike(word: &str, words: &[String], least: f64) -> Option<usize> {
    let is_long = |word: &str| word.chars().count() >= LONG;
    let alike = words.iter().map(|other| match is_long(word) && is_long(other) {
        true => strsim::normalized_damerau_levenshtein(word, other),
        false => 0.0,
    });
    let found = alike.enumerate().filter(|(_, shared)| *shared >= least);
    found.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(number, _)| number)
}

/// The numbers of the words that a range touches.
fn touched(words: &[Range<usize>], range: &Range<usize>) -> Range<usize> {
    let first = words.partition_point(|word| word.end <= range.start);
    let last = words.partition_point(|word| word.start < range.end);
    first..last.max(first)
}

/// The words of a text: runs of letters and digits, with an apostrophe, a hyphen or a point inside
/// of them; each character of a script without spaces; addresses and the like as wholes.
fn words(text: &str) -> Vec<Range<usize>> {
    let spans = protect::spans(text);
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut chars = text.char_indices().peekable();
    // Where the last word may go on: at its end, and after a mark inside of it.
    let mut goes_on = None;
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let span = spans.partition_point(|span| span.end <= at);
        if let Some(span) = spans.get(span).filter(|span| span.start <= at) {
            if span.start == at {
                words.push(span.clone());
            }
            goes_on = None;
        } else if c.is_alphanumeric() && script::of(c).is_unspaced() {
            words.push(at..end);
            goes_on = None;
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            match words.last_mut() {
                Some(last) if goes_on == Some(at) => last.end = end,
                _ if c.is_alphanumeric() => words.push(at..end),
                _ => continue,
            }
            goes_on = Some(end);
        } else if matches!(c, '\'' | '’' | '-' | '.' | ',') && goes_on == Some(at) {
            goes_on = chars.peek().filter(|(_, next)| next.is_alphanumeric()).map(|_| end);
        } else {
            goes_on = None;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_scripts() {
        let text = "L'eau, 1,5 m² e-mail: a@b.org; 字 हिन्दी.";
        let found: Vec<&str> = words(text).into_iter().map(|word| &text[word]).collect();
        assert_eq!(found, ["L'eau", "1,5", "m²", "e-mail", "a@b.org", "字", "हिन्दी"]);
    }
}
