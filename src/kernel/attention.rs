//! Scaled dot-product attention of new tokens over cached keys and values.

use super::activation::exp;
use super::isa::Isa;
use super::lanes::Lanes;

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
    let arguments = (shape, q, parts, scores.as_mut_slice(), out);
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(arguments: Arguments<'_>) {
            // SAFETY: this function has the features of these lanes.
            unsafe { attend_with::<super::lanes::x86::Avx2>(arguments) }
        }
        if Isa::current() != Isa::Scalar {
            // SAFETY: every other `Isa` has AVX2 and FMA; wider registers bring nothing here.
            return unsafe { avx2(arguments) };
        }
    }
    // SAFETY: portable lanes need no feature.
    unsafe { attend_with::<[f32; 16]>(arguments) }
}

type Arguments<'a> = (&'a AttentionShape, &'a [f32], [KeyValues<'a>; 2], &'a mut [f32], &'a mut [f32]);

/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn attend_with<L: Lanes>((shape, q, parts, scores, out): Arguments<'_>) {
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
                // SAFETY: the caller has the features of the lanes.
                unsafe {
                    match count {
                        4 => run.attend::<L, 4>(q, scores, out),
                        3 => run.attend::<L, 3>(q, scores, out),
                        2 => run.attend::<L, 2>(q, scores, out),
                        _ => run.attend::<L, 1>(q, scores, out),
                    }
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

/// Floats that are computed side by side.
const LANES: usize = 16;

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
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn attend<L: Lanes, const H: usize>(&self, q: &[f32], scores: &mut [f32], out: &mut [f32]) {
        let keys = self.rows(self.parts.map(|p| p.keys));
        let values = self.rows(self.parts.map(|p| p.values));
        let held = keys[0].len() / self.width * H;
        let mut largest = [f32::NEG_INFINITY; H];
        let heads: [&[f32]; H] = std::array::from_fn(|h| &q[h * self.dim..(h + 1) * self.dim]);
        let rows = keys[0].chunks_exact(self.width).chain(keys[1].chunks_exact(self.width));
        for (scores, key) in scores.chunks_exact_mut(H).zip(rows) {
            // SAFETY: the caller has the features of the lanes.
            let dots = unsafe { dots::<L, H>(heads, &key[self.column..self.column + self.dim]) };
            for h in 0..H {
                scores[h] = dots[h] * self.scale;
                largest[h] = largest[h].max(scores[h]);
            }
        }
        let mut totals = [0.0f32; H];
        for scores in scores.chunks_exact_mut(H) {
            for h in 0..H {
                scores[h] = exp(scores[h] - largest[h]);
                totals[h] += scores[h];
            }
        }
        let inverse = totals.map(|t| 1.0 / t);
        let (first, second) = scores.split_at(held);
        let mut at = 0;
        // Columns of the values are added up in registers, two blocks of lanes at a time, then one, then single ones.
        while at < self.dim {
            // SAFETY: the caller has the features of the lanes.
            at += unsafe {
                match self.dim - at {
                    32.. => self.weigh::<L, H, 2>(values, [first, second], &inverse, at, out),
                    16.. => self.weigh::<L, H, 1>(values, [first, second], &inverse, at, out),
                    _ => self.weigh_one::<H>(values, [first, second], &inverse, at, out),
                }
            };
        }
    }

    /// `N` blocks of columns from `at` on, added up with the scores as weights. Returns the number of columns.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn weigh<L: Lanes, const H: usize, const N: usize>(
        &self,
        values: [&[f32]; 2],
        scores: [&[f32]; 2],
        inverse: &[f32; H],
        at: usize,
        out: &mut [f32],
    ) -> usize {
        let column = self.column + at;
        // SAFETY: the caller has the features of the lanes.
        unsafe {
            let mut sums = [[L::zero(); N]; H];
            for (values, scores) in values.into_iter().zip(scores) {
                for (scores, value) in scores.chunks_exact(H).zip(values.chunks_exact(self.width)) {
                    let (blocks, _) = value[column..column + N * LANES].as_chunks::<LANES>();
                    let blocks: [L; N] = std::array::from_fn(|n| L::load(&blocks[n]));
                    for h in 0..H {
                        let weight = L::splat(scores[h]);
                        for n in 0..N {
                            sums[h][n] = weight.mul_add(blocks[n], sums[h][n]);
                        }
                    }
                }
            }
            for h in 0..H {
                let (blocks, _) = out[h * self.dim + at..][..N * LANES].as_chunks_mut::<LANES>();
                for n in 0..N {
                    sums[h][n].mul(L::splat(inverse[h])).store(&mut blocks[n]);
                }
            }
        }
        N * LANES
    }

    /// The same for a single column.
    #[inline(always)]
    fn weigh_one<const H: usize>(&self, values: [&[f32]; 2], scores: [&[f32]; 2], inverse: &[f32; H], at: usize, out: &mut [f32]) -> usize {
        for h in 0..H {
            let mut sum = 0.0f32;
            for (values, scores) in values.into_iter().zip(scores) {
                for (scores, value) in scores.chunks_exact(H).zip(values.chunks_exact(self.width)) {
                    sum = scores[h].mul_add(value[self.column + at], sum);
                }
            }
            out[h * self.dim + at] = sum * inverse[h];
        }
        1
    }
}

/// The dot products of one key with several queries.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn dots<L: Lanes, const H: usize>(queries: [&[f32]; H], key: &[f32]) -> [f32; H] {
    let (blocks, rest) = key.as_chunks::<LANES>();
    let queries = queries.map(|q| {
        let (blocks_of_query, rest_of_query) = q.as_chunks::<LANES>();
        (&blocks_of_query[..blocks.len()], &rest_of_query[..rest.len()])
    });
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        let mut sums = [L::zero(); H];
        for (i, key) in blocks.iter().enumerate() {
            let key = L::load(key);
            for h in 0..H {
                sums[h] = L::load(&queries[h].0[i]).mul_add(key, sums[h]);
            }
        }
        std::array::from_fn(|h| {
            let rest: f32 = queries[h].1.iter().zip(rest).fold(0.0, |sum, (q, k)| q.mul_add(*k, sum));
            sums[h].sum() + rest
        })
    }
}
