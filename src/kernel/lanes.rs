//! Sixteen f32 lanes: the width in which floating-point sums are kept, the same on every
//! instruction set, so that all give the same bits.

use half::f16;

/// What keys and values are stored as.
pub(super) trait Element: Copy {
    /// Sixteen of them.
    ///
    /// # Safety
    /// The caller has the features of the lanes, and sixteen elements there.
    unsafe fn load<L: Lanes>(values: *const Self) -> L;

    /// As f32.
    fn float(self) -> f32;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(values: *const f32) -> L {
        // SAFETY: as the caller promises.
        unsafe { L::load_at(values) }
    }
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }
}

impl Element for f16 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(values: *const f16) -> L {
        // SAFETY: as the caller promises.
        unsafe { L::load_half(values) }
    }
    #[inline(always)]
    fn float(self) -> f32 {
        self.to_f32()
    }
}

/// Sixteen floats that are computed side by side.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the
/// implementation's target features.
pub(super) trait Lanes: Copy {
    /// Whether some twenty of them fit into registers.
    const MANY: bool;
    /// All zero.
    unsafe fn zero() -> Self;
    /// All the same.
    unsafe fn splat(value: f32) -> Self;
    /// Out of memory: sixteen floats.
    unsafe fn load_at(values: *const f32) -> Self;
    /// Out of memory: sixteen half-precision floats.
    unsafe fn load_half(values: *const f16) -> Self;
    /// Fewer elements than sixteen; the other lanes are zero.
    #[inline(always)]
    unsafe fn load_part<E: Element>(values: &[E]) -> Self {
        let mut all = [0.0; 16];
        all.iter_mut().zip(values).for_each(|(place, value)| *place = value.float());
        // SAFETY: sixteen floats; the caller has the features.
        unsafe { Self::load_at(all.as_ptr()) }
    }
    /// `self · b + c`, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self · b`.
    unsafe fn mul(self, b: Self) -> Self;
    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;
    /// Into memory.
    unsafe fn store(self, out: &mut [f32; 16]);
    /// The sums of each of sixteen, in their order, each added up halves to halves.
    unsafe fn sums(of: [Self; 16]) -> Self;
}

/// Portable.
impl Lanes for [f32; 16] {
    const MANY: bool = false;
    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; 16]
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load_at(values: *const f32) -> Self {
        // SAFETY: the caller has sixteen floats there.
        unsafe { values.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_half(values: *const f16) -> Self {
        // SAFETY: the caller has sixteen there.
        unsafe { values.cast::<[f16; 16]>().read_unaligned() }.map(f16::to_f32)
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
    unsafe fn add(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] + b[i])
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; 16]) {
        *out = self;
    }
    #[inline(always)]
    unsafe fn sums(of: [Self; 16]) -> Self {
        of.map(|mut lanes| {
            for width in [8, 4, 2, 1] {
                for lane in 0..width {
                    lanes[lane] += lanes[lane + width];
                }
            }
            lanes[0]
        })
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::Lanes;
    use half::f16;
    use std::arch::x86_64::*;

    /// Two registers of AVX2.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(pub __m256, pub __m256);

    // SAFETY (of all blocks below): the caller has the target features, as the trait demands;
    // references to arrays of 16 floats are valid for loads and stores of 16 floats, and unaligned
    // ones are used.
    impl Lanes for Avx2 {
        const MANY: bool = false;
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
        unsafe fn load_at(values: *const f32) -> Self {
            // SAFETY: see above.
            unsafe { Avx2(_mm256_loadu_ps(values), _mm256_loadu_ps(values.add(8))) }
        }
        #[inline(always)]
        unsafe fn load_half(values: *const f16) -> Self {
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
        unsafe fn store(self, out: &mut [f32; 16]) {
            // SAFETY: see above.
            unsafe {
                _mm256_storeu_ps(out.as_mut_ptr(), self.0);
                _mm256_storeu_ps(out.as_mut_ptr().add(8), self.1);
            }
        }
        #[inline(always)]
        unsafe fn sums(of: [Self; 16]) -> Self {
            let mut sums = [0.0; 16];
            for i in 0..16 {
                // SAFETY: see above.
                sums[i] = unsafe { sum_of_8(_mm256_add_ps(of[i].0, of[i].1)) };
            }
            // SAFETY: see above.
            unsafe { Self::load_at(sums.as_ptr()) }
        }
    }

    /// One register of AVX-512.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(pub __m512);

    impl Lanes for Avx512 {
        const MANY: bool = true;
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
        unsafe fn load_at(values: *const f32) -> Self {
            // SAFETY: see above.
            unsafe { Avx512(_mm512_loadu_ps(values)) }
        }
        #[inline(always)]
        unsafe fn load_half(values: *const f16) -> Self {
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
        unsafe fn store(self, out: &mut [f32; 16]) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), self.0) }
        }
        /// Two become one with both their sums at every level, which takes a third of the
        /// instructions of sixteen sums.
        #[inline(always)]
        unsafe fn sums(of: [Self; 16]) -> Self {
            // SAFETY: see above.
            unsafe {
                let zero = _mm512_setzero_ps();
                // Halves: the first of a pair in the lower half of the result.
                let mut eight = [zero; 8];
                for i in 0..8 {
                    // The order that the levels below turn into that of the arguments.
                    let place = |e: usize| (e % 4) * 4 + e / 4;
                    let (a, b) = (of[place(2 * i)].0, of[place(2 * i + 1)].0);
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
                    two[i] = _mm512_add_ps(
                        _mm512_shuffle_ps::<0x44>(a, b),
                        _mm512_shuffle_ps::<0xee>(a, b),
                    );
                }
                let [a, b] = two;
                Avx512(_mm512_add_ps(
                    _mm512_shuffle_ps::<0x88>(a, b),
                    _mm512_shuffle_ps::<0xdd>(a, b),
                ))
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

#[cfg(target_arch = "aarch64")]
pub(super) mod neon {
    use super::Lanes;
    use half::f16;
    use std::arch::aarch64::*;
    use std::arch::asm;
    use std::array::from_fn;

    /// Four registers.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Neon(pub [float32x4_t; 4]);

    // SAFETY (of all blocks below): all code for 64-bit ARM has NEON, which is why closures do no
    // harm here; the caller has the memory.
    impl Lanes for Neon {
        const MANY: bool = false;
        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: see above.
            unsafe { Self::splat(0.0) }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: see above.
            unsafe { Neon([vdupq_n_f32(value); 4]) }
        }
        #[inline(always)]
        unsafe fn load_at(values: *const f32) -> Self {
            // SAFETY: see above.
            unsafe { Neon(from_fn(|i| vld1q_f32(values.add(4 * i)))) }
        }
        #[inline(always)]
        unsafe fn load_half(values: *const f16) -> Self {
            // SAFETY: see above. What converts four halves is part of NEON, but not of the
            // functions of older compilers.
            unsafe {
                let four = |i: usize| {
                    let floats: float32x4_t;
                    let halves = vld1_u16(values.cast::<u16>().add(4 * i));
                    asm!("fcvtl {0:v}.4s, {1:v}.4h", out(vreg) floats, in(vreg) halves, options(pure, nomem, nostack, preserves_flags));
                    floats
                };
                Neon(from_fn(four))
            }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: see above.
            unsafe { Neon(from_fn(|i| vfmaq_f32(c.0[i], self.0[i], b.0[i]))) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { Neon(from_fn(|i| vmulq_f32(self.0[i], b.0[i]))) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { Neon(from_fn(|i| vaddq_f32(self.0[i], b.0[i]))) }
        }
        #[inline(always)]
        unsafe fn store(self, out: &mut [f32; 16]) {
            // SAFETY: see above.
            unsafe { (0..4).for_each(|i| vst1q_f32(out.as_mut_ptr().add(4 * i), self.0[i])) }
        }
        #[inline(always)]
        unsafe fn sums(of: [Self; 16]) -> Self {
            // SAFETY: see above.
            unsafe {
                let fours =
                    of.map(|Neon([a, b, c, d])| vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d)));
                // Of two, the upper halves added to the lower ones, in one register.
                let halves = |i: usize| {
                    let (a, b) =
                        (vreinterpretq_f64_f32(fours[i]), vreinterpretq_f64_f32(fours[i + 1]));
                    vaddq_f32(
                        vreinterpretq_f32_f64(vzip1q_f64(a, b)),
                        vreinterpretq_f32_f64(vzip2q_f64(a, b)),
                    )
                };
                Neon(from_fn(|i| vpaddq_f32(halves(4 * i), halves(4 * i + 2))))
            }
        }
    }
}
