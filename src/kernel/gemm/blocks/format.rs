//! How a micro-kernel reads the panels of each format.

use super::lanes::BlockLanes;
use super::layout::{BlockFormat, PANEL};
use crate::kernel::simd::F32x16;
use half::f16;

/// A format, as a type: a micro-kernel is compiled for each.
///
/// # Safety
/// The pointers that the methods take point to the header or to a group's words of a panel's
/// blocks; `column` is the first of sixteen features of the panel. As those of [`BlockLanes`], they
/// are inlined in functions that have the features of the lanes.
pub(super) trait Format {
    /// Which one it is.
    const FORMAT: BlockFormat;
    /// Parts of a group of columns that have a scale each.
    const PARTS: usize;
    /// What is subtracted from its integers.
    const OFFSET: i32;
    /// Whether groups have minimums.
    const HAS_MINS: bool;

    /// The weights of the fours `2 · PAIR` and `2 · PAIR + 1` of a group.
    unsafe fn weights<D: BlockLanes, const PAIR: usize>(words: *const u8, column: usize) -> [D; 2];

    /// The scales of a part of a group.
    unsafe fn scales<D: BlockLanes>(
        header: *const u8,
        group: usize,
        part: usize,
        column: usize,
    ) -> D::Floats;

    /// The minimums of a group, as they are subtracted; none where it has none.
    #[inline(always)]
    unsafe fn mins<D: BlockLanes>(_: *const u8, _: usize, _: usize) -> D::Floats {
        // SAFETY: as the caller promises.
        unsafe { D::Floats::zero() }
    }
}

/// Q4_0.
pub(super) struct Q4_0;
/// Q4_K.
pub(super) struct Q4K;
/// Q5_K.
pub(super) struct Q5K;
/// Q6_K.
pub(super) struct Q6K;

/// A line of a group's words.
#[inline(always)]
unsafe fn words<D: BlockLanes>(words: *const u8, line: usize, column: usize) -> D {
    // SAFETY: a group has the line, and a line 64 bytes for sixteen features.
    unsafe { D::load(words.add((line * PANEL + column) * 4)) }
}

/// The low four bits of the weights of two fours.
#[inline(always)]
unsafe fn low_bits<D: BlockLanes>(word: D) -> [D; 2] {
    // SAFETY: as the caller promises.
    unsafe { [word.and(15), word.shift(-4).and(15)] }
}

/// A line of halves, as floats.
#[inline(always)]
unsafe fn halves<D: BlockLanes>(header: *const u8, line: usize, column: usize) -> D::Floats {
    // SAFETY: the header has the line.
    unsafe { D::Floats::load_f16(header.cast::<f16>().add(line * PANEL + column)) }
}

/// Where a line of bytes begins, behind so many lines of halves.
#[inline(always)]
fn bytes(header: *const u8, halves: usize, line: usize, column: usize) -> *const u8 {
    header.wrapping_add((2 * halves + line) * PANEL + column)
}

// SAFETY (of all blocks below): as the callers promise.
impl Format for Q4_0 {
    const FORMAT: BlockFormat = BlockFormat::Q4_0;
    const PARTS: usize = 1;
    const OFFSET: i32 = 8;
    const HAS_MINS: bool = false;
    #[inline(always)]
    unsafe fn weights<D: BlockLanes, const PAIR: usize>(group: *const u8, column: usize) -> [D; 2] {
        // SAFETY: see above.
        unsafe { low_bits(words(group, PAIR, column)) }
    }
    #[inline(always)]
    unsafe fn scales<D: BlockLanes>(
        header: *const u8,
        _group: usize,
        _part: usize,
        column: usize,
    ) -> D::Floats {
        // SAFETY: see above.
        unsafe { halves::<D>(header, 0, column) }
    }
}

impl Format for Q4K {
    const FORMAT: BlockFormat = BlockFormat::Q4K;
    const PARTS: usize = 1;
    const OFFSET: i32 = 0;
    const HAS_MINS: bool = true;
    #[inline(always)]
    unsafe fn weights<D: BlockLanes, const PAIR: usize>(group: *const u8, column: usize) -> [D; 2] {
        // SAFETY: see above.
        unsafe { low_bits(words(group, PAIR, column)) }
    }
    #[inline(always)]
    unsafe fn scales<D: BlockLanes>(
        header: *const u8,
        group: usize,
        _part: usize,
        column: usize,
    ) -> D::Floats {
        // SAFETY: see above.
        unsafe {
            halves::<D>(header, 0, column).mul(D::load_u8(bytes(header, 2, 2 * group, column)))
        }
    }
    #[inline(always)]
    unsafe fn mins<D: BlockLanes>(header: *const u8, group: usize, column: usize) -> D::Floats {
        // SAFETY: see above.
        unsafe {
            halves::<D>(header, 1, column).mul(D::load_u8(bytes(header, 2, 2 * group + 1, column)))
        }
    }
}

impl Format for Q5K {
    const FORMAT: BlockFormat = BlockFormat::Q5K;
    const PARTS: usize = 1;
    const OFFSET: i32 = 0;
    const HAS_MINS: bool = true;
    #[inline(always)]
    unsafe fn weights<D: BlockLanes, const PAIR: usize>(group: *const u8, column: usize) -> [D; 2] {
        // SAFETY: see above.
        unsafe {
            let [a, b] = low_bits::<D>(words(group, PAIR, column));
            let high: D = words(group, 4, column);
            let shift = 4 - 2 * PAIR as i32;
            [a.or(high.shift(shift).and(16)), b.or(high.shift(shift - 1).and(16))]
        }
    }
    #[inline(always)]
    unsafe fn scales<D: BlockLanes>(
        header: *const u8,
        group: usize,
        part: usize,
        column: usize,
    ) -> D::Floats {
        // SAFETY: see above.
        unsafe { Q4K::scales::<D>(header, group, part, column) }
    }
    #[inline(always)]
    unsafe fn mins<D: BlockLanes>(header: *const u8, group: usize, column: usize) -> D::Floats {
        // SAFETY: see above.
        unsafe { Q4K::mins::<D>(header, group, column) }
    }
}

impl Format for Q6K {
    const FORMAT: BlockFormat = BlockFormat::Q6K;
    const PARTS: usize = 2;
    const OFFSET: i32 = 32;
    const HAS_MINS: bool = false;
    #[inline(always)]
    unsafe fn weights<D: BlockLanes, const PAIR: usize>(group: *const u8, column: usize) -> [D; 2] {
        // SAFETY: see above.
        unsafe {
            let [a, b] = low_bits::<D>(words(group, PAIR, column));
            let high: D = words(group, 4 + PAIR / 2, column);
            let shift = 4 - 4 * (PAIR % 2) as i32;
            [a.or(high.shift(shift).and(48)), b.or(high.shift(shift - 2).and(48))]
        }
    }
    #[inline(always)]
    unsafe fn scales<D: BlockLanes>(
        header: *const u8,
        group: usize,
        part: usize,
        column: usize,
    ) -> D::Floats {
        // SAFETY: see above.
        unsafe {
            halves::<D>(header, 0, column).mul(D::load_i8(bytes(
                header,
                1,
                2 * group + part,
                column,
            )))
        }
    }
}
