//! The meanings of the sentences of a group's articles, which go through the encoder together.

use super::Reading;
use crate::embed::SentenceEncoder;
use crate::error::Result;
use crate::task::summarize::Meanings;
use std::ops::Range;

/// The vectors of the sentences and titles of articles.
pub(super) struct Meant {
    vectors: Vec<Vec<f32>>,
    /// Of each article: the places of its sentences, and whether its title's follows.
    articles: Vec<(Range<usize>, bool)>,
}

impl Meant {
    /// Those of some articles.
    ///
    /// # Errors
    /// When the encoder does not compute.
    pub fn of(readings: &[Reading], encoder: &SentenceEncoder) -> Result<Meant> {
        let (mut texts, mut articles) = (Vec::new(), Vec::new());
        for reading in readings {
            let start = texts.len();
            texts.extend(reading.sentences.iter().map(String::as_str));
            articles.push((start..texts.len(), reading.title.is_some()));
            texts.extend(reading.title.as_deref());
        }
        Ok(Meant { vectors: encoder.embed(&texts)?, articles })
    }

    /// Those of an article, by its number.
    pub fn get(&self, number: usize) -> Meanings<'_> {
        let (sentences, has_title) = &self.articles[number];
        let title = has_title.then(|| self.vectors[sentences.end].as_slice());
        Meanings { sentences: &self.vectors[sentences.clone()], title }
    }
}
