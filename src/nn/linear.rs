//! Linear layers, and the embedding that shares its weights with the output layer.

use super::{Backend, Table, cpu_slice, with_slice};
use crate::error::Result;
use crate::kernel::{self, Activation, Packed};
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
        Matrix::of_table(&Table::of(all)?, backend)
    }

    fn of_table(table: &Table<'_>, backend: &Backend) -> Result<Matrix> {
        let &Table { rows: n, width: k, .. } = table;
        if !backend.device.is_cpu() {
            return Ok(Matrix::Device(table.read(0..n)?.to_device(&backend.device)?));
        }
        let packed = Packed::try_pack(backend.precision, n, k, |range, take| with_slice(&table.read(range)?, take))?;
        Ok(Matrix::Packed(Arc::new(packed)))
    }

    fn forward(&self, x: &Tensor, bias: Option<&Tensor>, activation: Option<Activation>) -> Result<Tensor> {
        match self {
            Matrix::Packed(packed) => {
                let product = PackedProduct { weight: packed.clone(), bias: bias.cloned(), activation };
                Ok(x.contiguous()?.apply_op1_no_bwd(&product)?)
            }
            Matrix::Device(weight) => {
                let mut product = x.matmul(&weight.t()?)?;
                if let Some(bias) = bias {
                    product = product.broadcast_add(bias)?;
                }
                if let Some(activation) = activation {
                    product = on_device(activation, &product)?;
                }
                Ok(product)
            }
        }
    }
}

/// An activation with candle's operations.
pub(super) fn on_device(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Silu => x.silu()?,
        Activation::GeluTanh => x.gelu()?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::Relu => x.relu()?,
    })
}

/// `x · Wᵀ + b`.
pub struct Linear {
    matrix: Matrix,
    /// (n)
    bias: Option<Tensor>,
}

impl Linear {
    /// One layer without a bias out of one or more weight matrices, (nᵢ, k), whose outputs stand side by side: what reads the same
    /// input is multiplied in one go.
    pub fn new(parts: &[Tensor], backend: &Backend) -> Result<Linear> {
        Ok(Linear { matrix: Matrix::new(parts, backend)?, bias: None })
    }

    /// The same with a bias for each part, (nᵢ).
    pub fn with_bias(parts: &[Tensor], biases: &[Tensor], backend: &Backend) -> Result<Linear> {
        let bias = Tensor::cat(biases, 0)?.to_device(&backend.device)?;
        Ok(Linear { matrix: Matrix::new(parts, backend)?, bias: Some(bias) })
    }

    /// (rows, k) to (rows, n).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.matrix.forward(x, self.bias.as_ref(), None)
    }

    /// The same with an activation of every output.
    pub fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.matrix.forward(x, self.bias.as_ref(), Some(activation))
    }
}

struct PackedProduct {
    weight: Arc<Packed>,
    bias: Option<Tensor>,
    activation: Option<Activation>,
}

impl CustomOp1 for PackedProduct {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = cpu_slice(storage, layout)?;
        let (rows, k) = layout.shape().dims2()?;
        if k != self.weight.k() {
            candle_core::bail!("a layer for {} features got {k}", self.weight.k());
        }
        let mut out = match &self.bias {
            Some(bias) => with_slice(bias, |bias| self.weight.matmul(x, Some(bias))).map_err(candle_core::Error::wrap)?,
            None => self.weight.matmul(x, None),
        };
        if let Some(activation) = self.activation {
            kernel::activate(activation, &mut out);
        }
        Ok((CpuStorage::F32(out), (rows, self.weight.n()).into()))
    }
}

/// The vectors of the vocabulary's tokens.
pub struct Embedding {
    matrix: Matrix,
    device: Device,
}

impl Embedding {
    /// The table is (vocabulary, dim).
    pub fn new(table: &Table<'_>, backend: &Backend) -> Result<Embedding> {
        Ok(Embedding { matrix: Matrix::of_table(table, backend)?, device: backend.device.clone() })
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
        let matrix = match &self.matrix {
            Matrix::Packed(packed) => Matrix::Packed(packed.clone()),
            Matrix::Device(weight) => Matrix::Device(weight.clone()),
        };
        OutputLayer { matrix, bias: None }
    }
}

/// The projection of hidden states onto the vocabulary. Its product is visited in blocks of columns and
/// never stored as a whole.
pub struct OutputLayer {
    matrix: Matrix,
    /// What is added to each token's logit.
    bias: Option<Vec<f32>>,
}

impl OutputLayer {
    /// A layer with weights of its own, (vocabulary, dim).
    pub fn new(table: &Table<'_>, backend: &Backend) -> Result<OutputLayer> {
        Ok(OutputLayer { matrix: Matrix::of_table(table, backend)?, bias: None })
    }

    /// The same with something added to each token's logit, (vocabulary).
    pub fn with_bias(self, bias: &Tensor) -> Result<OutputLayer> {
        Ok(OutputLayer { bias: Some(bias.flatten_all()?.to_vec1()?), ..self })
    }

    /// The layer for some of the tokens alone, in the order given.
    pub fn select(&self, tokens: &[u32]) -> Result<OutputLayer> {
        let matrix = match &self.matrix {
            Matrix::Packed(packed) => Matrix::Packed(Arc::new(packed.select(tokens))),
            Matrix::Device(weight) => Matrix::Device(weight.index_select(&Tensor::new(tokens, weight.device())?, 0)?),
        };
        let bias = self.bias.as_ref().map(|bias| tokens.iter().map(|&t| bias[t as usize]).collect());
        Ok(OutputLayer { matrix, bias })
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
            Matrix::Packed(packed) => with_slice(&hidden.contiguous()?, |x| packed.matmul_blocks(x, self.bias.as_deref(), visit)),
            Matrix::Device(weight) => {
                let mut logits: Vec<f32> = hidden.matmul(&weight.t()?)?.flatten_all()?.to_vec1()?;
                if let Some(bias) = &self.bias {
                    kernel::add_to_rows(&mut logits, bias);
                }
                visit(0, self.vocabulary(), &mut logits);
                Ok(())
            }
        }
    }
}
