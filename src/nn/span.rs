//! The new tokens of a sequence in a batch.

use super::{KvCache, SourceCache};
use crate::error::Result;
use std::ops::Range;

/// The next tokens of one sequence, or the next token of each hypothesis of a beam, and the cache.
pub struct Span<'a> {
    /// At least one token.
    pub tokens: &'a [u32],
    /// KV cache of the preceding tokens.
    pub cache: &'a mut KvCache,
    /// For a beam: the cache's own rows that each token's hypothesis has passed, in order, the
    /// token's own row the last one. The tokens get the rows from [`KvCache::rows`] on. Without
    /// paths the tokens follow one another.
    pub paths: Option<&'a [Vec<u32>]>,
}

impl<'a> Span<'a> {
    /// The next tokens of one sequence.
    pub fn new(tokens: &'a [u32], cache: &'a mut KvCache) -> Span<'a> {
        Span { tokens, cache, paths: None }
    }

    /// The positions of the tokens.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let first = self.cache.len();
        let prefix = self.cache.prefix_len();
        (0..self.tokens.len())
            .map(move |i| self.paths.map_or(first + i, |paths| prefix + paths[i].len() - 1))
    }

    /// The source that the sequence attends to.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn source(&self) -> Result<&SourceCache> {
        let source = self.cache.source().map(|source| &**source);
        source.ok_or_else(|| {
            candle_core::Error::msg("attention to a source that was not read").into()
        })
    }

    /// The cache's own row of the token before one of these, if there is one.
    pub(super) fn row_before(&self, token: usize) -> Option<usize> {
        match self.paths {
            Some(paths) => paths[token].iter().rev().nth(1).map(|&row| row as usize),
            None => (self.cache.rows() + token).checked_sub(1),
        }
    }

    /// The tokens whose hidden states are wanted: the last one, or each of a beam.
    pub fn ends(&self) -> Range<usize> {
        let count = self.tokens.len();
        if self.paths.is_some() { 0..count } else { count - 1..count }
    }
}
