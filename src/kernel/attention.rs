//! Scaled dot-product attention of queries over cached keys and values.

use super::isa::Isa;
use super::lanes::{Element, Lanes};
use super::relative::RelativeBias;
use super::seen::{Path, Run, Seen};
use super::tile::{Places, Queries, TOGETHER, View};
use half::f16;

/// Sizes of one attention layer.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads (Ainslie et al. 2023,
    /// grouped-query attention).
    pub kv_heads: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// A query sees only so many last positions, itself included; `None` for all. For
    /// [`Reach::Causal`] and [`Reach::Paths`].
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
pub struct KeyValues<'a, E> {
    /// Keys.
    pub keys: &'a [E],
    /// Values.
    pub values: &'a [E],
}

impl<E> KeyValues<'_, E> {
    /// No position.
    pub const NONE: Self = KeyValues { keys: &[], values: &[] };
}

/// What queries attend to: two parts, one after the other.
#[derive(Clone, Copy, Debug)]
pub enum Attended<'a> {
    /// In f32.
    F32([KeyValues<'a, f32>; 2]),
    /// In half precision: half as much to read, at an error of at most 2⁻¹¹ of each number.
    F16([KeyValues<'a, f16>; 2]),
}

/// Which positions a query sees.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// The queries stand at the last positions, and each sees those up to its own.
    Causal,
    /// Every query sees every position; the queries stand at the first ones.
    All,
    /// A query sees the first part whole, and of the second the rows that its path names; it stands
    /// at the last of them. Hypotheses of a beam share their cache this way: what they have in
    /// common is there once, and nothing is ever moved.
    Paths(&'a [Vec<u32>]),
    /// A query sees the first part whole, and of the second what is within `radius` of itself; the
    /// queries stand beside the first rows of the second part. For encoders of long sources
    /// (Beltagy et al. 2020; Guo et al. 2021).
    Near {
        /// Positions seen on either side.
        radius: usize,
        /// What the first part stands for; `None` when its scores get nothing added.
        blocks: Option<Blocks<'a>>,
    },
}

/// The first part of [`Reach::Near`] when its rows stand for blocks of the second (Guo et al. 2021,
/// transient global attention).
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

/// Attention of queries, (tokens, heads, dim), over the positions in two parts, one part after the
/// other. Writes (tokens, heads, dim). The bias is for both parts, except with [`Reach::Near`],
/// where it is for the second.
///
/// # Panics
/// If the lengths of the slices do not fit, or a path leaves its part, or there are more queries
/// than rows beside them.
pub fn attend(
    shape: &AttentionShape,
    reach: Reach<'_>,
    bias: Option<&RelativeBias>,
    q: &[f32],
    attended: Attended<'_>,
    out: &mut [f32],
) {
    match attended {
        Attended::F32(parts) => {
            attend_to(Isa::current(), Arguments { shape, reach, bias, q, parts, out })
        }
        Attended::F16(parts) => {
            attend_to(Isa::current(), Arguments { shape, reach, bias, q, parts, out })
        }
    }
}

struct Arguments<'a, E> {
    shape: &'a AttentionShape,
    reach: Reach<'a>,
    bias: Option<&'a RelativeBias>,
    q: &'a [f32],
    parts: [KeyValues<'a, E>; 2],
    out: &'a mut [f32],
}

fn attend_to<E: Element>(isa: Isa, arguments: Arguments<'_, E>) {
    let Arguments { shape, reach, q, parts, ref out, .. } = arguments;
    let width = shape.width();
    let token = shape.heads * shape.dim;
    assert!(
        q.len() == out.len()
            && q.len().is_multiple_of(token)
            && shape.heads.is_multiple_of(shape.kv_heads)
    );
    assert!(
        parts.iter().all(|p| p.keys.len() == p.values.len() && p.keys.len().is_multiple_of(width))
    );
    let (tokens, length) = (q.len() / token, (parts[0].keys.len() + parts[1].keys.len()) / width);
    match reach {
        Reach::Causal => assert!(tokens <= length),
        Reach::All => assert!(length > 0 || tokens == 0),
        Reach::Near { blocks, .. } => {
            assert!(
                tokens <= parts[1].keys.len() / width
                    && blocks.is_none_or(|blocks| blocks.size > 0)
            );
        }
        Reach::Paths(paths) => {
            let rows = parts[1].keys.len() / width;
            assert!(
                paths.len() == tokens
                    && paths
                        .iter()
                        .all(|p| !p.is_empty() && p.iter().all(|&row| (row as usize) < rows))
            );
        }
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn avx2<E: Element>(arguments: Arguments<'_, E>) {
            // SAFETY: this function has the features of these lanes.
            unsafe { attend_with::<super::lanes::x86::Avx2, E>(arguments) }
        }
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
        fn avx512<E: Element>(arguments: Arguments<'_, E>) {
            // SAFETY: this function has the features of these lanes.
            unsafe { attend_with::<super::lanes::x86::Avx512, E>(arguments) }
        }
        match isa {
            // SAFETY: an `Isa` is only ever made after the CPU was found to have its features.
            Isa::Avx512 => return unsafe { avx512(arguments) },
            // SAFETY: as above.
            Isa::Avx2 | Isa::AvxVnni => return unsafe { avx2(arguments) },
            _ => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    if isa == Isa::Neon {
        // SAFETY: all code for 64-bit ARM has the features of these lanes.
        return unsafe { attend_with::<super::lanes::neon::Neon, E>(arguments) };
    }
    let _ = isa;
    // SAFETY: portable lanes need no feature.
    unsafe { attend_with::<[f32; 16], E>(arguments) }
}

/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn attend_with<L: Lanes, E: Element>(arguments: Arguments<'_, E>) {
    let Arguments { shape, reach, bias, q, parts, out } = arguments;
    let width = shape.width();
    let held = parts[0].keys.len() / width;
    let length = held + parts[1].keys.len() / width;
    let tokens = q.len() / (shape.heads * shape.dim);
    let mut queries = Queries::new(shape, q, out);
    let tiles = (0..tokens).step_by(TOGETHER).map(|from| from..(from + TOGETHER).min(tokens));
    // Where a query that ends at `end` begins to see.
    let begin = |end: usize| shape.window.map_or(0, |w| end.saturating_sub(w));
    let in_order = Places { bias: [bias; 2], first: [0, held] };
    // SAFETY: the caller has the features of the lanes.
    unsafe {
        match reach {
            Reach::Causal => {
                let end = |t: usize| length - tokens + t + 1;
                for tile in tiles {
                    let seen = Seen {
                        parts,
                        width,
                        span: begin(end(tile.start))..end(tile.end - 1),
                        rows: Run(0),
                    };
                    queries.tile::<L, E, Run>(tile, in_order, seen, |t| {
                        View::run(begin(end(t))..end(t))
                    });
                }
            }
            Reach::All => {
                for tile in tiles {
                    let seen = Seen { parts, width, span: 0..length, rows: Run(0) };
                    queries.tile::<L, E, Run>(tile, in_order, seen, |t| View {
                        at: [t; 2],
                        ..View::run(0..length)
                    });
                }
            }
            Reach::Near { radius, blocks } => {
                // Neighbours see nearly the same, and go over what any of them sees together.
                for tile in tiles {
                    let start = tile.start.saturating_sub(radius);
                    let end = tile.end.saturating_add(radius).min(length - held);
                    let seen = Seen { parts, width, span: 0..held + end - start, rows: Run(start) };
                    let places = Places {
                        bias: [blocks.map(|blocks| blocks.bias), bias],
                        first: [0, start],
                    };
                    queries.tile::<L, E, Run>(tile, places, seen, |t| {
                        let near = t.saturating_sub(radius)
                            ..(t + 1).saturating_add(radius).min(length - held);
                        View {
                            ranges: [0..held, held + near.start - start..held + near.end - start],
                            at: [blocks.map_or(0, |blocks| blocks.of(t, held)), t],
                        }
                    });
                }
            }
            Reach::Paths(paths) => {
                for (t, path) in paths.iter().enumerate() {
                    let end = held + path.len();
                    let seen = Seen { parts, width, span: begin(end)..end, rows: Path(path) };
                    queries.tile::<L, E, Path<'_>>(t..t + 1, in_order, seen, |_| {
                        View::run(begin(end)..end)
                    });
                }
            }
        }
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

    /// A key: its position and that of the query, what is added by the distance, and its part and
    /// row.
    type Row<'a> = (usize, usize, Option<&'a RelativeBias>, (usize, usize));

    /// By the definition, in f64: one query over the rows given as (keys, values, bias).
    fn plain(q: &[f32], rows: &[(&[f32], &[f32], f32)], scale: f32) -> Vec<f64> {
        let dot =
            |k: &[f32]| q.iter().zip(k).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let weights: Vec<f64> = rows
            .iter()
            .map(|(k, _, bias)| (dot(k) * f64::from(scale) + f64::from(*bias)).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let mean = |i: usize| {
            rows.iter().zip(&weights).map(|((_, v, _), w)| f64::from(v[i]) * w).sum::<f64>() / total
        };
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
            let parts =
                [KeyValues { keys: &k0, values: &v0 }, KeyValues { keys: &k1, values: &v1 }];
            let bias = RelativeBias::new(heads, 3, |head, distance| {
                (head as f32 + 1.0) * 0.1 * distance as f32
            });
            let side = RelativeBias::new(heads, 2, |head, distance| {
                (head as f32 - 1.0) * 0.2 * distance as f32
            });
            let paths =
                vec![vec![0, 2, 6], vec![1], vec![5, 5, 0, 3], vec![7], vec![0], vec![10, 9, 8]];
            let blocks = Blocks { size: 2, bias: &side };
            for window in [None, Some(4)] {
                let shape = AttentionShape { heads, kv_heads, dim, scale, window };
                let near = |radius| Reach::Near { radius, blocks: None };
                let with_blocks = Reach::Near { radius: 1, blocks: Some(blocks) };
                let reaches = [
                    Reach::Causal,
                    Reach::All,
                    Reach::Paths(&paths),
                    near(0),
                    near(2),
                    near(99),
                    with_blocks,
                ];
                for (reach, bias) in reaches.into_iter().flat_map(|r| [(r, None), (r, Some(&bias))])
                {
                    let mut out = vec![f32::NAN; q.len()];
                    attend(&shape, reach, bias, &q, Attended::F32(parts), &mut out);
                    for t in 0..tokens {
                        // Rows in the order seen.
                        let all = || (0..held).map(|r| (0, r)).chain((0..own).map(|r| (1, r)));
                        let rows: Vec<Row> = match reach {
                            Reach::Causal => {
                                let end = held + own - tokens + t + 1;
                                let start = window.map_or(0, |w| end.saturating_sub(w));
                                all()
                                    .enumerate()
                                    .take(end)
                                    .skip(start)
                                    .map(|(p, row)| (p, end - 1, bias, row))
                                    .collect()
                            }
                            Reach::All => {
                                all().enumerate().map(|(p, row)| (p, t, bias, row)).collect()
                            }
                            Reach::Paths(paths) => {
                                let path = paths[t].iter().map(|&r| (1, r as usize));
                                let at = held + paths[t].len() - 1;
                                let all = (0..held)
                                    .map(|r| (0, r))
                                    .chain(path)
                                    .enumerate()
                                    .map(|(p, row)| (p, at, bias, row));
                                all.skip(window.map_or(0, |w| (at + 1).saturating_sub(w))).collect()
                            }
                            Reach::Near { radius, blocks } => {
                                let first = (0..held).map(|r| {
                                    (r, (t / 2).min(held - 1), blocks.map(|b| b.bias), (0, r))
                                });
                                let second = (0..own)
                                    .filter(|r| r.abs_diff(t) <= radius)
                                    .map(|r| (r, t, bias, (1, r)));
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
                                assert!(
                                    (f64::from(*got) - want).abs() < 1e-5,
                                    "{reach:?}, window {window:?}: {got} for {want}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for (heads, kv_heads, dim) in [(4, 4, 8), (6, 2, 20), (2, 1, 64), (8, 2, 100)] {
            let (positions, tokens) = (37, 6);
            let shape = AttentionShape { heads, kv_heads, dim, scale: 0.3, window: None };
            let [keys, values] = [1, 2].map(|seed| numbers(positions * kv_heads * dim, seed));
            let [half_keys, half_values] = [&keys, &values]
                .map(|all| all.iter().map(|&v| f16::from_f32(v)).collect::<Vec<f16>>());
            let q = numbers(tokens * heads * dim, 3);
            let attend = |isa| {
                let mut outs = [vec![f32::NAN; q.len()], vec![f32::NAN; q.len()]];
                let [float, half] = &mut outs;
                let (shape, reach, bias, q) = (&shape, Reach::Causal, None, &q[..]);
                let parts = [KeyValues::NONE, KeyValues { keys: &keys, values: &values }];
                attend_to(isa, Arguments { shape, reach, bias, q, parts, out: float });
                let parts = [KeyValues::NONE, KeyValues { keys: &half_keys, values: &half_values }];
                attend_to(isa, Arguments { shape, reach, bias, q, parts, out: half });
                outs
            };
            let expected = attend(Isa::Scalar);
            for isa in Isa::available() {
                assert_eq!(attend(isa), expected, "{}, heads of {dim}", isa.name());
            }
        }
    }

    #[test]
    fn a_query_does_not_depend_on_those_beside_it() {
        let (heads, dim, positions) = (3, 24, 9);
        let shape = AttentionShape { heads, kv_heads: heads, dim, scale: 0.2, window: None };
        let (k, v, q) = (
            numbers(positions * heads * dim, 1),
            numbers(positions * heads * dim, 2),
            numbers(7 * heads * dim, 3),
        );
        let parts = [KeyValues { keys: &[], values: &[] }, KeyValues { keys: &k, values: &v }];
        let mut together = vec![0.0; q.len()];
        attend(&shape, Reach::All, None, &q, Attended::F32(parts), &mut together);
        for (q, together) in q.chunks_exact(heads * dim).zip(together.chunks_exact(heads * dim)) {
            let mut alone = vec![0.0; heads * dim];
            attend(&shape, Reach::All, None, q, Attended::F32(parts), &mut alone);
            assert_eq!(alone, together);
        }
        // Nor on what is beyond its radius, although it goes over its keys together with others.
        let near = Reach::Near { radius: 2, blocks: None };
        let attend_near = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut out = vec![0.0; q.len()];
            attend(
                &shape,
                near,
                None,
                q,
                Attended::F32([parts[0], KeyValues { keys: k, values: v }]),
                &mut out,
            );
            out
        };
        let token = heads * dim;
        let (all, first) =
            (attend_near(&q, &k, &v), attend_near(&q[..token], &k[..3 * token], &v[..3 * token]));
        assert_eq!(all[..token], first);
    }
}
