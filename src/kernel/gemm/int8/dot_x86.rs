//! The int8 product with VNNI's `vpdpbusd`, which multiplies weights without a sign; a bias added
//! to every weight makes them so.

use super::dot::{I8Dot, tile, tile_of_rows};
use super::epilogue::Epilogue;
use super::layout::{Panel, Rows};
use crate::kernel::simd::{Avx2, Avx512};
use std::arch::x86_64::*;

/// Multiplies half a panel at a time: the sums of a group and those of all before it take 24 of 32
/// registers.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Zmm, MR, 2>(rows, starts, panel, epilogue) }
}

/// Multiplies a whole panel, whose rows have one scale each: the sums take 24 of 32 registers.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512_of_rows<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile_of_rows::<Zmm, MR, 4>(rows, starts, panel, epilogue) }
}

/// Multiplies a quarter of a panel at a time: the sums of a group take 12 of 16 registers.
#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
pub(super) fn avx_vnni<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Ymm<true>, MR, 1>(rows, starts, panel, epilogue) }
}

/// Multiplies as [`avx_vnni`], where rows have one scale each.
#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
pub(super) fn avx_vnni_of_rows<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile_of_rows::<Ymm<true>, MR, 1>(rows, starts, panel, epilogue) }
}

/// Multiplies as [`avx_vnni`] does, with the instruction as AVX-512 encodes it, so that machines
/// with that can test it.
#[target_feature(enable = "avx2,fma,f16c,avx512vl,avx512vnni")]
pub(super) fn avx512vl_vnni<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Ymm<false>, MR, 1>(rows, starts, panel, epilogue) }
}

/// Multiplies as [`avx512vl_vnni`], where rows have one scale each.
#[target_feature(enable = "avx2,fma,f16c,avx512vl,avx512vnni")]
pub(super) fn avx512vl_vnni_of_rows<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile_of_rows::<Ymm<false>, MR, 1>(rows, starts, panel, epilogue) }
}

/// Sixteen sums in one register of AVX-512.
#[derive(Clone, Copy)]
struct Zmm(__m512i);

// SAFETY (of all blocks below): the caller has the target features, as the trait demands, and
// the memory; unaligned loads are used.
impl I8Dot for Zmm {
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

/// Sixteen sums in two registers of AVX2, for AVX-VNNI, whose instruction is encoded with VEX, or
/// AVX-512VL, whose is with EVEX.
#[derive(Clone, Copy)]
struct Ymm<const VEX: bool>(__m256i, __m256i);

impl<const VEX: bool> I8Dot for Ymm<VEX> {
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
