//! The ways to try a segment.

use super::{Segment, Settings};
use crate::generate::{DecodingOptions, Generate};
use crate::languages;
use crate::task::prompts;
use crate::text::caps;
use crate::text::sentences::seams;
use std::borrow::Cow;
use std::ops::Range;

/// A way to try a segment; they follow one another until the checks are content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryStrategy {
    /// With all examples; without any, where the model was fine-tuned.
    Plain,
    /// With some of the examples, and against repetition.
    OtherExamples,
    /// As a sentence: in lower case, with a full stop where there is none and without where there
    /// is one.
    AsSentence,
    /// A few words as the label of something, with a colon after them.
    AsLabel,
    /// A few words in quotation marks.
    Quoted,
    /// A few words in lower case.
    InLowerCase,
    /// With a beam and against repetition, what must come through unchanged behind placeholders.
    Beam,
    /// Clause by clause, addresses and codes left out and put back in their places.
    Clauses,
    /// Sampled instead of taking the likeliest token each time.
    Sampled,
    /// With the terms of a glossary, which the attempts before have not brought: as constraints of
    /// a beam, or, of a language model, told once more.
    Terms,
    /// With the terms that this has not brought either: with more hypotheses, and in more places.
    MoreTerms,
}

/// Those of language models, in their order.
const OF_LANGUAGE_MODELS: &[RetryStrategy] = &[
    RetryStrategy::Plain,
    RetryStrategy::OtherExamples,
    RetryStrategy::Clauses,
    RetryStrategy::Sampled,
];

/// Those of translation models, which know no examples and fail at what is no sentence.
const OF_TRANSLATION_MODELS: &[RetryStrategy] =
    &[RetryStrategy::Plain, RetryStrategy::AsSentence, RetryStrategy::Beam, RetryStrategy::Clauses];

/// What a model may put a text in that it gets in quotation marks.
const QUOTATION_MARKS: [char; 12] = ['"', '\'', '“', '”', '„', '«', '»', '‘', '’', '「', '」', ' '];

/// Hypotheses of [`RetryStrategy::Beam`], and of [`RetryStrategy::Terms`] for the first term.
const BEAMS: usize = 4;
/// Those of [`RetryStrategy::MoreTerms`].
const MORE_BEAMS: usize = 8;

impl RetryStrategy {
    /// The strategies for a model, in their order.
    pub fn of(model: &dyn Generate) -> &'static [RetryStrategy] {
        if prompts::is_translation_model(model) {
            OF_TRANSLATION_MODELS
        } else {
            OF_LANGUAGE_MODELS
        }
    }

    /// The numbers of the examples shown. Other examples lead the model elsewhere; the last ones
    /// tell it most.
    pub fn examples(self, is_fine_tuned: bool) -> Range<usize> {
        match self {
            // What was written without examples is written again without them.
            _ if is_fine_tuned
                && !matches!(
                    self,
                    RetryStrategy::OtherExamples | RetryStrategy::Terms | RetryStrategy::MoreTerms
                ) =>
            {
                0..0
            }
            RetryStrategy::Plain => 0..8,
            _ => 4..8,
        }
    }

    /// Whether the terms of a glossary are asked for.
    pub fn asks_for_terms(self) -> bool {
        matches!(self, RetryStrategy::Terms | RetryStrategy::MoreTerms)
    }

    /// Whether the sentences before are read too. What fails with them is tried without.
    pub fn reads_context(self) -> bool {
        self == RetryStrategy::Plain || self.asks_for_terms()
    }

    /// Whether the model is given the text in another form, for its style and not for its words.
    fn is_other_form(self) -> bool {
        use RetryStrategy::{AsLabel, AsSentence, InLowerCase, Quoted};
        matches!(self, AsSentence | AsLabel | Quoted | InLowerCase)
    }

    /// The options of an attempt.
    pub fn options(self, model: &dyn Generate, settings: &Settings) -> DecodingOptions {
        let mut options = settings.options(model);
        let is_other_text = !matches!(
            self,
            RetryStrategy::OtherExamples
                | RetryStrategy::Beam
                | RetryStrategy::Clauses
                | RetryStrategy::Sampled
        );
        if !is_other_text && options.no_repeat_ngram == 0 {
            options.no_repeat_ngram = 4;
        }
        match self {
            RetryStrategy::Beam if options.temperature == 0.0 => {
                options.num_beams = options.num_beams.max(BEAMS);
            }
            RetryStrategy::Terms if model.aligns() => {
                options.num_beams = options.num_beams.max(BEAMS);
            }
            RetryStrategy::MoreTerms if model.aligns() => {
                options.num_beams = options.num_beams.max(MORE_BEAMS);
            }
            RetryStrategy::Sampled if options.temperature == 0.0 => {
                (options.temperature, options.num_beams) = (0.5, 1);
            }
            // What is sampled anyway is sampled anew.
            RetryStrategy::Beam | RetryStrategy::Sampled => {
                options.seed = options.seed.wrapping_add(1);
            }
            _ => {}
        }
        options
    }

    /// The text of a segment as it is given to the model.
    pub fn source(self, segment: &Segment) -> Cow<'_, str> {
        /// Within a word, and no part of it.
        const SOFT_HYPHEN: char = '\u{ad}';
        let Segment { text, from, .. } = segment;
        let mut text = Cow::Borrowed(text.as_str());
        if text.contains(SOFT_HYPHEN) {
            text = text.replace(SOFT_HYPHEN, "").into();
        }
        if caps::is_capitals(&text) {
            text = caps::lower(&text, from).into();
        }
        if !self.is_other_form() {
            return text;
        }
        if caps::has_only_capitals(&text) {
            text = caps::lower_short(&text, from).into();
        }
        match self {
            RetryStrategy::AsLabel => return format!("{text}:").into(),
            RetryStrategy::Quoted => return format!("\"{text}\"").into(),
            RetryStrategy::InLowerCase => return text.to_lowercase().into(),
            _ => {}
        }
        let full_stop = languages::full_stop(from);
        match text.chars().next_back() {
            Some('.' | '。') if !text.trim_end_matches(['.', '。']).contains('.') => {
                text.trim_end_matches(['.', '。']).to_string().into()
            }
            Some(mark @ ('!' | '！')) => {
                format!("{}{full_stop}", text.trim_end_matches(mark)).into()
            }
            Some(last) if last.is_alphanumeric() => format!("{text}{full_stop}").into(),
            _ => text,
        }
    }

    /// What the model has written for [`RetryStrategy::source`], as the translation of the segment.
    pub fn fit(self, written: String, segment: &Segment) -> String {
        if !self.is_other_form() {
            return written;
        }
        let written = match self {
            RetryStrategy::AsLabel => written.trim_end_matches([':', '：', ' ']).to_string(),
            RetryStrategy::Quoted => written.trim_matches(QUOTATION_MARKS).to_string(),
            RetryStrategy::InLowerCase if segment.text.starts_with(char::is_uppercase) => {
                caps::capitalize(&written, &segment.to)
            }
            _ => seams::close(&written, segment.text.trim_end()),
        };
        if caps::has_only_capitals(&segment.text) {
            caps::upper(&written, &segment.to)
        } else {
            written
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Lang;

    #[test]
    fn what_is_no_sentence_becomes_one() {
        for (text, given, written, expected) in [
            ("BOM DIA", "Bom dia.", "Good morning.", "GOOD MORNING."),
            ("João", "João.", "John.", "John."),
            ("Bom dia!", "Bom dia.", "Good morning.", "Good morning!"),
            ("Bom dia.", "Bom dia", "Good morning", "Good morning."),
            ("Que ho\u{ad}ras?", "Que horas?", "What time?", "What time?"),
            ("VOCÊ SABIA?", "Você sabia?", "Did you know?", "DID YOU KNOW?"),
        ] {
            let (from, to) = (Lang::parse("pt").unwrap(), Lang::en());
            let segment = Segment::new(text, from, to);
            let way = RetryStrategy::AsSentence;
            assert_eq!(way.source(&segment), given);
            assert_eq!(way.fit(written.into(), &segment), expected);
        }
    }

    #[test]
    fn a_few_words_have_several_forms() {
        for (text, way, given, written, expected) in [
            ("FIM", RetryStrategy::AsLabel, "Fim:", "End:", "END"),
            ("Olá", RetryStrategy::AsLabel, "Olá:", "Hello:", "Hello"),
            ("Olá", RetryStrategy::Quoted, "\"Olá\"", "\u{201c}Hello\u{201d}", "Hello"),
            ("Olá", RetryStrategy::InLowerCase, "olá", "hello", "Hello"),
            ("olá", RetryStrategy::InLowerCase, "olá", "hello", "hello"),
        ] {
            let (from, to) = (Lang::parse("pt").unwrap(), Lang::en());
            let segment = Segment::new(text, from, to);
            assert_eq!(way.source(&segment), given);
            assert_eq!(way.fit(written.into(), &segment), expected);
        }
    }
}
