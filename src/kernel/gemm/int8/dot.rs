//! The int8 product of a tile, where the instruction set adds up four products of 8-bit integers a
//! lane at once.
#![cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(unused))]

use super::epilogue::Epilogue;
use super::layout::{GROUP, PANEL, Panel, Rows};
use crate::kernel::simd::{F32x16, LANES, prefetch_l2};

/// Sixteen sums of products side by side, or four weights each of sixteen features.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the
/// implementation's target features.
pub(super) trait I8Dot: Copy {
    /// Sixteen floats.
    type Floats: F32x16;
    /// Sixteen activations of a row, where the instruction reads them best.
    type Activations: Copy;
    /// Sixteen times the same value.
    unsafe fn splat(value: i32) -> Self;
    /// Loads 64 bytes of weights.
    unsafe fn load(weights: *const u8) -> Self;
    /// Loads sixteen activations, or leaves them in memory until they are multiplied.
    unsafe fn activations(values: *const i8) -> Self::Activations;
    /// Adds the products of all features' weights with one four of the activations.
    unsafe fn dot<const FOUR: usize>(self, weights: Self, activations: Self::Activations) -> Self;
    /// Converts the sums to floats.
    unsafe fn floats(self) -> Self::Floats;
}

/// Multiplies `MR` rows with a panel, `N` times sixteen features at a time. The sums of products
/// begin at `starts`, (rows, groups), so that they come out without the weights' bias. The results
/// are those of the portable product, to the bit.
///
/// # Safety
/// The caller has the features of the registers.
#[inline(always)]
pub(super) unsafe fn tile<D: I8Dot, const MR: usize, const N: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    let groups = rows.scales.len() / MR;
    let depth = groups * GROUP;
    check::<MR>(rows, starts, panel, &epilogue);
    assert!(panel.values.len() == depth * PANEL);
    let Epilogue { bias, out, stride, width } = epilogue;
    for column in (0..PANEL).step_by(N * LANES) {
        // SAFETY: the caller has the features; the assertions bound what is read and written.
        unsafe {
            let mut totals = [[D::Floats::zero(); N]; MR];
            for g in 0..groups {
                let mut sums = [[D::splat(0); N]; MR];
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = [D::splat(*starts.as_ptr().add(r * groups + g)); N];
                }
                for k in (g * GROUP..(g + 1) * GROUP).step_by(16) {
                    let mut activations = [D::activations(rows.values.as_ptr().add(k)); MR];
                    for (r, activations) in activations.iter_mut().enumerate() {
                        *activations = D::activations(rows.values.as_ptr().add(r * depth + k));
                    }
                    let place = k * PANEL + column * 4;
                    prefetch_share(panel.ahead, k, depth);
                    add_products::<D, MR, N, 0>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 1>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 2>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 3>(&mut sums, panel, place, &activations);
                }
                let mut scales = [D::Floats::zero(); N];
                for (n, scales) in scales.iter_mut().enumerate() {
                    *scales =
                        D::Floats::load(panel.scales.as_ptr().add(g * PANEL + column + n * LANES));
                }
                for (r, (sums, totals)) in sums.into_iter().zip(&mut totals).enumerate() {
                    let row = D::Floats::splat(*rows.scales.as_ptr().add(r * groups + g));
                    for ((total, sums), scale) in totals.iter_mut().zip(sums).zip(scales) {
                        *total = sums.floats().mul_add(row.mul(scale), *total);
                    }
                }
            }
            let epilogue = Epilogue { bias, out: &mut *out, stride, width };
            write::<D::Floats, MR, N>(totals, column, epilogue);
        }
    }
}

/// Multiplies as [`tile`], where all values of a row share a scale: the registers hold no sums but
/// those of integers.
///
/// # Safety
/// The caller has the features of the registers.
#[inline(always)]
pub(super) unsafe fn tile_of_rows<D: I8Dot, const MR: usize, const N: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    let depth = rows.values.len() / MR;
    check::<MR>(rows, starts, panel, &epilogue);
    assert!(rows.scales.len() == MR && depth.is_multiple_of(GROUP));
    let Epilogue { bias, out, stride, width } = epilogue;
    for column in (0..width).step_by(N * LANES) {
        // SAFETY: the caller has the features; the assertions bound what is read and written.
        unsafe {
            let mut sums = [[D::splat(0); N]; MR];
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = [D::splat(*starts.as_ptr().add(r)); N];
            }
            for k in (0..depth).step_by(16) {
                let mut activations = [D::activations(rows.values.as_ptr().add(k)); MR];
                for (r, activations) in activations.iter_mut().enumerate() {
                    *activations = D::activations(rows.values.as_ptr().add(r * depth + k));
                }
                let place = k * PANEL + column * 4;
                prefetch_share(panel.ahead, k, depth);
                add_products::<D, MR, N, 0>(&mut sums, panel, place, &activations);
                add_products::<D, MR, N, 1>(&mut sums, panel, place, &activations);
                add_products::<D, MR, N, 2>(&mut sums, panel, place, &activations);
                add_products::<D, MR, N, 3>(&mut sums, panel, place, &activations);
            }
            let mut totals = [[D::Floats::zero(); N]; MR];
            for n in 0..N {
                let scale = D::Floats::load(panel.scales.as_ptr().add(column + n * LANES));
                for r in 0..MR {
                    let row = D::Floats::splat(*rows.scales.as_ptr().add(r));
                    totals[r][n] = sums[r][n].floats().mul(row.mul(scale));
                }
            }
            let epilogue = Epilogue { bias, out: &mut *out, stride, width };
            write::<D::Floats, MR, N>(totals, column, epilogue);
        }
    }
}

/// Checks that the operands of a tile have the sizes that they should.
#[inline(always)]
fn check<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: &Epilogue<'_>,
) {
    let (depth, groups) = (rows.values.len() / MR, rows.scales.len() / MR);
    assert!(
        rows.values.len() == MR * depth
            && rows.scales.len() == MR * groups
            && starts.len() == rows.scales.len()
    );
    assert!(panel.values.len() == depth * PANEL && panel.scales.len() == groups * PANEL);
    let Epilogue { bias, out, stride, width } = epilogue;
    assert!(
        *width <= PANEL
            && bias.is_none_or(|bias| bias.len() == *width)
            && out.len() == (MR - 1) * stride + width
    );
}

/// Prefetches what the sixteen values from `k` on have to of the memory that is needed next.
#[inline(always)]
fn prefetch_share(ahead: &[u8], k: usize, depth: usize) {
    const LINE: usize = 64;
    /// Lines for sixteen values where a tile has to fetch the whole of a panel.
    const WHOLE: usize = 16 * PANEL / LINE;
    let share = (ahead.len() / LINE).div_ceil(depth / 16);
    let first = ahead.as_ptr().wrapping_add(k / 16 * share * LINE);
    if share == WHOLE {
        (0..WHOLE).for_each(|line| prefetch_l2(first.wrapping_add(line * LINE)));
    } else {
        (0..share).for_each(|line| prefetch_l2(first.wrapping_add(line * LINE)));
    }
}

/// Adds the products of one four of sixteen activations with the weights whose first four begin at
/// a place in the panel.
///
/// # Safety
/// The caller has the features of the registers, and the panel has the weights.
#[inline(always)]
unsafe fn add_products<D: I8Dot, const MR: usize, const N: usize, const FOUR: usize>(
    sums: &mut [[D; N]; MR],
    panel: Panel<'_>,
    place: usize,
    activations: &[D::Activations; MR],
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut weights = [D::splat(0); N];
        for (n, weights) in weights.iter_mut().enumerate() {
            let place = place + (FOUR * PANEL + n * LANES) * 4;
            *weights = D::load(panel.values.as_ptr().add(place));
        }
        for (sums, &activations) in sums.iter_mut().zip(activations) {
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = sum.dot::<FOUR>(weights, activations);
            }
        }
    }
}

/// Writes the totals of `N` times sixteen features, from a column on, as far as they exist.
///
/// # Safety
/// The caller has the features of the lanes, and the epilogue has places for `MR` rows.
#[inline(always)]
pub(in crate::kernel::gemm) unsafe fn write<L: F32x16, const MR: usize, const N: usize>(
    totals: [[L; N]; MR],
    column: usize,
    epilogue: Epilogue<'_>,
) {
    let Epilogue { bias, out, stride, width } = epilogue;
    for n in 0..N {
        let first = (column + n * LANES).min(width);
        let count = (width - first).min(LANES);
        let bias = bias.map(|bias| &bias[first..first + count]);
        for (r, totals) in totals.iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe {
                let result = match bias {
                    Some(bias) if count == LANES => totals[n].add(L::load(bias.as_ptr())),
                    Some(bias) => totals[n].add(L::load_partial(bias)),
                    None => totals[n],
                };
                let place = out.as_mut_ptr().add(r * stride + first).cast::<f32>();
                if count == LANES {
                    result.store(&mut *place.cast());
                } else {
                    let mut all = [0.0; LANES];
                    result.store(&mut all);
                    place.copy_from_nonoverlapping(all.as_ptr(), count);
                }
            }
        }
    }
}
