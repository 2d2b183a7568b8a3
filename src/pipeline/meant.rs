//! The meanings of the sentences of a group's articles, which go through the encoder together.

use super::{Document, Reading};
use crate::embed::SentenceEncoder;
use crate::error::Result;
use crate::task::summarize::Meanings;
use std::ops::Range;

/// The vectors of the sentences and titles of articles.
pub(super) struct Meant<'a> {
    encoder: &'a SentenceEncoder,
    vectors: Vec<Vec<f32>>,
    /// Of each article that the encoder can read: the places of its sentences, and whether its
    /// title's follows.
    articles: Vec<Option<(Range<usize>, bool)>>,
}

impl Meant<'_> {
    /// Those of some articles: of what is summarized or, where the encoder does not know its
    /// language and knows that of the source, of the source.
    ///
    /// # Errors
    /// When the encoder does not compute.
    pub fn of<'a>(
        documents: &[&Document<'_>],
        readings: &[Reading],
        encoder: &'a SentenceEncoder,
    ) -> Result<Meant<'a>> {
        let (mut texts, mut articles) = (Vec::new(), Vec::new());
        for (document, reading) in documents.iter().zip(readings) {
            let start = texts.len();
            let title = if encoder.knows(&reading.language) {
                texts.extend(reading.sentences.iter().map(String::as_str));
                reading.title.as_deref()
            } else if encoder.knows(&document.language.code) {
                let source = |place: &usize| document.units[*place].text.as_str();
                texts.extend(reading.places.iter().map(source));
                let title = document.units.iter().find(|unit| unit.block.is_none());
                title.map(|unit| unit.text.as_str())
            } else {
                articles.push(None);
                continue;
            };
            articles.push(Some((start..texts.len(), title.is_some())));
            texts.extend(title);
        }
        Ok(Meant { encoder, vectors: encoder.embed(&texts)?, articles })
    }

    /// Those of an article, by its number, and the encoder's name; none where it cannot read it.
    pub fn get(&self, number: usize) -> Option<(Meanings<'_>, &str)> {
        let (sentences, has_title) = self.articles[number].as_ref()?;
        let title = has_title.then(|| self.vectors[sentences.end].as_slice());
        Some((Meanings { sentences: &self.vectors[sentences.clone()], title }, self.encoder.id()))
    }
}
