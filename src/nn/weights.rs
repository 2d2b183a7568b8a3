//! Where layers get their weights from.

use super::with_slice;
use crate::error::{Error, Result};
use crate::kernel::{self, Packed, Precision};
use candle_core::quantized::gguf_file::Value;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// A model's configuration, as its files state it.
pub enum Config {
    /// The metadata of a GGUF file.
    Gguf(HashMap<String, Value>),
    /// A `config.json` in the Hub's layout.
    Json(serde_json::Value),
}

impl Config {
    /// An entry of a `config.json`.
    pub fn json(&self, key: &str) -> Option<&serde_json::Value> {
        match self {
            Config::Json(config) => config.get(key),
            Config::Gguf(_) => None,
        }
    }

    /// A text in a GGUF file's metadata.
    pub fn gguf_str(&self, key: &str) -> Option<String> {
        match self {
            Config::Gguf(meta) => meta.get(key)?.to_string().ok().cloned(),
            Config::Json(_) => None,
        }
    }

    /// A whole number in a GGUF file's metadata, by its key below the name of the architecture.
    pub fn gguf_number(&self, key: &str) -> Option<u64> {
        let Config::Gguf(meta) = self else { return None };
        let value = meta.get(&format!("{}.{key}", self.gguf_str("general.architecture")?))?;
        value.to_u32().map(u64::from).or_else(|_| value.to_u64()).ok()
    }
}

/// A model's named weights, wherever they are stored.
pub trait Weights: Send + Sync {
    /// The model's name or path, for messages.
    fn model(&self) -> &str;

    /// Whether there is a weight of that name.
    fn has(&self, name: &str) -> bool;

    /// The names of all weights, in order, so that missing and unused ones can be listed.
    fn names(&self) -> Vec<String>;

    /// A weight as f32 in main memory, dequantized if need be.
    ///
    /// # Errors
    /// When there is none of that name, or its data cannot be read.
    fn get(&self, name: &str) -> Result<Tensor>;

    /// A weight that must be a table of rows of this width, however many; it is read once.
    fn get_rows(&self, name: &str, width: usize) -> Result<Tensor> {
        let tensor = self.get(name)?;
        let rows = tensor.dims().first().copied().unwrap_or(0);
        self.check_shape(name, tensor.dims(), &[rows, width])?;
        Ok(tensor)
    }

    /// The same, to be read a few rows at a time: as f32, and all at once, weights take more memory
    /// than the model that is made of them, and more time to get it than to read them.
    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        MatrixReader::of(self.get_rows(name, width)?)
    }

    /// The same of a table that must have so many rows: a matrix for `width` inputs.
    fn get_matrix(&self, name: &str, rows: usize, width: usize) -> Result<MatrixReader<'_>> {
        let table = self.get_rows_reader(name, width)?;
        self.check_shape(name, &[table.rows, table.width], &[rows, width])?;
        Ok(table)
    }

    /// A weight that must have this shape.
    fn get_shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.get(name)?;
        self.check_shape(name, tensor.dims(), shape)?;
        Ok(tensor)
    }

    /// What the inputs of a weight matrix, so many, are divided by before they are rounded to 8
    /// bits, while its columns are multiplied with the same: channels that are larger than others
    /// leave these less of the scale that they share (Xiao et al. 2023, SmoothQuant). (inputs), all
    /// above 0; `None` where nobody measured the inputs.
    ///
    /// # Errors
    /// When it was measured on another number of inputs.
    fn smoothing(&self, _name: &str, _inputs: usize) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// An error unless a weight has this shape.
    fn check_shape(&self, name: &str, found: &[usize], shape: &[usize]) -> Result<()> {
        if found == shape {
            return Ok(());
        }
        Err(Error::model(
            self.model(),
            format!(
                "weight {name} should have the shape {shape:?} and has {found:?}; the file does not fit its configuration"
            ),
        ))
    }
}

/// A weight that is a table of rows, of which some are read at a time, from several threads.
pub struct MatrixReader<'a> {
    /// Rows.
    pub rows: usize,
    /// Numbers of a row.
    pub width: usize,
    read: Box<ReadRows<'a>>,
}

/// Writes the rows of a range.
type ReadRows<'a> = dyn Fn(Range<usize>, &mut [f32]) -> Result<()> + Sync + 'a;

impl<'a> MatrixReader<'a> {
    /// A table whose rows `read` writes as f32, (rows of the range, width).
    pub fn new(
        rows: usize,
        width: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<()> + Sync + 'a,
    ) -> MatrixReader<'a> {
        MatrixReader { rows, width, read: Box::new(read) }
    }

    /// A table that is in memory, (rows, width).
    pub fn of(tensor: Tensor) -> Result<MatrixReader<'a>> {
        let (rows, width) = tensor.dims2()?;
        Ok(MatrixReader::new(rows, width, move |range, out| {
            let rows = tensor.narrow(0, range.start, range.len())?.contiguous()?;
            with_slice(&rows, |rows| out.copy_from_slice(rows))
        }))
    }

    /// Tables of the same width, one below the other.
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
        Ok(MatrixReader::new(rows, width, move |range, mut out| {
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
        }))
    }

    /// The table with its columns multiplied with (width) factors, if there are any.
    pub fn times(self, factors: Option<&Tensor>) -> Result<MatrixReader<'a>> {
        let Some(factors) = factors.map(|factors| numbers(factors, self.width)).transpose()? else {
            return Ok(self);
        };
        Ok(self.changed(move |_, row| {
            row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor)
        }))
    }

    /// The table with each row divided by one of (rows) divisors, if there are any.
    pub fn over(self, divisors: Option<&Tensor>) -> Result<MatrixReader<'a>> {
        let Some(divisors) = divisors.map(|divisors| numbers(divisors, self.rows)).transpose()?
        else {
            return Ok(self);
        };
        Ok(self.changed(move |i, row| row.iter_mut().for_each(|value| *value /= divisors[i])))
    }

    /// The table with each row changed, by its number.
    fn changed(self, change: impl Fn(usize, &mut [f32]) + Sync + 'a) -> MatrixReader<'a> {
        let (rows, width) = (self.rows, self.width);
        MatrixReader::new(rows, width, move |range, out| {
            self.read(range.clone(), out)?;
            range.zip(out.chunks_exact_mut(width.max(1))).for_each(|(i, row)| change(i, row));
            Ok(())
        })
    }

    /// The table with a matrix of low rank added to it: `up`, (rows, rank), times `down`, (rank,
    /// width).
    ///
    /// # Errors
    /// When their shapes do not fit.
    pub fn plus(self, up: &Tensor, down: &Tensor) -> Result<MatrixReader<'a>> {
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
        // By a kernel that gives the same on every machine: 8-bit weights, and what is written with
        // them, may hang by the last bit.
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

    /// Writes some of its rows, (rows of the range, width).
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        (self.read)(range, out)
    }

    /// All of it, (rows, width), as f32 in main memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn all(&self) -> Result<Tensor> {
        let mut values = vec![0.0; self.rows * self.width];
        self.read(0..self.rows, &mut values)?;
        Ok(Tensor::from_vec(values, (self.rows, self.width), &Device::Cpu)?)
    }
}

/// A vector of so many numbers.
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

/// Weights that remember which of them were asked for.
pub struct TrackedWeights<'a> {
    weights: &'a dyn Weights,
    asked: Mutex<BTreeSet<String>>,
}

impl<'a> TrackedWeights<'a> {
    /// None was asked for yet.
    pub fn new(weights: &'a dyn Weights) -> TrackedWeights<'a> {
        TrackedWeights { weights, asked: Mutex::default() }
    }

    /// The names that are there and that nobody read or asked after, in order.
    pub fn unasked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.weights.names().into_iter().filter(|name| !asked.contains(name)).collect()
    }

    fn note(&self, name: &str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_string());
    }
}

impl Weights for TrackedWeights<'_> {
    fn model(&self) -> &str {
        self.weights.model()
    }

    fn has(&self, name: &str) -> bool {
        self.note(name);
        self.weights.has(name)
    }

    fn names(&self) -> Vec<String> {
        self.weights.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        self.note(name);
        self.weights.get(name)
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        self.note(name);
        self.weights.get_rows_reader(name, width)
    }

    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        self.weights.smoothing(name, inputs)
    }
}

/// Where and how a model computes.
#[derive(Clone, Debug)]
pub struct Backend {
    /// CPU, CUDA or Metal.
    pub device: Device,
    /// Precision of the weights.
    pub precision: Precision,
    /// Whether candle's operations compute, and not the kernels of the CPU.
    pub candle: bool,
}

impl Backend {
    /// With the kernels on the CPU, and candle elsewhere.
    pub const fn new(device: Device, precision: Precision) -> Backend {
        let candle = !matches!(device, Device::Cpu);
        Backend { device, precision, candle }
    }

    /// The numbers in which candle computes.
    pub fn dtype(&self) -> DType {
        match self.precision {
            Precision::F16 if self.candle => DType::F16,
            // There are no products of 8-bit integers.
            Precision::Bf16 | Precision::Int8 if self.candle => DType::BF16,
            _ => DType::F32,
        }
    }

    /// Whether inputs and weights of layers are rounded to 8 bits.
    pub fn rounds(&self) -> bool {
        self.precision == Precision::Int8 && !self.candle
    }

    /// A weight, as f32 in main memory, where the model computes.
    pub fn place(&self, weight: &Tensor) -> Result<Tensor> {
        Ok(weight.to_dtype(self.dtype())?.to_device(&self.device)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(rows: usize, width: usize) -> Tensor {
        Tensor::randn(0f32, 1.0, (rows, width), &Device::Cpu).unwrap()
    }

    #[test]
    fn a_table_is_the_same_in_any_parts() {
        let (a, b) = (random(5, 3), random(4, 3));
        let (factors, divisors) = (
            random(1, 3).get(0).unwrap(),
            (random(1, 9).get(0).unwrap().sqr().unwrap() + 0.5).unwrap(),
        );
        let (up, down) = (random(9, 2), random(2, 3));
        let parts = [MatrixReader::of(a.clone()).unwrap(), MatrixReader::of(b.clone()).unwrap()];
        let table = MatrixReader::stacked(parts).unwrap().plus(&up, &down).unwrap();
        let table = table.times(Some(&factors)).unwrap().over(Some(&divisors)).unwrap();

        let whole: Vec<f32> = table.all().unwrap().flatten_all().unwrap().to_vec1().unwrap();
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
                table.read(start..end, &mut rows).unwrap();
                assert_eq!(rows, whole[start * 3..end * 3]);
            }
        }
    }

    #[test]
    fn what_does_not_fit_a_table_is_refused() {
        let table = || MatrixReader::of(random(4, 3)).unwrap();
        assert!(
            MatrixReader::stacked([]).is_err()
                && MatrixReader::stacked([table(), MatrixReader::of(random(4, 2)).unwrap()])
                    .is_err()
        );
        let vector = |count| random(1, count).get(0).unwrap();
        assert!(
            table().times(Some(&vector(4))).is_err() && table().over(Some(&vector(3))).is_err()
        );
        for (up, down) in [((4, 2), (1, 3)), ((3, 2), (2, 3)), ((4, 2), (2, 4))] {
            assert!(table().plus(&random(up.0, up.1), &random(down.0, down.1)).is_err());
        }
    }
}
