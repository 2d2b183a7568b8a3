//! Attention of a few queries that see nearly the same: sixteen keys at a time, all heads, then the
//! softmax, then the values.

use super::activation::exp;
use super::attention::AttentionShape;
use super::lanes::{Element, Lanes};
use super::relative::RelativeBias;
use super::seen::{Rows, Seen};
use std::ops::Range;

/// Floats that are computed side by side; positions that are gone over together. A position's lane
/// is its own, whatever else is seen.
pub(super) const LANES: usize = 16;

/// Queries that go over their keys together, at most.
pub(super) const TOGETHER: usize = 4;

/// How places are counted for what is added by the distance.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    /// For each part.
    pub bias: [Option<&'a RelativeBias>; 2],
    /// Of the first row of each part that is seen by any.
    pub first: [usize; 2],
}

/// What one query sees.
pub(super) struct View {
    /// Positions, of which the last ones may be in a second run.
    pub ranges: [Range<usize>; 2],
    /// Where the query stands, as each part counts.
    pub at: [usize; 2],
}

impl View {
    /// One run of positions; the query stands at its last.
    #[inline(always)]
    pub(super) fn run(range: Range<usize>) -> View {
        let (at, end) = (range.end - 1, range.end);
        View { ranges: [range, end..end], at: [at; 2] }
    }

    /// What it does not see of `count` scores from position `first` on, as places among them.
    #[inline(always)]
    fn hidden(&self, first: usize, count: usize) -> [Range<usize>; 3] {
        let [a, b] = &self.ranges;
        [0..a.start - first, a.end - first..b.start - first, b.end - first..count]
    }
}

/// The queries of one call, and where their results go.
pub(super) struct Queries<'a> {
    shape: &'a AttentionShape,
    q: &'a [f32],
    out: &'a mut [f32],
    /// Of a tile: (tokens, heads, positions), the positions from a multiple of the lanes to a
    /// multiple.
    scores: Vec<f32>,
    /// See [`Queries::tile`].
    order: Vec<usize>,
}

impl<'a> Queries<'a> {
    pub(super) fn new(shape: &'a AttentionShape, q: &'a [f32], out: &'a mut [f32]) -> Queries<'a> {
        Queries { shape, q, out, scores: Vec::new(), order: Vec::new() }
    }

    /// All heads of a few tokens, which see nearly the same.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    pub(super) unsafe fn tile<L: Lanes, E: Element, R: Rows>(
        &mut self,
        tokens: Range<usize>,
        places: Places<'_>,
        seen: Seen<'_, E, R>,
        view: impl Fn(usize) -> View,
    ) {
        let &AttentionShape { heads, kv_heads, dim, scale, .. } = self.shape;
        let group = heads / kv_heads;
        let held = seen.held();
        let start = seen.span.start / LANES * LANES;
        let stride = (seen.span.end - start).next_multiple_of(LANES);
        let size = tokens.len() * heads * stride;
        if self.scores.len() < size {
            self.scores.resize(size, 0.0);
        }
        // The queries, those of one key head after those of another: as rows of the tile.
        let count = tokens.len() * group;
        self.order.clear();
        for kv in 0..kv_heads {
            self.order.extend(
                (0..tokens.len()).flat_map(|t| (0..group).map(move |i| t * heads + kv * group + i)),
            );
        }
        let q = &self.q[tokens.start * heads * dim..tokens.end * heads * dim];
        let out = &mut self.out[tokens.start * heads * dim..tokens.end * heads * dim];
        // Rows whose memory is asked for while a head is at work.
        let share = LANES.div_ceil(kv_heads);
        // Sixteen positions after sixteen, all heads: the keys are read in the order in which they
        // lie.
        let mut keys = seen.rows(start, |part| part.keys);
        for first in (start..seen.span.end).step_by(LANES) {
            // What comes next is on its way in the meantime, the values after the last keys.
            let next = first + LANES;
            let ahead = if next < seen.span.end {
                seen.rows(next, |part| part.keys)
            } else {
                seen.rows(start, |part| part.values)
            };
            for (kv, queries) in self.order.chunks_exact(count).enumerate() {
                ahead.iter().skip(kv * share).take(share).for_each(|row| prefetch(row));
                for &query in queries {
                    // SAFETY: the caller has the features of the lanes.
                    unsafe {
                        let scores = dots::<L, E>(&q[query * dim..][..dim], &keys, kv * dim)
                            .mul(L::splat(scale));
                        let place = query * stride + first - start;
                        scores.store(&mut self.scores.as_chunks_mut::<LANES>().0[place / LANES]);
                    }
                }
            }
            keys = ahead;
        }
        for (t, scores) in tokens.clone().zip(self.scores[..size].chunks_exact_mut(heads * stride))
        {
            let view = view(t);
            let hidden = view.hidden(start, stride);
            for (head, scores) in scores.chunks_exact_mut(stride).enumerate() {
                for (part, rows) in
                    [start..held.max(start), held.max(start)..seen.span.end].into_iter().enumerate()
                {
                    if let Some(bias) = places.bias[part] {
                        let line = bias.line(head);
                        let position =
                            places.first[part] + if part == 0 { start } else { rows.start - held };
                        for (position, score) in
                            (position..).zip(&mut scores[rows.start - start..rows.end - start])
                        {
                            *score += line[bias.place(view.at[part], position)];
                        }
                    }
                }
                hidden.iter().for_each(|rows| scores[rows.clone()].fill(f32::NEG_INFINITY));
                softmax(scores, &hidden);
            }
        }
        let mut values = keys;
        for first in (start..seen.span.end).step_by(LANES) {
            let next = first + LANES;
            let ahead =
                if next < seen.span.end { seen.rows(next, |part| part.values) } else { values };
            let rows = &values[..LANES.min(seen.span.end - first)];
            for (kv, queries) in self.order.chunks_exact(count).enumerate() {
                if next < seen.span.end {
                    ahead.iter().skip(kv * share).take(share).for_each(|row| prefetch(row));
                }
                let weights =
                    |query: usize| &self.scores[query * stride + first - start..][..LANES];
                let to = Columns { rows, column: kv * dim, dim, begin: first == start };
                let (fours, rest) = queries.as_chunks::<4>();
                // SAFETY: the caller has the features of the lanes.
                unsafe {
                    for four in fours {
                        weigh::<L, E, 4>(four.map(weights), to, out, four.map(|query| query * dim));
                    }
                    for &query in rest {
                        weigh::<L, E, 1>([weights(query)], to, out, [query * dim]);
                    }
                }
            }
            values = ahead;
        }
    }
}

/// Asks for memory that is read soon.
#[inline(always)]
fn prefetch<E>(values: &[E]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(64 / size_of::<E>()) {
        // SAFETY: it has no effect but on the cache, and all x86-64 has it.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                line.as_ptr().cast(),
            )
        };
    }
    let _ = values;
}

/// Scores, a multiple of the lanes, to weights: those of `hidden` are zero, and the sum of all is
/// one.
#[inline(always)]
fn softmax(scores: &mut [f32], hidden: &[Range<usize>]) {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in scores.as_chunks::<LANES>().0 {
        lanes
            .iter_mut()
            .zip(block)
            .for_each(|(lane, &score)| *lane = if score > *lane { score } else { *lane });
    }
    let largest = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    for block in scores.as_chunks_mut::<LANES>().0 {
        block.iter_mut().for_each(|score| *score = exp(*score - largest));
    }
    hidden.iter().for_each(|rows| scores[rows.clone()].fill(0.0));
    let mut sums = [0.0f32; LANES];
    for block in scores.as_chunks::<LANES>().0 {
        sums.iter_mut().zip(block).for_each(|(sum, score)| *sum += score);
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for block in scores.as_chunks_mut::<LANES>().0 {
        block.iter_mut().for_each(|score| *score *= inverse);
    }
}

// No closures around lanes below: what is not inlined into a function with the features is a call
// for every instruction.

/// The dot products of a query with columns of sixteen rows, as many as it has.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn dots<L: Lanes, E: Element>(query: &[f32], rows: &[&[E]; LANES], column: usize) -> L {
    let dim = query.len();
    assert!(rows.iter().all(|row| column + dim <= row.len()));
    // SAFETY: the caller has the features of the lanes; all rows have the columns.
    unsafe {
        let mut sums = [L::zero(); LANES];
        let mut at = 0;
        while at + LANES <= dim {
            let part = L::load_at(query.as_ptr().add(at));
            for i in 0..LANES {
                sums[i] = part.mul_add(E::load::<L>(rows[i].as_ptr().add(column + at)), sums[i]);
            }
            at += LANES;
        }
        if at < dim {
            let part = L::load_part(&query[at..]);
            for i in 0..LANES {
                sums[i] = part.mul_add(L::load_part(&rows[i][column + at..column + dim]), sums[i]);
            }
        }
        L::sums(sums)
    }
}

/// Columns of up to sixteen rows of values.
#[derive(Clone, Copy)]
struct Columns<'a, E> {
    rows: &'a [&'a [E]],
    column: usize,
    dim: usize,
    /// Whether they are the first that are added up.
    begin: bool,
}

/// Adds the values, times each query's weights, to the queries' results at `outs`.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn weigh<L: Lanes, E: Element, const H: usize>(
    weights: [&[f32]; H],
    values: Columns<'_, E>,
    out: &mut [f32],
    outs: [usize; H],
) {
    let Columns { rows, column, dim, begin } = values;
    assert!(
        rows.iter().all(|row| column + dim <= row.len())
            && outs.iter().all(|o| o + dim <= out.len())
    );
    assert!(weights.iter().all(|w| w.len() >= rows.len()));
    let mut at = 0;
    // SAFETY: the caller has the features of the lanes; what is read and written has been looked at
    // above.
    unsafe {
        // As many columns at once as there are registers for.
        while L::MANY && at + 4 * LANES <= dim {
            blocks::<L, E, H, 4>(&weights, values, at, out, &outs);
            at += 4 * LANES;
        }
        while at + LANES <= dim {
            blocks::<L, E, H, 1>(&weights, values, at, out, &outs);
            at += LANES;
        }
        for h in 0..H {
            for at in at..dim {
                let place = &mut out[outs[h] + at];
                let mut sum = if begin { 0.0 } else { *place };
                for (row, weight) in rows.iter().zip(weights[h]) {
                    sum = weight.mul_add(row[column + at].float(), sum);
                }
                *place = sum;
            }
        }
    }
}

/// `N` blocks of columns from the values' column `at` on.
///
/// # Safety
/// The caller has the features of the lanes; rows and results have the columns, and each query a
/// weight for each row.
#[inline(always)]
unsafe fn blocks<L: Lanes, E: Element, const H: usize, const N: usize>(
    weights: &[&[f32]; H],
    values: Columns<'_, E>,
    at: usize,
    out: &mut [f32],
    outs: &[usize; H],
) {
    // SAFETY: the caller has the features of the lanes, and has looked at the lengths.
    unsafe {
        let mut sums = [[L::zero(); N]; H];
        if !values.begin {
            for (sums, place) in sums.iter_mut().zip(outs) {
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load_at(out.as_ptr().add(place + at + n * LANES));
                }
            }
        }
        for (i, row) in values.rows.iter().enumerate() {
            let mut loaded = [L::zero(); N];
            for (n, loaded) in loaded.iter_mut().enumerate() {
                *loaded = E::load::<L>(row.as_ptr().add(values.column + at + n * LANES));
            }
            for h in 0..H {
                let weight = L::splat(*weights[h].get_unchecked(i));
                for n in 0..N {
                    sums[h][n] = weight.mul_add(loaded[n], sums[h][n]);
                }
            }
        }
        for h in 0..H {
            let (blocks, _) = out[outs[h] + at..][..N * LANES].as_chunks_mut::<LANES>();
            for n in 0..N {
                sums[h][n].store(&mut blocks[n]);
            }
        }
    }
}
