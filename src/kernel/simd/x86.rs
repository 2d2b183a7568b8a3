//! Sixteen floats in the registers of x86-64.

use super::f32x16::{F32x16, LANES};
use half::f16;
use std::arch::x86_64::*;

/// Sixteen floats in two registers of AVX2.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Avx2(pub __m256, pub __m256);

// SAFETY (of all blocks below): the caller has the target features, as the trait demands;
// references to arrays of 16 floats are valid for loads and stores of 16 floats, and unaligned
// ones are used.
impl F32x16 for Avx2 {
    const WIDE_REGISTER_FILE: bool = false;
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_loadu_ps(values), _mm256_loadu_ps(values.add(8))) }
    }
    #[inline(always)]
    unsafe fn load_f16(values: *const f16) -> Self {
        // SAFETY: see above; two times eight halves of two bytes.
        unsafe {
            let part = |i: usize| _mm_loadu_si128(values.cast::<__m128i>().add(i));
            Avx2(_mm256_cvtph_ps(part(0)), _mm256_cvtph_ps(part(1)))
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_fmadd_ps(self.0, b.0, c.0), _mm256_fmadd_ps(self.1, b.1, c.1)) }
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_mul_ps(self.0, b.0), _mm256_mul_ps(self.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_add_ps(self.0, b.0), _mm256_add_ps(self.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_sub_ps(self.0, b.0), _mm256_sub_ps(self.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_max_ps(self.0, b.0), _mm256_max_ps(self.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn min(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_min_ps(self.0, b.0), _mm256_min_ps(self.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn add_to_exponent(self, shifted: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let scale = |x, shifted| {
                let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted));
                _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), n))
            };
            Avx2(scale(self.0, shifted.0), scale(self.1, shifted.1))
        }
    }
    #[inline(always)]
    unsafe fn zero_below(self, x: Self, bound: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let zero =
                |value, x, bound| _mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(x, bound), value);
            Avx2(zero(self.0, x.0, bound.0), zero(self.1, x.1, bound.1))
        }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let eight = _mm256_max_ps(self.0, self.1);
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; LANES]) {
        // SAFETY: see above.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), self.0);
            _mm256_storeu_ps(out.as_mut_ptr().add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn horizontal_sums(rows: [Self; LANES]) -> Self {
        let mut sums = [0.0; LANES];
        for i in 0..LANES {
            // SAFETY: see above.
            sums[i] = unsafe { sum_of_8(_mm256_add_ps(rows[i].0, rows[i].1)) };
        }
        // SAFETY: see above.
        unsafe { Self::load(sums.as_ptr()) }
    }
}

/// Sixteen floats in one register of AVX-512.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Avx512(pub __m512);

impl F32x16 for Avx512 {
    const WIDE_REGISTER_FILE: bool = true;
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_loadu_ps(values)) }
    }
    #[inline(always)]
    unsafe fn load_f16(values: *const f16) -> Self {
        // SAFETY: see above; sixteen halves of two bytes.
        unsafe { Avx512(_mm512_cvtph_ps(_mm256_loadu_si256(values.cast()))) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_mul_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_add_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_sub_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_max_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_min_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn add_to_exponent(self, shifted: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let n = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted.0));
            Avx512(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), n)))
        }
    }
    #[inline(always)]
    unsafe fn zero_below(self, x: Self, bound: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let is_kept = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x.0, bound.0);
            Avx512(_mm512_maskz_mov_ps(is_kept, self.0))
        }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; LANES]) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), self.0) }
    }
    /// At every level two registers become one that has the sums of both, which takes a third of
    /// the instructions of sixteen separate sums.
    #[inline(always)]
    unsafe fn horizontal_sums(rows: [Self; LANES]) -> Self {
        // SAFETY: see above.
        unsafe {
            let zero = _mm512_setzero_ps();
            // Halves: the first of a pair in the lower half of the result.
            let mut eight = [zero; 8];
            for i in 0..8 {
                // The order that the levels below turn into that of the arguments.
                let place = |e: usize| (e % 4) * 4 + e / 4;
                let (a, b) = (rows[place(2 * i)].0, rows[place(2 * i + 1)].0);
                eight[i] = _mm512_add_ps(
                    _mm512_shuffle_f32x4::<0x44>(a, b),
                    _mm512_shuffle_f32x4::<0xee>(a, b),
                );
            }
            let mut four = [zero; 4];
            for i in 0..4 {
                let (a, b) = (eight[2 * i], eight[2 * i + 1]);
                four[i] = _mm512_add_ps(
                    _mm512_shuffle_f32x4::<0x88>(a, b),
                    _mm512_shuffle_f32x4::<0xdd>(a, b),
                );
            }
            let mut two = [zero; 2];
            for i in 0..2 {
                let (a, b) = (four[2 * i], four[2 * i + 1]);
                two[i] =
                    _mm512_add_ps(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xee>(a, b));
            }
            let [a, b] = two;
            Avx512(_mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b)))
        }
    }
}

/// The sum of eight floats, halves to halves.
///
/// # Safety
/// The caller has AVX2.
#[inline(always)]
unsafe fn sum_of_8(sums: __m256) -> f32 {
    // SAFETY: see above.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}
