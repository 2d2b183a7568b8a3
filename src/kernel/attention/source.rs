//! Attention over the whole of a source: of an encoder over itself, of a decoder over what the
//! encoder has made of it.
//!
//! The keys of a head stand in blocks of sixteen positions, (kv_heads, blocks, dim, 16), so that
//! the scores of sixteen keys are sixteen lanes, and nothing has to be added up across a register.
//! What is stored is read in the order in which it lies.

use super::shape::{AttentionShape, RowColumns};
use super::source_tile::Operands;
use crate::kernel::elementwise::to_half;
use crate::kernel::simd::{Aligned, Isa, LANES, run_on};
use half::f16;

/// The keys and values of a source in one layer.
pub struct SourceKeyValues(Stored);

/// Keys in blocks, and values, (kv_heads, positions, dim).
enum Stored {
    F32 { keys: Aligned<f32>, values: Aligned<f32> },
    F16 { keys: Aligned<f16>, values: Aligned<f16> },
}

impl SourceKeyValues {
    /// Stores keys and values, each (positions, kv_heads · dim), in half precision if that is
    /// wanted.
    ///
    /// # Panics
    /// If there is none, or they do not fit the shape.
    pub fn new(
        shape: &AttentionShape,
        half: bool,
        keys: RowColumns<'_>,
        values: RowColumns<'_>,
    ) -> SourceKeyValues {
        assert!(keys.rows() > 0 && keys.rows() == values.rows());
        assert!(keys.width == shape.kv_width() && values.width == shape.kv_width());
        let (keys, values) = (blocks(shape, keys), by_head(shape, values));
        if !half {
            return SourceKeyValues(Stored::F32 { keys, values });
        }
        let halves = |all: &[f32]| {
            let mut halves = Aligned::zeros(all.len());
            to_half(&mut halves, all);
            halves
        };
        SourceKeyValues(Stored::F16 { keys: halves(&keys), values: halves(&values) })
    }

    /// The keys in order, (positions, kv_heads · dim).
    pub fn keys(&self, shape: &AttentionShape) -> Vec<f32> {
        match &self.0 {
            Stored::F32 { keys, values } => in_order(shape, keys, values.len(), |v| v),
            Stored::F16 { keys, values } => in_order(shape, keys, values.len(), f16::to_f32),
        }
    }
}

/// The values of one head after those of the other.
fn by_head(shape: &AttentionShape, values: RowColumns<'_>) -> Aligned<f32> {
    let (dim, rows) = (shape.dim, values.rows());
    let mut by_head = Aligned::zeros(rows * values.width);
    for (number, out) in by_head.chunks_exact_mut(dim).enumerate() {
        let (kv, row) = (number / rows, number % rows);
        out.copy_from_slice(&values.row(row)[kv * dim..(kv + 1) * dim]);
    }
    by_head
}

/// The keys in blocks of sixteen positions; those that are lacking are zero.
fn blocks(shape: &AttentionShape, keys: RowColumns<'_>) -> Aligned<f32> {
    let (dim, blocks) = (shape.dim, keys.rows().div_ceil(LANES));
    let mut out = Aligned::zeros(blocks * shape.kv_width() * LANES);
    for (number, out) in out.chunks_exact_mut(dim * LANES).enumerate() {
        let (kv, block) = (number / blocks, number % blocks);
        let rows = block * LANES..((block + 1) * LANES).min(keys.rows());
        for (lane, row) in rows.enumerate() {
            let row = &keys.row(row)[kv * dim..(kv + 1) * dim];
            for (out, &key) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(row) {
                out[lane] = key;
            }
        }
    }
    out
}

/// The first `count` keys out of their blocks.
fn in_order<E: Copy>(
    shape: &AttentionShape,
    keys: &[E],
    count: usize,
    to_f32: impl Fn(E) -> f32,
) -> Vec<f32> {
    let (width, dim) = (shape.kv_width(), shape.dim);
    let blocks = (count / width).div_ceil(LANES);
    let key = |i: usize| {
        let (position, column) = (i / width, i % width);
        let block = column / dim * blocks + position / LANES;
        to_f32(keys[(block * dim + column % dim) * LANES + position % LANES])
    };
    (0..count).map(key).collect()
}

/// Attention of queries, (tokens, heads · dim), to a source: (tokens, heads · dim). Meanwhile the
/// one that is `ahead`, if there is one, comes from memory.
///
/// # Panics
/// If the lengths do not fit.
pub fn attend_source(
    shape: &AttentionShape,
    q: RowColumns<'_>,
    source: &SourceKeyValues,
    ahead: Option<&SourceKeyValues>,
    out: &mut [f32],
) {
    let isa = Isa::current();
    match &source.0 {
        Stored::F32 { keys, values } => {
            let ahead = match ahead {
                Some(SourceKeyValues(Stored::F32 { keys, values })) => [&keys[..], &values[..]],
                _ => [&[][..]; 2],
            };
            let positions = values.len() / shape.kv_width();
            run_on(isa, Operands { shape, q, keys, values, positions, ahead, out }.check());
        }
        Stored::F16 { keys, values } => {
            let ahead = match ahead {
                Some(SourceKeyValues(Stored::F16 { keys, values })) => [&keys[..], &values[..]],
                _ => [&[][..]; 2],
            };
            let positions = values.len() / shape.kv_width();
            run_on(isa, Operands { shape, q, keys, values, positions, ahead, out }.check());
        }
    }
}

/// Attention of a source to itself: queries, keys and values stand side by side, (tokens,
/// (heads + 2 · kv_heads) · dim). Writes (tokens, heads · dim).
///
/// # Panics
/// If the lengths do not fit.
pub fn attend_itself(shape: &AttentionShape, qkv: &[f32], out: &mut [f32]) {
    attend_itself_on(Isa::current(), shape, qkv, out);
}

fn attend_itself_on(isa: Isa, shape: &AttentionShape, qkv: &[f32], out: &mut [f32]) {
    if qkv.is_empty() {
        return;
    }
    let (width, kv_width) = (shape.heads * shape.dim, shape.kv_width());
    let stride = width + 2 * kv_width;
    let columns = |first, width| RowColumns { values: qkv, stride, first, width };
    let keys = blocks(shape, columns(width, kv_width));
    // All queries read the values, whose rows, so far from one another, would drive each other out
    // of the first cache.
    let values = by_head(shape, columns(width + kv_width, kv_width));
    let positions = qkv.len() / stride;
    let (q, ahead) = (columns(0, width), [&[][..]; 2]);
    let (keys, values) = (&keys[..], &values[..]);
    run_on(isa, Operands { shape, q, keys, values, positions, ahead, out }.check());
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

    /// By the definition, in f64.
    fn plain(shape: &AttentionShape, qkv: &[f32]) -> Vec<f64> {
        let &AttentionShape { heads, kv_heads, dim, scale, .. } = shape;
        let stride = (heads + 2 * kv_heads) * dim;
        let rows: Vec<&[f32]> = qkv.chunks_exact(stride).collect();
        let mut out = Vec::new();
        for q in &rows {
            for head in 0..heads {
                let key = heads * dim + head / (heads / kv_heads) * dim;
                let dot = |row: &[f32]| -> f64 {
                    (0..dim).map(|d| f64::from(q[head * dim + d]) * f64::from(row[key + d])).sum()
                };
                let weights: Vec<f64> =
                    rows.iter().map(|row| (dot(row) * f64::from(scale)).exp()).collect();
                let total: f64 = weights.iter().sum();
                out.extend((0..dim).map(|d| {
                    let value = |row: &&[f32]| f64::from(row[key + kv_heads * dim + d]);
                    rows.iter().zip(&weights).map(|(row, w)| value(row) * w).sum::<f64>() / total
                }));
            }
        }
        out
    }

    #[test]
    fn a_source_attends_to_itself_by_the_definition_with_the_same_bits_everywhere() {
        for (heads, kv_heads, dim) in [(8, 8, 32), (4, 2, 20), (3, 3, 7), (1, 1, 1), (8, 8, 64)] {
            let shape =
                AttentionShape { heads, kv_heads, dim, scale: 0.3, cap: None, window: None };
            for tokens in [1, 2, 15, 16, 17, 37] {
                let qkv = numbers(tokens * (heads + 2 * kv_heads) * dim, 5);
                let attend = |isa| {
                    let mut out = vec![f32::NAN; tokens * heads * dim];
                    attend_itself_on(isa, &shape, &qkv, &mut out);
                    out
                };
                let expected = attend(Isa::available()[0]);
                for (got, want) in expected.iter().zip(plain(&shape, &qkv)) {
                    assert!((f64::from(*got) - want).abs() < 1e-5, "{got} for {want}");
                }
                for isa in Isa::available() {
                    assert_eq!(attend(isa), expected, "{}, heads of {dim}", isa.name());
                }
            }
        }
    }

    #[test]
    fn a_query_does_not_depend_on_those_beside_it_and_halves_are_near() {
        let shape =
            AttentionShape { heads: 4, kv_heads: 4, dim: 24, scale: 0.2, cap: None, window: None };
        let (tokens, width) = (21, 96);
        let qkv = numbers(tokens * 3 * width, 7);
        let columns = |first| RowColumns { values: &qkv, stride: 3 * width, first, width };
        let mut itself = vec![0.0; tokens * width];
        attend_itself(&shape, &qkv, &mut itself);
        for half in [false, true] {
            let source = SourceKeyValues::new(&shape, half, columns(width), columns(2 * width));
            let keys = source.keys(&shape);
            for (i, key) in keys.iter().enumerate() {
                let want = qkv[i / width * 3 * width + width + i % width];
                assert!((key - want).abs() <= if half { 1e-3 } else { 0.0 });
            }
            let mut together = vec![0.0; tokens * width];
            attend_source(&shape, columns(0), &source, Some(&source), &mut together);
            for (t, want) in together.chunks_exact(width).enumerate() {
                let row = &qkv[t * 3 * width..][..3 * width];
                let q = RowColumns { values: row, stride: 3 * width, first: 0, width };
                let mut alone = vec![0.0; width];
                attend_source(&shape, q, &source, None, &mut alone);
                assert_eq!(alone, want);
            }
            let worst = itself.iter().zip(&together).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) <= if half { 2e-3 } else { 0.0 });
        }
    }
}
