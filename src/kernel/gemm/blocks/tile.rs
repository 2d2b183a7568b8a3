//! The product of a tile of rows with a panel of blocks.

use super::activations::{PARTS, Tile};
use super::format::Format;
use super::lanes::BlockLanes;
use super::layout::{GROUP, PANEL};
use crate::kernel::gemm::int8::{Epilogue, write};
use crate::kernel::simd::{F32x16, LANES, prefetch_l2};

/// How far ahead of what is multiplied memory is fetched, in bytes: a few microseconds' worth.
const AHEAD: usize = 12 << 10;

/// Multiplies `MR` rows with a panel, `N` times sixteen features at a time. `panel` begins with the
/// panel, and what follows it is needed next. The results are the same bits on any lanes.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
pub(super) unsafe fn tile<D: BlockLanes, F: Format, const MR: usize, const N: usize>(
    tile: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    let layout = const { F::FORMAT.layout() };
    let groups = tile.scales.len() / MR;
    let blocks = groups * GROUP / layout.width;
    let Epilogue { bias, out, stride, width } = epilogue;
    assert!(
        tile.mr == MR
            && tile.scales.len() == MR * groups
            && tile.values.len() == MR * groups * GROUP
            && tile.negative_sums.len() == MR * groups
            && tile.sums.len() == MR * groups * PARTS
    );
    assert!(panel.len() >= blocks * layout.size() && blocks * layout.width == groups * GROUP);
    assert!(
        width <= PANEL
            && bias.is_none_or(|bias| bias.len() == width)
            && out.len() == (MR - 1) * stride + width
    );
    for column in (0..width).step_by(N * LANES) {
        // SAFETY: the caller has the features; the assertions bound what is read and written.
        unsafe {
            let mut totals = [[D::Floats::zero(); N]; MR];
            for block in 0..blocks {
                let header = panel.as_ptr().add(block * layout.size());
                for g in 0..layout.width / GROUP {
                    let words = header.add(layout.header() + g * layout.step());
                    let group = block * (layout.width / GROUP) + g;
                    if column == 0 {
                        // An even share of the memory that is needed later.
                        let share = layout.size() * GROUP / layout.width;
                        let ahead = header.wrapping_add(AHEAD + g * share);
                        for line in (0..share).step_by(64) {
                            prefetch_l2(ahead.wrapping_add(line));
                        }
                    }
                    let group = Group { tile, group, header, words, in_block: g, column };
                    group.add::<D, F, MR, N>(&mut totals);
                }
            }
            let epilogue = Epilogue { bias, out: &mut *out, stride, width };
            write::<D::Floats, MR, N>(totals, column, epilogue);
        }
    }
}

/// A group of columns of a tile and of a panel.
#[derive(Clone, Copy)]
struct Group<'a> {
    tile: Tile<'a>,
    /// Its number in the row.
    group: usize,
    header: *const u8,
    words: *const u8,
    /// Its number in the block.
    in_block: usize,
    column: usize,
}

impl Group<'_> {
    /// Adds the products of the group to the totals.
    ///
    /// # Safety
    /// The caller has the features of the lanes, and tile and panel have the group.
    #[inline(always)]
    unsafe fn add<D: BlockLanes, F: Format, const MR: usize, const N: usize>(
        self,
        totals: &mut [[D::Floats; N]; MR],
    ) {
        let Group { tile, group, header, in_block, column, .. } = self;
        // SAFETY: as the caller promises.
        unsafe {
            let mut sums = self.start::<D, F, MR, N>(0);
            self.products::<D, F, MR, N, 0>(&mut sums);
            self.products::<D, F, MR, N, 1>(&mut sums);
            if F::PARTS == 2 {
                self.finish::<D, F, MR, N>(0, &sums, totals);
                sums = self.start::<D, F, MR, N>(1);
            }
            self.products::<D, F, MR, N, 2>(&mut sums);
            self.products::<D, F, MR, N, 3>(&mut sums);
            self.finish::<D, F, MR, N>(F::PARTS - 1, &sums, totals);
            if F::HAS_MINS {
                for n in 0..N {
                    let mins = F::mins::<D>(header, in_block, column + n * LANES);
                    for (r, totals) in totals.iter_mut().enumerate() {
                        let sum = *tile.negative_sums.as_ptr().add(group * MR + r);
                        totals[n] = D::Floats::splat(sum).mul_add(mins, totals[n]);
                    }
                }
            }
        }
    }

    /// What the sums of a part begin with, so that they come out as those of integers less the
    /// format's offset.
    ///
    /// # Safety
    /// See [`Group::add`].
    #[inline(always)]
    unsafe fn start<D: BlockLanes, F: Format, const MR: usize, const N: usize>(
        self,
        part: usize,
    ) -> [[D; N]; MR] {
        // SAFETY: as the caller promises.
        unsafe {
            let mut sums = [[D::splat(0); N]; MR];
            if F::OFFSET != 0 {
                for (r, sums) in sums.iter_mut().enumerate() {
                    let own = |part: usize| {
                        *self.tile.sums.as_ptr().add((self.group * PARTS + part) * MR + r)
                    };
                    let sum = if F::PARTS == 2 { own(part) } else { own(0) + own(1) };
                    *sums = [D::splat(-F::OFFSET * sum); N];
                }
            }
            sums
        }
    }

    /// Adds the products of two fours of the group.
    ///
    /// # Safety
    /// See [`Group::add`].
    #[inline(always)]
    unsafe fn products<
        D: BlockLanes,
        F: Format,
        const MR: usize,
        const N: usize,
        const PAIR: usize,
    >(
        self,
        sums: &mut [[D; N]; MR],
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let fours = self.tile.values.as_ptr().add((self.group * GROUP / 4 + 2 * PAIR) * MR * 4);
            for n in 0..N {
                let [a, b] = F::weights::<D, PAIR>(self.words, self.column + n * LANES);
                for (r, sums) in sums.iter_mut().enumerate() {
                    sums[n] = sums[n].dot(a, fours.add(4 * r));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    sums[n] = sums[n].dot(b, fours.add(4 * (MR + r)));
                }
            }
        }
    }

    /// Adds the sums of a part to the totals.
    ///
    /// # Safety
    /// See [`Group::add`].
    #[inline(always)]
    unsafe fn finish<D: BlockLanes, F: Format, const MR: usize, const N: usize>(
        self,
        part: usize,
        sums: &[[D; N]; MR],
        totals: &mut [[D::Floats; N]; MR],
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            for n in 0..N {
                let column = self.column + n * LANES;
                let scales = F::scales::<D>(self.header, self.in_block, part, column);
                for (r, totals) in totals.iter_mut().enumerate() {
                    let row = *self.tile.scales.as_ptr().add(self.group * MR + r);
                    let scales = D::Floats::splat(row).mul(scales);
                    totals[n] = sums[r][n].floats().mul_add(scales, totals[n]);
                }
            }
        }
    }
}
