//! The places of sequences in a ragged batch.

use std::ops::Range;

/// The ranges of sequences of these lengths that stand one after the other.
pub(super) fn ranges(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |n: &usize| {
        end += n;
        end - n..end
    };
    lengths.iter().map(range).collect()
}
