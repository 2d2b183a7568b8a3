//! Matrices that are read a few rows at a time.

use super::with_slice;
use crate::error::Result;
use crate::kernel::{self, BlockFormat, BlockRows, IntegerRows, Packed, Precision};
use candle_core::{Device, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// A weight matrix that is read a few rows at a time, from any number of threads.
pub struct MatrixReader<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Numbers in a row.
    pub width: usize,
    read: Box<ReadRows<'a>>,
    integers: Option<Integers>,
    /// Its rows as the blocks of a GGUF file, one part below the other; none where it is stored
    /// otherwise.
    blocks: Vec<BlockPart<'a>>,
}

/// Rows that are stored in blocks of one format.
#[derive(Clone)]
struct BlockPart<'a> {
    rows: BlockRows,
    read: Arc<ReadBlocks<'a>>,
}

/// A function that writes the blocks of a range of rows.
type ReadBlocks<'a> = dyn Fn(Range<usize>, &mut [u8]) -> Result<()> + Send + Sync + 'a;

/// The 8-bit integers that a matrix is stored as: every weight is one of them times a scale.
pub struct Integers {
    /// Rows that share a scale, one part below the other, with the value of one.
    parts: Vec<(Arc<[i8]>, f32)>,
    /// What a layer's inputs are multiplied with to become 8-bit integers, if the file says it.
    pub input_factor: Option<f32>,
}

impl Integers {
    /// The rows, as the kernels pack them.
    pub fn rows(&self) -> Vec<IntegerRows<'_>> {
        self.parts.iter().map(|(values, scale)| IntegerRows { values, scale: *scale }).collect()
    }
}

/// A function that writes a range of rows.
type ReadRows<'a> = dyn Fn(Range<usize>, &mut [f32]) -> Result<()> + Sync + 'a;

impl<'a> MatrixReader<'a> {
    /// A reader whose `read` writes a range of rows as f32, (rows of the range, width).
    pub fn new(
        rows: usize,
        width: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<()> + Sync + 'a,
    ) -> MatrixReader<'a> {
        MatrixReader { rows, width, read: Box::new(read), integers: None, blocks: Vec::new() }
    }

    /// A reader of a matrix of 8-bit integers, (rows, width), each times `scale`.
    ///
    /// # Errors
    /// When the integers are not whole rows.
    pub fn of_integers(
        values: impl Into<Arc<[i8]>>,
        width: usize,
        scale: f32,
    ) -> Result<MatrixReader<'a>> {
        let values: Arc<[i8]> = values.into();
        if width == 0 || !values.len().is_multiple_of(width) {
            let count = values.len();
            return Err(candle_core::Error::Msg(format!(
                "{count} integers are no rows of {width} each"
            ))
            .into());
        }
        let integers = Integers { parts: vec![(values.clone(), scale)], input_factor: None };
        let read = move |range: Range<usize>, out: &mut [f32]| {
            let integers = &values[range.start * width..range.end * width];
            out.iter_mut().zip(integers).for_each(|(out, &v)| *out = f32::from(v) * scale);
            Ok(())
        };
        let rows = integers.parts[0].0.len() / width;
        Ok(MatrixReader { integers: Some(integers), ..MatrixReader::new(rows, width, read) })
    }

    /// The matrix with the factor of its inputs; one that is stored otherwise is
    /// left as it is.
    pub fn with_input_factor(mut self, factor: Option<f32>) -> MatrixReader<'a> {
        if let Some(integers) = &mut self.integers {
            integers.input_factor = factor;
        }
        self
    }

    /// The matrix, which is stored in blocks; `read` writes those of a range of rows, one after the
    /// other.
    pub fn with_blocks(
        mut self,
        format: BlockFormat,
        read: impl Fn(Range<usize>, &mut [u8]) -> Result<()> + Send + Sync + 'a,
    ) -> MatrixReader<'a> {
        let rows = BlockRows { format, rows: self.rows };
        self.blocks = vec![BlockPart { rows, read: Arc::new(read) }];
        self
    }

    /// The matrix packed in the blocks that it is stored in; `None` where it is stored otherwise,
    /// or changed, or the kernels cannot multiply them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn pack_blocks(&self) -> Result<Option<Packed>> {
        let parts: Vec<BlockRows> = self.blocks.iter().map(|part| part.rows).collect();
        Packed::try_pack_blocks(self.width, &parts, |part, rows, out| {
            (self.blocks[part].read)(rows, out)
        })
    }

    /// The integers that the matrix is stored as, if it is.
    pub fn integers(&self) -> Option<&Integers> {
        self.integers.as_ref()
    }

    /// A reader of a matrix in main memory, (rows, width).
    ///
    /// # Errors
    /// When the tensor is no matrix.
    pub fn from_tensor(tensor: Tensor) -> Result<MatrixReader<'a>> {
        let (rows, width) = tensor.dims2()?;
        Ok(MatrixReader::new(rows, width, move |range, out| {
            let rows = tensor.narrow(0, range.start, range.len())?.contiguous()?;
            with_slice(&rows, |rows| out.copy_from_slice(rows))
        }))
    }

    /// Matrices of the same width, one below the other.
    ///
    /// # Errors
    /// When there is none, or their widths differ.
    pub fn stacked(parts: impl Into<Vec<MatrixReader<'a>>>) -> Result<MatrixReader<'a>> {
        let parts: Vec<MatrixReader<'a>> = parts.into();
        let width = parts.first().map_or(0, |part| part.width);
        if parts.is_empty() || parts.iter().any(|part| part.width != width) {
            let widths: Vec<usize> = parts.iter().map(|part| part.width).collect();
            return Err(candle_core::Error::Msg(format!(
                "expected matrices of one width; got {widths:?}"
            ))
            .into());
        }
        let rows = parts.iter().map(|part| part.rows).sum();
        let integers = stacked_integers(&parts);
        let all_in_blocks = parts.iter().all(|part| !part.blocks.is_empty());
        let blocks = parts.iter().filter(|_| all_in_blocks).flat_map(|part| part.blocks.clone());
        let blocks = blocks.collect();
        let reader = MatrixReader::new(rows, width, move |range, mut out| {
            let mut first = 0;
            for part in &parts {
                let end = first + part.rows;
                let (from, to) = (range.start.max(first), range.end.min(end));
                if from < to {
                    let (own, rest) = out.split_at_mut((to - from) * width);
                    part.read(from - first..to - first, own)?;
                    out = rest;
                }
                first = end;
            }
            Ok(())
        });
        Ok(MatrixReader { integers, blocks, ..reader })
    }

    /// The matrix of the rows of these numbers, in this order.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn reordered(self, order: Vec<usize>) -> Result<MatrixReader<'a>> {
        if let Some(row) = order.iter().find(|&&row| row >= self.rows) {
            let rows = self.rows;
            return Err(candle_core::Error::Msg(format!("row {row} of {rows}")).into());
        }
        let (order, width): (Arc<[usize]>, usize) = (order.into(), self.width.max(1));
        let part = if let [part] = &self.blocks[..] { Some(part.clone()) } else { None };
        let rows = order.clone();
        let matrix = MatrixReader::new(order.len(), self.width, move |range, out| {
            let places = rows[range].iter().zip(out.chunks_exact_mut(width));
            places.into_iter().try_for_each(|(&row, out)| self.read(row..row + 1, out))
        });
        let Some(BlockPart { rows: BlockRows { format, .. }, read }) = part else {
            return Ok(matrix);
        };
        let bytes = (width / format.width() * format.bytes()).max(1);
        Ok(matrix.with_blocks(format, move |range, out| {
            let places = order[range].iter().zip(out.chunks_exact_mut(bytes));
            places.into_iter().try_for_each(|(&row, out)| read(row..row + 1, out))
        }))
    }

    /// The matrix with its columns multiplied by (width) factors, if there are any.
    ///
    /// # Errors
    /// When there are more or fewer factors than columns.
    pub fn scale_columns(self, factors: Option<&Tensor>) -> Result<MatrixReader<'a>> {
        let Some(factors) = factors.map(|factors| numbers(factors, self.width)).transpose()? else {
            return Ok(self);
        };
        Ok(self.map_rows(move |_, row| {
            row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor)
        }))
    }

    /// The matrix with its rows divided by (rows) divisors, if there are any.
    ///
    /// # Errors
    /// When there are more or fewer divisors than rows.
    pub fn divide_rows(self, divisors: Option<&Tensor>) -> Result<MatrixReader<'a>> {
        let Some(divisors) = divisors.map(|divisors| numbers(divisors, self.rows)).transpose()?
        else {
            return Ok(self);
        };
        Ok(self.map_rows(move |i, row| row.iter_mut().for_each(|value| *value /= divisors[i])))
    }

    /// The matrix with `change(row number, row)` applied to each row.
    fn map_rows(self, change: impl Fn(usize, &mut [f32]) + Sync + 'a) -> MatrixReader<'a> {
        let (rows, width) = (self.rows, self.width);
        MatrixReader::new(rows, width, move |range, out| {
            self.read(range.clone(), out)?;
            range.zip(out.chunks_exact_mut(width.max(1))).for_each(|(i, row)| change(i, row));
            Ok(())
        })
    }

    /// The matrix plus `up · down`, a matrix of low rank: `up` is (rows, rank), `down` (rank,
    /// width).
    ///
    /// # Errors
    /// When their shapes do not fit.
    pub fn add_low_rank(self, up: &Tensor, down: &Tensor) -> Result<MatrixReader<'a>> {
        let (rank, width) = down.dims2()?;
        if up.dims() != [self.rows, rank] || width != self.width || rank == 0 {
            let (rows, own, up, down) = (self.rows, self.width, up.dims(), down.dims());
            return Err(candle_core::Error::Msg(format!(
                "a product of {up:?} and {down:?} is no ({rows}, {own})"
            ))
            .into());
        }
        let columns: Vec<f32> = down.t()?.flatten_all()?.to_vec1()?;
        let up = up.contiguous()?;
        // A kernel that gives the same bits on every machine: the last bit may decide how a weight
        // is rounded to 8 bits, and so what the model writes.
        let down = Packed::pack(Precision::F32, width, rank, |i, row| {
            row.copy_from_slice(&columns[i * rank..][..rank])
        });
        Ok(MatrixReader::new(self.rows, self.width, move |range, out| {
            self.read(range.clone(), out)?;
            with_slice(&up.narrow(0, range.start, range.len())?, |up| {
                kernel::add(out, &down.matmul(up, None))
            })
        }))
    }

    /// Writes a range of rows to `out`, (rows of the range, width).
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        (self.read)(range, out)
    }

    /// The whole matrix, (rows, width), as f32 in main memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn all(&self) -> Result<Tensor> {
        let mut values = vec![0.0; self.rows * self.width];
        self.read(0..self.rows, &mut values)?;
        Ok(Tensor::from_vec(values, (self.rows, self.width), &Device::Cpu)?)
    }
}

/// The integers of matrices, one below the other, if all are stored as such. They keep the factor
/// of their inputs where it is the same.
fn stacked_integers(parts: &[MatrixReader<'_>]) -> Option<Integers> {
    let all: Vec<&Integers> = parts.iter().map(MatrixReader::integers).collect::<Option<_>>()?;
    let factor = all.first()?.input_factor;
    Some(Integers {
        parts: all.iter().flat_map(|integers| integers.parts.iter().cloned()).collect(),
        input_factor: factor.filter(|_| all.iter().all(|one| one.input_factor == factor)),
    })
}

/// The numbers of a vector that must have `count` of them.
fn numbers(vector: &Tensor, count: usize) -> Result<Vec<f32>> {
    let numbers: Vec<f32> = vector.to_vec1()?;
    if numbers.len() != count {
        return Err(candle_core::Error::Msg(format!(
            "expected {count} factors; got {}",
            numbers.len()
        ))
        .into());
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(rows: usize, width: usize) -> Tensor {
        Tensor::randn(0f32, 1.0, (rows, width), &Device::Cpu).unwrap()
    }

    #[test]
    fn a_matrix_is_the_same_in_any_parts() {
        let (a, b) = (random(5, 3), random(4, 3));
        let (factors, divisors) = (
            random(1, 3).get(0).unwrap(),
            (random(1, 9).get(0).unwrap().sqr().unwrap() + 0.5).unwrap(),
        );
        let (up, down) = (random(9, 2), random(2, 3));
        let parts = [
            MatrixReader::from_tensor(a.clone()).unwrap(),
            MatrixReader::from_tensor(b.clone()).unwrap(),
        ];
        let matrix = MatrixReader::stacked(parts).unwrap().add_low_rank(&up, &down).unwrap();
        let matrix =
            matrix.scale_columns(Some(&factors)).unwrap().divide_rows(Some(&divisors)).unwrap();

        let whole: Vec<f32> = matrix.all().unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let sum = (Tensor::cat(&[a, b], 0).unwrap() + up.matmul(&down).unwrap()).unwrap();
        let expected = sum
            .broadcast_mul(&factors)
            .unwrap()
            .broadcast_div(&divisors.unsqueeze(1).unwrap())
            .unwrap();
        let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
        assert!(
            whole.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5),
            "{whole:?} {expected:?}"
        );
        for start in 0..9 {
            for end in start..=9 {
                let mut rows = vec![0.0; (end - start) * 3];
                matrix.read(start..end, &mut rows).unwrap();
                assert_eq!(rows, whole[start * 3..end * 3]);
            }
        }
    }

    #[test]
    fn rows_are_reordered_as_numbers_and_as_blocks() {
        let (rows, format) = (6u8, BlockFormat::Q4_0);
        // Blocks of one number throughout, their row's.
        let matrix = || {
            let values = Tensor::arange(0f32, f32::from(rows), &Device::Cpu).unwrap();
            let values = values.unsqueeze(1).unwrap().broadcast_as((usize::from(rows), 32));
            MatrixReader::from_tensor(values.unwrap().contiguous().unwrap()).unwrap().with_blocks(
                format,
                |range, out| {
                    for (row, block) in range.zip(out.chunks_exact_mut(18)) {
                        block.fill(0x88);
                        // 1.0 in half precision is 0x3c00; 8 less 8 is nothing, 9 less 8 is one.
                        block[..2].copy_from_slice(&[0, 0x3c]);
                        block[2] = 0x88 + row as u8;
                    }
                    Ok(())
                },
            )
        };
        let order = vec![4, 0, 5, 5, 1];
        let reordered = matrix().reordered(order.clone()).unwrap();
        let found: Vec<f32> = reordered.all().unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let packed = reordered.pack_blocks().unwrap().unwrap();
        let mut row = vec![0.0; 32];
        for (i, &of) in order.iter().enumerate() {
            assert!(found[i * 32..][..32].iter().all(|&value| value == of as f32));
            packed.row(i, &mut row);
            assert!(row[0] == of as f32 && row[1..].iter().all(|&value| value == 0.0));
        }
        assert!(matrix().reordered(vec![6]).is_err());
        // What changes the numbers has no blocks any longer; what is put below keeps them.
        let factors = random(1, 32).get(0).unwrap();
        let changed = matrix().scale_columns(Some(&factors)).unwrap();
        assert!(changed.pack_blocks().unwrap().is_none());
        let plain = || MatrixReader::from_tensor(random(64, 32)).unwrap();
        let mixed = MatrixReader::stacked([matrix(), plain()]).unwrap();
        assert!(mixed.pack_blocks().unwrap().is_none());
    }

    #[test]
    fn integers_are_kept_where_nothing_changes_them() {
        let matrix = |scale: f32, factor: f32| {
            MatrixReader::of_integers(vec![1i8, -2, 3, 127, -127, 0], 3, scale)
                .unwrap()
                .with_input_factor(Some(factor))
        };
        let both = MatrixReader::stacked([matrix(0.5, 9.0), matrix(0.25, 9.0)]).unwrap();
        let integers = both.integers().unwrap();
        let parts: Vec<(&[i8], f32)> =
            integers.rows().iter().map(|part| (part.values, part.scale)).collect();
        let values = &[1i8, -2, 3, 127, -127, 0][..];
        assert_eq!(
            (parts, integers.input_factor),
            (vec![(values, 0.5), (values, 0.25)], Some(9.0))
        );
        let mut rows = vec![0.0; 6];
        both.read(1..3, &mut rows).unwrap();
        assert_eq!(rows, [63.5, -63.5, 0.0, 0.25, -0.5, 0.75]);
        // Other factors, other numbers.
        let other = MatrixReader::stacked([matrix(0.5, 9.0), matrix(0.5, 8.0)]).unwrap();
        assert_eq!(other.integers().unwrap().input_factor, None);
        let floats = MatrixReader::from_tensor(random(1, 3)).unwrap();
        assert!(MatrixReader::stacked([matrix(0.5, 9.0), floats]).unwrap().integers().is_none());
        let factors = random(1, 3).get(0).unwrap();
        assert!(matrix(0.5, 9.0).scale_columns(Some(&factors)).unwrap().integers().is_none());
        assert!(MatrixReader::of_integers(vec![1i8; 5], 3, 1.0).is_err());
    }

    #[test]
    fn what_does_not_fit_a_matrix_is_refused() {
        let matrix = || MatrixReader::from_tensor(random(4, 3)).unwrap();
        assert!(
            MatrixReader::stacked([]).is_err()
                && MatrixReader::stacked([
                    matrix(),
                    MatrixReader::from_tensor(random(4, 2)).unwrap()
                ])
                .is_err()
        );
        let vector = |count| random(1, count).get(0).unwrap();
        assert!(
            matrix().scale_columns(Some(&vector(4))).is_err()
                && matrix().divide_rows(Some(&vector(3))).is_err()
        );
        for (up, down) in [((4, 2), (1, 3)), ((3, 2), (2, 3)), ((4, 2), (2, 4))] {
            assert!(matrix().add_low_rank(&random(up.0, up.1), &random(down.0, down.1)).is_err());
        }
    }
}
