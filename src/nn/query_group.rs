//! Queries of an encoder that are attended together.

use crate::kernel::Mask;
use std::ops::Range;

/// Some queries of a sequence, and the keys and values that they see.
pub struct QueryGroup<'a> {
    /// Rows of the queries' tensor.
    pub queries: Range<usize>,
    /// Rows of the keys' and values' tensors, in two parts.
    pub parts: [Range<usize>; 2],
    /// Which of the keys each query sees.
    pub mask: Mask<'a>,
}

impl<'a> QueryGroup<'a> {
    /// One group a sequence, which sees itself and no other.
    pub(super) fn per_sequence(sequences: &[Range<usize>], mask: Mask<'a>) -> Vec<QueryGroup<'a>> {
        sequences
            .iter()
            .map(|rows| QueryGroup { queries: rows.clone(), parts: [0..0, rows.clone()], mask })
            .collect()
    }
}
