//! The output layer, or language-model head.

use super::Backend;
use super::matrix::Matrix;
use super::top_k_device::{self, LogSumExp, TopKRequest};
use crate::checkpoint::{MatrixReader, with_slice};
use crate::error::Result;
use crate::kernel;
use candle_core::{DType, Tensor};

/// The projection of hidden states onto the vocabulary. Its product is visited in blocks of columns
/// and never stored as a whole.
pub struct OutputLayer {
    pub(super) matrix: Matrix,
    vocabulary: usize,
    /// Added to each token's logit.
    pub(super) bias: Option<Vec<f32>>,
    /// The bias on the device, if the logits arise on one.
    device_bias: Option<Tensor>,
    /// What logits are softly kept below, bias included.
    cap: Option<f32>,
}

impl OutputLayer {
    /// A layer with weights of its own, (vocabulary, dim).
    pub fn new(weights: &MatrixReader<'_>, backend: &Backend) -> Result<OutputLayer> {
        Ok(OutputLayer::tied(Matrix::new(weights, backend)?.padded()?, weights.rows))
    }

    /// A layer with the weights of an embedding.
    pub(super) fn tied(matrix: Matrix, vocabulary: usize) -> OutputLayer {
        OutputLayer { matrix, vocabulary, bias: None, device_bias: None, cap: None }
    }

    /// The layer with a bias, (vocabulary).
    pub fn with_bias(self, bias: &Tensor) -> Result<OutputLayer> {
        let device_bias = match &self.matrix {
            Matrix::Packed(_) => None,
            Matrix::Device(weight) => Some(bias.flatten_all()?.to_device(weight.device())?),
        };
        Ok(OutputLayer { bias: Some(bias.flatten_all()?.to_vec1()?), device_bias, ..self })
    }

    /// The layer with its logits softly kept between `-cap` and `cap`, if there is one:
    /// `cap · tanh(logit / cap)` (Gemma Team 2024).
    pub fn with_cap(self, cap: Option<f32>) -> OutputLayer {
        OutputLayer { cap, ..self }
    }

    /// The layer for some of the tokens alone, in the order given.
    pub fn select(&self, tokens: &[u32]) -> Result<OutputLayer> {
        let matrix = self.matrix.select(tokens)?;
        let bias =
            self.bias.as_ref().map(|bias| tokens.iter().map(|&t| bias[t as usize]).collect());
        let selected = |bias: &Tensor| bias.index_select(&Tensor::new(tokens, bias.device())?, 0);
        let device_bias = self.device_bias.as_ref().map(selected).transpose()?;
        Ok(OutputLayer { matrix, vocabulary: tokens.len(), bias, device_bias, cap: self.cap })
    }

    /// Size of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Whether the logits arise on a device, see [`OutputLayer::top_k_device`].
    pub fn is_on_device(&self) -> bool {
        matches!(self.matrix, Matrix::Device(_))
    }

    /// Brings those logits of a device to main memory that may be among the requested ones: calls
    /// `visit(row, log-sum-exp of all its logits, first token, logits)` for strips of columns,
    /// ascending in each row; the log-sum-exp is `None` unless `counted`. `hidden` is (rows, dim),
    /// with one request a row.
    ///
    /// # Errors
    /// When the kernels of the CPU compute the logits.
    pub fn top_k_device(
        &self,
        hidden: &Tensor,
        requests: &[TopKRequest],
        counted: bool,
        visit: impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<()> {
        let Matrix::Device(weight) = &self.matrix else {
            return Err(candle_core::Error::msg(
                "logits of a device are asked for, and the kernels compute them",
            )
            .into());
        };
        let bias = self.device_bias.as_ref();
        let (vocabulary, cap) = (self.vocabulary, self.cap);
        let logits = top_k_device::Logits { weight, bias, cap, vocabulary, hidden };
        logits.top_k(requests, counted, visit)
    }

    /// Calls `visit(first token, width, logits)` for successive blocks; `logits` is (rows, width).
    /// `hidden` is (rows, dim).
    pub fn blocks(
        &self,
        hidden: &Tensor,
        mut visit: impl FnMut(usize, usize, &mut [f32]),
    ) -> Result<()> {
        let mut visit = |first: usize, width: usize, logits: &mut [f32]| {
            if let Some(cap) = self.cap {
                kernel::soft_cap(logits, cap);
            }
            visit(first, width, logits);
        };
        match &self.matrix {
            Matrix::Packed(packed) => with_slice(&hidden.contiguous()?, |x| {
                packed.matmul_blocks(x, self.bias.as_deref(), visit)
            }),
            Matrix::Device(weight) => {
                let mut logits: Vec<f32> = hidden
                    .matmul(&weight.narrow(0, 0, self.vocabulary)?.t()?)?
                    .to_dtype(DType::F32)?
                    .flatten_all()?
                    .to_vec1()?;
                if let Some(bias) = &self.bias {
                    kernel::add_to_rows(&mut logits, bias);
                }
                visit(0, self.vocabulary(), &mut logits);
                Ok(())
            }
        }
    }
}
