//! Sixteen lanes in registers of AVX-512 or AVX2.

use super::lanes::BlockLanes;
use crate::kernel::simd::{Avx2, Avx512};
use std::arch::x86_64::*;

/// Shifts by a number of bits that the compiler knows.
macro_rules! shift {
    ($lanes:expr, $by:expr, $left:ident, $right:ident) => {
        match $by {
            1 => $left::<1>($lanes),
            2 => $left::<2>($lanes),
            3 => $left::<3>($lanes),
            4 => $left::<4>($lanes),
            -1 => $right::<1>($lanes),
            -2 => $right::<2>($lanes),
            -3 => $right::<3>($lanes),
            -4 => $right::<4>($lanes),
            _ => $lanes,
        }
    };
}

/// One register of AVX-512.
#[derive(Clone, Copy)]
pub(super) struct Zmm(__m512i);

// SAFETY (of all blocks below): the caller has the target features, as the trait demands, and
// the memory; unaligned loads are used.
impl BlockLanes for Zmm {
    type Floats = Avx512;
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        // SAFETY: see above.
        unsafe { Zmm(_mm512_set1_epi32(value)) }
    }
    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> Self {
        // SAFETY: see above.
        unsafe { Zmm(_mm512_loadu_si512(bytes.cast())) }
    }
    #[inline(always)]
    unsafe fn and(self, mask: u8) -> Self {
        // SAFETY: see above.
        unsafe { Zmm(_mm512_and_si512(self.0, _mm512_set1_epi8(mask as i8))) }
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Zmm(_mm512_or_si512(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn shift(self, by: i32) -> Self {
        // SAFETY: see above.
        unsafe { Zmm(shift!(self.0, by, _mm512_slli_epi16, _mm512_srli_epi16)) }
    }
    #[inline(always)]
    unsafe fn dot(self, weights: Self, activations: *const i8) -> Self {
        // SAFETY: see above.
        unsafe {
            let four = _mm512_set1_epi32(activations.cast::<i32>().read_unaligned());
            Zmm(_mm512_dpbusd_epi32(self.0, weights.0, four))
        }
    }
    #[inline(always)]
    unsafe fn floats(self) -> Avx512 {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_cvtepi32_ps(self.0)) }
    }
    #[inline(always)]
    unsafe fn load_u8(bytes: *const u8) -> Avx512 {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.cast())))) }
    }
    #[inline(always)]
    unsafe fn load_i8(bytes: *const u8) -> Avx512 {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(bytes.cast())))) }
    }
}

/// How four products are added up in 256 bits.
pub(super) trait Dot256: Copy {
    /// Adds the products of each lane's four weights with four activations.
    unsafe fn dot(sums: __m256i, weights: __m256i, four: __m256i) -> __m256i;
}

/// With VNNI's instruction, as AVX-VNNI encodes it.
#[derive(Clone, Copy)]
pub(super) struct Vex;

/// With VNNI's instruction, as AVX-512VL encodes it.
#[derive(Clone, Copy)]
pub(super) struct Evex;

/// With AVX2's instructions for two products, and for the sum of two: weights are below 64, and so
/// the sum of two products fits 16 bits.
#[derive(Clone, Copy)]
pub(super) struct Madd;

impl Dot256 for Vex {
    #[inline(always)]
    unsafe fn dot(sums: __m256i, weights: __m256i, four: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_dpbusd_avx_epi32(sums, weights, four) }
    }
}

impl Dot256 for Evex {
    #[inline(always)]
    unsafe fn dot(sums: __m256i, weights: __m256i, four: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_dpbusd_epi32(sums, weights, four) }
    }
}

impl Dot256 for Madd {
    #[inline(always)]
    unsafe fn dot(sums: __m256i, weights: __m256i, four: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe {
            let twos = _mm256_maddubs_epi16(weights, four);
            _mm256_add_epi32(sums, _mm256_madd_epi16(twos, _mm256_set1_epi16(1)))
        }
    }
}

/// Two registers of AVX2.
#[derive(Clone, Copy)]
pub(super) struct Ymm<D>(__m256i, __m256i, std::marker::PhantomData<D>);

impl<D> Ymm<D> {
    #[inline(always)]
    fn of(low: __m256i, high: __m256i) -> Self {
        Ymm(low, high, std::marker::PhantomData)
    }
}

impl<D: Dot256> BlockLanes for Ymm<D> {
    type Floats = Avx2;
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        // SAFETY: see above.
        unsafe { Ymm::of(_mm256_set1_epi32(value), _mm256_set1_epi32(value)) }
    }
    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> Self {
        // SAFETY: see above.
        unsafe {
            Ymm::of(_mm256_loadu_si256(bytes.cast()), _mm256_loadu_si256(bytes.add(32).cast()))
        }
    }
    #[inline(always)]
    unsafe fn and(self, mask: u8) -> Self {
        // SAFETY: see above.
        unsafe {
            let mask = _mm256_set1_epi8(mask as i8);
            Ymm::of(_mm256_and_si256(self.0, mask), _mm256_and_si256(self.1, mask))
        }
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Ymm::of(_mm256_or_si256(self.0, other.0), _mm256_or_si256(self.1, other.1)) }
    }
    #[inline(always)]
    unsafe fn shift(self, by: i32) -> Self {
        // SAFETY: see above.
        unsafe {
            Ymm::of(
                shift!(self.0, by, _mm256_slli_epi16, _mm256_srli_epi16),
                shift!(self.1, by, _mm256_slli_epi16, _mm256_srli_epi16),
            )
        }
    }
    #[inline(always)]
    unsafe fn dot(self, weights: Self, activations: *const i8) -> Self {
        // SAFETY: see above.
        unsafe {
            let four = _mm256_set1_epi32(activations.cast::<i32>().read_unaligned());
            Ymm::of(D::dot(self.0, weights.0, four), D::dot(self.1, weights.1, four))
        }
    }
    #[inline(always)]
    unsafe fn floats(self) -> Avx2 {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_cvtepi32_ps(self.0), _mm256_cvtepi32_ps(self.1)) }
    }
    #[inline(always)]
    unsafe fn load_u8(bytes: *const u8) -> Avx2 {
        // SAFETY: see above.
        unsafe {
            let low = _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.cast()));
            let high = _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.add(8).cast()));
            Avx2(_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high))
        }
    }
    #[inline(always)]
    unsafe fn load_i8(bytes: *const u8) -> Avx2 {
        // SAFETY: see above.
        unsafe {
            let low = _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.cast()));
            let high = _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.add(8).cast()));
            Avx2(_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high))
        }
    }
}
