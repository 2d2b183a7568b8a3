//! From prompts to generated text: the face that tasks see, and behind it the decoding strategies.

mod align;
mod attention;
mod batch_load;
mod beam;
mod calls;
mod capability;
mod chat;
mod config;
mod constrained;
mod constraint;
mod constraint_tokens;
mod engine;
mod handle;
mod options;
mod prefix_cache;
mod prepare;
mod relate;
mod reply;
mod rules;
mod scheduler;
mod score;
mod selection;
mod sequence;
mod shortlist;
mod stream;
mod submission;
mod unknown;
mod unwind;
mod vocabulary;
mod vocabulary_cache;
mod word_pieces;
mod worker;

pub use crate::arch::{LanguagePrompt, Macs};
pub use capability::Capability;
pub use chat::{ChatPrompt, ChatTemplate, Conversation, SpecialTokens};
pub use config::{EngineSettings, GenerationConfig};
pub use constraint::Constraint;
pub use engine::Engine;
pub use handle::Handle;
pub use options::{DecodingOptions, DecodingOverrides, EarlyStopping, MOST_BEAMS, MOST_PATIENCE};
pub use scheduler::Load;
pub use shortlist::{Shortlist, TokenSet};
pub use submission::{Caller, Submission, TrySubmitError};

use crate::error::{Error, Result};
use crate::types::{Lang, TokenAlignment};
use std::ops::Range;

/// One text to continue or, of a model that has an encoder, to read and write about. The three
/// parts are tokenized apart and read one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Text that many requests share (instructions, examples), computed once for all of them.
    /// Control tokens in it (`<|im_start|>`) are control tokens.
    pub prefix: String,
    /// What a language model reads between the prefix and the request's own text, and what leads
    /// over to it; read as plain text, as that is. A model with an encoder does not read it.
    pub context: String,
    /// The request's own text. It comes from outside: what looks like a control token in it is read
    /// as plain text.
    pub prompt: String,
    /// What ends the prompt (a chat template's closing marks); control tokens in it are control
    /// tokens.
    pub suffix: String,
    /// The ids of the source, for a model that has an encoder, in place of prefix and prompt; as
    /// the encoder reads them, ends included.
    pub source: Option<Vec<u32>>,
    /// A token that the output is to begin with (a target language's), by its text.
    pub begin: Option<String>,
    /// Text that the output is to begin with after that, and that is part of it.
    pub output_prefix: String,
    /// What the output has to say, of a model that has an encoder ([`Generate::aligns`]); others
    /// know no constraints. The search is a beam of two at least then, and draws nothing. Where no
    /// hypothesis has all, the output is the best of those that have most.
    pub constraints: Vec<Constraint>,
    /// How to continue it.
    pub options: DecodingOptions,
}

/// Why an output ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The new tokens themselves, without an end token; those that were given as the beginning come
    /// first.
    pub ids: Vec<u32>,
    /// Why it ended.
    pub finish: Finish,
    /// Mean log-probability of the new tokens (natural logarithm), or 0 where none is wanted
    /// ([`DecodingOptions::scored`]); of a beam's, their sum divided by their number to the power
    /// of the length penalty.
    pub score: f32,
    /// The next best outputs of a beam, as many as [`DecodingOptions::outputs`] asks for beside the
    /// first.
    pub variants: Vec<Variant>,
}

impl Output {
    /// A text that a model ended by itself, a token for each of its words: what stands in for an
    /// engine's output in tests.
    pub fn of(text: impl Into<String>) -> Output {
        let text = text.into();
        let tokens = text.split_whitespace().count();
        Output {
            text,
            prompt_tokens: 0,
            tokens,
            ids: vec![0; tokens],
            finish: Finish::Stop,
            score: 0.0,
            variants: Vec::new(),
        }
    }
}

/// One more output of the same request.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// See [`Output::text`].
    pub text: String,
    /// See [`Output::ids`].
    pub ids: Vec<u32>,
    /// See [`Output::score`].
    pub score: f32,
    /// See [`Output::finish`].
    pub finish: Finish,
}

/// Which source tokens the tokens of an output come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// The source's tokens as the encoder has read them, by the text that the vocabulary has for
    /// them: language and end tokens included.
    pub source: Vec<String>,
    /// The output's tokens, those that were given as its beginning included, without an end token.
    pub target: Vec<String>,
    /// The attention with which each target token was chosen: a row for each, with a weight for
    /// each source token; a row sums up to 1.
    pub weights: Vec<Vec<f32>>,
}

impl Alignment {
    /// For each target token the source token with the greatest weight, by its number, the first of
    /// equals, and that weight.
    pub fn best(&self) -> Vec<(usize, f32)> {
        let greatest = |best: (usize, f32), (at, &weight): (usize, &f32)| {
            if weight > best.1 { (at, weight) } else { best }
        };
        self.weights
            .iter()
            .map(|row| row.iter().enumerate().fold((0, f32::NEG_INFINITY), greatest))
            .collect()
    }
}

/// Gets the text of outputs as it is written: a request's number, and a piece; says whether to go
/// on.
pub type OnText<'a> = &'a (dyn Fn(usize, &str) -> bool + Sync);

/// A model that continues text. Implementations answer the same request with the same output,
/// whatever the other requests of the call and whatever the number of threads.
pub trait Generate: Send + Sync {
    /// The model's id, as it stands in records.
    fn id(&self) -> &str;

    /// What tells the model's weights and configuration from all others.
    fn fingerprint(&self) -> &str {
        self.id()
    }

    /// Longest sequence in tokens, prefix + prompt + suffix + output.
    fn context_length(&self) -> usize;

    /// Multiply-adds of a token, about as many as the model has weights for it; 0 where that is
    /// not known. It tells small models from those that can be trusted with more.
    fn macs(&self) -> u64 {
        0
    }

    /// Longest prompt in tokens that leaves room for an output as long.
    fn prompt_length(&self) -> usize {
        self.context_length() / 2
    }

    /// How the model wants to be told the languages of a text, if it is a translation model that
    /// knows both.
    fn language_prompt(&self, from: &Lang, to: &Lang) -> Option<LanguagePrompt> {
        let _ = (from, to);
        None
    }

    /// The capabilities of the model, the preferred first.
    fn capabilities(&self) -> &[Capability] {
        const BASE: &[Capability] = &[Capability::FewShot];
        BASE
    }

    /// How the model's own files say that it should write.
    fn defaults(&self) -> DecodingOptions {
        DecodingOptions::default()
    }

    /// Number of tokens of a text from outside.
    fn count_tokens(&self, text: &str) -> Result<usize>;

    /// The parts of a text from outside that the vocabulary has no token for, as byte ranges in
    /// order: whole characters, as readers count them.
    ///
    /// # Errors
    /// When the tokenizer fails.
    fn unknown(&self, text: &str) -> Result<Vec<Range<usize>>> {
        let _ = text;
        Ok(Vec::new())
    }

    /// Whether [`Generate::align`] answers: it does where a model has an encoder.
    fn aligns(&self) -> bool {
        false
    }

    /// For each request and the ids of an output of it ([`Output::ids`]), which source tokens these
    /// come from: the weights of the decoder's attention to the source in a layer, counted from 0,
    /// or in the last one, as the mean over its heads (what `transformers` calls `cross_attentions`
    /// is the same for each head). Without a layer, they are of the head that was taught to align,
    /// where a model has one: Firefox's models. Each output is read once, all its tokens at once.
    ///
    /// # Errors
    /// When the model has no encoder or no such layer, or an output is longer than its context.
    fn align(&self, pairs: &[(&Request, &[u32])], layer: Option<usize>) -> Result<Vec<Alignment>> {
        let _ = (pairs, layer);
        Err(Error::model(self.id(), "it tells nothing of its attention to a source"))
    }

    /// For each pair of a text and its translation, which tokens of the text those of the
    /// translation mean the same as; none where the model cannot tell: it takes a language model.
    /// Its layers read the two texts apart, and tokens belong together whose states are alike. The
    /// weight is 0.8 where each of two tokens is the one most like the other, else 0.25.
    ///
    /// # Errors
    /// When the tokenizer or the device fails.
    fn relate(&self, pairs: &[(&str, &str)]) -> Result<Vec<Option<TokenAlignment>>> {
        Ok(vec![None; pairs.len()])
    }

    /// For each request the mean log-probability (natural logarithm) of a text's tokens, if the
    /// model continued the request with this text: as the tokenizer divides it. What a model with
    /// an encoder writes is a whole text, so the end token after it counts as one of its tokens;
    /// where text is continued, no end token counts, and an empty text has 0. What the output is
    /// given to begin with ([`Request::begin`], [`Request::output_prefix`]) stands before the text
    /// and does not count.
    ///
    /// Of the options, [`DecodingOptions::language`] and [`DecodingOptions::shortlist`], and of the
    /// model a lexical shortlist, say which tokens might have come in the place of the text's own,
    /// which always might; no rule bans or favours one. `on_done` gets the number of each as it is
    /// known, from any thread; when it returns `false`, the work stops with
    /// [`crate::error::Error::Interrupted`].
    ///
    /// # Errors
    /// When a source is longer than an encoder reads, or a request with its text does not fit into
    /// the context.
    fn score(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        let _ = (pairs, on_done);
        Err(Error::model(self.id(), "it does not say how likely a given text is"))
    }

    /// Continues every request; the answers stand in the order of the requests. `on_done` is called
    /// as each one is finished, with its number and output, from any thread; when it returns
    /// `false`, generation stops with [`crate::error::Error::Interrupted`].
    ///
    /// # Errors
    /// A request that leaves no room for output in the context is an error: callers split first.
    fn generate(
        &self,
        requests: &[Request],
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>>;

    /// The same, and `on_text` gets the text of each output as it is written, with the request's
    /// number, from any thread: each piece as soon as nothing that comes later can change it, which
    /// is after every token or so; of a beam, what all of its hypotheses begin with. The pieces of
    /// a request come in order, and put together they are [`Output::text`]. When it returns
    /// `false`, generation stops as well.
    ///
    /// # Errors
    /// As [`Generate::generate`].
    fn stream(
        &self,
        requests: &[Request],
        on_text: OnText<'_>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.generate(requests, &|number, output| {
            on_text(number, &output.text) && on_done(number, output)
        })
    }
}
