//! Weights, quantized and packed for an instruction set.

use super::layout::{GROUP, PANEL, Panel, k_pack, weight_bias};
use super::quantize::quantize_i16;
use crate::kernel::simd::{Aligned, Isa};
use rayon::prelude::*;
use std::ops::Range;

/// Weights as 8-bit integers in panels of [`PANEL`] output features: (panels, k/k_pack, PANEL,
/// k_pack), padded to whole groups and panels.
pub(in crate::kernel::gemm) struct Weights {
    isa: Isa,
    /// The bits of signed integers, plus the [`weight_bias`].
    values: Aligned<u8>,
    /// (panels, groups, PANEL)
    scales: Aligned<f32>,
    shape: Shape,
}

/// The sizes of a row of weights.
#[derive(Clone, Copy)]
struct Shape {
    /// Weights along k, padded to whole [`GROUP`]s.
    depth: usize,
    /// Groups with a scale of their own: one for each [`GROUP`] weights, or a single one.
    groups: usize,
}

impl Weights {
    /// Zeros, for [`Block::fill`] to write over.
    pub(in crate::kernel::gemm) fn zeros(isa: Isa, n: usize, k: usize) -> Weights {
        let groups = k.div_ceil(GROUP);
        Weights::of_shape(isa, n, Shape { depth: groups * GROUP, groups })
    }

    /// Zeros with one scale a row, for [`Block::fill_integers`] to write over.
    pub(in crate::kernel::gemm) fn zeros_of_rows(isa: Isa, n: usize, k: usize) -> Weights {
        Weights::of_shape(isa, n, Shape { depth: k.next_multiple_of(GROUP), groups: 1 })
    }

    fn of_shape(isa: Isa, n: usize, shape: Shape) -> Weights {
        let panels = n.div_ceil(PANEL);
        Weights {
            isa,
            values: Aligned::in_slab(panels * shape.depth * PANEL),
            scales: Aligned::in_slab(panels * shape.groups * PANEL),
            shape,
        }
    }

    /// Weights that share a scale.
    pub(in crate::kernel::gemm) fn group(&self) -> usize {
        self.shape.depth / self.shape.groups
    }

    /// Blocks of so many rows, whole panels, that can be filled side by side; the last one may be
    /// smaller.
    pub(in crate::kernel::gemm) fn blocks(
        &mut self,
        rows: usize,
    ) -> impl IndexedParallelIterator<Item = Block<'_>> {
        let Weights { isa, values, scales, shape } = self;
        let (isa, shape, panels) = (*isa, *shape, rows / PANEL);
        let values = values.par_chunks_mut(panels * shape.depth * PANEL);
        values
            .zip(scales.par_chunks_mut(panels * shape.groups * PANEL))
            .map(move |(values, scales)| Block { isa, values, scales, shape })
    }

    /// The instruction set that they were packed for.
    pub(in crate::kernel::gemm) fn isa(&self) -> Isa {
        self.isa
    }

    /// A range of panels.
    pub(in crate::kernel::gemm) fn panels(&self, panels: Range<usize>) -> Panels<'_> {
        let Shape { depth, groups } = self.shape;
        Panels {
            values: &self.values[panels.start * depth * PANEL..],
            scales: &self.scales[panels.start * groups * PANEL..panels.end * groups * PANEL],
            shape: self.shape,
            isa: self.isa,
        }
    }

    /// Zeros for `n` rows of the same kind, for [`Weights::copy_row`] to write over.
    pub(in crate::kernel::gemm) fn zeros_like(&self, n: usize) -> Weights {
        Weights::of_shape(self.isa, n, self.shape)
    }

    /// Copies row `from` of weights of the same kind to row `to`, as it is.
    pub(in crate::kernel::gemm) fn copy_row(&mut self, to: usize, all: &Weights, from: usize) {
        match k_pack(self.isa) {
            4 => self.copy_packs::<4>(to, all, from),
            _ => self.copy_packs::<2>(to, all, from),
        }
    }

    fn copy_packs<const K_PACK: usize>(&mut self, to: usize, all: &Weights, from: usize) {
        let Shape { depth, groups } = self.shape;
        let (size, [to, from]) = (depth * PANEL, [to, from].map(|row| (row / PANEL, row % PANEL)));
        let target = &mut self.values[to.0 * size..][..size];
        let source = &all.values[from.0 * size..][..size];
        // Packs of a row lie a line of the panel apart.
        let target = target.as_chunks_mut::<K_PACK>().0.iter_mut().skip(to.1).step_by(PANEL);
        let source = source.as_chunks::<K_PACK>().0.iter().skip(from.1).step_by(PANEL);
        target.zip(source).for_each(|(out, pack)| *out = *pack);
        for g in 0..groups {
            self.scales[(to.0 * groups + g) * PANEL + to.1] =
                all.scales[(from.0 * groups + g) * PANEL + from.1];
        }
    }

    /// Writes row `i` to `out` as f32.
    pub(in crate::kernel::gemm) fn row(&self, i: usize, out: &mut [f32]) {
        match k_pack(self.isa) {
            4 => self.row_of_packs::<4>(i, out),
            _ => self.row_of_packs::<2>(i, out),
        }
    }

    fn row_of_packs<const K_PACK: usize>(&self, i: usize, out: &mut [f32]) {
        let (panel, lane, weight_bias) = (i / PANEL, i % PANEL, weight_bias(self.isa));
        let (Shape { depth, groups }, group) = (self.shape, self.group());
        let values = &self.values[panel * depth * PANEL..][..depth * PANEL];
        let mut packs = values.as_chunks::<K_PACK>().0.iter().skip(lane).step_by(PANEL);
        let scales = self.scales[panel * groups * PANEL + lane..].iter().step_by(PANEL);
        for (out, scale) in out.chunks_mut(group).zip(scales) {
            for (out, pack) in out.chunks_mut(K_PACK).zip(&mut packs) {
                for (out, v) in out.iter_mut().zip(pack) {
                    *out = f32::from(v.wrapping_sub(weight_bias) as i8) * scale;
                }
            }
        }
    }
}

/// Some panels of [`Weights`] that are being packed.
pub(in crate::kernel::gemm) struct Block<'a> {
    isa: Isa,
    values: &'a mut [u8],
    scales: &'a mut [f32],
    shape: Shape,
}

impl Block<'_> {
    /// Quantizes and packs rows of `k` values each.
    pub(in crate::kernel::gemm) fn fill(&mut self, rows: &[f32], k: usize) {
        match k_pack(self.isa) {
            4 => self.fill_packs::<4>(rows, k),
            _ => self.fill_packs::<2>(rows, k),
        }
    }

    fn fill_packs<const K_PACK: usize>(&mut self, rows: &[f32], k: usize) {
        let Shape { depth, groups } = self.shape;
        let (mut quantized, mut bytes, mut row_scales) =
            (vec![0i16; depth], vec![0; depth], vec![0.0; groups]);
        for (i, row) in rows.chunks_exact(k).enumerate() {
            quantize_i16(self.isa, row, None, &mut quantized, &mut row_scales);
            bytes.iter_mut().zip(&quantized).for_each(|(byte, &v)| *byte = v as i8);
            self.put::<K_PACK>(i, &bytes, &row_scales);
        }
    }

    /// Packs row `i`, of `k` integers; `scale` is the value of one.
    pub(in crate::kernel::gemm) fn fill_integers(&mut self, i: usize, row: &[i8], scale: f32) {
        let mut values = vec![0; self.shape.depth];
        values[..row.len()].copy_from_slice(row);
        match k_pack(self.isa) {
            4 => self.put::<4>(i, &values, &[scale]),
            _ => self.put::<2>(i, &values, &[scale]),
        }
    }

    /// Puts the integers and scales of row `i` in their places.
    fn put<const K_PACK: usize>(&mut self, i: usize, row: &[i8], row_scales: &[f32]) {
        let Shape { depth, groups } = self.shape;
        let (panel, lane, weight_bias) = (i / PANEL, i % PANEL, weight_bias(self.isa));
        let values = &mut self.values[panel * depth * PANEL..][..depth * PANEL];
        let lines = values.as_chunks_mut::<K_PACK>().0.iter_mut().skip(lane).step_by(PANEL);
        for (pack, out) in row.as_chunks::<K_PACK>().0.iter().zip(lines) {
            *out = pack.map(|v| (v as u8).wrapping_add(weight_bias));
        }
        for (g, &scale) in row_scales.iter().enumerate() {
            self.scales[(panel * groups + g) * PANEL + lane] = scale;
        }
    }
}

/// Some panels of [`Weights`].
pub(in crate::kernel::gemm) struct Panels<'a> {
    isa: Isa,
    /// From the first of them to the end of the matrix.
    values: &'a [u8],
    scales: &'a [f32],
    shape: Shape,
}

impl Panels<'_> {
    /// The instruction set that they were packed for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// Each of them, with the one after it to be prefetched, or itself where there is none.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = Panel<'_>> {
        let size = self.shape.depth * PANEL;
        self.values
            .chunks_exact(size)
            .zip(self.scales.chunks_exact(self.shape.groups * PANEL))
            .enumerate()
            .map(move |(panel, (values, scales))| Panel {
                values,
                scales,
                ahead: self.values.get((panel + 1) * size..).unwrap_or(values),
            })
    }
}
