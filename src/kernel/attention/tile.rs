//! Attention of a few queries that see nearly the same: the scores of sixteen keys at a time for
//! all heads, then the softmax, then the values.

use super::key_index::{KeyIndex, KeyRange, RowOrder};
use super::products::{Columns, dot_products, weighted_sum};
use super::relative_bias::BiasOrigin;
use super::shape::AttentionShape;
use super::softmax::softmax;
use crate::kernel::simd::{Element, F32x16, LANES, prefetch_l1, soft_cap};
use std::ops::Range;

/// Queries that go over their keys together, at most.
pub(super) const QUERY_BLOCK: usize = 4;

/// The queries of one call, and where their results go.
pub(super) struct Queries<'a> {
    shape: &'a AttentionShape,
    q: &'a [f32],
    out: &'a mut [f32],
    /// Scores of a tile, later weights: (tokens, heads, positions), the positions from a multiple
    /// of the lanes to a multiple. A position's lane is its own, whatever else is seen.
    scores: Vec<f32>,
    /// Rows of a tile: its queries, (kv_heads, tokens, heads / kv_heads), those that share a key
    /// head side by side.
    order: Vec<usize>,
}

/// The sizes of a tile.
struct Tile {
    tokens: Range<usize>,
    /// Its floats among those of all queries.
    span: Range<usize>,
    /// The positions that any of its queries sees, from a multiple of the lanes on.
    positions: Range<usize>,
    /// Scores of a query: the positions, filled up to a multiple of the lanes.
    stride: usize,
    /// Queries that share a key head.
    sharing: usize,
    /// Rows that are prefetched while a key head is at work.
    prefetched: usize,
}

impl Tile {
    /// Where the positions after sixteen others begin, if there are any.
    #[inline(always)]
    fn next(&self, first: usize) -> Option<usize> {
        Some(first + LANES).filter(|next| *next < self.positions.end)
    }
}

impl<'a> Queries<'a> {
    pub(super) fn new(shape: &'a AttentionShape, q: &'a [f32], out: &'a mut [f32]) -> Queries<'a> {
        Queries { shape, q, out, scores: Vec::new(), order: Vec::new() }
    }

    /// Computes attention for all heads of a few tokens, which see nearly the same: `seen_by` says
    /// what each sees.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn attend<L: F32x16, E: Element, R: RowOrder>(
        &mut self,
        tokens: Range<usize>,
        origin: BiasOrigin<'_>,
        index: KeyIndex<'_, E, R>,
        seen_by: impl Fn(usize) -> KeyRange,
    ) {
        let tile = self.lay_out(tokens, &index);
        // SAFETY: the caller has the features of the lanes.
        unsafe {
            let values = self.score::<L, E, R>(&tile, &index);
            self.normalize::<L>(&tile, origin, index.prefix_len(), seen_by);
            self.sum_values::<L, E, R>(&tile, &index, values);
        }
    }

    /// Makes room for a tile's scores, and puts its queries in order.
    #[inline(always)]
    fn lay_out<E, R: RowOrder>(
        &mut self,
        tokens: Range<usize>,
        index: &KeyIndex<'_, E, R>,
    ) -> Tile {
        let &AttentionShape { heads, kv_heads, dim, .. } = self.shape;
        let group = heads / kv_heads;
        let positions = index.span.start / LANES * LANES..index.span.end;
        let stride = (positions.end - positions.start).next_multiple_of(LANES);
        let size = tokens.len() * heads * stride;
        if self.scores.len() < size {
            self.scores.resize(size, 0.0);
        }
        self.order.clear();
        for kv in 0..kv_heads {
            self.order.extend(
                (0..tokens.len()).flat_map(|t| (0..group).map(move |i| t * heads + kv * group + i)),
            );
        }
        Tile {
            span: tokens.start * heads * dim..tokens.end * heads * dim,
            positions,
            stride,
            sharing: tokens.len() * group,
            prefetched: LANES.div_ceil(kv_heads),
            tokens,
        }
    }

    /// The first phase: the scores of all keys, sixteen positions after sixteen, all heads, so that
    /// the keys are read in the order in which they lie. Returns the first values, which are on
    /// their way into the cache.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn score<'k, L: F32x16, E: Element, R: RowOrder>(
        &mut self,
        tile: &Tile,
        index: &KeyIndex<'k, E, R>,
    ) -> [&'k [E]; LANES] {
        let &AttentionShape { dim, scale, .. } = self.shape;
        let q = &self.q[tile.span.clone()];
        let start = tile.positions.start;
        let mut keys = index.keys(start);
        for first in tile.positions.clone().step_by(LANES) {
            let ahead = match tile.next(first) {
                Some(next) => index.keys(next),
                None => index.values(start),
            };
            for (kv, queries) in self.order.chunks_exact(tile.sharing).enumerate() {
                let rows = ahead.iter().skip(kv * tile.prefetched).take(tile.prefetched);
                rows.for_each(|row| prefetch_l1(row));
                for &query in queries {
                    // SAFETY: the caller has the features of the lanes.
                    unsafe {
                        let scores =
                            dot_products::<L, E>(&q[query * dim..][..dim], &keys, kv * dim)
                                .mul(L::splat(scale));
                        let place = query * tile.stride + first - start;
                        scores.store(&mut self.scores.as_chunks_mut::<LANES>().0[place / LANES]);
                    }
                }
            }
            keys = ahead;
        }
        keys
    }

    /// The second phase: scores, plus their bias, become weights.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn normalize<L: F32x16>(
        &mut self,
        tile: &Tile,
        origin: BiasOrigin<'_>,
        prefix_len: usize,
        seen_by: impl Fn(usize) -> KeyRange,
    ) {
        let (heads, stride) = (self.shape.heads, tile.stride);
        let Range { start, end } = tile.positions;
        let border = prefix_len.max(start);
        let parts = [start..border, border..end];
        let first = [origin.first[0] + start, origin.first[1] + border - prefix_len];
        let all =
            self.scores[..tile.tokens.len() * heads * stride].chunks_exact_mut(heads * stride);
        for (t, scores) in tile.tokens.clone().zip(all) {
            let range = seen_by(t);
            let hidden = range.hidden(start, stride);
            if let Some(cap) = self.shape.cap {
                scores.iter_mut().for_each(|score| *score = soft_cap(*score, cap));
            }
            for (head, scores) in scores.chunks_exact_mut(stride).enumerate() {
                for (part, rows) in parts.iter().enumerate() {
                    if let Some(bias) = origin.bias[part] {
                        let biases = bias.of_head(head);
                        let scores = &mut scores[rows.start - start..rows.end - start];
                        for (position, score) in (first[part]..).zip(scores) {
                            *score += biases[bias.bucket(range.query[part], position)];
                        }
                    }
                }
            }
            // SAFETY: the caller has the features of the lanes.
            unsafe { softmax::<L>(scores, stride, &hidden) };
        }
    }

    /// The third phase: the sums of all values times their weights. `values` are the first sixteen.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn sum_values<'k, L: F32x16, E: Element, R: RowOrder>(
        &mut self,
        tile: &Tile,
        index: &KeyIndex<'k, E, R>,
        mut values: [&'k [E]; LANES],
    ) {
        let (dim, start) = (self.shape.dim, tile.positions.start);
        let out = &mut self.out[tile.span.clone()];
        for first in tile.positions.clone().step_by(LANES) {
            let next = tile.next(first);
            let ahead = match next {
                Some(next) => index.values(next),
                None => values,
            };
            let rows = &values[..LANES.min(tile.positions.end - first)];
            for (kv, queries) in self.order.chunks_exact(tile.sharing).enumerate() {
                if next.is_some() {
                    let rows = ahead.iter().skip(kv * tile.prefetched).take(tile.prefetched);
                    rows.for_each(|row| prefetch_l1(row));
                }
                let weights =
                    |query: usize| &self.scores[query * tile.stride + first - start..][..LANES];
                let columns = Columns { rows, column: kv * dim, dim, begin: first == start };
                let (fours, rest) = queries.as_chunks::<4>();
                // SAFETY: the caller has the features of the lanes.
                unsafe {
                    for four in fours {
                        let places = four.map(|query| query * dim);
                        weighted_sum::<L, E, 4>(four.map(weights), columns, out, places);
                    }
                    for &query in rest {
                        weighted_sum::<L, E, 1>([weights(query)], columns, out, [query * dim]);
                    }
                }
            }
            values = ahead;
        }
    }
}
