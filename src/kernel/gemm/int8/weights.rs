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
    /// Groups along k.
    groups: usize,
}

impl Weights {
    /// Zeros, for [`Block::fill`] to write over.
    pub(in crate::kernel::gemm) fn zeros(isa: Isa, n: usize, k: usize) -> Weights {
        let (groups, panels) = (k.div_ceil(GROUP), n.div_ceil(PANEL));
        Weights {
            isa,
            values: Aligned::in_slab(panels * groups * GROUP * PANEL),
            scales: Aligned::in_slab(panels * groups * PANEL),
            groups,
        }
    }

    /// Blocks of so many rows, whole panels, that can be filled side by side; the last one may be
    /// smaller.
    pub(in crate::kernel::gemm) fn blocks(
        &mut self,
        rows: usize,
    ) -> impl IndexedParallelIterator<Item = Block<'_>> {
        let Weights { isa, values, scales, groups } = self;
        let (isa, groups, panels) = (*isa, *groups, rows / PANEL);
        let values = values.par_chunks_mut(panels * groups * GROUP * PANEL);
        values
            .zip(scales.par_chunks_mut(panels * groups * PANEL))
            .map(move |(values, scales)| Block { isa, values, scales, groups })
    }

    /// The instruction set that they were packed for.
    pub(in crate::kernel::gemm) fn isa(&self) -> Isa {
        self.isa
    }

    /// A range of panels.
    pub(in crate::kernel::gemm) fn panels(&self, panels: Range<usize>) -> Panels<'_> {
        let size = self.groups * GROUP * PANEL;
        Panels {
            values: &self.values[panels.start * size..],
            scales: &self.scales
                [panels.start * self.groups * PANEL..panels.end * self.groups * PANEL],
            groups: self.groups,
            isa: self.isa,
        }
    }

    /// Copies some of the rows, in the order given, as they are.
    pub(in crate::kernel::gemm) fn select(&self, rows: &[u32]) -> Weights {
        let (k_pack, size) = (k_pack(self.isa), self.groups * GROUP * PANEL);
        let mut selected = Weights::zeros(self.isa, rows.len(), self.groups * GROUP);
        selected.blocks(PANEL).zip(rows.par_chunks(PANEL)).for_each(|(block, rows)| {
            for (target, &from) in rows.iter().enumerate() {
                let (from, source) = (from as usize / PANEL, from as usize % PANEL);
                let lines = self.values[from * size..][..size].chunks_exact(k_pack * PANEL);
                for (out, line) in block.values.chunks_exact_mut(k_pack * PANEL).zip(lines) {
                    out[target * k_pack..][..k_pack]
                        .copy_from_slice(&line[source * k_pack..][..k_pack]);
                }
                for g in 0..self.groups {
                    block.scales[g * PANEL + target] =
                        self.scales[(from * self.groups + g) * PANEL + source];
                }
            }
        });
        selected
    }

    /// Writes row `i` to `out` as f32.
    pub(in crate::kernel::gemm) fn row(&self, i: usize, out: &mut [f32]) {
        let (panel, lane, k_pack) = (i / PANEL, i % PANEL, k_pack(self.isa));
        let weight_bias = weight_bias(self.isa);
        let values = &self.values[panel * self.groups * GROUP * PANEL..];
        let scales = &self.scales[panel * self.groups * PANEL..];
        for (p, (out, line)) in
            out.chunks_mut(k_pack).zip(values.chunks_exact(k_pack * PANEL)).enumerate()
        {
            let scale = scales[p * k_pack / GROUP * PANEL + lane];
            for (out, v) in out.iter_mut().zip(&line[lane * k_pack..][..k_pack]) {
                *out = f32::from(v.wrapping_sub(weight_bias) as i8) * scale;
            }
        }
    }
}

/// Some panels of [`Weights`] that are being packed.
pub(in crate::kernel::gemm) struct Block<'a> {
    isa: Isa,
    values: &'a mut [u8],
    scales: &'a mut [f32],
    groups: usize,
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
        let groups = self.groups;
        let depth = groups * GROUP;
        let (mut quantized, mut bytes, mut row_scales) =
            (vec![0i16; depth], vec![0; depth], vec![0.0; groups]);
        let weight_bias = weight_bias(self.isa);
        for (i, row) in rows.chunks_exact(k).enumerate() {
            quantize_i16(self.isa, row, &mut quantized, &mut row_scales);
            let (panel, lane) = (i / PANEL, i % PANEL);
            let values = &mut self.values[panel * depth * PANEL..][..depth * PANEL];
            bytes
                .iter_mut()
                .zip(&quantized)
                .for_each(|(byte, &v)| *byte = (v as u8).wrapping_add(weight_bias));
            for (pack, line) in
                bytes.as_chunks::<K_PACK>().0.iter().zip(values.chunks_exact_mut(K_PACK * PANEL))
            {
                line.as_chunks_mut().0[lane] = *pack;
            }
            for (g, &scale) in row_scales.iter().enumerate() {
                self.scales[(panel * groups + g) * PANEL + lane] = scale;
            }
        }
    }
}

/// Some panels of [`Weights`].
pub(in crate::kernel::gemm) struct Panels<'a> {
    isa: Isa,
    /// From the first of them to the end of the matrix.
    values: &'a [u8],
    scales: &'a [f32],
    groups: usize,
}

impl Panels<'_> {
    /// The instruction set that they were packed for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// Each of them, with the one after it to be prefetched, or itself where there is none.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = Panel<'_>> {
        let size = self.groups * GROUP * PANEL;
        self.values
            .chunks_exact(size)
            .zip(self.scales.chunks_exact(self.groups * PANEL))
            .enumerate()
            .map(move |(panel, (values, scales))| Panel {
                values,
                scales,
                ahead: self.values.get((panel + 1) * size..).unwrap_or(values),
            })
    }
}
