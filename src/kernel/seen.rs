//! Which rows of the keys and values the queries of a tile see.

use super::attention::KeyValues;
use super::tile::LANES;
use std::ops::Range;

/// Rows of the second part, in the order in which they are seen.
pub(super) trait Rows: Copy {
    fn row(self, i: usize) -> usize;
}

/// All from one row on.
#[derive(Clone, Copy)]
pub(super) struct Run(pub usize);

impl Rows for Run {
    #[inline(always)]
    fn row(self, i: usize) -> usize {
        self.0 + i
    }
}

/// Row by row.
#[derive(Clone, Copy)]
pub(super) struct Path<'a>(pub &'a [u32]);

impl Rows for Path<'_> {
    #[inline(always)]
    fn row(self, i: usize) -> usize {
        self.0[i] as usize
    }
}

/// The positions that any of a tile's queries sees, counted through both parts: the first part's
/// rows, then those of the second.
#[derive(Clone)]
pub(super) struct Seen<'a, E, R> {
    pub parts: [KeyValues<'a, E>; 2],
    pub width: usize,
    pub span: Range<usize>,
    pub rows: R,
}

impl<'a, E, R: Rows> Seen<'a, E, R> {
    /// Positions of the first part.
    #[inline(always)]
    pub(super) fn held(&self) -> usize {
        self.parts[0].keys.len() / self.width
    }

    /// Sixteen rows, from position `first` on; after the last position seen its row again.
    #[inline(always)]
    pub(super) fn rows(
        &self,
        first: usize,
        of: impl Fn(&KeyValues<'a, E>) -> &'a [E],
    ) -> [&'a [E]; LANES] {
        let held = self.held();
        let [a, b] = self.parts.each_ref().map(of);
        std::array::from_fn(|i| {
            let position = (first + i).min(self.span.end - 1);
            let (part, row) =
                if position < held { (a, position) } else { (b, self.rows.row(position - held)) };
            &part[row * self.width..][..self.width]
        })
    }
}
