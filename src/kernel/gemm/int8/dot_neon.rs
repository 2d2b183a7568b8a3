//! The int8 product with NEON's `sdot`, which multiplies weights with their signs.

use super::dot::{I8Dot, tile, tile_of_rows};
use super::epilogue::Epilogue;
use super::layout::{Panel, Rows};
use crate::kernel::simd::Neon;
use std::arch::aarch64::*;
use std::arch::asm;
use std::array::from_fn;

/// Multiplies a quarter of a panel at a time: the sums of a group take 20 of 32 registers, and the
/// factors nine.
#[target_feature(enable = "dotprod")]
pub(super) fn neon<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Four, MR, 1>(rows, starts, panel, epilogue) }
}

/// Multiplies as [`neon`], where rows have one scale each.
#[target_feature(enable = "dotprod")]
pub(super) fn neon_of_rows<const MR: usize>(
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile_of_rows::<Four, MR, 1>(rows, starts, panel, epilogue) }
}

/// Sixteen sums in four registers.
#[derive(Clone, Copy)]
struct Four([int32x4_t; 4]);

// SAFETY (of all blocks below): all code for 64-bit ARM has NEON, and the caller has its dot
// product and the memory.
impl I8Dot for Four {
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
