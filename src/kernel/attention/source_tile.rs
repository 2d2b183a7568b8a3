//! Attention to a source, a few queries of one head at a time.

use super::shape::{AttentionShape, RowColumns};
use super::softmax::{ROWS, softmax};
use crate::kernel::simd::{Aligned, Element, F32x16, LANES, LaneKernel, prefetch_l2};
use std::ops::Range;

/// Bytes of a cache line.
const LINE: usize = 64;

/// From one of the first sixteen on: what is added to the scores of a block that is not full.
static KNOWN_THEN_NOT: [[f32; LANES]; 2] = [[0.0; LANES], [f32::NEG_INFINITY; LANES]];

/// Queries that go over the keys together.
const TILE: usize = 4;

/// The operands of attention to a source.
pub(super) struct Operands<'a, E> {
    pub shape: &'a AttentionShape,
    pub q: RowColumns<'a>,
    /// In blocks.
    pub keys: &'a [E],
    /// (kv_heads, positions, dim)
    pub values: &'a [E],
    pub positions: usize,
    /// Keys and values that are needed next.
    pub ahead: [&'a [E]; 2],
    pub out: &'a mut [f32],
}

/// Operands whose lengths fit.
pub(super) struct Checked<'a, E>(Operands<'a, E>);

impl<'a, E> Operands<'a, E> {
    /// # Panics
    /// If the lengths do not fit.
    pub(super) fn check(self) -> Checked<'a, E> {
        let &Operands { shape, q, keys, values, positions, ref out, .. } = &self;
        let width = shape.kv_width();
        assert!(shape.dim > 0 && shape.heads.is_multiple_of(shape.kv_heads) && positions > 0);
        assert!(q.width == shape.heads * shape.dim && q.values.len().is_multiple_of(q.stride));
        assert!(q.first + q.width <= q.stride && out.len() == q.rows() * q.width);
        assert!(keys.len() == positions.div_ceil(LANES) * width * LANES);
        assert!(values.len() == positions * width);
        Checked(self)
    }
}

impl<E: Element> LaneKernel for Checked<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: F32x16>(self) {
        // SAFETY: as the caller promises; the operands are checked.
        unsafe { attend_with::<L, E>(self.0) }
    }
}

/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn attend_with<L: F32x16, E: Element>(mut operands: Operands<'_, E>) {
    let rows = operands.q.rows();
    let mut scores = Aligned::zeros(ROWS * operands.positions.next_multiple_of(LANES));
    // Heads inside: their keys and values lie one after the other.
    let mut first = 0;
    while first < rows {
        let whole = first + TILE <= rows;
        // As many as make the rows of a softmax.
        let together = if whole { ROWS / TILE } else { ROWS };
        for head in (0..operands.shape.heads).step_by(together) {
            let heads = head..(head + together).min(operands.shape.heads);
            // SAFETY: as the caller promises.
            unsafe {
                if whole {
                    tile::<L, E, TILE>(&mut operands, heads, first, &mut scores);
                } else {
                    tile::<L, E, 1>(&mut operands, heads, first, &mut scores);
                }
            }
        }
        first += if whole { TILE } else { 1 };
    }
}

/// Attention of some heads of the `Q` queries from `first` on.
///
/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn tile<L: F32x16, E: Element, const Q: usize>(
    operands: &mut Operands<'_, E>,
    heads: Range<usize>,
    first: usize,
    scores: &mut [f32],
) {
    let padded = operands.positions.next_multiple_of(LANES);
    let scores = &mut scores[..heads.len() * Q * padded];
    for (head, scores) in heads.clone().zip(scores.chunks_exact_mut(Q * padded)) {
        if first == 0 {
            operands.prefetch(head);
        }
        // SAFETY: as the caller promises.
        unsafe { score::<L, E, Q>(operands, head, first, scores) };
    }
    // SAFETY: as the caller promises.
    unsafe { softmax::<L>(scores, padded, &[]) };
    for (head, weights) in heads.zip(scores.chunks_exact(Q * padded)) {
        // SAFETY: as the caller promises.
        unsafe { sum_values::<L, E, Q>(operands, head, first, weights) };
    }
}

impl<E> Operands<'_, E> {
    /// The key head of a head.
    #[inline(always)]
    fn kv_head(&self, head: usize) -> usize {
        head / (self.shape.heads / self.shape.kv_heads)
    }

    /// Prefetches a head's share of what is needed next.
    #[inline(always)]
    fn prefetch(&self, head: usize) {
        for part in self.ahead {
            let share = part.len().div_ceil(self.shape.heads);
            let end = ((head + 1) * share).min(part.len());
            let mut at = head * share;
            while at < end {
                prefetch_l2(part.as_ptr().wrapping_add(at).cast());
                at += LINE / size_of::<E>();
            }
        }
    }
}

/// The scores of a head of the `Q` queries from `first` on, (Q, padded positions); those of no
/// position are −∞.
///
/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn score<L: F32x16, E: Element, const Q: usize>(
    operands: &Operands<'_, E>,
    head: usize,
    first: usize,
    scores: &mut [f32],
) {
    let (dim, padded) = (operands.shape.dim, operands.positions.next_multiple_of(LANES));
    let queries: [&[f32]; Q] =
        std::array::from_fn(|i| &operands.q.row(first + i)[head * dim..(head + 1) * dim]);
    for block in 0..padded / LANES {
        let number = operands.kv_head(head) * (padded / LANES) + block;
        let keys = &operands.keys[number * dim * LANES..][..dim * LANES];
        // SAFETY: as the caller promises.
        unsafe {
            let all = products::<L, E, Q>(&queries, keys);
            for (i, all) in all.into_iter().enumerate() {
                let mut all = all.mul(L::splat(operands.shape.scale));
                let known = operands.positions - block * LANES;
                if known < LANES {
                    all =
                        all.add(L::load(KNOWN_THEN_NOT.as_flattened().as_ptr().add(LANES - known)));
                }
                let place = &mut scores[i * padded + block * LANES..];
                if let Some(place) = place.first_chunk_mut() {
                    all.store(place);
                }
            }
        }
    }
}

/// The sums of a head's values, times the weights of the `Q` queries from `first` on.
///
/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn sum_values<L: F32x16, E: Element, const Q: usize>(
    operands: &mut Operands<'_, E>,
    head: usize,
    first: usize,
    weights: &[f32],
) {
    let (shape, positions) = (operands.shape, operands.positions);
    let (dim, padded) = (shape.dim, positions.next_multiple_of(LANES));
    let weights: [&[f32]; Q] = std::array::from_fn(|i| &weights[i * padded..][..positions]);
    let values = (&operands.values[operands.kv_head(head) * positions * dim..], dim);
    let stride = shape.heads * dim;
    let out = &mut operands.out[first * stride + head * dim..];
    let mut column = 0;
    // SAFETY: as the caller promises; every row of values has the columns.
    unsafe {
        while column + 2 * LANES <= dim {
            means::<L, E, Q, 2>(&weights, values, column, (&mut out[column..], stride));
            column += 2 * LANES;
        }
        while column + LANES <= dim {
            means::<L, E, Q, 1>(&weights, values, column, (&mut out[column..], stride));
            column += LANES;
        }
    }
    for column in column..dim {
        for (i, weights) in weights.iter().enumerate() {
            let rows = values.0.chunks(values.1);
            out[i * stride + column] = weights
                .iter()
                .zip(rows)
                .fold(0.0, |sum: f32, (weight, row)| weight.mul_add(row[column].to_f32(), sum));
        }
    }
}

/// The products of `Q` queries with the sixteen keys of a block, (dim, 16). Even and odd places are
/// added up apart, so that twice as many sums are on their way.
///
/// # Safety
/// The caller has the features of the lanes; the block has as many rows as a query has numbers.
#[inline(always)]
unsafe fn products<L: F32x16, E: Element, const Q: usize>(
    queries: &[&[f32]; Q],
    keys: &[E],
) -> [L; Q] {
    // SAFETY: as the caller promises.
    unsafe {
        let (mut even, mut odd) = ([L::zero(); Q], [L::zero(); Q]);
        let dim = keys.len() / LANES;
        for d in (0..dim - 1).step_by(2) {
            let [a, b] = [d, d + 1].map(|d| keys.as_ptr().add(d * LANES));
            let (a, b) = (E::load::<L>(a), E::load::<L>(b));
            for i in 0..Q {
                even[i] = L::splat(*queries[i].get_unchecked(d)).mul_add(a, even[i]);
                odd[i] = L::splat(*queries[i].get_unchecked(d + 1)).mul_add(b, odd[i]);
            }
        }
        if dim % 2 == 1 {
            let a = E::load::<L>(keys.as_ptr().add((dim - 1) * LANES));
            for i in 0..Q {
                even[i] = L::splat(*queries[i].get_unchecked(dim - 1)).mul_add(a, even[i]);
            }
        }
        for i in 0..Q {
            even[i] = even[i].add(odd[i]);
        }
        even
    }
}

/// The sums of `N` times sixteen columns of values, times each query's weights, from a column on.
/// They go to rows of so wide a stride. Even and odd rows are added up apart.
///
/// # Safety
/// The caller has the features of the lanes; there is a row of values for each weight, and it has
/// the columns.
#[inline(always)]
unsafe fn means<L: F32x16, E: Element, const Q: usize, const N: usize>(
    weights: &[&[f32]; Q],
    (values, stride): (&[E], usize),
    column: usize,
    (out, out_stride): (&mut [f32], usize),
) {
    // SAFETY: as the caller promises.
    unsafe {
        let (mut even, mut odd) = ([[L::zero(); N]; Q], [[L::zero(); N]; Q]);
        let count = weights[0].len();
        for p in (0..count - 1).step_by(2) {
            let row = values.as_ptr().add(p * stride + column);
            add_row::<L, E, Q, N>(&mut even, weights, p, row);
            add_row::<L, E, Q, N>(&mut odd, weights, p + 1, row.add(stride));
        }
        if count % 2 == 1 {
            let row = values.as_ptr().add((count - 1) * stride + column);
            add_row::<L, E, Q, N>(&mut even, weights, count - 1, row);
        }
        for i in 0..Q {
            for n in 0..N {
                let place = &mut out[i * out_stride + n * LANES..];
                if let Some(place) = place.first_chunk_mut() {
                    even[i][n].add(odd[i][n]).store(place);
                }
            }
        }
    }
}

/// Adds a row of values, times each query's weight for it.
///
/// # Safety
/// As [`means`].
#[inline(always)]
unsafe fn add_row<L: F32x16, E: Element, const Q: usize, const N: usize>(
    sums: &mut [[L; N]; Q],
    weights: &[&[f32]; Q],
    p: usize,
    row: *const E,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut loaded = [L::zero(); N];
        for (n, loaded) in loaded.iter_mut().enumerate() {
            *loaded = E::load::<L>(row.add(n * LANES));
        }
        for i in 0..Q {
            let weight = L::splat(*weights[i].get_unchecked(p));
            for n in 0..N {
                sums[i][n] = weight.mul_add(loaded[n], sums[i][n]);
            }
        }
    }
}
