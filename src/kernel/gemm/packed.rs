//! Weight matrices, packed once at load for the kernels of their precision.

use super::blocks::BlockFormat;
use super::precision::Precision;
use super::target::Target;
use super::{blocks, fp32, int8};
use crate::kernel::share;
use crate::kernel::simd::{Aligned, Isa};
use rayon::prelude::*;
use std::convert::Infallible;
use std::mem::MaybeUninit;
use std::ops::Range;

enum Weights {
    F32(fp32::Weights),
    /// With the factor that all inputs are multiplied with to become integers, if it is fixed.
    Int8(int8::Weights, Option<f32>),
    /// Rows of blocks of several formats, one part below the other.
    Blocks(Vec<BlockPart>),
}

/// Rows of blocks of one format.
struct BlockPart {
    /// The first of its rows, and the one after its last. It begins with a panel.
    rows: Range<usize>,
    weights: blocks::Weights,
}

/// Rows of a matrix that are in blocks, as a GGUF file has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRows {
    /// The format of the blocks.
    pub format: BlockFormat,
    /// Number of rows.
    pub rows: usize,
}

/// Rows of a matrix that are 8-bit integers as they are.
#[derive(Clone, Copy)]
pub struct IntegerRows<'a> {
    /// (rows, k)
    pub values: &'a [i8],
    /// What an integer is multiplied with.
    pub scale: f32,
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
            Precision::Int8 | Precision::Int8Static | Precision::Int4 => {
                let mut weights = int8::Weights::zeros(Isa::current(), n, k);
                let blocks = weights.blocks(BLOCK).enumerate();
                blocks.try_for_each_init(Vec::new, |buffer, (number, mut block)| {
                    read(number, buffer).map(|()| block.fill(buffer, k))
                })?;
                Weights::Int8(weights, None)
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

    /// Packs rows of `k` integers each, one part below the other, as they are. With an
    /// `input_factor`, inputs become integers when they are multiplied with it; else each row of
    /// inputs gets the scale that its largest needs.
    ///
    /// # Panics
    /// If a part is not whole rows.
    pub fn pack_integers(k: usize, parts: &[IntegerRows<'_>], input_factor: Option<f32>) -> Packed {
        assert!(k > 0 && parts.iter().all(|part| part.values.len().is_multiple_of(k)));
        let rows: Vec<(&[i8], f32)> = parts
            .iter()
            .flat_map(|part| part.values.chunks_exact(k).map(|row| (row, part.scale)))
            .collect();
        let mut weights = int8::Weights::zeros_of_rows(Isa::current(), rows.len(), k);
        weights.blocks(int8::PANEL).zip(rows.par_chunks(int8::PANEL)).for_each(
            |(mut block, rows)| {
                for (i, &(row, scale)) in rows.iter().enumerate() {
                    block.fill_integers(i, row, scale);
                }
            },
        );
        Packed { n: rows.len(), k, weights: Weights::Int8(weights, input_factor) }
    }

    /// Packs rows of `k` weights that are in blocks, one part below the other, a few rows at a
    /// time; `read(part, rows of the part, buffer)` writes the blocks of these rows, one after the
    /// other, as a file has them. `None` where the kernels cannot multiply them as they are.
    ///
    /// # Errors
    /// The error of `read`, for one of the ranges for which it failed.
    pub fn try_pack_blocks<E: Send>(
        k: usize,
        parts: &[BlockRows],
        read: impl Fn(usize, Range<usize>, &mut [u8]) -> Result<(), E> + Sync,
    ) -> Result<Option<Packed>, E> {
        let fits = |part: &BlockRows| k > 0 && k.is_multiple_of(part.format.width());
        let [.., last] = parts else { return Ok(None) };
        let mut rows = 0;
        let borders: Vec<usize> = parts.iter().map(|part| (rows, rows += part.rows).0).collect();
        let is_border = |row: &usize| row.is_multiple_of(blocks::PANEL);
        if !parts.iter().all(fits) || !borders.iter().all(is_border) || last.rows == 0 {
            return Ok(None);
        }
        let mut packed = Vec::with_capacity(parts.len());
        for (number, (part, &first)) in parts.iter().zip(&borders).enumerate() {
            let mut weights = blocks::Weights::zeros(part.format, part.rows, k);
            let row = k / part.format.width() * part.format.bytes();
            weights.panels_mut().enumerate().try_for_each_init(
                Vec::new,
                |buffer, (panel, mut target)| {
                    let start = panel * blocks::PANEL;
                    let range = start..(start + blocks::PANEL).min(part.rows);
                    buffer.resize(range.len() * row, 0);
                    read(number, range, buffer).map(|()| target.fill(buffer))
                },
            )?;
            packed.push(BlockPart { rows: first..first + part.rows, weights });
        }
        Ok(Some(Packed { n: rows, k, weights: Weights::Blocks(packed) }))
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
            Weights::Int8(weights, _) => weights.row(i, out),
            Weights::F32(weights) => weights.row(i, out),
            Weights::Blocks(parts) => {
                let part = parts.iter().find(|part| part.rows.contains(&i));
                part.into_iter().for_each(|part| part.weights.row(i - part.rows.start, out));
            }
        }
    }

    /// A matrix of some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row, or the rows are in blocks of several formats.
    pub fn select(&self, rows: &[u32]) -> Packed {
        let mut selected = self.zeros_like(rows.len());
        rows.iter().enumerate().for_each(|(to, &from)| selected.copy_row(to, self, from as usize));
        selected
    }

    /// A matrix of `n` rows of zeros, for [`Packed::copy_row`] to write over.
    ///
    /// # Panics
    /// If the rows are in blocks of several formats.
    pub fn zeros_like(&self, n: usize) -> Packed {
        let weights = match &self.weights {
            Weights::F32(_) => Weights::F32(fp32::Weights::zeros(n, self.k)),
            Weights::Int8(weights, factor) => Weights::Int8(weights.zeros_like(n), *factor),
            Weights::Blocks(parts) => {
                let [part] = &parts[..] else { unreachable!("rows of several formats") };
                let weights = part.weights.zeros_like(n);
                Weights::Blocks(vec![BlockPart { rows: 0..n, weights }])
            }
        };
        Packed { n, k: self.k, weights }
    }

    /// Copies row `from` of `all`, a matrix of the same kind, to row `to`, as it is.
    ///
    /// # Panics
    /// If there is no such row, or the matrices are of different kinds.
    pub fn copy_row(&mut self, to: usize, all: &Packed, from: usize) {
        assert!(to < self.n && from < all.n && self.k == all.k);
        match (&mut self.weights, &all.weights) {
            (Weights::F32(own), Weights::F32(all)) => own.copy_row(to, all, from),
            (Weights::Int8(own, _), Weights::Int8(all, _)) => own.copy_row(to, all, from),
            (Weights::Blocks(own), Weights::Blocks(all)) => match (&mut own[..], &all[..]) {
                ([own], [all]) if own.weights.format() == all.weights.format() => {
                    own.weights.copy_row(to, &all.weights, from);
                }
                _ => unreachable!("rows of another format, or of several"),
            },
            _ => unreachable!("rows of another precision"),
        }
    }

    /// The product `x · Wᵀ`, plus `bias` for each feature if there is one: (rows, k) to (rows, n).
    ///
    /// # Panics
    /// If the lengths of the slices do not fit.
    pub fn matmul(&self, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        self.matmul_first(self.n, x, bias)
    }

    /// The product with the first `n` rows alone, see [`Packed::matmul`].
    ///
    /// # Panics
    /// If there are not so many, or the lengths of the slices do not fit.
    pub fn matmul_first(&self, n: usize, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let count = x.len() / self.k * n;
        let mut out = Vec::with_capacity(count);
        let target = Target { out: &mut out.spare_capacity_mut()[..count], stride: n };
        self.multiply_shared(&self.prepare(x), 0..n, bias, target);
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
        /// Numbers of a block where threads share its product: so many are worth waking them for.
        const SHARED: usize = 1 << 15;
        let rows = x.len() / self.k;
        let size = match share::threads() {
            1 => BLOCK,
            _ => (SHARED / rows.max(1)).next_multiple_of(BLOCK).max(BLOCK),
        };
        let prepared = self.prepare(x);
        let mut block = Aligned::zeros(rows * size.min(self.n));
        let mut part = Vec::new();
        for first in (0..self.n).step_by(size) {
            let columns = first..(first + size).min(self.n);
            let width = columns.len();
            let block = &mut block[..rows * width];
            let bias = bias.map(|bias| &bias[columns.clone()]);
            let target = Target { out: as_uninit(block), stride: width };
            self.multiply_shared(&prepared, columns, bias, target);
            if width <= BLOCK {
                visit(first, width, block);
                continue;
            }
            // What is summed block by block must not depend on who helps.
            for start in (0..width).step_by(BLOCK) {
                let columns = start..(start + BLOCK).min(width);
                part.clear();
                for row in block.chunks_exact(width) {
                    part.extend_from_slice(&row[columns.clone()]);
                }
                visit(first + start, columns.len(), &mut part);
            }
        }
    }

    /// Lays out `x`, (rows, k), as the kernels read it.
    fn prepare(&self, x: &[f32]) -> Prepared {
        assert_eq!(x.len() % self.k, 0);
        match &self.weights {
            Weights::F32(_) => Prepared::F32(fp32::Activations::new(x, self.k)),
            Weights::Int8(weights, factor) => {
                let (isa, group) = (weights.isa(), weights.group());
                Prepared::Int8(int8::Activations::quantize(isa, x, self.k, group, *factor))
            }
            Weights::Blocks(_) => {
                Prepared::Blocks(blocks::Activations::quantize(Isa::current(), x, self.k))
            }
        }
    }

    /// Multiplies as [`Packed::multiply`], with the threads that this one may have help of.
    fn multiply_shared(
        &self,
        x: &Prepared,
        columns: Range<usize>,
        bias: Option<&[f32]>,
        target: Target<'_>,
    ) {
        /// Columns that a thread takes at least a multiple of: whole panels of any kind.
        const UNIT: usize = 64;
        /// Multiplications that are worth waking a thread for.
        const WORTH: usize = 1 << 20;
        let rows = target.out.len() / target.stride.max(1);
        let units = columns.len().div_ceil(UNIT);
        let threads = (rows * columns.len() * self.k / WORTH).clamp(1, share::threads()).min(units);
        if threads < 2 {
            return self.multiply(x, columns, bias, target);
        }
        let border = |part: usize| (part * units / threads * UNIT).min(columns.len());
        let Target { out, stride } = target;
        let (first, start) = (border(1), columns.start);
        let mut others: Vec<(Range<usize>, Vec<f32>)> = (1..threads)
            .map(|part| border(part)..border(part + 1))
            .map(|range| (range.clone(), Vec::with_capacity(rows * range.len())))
            .collect();
        let part_of_bias = |range: Range<usize>| bias.map(|bias| &bias[range]);
        share::together(
            || {
                let out = &mut out[..(rows - 1) * stride + first];
                let target = Target { out, stride };
                self.multiply(x, start..start + first, part_of_bias(0..first), target);
            },
            &mut others,
            |(range, own)| {
                let count = rows * range.len();
                let target =
                    Target { out: &mut own.spare_capacity_mut()[..count], stride: range.len() };
                let columns = start + range.start..start + range.end;
                self.multiply(x, columns, part_of_bias(range.clone()), target);
                // SAFETY: the product has written every element.
                unsafe { own.set_len(count) };
            },
        );
        for (range, own) in &others {
            let rows = out.chunks_mut(stride).zip(own.chunks_exact(range.len()));
            for (out, own) in rows {
                let places = out[range.clone()].iter_mut().zip(own);
                places.for_each(|(place, value)| _ = place.write(*value));
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
            (Prepared::Int8(x), Weights::Int8(weights, _)) => {
                int8::matmul(x, weights.panels(panels(int8::PANEL)), width, bias, target);
            }
            (Prepared::Blocks(x), Weights::Blocks(parts)) => {
                let Target { out, stride } = target;
                for part in parts {
                    let from = part.rows.start.max(columns.start);
                    let to = part.rows.end.min(columns.end);
                    if from >= to {
                        continue;
                    }
                    let bias = bias.map(|b| &b[from - columns.start..to - columns.start]);
                    let out = &mut out[from - columns.start..];
                    let weights = part.weights.panels(from - part.rows.start..to - part.rows.start);
                    blocks::matmul(x, weights, to - from, bias, Target { out, stride });
                }
            }
            _ => unreachable!("prepared by a matrix of another precision"),
        }
    }
}

/// Numbers as places to write to. Nothing takes any of them away.
fn as_uninit(values: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    let length = values.len();
    // SAFETY: the same memory, of the same layout, for as long; products write numbers only.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), length) }
}

/// Activations in the form that the kernels of a precision read.
enum Prepared {
    F32(fp32::Activations),
    Int8(int8::Activations),
    Blocks(blocks::Activations),
}
