//! The tiles of queries of each mask, and what each query sees.

use super::key_index::{Contiguous, Gathered, KeyIndex, KeyRange};
use super::relative_bias::{BiasOrigin, RelativeBias};
use super::shape::{AttentionShape, GlobalBlocks, KeyValues};
use super::tile::{QUERY_BLOCK, Queries};
use crate::kernel::simd::{Element, F32x16};
use std::ops::Range;

/// The queries of one call, and the positions that a mask lets them see.
pub(super) struct Masked<'a, E> {
    pub queries: Queries<'a>,
    /// Number of queries.
    pub tokens: usize,
    /// The prefix, and the sequence's own part.
    pub parts: [KeyValues<'a, E>; 2],
    /// Positions of each part.
    pub lengths: [usize; 2],
    pub shape: &'a AttentionShape,
    pub bias: Option<&'a RelativeBias>,
}

impl<'a, E: Element> Masked<'a, E> {
    /// [`Mask::Causal`](super::shape::Mask::Causal).
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn causal<L: F32x16>(&mut self) {
        let before = self.lengths[0] + self.lengths[1] - self.tokens;
        let end = |t: usize| before + t + 1;
        let shape = self.shape;
        for tile in tiles(self.tokens) {
            let span = begin(shape, end(tile.start))..end(tile.end - 1);
            let index = self.index(span, Contiguous { first: 0 });
            let seen_by = |t| KeyRange::up_to_query(begin(shape, end(t))..end(t));
            let origin = self.in_order();
            // SAFETY: the caller has the features of the lanes.
            unsafe { self.queries.attend::<L, E, Contiguous>(tile, origin, index, seen_by) };
        }
    }

    /// [`Mask::Full`](super::shape::Mask::Full).
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn full<L: F32x16>(&mut self) {
        let length = self.lengths[0] + self.lengths[1];
        for tile in tiles(self.tokens) {
            let index = self.index(0..length, Contiguous { first: 0 });
            let seen_by = |t| KeyRange { query: [t; 2], ..KeyRange::up_to_query(0..length) };
            let origin = self.in_order();
            // SAFETY: the caller has the features of the lanes.
            unsafe { self.queries.attend::<L, E, Contiguous>(tile, origin, index, seen_by) };
        }
    }

    /// [`Mask::BeamPaths`](super::shape::Mask::BeamPaths).
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn beam_paths<L: F32x16>(&mut self, paths: &[Vec<u32>]) {
        for (t, path) in paths.iter().enumerate() {
            let end = self.lengths[0] + path.len();
            let span = begin(self.shape, end)..end;
            let index = self.index(span.clone(), Gathered(path));
            let seen_by = |_| KeyRange::up_to_query(span.clone());
            let origin = self.in_order();
            // SAFETY: the caller has the features of the lanes.
            unsafe { self.queries.attend::<L, E, Gathered<'_>>(t..t + 1, origin, index, seen_by) };
        }
    }

    /// [`Mask::Local`](super::shape::Mask::Local). Neighbours see nearly the same, and go over what
    /// any of them sees together.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn local<L: F32x16>(
        &mut self,
        radius: usize,
        blocks: Option<GlobalBlocks<'a>>,
    ) {
        let [prefix, own] = self.lengths;
        let seen = |queries: Range<usize>| {
            queries.start.saturating_sub(radius)..queries.end.saturating_add(radius).min(own)
        };
        for tile in tiles(self.tokens) {
            let Range { start: first, end } = seen(tile.clone());
            let index = self.index(0..prefix + end - first, Contiguous { first });
            let origin = BiasOrigin {
                bias: [blocks.map(|blocks| blocks.bias), self.bias],
                first: [0, first],
            };
            let seen_by = |t| {
                let near = seen(t..t + 1);
                KeyRange {
                    ranges: [0..prefix, prefix + near.start - first..prefix + near.end - first],
                    query: [blocks.map_or(0, |blocks| blocks.of(t, prefix)), t],
                }
            };
            // SAFETY: the caller has the features of the lanes.
            unsafe { self.queries.attend::<L, E, Contiguous>(tile, origin, index, seen_by) };
        }
    }

    #[inline(always)]
    fn index<R>(&self, span: Range<usize>, order: R) -> KeyIndex<'a, E, R> {
        KeyIndex { parts: self.parts, width: self.shape.kv_width(), span, order }
    }

    /// One bias for both parts, the second of which continues the first.
    #[inline(always)]
    fn in_order(&self) -> BiasOrigin<'a> {
        BiasOrigin { bias: [self.bias; 2], first: [0, self.lengths[0]] }
    }
}

/// Ranges of queries that go over their keys together.
#[inline(always)]
fn tiles(tokens: usize) -> impl Iterator<Item = Range<usize>> {
    (0..tokens).step_by(QUERY_BLOCK).map(move |from| from..(from + QUERY_BLOCK).min(tokens))
}

/// The first position that a query sees whose own is the last before `end`.
#[inline(always)]
fn begin(shape: &AttentionShape, end: usize) -> usize {
    shape.window.map_or(0, |window| end.saturating_sub(window))
}
