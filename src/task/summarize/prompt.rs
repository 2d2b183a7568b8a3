//! The request to shorten one sentence. Small models add and mix up facts when they are given a
//! whole article, and hardly ever when they are shown how to shorten a sentence.

use super::Settings;
use super::length::count_words;
use crate::error::{Error, Result};
use crate::generate::{
    Capability, ChatPrompt, ChatTemplate, Conversation, DecodingOptions, Generate, Request,
};
use crate::task::prompts::{Shorten, shorten};
use std::fmt::Write;

/// Shorter sentences stay as they are.
const SHORTEST: usize = 12;
/// Longer ones are no sentences.
const LONGEST: usize = 120;

/// The text around a sentence that a language model is to shorten.
pub(super) struct ShortenPrompt {
    around: ChatPrompt,
    /// Tokens of both.
    tokens: usize,
}

impl ShortenPrompt {
    /// The prompt of a model that chats, or else of one that learns from examples; `None` for
    /// others.
    ///
    /// # Errors
    /// When the chat template cannot be used; what the tokenizer reports.
    pub fn of(generator: &dyn Generate) -> Result<Option<ShortenPrompt>> {
        let capabilities = generator.capabilities();
        let around = match capabilities.iter().find_map(Capability::chat_template) {
            Some(template) => {
                chat(template, shorten()).map_err(|why| Error::model(generator.id(), why))?
            }
            None if capabilities.contains(&Capability::FewShot) => few_shot(shorten()),
            None => return Ok(None),
        };
        let tokens =
            generator.count_tokens(&around.prefix)? + generator.count_tokens(&around.suffix)?;
        Ok(Some(ShortenPrompt { around, tokens }))
    }

    /// The request to shorten a sentence; `None` when it is short already, or too long.
    ///
    /// # Errors
    /// What the tokenizer reports.
    pub fn request(
        &self,
        sentence: &str,
        generator: &dyn Generate,
        settings: Settings,
    ) -> Result<Option<Request>> {
        if !(SHORTEST..=LONGEST).contains(&count_words(sentence)) {
            return Ok(None);
        }
        let tokens = generator.count_tokens(sentence)?;
        if self.tokens + 2 * tokens > generator.context_length() {
            return Ok(None);
        }
        let options = DecodingOptions {
            max_tokens: tokens,
            stop: vec!["\n".into()],
            scored: false,
            seed: settings.seed,
            ..DecodingOptions::default()
        };
        Ok(Some(Request {
            prefix: self.around.prefix.clone(),
            prompt: sentence.to_owned(),
            suffix: self.around.suffix.clone(),
            options: settings.decoding.apply(options),
            ..Request::default()
        }))
    }
}

/// The task and its examples as turns of a conversation.
fn chat(template: &ChatTemplate, shorten: &Shorten) -> Result<ChatPrompt, String> {
    let examples = shorten.examples.iter();
    template.render(&Conversation {
        system: Some(&shorten.task),
        turns: examples.map(|e| (e.sentence.as_str(), e.short.as_str())).collect(),
        ..Conversation::default()
    })
}

/// The task and its examples as a pattern to continue.
fn few_shot(shorten: &Shorten) -> ChatPrompt {
    let mut prefix = format!("{}\n\n", shorten.task);
    for example in &shorten.examples {
        let _ = write!(prefix, "Sentence: {}\nShortened: {}\n\n", example.sentence, example.short);
    }
    prefix.push_str("Sentence: ");
    ChatPrompt { prefix, suffix: "\nShortened:".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::SpecialTokens;
    use crate::testing::Stub;
    use sha2::Digest;

    /// The prompt of SmolLM2 before chat templates were read.
    fn chatml() -> (String, &'static str) {
        let mut prefix = format!("<|im_start|>system\n{}<|im_end|>\n", shorten().task);
        for example in &shorten().examples {
            let _ = write!(
                prefix,
                "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n{}<|im_end|>\n",
                example.sentence, example.short
            );
        }
        (prefix + "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")
    }

    #[test]
    fn the_prompt_of_the_default_model_is_as_it_always_was() {
        // SmolLM2's template, as its GGUF file has it.
        let source = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
        let special =
            SpecialTokens { bos: "<|im_start|>".into(), eos: "<|im_end|>".into(), adds_bos: false };
        let (prefix, suffix) = chatml();
        let hash = sha2::Sha256::digest(prefix.as_bytes());
        assert_eq!((prefix.len(), hash[..4].to_vec()), (1_523, vec![0x03, 0x7c, 0x54, 0x27]));
        for template in [ChatTemplate::new(source, special).unwrap(), ChatTemplate::chatml()] {
            let found = chat(&template, shorten()).unwrap();
            assert_eq!((found.prefix, found.suffix.as_str()), (prefix.clone(), suffix));
        }
    }

    #[test]
    fn models_without_a_template_are_shown_a_pattern() {
        let model = Stub::answering(|_| "");
        let found = ShortenPrompt::of(&model).unwrap().unwrap();
        assert!(found.around.prefix.ends_with("around 600 jobs.\n\nSentence: "));
        assert!(ShortenPrompt::of(&model.with([Capability::FineTuned])).unwrap().is_none());
    }
}
