//! What the model is asked: to shorten one sentence. Small models add and mix up facts when they are given a whole article,
//! and hardly ever when they are shown how to shorten a sentence.

use super::Style;
use super::length::count_words;
use crate::error::Result;
use crate::generate::{Generate, Options, Request};
use std::fmt::Write;

/// Shorter sentences stay as they are.
const SHORTEST: usize = 12;

const SUMMARY: &str =
    "You shorten sentences from the news. Keep the main point, the names and the numbers. Leave out details. Add nothing.";
const HEADLINE: &str = "You turn sentences from the news into headlines of at most ten words. Use the words of the sentence. Add nothing.";

/// A sentence, shortened, and as a headline.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "The central bank, which had already raised borrowing costs twice this year, lifted its main interest rate to 4.5% on Thursday, saying \
         that prices were still climbing too quickly.",
        "The central bank lifted its main interest rate to 4.5% on Thursday.",
        "Central bank lifts main interest rate to 4.5%",
    ),
    (
        "Firefighters from three counties worked through the night to contain the blaze, which broke out on Sunday afternoon in a warehouse on \
         the edge of the town and forced 200 people to leave their homes.",
        "Firefighters worked through the night to contain the blaze, which forced 200 people to leave their homes.",
        "Warehouse blaze forces 200 people to leave their homes",
    ),
    (
        "However, Maria Lopez, 34, who has coached the team since 2019 and lives near the stadium with her family, said on Monday that she would \
         not sign a new contract, according to a local newspaper.",
        "Maria Lopez, who has coached the team since 2019, said that she would not sign a new contract.",
        "Coach Maria Lopez will not sign new contract",
    ),
    (
        "The company, based in the northern city of Leeds, said that it would close two of its five factories by the end of next year because of \
         falling demand, with the loss of around 600 jobs.",
        "The company said that it would close two of its five factories, with the loss of around 600 jobs.",
        "Company to close two of its five factories",
    ),
];

/// The end of a turn and the opening of the model's, in the chat markup of the SmolLM2 family.
const ANSWER: &str = "<|im_end|>\n<|im_start|>assistant\n";

/// The request to shorten a sentence; `None` when it is short already, or too long for the model.
pub fn request(sentence: &str, style: Style, generator: &dyn Generate) -> Result<Option<Request>> {
    if count_words(sentence) < SHORTEST {
        return Ok(None);
    }
    let prefix = prefix(style);
    let tokens = generator.count_tokens(sentence)?;
    let needed = generator.count_tokens(&prefix)? + generator.count_tokens(ANSWER)? + 2 * tokens;
    if needed > generator.context_length() {
        return Ok(None);
    }
    let options = Options { max_tokens: tokens, stop: vec!["\n".into()], ..Options::default() };
    Ok(Some(Request { prefix, prompt: sentence.to_owned(), suffix: ANSWER.into(), options }))
}

/// The task and its examples: the same for all requests.
fn prefix(style: Style) -> String {
    let system = if style == Style::Headline { HEADLINE } else { SUMMARY };
    let mut prefix = format!("<|im_start|>system\n{system}<|im_end|>\n");
    for (sentence, short, headline) in EXAMPLES {
        let answer = if style == Style::Headline { headline } else { short };
        let _ = write!(prefix, "<|im_start|>user\n{sentence}{ANSWER}{answer}<|im_end|>\n");
    }
    prefix.push_str("<|im_start|>user\n");
    prefix
}
