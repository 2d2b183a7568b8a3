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
    /// A query sees only so many last positions, itself included; `None` for all. For [`Reach::Causal`] and [`Reach::Paths`].
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
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
        fn avx512(arguments: Arguments<'_>) {
            // SAFETY: this function has the features of these lanes.
            unsafe { attend_with::<super::lanes::x86::Avx512>(arguments) }
        }
        match Isa::current() {
            // SAFETY: an `Isa` is only ever made after the CPU was found to have its features.
            Isa::Avx512 => return unsafe { avx512(arguments) },
            // SAFETY: as above.
            Isa::Avx2 => return unsafe { avx2(arguments) },
            Isa::Scalar => {}
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
                    let end = held + path.len();
                    let start = shape.window.map_or(0, |w| end.saturating_sub(w));
                    let rows = Seen::new(parts, width, start.min(held)..held, Path(&path[start.saturating_sub(held)..]));
                    queries.all_heads::<L, Path<'_>>(t..t + 1, &Places::in_order(bias, end - 1, start, rows.held()), rows);
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
        // (H, rows)
        let (rows, held) = (seen.len(), seen.held());
        let scores = &mut self.scores[..rows * H];
        for (i, key) in seen.first.keys.chunks_exact(seen.width).enumerate() {
            // SAFETY: the caller has the features of the lanes.
            let dots = unsafe { dots::<L, H>(&lines, &key[column..column + dim]) };
            for h in 0..H {
                scores[h * rows + i] = dots[h];
            }
        }
        for i in 0..rows - held {
            let key = &seen.second.keys[seen.rows.row(i) * seen.width + column..][..dim];
            // SAFETY: the caller has the features of the lanes.
            let dots = unsafe { dots::<L, H>(&lines, key) };
            for h in 0..H {
                scores[h * rows + held + i] = dots[h];
            }
        }
        let mut inverse = [0.0f32; H];
        for (h, query) in queries.iter().enumerate() {
            let scores = &mut scores[h * rows..(h + 1) * rows];
            scores.iter_mut().for_each(|score| *score *= scale);
            let (first, second) = scores.split_at_mut(held);
            for (part, scores) in [first, &mut *second].into_iter().enumerate() {
                if let Some(bias) = places.bias[part] {
                    let line = bias.line(query.head);
                    for (position, score) in (places.first[part]..).zip(scores) {
                        *score += line[bias.place(query.at[part], position)];
                    }
                }
            }
            // Rows that the group sees and this query does not are before and after its own.
            let unseen = places.radius.map(|r| {
                let (own, count) = (query.at[1] - places.first[1], rows - held);
                [0..own.saturating_sub(r), (own + 1).saturating_add(r).min(count)..count]
            });
            unseen.iter().flatten().for_each(|rows| second[rows.clone()].fill(f32::NEG_INFINITY));
            inverse[h] = 1.0 / softmax(scores);
            // What they added to the sum is too small to change it, the largest having added 1; the values are not to be trusted with it.
            unseen.iter().flatten().for_each(|rows| scores[held + rows.start..held + rows.end].fill(0.0));
        }
        let outs = queries.map(|query| place(&query));
        let mut at = 0;
        // Columns of the values are added up in registers, two blocks of lanes at a time, then one, then single ones.
        while at < dim {
            let weigh = Weigh { scores: &*scores, seen, column: column + at, inverse };
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

/// Scores to weights, up to a factor: `exp(score − largest)`. Returns their sum.
#[inline(always)]
fn softmax(scores: &mut [f32]) -> f32 {
    let (blocks, rest) = scores.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, &score)| *lane = if score > *lane { score } else { *lane });
    }
    let largest = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    scores.iter_mut().for_each(|score| *score = exp(*score - largest));
    let (blocks, rest) = scores.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, score)| *sum += score);
    }
    sums.iter_mut().zip(rest).for_each(|(sum, score)| *sum += score);
    sums.iter().sum()
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
    /// (H, rows)
    scores: &'a [f32],
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
        let (rows, held) = (self.seen.len(), self.seen.held());
        // SAFETY: the caller has the features of the lanes.
        unsafe {
            let mut sums = [[L::zero(); N]; H];
            for (i, values) in self.seen.first.values.chunks_exact(self.seen.width).enumerate() {
                weigh(&mut sums, &self.scores[i..], rows, &values[self.column..]);
            }
            for i in 0..rows - held {
                let values = &self.seen.second.values[self.seen.rows.row(i) * self.seen.width + self.column..];
                weigh(&mut sums, &self.scores[held + i..], rows, values);
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
        let (rows, held) = (self.seen.len(), self.seen.held());
        for h in 0..H {
            let scores = &self.scores[h * rows..(h + 1) * rows];
            let mut sum = 0.0f32;
            for (score, values) in scores.iter().zip(self.seen.first.values.chunks_exact(self.seen.width)) {
                sum = score.mul_add(values[self.column], sum);
            }
            for (i, score) in scores[held..].iter().enumerate() {
                sum = score.mul_add(self.seen.second.values[self.seen.rows.row(i) * self.seen.width + self.column], sum);
            }
            out[outs[h]] = sum * self.inverse[h];
        }
        1
    }
}

// No closures around lanes below: what is not inlined into a function with the features is a call for every instruction.

/// Adds one row's values, times each query's score; the scores of a query are `stride` apart from the next one's.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn weigh<L: Lanes, const H: usize, const N: usize>(sums: &mut [[L; N]; H], scores: &[f32], stride: usize, values: &[f32]) {
    let (blocks, _) = values[..N * LANES].as_chunks::<LANES>();
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        let mut loaded = [L::zero(); N];
        for n in 0..N {
            loaded[n] = L::load(&blocks[n]);
        }
        for h in 0..H {
            let weight = L::splat(scores[h * stride]);
            for n in 0..N {
                sums[h][n] = weight.mul_add(loaded[n], sums[h][n]);
            }
        }
    }
}

/// The dot products of one key with several queries.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn dots<L: Lanes, const H: usize>(queries: &[&[f32]; H], key: &[f32]) -> [f32; H] {
    let (blocks, rest) = key.as_chunks::<LANES>();
    let mut dots = [0.0f32; H];
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        let mut sums = [L::zero(); H];
        for (i, block) in blocks.iter().enumerate() {
            let key = L::load(block);
            for h in 0..H {
                let (query, _) = queries[h].as_chunks::<LANES>();
                sums[h] = L::load(&query[i]).mul_add(key, sums[h]);
            }
        }
        for h in 0..H {
            let mut tail = 0.0f32;
            for (q, k) in queries[h][key.len() - rest.len()..].iter().zip(rest) {
                tail = q.mul_add(*k, tail);
            }
            dots[h] = sums[h].sum() + tail;
        }
    }
    dots
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
                                let all = (0..held).map(|r| (0, r)).chain(path).enumerate().map(|(p, row)| (p, at, bias, row));
                                all.skip(window.map_or(0, |w| (at + 1).saturating_sub(w))).collect()
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
