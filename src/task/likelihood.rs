//! How likely models hold a translation: what its confidence is made of.

use crate::generate::{DecodingOptions, Finish, Output};

/// How likely a model holds a translation and its source: mean log-probabilities of a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likelihood {
    /// Of the translation, given the source.
    pub forward: f32,
    /// Of the source, given the translation, where it was read back.
    pub backward: Option<f32>,
    /// Whether the source is no likelier, given the translation, than it is by itself: then the
    /// translation says nothing of what the source says.
    pub says_nothing: bool,
}

impl Likelihood {
    /// The likelihood of an output by its own score: of one that was not drawn, which would have
    /// been from other probabilities than the model's, and came to its end.
    pub fn searched(output: &Output, options: &DecodingOptions) -> Option<Likelihood> {
        let is_told = options.temperature == 0.0 && is_translation(output.finish, &output.text);
        is_told.then(|| Likelihood {
            forward: mean_score(output.score, output.ids.len(), options),
            backward: None,
            says_nothing: false,
        })
    }
}

/// The likelihood of several pieces together, each with the weight of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct WeightedLikelihood {
    forward: f32,
    backward: f32,
    /// Tokens of the pieces, and of those that were read back.
    tokens: f32,
    read_back: f32,
    /// See [`Likelihood::says_nothing`].
    pub says_nothing: bool,
}

impl WeightedLikelihood {
    /// With one more piece of so many tokens.
    pub fn plus(self, piece: Likelihood, tokens: usize) -> WeightedLikelihood {
        let tokens = tokens as f32;
        let read_back = if piece.backward.is_some() { tokens } else { 0.0 };
        WeightedLikelihood {
            forward: self.forward + piece.forward * tokens,
            backward: self.backward + piece.backward.unwrap_or(0.0) * read_back,
            tokens: self.tokens + tokens,
            read_back: self.read_back + read_back,
            says_nothing: self.says_nothing || piece.says_nothing,
        }
    }

    /// Whether there is enough of it to doubt a translation: of what was not read back, a few words
    /// prove nothing.
    pub fn is_telling(self) -> bool {
        const FEWEST_TOKENS: f32 = 8.0;
        self.read_back > 0.0 || self.tokens >= FEWEST_TOKENS
    }

    /// The geometric mean of the probabilities, from 0 to 1: of those of the translation, and of
    /// those of the source where it was read back. None without a token.
    pub fn confidence(self) -> Option<f32> {
        let mean = |sum: f32, tokens: f32| (tokens > 0.0).then(|| sum / tokens);
        let forward = mean(self.forward, self.tokens)?;
        let backward = mean(self.backward, self.read_back);
        Some(backward.map_or(forward, |backward| (forward + backward) / 2.0).exp())
    }
}

/// The mean over the tokens of a search's score: that of a beam, whose sum over the tokens, with
/// the one that ended it, was divided by their number to the power of the length penalty.
pub(super) fn mean_score(score: f32, tokens: usize, options: &DecodingOptions) -> f32 {
    if options.num_beams > 1 {
        score * ((tokens + 1) as f32).powf(options.length_penalty - 1.0)
    } else {
        score
    }
}

/// Whether an output came to its end with a text.
pub(super) fn is_translation(finish: Finish, text: &str) -> bool {
    finish == Finish::Stop && !text.trim().is_empty()
}
