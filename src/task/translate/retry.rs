//! The ways to try a segment.

use super::Settings;
use crate::generate::{DecodingOptions, Generate};
use std::ops::Range;

/// A way to try a segment; they follow one another until the checks are content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryStrategy {
    /// With all examples; without any, where the model was fine-tuned.
    Plain,
    /// With some of the examples, and against repetition.
    OtherExamples,
    /// Clause by clause, addresses and codes left out and put back in their places.
    Clauses,
    /// Sampled instead of taking the likeliest token each time.
    Sampled,
}

impl RetryStrategy {
    /// The strategies in their order.
    pub const ALL: [RetryStrategy; 4] = [
        RetryStrategy::Plain,
        RetryStrategy::OtherExamples,
        RetryStrategy::Clauses,
        RetryStrategy::Sampled,
    ];

    /// The numbers of the examples shown. Other examples lead the model elsewhere; the last ones
    /// tell it most.
    pub fn examples(self, is_fine_tuned: bool) -> Range<usize> {
        match self {
            _ if is_fine_tuned && self != RetryStrategy::OtherExamples => 0..0,
            RetryStrategy::Plain => 0..8,
            _ => 4..8,
        }
    }

    /// The options of an attempt.
    pub fn options(self, model: &dyn Generate, settings: Settings) -> DecodingOptions {
        let mut options = settings.options(model);
        if self != RetryStrategy::Plain && options.no_repeat_ngram == 0 {
            options.no_repeat_ngram = 4;
        }
        if self == RetryStrategy::Sampled && options.temperature == 0.0 {
            (options.temperature, options.num_beams) = (0.5, 1);
        } else if self == RetryStrategy::Sampled {
            // What is sampled anyway is sampled anew.
            options.seed = options.seed.wrapping_add(1);
        }
        options
    }
}
