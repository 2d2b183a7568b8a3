//! Attention to a source, a few queries of one head at a time.

use super::shape::{AttentionShape, RowColumns};
use super::softmax::softmax;
use crate::kernel::simd::{Element, F32x16, LANES, prefetch_l2};

/// Bytes of a cache line.
const LINE: usize = 64;

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

impl<E> Operands<'_, E> {
    /// # Panics
    /// If the lengths do not fit.
    pub(super) fn check(&self) {
        let &Operands { shape, q, keys, values, positions, ref out, .. } = self;
        let width = shape.kv_width();
        assert!(shape.dim > 0 && shape.heads.is_multiple_of(shape.kv_heads) && positions > 0);
        assert!(q.width == shape.heads * shape.dim && q.values.len().is_multiple_of(q.stride));
        assert!(q.first + q.width <= q.stride && out.len() == q.rows() * q.width);
        assert!(keys.len() == positions.div_ceil(LANES) * width * LANES);
        assert!(values.len() == positions * width);
    }
}

/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
pub(super) unsafe fn attend_with<L: F32x16, E: Element>(mut operands: Operands<'_, E>) {
    let rows = operands.q.rows();
    let mut scores = vec![0.0; TILE * operands.positions.next_multiple_of(LANES)];
    // Heads inside: their keys and values lie one after the other.
    let mut first = 0;
    while first < rows {
        let whole = first + TILE <= rows;
        for head in 0..operands.shape.heads {
            // SAFETY: as the caller promises.
            unsafe {
                if whole {
                    tile::<L, E, TILE>(&mut operands, head, first, &mut scores);
                } else {
                    tile::<L, E, 1>(&mut operands, head, first, &mut scores);
                }
            }
        }
        first += if whole { TILE } else { 1 };
    }
}

/// Attention of one head of the `Q` queries from `first` on.
///
/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn tile<L: F32x16, E: Element, const Q: usize>(
    operands: &mut Operands<'_, E>,
    head: usize,
    first: usize,
    scores: &mut [f32],
) {
    let (shape, q, positions) = (operands.shape, operands.q, operands.positions);
    let (dim, padded) = (shape.dim, positions.next_multiple_of(LANES));
    let kv = head / (shape.heads / shape.kv_heads);
    if first == 0 {
        // A head's share of it with each head.
        for part in operands.ahead {
            let share = part.len().div_ceil(shape.heads);
            let end = ((head + 1) * share).min(part.len());
            let mut at = head * share;
            while at < end {
                prefetch_l2(part.as_ptr().wrapping_add(at).cast());
                at += LINE / size_of::<E>();
            }
        }
    }
    let queries: [&[f32]; Q] =
        std::array::from_fn(|i| &q.row(first + i)[head * dim..(head + 1) * dim]);
    for block in 0..padded / LANES {
        let number = kv * (padded / LANES) + block;
        let keys = &operands.keys[number * dim * LANES..][..dim * LANES];
        // SAFETY: as the caller promises.
        unsafe {
            let all = products::<L, E, Q>(&queries, keys);
            for (i, all) in all.into_iter().enumerate() {
                let place = &mut scores[i * padded + block * LANES..];
                if let Some(place) = place.first_chunk_mut() {
                    all.mul(L::splat(shape.scale)).store(place);
                }
            }
        }
    }
    let scores = &mut scores[..Q * padded];
    for scores in scores.chunks_exact_mut(padded) {
        softmax(scores, std::slice::from_ref(&(positions..padded)));
    }
    let weights: [&[f32]; Q] = std::array::from_fn(|i| &scores[i * padded..][..positions]);
    let values = (&operands.values[kv * positions * dim..], dim);
    let mut column = 0;
    let mut put = |column: usize, i: usize, sums: &[f32]| {
        let place = (first + i) * shape.heads * dim + head * dim + column;
        operands.out[place..place + sums.len()].copy_from_slice(sums);
    };
    // SAFETY: as the caller promises; every row of values has the columns.
    unsafe {
        while column + 2 * LANES <= dim {
            let sums = means::<L, E, Q, 2>(&weights, values, column);
            sums.iter().enumerate().for_each(|(i, sums)| put(column, i, sums.as_flattened()));
            column += 2 * LANES;
        }
        while column + LANES <= dim {
            let sums = means::<L, E, Q, 1>(&weights, values, column);
            sums.iter().enumerate().for_each(|(i, sums)| put(column, i, sums.as_flattened()));
            column += LANES;
        }
    }
    for column in column..dim {
        for (i, weights) in weights.iter().enumerate() {
            let rows = values.0.chunks(values.1);
            let mean = weights
                .iter()
                .zip(rows)
                .fold(0.0, |sum: f32, (weight, row)| weight.mul_add(row[column].to_f32(), sum));
            put(column, i, &[mean]);
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
/// Even and odd rows are added up apart.
///
/// # Safety
/// The caller has the features of the lanes; there is a row of values for each weight, and it has
/// the columns.
#[inline(always)]
unsafe fn means<L: F32x16, E: Element, const Q: usize, const N: usize>(
    weights: &[&[f32]; Q],
    (values, stride): (&[E], usize),
    column: usize,
) -> [[[f32; LANES]; N]; Q] {
    let mut out = [[[0.0; LANES]; N]; Q];
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
                even[i][n].add(odd[i][n]).store(&mut out[i][n]);
            }
        }
    }
    out
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
