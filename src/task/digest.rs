//! The stories that many articles tell: those about the same event together, one summary of what
//! they say, the figures on which they disagree. In two steps, as the sentences of articles that
//! stand alone need no vectors: `groups` says which tell the same, `story` what they tell.

mod copies;
mod figures;
mod groups;

pub use groups::groups;

use super::summarize::{self, Input, Meanings, Settings};
use crate::embed;
use crate::error::Result;
use crate::types::{Disagreement, Figure, Lang, StorySentence};

/// Mean cosine from which on articles tell the same story; measured, see docs/quality.md.
pub const THRESHOLD: f32 = 0.6;
/// Sentences of an article that tell which story it is, beside its title: news tells the main thing
/// first.
pub const LEAD: usize = 3;

/// An article of a digest, in the digest's language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Its title.
    pub title: Option<String>,
    /// Its sentences in reading order.
    pub sentences: Vec<String>,
}

impl Report {
    /// The texts whose vectors tell its story: the title, and the first sentences.
    pub fn head(&self) -> Vec<&str> {
        let lead = self.sentences.iter().take(LEAD).map(String::as_str);
        self.title.as_deref().into_iter().chain(lead).collect()
    }
}

/// The vector of an article out of those of its [`Report::head`]: their sum, of length 1.
pub fn vector_of(head: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0f32; head.first().map_or(0, Vec::len)];
    for vector in head {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }
    embed::normalized(sum)
}

/// What the articles of one story tell together.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The place of the article that is nearest to all, of those with a title: it stands for them.
    pub first: usize,
    /// Whose copy each article is, by its place.
    pub copy_of: Vec<Option<usize>>,
    /// The summary.
    pub summary: String,
    /// Its sentences; sources are places.
    pub sentences: Vec<StorySentence>,
    /// Figures on which they disagree; sources are places.
    pub figures: Vec<Disagreement>,
}

/// An article and the vectors of what it consists of.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The article.
    pub report: &'a Report,
    /// Its [`vector_of`].
    pub vector: &'a [f32],
    /// Those of its sentences; an article that stands alone does without.
    pub sentences: &'a [Vec<f32>],
}

/// What some articles tell together. A copy of another's text has no part in the summary, nor in
/// the figures.
///
/// # Errors
/// When none of them has a sentence.
pub fn story(members: &[Member<'_>], language: &Lang, settings: Settings) -> Result<Told> {
    let texts: Vec<&[String]> = members.iter().map(|m| m.report.sentences.as_slice()).collect();
    let vectors: Vec<&[Vec<f32>]> = members.iter().map(|member| member.sentences).collect();
    let copy_of = copies::copies(&texts, &vectors);
    let center = vector_of(&members.iter().map(|m| m.vector.to_vec()).collect::<Vec<_>>());
    let near = |place: &usize| embed::cosine(members[*place].vector, &center);
    let mut own: Vec<usize> =
        (0..members.len()).filter(|&place| copy_of[place].is_none()).collect();
    own.sort_by(|a, b| near(b).total_cmp(&near(a)).then(a.cmp(b)));
    // A title is one that a source has.
    let is_titled = |place: &usize| members[*place].report.title.is_some();
    let titled = own.iter().copied().find(is_titled);
    let titled = titled.or_else(|| (0..members.len()).find(is_titled));
    let first = titled.or(own.first().copied()).unwrap_or(0);

    // The first sentence of each, then the second …: what stands first in one is as telling as what
    // stands first in another.
    let longest = own.iter().map(|&place| texts[place].len()).max().unwrap_or(0);
    let round = |number: usize| own.iter().map(move |&place| (place, number));
    let mut order: Vec<(usize, usize)> = (0..longest).flat_map(round).collect();
    order.retain(|&(place, number)| number < texts[place].len());
    let sentences: Vec<String> = order.iter().map(|&(p, n)| texts[p][n].clone()).collect();
    let vector = |&(place, number): &(usize, usize)| vectors[place].get(number).cloned();
    let meanings: Option<Vec<Vec<f32>>> = order.iter().map(vector).collect();
    let meanings = meanings.as_ref().map(|sentences| {
        let title = Some(center.as_slice());
        (Meanings { sentences, title }, "")
    });
    let title = members.get(first).and_then(|member| member.report.title.as_deref());
    let input = Input { sentences: &sentences, title, language, meanings };
    let record = summarize::finish(summarize::plan(input, settings, None)?).record;
    let of_summary = record.sentences.into_iter().map(|sentence| StorySentence {
        source: sentence.support.first().map_or(first, |&number| order[number].0),
        text: sentence.text,
    });

    let own_texts: Vec<&[String]> = own.iter().map(|&place| texts[place]).collect();
    let own_vectors: Vec<&[Vec<f32>]> = own.iter().map(|&place| vectors[place]).collect();
    let found = figures::disagreements(&own_texts, &own_vectors, language);
    let figure = |found: figures::Found| Figure {
        source: own[found.article],
        sentence: own_texts[found.article][found.sentence].clone(),
        value: found.value,
    };
    let disagreement = |(about, found): (String, Vec<figures::Found>)| Disagreement {
        about,
        figures: found.into_iter().map(figure).collect(),
    };
    Ok(Told {
        first,
        copy_of,
        summary: record.text,
        sentences: of_summary.collect(),
        figures: found.into_iter().map(disagreement).collect(),
    })
}
