//! Sixteen lanes in four registers of NEON.

use super::lanes::BlockLanes;
use crate::kernel::simd::Neon;
use std::arch::aarch64::*;
use std::arch::asm;
use std::array::from_fn;

/// Four registers of NEON.
#[derive(Clone, Copy)]
pub(super) struct Four([uint8x16_t; 4]);

// SAFETY (of all blocks below): all code for 64-bit ARM has NEON, and the caller has its dot
// product and the memory.
impl BlockLanes for Four {
    type Floats = Neon;
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        // SAFETY: see above.
        unsafe { Four([vreinterpretq_u8_s32(vdupq_n_s32(value)); 4]) }
    }
    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> Self {
        // SAFETY: see above.
        unsafe { Four(from_fn(|i| vld1q_u8(bytes.add(16 * i)))) }
    }
    #[inline(always)]
    unsafe fn and(self, mask: u8) -> Self {
        // SAFETY: see above.
        unsafe { Four(self.0.map(|part| vandq_u8(part, vdupq_n_u8(mask)))) }
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Four(from_fn(|i| vorrq_u8(self.0[i], other.0[i]))) }
    }
    #[inline(always)]
    unsafe fn shift(self, by: i32) -> Self {
        // SAFETY: see above; a negative shift is one to the right.
        unsafe { Four(self.0.map(|part| vshlq_u8(part, vdupq_n_s8(by as i8)))) }
    }
    #[inline(always)]
    unsafe fn dot(mut self, weights: Self, activations: *const i8) -> Self {
        // SAFETY: see above. The instruction has no stable function yet; it takes weights as signed
        // integers, which are the same below 64.
        unsafe {
            let four = vdupq_n_s32(activations.cast::<i32>().read_unaligned());
            for (sums, weights) in self.0.iter_mut().zip(weights.0) {
                asm!(
                    "sdot {sums:v}.4s, {weights:v}.16b, {four:v}.16b",
                    sums = inout(vreg) *sums,
                    weights = in(vreg) weights,
                    four = in(vreg) four,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
        }
        self
    }
    #[inline(always)]
    unsafe fn floats(self) -> Neon {
        // SAFETY: see above.
        unsafe { Neon(self.0.map(|part| vcvtq_f32_s32(vreinterpretq_s32_u8(part)))) }
    }
    #[inline(always)]
    unsafe fn load_u8(bytes: *const u8) -> Neon {
        // SAFETY: see above.
        unsafe {
            let all = vld1q_u8(bytes);
            let [low, high] = [vmovl_u8(vget_low_u8(all)), vmovl_high_u8(all)];
            let parts = [
                vmovl_u16(vget_low_u16(low)),
                vmovl_high_u16(low),
                vmovl_u16(vget_low_u16(high)),
                vmovl_high_u16(high),
            ];
            Neon(parts.map(|part| vcvtq_f32_u32(part)))
        }
    }
    #[inline(always)]
    unsafe fn load_i8(bytes: *const u8) -> Neon {
        // SAFETY: see above.
        unsafe {
            let all = vld1q_s8(bytes.cast());
            let [low, high] = [vmovl_s8(vget_low_s8(all)), vmovl_high_s8(all)];
            let parts = [
                vmovl_s16(vget_low_s16(low)),
                vmovl_high_s16(low),
                vmovl_s16(vget_low_s16(high)),
                vmovl_high_s16(high),
            ];
            Neon(parts.map(|part| vcvtq_f32_s32(part)))
        }
    }
}
