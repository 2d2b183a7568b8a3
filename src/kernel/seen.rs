//! Which rows of the keys and values the queries of a group see.

use super::attention::KeyValues;
use std::ops::Range;

/// Rows of the second part, in the order in which they are seen.
pub(super) trait Rows: Copy {
    fn count(self) -> usize;
    fn row(self, i: usize) -> usize;
}

/// From one row to before another.
#[derive(Clone, Copy)]
pub(super) struct Run(pub usize, pub usize);

impl Rows for Run {
    #[inline(always)]
    fn count(self) -> usize {
        self.1 - self.0
    }
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
    fn count(self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn row(self, i: usize) -> usize {
        self.0[i] as usize
    }
}

/// The positions that a query sees: whole rows of the first part, then of the second.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a, R> {
    pub first: KeyValues<'a>,
    pub second: KeyValues<'a>,
    pub rows: R,
    pub width: usize,
}

impl<'a, R: Rows> Seen<'a, R> {
    pub(super) fn new(parts: [KeyValues<'a>; 2], width: usize, first: Range<usize>, rows: R) -> Self {
        let span = first.start.min(first.end) * width..first.end * width;
        Seen { first: KeyValues { keys: &parts[0].keys[span.clone()], values: &parts[0].values[span] }, second: parts[1], rows, width }
    }

    pub(super) fn held(&self) -> usize {
        self.first.keys.len() / self.width
    }

    pub(super) fn len(&self) -> usize {
        self.held() + self.rows.count()
    }
}
