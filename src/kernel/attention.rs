//! Scaled dot-product attention of queries over cached keys and values.

use super::activation::exp;
use super::isa::Isa;
use super::lanes::Lanes;
use super::relative::RelativeBias;
use super::seen::{Path, Rows, Run, Seen};
use std::ops::Range;

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
    /// A query sees only so many last positions, itself included; `None` for all. For [`Reach::Causal`] alone.
    pub window: Option<usize>,
}

impl AttentionShape {
    /// Floats of one position's keys.
    fn width(&self) -> usize {
        self.kv_heads * self.dim
    }
}

/// A run of cached positions: keys and values, each (positions, kv_heads, dim).
#[derive(Clone, Copy, Debug)]
pub struct KeyValues<'a> {
    /// Keys.
    pub keys: &'a [f32],
    /// Values.
    pub values: &'a [f32],
}

/// Which positions a query sees.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// The queries stand at the last positions, and each sees those up to its own.
    Causal,
    /// Every query sees every position; the queries stand at the first ones.
    All,
    /// A query sees the first part whole, and of the second the rows that its path names; it stands at the last of them.
    /// Hypotheses of a beam share their cache this way: what they have in common is there once, and nothing is ever moved.
    Paths(&'a [Vec<u32>]),
    /// A query sees the first part whole, and of the second what is within `radius` of itself; the queries stand beside the first rows
    /// of the second part. For encoders of long sources (Beltagy et al. 2020; Guo et al. 2021).
    Near {
        /// Positions seen on either side.
        radius: usize,
        /// What the first part stands for; `None` when its scores get nothing added.
        blocks: Option<Blocks<'a>>,
    },
}

/// The first part of [`Reach::Near`] when its rows stand for blocks of the second (Guo et al. 2021, transient global attention).
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    /// Positions of a block; those that are left over belong to the last one.
    pub size: usize,
    /// By the distance from the query's block to the key's.
    pub bias: &'a RelativeBias,
}

impl Blocks<'_> {
    /// The block of a position, one of `count`.
    pub fn of(&self, position: usize, count: usize) -> usize {
        (position / self.size).min(count.saturating_sub(1))
    }
}

/// Attention of queries, (tokens, heads, dim), over the positions in `parts`, one part after the other. Writes (tokens, heads, dim).
/// The bias is for both parts, except with [`Reach::Near`], where it is for the second.
///
/// # Panics
/// If the lengths of the slices do not fit, or a path leaves its part, or there are more queries than rows beside them.
pub fn attend(
    shape: &AttentionShape,
    reach: Reach<'_>,
    bias: Option<&RelativeBias>,
    q: &[f32],
    parts: [KeyValues<'_>; 2],
    out: &mut [f32],
) {
    let width = shape.width();
    let token = shape.heads * shape.dim;
    assert!(q.len() == out.len() && q.len().is_multiple_of(token) && shape.heads.is_multiple_of(shape.kv_heads));
    assert!(parts.iter().all(|p| p.keys.len() == p.values.len() && p.keys.len().is_multiple_of(width)));
    let (tokens, length) = (q.len() / token, (parts[0].keys.len() + parts[1].keys.len()) / width);
    match reach {
        Reach::Causal => assert!(tokens <= length),
        Reach::All => assert!(length > 0 || tokens == 0),
        Reach::Near { blocks, .. } => {
            assert!(tokens <= parts[1].keys.len() / width && blocks.is_none_or(|blocks| blocks.size > 0));
        }
        Reach::Paths(paths) => {
            let rows = parts[1].keys.len() / width;
            assert!(paths.len() == tokens && paths.iter().all(|p| !p.is_empty() && p.iter().all(|&row| (row as usize) < rows)));
        }
    }
    let arguments = Arguments { shape, reach, bias, q, parts, out };
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

struct Arguments<'a> {
    shape: &'a AttentionShape,
    reach: Reach<'a>,
    bias: Option<&'a RelativeBias>,
    q: &'a [f32],
    parts: [KeyValues<'a>; 2],
    out: &'a mut [f32],
}

/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn attend_with<L: Lanes>(arguments: Arguments<'_>) {
    let Arguments { shape, reach, bias, q, parts, out } = arguments;
    let width = shape.width();
    let held = parts[0].keys.len() / width;
    let length = held + parts[1].keys.len() / width;
    let tokens = q.len() / (shape.heads * shape.dim);
    let most = match reach {
        Reach::Paths(paths) => held + paths.iter().map(Vec::len).max().unwrap_or(0),
        Reach::Near { radius, .. } => length.min(radius.saturating_mul(2).saturating_add(held + TOGETHER)),
        Reach::Causal | Reach::All => length,
    };
    let mut scores = vec![0.0; most * TOGETHER];
    let mut queries = Queries { shape, q, out, scores: &mut scores };
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        match reach {
            Reach::Causal => {
                for t in 0..tokens {
                    let end = length - tokens + t + 1;
                    let start = shape.window.map_or(0, |w| end.saturating_sub(w));
                    let rows = Seen::new(
                        parts,
                        width,
                        start..held.min(end).max(start.min(held)),
                        Run(start.max(held) - held, end.max(held) - held),
                    );
                    queries.all_heads::<L, Run>(t..t + 1, &Places::in_order(bias, end - 1, start, rows.held()), rows);
                }
            }
            Reach::All => {
                let rows = Seen::new(parts, width, 0..held, Run(0, length - held));
                queries.all_heads::<L, Run>(0..tokens, &Places::in_order(bias, 0, 0, held), rows);
            }
            Reach::Near { radius, blocks } => {
                // Neighbours see nearly the same, and go over what any of them sees together.
                for from in (0..tokens).step_by(TOGETHER) {
                    let to = (from + TOGETHER).min(tokens);
                    let start = from.saturating_sub(radius);
                    let rows = Seen::new(parts, width, 0..held, Run(start, (to.saturating_add(radius)).min(length - held)));
                    let places = Places {
                        bias: [blocks.map(|blocks| blocks.bias), bias],
                        first: [0, start],
                        query: |t| [blocks.map_or(0, |blocks| blocks.of(from + t, held)), from + t],
                        radius: Some(radius),
                    };
                    queries.all_heads::<L, Run>(from..to, &places, rows);
                }
            }
            Reach::Paths(paths) => {
                for (t, path) in paths.iter().enumerate() {
                    let rows = Seen::new(parts, width, 0..held, Path(path));
                    queries.all_heads::<L, Path<'_>>(t..t + 1, &Places::in_order(bias, held + path.len() - 1, 0, held), rows);
                }
            }
        }
    }
}

/// Floats that are computed side by side.
const LANES: usize = 16;

/// Queries that go over their keys together, at most.
const TOGETHER: usize = 4;

/// Where the rows and queries of a group stand.
struct Places<'a, F> {
    /// For each part.
    bias: [Option<&'a RelativeBias>; 2],
    /// Of the first row seen of each part.
    first: [usize; 2],
    /// Of the t-th token of the group, as each part counts.
    query: F,
    /// See [`Reach::Near`].
    radius: Option<usize>,
}

impl<'a> Places<'a, ()> {
    /// Of a sequence that stands in both parts, one after the other: the first of the queries at position `at`, the first of the rows
    /// at `start`, the second part's `held` later.
    #[inline(always)]
    fn in_order(bias: Option<&'a RelativeBias>, at: usize, start: usize, held: usize) -> Places<'a, impl Fn(usize) -> [usize; 2]> {
        Places { bias: [bias; 2], first: [start, start + held], query: move |t| [at + t; 2], radius: None }
    }
}

/// The queries of one call, and where their results go.
struct Queries<'a> {
    shape: &'a AttentionShape,
    q: &'a [f32],
    out: &'a mut [f32],
    /// Room for four queries' scores.
    scores: &'a mut [f32],
}

impl Queries<'_> {
    /// All heads of some tokens, which see the same rows (less what is beyond their radius).
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn all_heads<L: Lanes, R: Rows>(
        &mut self,
        tokens: Range<usize>,
        places: &Places<'_, impl Fn(usize) -> [usize; 2]>,
        seen: Seen<'_, R>,
    ) {
        let group = self.shape.heads / self.shape.kv_heads;
        for kv in 0..self.shape.kv_heads {
            // Queries that read the same keys and values go over them together, up to four at a time.
            let count = tokens.len() * group;
            let mut first = 0;
            while first < count {
                let few = (count - first).min(TOGETHER);
                let query =
                    |i: usize| Query { token: tokens.start + i / group, head: kv * group + i % group, at: (places.query)(i / group) };
                // SAFETY: the caller has the features of the lanes.
                unsafe {
                    match few {
                        4 => self.attend::<L, R, 4>(std::array::from_fn(|i| query(first + i)), kv, places, seen),
                        3 => self.attend::<L, R, 3>(std::array::from_fn(|i| query(first + i)), kv, places, seen),
                        2 => self.attend::<L, R, 2>(std::array::from_fn(|i| query(first + i)), kv, places, seen),
                        _ => self.attend::<L, R, 1>([query(first)], kv, places, seen),
                    }
                }
                first += few;
            }
        }
    }

    /// `H` queries of one key head.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn attend<L: Lanes, R: Rows, const H: usize>(
        &mut self,
        queries: [Query; H],
        kv: usize,
        places: &Places<'_, impl Fn(usize) -> [usize; 2]>,
        seen: Seen<'_, R>,
    ) {
        let &AttentionShape { heads, dim, scale, .. } = self.shape;
        let column = kv * dim;
        let place = |query: &Query| (query.token * heads + query.head) * dim;
        let lines: [&[f32]; H] = std::array::from_fn(|h| &self.q[place(&queries[h])..][..dim]);
        let scores = &mut self.scores[..seen.len() * H];
        let (first_scores, second_scores) = scores.split_at_mut(seen.held() * H);
        let mut largest = [f32::NEG_INFINITY; H];
        // SAFETY (of both blocks): the caller has the features of the lanes.
        for (scores, key) in first_scores.chunks_exact_mut(H).zip(seen.first.keys.chunks_exact(seen.width)) {
            scores.copy_from_slice(&unsafe { dots::<L, H>(lines, &key[column..column + dim]) });
        }
        for (i, scores) in second_scores.chunks_exact_mut(H).enumerate() {
            let key = &seen.second.keys[seen.rows.row(i) * seen.width + column..][..dim];
            // SAFETY: see above.
            scores.copy_from_slice(&unsafe { dots::<L, H>(lines, key) });
        }
        // Of the rows that the group sees, those that a query does not: before and after its own.
        let unseen = |query: &Query| {
            let (count, start, own) = (seen.rows.count(), places.first[1], query.at[1]);
            let seen = places.radius.map_or(0..count, |r| (own - start).saturating_sub(r)..(own - start + 1).saturating_add(r).min(count));
            (0..seen.start).chain(seen.end..count)
        };
        for (part, scores) in [&mut *first_scores, &mut *second_scores].into_iter().enumerate() {
            for (position, scores) in (places.first[part]..).zip(scores.chunks_exact_mut(H)) {
                for h in 0..H {
                    scores[h] *= scale;
                    if let Some(bias) = places.bias[part] {
                        scores[h] += bias.line(queries[h].head)[bias.place(queries[h].at[part], position)];
                    }
                }
            }
        }
        for h in 0..H {
            unseen(&queries[h]).for_each(|i| second_scores[i * H + h] = f32::NEG_INFINITY);
        }
        for scores in scores.chunks_exact(H) {
            (0..H).for_each(|h| largest[h] = largest[h].max(scores[h]));
        }
        let mut totals = [0.0f32; H];
        for scores in scores.chunks_exact_mut(H) {
            for h in 0..H {
                scores[h] = exp(scores[h] - largest[h]);
                totals[h] += scores[h];
            }
        }
        let inverse = totals.map(|t| 1.0 / t);
        let (first_scores, second_scores) = scores.split_at_mut(seen.held() * H);
        for h in 0..H {
            // What was added to the total for these is too small to change it: the largest adds 1.
            unseen(&queries[h]).for_each(|i| second_scores[i * H + h] = 0.0);
        }
        let outs = queries.map(|query| place(&query));
        let mut at = 0;
        // Columns of the values are added up in registers, two blocks of lanes at a time, then one, then single ones.
        while at < dim {
            let weigh = Weigh { scores: [first_scores, second_scores], seen, column: column + at, inverse };
            // SAFETY: the caller has the features of the lanes.
            at += unsafe {
                match dim - at {
                    32.. => weigh.blocks::<L, 2>(self.out, outs.map(|o| o + at)),
                    16.. => weigh.blocks::<L, 1>(self.out, outs.map(|o| o + at)),
                    _ => weigh.one(self.out, outs.map(|o| o + at)),
                }
            };
        }
    }
}

/// One head's query.
#[derive(Clone, Copy)]
struct Query {
    token: usize,
    head: usize,
    /// Its position, as each part counts.
    at: [usize; 2],
}

/// The mean of the values in some columns, the scores of `H` queries being the weights.
struct Weigh<'a, R, const H: usize> {
    /// (rows, H), for each part.
    scores: [&'a [f32]; 2],
    seen: Seen<'a, R>,
    column: usize,
    inverse: [f32; H],
}

impl<R: Rows, const H: usize> Weigh<'_, R, H> {
    /// `N` blocks of columns; returns the number of columns.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    #[inline(always)]
    unsafe fn blocks<L: Lanes, const N: usize>(&self, out: &mut [f32], outs: [usize; H]) -> usize {
        // SAFETY: the caller has the features of the lanes.
        unsafe {
            let mut sums = [[L::zero(); N]; H];
            let first = self.seen.first.values.chunks_exact(self.seen.width);
            for (scores, values) in self.scores[0].chunks_exact(H).zip(first) {
                weigh(&mut sums, scores, &values[self.column..]);
            }
            for (i, scores) in self.scores[1].chunks_exact(H).enumerate() {
                weigh(&mut sums, scores, &self.seen.second.values[self.seen.rows.row(i) * self.seen.width + self.column..]);
            }
            for h in 0..H {
                let (blocks, _) = out[outs[h]..][..N * LANES].as_chunks_mut::<LANES>();
                for n in 0..N {
                    sums[h][n].mul(L::splat(self.inverse[h])).store(&mut blocks[n]);
                }
            }
        }
        N * LANES
    }

    /// A single column.
    #[inline(always)]
    fn one(&self, out: &mut [f32], outs: [usize; H]) -> usize {
        for h in 0..H {
            let mut sum = 0.0f32;
            let first = self.seen.first.values.chunks_exact(self.seen.width);
            for (scores, values) in self.scores[0].chunks_exact(H).zip(first) {
                sum = scores[h].mul_add(values[self.column], sum);
            }
            for (i, scores) in self.scores[1].chunks_exact(H).enumerate() {
                sum = scores[h].mul_add(self.seen.second.values[self.seen.rows.row(i) * self.seen.width + self.column], sum);
            }
            out[outs[h]] = sum * self.inverse[h];
        }
        1
    }
}

/// Adds one row's values, times each query's score.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn weigh<L: Lanes, const H: usize, const N: usize>(sums: &mut [[L; N]; H], scores: &[f32], values: &[f32]) {
    let (blocks, _) = values[..N * LANES].as_chunks::<LANES>();
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        let blocks: [L; N] = std::array::from_fn(|n| L::load(&blocks[n]));
        for h in 0..H {
            let weight = L::splat(scores[h]);
            for n in 0..N {
                sums[h][n] = weight.mul_add(blocks[n], sums[h][n]);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    /// A key: its position and that of the query, what is added by the distance, and its part and row.
    type Row<'a> = (usize, usize, Option<&'a RelativeBias>, (usize, usize));

    /// By the definition, in f64: one query over the rows given as (keys, values, bias).
    fn plain(q: &[f32], rows: &[(&[f32], &[f32], f32)], scale: f32) -> Vec<f64> {
        let dot = |k: &[f32]| q.iter().zip(k).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let weights: Vec<f64> = rows.iter().map(|(k, _, bias)| (dot(k) * f64::from(scale) + f64::from(*bias)).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean = |i: usize| rows.iter().zip(&weights).map(|((_, v, _), w)| f64::from(v[i]) * w).sum::<f64>() / total;
        (0..q.len()).map(mean).collect()
    }

    #[test]
    fn every_reach_is_what_its_definition_says() {
        for (heads, kv_heads, dim) in [(4, 4, 8), (6, 2, 20), (2, 1, 64)] {
            let (held, own, tokens) = (5, 11, 6);
            let (width, scale) = (kv_heads * dim, 0.3);
            let [k0, v0] = [1, 2].map(|seed| numbers(held * width, seed));
            let [k1, v1] = [3, 4].map(|seed| numbers(own * width, seed));
            let q = numbers(tokens * heads * dim, 5);
            let parts = [KeyValues { keys: &k0, values: &v0 }, KeyValues { keys: &k1, values: &v1 }];
            let bias = RelativeBias::new(heads, 3, |head, distance| (head as f32 + 1.0) * 0.1 * distance as f32);
            let side = RelativeBias::new(heads, 2, |head, distance| (head as f32 - 1.0) * 0.2 * distance as f32);
            let paths = vec![vec![0, 2, 6], vec![1], vec![5, 5, 0, 3], vec![7], vec![0], vec![10, 9, 8]];
            let blocks = Blocks { size: 2, bias: &side };
            for window in [None, Some(4)] {
                let shape = AttentionShape { heads, kv_heads, dim, scale, window };
                let near = |radius| Reach::Near { radius, blocks: None };
                let with_blocks = Reach::Near { radius: 1, blocks: Some(blocks) };
                let reaches = [Reach::Causal, Reach::All, Reach::Paths(&paths), near(0), near(2), near(99), with_blocks];
                for (reach, bias) in reaches.into_iter().flat_map(|r| [(r, None), (r, Some(&bias))]) {
                    let mut out = vec![f32::NAN; q.len()];
                    attend(&shape, reach, bias, &q, parts, &mut out);
                    for t in 0..tokens {
                        // Rows in the order seen.
                        let all = || (0..held).map(|r| (0, r)).chain((0..own).map(|r| (1, r)));
                        let rows: Vec<Row> = match reach {
                            Reach::Causal => {
                                let end = held + own - tokens + t + 1;
                                let start = window.map_or(0, |w| end.saturating_sub(w));
                                all().enumerate().take(end).skip(start).map(|(p, row)| (p, end - 1, bias, row)).collect()
                            }
                            Reach::All => all().enumerate().map(|(p, row)| (p, t, bias, row)).collect(),
                            Reach::Paths(paths) => {
                                let path = paths[t].iter().map(|&r| (1, r as usize));
                                let at = held + paths[t].len() - 1;
                                (0..held).map(|r| (0, r)).chain(path).enumerate().map(|(p, row)| (p, at, bias, row)).collect()
                            }
                            Reach::Near { radius, blocks } => {
                                let first = (0..held).map(|r| (r, (t / 2).min(held - 1), blocks.map(|b| b.bias), (0, r)));
                                let second = (0..own).filter(|r| r.abs_diff(t) <= radius).map(|r| (r, t, bias, (1, r)));
                                first.chain(second).collect()
                            }
                        };
                        for head in 0..heads {
                            let column = head / (heads / kv_heads) * dim;
                            let line = |(position, at, bias, (part, row)): &Row| {
                                let span = row * width + column..row * width + column + dim;
                                let add = bias.map_or(0.0, |b| b.at(head, *at, *position));
                                (&parts[*part].keys[span.clone()], &parts[*part].values[span], add)
                            };
                            let rows: Vec<_> = rows.iter().map(line).collect();
                            let place = (t * heads + head) * dim;
                            let want = plain(&q[place..place + dim], &rows, scale);
                            for (got, want) in out[place..place + dim].iter().zip(want) {
                                assert!((f64::from(*got) - want).abs() < 1e-5, "{reach:?}, window {window:?}: {got} for {want}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_query_does_not_depend_on_those_beside_it() {
        let (heads, dim, positions) = (3, 24, 9);
        let shape = AttentionShape { heads, kv_heads: heads, dim, scale: 0.2, window: None };
        let (k, v, q) = (numbers(positions * heads * dim, 1), numbers(positions * heads * dim, 2), numbers(7 * heads * dim, 3));
        let parts = [KeyValues { keys: &[], values: &[] }, KeyValues { keys: &k, values: &v }];
        let mut together = vec![0.0; q.len()];
        attend(&shape, Reach::All, None, &q, parts, &mut together);
        for (q, together) in q.chunks_exact(heads * dim).zip(together.chunks_exact(heads * dim)) {
            let mut alone = vec![0.0; heads * dim];
            attend(&shape, Reach::All, None, q, parts, &mut alone);
            assert_eq!(alone, together);
        }
        // Nor on what is beyond its radius, although it goes over its keys together with others.
        let near = Reach::Near { radius: 2, blocks: None };
        let attend_near = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut out = vec![0.0; q.len()];
            attend(&shape, near, None, q, [parts[0], KeyValues { keys: k, values: v }], &mut out);
            out
        };
        let token = heads * dim;
        let (all, first) = (attend_near(&q, &k, &v), attend_near(&q[..token], &k[..3 * token], &v[..3 * token]));
        assert_eq!(all[..token], first);
    }
}
