//! What comes of a text that is translated.

use crate::types::{Problem, Terms};
use std::fmt;

/// A text, translated.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Translation {
    /// The translation, with the line breaks of its source.
    pub text: String,
    /// Other translations, best first, where they were asked for and the model has found them; see
    /// [`crate::TranslatorBuilder::alternatives`].
    pub alternatives: Vec<String>,
    /// How far the model trusts its least trusted sentence, from 0 to 1, where the model can say.
    pub confidence: Option<f32>,
    /// What the checks complain of, in any sentence.
    pub problems: Vec<Problem>,
    /// Which terms of the glossary the translation has, and which it lacks.
    pub terms: Terms,
    /// The sentences, one after the other.
    pub sentences: Vec<TranslatedSentence>,
}

/// A sentence, translated.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TranslatedSentence {
    /// The sentence.
    pub source: String,
    /// Its translation.
    pub text: String,
    /// How far the model trusts it, from 0 to 1, where the model can say.
    pub confidence: Option<f32>,
    /// What the checks complain of.
    pub problems: Vec<Problem>,
    /// Which terms of the glossary the translation has, and which it lacks.
    pub terms: Terms,
}

impl Translation {
    /// Adds a part of the text, and to each alternative what it has in the part's place.
    pub(super) fn push(&mut self, part: &str, others: &[String], gap: &str) {
        if self.alternatives.len() < others.len() {
            self.alternatives.resize(others.len(), self.text.clone());
        }
        for (number, whole) in self.alternatives.iter_mut().enumerate() {
            whole.push_str(others.get(number).map_or(part, String::as_str));
            whole.push_str(gap);
        }
        self.text.push_str(part);
        self.text.push_str(gap);
    }

    /// A text that needs no translation.
    #[cfg(feature = "python")]
    pub(crate) fn unchanged(text: impl Into<String>) -> Translation {
        Translation {
            text: text.into(),
            alternatives: Vec::new(),
            confidence: None,
            problems: Vec::new(),
            terms: Terms::default(),
            sentences: Vec::new(),
        }
    }
}

impl fmt::Display for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
