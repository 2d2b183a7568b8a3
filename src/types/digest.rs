//! The stories of many articles, as records have them.

use super::{Lang, Problem};
use serde::{Deserialize, Serialize};

/// Articles by the stories that they tell, those first that the most sources tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The language of titles, summaries and figures.
    pub language: Lang,
    /// The encoder of sentences that found out which articles tell the same.
    pub encoder: String,
    /// The stories.
    pub stories: Vec<Story>,
    /// Articles that are in no story: they failed, or there is no text of theirs in
    /// [`Digest::language`].
    pub left_out: usize,
}

/// A story, and who tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The title of the article that is nearest to all, if possible of those whose title no check
    /// doubts.
    pub title: String,
    /// What the checks complain of in the title, where it is a translation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub title_problems: Vec<Problem>,
    /// What the sources say, in their own sentences.
    pub summary: String,
    /// The sentences of the summary.
    pub sentences: Vec<StorySentence>,
    /// The articles.
    pub sources: Vec<StorySource>,
    /// Figures on which they disagree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Disagreement>,
}

impl Story {
    /// How many texts tell it: copies of one do not count.
    pub fn independent(&self) -> usize {
        self.sources.iter().filter(|source| source.copy_of.is_none()).count()
    }
}

/// A sentence of a story's summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorySentence {
    /// The sentence.
    pub text: String,
    /// The number of its source in [`Story::sources`].
    pub source: usize,
    /// What the checks complain of, where it is a translation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// An article of a story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorySource {
    /// The article's id.
    pub id: String,
    /// Its title in the language of the digest.
    pub title: String,
    /// What the checks complain of in the title, where it is a translation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub title_problems: Vec<Problem>,
    /// Its language.
    pub language: Lang,
    /// When it was published, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Who published it, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its file in the output folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The number of the source whose text this one has, nearly or wholly, in its own language or
    /// another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<usize>,
}

/// A figure of which sources say different things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// What is counted, as the sources call it: `people`, `%`.
    pub about: String,
    /// What they say, one entry a value and source.
    pub figures: Vec<Figure>,
}

/// A figure as a source has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its value, as a plain decimal.
    pub value: String,
    /// The number of the source in [`Story::sources`].
    pub source: usize,
    /// The sentence that has it.
    pub sentence: String,
    /// What the checks complain of in the sentence, where it is a translation; not its numbers, or
    /// it would not be a figure of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}
