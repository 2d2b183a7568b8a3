//! Tiles of the int8 product where the instruction set adds up four products of 8-bit integers a
//! lane at once.
#![cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(unused))]

use super::isa::Isa;
use super::lanes::Lanes;
use super::matmul_i8::{Epilogue, GROUP, PANEL};
use super::tile::LANES;

/// Rows of activations, (rows, groups × GROUP).
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub values: &'a [i8],
    /// (rows, groups)
    pub scales: &'a [f32],
    /// Where the sums of their products with weights begin, (rows, groups), so that they come out
    /// without the weights' offset.
    pub starts: &'a [i32],
}

/// A panel of weights.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// (k/4, PANEL, 4)
    pub values: &'a [u8],
    /// (groups, PANEL)
    pub scales: &'a [f32],
    /// As much is asked for from memory here as a panel has, or as there is.
    pub ahead: &'a [u8],
}

/// Sixteen sums of products side by side, or four weights each of sixteen features.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the
/// implementation's target features.
trait Dots: Copy {
    /// Sixteen floats.
    type Floats: Lanes;
    /// Sixteen activations of a row, as they are multiplied best.
    type Activations: Copy;
    /// All the same.
    unsafe fn splat(value: i32) -> Self;
    /// Out of memory: 64 bytes of weights.
    unsafe fn load(weights: *const u8) -> Self;
    /// Out of memory, where they stay until they are multiplied.
    unsafe fn activations(values: *const i8) -> Self::Activations;
    /// Adds the products of all features' weights with one four of the activations.
    unsafe fn dot<const FOUR: usize>(self, weights: Self, activations: Self::Activations) -> Self;
    /// As floats.
    unsafe fn floats(self) -> Self::Floats;
}

/// Calls a kernel that is compiled for each height of a tile.
macro_rules! by_rows {
    ($count:expr, $module:ident::$kernel:ident $arguments:tt) => { $crate::kernel::dots::by_rows!($count, $module::$kernel $arguments, 1 2 3 4 5 6) };
    ($count:expr, $module:ident::$kernel:ident $arguments:tt, $($rows:literal)*) => {
        match $count {
            // SAFETY: an `Isa` is only ever made after the CPU was found to have its features.
            $($rows => unsafe { $module::$kernel::<$rows> $arguments },)*
            count => unreachable!("no tile has {count} rows"),
        }
    };
}
pub(super) use by_rows;

/// The product of `count` rows with a panel, the same sums as [`super::matmul_i8`]'s portable ones.
pub(super) fn multiply(
    isa: Isa,
    count: usize,
    rows: Rows<'_>,
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => by_rows!(count, x86::avx512(rows, panel, epilogue)),
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni if is_x86_feature_detected!("avxvnni") => {
            by_rows!(count, x86::avx_vnni(rows, panel, epilogue))
        }
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni => by_rows!(count, x86::avx512vl_vnni(rows, panel, epilogue)),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => by_rows!(count, arm::neon(rows, panel, epilogue)),
        _ => unreachable!("{} has no such tile", isa.name()),
    }
}

/// `MR` rows with a panel, of which `N` times sixteen features are gone over together.
///
/// # Safety
/// The caller has the features of the registers.
#[inline(always)]
unsafe fn tile<D: Dots, const MR: usize, const N: usize>(
    rows: Rows<'_>,
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    let Epilogue { bias, out, stride, width } = epilogue;
    let groups = rows.scales.len() / MR;
    let depth = groups * GROUP;
    assert!(
        rows.values.len() == MR * depth
            && rows.scales.len() == MR * groups
            && rows.starts.len() == rows.scales.len()
    );
    assert!(panel.values.len() == depth * PANEL && panel.scales.len() == groups * PANEL);
    assert!(
        width <= PANEL
            && bias.is_none_or(|bias| bias.len() == width)
            && out.len() == (MR - 1) * stride + width
    );
    for column in (0..PANEL).step_by(N * LANES) {
        // SAFETY: the caller has the features; the assertions bound what is read and written.
        unsafe {
            let mut totals = [[D::Floats::zero(); N]; MR];
            for g in 0..groups {
                let mut sums = [[D::splat(0); N]; MR];
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = [D::splat(*rows.starts.as_ptr().add(r * groups + g)); N];
                }
                for k in (g * GROUP..(g + 1) * GROUP).step_by(16) {
                    let mut activations = [D::activations(rows.values.as_ptr().add(k)); MR];
                    for (r, activations) in activations.iter_mut().enumerate() {
                        *activations = D::activations(rows.values.as_ptr().add(r * depth + k));
                    }
                    let place = k * PANEL + column * 4;
                    add_products::<D, MR, N, 0>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 1>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 2>(&mut sums, panel, place, &activations);
                    add_products::<D, MR, N, 3>(&mut sums, panel, place, &activations);
                }
                let mut scales = [D::Floats::zero(); N];
                for (n, scales) in scales.iter_mut().enumerate() {
                    *scales = D::Floats::load_at(
                        panel.scales.as_ptr().add(g * PANEL + column + n * LANES),
                    );
                }
                for (r, (sums, totals)) in sums.into_iter().zip(&mut totals).enumerate() {
                    let row = D::Floats::splat(*rows.scales.as_ptr().add(r * groups + g));
                    for ((total, sums), scale) in totals.iter_mut().zip(sums).zip(scales) {
                        *total = sums.floats().mul_add(row.mul(scale), *total);
                    }
                }
            }
            for n in 0..N {
                // The features that there are.
                let first = (column + n * LANES).min(width);
                let here = (width - first).min(LANES);
                let bias = bias.map(|bias| &bias[first..first + here]);
                for (r, totals) in totals.iter().enumerate() {
                    let result = match bias {
                        Some(bias) if here == LANES => {
                            totals[n].add(D::Floats::load_at(bias.as_ptr()))
                        }
                        Some(bias) => totals[n].add(D::Floats::load_part(bias)),
                        None => totals[n],
                    };
                    let place = out.as_mut_ptr().add(r * stride + first).cast::<f32>();
                    if here == LANES {
                        result.store(&mut *place.cast());
                    } else {
                        let mut all = [0.0; LANES];
                        result.store(&mut all);
                        place.copy_from_nonoverlapping(all.as_ptr(), here);
                    }
                }
            }
        }
    }
}

/// Adds the products of one four of sixteen activations with the weights that begin, for the first
/// four, at a place in the panel.
///
/// # Safety
/// The caller has the features of the registers, and the panel has the weights.
#[inline(always)]
unsafe fn add_products<D: Dots, const MR: usize, const N: usize, const FOUR: usize>(
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
            prefetch(panel.ahead.as_ptr().wrapping_add(place));
        }
        for (sums, &activations) in sums.iter_mut().zip(activations) {
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = sum.dot::<FOUR>(weights, activations);
            }
        }
    }
}

/// Asks for memory that is read soon; there may be none.
#[inline(always)]
fn prefetch(place: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: it has no effect but on the cache, and all x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) };
    }
    let _ = place;
}

/// VNNI's `vpdpbusd` multiplies weights without a sign, which they have thanks to an offset.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Dots, Epilogue, Panel, Rows, tile};
    use crate::kernel::lanes::x86::{Avx2, Avx512};
    use std::arch::x86_64::*;

    /// Half a panel at a time: the sums of a group and those of all before it take 24 of 32
    /// registers.
    #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
    pub(super) fn avx512<const MR: usize>(
        rows: Rows<'_>,
        panel: Panel<'_>,
        epilogue: Epilogue<'_>,
    ) {
        // SAFETY: this function has the features of these registers.
        unsafe { tile::<Zmm, MR, 2>(rows, panel, epilogue) }
    }

    /// A quarter of a panel at a time: the sums of a group take 12 of 16 registers.
    #[target_feature(enable = "avx2,fma,f16c,avxvnni")]
    pub(super) fn avx_vnni<const MR: usize>(
        rows: Rows<'_>,
        panel: Panel<'_>,
        epilogue: Epilogue<'_>,
    ) {
        // SAFETY: this function has the features of these registers.
        unsafe { tile::<Ymm<true>, MR, 1>(rows, panel, epilogue) }
    }

    /// The same with the instruction as AVX-512 encodes it, so that machines with that can test it.
    #[target_feature(enable = "avx2,fma,f16c,avx512vl,avx512vnni")]
    pub(super) fn avx512vl_vnni<const MR: usize>(
        rows: Rows<'_>,
        panel: Panel<'_>,
        epilogue: Epilogue<'_>,
    ) {
        // SAFETY: this function has the features of these registers.
        unsafe { tile::<Ymm<false>, MR, 1>(rows, panel, epilogue) }
    }

    /// One register of AVX-512.
    #[derive(Clone, Copy)]
    struct Zmm(__m512i);

    // SAFETY (of all blocks below): the caller has the target features, as the trait demands, and
    // the memory; unaligned loads are used.
    impl Dots for Zmm {
        type Floats = Avx512;
        type Activations = *const i8;
        #[inline(always)]
        unsafe fn splat(value: i32) -> Self {
            // SAFETY: see above.
            unsafe { Zmm(_mm512_set1_epi32(value)) }
        }
        #[inline(always)]
        unsafe fn load(weights: *const u8) -> Self {
            // SAFETY: see above.
            unsafe { Zmm(_mm512_loadu_si512(weights.cast())) }
        }
        #[inline(always)]
        unsafe fn activations(values: *const i8) -> *const i8 {
            values
        }
        #[inline(always)]
        unsafe fn dot<const FOUR: usize>(self, weights: Self, activations: *const i8) -> Self {
            // SAFETY: see above.
            unsafe {
                let four = _mm512_set1_epi32(activations.cast::<i32>().add(FOUR).read_unaligned());
                Zmm(_mm512_dpbusd_epi32(self.0, weights.0, four))
            }
        }
        #[inline(always)]
        unsafe fn floats(self) -> Avx512 {
            // SAFETY: see above.
            unsafe { Avx512(_mm512_cvtepi32_ps(self.0)) }
        }
    }

    /// Two registers of AVX2, multiplied by AVX-VNNI, which encodes the instruction by VEX, or
    /// AVX-512VL, which does by EVEX.
    #[derive(Clone, Copy)]
    struct Ymm<const VEX: bool>(__m256i, __m256i);

    impl<const VEX: bool> Dots for Ymm<VEX> {
        type Floats = Avx2;
        type Activations = *const i8;
        #[inline(always)]
        unsafe fn splat(value: i32) -> Self {
            // SAFETY: see above.
            unsafe { Ymm(_mm256_set1_epi32(value), _mm256_set1_epi32(value)) }
        }
        #[inline(always)]
        unsafe fn load(weights: *const u8) -> Self {
            // SAFETY: see above.
            unsafe {
                Ymm(_mm256_loadu_si256(weights.cast()), _mm256_loadu_si256(weights.add(32).cast()))
            }
        }
        #[inline(always)]
        unsafe fn activations(values: *const i8) -> *const i8 {
            values
        }
        #[inline(always)]
        unsafe fn dot<const FOUR: usize>(self, weights: Self, activations: *const i8) -> Self {
            // SAFETY: see above.
            unsafe {
                let four = _mm256_set1_epi32(activations.cast::<i32>().add(FOUR).read_unaligned());
                if VEX {
                    Ymm(
                        _mm256_dpbusd_avx_epi32(self.0, weights.0, four),
                        _mm256_dpbusd_avx_epi32(self.1, weights.1, four),
                    )
                } else {
                    Ymm(
                        _mm256_dpbusd_epi32(self.0, weights.0, four),
                        _mm256_dpbusd_epi32(self.1, weights.1, four),
                    )
                }
            }
        }
        #[inline(always)]
        unsafe fn floats(self) -> Avx2 {
            // SAFETY: see above.
            unsafe { Avx2(_mm256_cvtepi32_ps(self.0), _mm256_cvtepi32_ps(self.1)) }
        }
    }
}

/// `sdot` multiplies weights with their signs.
#[cfg(target_arch = "aarch64")]
mod arm {
    use super::{Dots, Epilogue, Panel, Rows, tile};
    use crate::kernel::lanes::neon::Neon;
    use std::arch::aarch64::*;
    use std::arch::asm;
    use std::array::from_fn;

    /// A quarter of a panel at a time: the sums of a group take 20 of 32 registers, and what is
    /// multiplied nine.
    #[target_feature(enable = "dotprod")]
    pub(super) fn neon<const MR: usize>(rows: Rows<'_>, panel: Panel<'_>, epilogue: Epilogue<'_>) {
        // SAFETY: this function has the features of these registers.
        unsafe { tile::<Four, MR, 1>(rows, panel, epilogue) }
    }

    /// Four registers.
    #[derive(Clone, Copy)]
    struct Four([int32x4_t; 4]);

    // SAFETY (of all blocks below): all code for 64-bit ARM has NEON, and the caller has its dot
    // product and the memory.
    impl Dots for Four {
        type Floats = Neon;
        type Activations = int8x16_t;
        #[inline(always)]
        unsafe fn splat(value: i32) -> Self {
            // SAFETY: see above.
            unsafe { Four([vdupq_n_s32(value); 4]) }
        }
        #[inline(always)]
        unsafe fn load(weights: *const u8) -> Self {
            // SAFETY: see above.
            unsafe { Four(from_fn(|i| vld1q_s32(weights.cast::<i32>().add(4 * i)))) }
        }
        #[inline(always)]
        unsafe fn activations(values: *const i8) -> int8x16_t {
            // SAFETY: see above.
            unsafe { vld1q_s8(values) }
        }
        #[inline(always)]
        unsafe fn dot<const FOUR: usize>(mut self, weights: Self, activations: int8x16_t) -> Self {
            for (sums, weights) in self.0.iter_mut().zip(weights.0) {
                // SAFETY: see above. The instruction has no stable function yet.
                unsafe {
                    asm!(
                        "sdot {sums:v}.4s, {weights:v}.16b, {activations:v}.4b[{four}]",
                        sums = inout(vreg) *sums,
                        weights = in(vreg) weights,
                        activations = in(vreg) activations,
                        four = const FOUR,
                        options(pure, nomem, nostack, preserves_flags)
                    );
                }
            }
            self
        }
        #[inline(always)]
        unsafe fn floats(self) -> Neon {
            // SAFETY: see above.
            unsafe { Neon(from_fn(|i| vcvtq_f32_s32(self.0[i]))) }
        }
    }
}
