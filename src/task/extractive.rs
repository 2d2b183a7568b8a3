//! The sentences of an article that say the most: for any language, from the text alone.
//!
//! News tells the main thing first, so position counts most; then how central a sentence is to the
//! article (cosine with the centroid of its tf-idf vectors, as in Radev et al. 2004), how much it
//! shares with the title, and whether it is a sentence at all. Redundant ones come later (maximal
//! marginal relevance, Carbonell and Goldstein 1998), and those that speak of something named
//! before them, unless a sentence before them was chosen. Where an encoder of sentences tells what
//! they mean, nearness in meaning to the others and to the title counts beside that of the words.
//! Time and memory grow linearly with the article.

use crate::embed;
use crate::text::language::is_function_word;
use crate::text::{anaphora, words};
use crate::types::Lang;
use std::collections::{HashMap, HashSet};

/// So many sentences are ordered with regard to one another; the rest follow by their own scores.
const COMPARED: usize = 64;
/// From this likeness on, a sentence says what another one has said.
const SAME: f32 = 0.8;

/// The weight of each sign of importance.
struct Weights {
    /// Place in the article.
    position: f32,
    /// Sentences after which the place counts half.
    half_life: f32,
    /// Nearness to the article's centroid.
    centrality: f32,
    /// Words shared with the title.
    title: f32,
    /// Nearness in meaning to the rest of the article, where an encoder tells.
    meaning: f32,
    /// Nearness in meaning to the title.
    meaning_of_title: f32,
    /// Deducted for what is hardly a sentence: a caption, a byline, a call to scroll down.
    fragment: f32,
    /// Deducted for the likeness to what was chosen before.
    redundancy: f32,
    /// Deducted for a reference to something before it, where nothing before it was chosen: the
    /// summary would begin with it.
    reference: f32,
}

impl Weights {
    /// Where meanings are known, the place in the article decides a little less.
    fn of(meanings: Option<Meanings<'_>>) -> Weights {
        let weights = Weights::default();
        let half_life = if meanings.is_some() { 3.0 } else { weights.half_life };
        Weights { half_life, ..weights }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Weights {
            position: 1.0,
            half_life: 4.0,
            centrality: 0.8,
            title: 0.4,
            meaning: 0.8,
            meaning_of_title: 0.8,
            fragment: 0.6,
            redundancy: 0.6,
            reference: 0.5,
        }
    }
}

/// Numbers of the sentences, the most telling first. Equal input has equal output.
///
/// ```
/// use polygist::{task::extractive::rank, types::Lang};
/// let article = ["The volcano erupted on Sunday, the institute said.", "Photo: AFP", "Ash fell on villages near the volcano."];
/// assert_eq!(rank(&article, None, &Lang::en()), [0, 2, 1]);
/// ```
pub fn rank<S: AsRef<str>>(sentences: &[S], title: Option<&str>, language: &Lang) -> Vec<usize> {
    rank_by_meaning(sentences, title, language, None)
}

/// The vectors of an article's sentences and of its title, each of length 1, by an encoder of
/// sentences.
#[derive(Clone, Copy, Debug)]
pub struct Meanings<'a> {
    /// One for each sentence.
    pub sentences: &'a [Vec<f32>],
    /// That of the title, where there is one.
    pub title: Option<&'a [f32]>,
}

/// Ranks as [`rank`] does; where the sentences' meanings are known, what is central is told by
/// them, too.
pub fn rank_by_meaning<S: AsRef<str>>(
    sentences: &[S],
    title: Option<&str>,
    language: &Lang,
    meanings: Option<Meanings<'_>>,
) -> Vec<usize> {
    let weights = Weights::of(meanings);
    let document = Document::new(sentences, language);
    let title = title.map(|title| document.vector(title));
    let centrality = document.centrality();
    let meant = meanings.map(|meanings| meanings.centrality(&weights));
    let scores: Vec<f32> = (0..sentences.len())
        .map(|i| {
            let position = 0.5f32.powf(i as f32 / weights.half_life);
            let shared = title.as_ref().map_or(0.0, |title| cosine(title, &document.vectors[i]));
            let fragment =
                if document.is_fragment(i, sentences[i].as_ref()) { weights.fragment } else { 0.0 };
            weights.position * position
                + weights.centrality * centrality[i]
                + weights.title * shared
                + meant.as_ref().map_or(0.0, |meant| meant[i])
                - fragment
        })
        .collect();
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let rest = order.split_off(order.len().min(COMPARED));
    let refers: HashSet<usize> = order
        .iter()
        .copied()
        .filter(|&i| anaphora::refers_back(sentences[i].as_ref(), language))
        .collect();
    let mut ranked = diversify(order, &scores, &document, &refers, &weights);
    ranked.extend(rest);
    ranked
}

impl Meanings<'_> {
    /// How near each sentence is to the sum of the others and to the title, the nearest being 1.
    fn centrality(&self, weights: &Weights) -> Vec<f32> {
        let mut sum = vec![0.0f32; self.sentences.first().map_or(0, Vec::len)];
        for vector in self.sentences {
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        }
        let to_others =
            |v: &Vec<f32>| -> f32 { v.iter().zip(&sum).map(|(v, sum)| v * (sum - v)).sum() };
        let to_title = |v: &Vec<f32>| self.title.map_or(0.0, |title| embed::cosine(v, title));
        let to_others = highest_is_one(self.sentences.iter().map(to_others).collect());
        let to_title = highest_is_one(self.sentences.iter().map(to_title).collect());
        let weigh = |(others, title)| weights.meaning * others + weights.meaning_of_title * title;
        to_others.into_iter().zip(to_title).map(weigh).collect()
    }
}

/// Values over the highest of them, none below zero.
fn highest_is_one(values: Vec<f32>) -> Vec<f32> {
    let highest = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    values.into_iter().map(|value| value.max(0.0) / highest).collect()
}

/// Reorders so that each sentence is the best one in view of those before it; `refers` says which
/// begin with a reference.
fn diversify(
    mut pool: Vec<usize>,
    scores: &[f32],
    document: &Document,
    refers: &HashSet<usize>,
    weights: &Weights,
) -> Vec<usize> {
    // Of those chosen.
    let mut first = usize::MAX;
    let mut likeness = vec![0.0f32; scores.len()];
    let mut ranked = Vec::with_capacity(pool.len());
    while !pool.is_empty() {
        let worth = |i: usize| {
            let same = if likeness[i] >= SAME { 1.0 } else { 0.0 };
            let dangling = if i < first && refers.contains(&i) { weights.reference } else { 0.0 };
            scores[i] - weights.redundancy * likeness[i] - same - dangling
        };
        // The first of equals: the pool is in order of score.
        let best = (1..pool.len())
            .fold(0, |best, k| if worth(pool[k]) > worth(pool[best]) { k } else { best });
        let chosen = pool.remove(best);
        ranked.push(chosen);
        first = first.min(chosen);
        for &i in &pool {
            likeness[i] = likeness[i].max(cosine(&document.vectors[chosen], &document.vectors[i]));
        }
    }
    ranked
}

/// Word numbers and weights, by word number, of length 1.
type Vector = Vec<(u32, f32)>;

/// The sentences as vectors over the article's own vocabulary.
struct Document {
    ids: HashMap<String, u32>,
    /// The rarity of each word within the article.
    idf: Vec<f32>,
    vectors: Vec<Vector>,
    /// Words of each sentence.
    lengths: Vec<usize>,
    /// The length of the middle sentence by length.
    usual_length: usize,
}

impl Document {
    /// Function words are left out: in a short article they are as rare as any other, and would
    /// decide what is central.
    fn new<S: AsRef<str>>(sentences: &[S], language: &Lang) -> Self {
        let mut ids = HashMap::new();
        let mut frequency: Vec<u32> = Vec::new();
        let mut counted: Vec<Vector> = Vec::with_capacity(sentences.len());
        let mut lengths = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let words = words::words(sentence.as_ref());
            lengths.push(words.len());
            let telling = words.into_iter().filter(|word| !is_function_word(word, language));
            let counts = count(telling.map(|word| {
                let next = ids.len() as u32;
                *ids.entry(word).or_insert(next)
            }));
            frequency.resize(ids.len(), 0);
            for &(id, _) in &counts {
                frequency[id as usize] += 1;
            }
            counted.push(counts);
        }
        let idf: Vec<f32> = frequency
            .iter()
            .map(|&n| ((1.0 + sentences.len() as f32) / (0.5 + n as f32)).ln())
            .collect();
        let vectors = counted.into_iter().map(|counts| weigh(counts, &idf)).collect();
        let mut sorted = lengths.clone();
        sorted.sort_unstable();
        let usual_length = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        Document { ids, idf, vectors, lengths, usual_length }
    }

    /// The vector of another text; words that the article does not have are left out.
    fn vector(&self, text: &str) -> Vector {
        weigh(
            count(words::words(text).iter().filter_map(|word| self.ids.get(word).copied())),
            &self.idf,
        )
    }

    /// Cosine of each sentence with the sum of the others, the highest being 1.
    fn centrality(&self) -> Vec<f32> {
        let mut centroid = vec![0.0f32; self.idf.len()];
        for &(id, weight) in self.vectors.iter().flatten() {
            centroid[id as usize] += weight;
        }
        let raw: Vec<f32> = self
            .vectors
            .iter()
            .map(|v| v.iter().map(|&(id, w)| w * (centroid[id as usize] - w)).sum())
            .collect();
        let highest = raw.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        raw.into_iter().map(|value| value / highest).collect()
    }

    /// Whether a line is hardly a sentence: far shorter than the article's others, a short line
    /// without an end mark, or one that begins in small letters, as the items of a list do.
    fn is_fragment(&self, i: usize, text: &str) -> bool {
        let closing = |c: char| {
            matches!(c, '"' | '\'' | '”' | '’' | '»' | '«' | '“' | ')' | '）' | '」' | '』')
        };
        let ends = text
            .trim_end()
            .trim_end_matches(closing)
            .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '۔', '؟', '։', ';', ':']);
        let ended = ends || text.trim_end().ends_with(['»', '”', '」']);
        self.lengths[i] * 3 < self.usual_length
            || (!ended && self.lengths[i] < self.usual_length)
            || begins_small(text)
    }
}

/// Whether the first word of a line is in small letters; "iPhone" and "eBay" are names.
fn begins_small(text: &str) -> bool {
    let mut letters = text.trim_start_matches(|c: char| !c.is_alphanumeric()).chars();
    letters.next().is_some_and(char::is_lowercase)
        && !letters.next().is_some_and(char::is_uppercase)
}

/// The count of each word, by word number.
fn count(ids: impl Iterator<Item = u32>) -> Vector {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    let mut counts: Vector = Vec::with_capacity(ids.len());
    for id in ids {
        match counts.last_mut() {
            Some((last, n)) if *last == id => *n += 1.0,
            _ => counts.push((id, 1.0)),
        }
    }
    counts
}

fn weigh(mut counts: Vector, idf: &[f32]) -> Vector {
    for (id, weight) in &mut counts {
        *weight = (1.0 + weight.ln()) * idf[*id as usize];
    }
    let norm = counts.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    counts.iter_mut().for_each(|(_, w)| *w /= norm);
    counts
}

fn cosine(a: &Vector, b: &Vector) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                sum += x.1 * y.1;
                i += 1;
                j += 1;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{begins_small, rank};
    use crate::types::Lang;

    #[test]
    fn the_lead_comes_first_and_fragments_last() {
        let article = [
            "By Our Correspondent",
            "The central bank raised its interest rate to five percent on Thursday, the highest in a decade.",
            "Photo: the bank's seat",
            "The bank said that prices would go on rising unless the rate was raised again.",
            "Shares fell after the bank raised the interest rate.",
        ];
        let order = rank(&article, Some("Central bank raises interest rate"), &Lang::en());
        assert_eq!(order[0], 1);
        assert!(order[3..].contains(&0) && order[3..].contains(&2), "{order:?}");
    }

    #[test]
    fn items_of_a_list_are_no_sentences() {
        let article = [
            "The night train between Carrow and Halden Bay will run again from Friday.",
            "the night train runs on only four nights between Carrow and Halden Bay;",
            "Passengers between Carrow and Halden Bay had asked for the train for years.",
        ];
        assert_eq!(rank(&article, None, &Lang::en()), [0, 2, 1]);
        assert!(begins_small("– the night train runs on four nights"));
        assert!(!begins_small("iPhone holders book it"));
        assert!(!begins_small("612 km"));
    }

    #[test]
    fn function_words_make_nothing_central() {
        let article = [
            "The harbour master said on Monday that the bridge stays closed.",
            "Divers found cracks in two piers of the bridge and closed it at once.",
            "It is on the table, and it is on us, that is how it is on Monday.",
        ];
        assert_eq!(rank(&article, None, &Lang::en())[..2], [0, 1]);
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let said = "The minister of transport resigned on Monday over the delayed railway line to the coast.";
        let article = [
            said,
            said,
            "Opposition parties called for an election as soon as the new year begins, their leaders wrote.",
        ];
        assert_eq!(rank(&article, None, &Lang::en()), [0, 2, 1]);
    }

    #[test]
    fn what_refers_to_a_sentence_comes_with_it_or_later() {
        let article = [
            "A baker's van was the first to cross the new bridge of Port Lervan on Friday.",
            "Behind it, a queue of 300 cars had waited since dawn.",
            "The bridge of Port Lervan had been closed for eleven months of repairs.",
        ];
        let unknown = Lang::parse("xx").unwrap();
        assert_eq!(rank(&article, None, &Lang::en()), rank(&article, None, &unknown));
        assert_eq!(rank(&article[1..], None, &Lang::en()), [1, 0]);
        assert_eq!(rank(&article[1..], None, &unknown), [0, 1]);
    }

    #[test]
    fn nothing_and_no_words_are_ranked_too() {
        assert!(rank::<&str>(&[], Some("Title"), &Lang::en()).is_empty());
        assert_eq!(rank(&["", "…"], None, &Lang::en()).len(), 2);
    }

    #[test]
    fn a_very_long_article_takes_linear_time() {
        let article: Vec<String> = (0..100_000)
            .map(|i| {
                format!("Sentence number {i} speaks of subject {} and of {}.", i % 97, i % 1013)
            })
            .collect();
        let mut order = rank(&article, None, &Lang::en());
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..article.len()));
    }
}
