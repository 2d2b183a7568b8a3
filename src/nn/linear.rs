//! Linear layers, and the embedding that shares its weights with the output layer.

use super::{Backend, cpu_slice, with_slice};
use crate::error::Result;
use crate::kernel::Packed;
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use std::sync::Arc;

/// A weight matrix, (n, k).
enum Matrix {
    /// In main memory, packed for the kernels.
    Packed(Arc<Packed>),
    /// On a GPU, as candle multiplies it.
    Device(Tensor),
}

impl Matrix {
    /// Stacks matrices of equal `k`, all in main memory.
    fn new(parts: &[Tensor], backend: &Backend) -> Result<Matrix> {
        let all = if let [one] = parts { one.clone() } else { Tensor::cat(parts, 0)? };
        if !backend.device.is_cpu() {
            return Ok(Matrix::Device(all.to_device(&backend.device)?));
        }
        let (n, k) = all.dims2()?;
        let packed =
            with_slice(&all, |values| Packed::pack(backend.precision, n, k, |i, row| row.copy_from_slice(&values[i * k..(i + 1) * k])))?;
        Ok(Matrix::Packed(Arc::new(packed)))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Matrix::Packed(packed) => Ok(x.contiguous()?.apply_op1_no_bwd(&PackedProduct(packed.clone()))?),
            Matrix::Device(weight) => Ok(x.matmul(&weight.t()?)?),
        }
    }
}

/// `x · Wᵀ`, without a bias.
pub struct Linear {
    matrix: Matrix,
}

impl Linear {
    /// One layer out of one or more weight matrices, (nᵢ, k), whose outputs stand side by side: what reads the same
    /// input is multiplied in one go.
    pub fn new(parts: &[Tensor], backend: &Backend) -> Result<Linear> {
        Ok(Linear { matrix: Matrix::new(parts, backend)? })
    }

    /// (rows, k) to (rows, n).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.matrix.forward(x)
    }
}

struct PackedProduct(Arc<Packed>);

impl CustomOp1 for PackedProduct {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = cpu_slice(storage, layout)?;
        let (rows, k) = layout.shape().dims2()?;
        if k != self.0.k() {
            candle_core::bail!("a layer for {} features got {k}", self.0.k());
        }
        let mut out = vec![0.0; rows * self.0.n()];
        self.0.matmul(x, &mut out);
        Ok((CpuStorage::F32(out), (rows, self.0.n()).into()))
    }
}

/// The vectors of the vocabulary's tokens.
pub struct Embedding {
    matrix: Matrix,
    device: Device,
}

impl Embedding {
    /// `weight` is (vocabulary, dim), in main memory.
    pub fn new(weight: Tensor, backend: &Backend) -> Result<Embedding> {
        Ok(Embedding { matrix: Matrix::new(&[weight], backend)?, device: backend.device.clone() })
    }

    /// (tokens, dim).
    pub fn forward(&self, tokens: &[u32]) -> Result<Tensor> {
        match &self.matrix {
            Matrix::Packed(packed) => {
                let dim = packed.k();
                if let Some(bad) = tokens.iter().find(|&&t| t as usize >= packed.n()) {
                    return Err(candle_core::Error::Msg(format!("token {bad} in a vocabulary of {}", packed.n())).into());
                }
                let mut out = vec![0.0; tokens.len() * dim];
                for (out, &token) in out.chunks_exact_mut(dim).zip(tokens) {
                    packed.row(token as usize, out);
                }
                Ok(Tensor::from_vec(out, (tokens.len(), dim), &self.device)?)
            }
            Matrix::Device(weight) => Ok(weight.index_select(&Tensor::new(tokens, &self.device)?, 0)?),
        }
    }

    /// The output layer that shares these weights.
    pub fn tied_output(&self) -> OutputLayer {
        match &self.matrix {
            Matrix::Packed(packed) => OutputLayer { matrix: Matrix::Packed(packed.clone()) },
            Matrix::Device(weight) => OutputLayer { matrix: Matrix::Device(weight.clone()) },
        }
    }
}

/// The projection of hidden states onto the vocabulary. Its product is visited in blocks of columns and
/// never stored as a whole.
pub struct OutputLayer {
    matrix: Matrix,
}

impl OutputLayer {
    /// A layer with weights of its own, (vocabulary, dim), in main memory.
    pub fn new(weight: Tensor, backend: &Backend) -> Result<OutputLayer> {
        Ok(OutputLayer { matrix: Matrix::new(&[weight], backend)? })
    }

    /// The layer for some of the tokens alone, in the order given.
    pub fn select(&self, tokens: &[u32]) -> Result<OutputLayer> {
        let matrix = match &self.matrix {
            Matrix::Packed(packed) => Matrix::Packed(Arc::new(packed.select(tokens))),
            Matrix::Device(weight) => Matrix::Device(weight.index_select(&Tensor::new(tokens, weight.device())?, 0)?),
        };
        Ok(OutputLayer { matrix })
    }

    /// Size of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        match &self.matrix {
            Matrix::Packed(packed) => packed.n(),
            Matrix::Device(weight) => weight.dims()[0],
        }
    }

    /// Calls `visit(first token, width, logits)` for successive blocks; `logits` is (rows, width). `hidden` is (rows, dim).
    pub fn blocks(&self, hidden: &Tensor, mut visit: impl FnMut(usize, usize, &mut [f32])) -> Result<()> {
        match &self.matrix {
            Matrix::Packed(packed) => with_slice(&hidden.contiguous()?, |x| packed.matmul_blocks(x, visit)),
            Matrix::Device(weight) => {
                let mut logits: Vec<f32> = hidden.matmul(&weight.t()?)?.flatten_all()?.to_vec1()?;
                visit(0, self.vocabulary(), &mut logits);
                Ok(())
            }
        }
    }
}
