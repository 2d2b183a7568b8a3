//! The weights of a checkpoint, by their names.

use super::MatrixReader;
use crate::error::{Error, Result};
use crate::kernel::Precision;
use candle_core::Tensor;

/// How much the weights of a model are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The numbers in all of them.
    pub numbers: u64,
    /// Bytes that they take where they are stored.
    pub stored: u64,
}

impl Amount {
    /// Bytes of main memory that a model takes which is made of them for the kernels of the CPU.
    pub fn in_precision(self, precision: Precision) -> u64 {
        match precision {
            // Their blocks are laid out anew, and what is not in blocks is in 8 bits.
            Precision::Int4 => self.stored.saturating_add(self.stored / 8),
            // Scales, and what is not quantized.
            Precision::Int8 | Precision::Int8Static => {
                self.numbers.saturating_add(self.numbers / 16)
            }
            Precision::F16 | Precision::Bf16 => self.numbers.saturating_mul(2),
            Precision::F32 => self.numbers.saturating_mul(4),
        }
    }
}

/// The named weights of a model, wherever they are stored.
pub trait Weights: Send + Sync {
    /// The model's name or path, for messages.
    fn model(&self) -> &str;

    /// Whether there is a weight of that name.
    fn has(&self, name: &str) -> bool;

    /// The names of all weights, in order: messages list missing and unused ones.
    fn names(&self) -> Vec<String>;

    /// How much all of them are; nothing where that is not known before they are read.
    fn amount(&self) -> Amount {
        Amount::default()
    }

    /// A weight as f32 in main memory, dequantized if it is stored quantized.
    ///
    /// # Errors
    /// When there is none of that name, or its data cannot be read.
    fn get(&self, name: &str) -> Result<Tensor>;

    /// A matrix that is stored as 8-bit integers with one scale, as they lie in the file; `None`
    /// for other weights. It may be the transpose of what [`Weights::get`] gives.
    ///
    /// # Errors
    /// When its data cannot be read.
    fn get_integers(&self, _name: &str) -> Result<Option<MatrixReader<'_>>> {
        Ok(None)
    }

    /// Whether most of the weights are stored in blocks that the kernels multiply as they are
    /// ([`Precision::Int4`](crate::kernel::Precision::Int4)).
    fn is_in_blocks(&self) -> bool {
        false
    }

    /// A weight that must be a matrix of any number of rows of this width; it is read once.
    fn get_rows(&self, name: &str, width: usize) -> Result<Tensor> {
        let tensor = self.get(name)?;
        let rows = tensor.dims().first().copied().unwrap_or(0);
        self.check_shape(name, tensor.dims(), &[rows, width])?;
        Ok(tensor)
    }

    /// A reader of a matrix of any number of rows of this width. Read all at once, as f32, weights
    /// would take more memory than the model made of them, and allocating it more time than reading
    /// them.
    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        MatrixReader::from_tensor(self.get_rows(name, width)?)
    }

    /// A reader of a matrix that must be (rows, width).
    fn get_matrix(&self, name: &str, rows: usize, width: usize) -> Result<MatrixReader<'_>> {
        let matrix = self.get_rows_reader(name, width)?;
        self.check_shape(name, &[matrix.rows, matrix.width], &[rows, width])?;
        Ok(matrix)
    }

    /// A weight that must have this shape.
    fn get_shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.get(name)?;
        self.check_shape(name, tensor.dims(), shape)?;
        Ok(tensor)
    }

    /// The SmoothQuant factors of a weight matrix (Xiao et al. 2023): its inputs are divided by
    /// them before they are rounded to 8 bits, and its columns multiplied by them. Channels with
    /// large values would otherwise leave the others little of the scale that all share. (inputs),
    /// all above 0; `None` where the inputs were not measured.
    ///
    /// # Errors
    /// When the factors are for another number of inputs.
    fn smoothing(&self, _name: &str, _inputs: usize) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Checks the shape that was found for a weight.
    ///
    /// # Errors
    /// When it is another than `shape`.
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
