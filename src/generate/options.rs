//! How to continue a text: what a request can ask for, and what a model's own files say about it.

use crate::types::Lang;
use serde::Serialize;
use serde_json::Value;

/// Makes [`DecodingOptions`] and [`DecodingOverrides`] out of one list: what an option is called,
/// its type and default, and how a model's files state it.
macro_rules! decoding_options {
    (
        overridable {
            $($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr, $read:expr;)*
        }
        other {
            $($(#[$other_doc:meta])*
            $other:ident: $other_kind:ty = $other_default:expr, $other_read:expr;)*
        }
    ) => {
        /// How to continue a text.
        #[derive(Clone, Debug, PartialEq)]
        pub struct DecodingOptions {
            $($(#[$doc])* pub $name: $kind,)*
            $($(#[$other_doc])* pub $other: $other_kind,)*
        }

        impl Default for DecodingOptions {
            fn default() -> Self {
                DecodingOptions { $($name: $default,)* $($other: $other_default,)* }
            }
        }

        impl DecodingOptions {
            fn of_files(files: Files<'_>) -> DecodingOptions {
                fn stated<T>(
                    files: Files<'_>,
                    read: impl Fn(Files<'_>) -> Option<T>,
                    default: T,
                ) -> T {
                    read(files).unwrap_or(default)
                }
                DecodingOptions {
                    $($name: stated(files, $read, $default),)*
                    $($other: stated(files, $other_read, $other_default),)*
                }
            }
        }

        /// What a user wants to be otherwise than a model's files say.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
        pub struct DecodingOverrides {
            $($(#[$doc])* pub $name: Option<$kind>,)*
        }

        impl DecodingOverrides {
            fn replace(&self, options: DecodingOptions) -> DecodingOptions {
                DecodingOptions {
                    $($name: self.$name.unwrap_or(options.$name),)*
                    ..options
                }
            }
        }
    };
}

decoding_options! {
    overridable {
        /// At most so many new tokens.
        max_tokens: usize = 256,
            |file| file.size("max_new_tokens").or(file.length("max_length"));
        /// At least so many tokens before the end may come; what the output is given to begin with
        /// counts.
        min_tokens: usize = 0,
            |file| file.size("min_new_tokens").or(file.length("min_length"));
        /// No n-gram of this many tokens may come twice in the output; 0 is off.
        no_repeat_ngram: usize = 0, |file| file.size("no_repeat_ngram_size");
        /// Divides (or, below zero, multiplies) the logits of tokens already written (Keskar et al.
        /// 2019, CTRL); 1 is off. A beam's log-probabilities, which are all below zero, are
        /// multiplied.
        repetition_penalty: f32 = 1.0, |file| file.positive("repetition_penalty");
        /// The same for the tokens of an encoder's source, the other way round: above 1 they become
        /// likelier.
        encoder_repetition_penalty: f32 = 1.0, |file| file.positive("encoder_repetition_penalty");
        /// No n-gram of this many tokens may come from an encoder's source; 0 is off.
        encoder_no_repeat_ngram: usize = 0, |file| file.size("encoder_no_repeat_ngram_size");
        /// Hypotheses that are followed at once; 1 takes the likeliest token each time (greedy).
        num_beams: usize = 1, |file| Some(file.size("num_beams")?.clamp(1, MOST_BEAMS));
        /// Exponent of a hypothesis' length, by which its log-probability is divided; above 0 it
        /// favours long ones.
        length_penalty: f32 = 1.0, |file| file.number("length_penalty");
        /// When a beam ends.
        early_stopping: EarlyStopping = EarlyStopping::Unlikely,
            |file| file.find("early_stopping").map(EarlyStopping::of_file);
        /// So many times the beam's width are the finished hypotheses that are enough, where
        /// [`DecodingOptions::early_stopping`] speaks of as many as it is wide (Kasai et al. 2022);
        /// at most [`MOST_PATIENCE`].
        patience: f32 = 1.0, |_| None;
        /// Factor of what a finished hypothesis of a beam loses for source tokens that it attends
        /// to with less than a weight of 1 in all: the sum of the logarithms of these weights (Wu
        /// et al. 2016), in the last layer, over what is written and the end token. At least 0,
        /// which is off; nothing without an encoder. Each hypothesis that finishes is read once
        /// more for it.
        coverage_penalty: f32 = 0.0, |_| None;
        /// How much it counts for an output of a beam how likely the model holds the source, per
        /// token, when it is given that output and asked the other way round: the weight of the
        /// channel model in noisy-channel reranking (Yee et al. 2019; Ng et al. 2019). 0 is off.
        /// Only who knows how to ask the other way round can do it: translation with a language
        /// model does, or with two translation models, the engine by itself does not. No key of
        /// `transformers`; files of our own have it, as the next two.
        channel_weight: f32 = 0.0, |file| file.number("channel_weight").filter(|w| *w >= 0.0);
        /// From 0 to 1: a translation is doubted when its tokens have a smaller probability in the
        /// geometric mean; where a language model reads it back, those of both texts, each given
        /// the other text. 0 is off; translation alone does it, as above.
        min_confidence: f32 = 0.0,
            |file| file.number("min_confidence").filter(|p| (0.0..=1.0).contains(p));
        /// Where the model has a list of the tokens that text in the language is made of, or of
        /// those that its source's tokens become (a lexical shortlist), only these come: the others
        /// need not be computed.
        shortlist: bool = false, |file| file.find("shortlist").and_then(Value::as_bool);
        /// 0 is greedy, or beam search; above, tokens are drawn at this temperature. Sampling is
        /// left to the request, whatever a file says.
        temperature: f32 = 0.0, |_| None;
        /// Draw from so many of the likeliest tokens; 0 is off.
        top_k: usize = 0, |_| None;
        /// Draw from the likeliest tokens that have this probability together (Holtzman et al.
        /// 2020); 1 is off.
        top_p: f32 = 1.0, |_| None;
        /// Draw from tokens at least this likely compared to the likeliest (Nguyen et al. 2024); 0
        /// is off.
        min_p: f32 = 0.0, |_| None;
    }
    other {
        /// Text that ends the output; it is not part of it.
        stop: Vec<String> = Vec::new(), |_| None;
        /// Whether an output that goes round in circles is ended, as [`super::Finish::Loop`]; of a
        /// beam, none is.
        end_loops: bool = true, |_| None;
        /// Whether the output gets a score; without one the tokens of one sequence are chosen a
        /// little faster. A beam's always have one.
        scored: bool = true, |_| None;
        /// What is written is in this language, in its scripts (and digits, punctuation, symbols).
        language: Option<Lang> = None, |_| None;
        /// How many of a beam's hypotheses are wanted, the best first; at most `num_beams`.
        outputs: usize = 1, |_| None;
        /// What the draws depend on, beside the position; equal seeds give equal draws.
        seed: u64 = 0, |_| None;
        /// Token sequences that may not be written.
        bad_words: Vec<Vec<u32>> = Vec::new(), |file| Some(file.bad_words());
        /// The token that the output begins with.
        forced_begin: Option<u32> = None, |file| Some(file.token("forced_bos_token_id"));
        /// The token that the output ends with where `max_tokens` cuts it off.
        forced_end: Option<u32> = None, |file| Some(file.token("forced_eos_token_id"));
    }
}

/// When a beam ends that has as many finished hypotheses as it is wide, or as its patience asks for
/// (the three ways of `transformers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EarlyStopping {
    /// At once.
    Always,
    /// When the best unfinished one, as it is, scores below all finished ones.
    #[default]
    Unlikely,
    /// When no unfinished one could ever score above a finished one.
    Never,
}

/// Widest beam; a model's files may not ask for more.
pub const MOST_BEAMS: usize = 64;

/// Greatest [`DecodingOptions::patience`].
pub const MOST_PATIENCE: usize = 16;

impl DecodingOptions {
    /// What `generation_config.json` says, and where it is silent `config.json`, in the order
    /// given. Lengths there count the token that decoding starts with.
    pub fn of_model(files: &[&Value]) -> DecodingOptions {
        DecodingOptions::of_files(Files(files))
    }
}

impl DecodingOverrides {
    /// The options with what is set here in place of what was there. A temperature means drawing,
    /// which has no beam.
    pub fn apply(&self, options: DecodingOptions) -> DecodingOptions {
        let draws = self.temperature.is_some_and(|t| t > 0.0);
        let options = self.replace(options);
        let num_beams = if draws { 1 } else { options.num_beams.clamp(1, MOST_BEAMS) };
        DecodingOptions { num_beams, ..options }
    }
}

impl EarlyStopping {
    /// As `transformers` writes it.
    fn of_file(value: &Value) -> EarlyStopping {
        match value {
            Value::Bool(true) => EarlyStopping::Always,
            Value::String(text) if text == "never" => EarlyStopping::Never,
            _ => EarlyStopping::Unlikely,
        }
    }
}

/// A model's files; the first that states something counts.
#[derive(Clone, Copy)]
struct Files<'a>(&'a [&'a Value]);

impl<'a> Files<'a> {
    fn find(self, key: &str) -> Option<&'a Value> {
        self.0.iter().find_map(|file| file.get(key).filter(|value| !value.is_null()))
    }

    fn size(self, key: &str) -> Option<usize> {
        self.find(key)?.as_u64().and_then(|n| usize::try_from(n).ok())
    }

    /// A length without the token that decoding starts with.
    fn length(self, key: &str) -> Option<usize> {
        Some(self.size(key)?.saturating_sub(1))
    }

    fn number(self, key: &str) -> Option<f32> {
        self.find(key)?.as_f64().map(|n| n as f32).filter(|n| n.is_finite())
    }

    fn positive(self, key: &str) -> Option<f32> {
        self.number(key).filter(|n| *n > 0.0)
    }

    fn token(self, key: &str) -> Option<u32> {
        let value = self.find(key)?;
        id(value.as_array().and_then(|all| all.first()).unwrap_or(value))
    }

    /// What may not be written. As in `transformers`, an end token is not a bad word.
    fn bad_words(self) -> Vec<Vec<u32>> {
        let end = self.token("eos_token_id");
        let suppressed = self.find("suppress_tokens").and_then(ids).unwrap_or_default();
        let listed = self.find("bad_words_ids").and_then(Value::as_array);
        let bad_words = listed.into_iter().flatten().filter_map(ids).filter(
            |sequence| !matches!((sequence.as_slice(), end), ([one], Some(end)) if *one == end),
        );
        suppressed
            .into_iter()
            .map(|token| vec![token])
            .chain(bad_words)
            .filter(|sequence| !sequence.is_empty())
            .collect()
    }
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

fn ids(value: &Value) -> Option<Vec<u32>> {
    value.as_array().map(|all| all.iter().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_are_read_in_their_order() {
        let own = json!({"num_beams": 4, "length_penalty": 2.0, "early_stopping": true, "max_length": 142, "min_length": 56, "forced_eos_token_id": [2]});
        let config = json!({"num_beams": 6, "no_repeat_ngram_size": 3, "forced_bos_token_id": 0, "bad_words_ids": [[59513]], "num_beam_groups": null});
        let options = DecodingOptions::of_model(&[&own, &config]);
        assert_eq!(
            (options.num_beams, options.max_tokens, options.min_tokens, options.no_repeat_ngram),
            (4, 141, 55, 3)
        );
        assert_eq!(
            (options.forced_begin, options.forced_end, options.early_stopping),
            (Some(0), Some(2), EarlyStopping::Always)
        );
        assert_eq!(options.bad_words, [[59513]]);
    }

    #[test]
    fn nonsense_in_a_file_changes_nothing() {
        let file = json!({"num_beams": -3, "max_length": "long", "length_penalty": [], "repetition_penalty": 0, "bad_words_ids": 7});
        assert_eq!(DecodingOptions::of_model(&[&file]), DecodingOptions::default());
        assert_eq!(
            DecodingOptions::of_model(&[&json!({"num_beams": 1e9 as u64})]).num_beams,
            MOST_BEAMS
        );
    }
}
