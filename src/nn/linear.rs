//! Linear layers.

use super::matrix::Matrix;
use super::{Backend, ops};
use crate::checkpoint::MatrixReader;
use crate::error::Result;
use crate::kernel::Activation;
use candle_core::Tensor;

/// `x · Wᵀ + b`.
pub struct Linear {
    matrix: Matrix,
    /// (n)
    bias: Option<Tensor>,
}

/// The output of a linear layer. Its bias may still be due: where it is added together with the
/// next operation.
pub struct LinearOutput {
    product: Tensor,
    bias: Option<Tensor>,
}

impl LinearOutput {
    /// The product, and the bias that is still to be added to its rows.
    pub(super) fn parts(&self) -> (&Tensor, Option<&Tensor>) {
        (&self.product, self.bias.as_ref())
    }

    /// The product with its bias.
    pub fn value(&self) -> Result<Tensor> {
        ops::bias_activation(&self.product, self.bias.as_ref(), None)
    }
}

impl From<Tensor> for LinearOutput {
    fn from(product: Tensor) -> LinearOutput {
        LinearOutput { product, bias: None }
    }
}

impl Linear {
    /// A layer without a bias; the weights are (n, k). Layers that read the same input are
    /// multiplied in one go when their weights are [`MatrixReader::stacked`].
    pub fn new(weights: &MatrixReader<'_>, backend: &Backend) -> Result<Linear> {
        Ok(Linear { matrix: Matrix::new(weights, backend)?, bias: None })
    }

    /// A layer with a bias, (n), in parts.
    pub fn with_bias(
        weights: &MatrixReader<'_>,
        bias: &[Tensor],
        backend: &Backend,
    ) -> Result<Linear> {
        let bias = backend.place(&Tensor::cat(bias, 0)?)?;
        Ok(Linear { matrix: Matrix::new(weights, backend)?, bias: Some(bias) })
    }

    /// The features of an output, n, where the kernels compute it.
    pub(super) fn kernel_outputs(&self) -> Option<usize> {
        match &self.matrix {
            Matrix::Packed(packed) => Some(packed.n()),
            Matrix::Device(_) => None,
        }
    }

    /// (rows, k) to (rows, n).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.matrix.forward(x, self.bias.as_ref(), None)
    }

    /// The output for a sum, see [`super::Norm::forward_sum`].
    pub fn output(&self, x: &Tensor) -> Result<LinearOutput> {
        match (&self.matrix, &self.bias) {
            (Matrix::Device(_), Some(bias)) => Ok(LinearOutput {
                product: self.matrix.forward(x, None, None)?,
                bias: Some(bias.clone()),
            }),
            _ => self.forward(x).map(LinearOutput::from),
        }
    }

    /// The output with an activation applied to it.
    pub fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.matrix.forward(x, self.bias.as_ref(), Some(activation))
    }
}
