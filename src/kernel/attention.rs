//! Scaled dot-product attention of new tokens over cached keys and values.

use super::activation::exp;
use super::isa::{Isa, per_isa};

/// Sizes of one attention layer.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads (Ainslie et al. 2023, grouped-query attention).
    pub kv_heads: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// A query sees only so many last positions, itself included; `None` for all.
    pub window: Option<usize>,
}

/// A run of cached positions: keys and values, each (positions, kv_heads, dim).
#[derive(Clone, Copy, Debug)]
pub struct KeyValues<'a> {
    /// Keys.
    pub keys: &'a [f32],
    /// Values.
    pub values: &'a [f32],
}

/// Causal attention of the last `q.len() / (heads · dim)` positions, (tokens, heads, dim), of a sequence whose keys and values stand in
/// `parts`, one after the other; the new tokens' own are the last. Writes (tokens, heads, dim).
///
/// # Panics
/// If the lengths of the slices do not fit.
pub fn attend(shape: &AttentionShape, q: &[f32], parts: [KeyValues<'_>; 2], out: &mut [f32]) {
    let width = shape.kv_heads * shape.dim;
    assert!(q.len() == out.len() && q.len().is_multiple_of(shape.heads * shape.dim) && shape.heads.is_multiple_of(shape.kv_heads));
    assert!(parts.iter().all(|p| p.keys.len() == p.values.len() && p.keys.len().is_multiple_of(width)));
    let length = (parts[0].keys.len() + parts[1].keys.len()) / width;
    assert!(q.len() / (shape.heads * shape.dim) <= length);
    let mut scores = vec![0.0; length * (shape.heads / shape.kv_heads)];
    attend_isa(Isa::current(), shape, q, parts, &mut scores, out);
}

per_isa! {
    fn attend_isa(shape: &AttentionShape, q: &[f32], parts: [KeyValues<'_>; 2], scores: &mut [f32], out: &mut [f32]) = attend_body
}

#[inline(always)]
fn attend_body(shape: &AttentionShape, q: &[f32], parts: [KeyValues<'_>; 2], scores: &mut [f32], out: &mut [f32]) {
    let &AttentionShape { heads, kv_heads, dim, scale, window } = shape;
    let (group, width) = (heads / kv_heads, kv_heads * dim);
    let length = (parts[0].keys.len() + parts[1].keys.len()) / width;
    let tokens = q.len() / (heads * dim);
    for t in 0..tokens {
        let end = length - tokens + t + 1;
        let start = window.map_or(0, |w| end.saturating_sub(w));
        for kv in 0..kv_heads {
            // The heads that read the same keys and values go over them together, up to four at a time.
            let mut first = 0;
            while first < group {
                let count = (group - first).min(4);
                let span = (t * heads + kv * group + first) * dim..(t * heads + kv * group + first + count) * dim;
                let (q, out) = (&q[span.clone()], &mut out[span]);
                let scores = &mut scores[..(end - start) * count];
                let run = Run { parts, width, column: kv * dim, dim, start, end, scale };
                match count {
                    4 => run.attend::<4>(q, scores, out),
                    3 => run.attend::<3>(q, scores, out),
                    2 => run.attend::<2>(q, scores, out),
                    _ => run.attend::<1>(q, scores, out),
                }
                first += count;
            }
        }
    }
}

/// One query token over the positions `start..end` of one key head.
struct Run<'a> {
    parts: [KeyValues<'a>; 2],
    /// Of a position's keys.
    width: usize,
    /// Of the head in them.
    column: usize,
    dim: usize,
    start: usize,
    end: usize,
    scale: f32,
}

/// Lanes of the sums over a head's width.
const LANES: usize = 16;
/// Columns of the values that are added up at a time, in registers.
const COLUMNS: usize = 32;

impl Run<'_> {
    /// Keys or values of the positions, whole rows, out of both parts.
    #[inline(always)]
    fn rows<'b>(&self, of: [&'b [f32]; 2]) -> [&'b [f32]; 2] {
        let held = of[0].len() / self.width;
        let first = &of[0][self.start.min(held) * self.width..self.end.min(held) * self.width];
        let second = &of[1][self.start.saturating_sub(held) * self.width..self.end.saturating_sub(held) * self.width];
        [first, second]
    }

    /// `H` heads: `q` and `out` are (H, dim), `scores` is (positions, H).
    #[inline(always)]
    fn attend<const H: usize>(&self, q: &[f32], scores: &mut [f32], out: &mut [f32]) {
        let keys = self.rows(self.parts.map(|p| p.keys));
        let values = self.rows(self.parts.map(|p| p.values));
        let (first, second) = scores.split_at_mut(keys[0].len() / self.width * H);
        let mut largest = [f32::NEG_INFINITY; H];
        self.scores::<H>(q, keys[0], first, &mut largest);
        self.scores::<H>(q, keys[1], second, &mut largest);
        let mut totals = [0.0f32; H];
        for scores in first.chunks_exact_mut(H).chain(second.chunks_exact_mut(H)) {
            for h in 0..H {
                scores[h] = exp(scores[h] - largest[h]);
                totals[h] += scores[h];
            }
        }
        let inverse = totals.map(|t| 1.0 / t);
        let mut at = 0;
        while at + COLUMNS <= self.dim {
            let mut sums = [[0.0f32; COLUMNS]; H];
            self.weigh::<H, COLUMNS>(values[0], first, at, &mut sums);
            self.weigh::<H, COLUMNS>(values[1], second, at, &mut sums);
            self.put(&sums, &inverse, at, out);
            at += COLUMNS;
        }
        while at < self.dim {
            let mut sums = [[0.0f32; 1]; H];
            self.weigh::<H, 1>(values[0], first, at, &mut sums);
            self.weigh::<H, 1>(values[1], second, at, &mut sums);
            self.put(&sums, &inverse, at, out);
            at += 1;
        }
    }

    /// Scaled dot products with each key, (positions, H), in [`LANES`] lanes that are then added up pairwise.
    #[inline(always)]
    fn scores<const H: usize>(&self, q: &[f32], keys: &[f32], scores: &mut [f32], largest: &mut [f32; H]) {
        let dim = self.dim;
        let whole = dim - dim % LANES;
        for (scores, key) in scores.chunks_exact_mut(H).zip(keys.chunks_exact(self.width)) {
            let key = &key[self.column..self.column + dim];
            let mut sums = [[0.0f32; LANES]; H];
            for (block, key) in key.chunks_exact(LANES).enumerate() {
                for (h, sums) in sums.iter_mut().enumerate() {
                    let q = &q[h * dim + block * LANES..][..LANES];
                    for lane in 0..LANES {
                        sums[lane] = q[lane].mul_add(key[lane], sums[lane]);
                    }
                }
            }
            for (h, sums) in sums.iter_mut().enumerate() {
                for (lane, at) in (whole..dim).enumerate() {
                    sums[lane] = q[h * dim + at].mul_add(key[at], sums[lane]);
                }
                let mut width = LANES / 2;
                while width > 0 {
                    for lane in 0..width {
                        sums[lane] += sums[lane + width];
                    }
                    width /= 2;
                }
                scores[h] = sums[0] * self.scale;
                largest[h] = largest[h].max(scores[h]);
            }
        }
    }

    /// Adds up `N` columns of the values from `at` on, weighed by the scores.
    #[inline(always)]
    fn weigh<const H: usize, const N: usize>(&self, values: &[f32], scores: &[f32], at: usize, sums: &mut [[f32; N]; H]) {
        let column = self.column + at;
        let mut held = *sums;
        for (scores, value) in scores.chunks_exact(H).zip(values.chunks_exact(self.width)) {
            let value = &value[column..column + N];
            for h in 0..H {
                let weight = scores[h];
                for lane in 0..N {
                    held[h][lane] = weight.mul_add(value[lane], held[h][lane]);
                }
            }
        }
        *sums = held;
    }

    #[inline(always)]
    fn put<const H: usize, const N: usize>(&self, sums: &[[f32; N]; H], inverse: &[f32; H], at: usize, out: &mut [f32]) {
        for h in 0..H {
            for lane in 0..N {
                out[h * self.dim + at + lane] = sums[h][lane] * inverse[h];
            }
        }
    }
}
