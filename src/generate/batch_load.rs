//! How full the batch of a worker is.

use std::ops::AddAssign;

/// What the batch of a worker holds.
#[derive(Clone, Copy, Default)]
pub(super) struct BatchLoad {
    pub sequences: usize,
    /// One for each sequence, or as many as its beam is wide.
    pub hypotheses: usize,
    /// Tokens of the caches when all is written, at most.
    pub tokens: usize,
    /// Tokens that are to be read before the first is written.
    pub unread: usize,
}

impl AddAssign for BatchLoad {
    fn add_assign(&mut self, other: BatchLoad) {
        self.sequences += other.sequences;
        self.hypotheses += other.hypotheses;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.unread += other.unread;
    }
}
