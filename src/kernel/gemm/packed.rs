//! Weight matrices, packed once at load for the kernels of their precision.

use super::precision::Precision;
use super::target::Target;
use super::{fp32, int8};
use crate::kernel::simd::Isa;
use rayon::prelude::*;
use std::convert::Infallible;
use std::ops::Range;

enum Weights {
    F32(fp32::Weights),
    Int8(int8::Weights),
}

/// A weight matrix of `n` output features and `k` input features, in panels.
pub struct Packed {
    n: usize,
    k: usize,
    weights: Weights,
}

impl Packed {
    /// Packs `n` rows of `k` weights each; `row(i, buffer)` fills in row `i`, and is called from
    /// several threads.
    pub fn pack(
        precision: Precision,
        n: usize,
        k: usize,
        row: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Packed {
        let packed = Packed::try_pack(precision, n, k, |range, rows| {
            range.zip(rows.chunks_exact_mut(k)).for_each(|(i, out)| row(i, out));
            Ok::<_, Infallible>(())
        });
        packed.unwrap_or_else(|never| match never {})
    }

    /// Packs `n` rows of `k` weights each, a few rows at a time; `rows(range, buffer)` fills in
    /// these rows, one after the other.
    ///
    /// # Errors
    /// The error of `rows`, for one of the blocks for which it failed.
    pub fn try_pack<E: Send>(
        precision: Precision,
        n: usize,
        k: usize,
        rows: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Packed, E> {
        /// Rows a block, whole panels of either kind.
        const BLOCK: usize = 64;
        const { assert!(BLOCK.is_multiple_of(fp32::PANEL) && BLOCK.is_multiple_of(int8::PANEL)) };
        // Reads a block's rows into a thread's buffer.
        let read = |number: usize, buffer: &mut Vec<f32>| {
            let range = number * BLOCK..((number + 1) * BLOCK).min(n);
            buffer.resize(range.len() * k, 0.0);
            rows(range, buffer)
        };
        let weights = match precision {
            Precision::Int8 => {
                let mut weights = int8::Weights::zeros(Isa::current(), n, k);
                let blocks = weights.blocks(BLOCK).enumerate();
                blocks.try_for_each_init(Vec::new, |buffer, (number, mut block)| {
                    read(number, buffer).map(|()| block.fill(buffer, k))
                })?;
                Weights::Int8(weights)
            }
            // On a CPU 16 bits are no faster, and are not used.
            Precision::F32 | Precision::F16 | Precision::Bf16 => {
                let mut weights = fp32::Weights::zeros(n, k);
                let blocks = weights.blocks(BLOCK).enumerate();
                blocks.try_for_each_init(Vec::new, |buffer, (number, mut block)| {
                    read(number, buffer).map(|()| block.fill(buffer))
                })?;
                Weights::F32(weights)
            }
        };
        Ok(Packed { n, k, weights })
    }

    /// Output features.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Input features.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Writes row `i` to `out` as f32, for an embedding that shares its weights with the output
    /// layer.
    ///
    /// # Panics
    /// If `i` is not below [`Packed::n`] or `out` is not [`Packed::k`] long.
    pub fn row(&self, i: usize, out: &mut [f32]) {
        assert!(i < self.n && out.len() == self.k);
        match &self.weights {
            Weights::Int8(weights) => weights.row(i, out),
            Weights::F32(weights) => weights.row(i, out),
        }
    }

    /// A matrix of some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[u32]) -> Packed {
        assert!(rows.iter().all(|&row| (row as usize) < self.n));
        match &self.weights {
            Weights::F32(_) => Packed::pack(Precision::F32, rows.len(), self.k, |i, out| {
                self.row(rows[i] as usize, out)
            }),
            // Copied as they are: with a shortlist, a vocabulary is chosen for every sentence.
            Weights::Int8(weights) => {
                Packed { n: rows.len(), k: self.k, weights: Weights::Int8(weights.select(rows)) }
            }
        }
    }

    /// The product `x · Wᵀ`, plus `bias` for each feature if there is one: (rows, k) to (rows, n).
    ///
    /// # Panics
    /// If the lengths of the slices do not fit.
    pub fn matmul(&self, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let count = x.len() / self.k * self.n;
        let mut out = Vec::with_capacity(count);
        self.multiply(
            &self.prepare(x),
            0..self.n,
            bias,
            Target { out: &mut out.spare_capacity_mut()[..count], stride: self.n },
        );
        // SAFETY: the product has written every element.
        unsafe { out.set_len(count) };
        out
    }

    /// Calls `visit(first column, width, block)` for successive blocks of columns of `x · Wᵀ`,
    /// plus `bias` if there is one; a block is (rows, width). Made for the vocabulary projection,
    /// whose whole product is too large to be worth storing.
    ///
    /// # Panics
    /// If the lengths of the slices do not fit.
    pub fn matmul_blocks(
        &self,
        x: &[f32],
        bias: Option<&[f32]>,
        mut visit: impl FnMut(usize, usize, &mut [f32]),
    ) {
        /// Columns a block, whole panels: a block of a few dozen rows stays in the second cache
        /// while `visit` works on it.
        const BLOCK: usize = 256;
        let rows = x.len() / self.k;
        let prepared = self.prepare(x);
        let mut block: Vec<f32> = Vec::with_capacity(rows * BLOCK);
        for first in (0..self.n).step_by(BLOCK) {
            let width = BLOCK.min(self.n - first);
            block.clear();
            let out = &mut block.spare_capacity_mut()[..rows * width];
            self.multiply(
                &prepared,
                first..first + width,
                bias.map(|b| &b[first..first + width]),
                Target { out, stride: width },
            );
            // SAFETY: the product has written every element.
            unsafe { block.set_len(rows * width) };
            visit(first, width, &mut block);
        }
    }

    /// Lays out `x`, (rows, k), as the kernels read it.
    fn prepare(&self, x: &[f32]) -> Prepared {
        assert_eq!(x.len() % self.k, 0);
        match &self.weights {
            Weights::F32(_) => Prepared::F32(fp32::Activations::new(x, self.k)),
            Weights::Int8(weights) => {
                Prepared::Int8(int8::Activations::quantize(weights.isa(), x, self.k))
            }
        }
    }

    /// Multiplies a range of columns that begins at the border of a panel; writes every element of
    /// the target.
    fn multiply(
        &self,
        x: &Prepared,
        columns: Range<usize>,
        bias: Option<&[f32]>,
        target: Target<'_>,
    ) {
        let width = columns.len();
        assert!(bias.is_none_or(|bias| bias.len() == width) && columns.end <= self.n);
        let panels = |size: usize| columns.start / size..columns.end.div_ceil(size);
        match (x, &self.weights) {
            (Prepared::F32(x), Weights::F32(weights)) => {
                let panels = weights.panels(panels(fp32::PANEL));
                fp32::matmul(Isa::current(), x, panels, width, bias, target);
            }
            (Prepared::Int8(x), Weights::Int8(weights)) => {
                int8::matmul(x, weights.panels(panels(int8::PANEL)), width, bias, target);
            }
            _ => unreachable!("prepared by a matrix of another precision"),
        }
    }
}

/// Activations in the form that the kernels of a precision read.
enum Prepared {
    F32(fp32::Activations),
    Int8(int8::Activations),
}
