//! How to continue a text: what a request can ask for, and what a model's own files say about it.

use crate::types::Lang;
use serde::Serialize;
use serde_json::Value;

/// How to continue a text.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodingOptions {
    /// At most so many new tokens.
    pub max_tokens: usize,
    /// At least so many tokens before the end may come; what the output is given to begin with
    /// counts.
    pub min_tokens: usize,
    /// Text that ends the output; it is not part of it.
    pub stop: Vec<String>,
    /// Whether an output that goes round in circles is ended, as [`super::Finish::Loop`]; of a
    /// beam, none is.
    pub end_loops: bool,
    /// Whether the output gets a score; without one the tokens of one sequence are chosen a little
    /// faster. A beam's always have one.
    pub scored: bool,
    /// No n-gram of this many tokens may come twice in the output; 0 is off.
    pub no_repeat_ngram: usize,
    /// Divides (or, below zero, multiplies) the logits of tokens already written (Keskar et al.
    /// 2019, CTRL); 1 is off. A beam's log-probabilities, which are all below zero, are multiplied.
    pub repetition_penalty: f32,
    /// The same for the tokens of an encoder's source, the other way round: above 1 they become
    /// likelier.
    pub source_bonus: f32,
    /// No n-gram of this many tokens may come from an encoder's source; 0 is off.
    pub no_source_ngram: usize,
    /// What is written is in this language, in its scripts (and digits, punctuation, symbols).
    pub language: Option<Lang>,
    /// Where the model has a list of the tokens that text in that language is made of, only these
    /// come: the others need not be computed.
    pub shortlist: bool,
    /// Hypotheses that are followed at once; 1 takes the likeliest token each time (greedy).
    pub beams: usize,
    /// Exponent of a hypothesis' length, by which its log-probability is divided; above 0 it
    /// favours long ones.
    pub length_penalty: f32,
    /// When a beam ends.
    pub early_stopping: EarlyStopping,
    /// So many times the beam's width are the finished hypotheses that are enough, where
    /// [`DecodingOptions::early_stopping`] speaks of as many as it is wide (Kasai et al. 2022); at
    /// most [`MOST_PATIENCE`].
    pub patience: f32,
    /// Factor of what a finished hypothesis of a beam loses for source tokens that it attends to
    /// with less than a weight of 1 in all: the sum of the logarithms of these weights (Wu et al.
    /// 2016), in the last layer, over what is written and the end token. At least 0, which is off;
    /// nothing without an encoder. Each hypothesis that finishes is read once more for it.
    pub coverage_penalty: f32,
    /// How much it counts for an output of a beam how likely the model holds the source, per token,
    /// when it is given that output and asked the other way round: the weight of the channel model
    /// in noisy-channel reranking (Yee et al. 2019; Ng et al. 2019). 0 is off. Only who knows how
    /// to ask the other way round can do it: translation with a language model does, the engine by
    /// itself does not.
    pub channel_weight: f32,
    /// From 0 to 1: a translation that is read back is doubted when tokens of both texts, each
    /// given the other text, have a smaller probability in the geometric mean. 0 is off;
    /// translation alone does it, as above.
    pub min_confidence: f32,
    /// How many of a beam's hypotheses are wanted, the best first; at most `beams`.
    pub outputs: usize,
    /// 0 is greedy, or beam search; above, tokens are drawn at this temperature.
    pub temperature: f32,
    /// Draw from so many of the likeliest tokens; 0 is off.
    pub top_k: usize,
    /// Draw from the likeliest tokens that have this probability together (Holtzman et al. 2020); 1
    /// is off.
    pub top_p: f32,
    /// Draw from tokens at least this likely compared to the likeliest (Nguyen et al. 2024); 0 is
    /// off.
    pub min_p: f32,
    /// What the draws depend on, beside the position; equal seeds give equal draws.
    pub seed: u64,
    /// Token sequences that may not be written.
    pub banned: Vec<Vec<u32>>,
    /// The token that the output begins with.
    pub forced_begin: Option<u32>,
    /// The token that the output ends with where `max_tokens` cuts it off.
    pub forced_end: Option<u32>,
}

/// When a beam ends that has as many finished hypotheses as it is wide, or as its patience asks for
/// (the three ways of `transformers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EarlyStopping {
    /// At once.
    Always,
    /// When the best unfinished one, as it is, scores below all finished ones.
    #[default]
    Unlikely,
    /// When no unfinished one could ever score above a finished one.
    Never,
}

impl Default for DecodingOptions {
    fn default() -> Self {
        DecodingOptions {
            max_tokens: 256,
            min_tokens: 0,
            stop: Vec::new(),
            end_loops: true,
            scored: true,
            no_repeat_ngram: 0,
            repetition_penalty: 1.0,
            source_bonus: 1.0,
            no_source_ngram: 0,
            language: None,
            shortlist: false,
            beams: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::default(),
            patience: 1.0,
            coverage_penalty: 0.0,
            channel_weight: 0.0,
            min_confidence: 0.0,
            outputs: 1,
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            seed: 0,
            banned: Vec::new(),
            forced_begin: None,
            forced_end: None,
        }
    }
}

/// Widest beam; a model's files may not ask for more.
pub const MOST_BEAMS: usize = 64;

/// Greatest [`DecodingOptions::patience`].
pub const MOST_PATIENCE: usize = 16;

impl DecodingOptions {
    /// What `generation_config.json` says, and where it is silent `config.json`, in the order
    /// given. Lengths there count the token that decoding starts with; sampling is left to the
    /// request.
    pub fn of_model(files: &[&Value]) -> DecodingOptions {
        let find = |key: &str| files.iter().find_map(|file| file.get(key).filter(|v| !v.is_null()));
        let size =
            |key: &str| find(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let number = |key: &str| {
            find(key).and_then(Value::as_f64).map(|n| n as f32).filter(|n| n.is_finite())
        };
        let id = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        let token = |key: &str| {
            find(key).and_then(|v| id(v.as_array().and_then(|all| all.first()).unwrap_or(v)))
        };
        let ids = |value: &Value| {
            value.as_array().map(|all| all.iter().filter_map(id).collect::<Vec<u32>>())
        };
        let none = DecodingOptions::default();
        let suppressed = find("suppress_tokens")
            .and_then(ids)
            .unwrap_or_default()
            .into_iter()
            .map(|token| vec![token]);
        // As in `transformers`, an end token is not a bad word.
        let end = token("eos_token_id");
        let is_end = |sequence: &Vec<u32>| matches!((sequence.as_slice(), end), ([one], Some(end)) if *one == end);
        let bad_words = find("bad_words_ids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(ids)
            .filter(|s| !is_end(s));
        DecodingOptions {
            max_tokens: size("max_new_tokens")
                .or(size("max_length").map(|n| n.saturating_sub(1)))
                .unwrap_or(none.max_tokens),
            min_tokens: size("min_new_tokens")
                .or(size("min_length").map(|n| n.saturating_sub(1)))
                .unwrap_or(0),
            no_repeat_ngram: size("no_repeat_ngram_size").unwrap_or(0),
            repetition_penalty: number("repetition_penalty").filter(|p| *p > 0.0).unwrap_or(1.0),
            source_bonus: number("encoder_repetition_penalty").filter(|p| *p > 0.0).unwrap_or(1.0),
            no_source_ngram: size("encoder_no_repeat_ngram_size").unwrap_or(0),
            beams: size("num_beams").unwrap_or(1).clamp(1, MOST_BEAMS),
            length_penalty: number("length_penalty").unwrap_or(1.0),
            early_stopping: match find("early_stopping") {
                Some(Value::Bool(true)) => EarlyStopping::Always,
                Some(Value::String(text)) if text == "never" => EarlyStopping::Never,
                _ => EarlyStopping::Unlikely,
            },
            // No keys of `transformers`; files of our own have them.
            shortlist: find("shortlist").and_then(Value::as_bool).unwrap_or(false),
            channel_weight: number("channel_weight").filter(|w| *w >= 0.0).unwrap_or(0.0),
            min_confidence: number("min_confidence")
                .filter(|p| (0.0..=1.0).contains(p))
                .unwrap_or(0.0),
            banned: suppressed.chain(bad_words).filter(|sequence| !sequence.is_empty()).collect(),
            forced_begin: token("forced_bos_token_id"),
            forced_end: token("forced_eos_token_id"),
            ..none
        }
    }
}

/// What a user wants to be otherwise than a model's files say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs)] // the fields of [`DecodingOptions`]
pub struct DecodingOverrides {
    pub max_tokens: Option<usize>,
    pub min_tokens: Option<usize>,
    pub no_repeat_ngram: Option<usize>,
    pub repetition_penalty: Option<f32>,
    pub source_bonus: Option<f32>,
    pub no_source_ngram: Option<usize>,
    pub beams: Option<usize>,
    pub length_penalty: Option<f32>,
    pub early_stopping: Option<EarlyStopping>,
    pub patience: Option<f32>,
    pub coverage_penalty: Option<f32>,
    pub channel_weight: Option<f32>,
    pub min_confidence: Option<f32>,
    pub shortlist: Option<bool>,
    pub temperature: Option<f32>,
    pub top_k: Option<usize>,
    pub top_p: Option<f32>,
    pub min_p: Option<f32>,
}

impl DecodingOverrides {
    /// The options with what is set here in place of what was there. A temperature means drawing,
    /// which has no beam.
    pub fn apply(&self, options: DecodingOptions) -> DecodingOptions {
        let drawing = self.temperature.is_some_and(|t| t > 0.0);
        DecodingOptions {
            max_tokens: self.max_tokens.unwrap_or(options.max_tokens),
            min_tokens: self.min_tokens.unwrap_or(options.min_tokens),
            no_repeat_ngram: self.no_repeat_ngram.unwrap_or(options.no_repeat_ngram),
            repetition_penalty: self.repetition_penalty.unwrap_or(options.repetition_penalty),
            beams: if drawing {
                1
            } else {
                self.beams.unwrap_or(options.beams).clamp(1, MOST_BEAMS)
            },
            length_penalty: self.length_penalty.unwrap_or(options.length_penalty),
            early_stopping: self.early_stopping.unwrap_or(options.early_stopping),
            patience: self.patience.unwrap_or(options.patience),
            coverage_penalty: self.coverage_penalty.unwrap_or(options.coverage_penalty),
            channel_weight: self.channel_weight.unwrap_or(options.channel_weight),
            min_confidence: self.min_confidence.unwrap_or(options.min_confidence),
            shortlist: self.shortlist.unwrap_or(options.shortlist),
            source_bonus: self.source_bonus.unwrap_or(options.source_bonus),
            no_source_ngram: self.no_source_ngram.unwrap_or(options.no_source_ngram),
            temperature: self.temperature.unwrap_or(options.temperature),
            top_k: self.top_k.unwrap_or(options.top_k),
            top_p: self.top_p.unwrap_or(options.top_p),
            min_p: self.min_p.unwrap_or(options.min_p),
            ..options
        }
    }
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
            (options.beams, options.max_tokens, options.min_tokens, options.no_repeat_ngram),
            (4, 141, 55, 3)
        );
        assert_eq!(
            (options.forced_begin, options.forced_end, options.early_stopping),
            (Some(0), Some(2), EarlyStopping::Always)
        );
        assert_eq!(options.banned, [[59513]]);
    }

    #[test]
    fn nonsense_in_a_file_changes_nothing() {
        let file = json!({"num_beams": -3, "max_length": "long", "length_penalty": [], "repetition_penalty": 0, "bad_words_ids": 7});
        assert_eq!(DecodingOptions::of_model(&[&file]), DecodingOptions::default());
        assert_eq!(
            DecodingOptions::of_model(&[&json!({"num_beams": 1e9 as u64})]).beams,
            MOST_BEAMS
        );
    }
}
