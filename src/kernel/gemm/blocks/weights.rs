//! Blocks of weights in panels.

use super::layout::{BlockFormat, PANEL};
use super::matmul::Panels;
use super::stored;
use crate::kernel::simd::Aligned;
use rayon::prelude::*;
use std::ops::Range;

/// Weights of one format in panels of [`PANEL`] output features, padded to whole panels: for each,
/// the blocks along k, see [`Layout`](super::layout::Layout). They are the same for all instruction
/// sets.
pub(in crate::kernel::gemm) struct Weights {
    format: BlockFormat,
    /// Blocks of a row.
    blocks: usize,
    bytes: Aligned<u8>,
}

impl Weights {
    /// Zeros, for [`Block::fill`] to write over.
    ///
    /// # Panics
    /// If `k` is not whole blocks.
    pub(in crate::kernel::gemm) fn zeros(format: BlockFormat, n: usize, k: usize) -> Weights {
        assert!(k > 0 && k.is_multiple_of(format.width()));
        let blocks = k / format.width();
        let bytes = Aligned::in_slab(n.div_ceil(PANEL) * blocks * format.layout().size());
        Weights { format, blocks, bytes }
    }

    /// The format of the blocks.
    pub(in crate::kernel::gemm) fn format(&self) -> BlockFormat {
        self.format
    }

    /// Weights of a row.
    pub(in crate::kernel::gemm) fn k(&self) -> usize {
        self.blocks * self.format.width()
    }

    /// Bytes of a panel.
    fn size(&self) -> usize {
        self.blocks * self.format.layout().size()
    }

    /// Its panels, that can be filled side by side.
    pub(in crate::kernel::gemm) fn panels_mut(
        &mut self,
    ) -> impl IndexedParallelIterator<Item = PanelMut<'_>> {
        let (format, blocks, size) = (self.format, self.blocks, self.size());
        self.bytes.par_chunks_mut(size).map(move |bytes| PanelMut { format, blocks, bytes })
    }

    /// The panels of a range of features that begins with a panel.
    pub(in crate::kernel::gemm) fn panels(&self, features: Range<usize>) -> Panels<'_> {
        let size = self.size();
        Panels { format: self.format, bytes: &self.bytes[features.start / PANEL * size..], size }
    }

    /// Zeros for `n` rows of the same kind, for [`Weights::copy_row`] to write over.
    pub(in crate::kernel::gemm) fn zeros_like(&self, n: usize) -> Weights {
        Weights::zeros(self.format, n, self.k())
    }

    /// Copies row `from` of weights of the same kind to row `to`, as it is.
    pub(in crate::kernel::gemm) fn copy_row(&mut self, to: usize, all: &Weights, from: usize) {
        let size = self.size();
        let step = self.format.layout().size();
        let target = self.bytes[to / PANEL * size..][..size].chunks_exact_mut(step);
        let source = all.bytes[from / PANEL * size..][..size].chunks_exact(step);
        for (target, source) in target.zip(source) {
            stored::Block::from_panel(self.format, source, from % PANEL).put(target, to % PANEL);
        }
    }

    /// Writes row `i` to `out` as f32.
    pub(in crate::kernel::gemm) fn row(&self, i: usize, out: &mut [f32]) {
        let size = self.size();
        let blocks = self.bytes[i / PANEL * size..][..size]
            .chunks_exact(self.format.layout().size())
            .zip(out.chunks_exact_mut(self.format.width()));
        for (block, out) in blocks {
            stored::Block::from_panel(self.format, block, i % PANEL).dequantize(out);
        }
    }
}

/// A panel of [`Weights`] that is being packed.
pub(in crate::kernel::gemm) struct PanelMut<'a> {
    format: BlockFormat,
    blocks: usize,
    bytes: &'a mut [u8],
}

impl PanelMut<'_> {
    /// Packs rows of blocks, as a file has them, one after the other.
    pub(in crate::kernel::gemm) fn fill(&mut self, rows: &[u8]) {
        let (from, to) = (self.format.bytes(), self.format.layout().size());
        for (lane, row) in rows.chunks_exact(self.blocks * from).enumerate() {
            let blocks = row.chunks_exact(from).zip(self.bytes.chunks_exact_mut(to));
            for (block, panel) in blocks {
                stored::Block::from_file(self.format, block).put(panel, lane);
            }
        }
    }
}
