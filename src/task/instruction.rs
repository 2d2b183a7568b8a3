//! What users tell a chat model to translate.

use crate::error::{Error, Result};
use std::str::FromStr;

/// What a chat model is told to translate a text, in place of what its card or polygist would say:
/// `{text}` stands for the text, `{from}` and `{to}` for the languages' English names,
/// `{from_code}` and `{to_code}` for their codes, `{terms}` for a sentence on the terms of a
/// glossary, `{context}` for the sentences before the text, where these are wanted.
///
/// ```
/// use polygist::task::Instruction;
/// let instruction: Instruction = "Put this into plain {to}:\n{text}".parse().unwrap();
/// assert_eq!(instruction.as_str(), "Put this into plain {to}:\n{text}");
/// assert!("Translate this into {to}.".parse::<Instruction>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instruction(String);

impl Instruction {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Instruction {
    type Err = Error;

    /// Any text with `{text}` in it once, and `{context}` once at most, before it.
    fn from_str(text: &str) -> Result<Self> {
        let (before, after) = text.split_once(TEXT).unwrap_or((text, ""));
        if before.matches(CONTEXT).count() > 1 || after.contains(CONTEXT) {
            return Err(Error::Usage(format!(
                "the prompt has {CONTEXT} more than once, or after {TEXT}; expected it once, before \
                 the text, where the sentences before it go"
            )));
        }
        match text.matches(TEXT).count() {
            1 => Ok(Instruction(text.into())),
            n => Err(Error::Usage(format!(
                "the prompt has {TEXT} {n} times; expected it once, where the text to translate \
                 goes, as in \"Translate from {{from}} to {{to}}: {TEXT}\""
            ))),
        }
    }
}

/// Stands for the text in an instruction.
pub(super) const TEXT: &str = "{text}";
/// Stands for the sentences before the text.
pub(super) const CONTEXT: &str = "{context}";
