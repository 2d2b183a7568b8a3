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
use crate::types::{Disagreement, Figure, Lang, Problem, StorySentence};

/// Mean cosine from which on articles tell the same story; measured, see docs/quality.md.
pub const THRESHOLD: f32 = 0.6;
/// Sentences of an article that tell which story it is, beside its title: news tells the main thing
/// first.
pub const LEAD: usize = 3;

/// A title or a sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// What the checks complain of, where it is a translation.
    pub problems: Vec<Problem>,
}

impl Statement {
    /// Whether it has the numbers that its source has, as far as the checks can tell.
    fn has_right_numbers(&self) -> bool {
        let is_of_numbers =
            |problem| matches!(problem, Problem::Number | Problem::Currency | Problem::Unit);
        !self.problems.iter().copied().any(is_of_numbers)
    }
}

impl AsRef<str> for Statement {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// What no check complains of.
impl From<String> for Statement {
    fn from(text: String) -> Self {
        Statement { text, problems: Vec::new() }
    }
}

/// An article of a digest, in the digest's language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Its title.
    pub title: Option<Statement>,
    /// Its sentences in reading order.
    pub sentences: Vec<Statement>,
}

impl Report {
    /// The texts whose vectors tell its story: the title, and the first sentences.
    pub fn head(&self) -> Vec<&str> {
        let lead = self.sentences.iter().take(LEAD);
        self.title.iter().chain(lead).map(AsRef::as_ref).collect()
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
    /// The place of the article that stands for them: the nearest to all of those with a title, if
    /// possible one that no check doubts.
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
/// the figures; what the checks doubt has none in the summary if there is anything else, and what
/// has wrong numbers none in the figures.
///
/// # Errors
/// When none of them has a sentence.
pub fn story(members: &[Member<'_>], language: &Lang, settings: Settings) -> Result<Told> {
    let texts: Vec<&[Statement]> = members.iter().map(|m| m.report.sentences.as_slice()).collect();
    let vectors: Vec<&[Vec<f32>]> = members.iter().map(|member| member.sentences).collect();
    let copy_of = copies::copies(&texts, &vectors);
    let center = vector_of(&members.iter().map(|m| m.vector.to_vec()).collect::<Vec<_>>());
    let near = |place: &usize| embed::cosine(members[*place].vector, &center);
    let mut own: Vec<usize> =
        (0..members.len()).filter(|&place| copy_of[place].is_none()).collect();
    own.sort_by(|a, b| near(b).total_cmp(&near(a)).then(a.cmp(b)));
    // A title is one that a source has.
    let title = |place: usize| members[place].report.title.as_ref();
    let is_sound = |place: &usize| title(*place).is_some_and(|title| title.problems.is_empty());
    let by_nearness = || own.iter().copied().chain(0..members.len());
    let titled = by_nearness().find(is_sound);
    let titled = titled.or_else(|| by_nearness().find(|&place| title(place).is_some()));
    let first = titled.or(own.first().copied()).unwrap_or(0);

    // The first sentence of each, then the second …: what stands first in one is as telling as what
    // stands first in another.
    let longest = own.iter().map(|&place| texts[place].len()).max().unwrap_or(0);
    let round = |number: usize| own.iter().map(move |&place| (place, number));
    let mut order: Vec<(usize, usize)> = (0..longest).flat_map(round).collect();
    order.retain(|&(place, number)| number < texts[place].len());
    // As in the summary of an article.
    let is_sound = |&(place, number): &(usize, usize)| texts[place][number].problems.is_empty();
    if order.iter().any(is_sound) {
        order.retain(is_sound);
    }
    let sentences: Vec<String> = order.iter().map(|&(p, n)| texts[p][n].text.clone()).collect();
    let vector = |&(place, number): &(usize, usize)| vectors[place].get(number).cloned();
    let meanings: Option<Vec<Vec<f32>>> = order.iter().map(vector).collect();
    let meanings = meanings.as_ref().map(|sentences| {
        let title = Some(center.as_slice());
        (Meanings { sentences, title }, "")
    });
    let title = members.get(first).and_then(|member| member.report.title.as_ref());
    let title = title.map(AsRef::as_ref);
    let input = Input { sentences: &sentences, title, language, meanings };
    let record = summarize::finish(summarize::plan(input, settings, None)?).record;
    let of_summary = record.sentences.into_iter().map(|sentence| {
        let place = sentence.support.first().map(|&number| order[number]);
        StorySentence {
            source: place.map_or(first, |(place, _)| place),
            text: sentence.text,
            problems: place.map_or_else(Vec::new, |(p, n)| texts[p][n].problems.clone()),
        }
    });

    let own_texts: Vec<&[Statement]> = own.iter().map(|&place| texts[place]).collect();
    let own_vectors: Vec<&[Vec<f32>]> = own.iter().map(|&place| vectors[place]).collect();
    let found = figures::disagreements(&own_texts, &own_vectors, language);
    let figure = |found: figures::Found| {
        let Statement { text, problems } = own_texts[found.article][found.sentence].clone();
        Figure { source: own[found.article], value: found.value, sentence: text, problems }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::summarize::Length;

    fn statement(text: &str, problems: &[Problem]) -> Statement {
        Statement { text: text.into(), problems: problems.to_vec() }
    }

    fn told(reports: &[Report]) -> Told {
        let members =
            reports.iter().map(|report| Member { report, vector: &[1.0], sentences: &[] });
        let members: Vec<Member<'_>> = members.collect();
        let settings = Settings { length: Length::Sentences(2), ..Settings::default() };
        story(&members, &Lang::en(), settings).unwrap()
    }

    fn texts(told: &Told) -> Vec<&str> {
        told.sentences.iter().map(|sentence| sentence.text.as_str()).collect()
    }

    #[test]
    fn what_is_doubted_leads_nothing_where_there_is_anything_else() {
        let doubted = Report {
            title: Some(statement("Ferry upside down off Port Ellen", &[Problem::Doubtful])),
            sentences: vec![
                statement("A ferry with 12 people ran aground in fog.", &[Problem::Number]),
                statement("Two tugs will pull the ferry free on Tuesday.", &[]),
            ],
        };
        let sound = Report {
            title: Some(statement("Ferry aground off Port Ellen", &[])),
            sentences: vec![statement("The ferry with 120 people is on the rocks.", &[])],
        };
        let alone = told(std::slice::from_ref(&doubted));
        assert_eq!(texts(&alone), ["Two tugs will pull the ferry free on Tuesday."]);
        let both = told(&[doubted.clone(), sound]);
        assert_eq!(both.first, 1);
        assert!(both.sentences.iter().all(|sentence| sentence.problems.is_empty()), "{both:?}");
        assert_eq!(both.sentences.len(), 2);
        // Better than nothing, and it says so.
        let mut worse = doubted;
        worse.sentences[1].problems = vec![Problem::Copy];
        let problems: Vec<Vec<Problem>> =
            told(&[worse]).sentences.into_iter().map(|sentence| sentence.problems).collect();
        assert_eq!(problems, [[Problem::Number], [Problem::Copy]]);
    }
}
