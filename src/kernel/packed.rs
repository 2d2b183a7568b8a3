//! Weight matrices, packed once at load for the kernels.

use super::Isa;
use super::matmul_f32::{self, PANEL};
use super::matmul_i8::{self, Activations};

/// How weights are stored and multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32-bit floats: the reference.
    F32,
    /// 8-bit integers, a scale per 64 weights; activations are quantized the same way on the fly.
    Int8,
}

enum Weights {
    /// (panels, k, PANEL)
    F32(Vec<f32>),
    Int8(matmul_i8::Weights),
}

/// A weight matrix of `n` output features and `k` input features, in panels.
pub struct Packed {
    n: usize,
    k: usize,
    weights: Weights,
}

impl Packed {
    /// Packs `n` rows of `k` weights each; `row(i, buffer)` fills in row `i`.
    pub fn pack(precision: Precision, n: usize, k: usize, mut row: impl FnMut(usize, &mut [f32])) -> Packed {
        let weights = match precision {
            Precision::Int8 => Weights::Int8(matmul_i8::Weights::pack(Isa::current(), n, k, row)),
            Precision::F32 => {
                let mut values = vec![0.0; n.div_ceil(PANEL) * k * PANEL];
                let mut buffer = vec![0.0; k];
                for i in 0..n {
                    row(i, &mut buffer);
                    let base = i / PANEL * k * PANEL + i % PANEL;
                    for (p, &v) in buffer.iter().enumerate() {
                        values[base + p * PANEL] = v;
                    }
                }
                Weights::F32(values)
            }
        };
        Packed { n, k, weights }
    }

    /// Output features.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Input features.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Row `i` as f32 (what an embedding that shares its weights with the output layer looks up).
    ///
    /// # Panics
    /// If `i` is not below [`Packed::n`] or `out` is not [`Packed::k`] long.
    pub fn row(&self, i: usize, out: &mut [f32]) {
        assert!(i < self.n && out.len() == self.k);
        match &self.weights {
            Weights::Int8(weights) => weights.row(i, out),
            Weights::F32(values) => {
                let base = i / PANEL * self.k * PANEL + i % PANEL;
                for (p, out) in out.iter_mut().enumerate() {
                    *out = values[base + p * PANEL];
                }
            }
        }
    }

    /// A matrix of some of the rows, in the order given.
    pub fn select(&self, rows: &[u32]) -> Packed {
        let precision = match self.weights {
            Weights::F32(_) => Precision::F32,
            Weights::Int8(_) => Precision::Int8,
        };
        Packed::pack(precision, rows.len(), self.k, |i, out| self.row(rows[i] as usize, out))
    }

    /// `x · Wᵀ`: (rows, k) to (rows, n).
    ///
    /// # Panics
    /// If the lengths of the slices do not fit.
    pub fn matmul(&self, x: &[f32], out: &mut [f32]) {
        self.prepare(x).matmul(self, out);
    }

    /// Makes `x`, (rows, k), ready to be multiplied; worth keeping where several products read the same input.
    pub fn prepare<'a>(&self, x: &'a [f32]) -> Prepared<'a> {
        assert_eq!(x.len() % self.k, 0);
        match &self.weights {
            Weights::F32(_) => Prepared::F32(x),
            Weights::Int8(weights) => Prepared::Int8(Activations::quantize(weights.isa(), x, self.k)),
        }
    }

    /// Calls `visit(first column, width, block)` for successive blocks of columns of `x · Wᵀ`; a block is (rows, width).
    /// Made for the vocabulary projection, whose whole product is too large to be worth storing.
    pub fn matmul_blocks(&self, x: &[f32], mut visit: impl FnMut(usize, usize, &mut [f32])) {
        /// Columns a block, whole panels.
        const BLOCK: usize = 64 * PANEL;
        let rows = x.len() / self.k;
        let prepared = self.prepare(x);
        let mut block = vec![0.0; rows * BLOCK];
        for first in (0..self.n).step_by(BLOCK) {
            let width = BLOCK.min(self.n - first);
            let block = &mut block[..rows * width];
            prepared.matmul_range(self, first, width, block);
            visit(first, width, block);
        }
    }
}

/// Activations in the form that the kernels read.
pub enum Prepared<'a> {
    /// As they are.
    F32(&'a [f32]),
    /// Quantized.
    #[allow(private_interfaces)]
    Int8(Activations),
}

impl Prepared<'_> {
    /// The product with a matrix of the same precision and `k` as the one that prepared it.
    pub fn matmul(&self, matrix: &Packed, out: &mut [f32]) {
        self.matmul_range(matrix, 0, matrix.n, out);
    }

    /// Columns `first..first + width`, `first` at the border of a panel.
    fn matmul_range(&self, matrix: &Packed, first: usize, width: usize, out: &mut [f32]) {
        let panels = first / PANEL..(first + width).div_ceil(PANEL);
        match (self, &matrix.weights) {
            (Prepared::F32(x), Weights::F32(values)) => {
                let size = matrix.k * PANEL;
                matmul_f32::matmul(Isa::current(), x, matrix.k, &values[panels.start * size..panels.end * size], width, out);
            }
            (Prepared::Int8(x), Weights::Int8(weights)) => {
                matmul_i8::matmul(x, weights.panels(panels), width, out);
            }
            _ => unreachable!("prepared by a matrix of another precision"),
        }
    }
}
