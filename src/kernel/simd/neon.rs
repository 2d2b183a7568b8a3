//! Sixteen floats in the registers of 64-bit ARM.

use super::f32x16::{F32x16, LANES};
use half::f16;
use std::arch::aarch64::*;
use std::arch::asm;
use std::array::from_fn;

/// Sixteen floats in four registers.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Neon(pub [float32x4_t; 4]);

// SAFETY (of all blocks below): all code for 64-bit ARM has NEON, which is why closures do no
// harm here; the caller has the memory.
impl F32x16 for Neon {
    const WIDE_REGISTER_FILE: bool = false;
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
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Neon(from_fn(|i| vld1q_f32(values.add(4 * i)))) }
    }
    #[inline(always)]
    unsafe fn load_f16(values: *const f16) -> Self {
        // SAFETY: see above. What converts four halves is part of NEON, but not of the
        // functions of older compilers.
        unsafe {
            let four = |i: usize| {
                let floats: float32x4_t;
                let halves = vld1_u16(values.cast::<u16>().add(4 * i));
                asm!(
                    "fcvtl {0:v}.4s, {1:v}.4h",
                    out(vreg) floats,
                    in(vreg) halves,
                    options(pure, nomem, nostack, preserves_flags)
                );
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
    unsafe fn sub(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(from_fn(|i| vsubq_f32(self.0[i], b.0[i]))) }
    }
    // Not `vmaxq_f32` and `vminq_f32`, of which NaN comes out whichever operand it is.
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(from_fn(|i| vbslq_f32(vcgtq_f32(self.0[i], b.0[i]), self.0[i], b.0[i]))) }
    }
    #[inline(always)]
    unsafe fn min(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(from_fn(|i| vbslq_f32(vcltq_f32(self.0[i], b.0[i]), self.0[i], b.0[i]))) }
    }
    #[inline(always)]
    unsafe fn add_to_exponent(self, shifted: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            Neon(from_fn(|i| {
                let n = vshlq_n_u32::<23>(vreinterpretq_u32_f32(shifted.0[i]));
                vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(self.0[i]), n))
            }))
        }
    }
    #[inline(always)]
    unsafe fn zero_below(self, x: Self, bound: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let zero = vdupq_n_f32(0.0);
            Neon(from_fn(|i| vbslq_f32(vcltq_f32(x.0[i], bound.0[i]), zero, self.0[i])))
        }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        let [a, b, c, d] = self.0;
        // SAFETY: see above.
        unsafe { vmaxvq_f32(vmaxq_f32(vmaxq_f32(a, b), vmaxq_f32(c, d))) }
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; LANES]) {
        // SAFETY: see above.
        unsafe { (0..4).for_each(|i| vst1q_f32(out.as_mut_ptr().add(4 * i), self.0[i])) }
    }
    #[inline(always)]
    unsafe fn horizontal_sums(rows: [Self; LANES]) -> Self {
        // SAFETY: see above.
        unsafe {
            let fours = rows.map(|Neon([a, b, c, d])| vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d)));
            // Of two, the upper halves added to the lower ones, in one register.
            let halves = |i: usize| {
                let (a, b) = (vreinterpretq_f64_f32(fours[i]), vreinterpretq_f64_f32(fours[i + 1]));
                vaddq_f32(
                    vreinterpretq_f32_f64(vzip1q_f64(a, b)),
                    vreinterpretq_f32_f64(vzip2q_f64(a, b)),
                )
            };
            Neon(from_fn(|i| vpaddq_f32(halves(4 * i), halves(4 * i + 2))))
        }
    }
}
