//! A weight matrix, as the kernels or as candle multiply it.

use super::{Backend, Compute, ops};
use crate::checkpoint::{MatrixReader, cpu_slice, with_slice};
use crate::error::Result;
use crate::kernel::{self, Activation, Packed, Precision};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use std::sync::Arc;

/// A weight matrix, (n, k).
#[derive(Clone)]
pub(super) enum Matrix {
    /// In main memory, packed for the kernels.
    Packed(Arc<Packed>),
    /// A tensor that candle multiplies.
    Device(Tensor),
}

/// Multiple of the rows of a device's weights for a vocabulary.
const PADDING: usize = 64;

impl Matrix {
    pub fn new(weights: &MatrixReader<'_>, backend: &Backend) -> Result<Matrix> {
        match backend.compute {
            Compute::Candle => Ok(Matrix::Device(backend.place(&weights.all()?)?)),
            Compute::Kernels => {
                let &MatrixReader { rows: n, width: k, .. } = weights;
                if let Some(integers) = weights.integers().filter(|_| backend.quantizes()) {
                    let is_static = backend.precision == Precision::Int8Static;
                    let factor = integers.input_factor.filter(|_| is_static);
                    let packed = Packed::pack_integers(k, &integers.rows(), factor);
                    return Ok(Matrix::Packed(Arc::new(packed)));
                }
                if backend.precision == Precision::Int4
                    && let Some(packed) = weights.pack_blocks()?
                {
                    return Ok(Matrix::Packed(Arc::new(packed)));
                }
                let read = |range, out: &mut [f32]| weights.read(range, out);
                Ok(Matrix::Packed(Arc::new(Packed::try_pack(backend.precision, n, k, read)?)))
            }
        }
    }

    /// The matrix with rows of zeros up to a multiple of [`PADDING`], if it is on a device, whose
    /// products with many rows are slow otherwise.
    pub fn padded(self) -> Result<Matrix> {
        let Matrix::Device(weight) = &self else { return Ok(self) };
        let (rows, width) = weight.dims2()?;
        let more = rows.next_multiple_of(PADDING) - rows;
        if more == 0 {
            return Ok(self);
        }
        let zeros = Tensor::zeros((more, width), weight.dtype(), weight.device())?;
        Ok(Matrix::Device(Tensor::cat(&[weight, &zeros], 0)?))
    }

    /// `activation(x · Wᵀ + bias)`: (rows, k) to (rows, n).
    pub fn forward(
        &self,
        x: &Tensor,
        bias: Option<&Tensor>,
        activation: Option<Activation>,
    ) -> Result<Tensor> {
        match self {
            Matrix::Packed(packed) => {
                let product =
                    PackedProduct { weight: packed.clone(), bias: bias.cloned(), activation };
                Ok(x.contiguous()?.apply_op1_no_bwd(&product)?)
            }
            Matrix::Device(weight) => {
                ops::bias_activation(&x.matmul(&weight.t()?)?, bias, activation)
            }
        }
    }

    /// Some of the rows, (rows, k).
    pub fn rows(&self, rows: &[u32]) -> Result<Tensor> {
        match self {
            Matrix::Packed(packed) => {
                let width = packed.k();
                let mut out = vec![0.0; rows.len() * width];
                for (out, &row) in out.chunks_exact_mut(width).zip(rows) {
                    packed.row(row as usize, out);
                }
                Ok(Tensor::from_vec(out, (rows.len(), width), &Device::Cpu)?)
            }
            Matrix::Device(weight) => {
                Ok(weight.index_select(&Tensor::new(rows, weight.device())?, 0)?)
            }
        }
    }

    /// The matrix of some of the rows, in the order given.
    pub fn select(&self, rows: &[u32]) -> Result<Matrix> {
        match self {
            Matrix::Packed(packed) => Ok(Matrix::Packed(Arc::new(packed.select(rows)))),
            Matrix::Device(_) => Matrix::Device(self.rows(rows)?).padded(),
        }
    }
}

/// A product with packed weights, as an operation on tensors.
struct PackedProduct {
    weight: Arc<Packed>,
    bias: Option<Tensor>,
    activation: Option<Activation>,
}

impl CustomOp1 for PackedProduct {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = cpu_slice(storage, layout)?;
        let (rows, k) = layout.shape().dims2()?;
        if k != self.weight.k() {
            candle_core::bail!("a layer for {} features got {k}", self.weight.k());
        }
        let mut out = match &self.bias {
            Some(bias) => with_slice(bias, |bias| self.weight.matmul(x, Some(bias)))
                .map_err(candle_core::Error::wrap)?,
            None => self.weight.matmul(x, None),
        };
        if let Some(activation) = self.activation {
            kernel::activate(activation, &mut out);
        }
        Ok((CpuStorage::F32(out), (rows, self.weight.n()).into()))
    }
}
