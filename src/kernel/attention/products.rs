//! The two products of attention: queries with keys, and weights with values.

use crate::kernel::simd::{Element, F32x16, LANES};

// No closures around lanes below: whatever is not inlined into a function with the features
// is a call for every instruction.

/// The dot products of a query with as many columns of sixteen rows, from `column` on.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(super) unsafe fn dot_products<L: F32x16, E: Element>(
    query: &[f32],
    rows: &[&[E]; LANES],
    column: usize,
) -> L {
    let dim = query.len();
    assert!(rows.iter().all(|row| column + dim <= row.len()));
    // SAFETY: the caller has the features of the lanes; all rows have the columns.
    unsafe {
        let mut sums = [L::zero(); LANES];
        let mut at = 0;
        while at + LANES <= dim {
            let part = L::load(query.as_ptr().add(at));
            for i in 0..LANES {
                sums[i] = part.mul_add(E::load::<L>(rows[i].as_ptr().add(column + at)), sums[i]);
            }
            at += LANES;
        }
        if at < dim {
            let part = L::load_partial(&query[at..]);
            for i in 0..LANES {
                sums[i] =
                    part.mul_add(L::load_partial(&rows[i][column + at..column + dim]), sums[i]);
            }
        }
        L::horizontal_sums(sums)
    }
}

/// The `dim` columns, from `column` on, of up to sixteen rows of values.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, E> {
    pub rows: &'a [&'a [E]],
    pub column: usize,
    pub dim: usize,
    /// Whether these rows are the first that are added up.
    pub begin: bool,
}

/// Adds the values, times each query's weights, to the queries' results, which begin at `places`.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(super) unsafe fn weighted_sum<L: F32x16, E: Element, const H: usize>(
    weights: [&[f32]; H],
    values: Columns<'_, E>,
    out: &mut [f32],
    places: [usize; H],
) {
    let Columns { rows, column, dim, begin } = values;
    assert!(
        rows.iter().all(|row| column + dim <= row.len())
            && places.iter().all(|place| place + dim <= out.len())
    );
    assert!(weights.iter().all(|w| w.len() >= rows.len()));
    let mut at = 0;
    // SAFETY: the caller has the features of the lanes; what is read and written has been looked at
    // above.
    unsafe {
        // As many columns at once as there are registers for.
        while L::WIDE_REGISTER_FILE && at + 4 * LANES <= dim {
            add_blocks::<L, E, H, 4>(&weights, values, at, out, &places);
            at += 4 * LANES;
        }
        while at + LANES <= dim {
            add_blocks::<L, E, H, 1>(&weights, values, at, out, &places);
            at += LANES;
        }
        for h in 0..H {
            for at in at..dim {
                let place = &mut out[places[h] + at];
                let mut sum = if begin { 0.0 } else { *place };
                for (row, weight) in rows.iter().zip(weights[h]) {
                    sum = weight.mul_add(row[column + at].to_f32(), sum);
                }
                *place = sum;
            }
        }
    }
}

/// Adds the values of `N` blocks of sixteen columns, the first at column `at` of the values.
///
/// # Safety
/// The caller has the features of the lanes; rows and results have the columns, and each query a
/// weight for each row.
#[inline(always)]
unsafe fn add_blocks<L: F32x16, E: Element, const H: usize, const N: usize>(
    weights: &[&[f32]; H],
    values: Columns<'_, E>,
    at: usize,
    out: &mut [f32],
    places: &[usize; H],
) {
    // SAFETY: the caller has the features of the lanes, and has looked at the lengths.
    unsafe {
        let mut sums = [[L::zero(); N]; H];
        if !values.begin {
            for (sums, place) in sums.iter_mut().zip(places) {
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(out.as_ptr().add(place + at + n * LANES));
                }
            }
        }
        for (i, row) in values.rows.iter().enumerate() {
            let mut loaded = [L::zero(); N];
            for (n, loaded) in loaded.iter_mut().enumerate() {
                *loaded = E::load::<L>(row.as_ptr().add(values.column + at + n * LANES));
            }
            for h in 0..H {
                let weight = L::splat(*weights[h].get_unchecked(i));
                for n in 0..N {
                    sums[h][n] = weight.mul_add(loaded[n], sums[h][n]);
                }
            }
        }
        for h in 0..H {
            let (blocks, _) = out[places[h] + at..][..N * LANES].as_chunks_mut::<LANES>();
            for n in 0..N {
                sums[h][n].store(&mut blocks[n]);
            }
        }
    }
}
