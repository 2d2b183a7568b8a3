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
            let span = (t * heads + kv * group) * dim..(t * heads + (kv + 1) * group) * dim;
            let (q, out) = (&q[span.clone()], &mut out[span]);
            let scores = &mut scores[..(end - start) * group];

            // Scores, (positions, group), and each head's largest.
            let keys = parts.iter().flat_map(|p| p.keys.chunks_exact(width)).take(end).skip(start);
            for (scores, key) in scores.chunks_exact_mut(group).zip(keys) {
                let key = &key[kv * dim..(kv + 1) * dim];
                for (score, q) in scores.iter_mut().zip(q.chunks_exact(dim)) {
                    *score = dot(q, key) * scale;
                }
            }
            for (head, out) in out.chunks_exact_mut(dim).enumerate() {
                let mut largest = f32::NEG_INFINITY;
                for s in scores[head..].iter().step_by(group) {
                    largest = largest.max(*s);
                }
                let mut total = 0.0;
                for s in scores[head..].iter_mut().step_by(group) {
                    *s = exp(*s - largest);
                    total += *s;
                }
                out.fill(0.0);
                let values = parts.iter().flat_map(|p| p.values.chunks_exact(width)).take(end).skip(start);
                for (&weight, value) in scores[head..].iter().step_by(group).zip(values) {
                    for (out, &v) in out.iter_mut().zip(&value[kv * dim..(kv + 1) * dim]) {
                        *out = weight.mul_add(v, *out);
                    }
                }
                let inverse = 1.0 / total;
                out.iter_mut().for_each(|o| *o *= inverse);
            }
        }
    }
}

/// Dot product in 32 lanes, which are then added up pairwise.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 32;
    let mut sums = [0.0f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (lane, (a, b)) in a_lanes.remainder().iter().zip(b_lanes.remainder()).enumerate() {
        sums[lane] = a * b;
    }
    for (a, b) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}
