//! The keys and values that the queries of a tile see, by position.

use super::shape::KeyValues;
use crate::kernel::simd::LANES;
use std::ops::Range;

/// The rows of the second part, by the order in which they are seen.
pub(super) trait RowOrder: Copy {
    /// Row number `i` in this order.
    fn row(self, i: usize) -> usize;
}

/// All rows from one on.
#[derive(Clone, Copy)]
pub(super) struct Contiguous {
    pub first: usize,
}

impl RowOrder for Contiguous {
    #[inline(always)]
    fn row(self, i: usize) -> usize {
        self.first + i
    }
}

/// Rows given by their numbers.
#[derive(Clone, Copy)]
pub(super) struct Gathered<'a>(pub &'a [u32]);

impl RowOrder for Gathered<'_> {
    #[inline(always)]
    fn row(self, i: usize) -> usize {
        self.0[i] as usize
    }
}

/// The positions that any of a tile's queries sees, counted through both parts: the rows of the
/// prefix, then those of the second part in their order.
#[derive(Clone)]
pub(super) struct KeyIndex<'a, E, R> {
    /// The prefix, and the sequence's own part.
    pub parts: [KeyValues<'a, E>; 2],
    /// Floats of one position's keys.
    pub width: usize,
    pub span: Range<usize>,
    pub order: R,
}

impl<'a, E, R: RowOrder> KeyIndex<'a, E, R> {
    /// Positions of the prefix.
    #[inline(always)]
    pub(super) fn prefix_len(&self) -> usize {
        self.parts[0].keys.len() / self.width
    }

    /// The keys of sixteen positions from `first` on; after the last position its row again.
    #[inline(always)]
    pub(super) fn keys(&self, first: usize) -> [&'a [E]; LANES] {
        self.rows(first, self.parts.each_ref().map(|part| part.keys))
    }

    /// The values of sixteen positions from `first` on; after the last position its row again.
    #[inline(always)]
    pub(super) fn values(&self, first: usize) -> [&'a [E]; LANES] {
        self.rows(first, self.parts.each_ref().map(|part| part.values))
    }

    #[inline(always)]
    fn rows(&self, first: usize, [prefix, own]: [&'a [E]; 2]) -> [&'a [E]; LANES] {
        let prefix_len = self.prefix_len();
        std::array::from_fn(|i| {
            let position = (first + i).min(self.span.end - 1);
            let (part, row) = if position < prefix_len {
                (prefix, position)
            } else {
                (own, self.order.row(position - prefix_len))
            };
            &part[row * self.width..][..self.width]
        })
    }
}

/// The positions that one query sees.
pub(super) struct KeyRange {
    /// Positions, of which the last ones may be in a second range.
    pub ranges: [Range<usize>; 2],
    /// The position of the query, as each part counts.
    pub query: [usize; 2],
}

impl KeyRange {
    /// One range of positions; the query stands at its last.
    #[inline(always)]
    pub(super) fn up_to_query(range: Range<usize>) -> KeyRange {
        let (last, end) = (range.end - 1, range.end);
        KeyRange { ranges: [range, end..end], query: [last; 2] }
    }

    /// The positions that the query does not see, of `count` from position `first` on, counted from
    /// there.
    #[inline(always)]
    pub(super) fn hidden(&self, first: usize, count: usize) -> [Range<usize>; 3] {
        let [a, b] = &self.ranges;
        [0..a.start - first, a.end - first..b.start - first, b.end - first..count]
    }
}
