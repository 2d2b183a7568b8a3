//! From prompts to generated text: the face that tasks see, and behind it the decoding strategies.

mod engine;
mod rules;
mod vocabulary;
mod worker;

pub use engine::{Engine, Settings};

use crate::error::Result;
use crate::types::Lang;

/// One text to continue. The three parts are tokenized apart and read one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Text that many requests share (instructions, examples), computed once for all of them. Control tokens in it
    /// (`<|im_start|>`) are control tokens.
    pub prefix: String,
    /// The request's own text. It comes from outside: what looks like a control token in it is read as plain text.
    pub prompt: String,
    /// What ends the prompt (a chat template's closing marks); control tokens in it are control tokens.
    pub suffix: String,
    /// How to continue it.
    pub options: Options,
}

/// How to continue a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// At most so many new tokens.
    pub max_tokens: usize,
    /// Text that ends the output; it is not part of it.
    pub stop: Vec<String>,
    /// No n-gram of this many tokens may come twice in the output; 0 is off.
    pub no_repeat_ngram: usize,
    /// Divides (or, below zero, multiplies) the logits of tokens already written (Keskar et al. 2019, CTRL); 1 is off.
    pub repetition_penalty: f32,
    /// Write only in the scripts of this language (and digits, punctuation, symbols).
    pub script_of: Option<Lang>,
    /// 0 takes the likeliest token each time (greedy); above, tokens are drawn at this temperature.
    pub temperature: f32,
    /// What the draws depend on, beside the position; equal seeds give equal draws.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_tokens: 256,
            stop: Vec::new(),
            no_repeat_ngram: 0,
            repetition_penalty: 1.0,
            script_of: None,
            temperature: 0.0,
            seed: 0,
        }
    }
}

/// Why an output ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// At a stop text or an end token.
    Stop,
    /// At `max_tokens`, or where the model's context ends.
    Length,
    /// In a loop: the same few tokens over and over, which no model leaves again.
    Loop,
}

/// A generated text.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The new text, without prompt and stop text.
    pub text: String,
    /// Tokens of the prompt, without prefix and suffix.
    pub prompt_tokens: usize,
    /// New tokens.
    pub tokens: usize,
    /// Why it ended.
    pub finish: Finish,
    /// Mean log-probability of the new tokens (natural logarithm), under the distribution that they were chosen from.
    pub score: f32,
}

/// A model that continues text. Implementations answer the same request with the same output, whatever
/// the other requests of the call and whatever the number of threads.
pub trait Generate: Send + Sync {
    /// The model's id, as it stands in records.
    fn id(&self) -> &str;

    /// Longest sequence in tokens, prefix + prompt + suffix + output.
    fn context_length(&self) -> usize;

    /// Number of tokens of a text from outside.
    fn count_tokens(&self, text: &str) -> Result<usize>;

    /// Continues every request; the answers stand in the order of the requests. `on_done` is called as each one is finished,
    /// with its number and output, from any thread; when it returns `false`, generation stops with
    /// [`crate::error::Error::Interrupted`].
    ///
    /// # Errors
    /// A request that leaves no room for output in the context is an error: callers split first.
    fn generate(&self, requests: &[Request], on_done: &(dyn Fn(usize, &Output) -> bool + Sync)) -> Result<Vec<Output>>;
}
