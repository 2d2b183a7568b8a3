//! Where layers get their weights from.

use crate::error::{Error, Result};
use crate::kernel::Precision;
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

    /// The same, to be read a few rows at a time. The tables of vocabularies are large: as f32, and all at once, they would take more memory
    /// than the rest of the model.
    fn get_table(&self, name: &str, width: usize) -> Result<Table<'_>> {
        Table::of(self.get_rows(name, width)?)
    }

    /// A weight that must have this shape.
    fn get_shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.get(name)?;
        self.check_shape(name, tensor.dims(), shape)?;
        Ok(tensor)
    }

    /// What the inputs of a weight matrix, so many, are divided by before they are rounded to 8 bits, while its columns are multiplied with the
    /// same: channels that are larger than others leave these less of the scale that they share (Xiao et al. 2023, SmoothQuant). (inputs),
    /// all above 0; `None` where nobody measured the inputs.
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
            format!("weight {name} should have the shape {shape:?} and has {found:?}; the file does not fit its configuration"),
        ))
    }
}

/// A weight that is a table of rows, of which some are read at a time, from several threads.
pub struct Table<'a> {
    /// Rows.
    pub rows: usize,
    /// Numbers of a row.
    pub width: usize,
    read: Box<dyn Fn(Range<usize>) -> Result<Tensor> + Sync + 'a>,
}

impl<'a> Table<'a> {
    /// A table whose rows `read` gives, as f32 in main memory: (rows of the range, width).
    pub fn new(rows: usize, width: usize, read: impl Fn(Range<usize>) -> Result<Tensor> + Sync + 'a) -> Table<'a> {
        Table { rows, width, read: Box::new(read) }
    }

    /// A table that is in memory, (rows, width).
    pub fn of(tensor: Tensor) -> Result<Table<'a>> {
        let (rows, width) = tensor.dims2()?;
        Ok(Table::new(rows, width, move |range| Ok(tensor.narrow(0, range.start, range.len())?)))
    }

    /// The table with its columns multiplied with (width) factors, if there are any.
    pub fn times(self, factors: Option<&Tensor>) -> Table<'a> {
        let Some(factors) = factors.cloned() else { return self };
        Table::new(self.rows, self.width, move |range| columns_times(&self.read(range)?, &factors))
    }

    /// Some of its rows, (rows of the range, width), as f32 in main memory.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, range: Range<usize>) -> Result<Tensor> {
        (self.read)(range)
    }
}

/// A matrix in main memory with its columns multiplied with factors, as many. Weights are large, and candle's own product looks up where each
/// factor is.
pub fn columns_times(matrix: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let factors: Vec<f32> = factors.to_vec1()?;
    let (rows, width) = matrix.dims2()?;
    let mut values: Vec<f32> = matrix.flatten_all()?.to_vec1()?;
    for row in values.chunks_exact_mut(width.max(1)) {
        row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor);
    }
    Ok(Tensor::from_vec(values, (rows, width), matrix.device())?)
}

/// Weights that remember which of them were asked for.
pub struct Watched<'a> {
    weights: &'a dyn Weights,
    asked: Mutex<BTreeSet<String>>,
}

impl<'a> Watched<'a> {
    /// None was asked for yet.
    pub fn new(weights: &'a dyn Weights) -> Watched<'a> {
        Watched { weights, asked: Mutex::default() }
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

impl Weights for Watched<'_> {
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

    fn get_table(&self, name: &str, width: usize) -> Result<Table<'_>> {
        self.note(name);
        self.weights.get_table(name, width)
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
