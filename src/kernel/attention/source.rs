//! Attention over the whole of a source: of an encoder over itself, of a decoder over what the
//! encoder has made of it.
//!
//! The keys of a head stand in blocks of sixteen positions, (kv_heads, blocks, dim, 16), so that the
//! scores of sixteen keys are sixteen lanes, and nothing has to be added up across a register. What
//! is stored is read in the order in which it lies.

use super::shape::AttentionShape;
use super::softmax::softmax;
use crate::kernel::elementwise::extend_half;
use crate::kernel::simd::{Element, F32x16, Isa, IsaKind, LANES};
use half::f16;

/// Queries that go over the keys together.
const TILE: usize = 4;

/// Some columns of rows that may have others: the queries, keys or values of a projection.
#[derive(Clone, Copy)]
pub struct RowColumns<'a> {
    /// (rows, stride)
    pub values: &'a [f32],
    /// Width of a row with all its columns.
    pub stride: usize,
    /// The first of the columns.
    pub first: usize,
    /// How many they are.
    pub width: usize,
}

impl<'a> RowColumns<'a> {
    fn rows(&self) -> usize {
        self.values.len() / self.stride
    }

    fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.stride + self.first..][..self.width]
    }
}

/// The keys and values of a source in one layer.
pub struct SourceKeyValues(Stored);

/// Keys in blocks, and values, (kv_heads, positions, dim).
enum Stored {
    F32 { keys: Vec<f32>, values: Vec<f32> },
    F16 { keys: Vec<f16>, values: Vec<f16> },
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
        let keys = blocks(shape, keys);
        let values: Vec<f32> = (0..shape.kv_heads)
            .flat_map(|kv| (0..values.rows()).map(move |i| (kv, i)))
            .flat_map(|(kv, i)| &values.row(i)[kv * shape.dim..(kv + 1) * shape.dim])
            .copied()
            .collect();
        if !half {
            return SourceKeyValues(Stored::F32 { keys, values });
        }
        let halves = |all: &[f32]| {
            let mut halves = Vec::new();
            extend_half(&mut halves, all);
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

/// The keys in blocks of sixteen positions; those that are lacking are zero.
fn blocks(shape: &AttentionShape, keys: RowColumns<'_>) -> Vec<f32> {
    let (dim, blocks) = (shape.dim, keys.rows().div_ceil(LANES));
    let mut out = vec![0.0; blocks * shape.kv_width() * LANES];
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

/// Attention of queries, (tokens, heads · dim), to a source: (tokens, heads · dim).
///
/// # Panics
/// If the lengths do not fit.
pub fn attend_source(
    shape: &AttentionShape,
    q: RowColumns<'_>,
    source: &SourceKeyValues,
    out: &mut [f32],
) {
    let isa = Isa::current();
    let places = |count: usize| {
        let positions = count / shape.kv_width();
        Places { positions, head: positions * shape.dim, position: shape.dim }
    };
    match &source.0 {
        Stored::F32 { keys, values } => {
            let places = places(values.len());
            attend_to(isa, Operands { shape, q, keys, values, places, out });
        }
        Stored::F16 { keys, values } => {
            let places = places(values.len());
            attend_to(isa, Operands { shape, q, keys, values, places, out });
        }
    }
}

/// Attention of a source to itself: queries, keys and values stand side by side, (tokens, (heads + 2
/// · kv_heads) · dim). Writes (tokens, heads · dim).
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
    let values = &qkv[width + kv_width..];
    let places = Places { positions: qkv.len() / stride, head: shape.dim, position: stride };
    let operands = Operands { shape, q: columns(0, width), keys: &keys, values, places, out };
    attend_to(isa, operands);
}

struct Operands<'a, E> {
    shape: &'a AttentionShape,
    q: RowColumns<'a>,
    /// In blocks.
    keys: &'a [E],
    values: &'a [E],
    places: Places,
    out: &'a mut [f32],
}

/// Where the values of a head and of a position are.
#[derive(Clone, Copy)]
struct Places {
    positions: usize,
    /// Numbers from a head's first value to that of the next head.
    head: usize,
    /// Numbers from a position's values to those of the next one.
    position: usize,
}

impl<E> Operands<'_, E> {
    /// # Panics
    /// If the lengths do not fit.
    fn check(&self) {
        let &Operands { shape, q, keys, values, places, ref out } = self;
        let (width, positions) = (shape.kv_width(), places.positions);
        assert!(shape.dim > 0 && shape.heads.is_multiple_of(shape.kv_heads) && positions > 0);
        assert!(q.width == shape.heads * shape.dim && q.values.len().is_multiple_of(q.stride));
        assert!(q.first + q.width <= q.stride && out.len() == q.rows() * q.width);
        assert!(keys.len() == positions.div_ceil(LANES) * width * LANES);
        let last = (shape.kv_heads - 1) * places.head + (positions - 1) * places.position;
        assert!(values.len() >= last + shape.dim);
    }
}

fn attend_to<E: Element>(isa: Isa, operands: Operands<'_, E>) {
    operands.check();
    #[cfg(target_arch = "x86_64")]
    {
        use crate::kernel::simd::{Avx2, Avx512};
        #[target_feature(enable = "avx2,fma,f16c")]
        fn avx2<E: Element>(operands: Operands<'_, E>) {
            // SAFETY: this function has the features of these lanes; the operands were checked.
            unsafe { attend_with::<Avx2, E>(operands) }
        }
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
        fn avx512<E: Element>(operands: Operands<'_, E>) {
            // SAFETY: this function has the features of these lanes; the operands were checked.
            unsafe { attend_with::<Avx512, E>(operands) }
        }
        match isa.kind() {
            // SAFETY: an `Isa` of this kind is made only after the CPU was found to have these
            // features.
            IsaKind::Avx512 => return unsafe { avx512(operands) },
            // SAFETY: as above; both kinds need AVX2, FMA and F16C.
            IsaKind::Avx2 | IsaKind::AvxVnni => return unsafe { avx2(operands) },
            IsaKind::Scalar | IsaKind::Neon => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    if isa.kind() == IsaKind::Neon {
        // SAFETY: all code for 64-bit ARM has the features of these lanes; the operands were
        // checked.
        return unsafe { attend_with::<crate::kernel::simd::Neon, E>(operands) };
    }
    let _ = isa;
    // SAFETY: portable lanes need no feature; the operands were checked.
    unsafe { attend_with::<[f32; LANES], E>(operands) }
}

/// # Safety
/// The caller has the features of the lanes, and has checked the operands.
#[inline(always)]
unsafe fn attend_with<L: F32x16, E: Element>(mut operands: Operands<'_, E>) {
    let rows = operands.q.rows();
    let mut scores = vec![0.0; TILE * operands.places.positions.next_multiple_of(LANES)];
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
    let (shape, q, places) = (operands.shape, operands.q, operands.places);
    let positions = places.positions;
    let (dim, padded) = (shape.dim, positions.next_multiple_of(LANES));
    let kv = head / (shape.heads / shape.kv_heads);
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
        softmax(scores, &[positions..padded]);
    }
    let weights: [&[f32]; Q] = std::array::from_fn(|i| &scores[i * padded..][..positions]);
    let values = (&operands.values[kv * places.head..], places.position);
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
            let shape = AttentionShape { heads, kv_heads, dim, scale: 0.3, window: None };
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
        let shape = AttentionShape { heads: 4, kv_heads: 4, dim: 24, scale: 0.2, window: None };
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
            attend_source(&shape, columns(0), &source, &mut together);
            for (t, want) in together.chunks_exact(width).enumerate() {
                let row = &qkv[t * 3 * width..][..3 * width];
                let q = RowColumns { values: row, stride: 3 * width, first: 0, width };
                let mut alone = vec![0.0; width];
                attend_source(&shape, q, &source, &mut alone);
                assert_eq!(alone, want);
            }
            let worst = itself.iter().zip(&together).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) <= if half { 2e-3 } else { 0.0 });
        }
    }
}
