//! What unit tests share: a model that answers what the test says, and numbers that look random.

use crate::error::Result;
use crate::generate::{Capability, DecodingOptions, Generate, LanguagePrompt, Output, Request};
use crate::types::Lang;
use std::ops::Range;

type Answer = Box<dyn Fn(&Request) -> Output + Send + Sync>;
type Score = Box<dyn Fn(&Request, &str) -> f32 + Send + Sync>;

/// A base language model of 4096 tokens of context, with a token for each word.
pub struct Stub {
    id: &'static str,
    answer: Answer,
    score: Option<Score>,
    unknown: fn(char) -> bool,
    defaults: DecodingOptions,
    capabilities: Vec<Capability>,
    macs: u64,
}

impl Stub {
    /// A model that answers with a text, and says that it has read the prompt.
    pub fn answering<T: Into<String>>(
        answer: impl Fn(&Request) -> T + Send + Sync + 'static,
    ) -> Stub {
        Stub::writing(move |request| Output {
            prompt_tokens: words(&request.prompt),
            ..Output::of(answer(request))
        })
    }

    /// A model whose outputs the test makes whole.
    pub fn writing(answer: impl Fn(&Request) -> Output + Send + Sync + 'static) -> Stub {
        Stub {
            id: "stub",
            answer: Box::new(answer),
            score: None,
            unknown: |_| false,
            defaults: DecodingOptions::default(),
            capabilities: vec![Capability::FewShot],
            macs: 0,
        }
    }

    /// The same model, which says how likely a text is after a request.
    pub fn scoring(self, score: impl Fn(&Request, &str) -> f32 + Send + Sync + 'static) -> Stub {
        Stub { score: Some(Box::new(score)), ..self }
    }

    /// The same model, whose vocabulary lacks some characters.
    pub fn lacking(self, unknown: fn(char) -> bool) -> Stub {
        Stub { unknown, ..self }
    }

    /// The same model with other defaults.
    pub fn defaulting(self, defaults: DecodingOptions) -> Stub {
        Stub { defaults, ..self }
    }

    /// The same model with other capabilities.
    pub fn with(self, capabilities: impl Into<Vec<Capability>>) -> Stub {
        Stub { capabilities: capabilities.into(), ..self }
    }

    /// The same model with so many weights.
    pub fn of_size(self, macs: u64) -> Stub {
        Stub { macs, ..self }
    }

    /// The same model under another name.
    pub fn named(self, id: &'static str) -> Stub {
        Stub { id, ..self }
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

impl Generate for Stub {
    fn id(&self) -> &str {
        self.id
    }

    fn context_length(&self) -> usize {
        4096
    }

    fn macs(&self) -> u64 {
        self.macs
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn defaults(&self) -> DecodingOptions {
        self.defaults.clone()
    }

    fn language_prompt(&self, _: &Lang, _: &Lang) -> Option<LanguagePrompt> {
        self.capabilities.contains(&Capability::Translation).then(LanguagePrompt::default)
    }

    fn unknown(&self, text: &str) -> Result<Vec<Range<usize>>> {
        let unknown = text.char_indices().filter(|(_, c)| (self.unknown)(*c));
        Ok(unknown.map(|(at, c)| at..at + c.len_utf8()).collect())
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(words(text))
    }

    fn score(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        let score = self.score.as_ref().expect("a test that asks for scores gives them");
        let scored = |(number, (request, text)): (usize, &(&Request, &str))| {
            assert!(on_done(number), "the test does not stop the work");
            score(request, text)
        };
        Ok(pairs.iter().enumerate().map(scored).collect())
    }

    fn generate(
        &self,
        requests: &[Request],
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        let answer = |(number, request): (usize, &Request)| {
            let output = (self.answer)(request);
            assert!(on_done(number, &output), "the test does not stop the work");
            output
        };
        Ok(requests.iter().enumerate().map(answer).collect())
    }
}

/// Small numbers that look random and are the same in each run.
pub fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    }
}
