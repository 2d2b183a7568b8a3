//! Sixteen f32 lanes: the width in which floating-point sums are kept, the same on every
//! instruction set, so that all give the same bits.

use half::f16;

/// Floats that are computed side by side. A sum over more of them has one partial sum per lane.
pub(in crate::kernel) const LANES: usize = 16;

/// A type that keys and values are stored as.
pub(in crate::kernel) trait Element: Copy {
    /// Loads sixteen of them.
    ///
    /// # Safety
    /// The caller has the features of the lanes, and sixteen elements there.
    unsafe fn load<L: F32x16>(values: *const Self) -> L;

    /// The value as f32.
    fn to_f32(self) -> f32;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<L: F32x16>(values: *const f32) -> L {
        // SAFETY: as the caller promises.
        unsafe { L::load(values) }
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
}

impl Element for f16 {
    #[inline(always)]
    unsafe fn load<L: F32x16>(values: *const f16) -> L {
        // SAFETY: as the caller promises.
        unsafe { L::load_f16(values) }
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}

/// Sixteen floats that are computed side by side.
///
/// # Safety
/// The methods of an implementation may only be called, inlined, in a function that has the
/// implementation's target features.
pub(in crate::kernel) trait F32x16: Copy {
    /// Whether the registers hold some twenty of them.
    const WIDE_REGISTER_FILE: bool;
    /// Sixteen zeros.
    unsafe fn zero() -> Self;
    /// Sixteen times the same value.
    unsafe fn splat(value: f32) -> Self;
    /// Loads sixteen floats.
    unsafe fn load(values: *const f32) -> Self;
    /// Loads sixteen half-precision floats.
    unsafe fn load_f16(values: *const f16) -> Self;
    /// Loads fewer elements than sixteen; the other lanes are zero.
    #[inline(always)]
    unsafe fn load_partial<E: Element>(values: &[E]) -> Self {
        let mut all = [0.0; LANES];
        all.iter_mut().zip(values).for_each(|(place, value)| *place = value.to_f32());
        // SAFETY: sixteen floats; the caller has the features.
        unsafe { Self::load(all.as_ptr()) }
    }
    /// `self · b + c`, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self · b`.
    unsafe fn mul(self, b: Self) -> Self;
    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;
    /// `self − b`.
    unsafe fn sub(self, b: Self) -> Self;
    /// The larger one; `b` where either is NaN.
    unsafe fn max(self, b: Self) -> Self;
    /// The smaller one; `b` where either is NaN.
    unsafe fn min(self, b: Self) -> Self;
    /// `self · 2ⁿ`, where the low bits of `shifted`, as those of an integer, are n.
    unsafe fn add_to_exponent(self, shifted: Self) -> Self;
    /// Zero in the lanes where `x` is below `bound`.
    unsafe fn zero_below(self, x: Self, bound: Self) -> Self;
    /// The largest of the lanes, none of which is NaN.
    unsafe fn max_lane(self) -> f32;
    /// Stores sixteen floats.
    unsafe fn store(self, out: &mut [f32; LANES]);
    /// The sums of the lanes of each row, in the order of the rows; the upper half of the lanes is
    /// added to the lower one until one is left.
    unsafe fn horizontal_sums(rows: [Self; LANES]) -> Self;
}

/// Portable lanes.
impl F32x16 for [f32; LANES] {
    const WIDE_REGISTER_FILE: bool = false;
    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; LANES]
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: the caller has sixteen floats there.
        unsafe { values.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_f16(values: *const f16) -> Self {
        // SAFETY: the caller has sixteen halves there.
        unsafe { values.cast::<[f16; LANES]>().read_unaligned() }.map(f16::to_f32)
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
    unsafe fn sub(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] - b[i])
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        std::array::from_fn(|i| if self[i] > b[i] { self[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn min(self, b: Self) -> Self {
        std::array::from_fn(|i| if self[i] < b[i] { self[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn add_to_exponent(self, shifted: Self) -> Self {
        std::array::from_fn(|i| {
            f32::from_bits(self[i].to_bits().wrapping_add(shifted[i].to_bits() << 23))
        })
    }
    #[inline(always)]
    unsafe fn zero_below(self, x: Self, bound: Self) -> Self {
        std::array::from_fn(|i| if x[i] < bound[i] { 0.0 } else { self[i] })
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        self.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn store(self, out: &mut [f32; LANES]) {
        *out = self;
    }
    #[inline(always)]
    unsafe fn horizontal_sums(rows: [Self; LANES]) -> Self {
        rows.map(|mut lanes| {
            for width in [8, 4, 2, 1] {
                for lane in 0..width {
                    lanes[lane] += lanes[lane + width];
                }
            }
            lanes[0]
        })
    }
}
