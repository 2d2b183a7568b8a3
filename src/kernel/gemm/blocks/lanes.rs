//! Sixteen 32-bit lanes: sums of products, or four small weights each of sixteen features.

use crate::kernel::simd::{F32x16, LANES};

/// Sixteen sums side by side, or the 64 bytes of the weights of sixteen features.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the
/// implementation's target features.
pub(super) trait BlockLanes: Copy {
    /// Sixteen floats.
    type Floats: F32x16;
    /// Sixteen times the same value.
    unsafe fn splat(value: i32) -> Self;
    /// Loads 64 bytes.
    unsafe fn load(bytes: *const u8) -> Self;
    /// The bits of each byte that are in a mask.
    unsafe fn and(self, mask: u8) -> Self;
    /// The bits of both.
    unsafe fn or(self, other: Self) -> Self;
    /// Shifts by less than eight bits, to the left, or to the right where `by` is negative. Bits
    /// may move into the byte beside.
    unsafe fn shift(self, by: i32) -> Self;
    /// Adds the products of each lane's four weights, below 64, with four activations.
    unsafe fn dot(self, weights: Self, activations: *const i8) -> Self;
    /// Converts the sums to floats.
    unsafe fn floats(self) -> Self::Floats;
    /// Sixteen bytes as floats.
    unsafe fn load_u8(bytes: *const u8) -> Self::Floats;
    /// Sixteen bytes with a sign as floats.
    unsafe fn load_i8(bytes: *const u8) -> Self::Floats;
}

/// Portable lanes: the reference.
impl BlockLanes for [i32; LANES] {
    type Floats = [f32; LANES];
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> Self {
        // SAFETY: the caller has 64 bytes there.
        unsafe { bytes.cast::<[[u8; 4]; LANES]>().read() }.map(i32::from_le_bytes)
    }
    #[inline(always)]
    unsafe fn and(self, mask: u8) -> Self {
        self.map(|lane| lane & i32::from_le_bytes([mask; 4]))
    }
    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] | other[i])
    }
    #[inline(always)]
    unsafe fn shift(self, by: i32) -> Self {
        let shift = |lane: u32| if by < 0 { lane >> -by } else { lane << by };
        self.map(|lane| shift(lane as u32) as i32)
    }
    #[inline(always)]
    unsafe fn dot(mut self, weights: Self, activations: *const i8) -> Self {
        // SAFETY: the caller has four activations there.
        let activations = unsafe { activations.cast::<[i8; 4]>().read() }.map(i32::from);
        for (sum, weights) in self.iter_mut().zip(weights) {
            let weights = weights.to_le_bytes().map(i32::from);
            *sum += weights.iter().zip(activations).map(|(w, x)| w * x).sum::<i32>();
        }
        self
    }
    #[inline(always)]
    unsafe fn floats(self) -> [f32; LANES] {
        self.map(|lane| lane as f32)
    }
    #[inline(always)]
    unsafe fn load_u8(bytes: *const u8) -> [f32; LANES] {
        // SAFETY: the caller has sixteen bytes there.
        unsafe { bytes.cast::<[u8; LANES]>().read() }.map(f32::from)
    }
    #[inline(always)]
    unsafe fn load_i8(bytes: *const u8) -> [f32; LANES] {
        // SAFETY: the caller has sixteen bytes there.
        unsafe { bytes.cast::<[i8; LANES]>().read() }.map(f32::from)
    }
}
