//! A vocabulary of numbers, for models whose weights are random and whose text is of no interest.

use super::hf_tokenizer::HfTokenizer;
use super::tokenizer::{Backend, Tokenizer};
use crate::error::{Error, Result};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

/// The token that stands for a word outside the vocabulary.
const UNKNOWN: u32 = 0;

impl Tokenizer {
    /// A vocabulary of `size` tokens whose texts are `t0`, `t1`, …; in a text they are separated by
    /// spaces. `end` ends an output.
    ///
    /// # Errors
    /// None that is known.
    pub fn numbered(size: usize, end: u32) -> Result<Tokenizer> {
        build(size, end)
    }
}

fn build(size: usize, end: u32) -> Result<Tokenizer> {
    let wrong = |error: tokenizers::Error| Error::Tokenizer(error.to_string());
    let vocabulary = (0..size as u32).map(|id| (word(id), id)).collect();
    let model =
        WordLevel::builder().vocab(vocabulary).unk_token(word(UNKNOWN)).build().map_err(wrong)?;
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_pre_tokenizer(Some(WhitespaceSplit));
    Ok(Tokenizer::new(Backend::Hf(Box::new(HfTokenizer::new(inner, None, None)?)), None, vec![end]))
}

/// The text of a token.
fn word(id: u32) -> String {
    format!("t{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_their_numbers() {
        let tokenizer = build(50, 2).unwrap();
        assert_eq!(tokenizer.encode_plain("t7 t49  t50 t0").unwrap(), [7, 49, 0, 0]);
        assert_eq!(tokenizer.decode(&[7, 49]).unwrap(), "t7 t49");
        assert!(tokenizer.is_end(2) && tokenizer.begin().is_none());
    }
}
