//! Sixteen f32 lanes: the width in which floating-point sums are kept, the same on every instruction set, so that all give the same bits.

/// Sixteen floats that are computed side by side.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the implementation's target features.
pub(super) trait Lanes: Copy {
    /// All zero.
    unsafe fn zero() -> Self;
    /// All the same.
    unsafe fn splat(value: f32) -> Self;
    /// Out of memory.
    unsafe fn load(values: &[f32; 16]) -> Self;
    /// `self · b + c`, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self · b`.
    unsafe fn mul(self, b: Self) -> Self;
    /// Into memory.
    unsafe fn store(self, out: &mut [f32; 16]);
    /// The sum of all lanes, halves added to halves.
    unsafe fn sum(self) -> f32;
}

/// Portable.
impl Lanes for [f32; 16] {
    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; 16]
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(values: &[f32; 16]) -> Self {
        *values
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| self[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] * b[i])
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; 16]) {
        *out = self;
    }
    #[inline(always)]
    unsafe fn sum(mut self) -> f32 {
        for width in [8, 4, 2, 1] {
            for lane in 0..width {
                self[lane] += self[lane + width];
            }
        }
        self[0]
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    /// Two registers of AVX2.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256, __m256);

    // SAFETY (of all blocks below): the caller has the target features, as the trait demands; references to arrays of 16 floats are
    // valid for loads and stores of 16 floats, and unaligned ones are used.
    impl Lanes for Avx2 {
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
        unsafe fn load(values: &[f32; 16]) -> Self {
            // SAFETY: see above.
            unsafe { Avx2(_mm256_loadu_ps(values.as_ptr()), _mm256_loadu_ps(values.as_ptr().add(8))) }
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
        unsafe fn store(self, out: &mut [f32; 16]) {
            // SAFETY: see above.
            unsafe {
                _mm256_storeu_ps(out.as_mut_ptr(), self.0);
                _mm256_storeu_ps(out.as_mut_ptr().add(8), self.1);
            }
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            // SAFETY: see above.
            unsafe { sum_of_8(_mm256_add_ps(self.0, self.1)) }
        }
    }

    /// One register of AVX-512.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    impl Lanes for Avx512 {
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
        unsafe fn load(values: &[f32; 16]) -> Self {
            // SAFETY: see above.
            unsafe { Avx512(_mm512_loadu_ps(values.as_ptr())) }
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
        unsafe fn store(self, out: &mut [f32; 16]) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            // SAFETY: see above.
            unsafe {
                let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
                sum_of_8(_mm256_add_ps(_mm512_castps512_ps256(self.0), high))
            }
        }
    }

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
}
