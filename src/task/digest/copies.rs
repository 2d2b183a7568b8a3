//! Near-copies: the text of a news agency in several papers, with another title or a paragraph cut,
//! in one language or translated.

use crate::embed;
use crate::text::words;
use std::collections::HashSet;

/// Words of a shingle (Broder 1997).
const SHINGLE: usize = 4;
/// Share of the shorter text's shingles that the longer one has, from which on it is a copy.
const CONTAINED: f32 = 0.5;
/// Fewer shingles tell nothing.
const FEWEST: usize = 12;
/// Cosine of two sentences that translate each other, at least.
const TRANSLATED: f32 = 0.75;
/// Share of the shorter text's sentences that have such a sentence in the longer one, from which on
/// one is a translation of the other.
const MATCHED: f32 = 0.75;
/// Fewer sentences tell nothing: two reports of one event may well agree in two of them.
const FEWEST_SENTENCES: usize = 4;

/// Whose copy each text is: the place of a longer one, or `None`. `texts` are the sentences of
/// each, `vectors` theirs, of length 1.
pub(super) fn copies<S: AsRef<str>>(texts: &[&[S]], vectors: &[&[Vec<f32>]]) -> Vec<Option<usize>> {
    let shingled: Vec<HashSet<String>> = texts.iter().map(|text| shingles(text)).collect();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    // The longest is the original: editors cut.
    order.sort_by_key(|&i| (std::cmp::Reverse(shingled[i].len()), i));
    let mut copy_of = vec![None; texts.len()];
    let mut originals: Vec<usize> = Vec::new();
    for i in order {
        let is_copy = |&&original: &&usize| {
            is_contained(&shingled[i], &shingled[original])
                || is_translation(vectors[i], vectors[original])
        };
        match originals.iter().find(is_copy) {
            Some(&original) => copy_of[i] = Some(original),
            None => originals.push(i),
        }
    }
    copy_of
}

fn shingles<S: AsRef<str>>(sentences: &[S]) -> HashSet<String> {
    let words: Vec<String> = sentences.iter().flat_map(|s| words::words(s.as_ref())).collect();
    words.windows(SHINGLE).map(|shingle| shingle.join(" ")).collect()
}

fn is_contained(short: &HashSet<String>, long: &HashSet<String>) -> bool {
    let shared = short.intersection(long).count();
    short.len() >= FEWEST && shared as f32 >= CONTAINED * short.len() as f32
}

fn is_translation(a: &[Vec<f32>], b: &[Vec<f32>]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let matched = |vector: &&Vec<f32>| long.iter().any(|v| embed::cosine(vector, v) >= TRANSLATED);
    short.len() >= FEWEST_SENTENCES
        && short.iter().filter(matched).count() as f32 >= MATCHED * short.len() as f32
}

#[cfg(test)]
mod tests {
    use super::copies;

    fn sentences(text: &str) -> Vec<String> {
        text.split_inclusive(". ").map(|s| s.trim().to_string()).collect()
    }

    #[test]
    fn what_editors_cut_or_translated_is_a_copy_and_another_report_is_not() {
        let wire = sentences(
            "A ferry with 120 people on board ran aground off Port Ellen on Sunday in thick fog. \
             All of the passengers were brought ashore within three hours, the coast guard said. \
             Two tugs from the mainland will try to pull it free at high tide on Tuesday.",
        );
        let cut = wire[..2].to_vec();
        let other = sentences(
            "Passengers spoke of fear and cold after their ship hit the rocks near Port Ellen. \
             Nobody was hurt. The company will pay for hotels and for another journey.",
        );
        let texts = [&cut[..], &wire[..], &other[..]];
        let none: &[Vec<f32>] = &[];
        assert_eq!(copies(&texts, &[none; 3]), [Some(1), None, None]);
        // The same meanings in other words.
        let vector =
            |i: usize| (0..5).map(|k| if k == i { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
        let meanings: Vec<Vec<f32>> = (0..5).map(vector).collect();
        let texts = [&wire[..], &other[..]];
        assert_eq!(copies(&texts, &[&meanings, &meanings[..4]]), [None, Some(0)]);
        assert_eq!(copies(&texts, &[&meanings[..3], &meanings[..3]]), [None, None]);
    }
}
