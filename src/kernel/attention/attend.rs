//! Attention, its operands checked, by instruction set.

use super::masked::Masked;
use super::relative_bias::RelativeBias;
use super::shape::{AttentionShape, KeyValues, KvView, Mask};
use super::tile::Queries;
use crate::kernel::simd::{Element, F32x16, Isa, LaneKernel, run_on};

/// Computes the attention of queries, (tokens, heads, dim), over the positions of a view. Writes
/// (tokens, heads, dim). The bias is for both parts of the view, except with [`Mask::Local`], where
/// it is for the second.
///
/// # Panics
/// If the lengths of the slices do not fit, or a path leaves its part, or there are more queries
/// than rows beside them.
pub fn attend(
    shape: &AttentionShape,
    mask: Mask<'_>,
    bias: Option<&RelativeBias>,
    q: &[f32],
    view: KvView<'_>,
    out: &mut [f32],
) {
    let isa = Isa::current();
    match view {
        KvView::F32(parts) => attend_to(isa, Arguments { shape, mask, bias, q, parts, out }),
        KvView::F16(parts) => attend_to(isa, Arguments { shape, mask, bias, q, parts, out }),
    }
}

struct Arguments<'a, E> {
    shape: &'a AttentionShape,
    mask: Mask<'a>,
    bias: Option<&'a RelativeBias>,
    q: &'a [f32],
    /// The prefix, and the sequence's own part.
    parts: [KeyValues<'a, E>; 2],
    out: &'a mut [f32],
}

impl<E> Arguments<'_, E> {
    /// Number of queries.
    fn tokens(&self) -> usize {
        self.q.len() / (self.shape.heads * self.shape.dim)
    }

    /// Positions of each part.
    fn lengths(&self) -> [usize; 2] {
        self.parts.each_ref().map(|part| part.keys.len() / self.shape.kv_width())
    }

    /// # Panics
    /// Where [`attend`] does.
    fn check(&self) {
        let Arguments { shape, mask, q, parts, out, .. } = self;
        let width = shape.kv_width();
        assert!(
            q.len() == out.len()
                && q.len().is_multiple_of(shape.heads * shape.dim)
                && shape.heads.is_multiple_of(shape.kv_heads)
        );
        assert!(
            parts
                .iter()
                .all(|p| p.keys.len() == p.values.len() && p.keys.len().is_multiple_of(width))
        );
        let (tokens, [prefix, own]) = (self.tokens(), self.lengths());
        match mask {
            Mask::Causal => assert!(tokens <= prefix + own),
            Mask::Full => assert!(prefix + own > 0 || tokens == 0),
            Mask::Local { blocks, .. } => {
                assert!(tokens <= own && blocks.is_none_or(|blocks| blocks.size > 0));
            }
            Mask::BeamPaths(paths) => {
                let is_sound = |path: &Vec<u32>| {
                    !path.is_empty() && path.iter().all(|&row| (row as usize) < own)
                };
                assert!(paths.len() == tokens && paths.iter().all(is_sound));
            }
        }
    }
}

fn attend_to<E: Element>(isa: Isa, arguments: Arguments<'_, E>) {
    arguments.check();
    run_on(isa, arguments);
}

impl<E: Element> LaneKernel for Arguments<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: F32x16>(self) {
        let (tokens, lengths) = (self.tokens(), self.lengths());
        let Arguments { shape, mask, bias, q, parts, out } = self;
        let queries = Queries::new(shape, q, out);
        let mut masked = Masked { queries, tokens, parts, lengths, shape, bias };
        // SAFETY: the caller has the features of the lanes.
        unsafe {
            match mask {
                Mask::Causal => masked.causal::<L>(),
                Mask::Full => masked.full::<L>(),
                Mask::BeamPaths(paths) => masked.beam_paths::<L>(paths),
                Mask::Local { radius, blocks } => masked.local::<L>(radius, blocks),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::GlobalBlocks;
    use super::*;
    use half::f16;

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
    fn plain(q: &[f32], rows: &[(&[f32], &[f32], f32)], shape: &AttentionShape) -> Vec<f64> {
        let capped =
            |score: f64| shape.cap.map(f64::from).map_or(score, |cap| cap * (score / cap).tanh());
        let dot =
            |k: &[f32]| q.iter().zip(k).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let weights: Vec<f64> = rows
            .iter()
            .map(|(k, _, bias)| (capped(dot(k) * f64::from(shape.scale)) + f64::from(*bias)).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let mean = |i: usize| {
            rows.iter().zip(&weights).map(|((_, v, _), w)| f64::from(v[i]) * w).sum::<f64>() / total
        };
        (0..q.len()).map(mean).collect()
    }

    #[test]
    fn every_mask_is_what_its_definition_says() {
        for (heads, kv_heads, dim) in [(4, 4, 8), (6, 2, 20), (2, 1, 64)] {
            let (prefix, own, tokens) = (5, 11, 6);
            let (width, scale) = (kv_heads * dim, 0.3);
            let [k0, v0] = [1, 2].map(|seed| numbers(prefix * width, seed));
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
            let blocks = GlobalBlocks { size: 2, bias: &side };
            for (window, cap) in [(None, None), (Some(4), None), (Some(4), Some(1.5))] {
                let shape = AttentionShape { heads, kv_heads, dim, scale, cap, window };
                let near = |radius| Mask::Local { radius, blocks: None };
                let with_blocks = Mask::Local { radius: 1, blocks: Some(blocks) };
                let masks = [
                    Mask::Causal,
                    Mask::Full,
                    Mask::BeamPaths(&paths),
                    near(0),
                    near(2),
                    near(99),
                    with_blocks,
                ];
                for (mask, bias) in masks.into_iter().flat_map(|r| [(r, None), (r, Some(&bias))]) {
                    let mut out = vec![f32::NAN; q.len()];
                    attend(&shape, mask, bias, &q, KvView::F32(parts), &mut out);
                    for t in 0..tokens {
                        // Rows in the order seen.
                        let all = || (0..prefix).map(|r| (0, r)).chain((0..own).map(|r| (1, r)));
                        let rows: Vec<Row> = match mask {
                            Mask::Causal => {
                                let end = prefix + own - tokens + t + 1;
                                let start = window.map_or(0, |w| end.saturating_sub(w));
                                all()
                                    .enumerate()
                                    .take(end)
                                    .skip(start)
                                    .map(|(p, row)| (p, end - 1, bias, row))
                                    .collect()
                            }
                            Mask::Full => {
                                all().enumerate().map(|(p, row)| (p, t, bias, row)).collect()
                            }
                            Mask::BeamPaths(paths) => {
                                let path = paths[t].iter().map(|&r| (1, r as usize));
                                let at = prefix + paths[t].len() - 1;
                                let all = (0..prefix)
                                    .map(|r| (0, r))
                                    .chain(path)
                                    .enumerate()
                                    .map(|(p, row)| (p, at, bias, row));
                                all.skip(window.map_or(0, |w| (at + 1).saturating_sub(w))).collect()
                            }
                            Mask::Local { radius, blocks } => {
                                let first = (0..prefix).map(|r| {
                                    (r, (t / 2).min(prefix - 1), blocks.map(|b| b.bias), (0, r))
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
                            let want = plain(&q[place..place + dim], &rows, &shape);
                            for (got, want) in out[place..place + dim].iter().zip(want) {
                                assert!(
                                    (f64::from(*got) - want).abs() < 1e-5,
                                    "{mask:?}, window {window:?}, cap {cap:?}: {got} for {want}"
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
            let shape =
                AttentionShape { heads, kv_heads, dim, scale: 0.3, cap: None, window: None };
            let [keys, values] = [1, 2].map(|seed| numbers(positions * kv_heads * dim, seed));
            let [half_keys, half_values] = [&keys, &values]
                .map(|all| all.iter().map(|&v| f16::from_f32(v)).collect::<Vec<f16>>());
            let q = numbers(tokens * heads * dim, 3);
            let attend = |isa| {
                let mut outs = [vec![f32::NAN; q.len()], vec![f32::NAN; q.len()]];
                let [float, half] = &mut outs;
                let (shape, mask, bias, q) = (&shape, Mask::Causal, None, &q[..]);
                let parts = [KeyValues::NONE, KeyValues { keys: &keys, values: &values }];
                attend_to(isa, Arguments { shape, mask, bias, q, parts, out: float });
                let parts = [KeyValues::NONE, KeyValues { keys: &half_keys, values: &half_values }];
                attend_to(isa, Arguments { shape, mask, bias, q, parts, out: half });
                outs
            };
            let expected = attend(Isa::available()[0]);
            for isa in Isa::available() {
                assert_eq!(attend(isa), expected, "{}, heads of {dim}", isa.name());
            }
        }
    }

    #[test]
    fn a_query_does_not_depend_on_those_beside_it() {
        let (heads, dim, positions) = (3, 24, 9);
        let shape =
            AttentionShape { heads, kv_heads: heads, dim, scale: 0.2, cap: None, window: None };
        let (k, v, q) = (
            numbers(positions * heads * dim, 1),
            numbers(positions * heads * dim, 2),
            numbers(7 * heads * dim, 3),
        );
        let parts = [KeyValues { keys: &[], values: &[] }, KeyValues { keys: &k, values: &v }];
        let mut together = vec![0.0; q.len()];
        attend(&shape, Mask::Full, None, &q, KvView::F32(parts), &mut together);
        for (q, together) in q.chunks_exact(heads * dim).zip(together.chunks_exact(heads * dim)) {
            let mut alone = vec![0.0; heads * dim];
            attend(&shape, Mask::Full, None, q, KvView::F32(parts), &mut alone);
            assert_eq!(alone, together);
        }
        // Nor on what is beyond its radius, although it goes over its keys together with others.
        let near = Mask::Local { radius: 2, blocks: None };
        let attend_near = |q: &[f32], k: &[f32], v: &[f32]| {
            let mut out = vec![0.0; q.len()];
            attend(
                &shape,
                near,
                None,
                q,
                KvView::F32([parts[0], KeyValues { keys: k, values: v }]),
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
