//! A model for what is asked of models.

use polygist::error::Result;
use polygist::generate::{Capability, Finish, Generate, LanguagePrompt, Output, Request};
use polygist::types::{Lang, TokenAlignment};
use std::sync::Mutex;

/// A model that writes the same of each prompt, and keeps what it was asked.
pub struct Stub {
    capabilities: [Capability; 1],
    write: fn(&str) -> String,
    relate: Option<fn(&str, &str) -> TokenAlignment>,
    asked: Mutex<Vec<Request>>,
}

impl Stub {
    /// One that was taught its task, or one that needs examples; it repeats its prompt.
    pub fn taught(taught: bool) -> Stub {
        let capability = if taught { Capability::FineTuned } else { Capability::FewShot };
        Stub::new(capability, str::to_string)
    }

    /// One that was made for translation between any two languages.
    pub fn translating(write: fn(&str) -> String) -> Stub {
        Stub::new(Capability::Translation, write)
    }

    fn new(capability: Capability, write: fn(&str) -> String) -> Stub {
        Stub { capabilities: [capability], write, relate: None, asked: Mutex::default() }
    }

    /// The same one, which tells what tokens of a text and of its translation mean the same.
    pub fn relating(self, relate: fn(&str, &str) -> TokenAlignment) -> Stub {
        Stub { relate: Some(relate), ..self }
    }

    /// Every request so far, in order.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Generate for Stub {
    fn id(&self) -> &str {
        "stub"
    }

    fn context_length(&self) -> usize {
        4096
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn language_prompt(&self, _: &Lang, _: &Lang) -> Option<LanguagePrompt> {
        self.capabilities.contains(&Capability::Translation).then(LanguagePrompt::default)
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(text.split_whitespace().count())
    }

    fn relate(&self, pairs: &[(&str, &str)]) -> Result<Vec<Option<TokenAlignment>>> {
        let related = |(source, target): &(&str, &str)| Some((self.relate?)(source, target));
        Ok(pairs.iter().map(related).collect())
    }

    fn generate(
        &self,
        requests: &[Request],
        _: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.asked.lock().unwrap().extend_from_slice(requests);
        let output = |request: &Request| Output {
            text: (self.write)(&request.prompt),
            prompt_tokens: 9,
            tokens: 9,
            ids: Vec::new(),
            finish: Finish::Stop,
            score: 0.0,
            variants: Vec::new(),
        };
        Ok(requests.iter().map(output).collect())
    }
}
