//! What the model is asked: to shorten one sentence. Small models add and mix up facts when they
//! are given a whole article, and hardly ever when they are shown how to shorten a sentence.

use super::Settings;
use super::length::count_words;
use crate::error::Result;
use crate::generate::{DecodingOptions, Generate, Request};
use std::fmt::Write;

/// Shorter sentences stay as they are.
const SHORTEST: usize = 12;
/// Longer ones are no sentences.
const LONGEST: usize = 120;

const TASK: &str = "You shorten sentences from the news. Keep the main point, the names and the numbers. Leave out details. Add nothing.";

/// Sentences and their short forms.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "The central bank, which had already raised borrowing costs twice this year, lifted its main interest rate to 4.5% on Thursday, saying \
         that prices were still climbing too quickly.",
        "The central bank lifted its main interest rate to 4.5% on Thursday.",
    ),
    (
        "Firefighters from three counties worked through the night to contain the blaze, which broke out on Sunday afternoon in a warehouse on \
         the edge of the town and forced 200 people to leave their homes.",
        "Firefighters worked through the night to contain the blaze, which forced 200 people to leave their homes.",
    ),
    (
        "However, Maria Lopez, 34, who has coached the team since 2019 and lives near the stadium with her family, said on Monday that she would \
         not sign a new contract, according to a local newspaper.",
        "Maria Lopez, who has coached the team since 2019, said that she would not sign a new contract.",
    ),
    (
        "The company, based in the northern city of Leeds, said that it would close two of its five factories by the end of next year because of \
         falling demand, with the loss of around 600 jobs.",
        "The company said that it would close two of its five factories, with the loss of around 600 jobs.",
    ),
];

/// The end of a turn and the opening of the model's, in the chat markup of the SmolLM2 family.
const ANSWER: &str = "<|im_end|>\n<|im_start|>assistant\n";

/// The request to shorten a sentence; `None` when it is short already, or too long.
pub fn request(
    sentence: &str,
    generator: &dyn Generate,
    settings: Settings,
) -> Result<Option<Request>> {
    if !(SHORTEST..=LONGEST).contains(&count_words(sentence)) {
        return Ok(None);
    }
    let prefix = prefix();
    let tokens = generator.count_tokens(sentence)?;
    let needed = generator.count_tokens(&prefix)? + generator.count_tokens(ANSWER)? + 2 * tokens;
    if needed > generator.context_length() {
        return Ok(None);
    }
    let options = DecodingOptions {
        max_tokens: tokens,
        stop: vec!["\n".into()],
        scored: false,
        seed: settings.seed,
        ..DecodingOptions::default()
    };
    let options = settings.decoding.apply(options);
    Ok(Some(Request {
        prefix,
        prompt: sentence.to_owned(),
        suffix: ANSWER.into(),
        options,
        ..Request::default()
    }))
}

/// The task and its examples: the same for all requests.
fn prefix() -> String {
    let mut prefix = format!("<|im_start|>system\n{TASK}<|im_end|>\n");
    for (sentence, short) in EXAMPLES {
        let _ = write!(prefix, "<|im_start|>user\n{sentence}{ANSWER}{short}<|im_end|>\n");
    }
    prefix.push_str("<|im_start|>user\n");
    prefix
}
