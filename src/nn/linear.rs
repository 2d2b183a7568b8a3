//! Linear layers, and the embedding that shares its weights with the output layer.

use super::Backend;
use crate::checkpoint::{MatrixReader, cpu_slice, with_slice};
use crate::error::Result;
use crate::kernel::{self, Activation, Packed, TopK, cuda};
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor};
use std::sync::Arc;

/// A weight matrix, (n, k).
enum Matrix {
    /// In main memory, packed for the kernels.
    Packed(Arc<Packed>),
    /// As candle multiplies it.
    Device(Tensor),
}

impl Matrix {
    fn new(table: &MatrixReader<'_>, backend: &Backend) -> Result<Matrix> {
        let &MatrixReader { rows: n, width: k, .. } = table;
        if backend.candle {
            return Ok(Matrix::Device(backend.place(&table.all()?)?));
        }
        let packed =
            Packed::try_pack(backend.precision, n, k, |range, out| table.read(range, out))?;
        Ok(Matrix::Packed(Arc::new(packed)))
    }

    fn forward(
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
            Matrix::Device(weight) => finished(&x.matmul(&weight.t()?)?, bias, activation),
        }
    }

    /// With rows of zeros on a device up to a multiple of [`PADDING`], without which its product
    /// with many of them is slow.
    fn padded(self) -> Result<Matrix> {
        let Matrix::Device(weight) = &self else { return Ok(self) };
        let (rows, width) = weight.dims2()?;
        let more = rows.next_multiple_of(PADDING) - rows;
        if more == 0 {
            return Ok(self);
        }
        Ok(Matrix::Device(Tensor::cat(
            &[weight, &Tensor::zeros((more, width), weight.dtype(), weight.device())?],
            0,
        )?))
    }
}

/// Rows of a device's weights for a vocabulary.
const PADDING: usize = 64;

/// `activation(product + bias)` on a device.
fn finished(
    product: &Tensor,
    bias: Option<&Tensor>,
    activation: Option<Activation>,
) -> Result<Tensor> {
    if bias.is_none() && activation.is_none() {
        return Ok(product.clone());
    }
    if let Some(done) = cuda::biased(product, bias, activation)? {
        return Ok(done);
    }
    let product = bias.map_or(Ok(product.clone()), |bias| product.broadcast_add(bias))?;
    activation.map_or(Ok(product.clone()), |activation| on_device(activation, &product))
}

/// What a layer makes of its input, its bias apart where that is added together with what comes
/// next.
pub struct LinearOutput {
    product: Tensor,
    bias: Option<Tensor>,
}

impl LinearOutput {
    /// The product, and what is to be added to its rows.
    pub(super) fn parts(&self) -> (&Tensor, Option<&Tensor>) {
        (&self.product, self.bias.as_ref())
    }

    /// All of it.
    pub fn value(&self) -> Result<Tensor> {
        finished(&self.product, self.bias.as_ref(), None)
    }
}

impl From<Tensor> for LinearOutput {
    fn from(product: Tensor) -> LinearOutput {
        LinearOutput { product, bias: None }
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
    /// A layer without a bias; the weights are (n, k). Layers that read the same input are
    /// multiplied in one go when their weights are [`MatrixReader::stacked`].
    pub fn new(weights: &MatrixReader<'_>, backend: &Backend) -> Result<Linear> {
        Ok(Linear { matrix: Matrix::new(weights, backend)?, bias: None })
    }

    /// The same with a bias, (n), in parts.
    pub fn with_bias(
        weights: &MatrixReader<'_>,
        bias: &[Tensor],
        backend: &Backend,
    ) -> Result<Linear> {
        let bias = backend.place(&Tensor::cat(bias, 0)?)?;
        Ok(Linear { matrix: Matrix::new(weights, backend)?, bias: Some(bias) })
    }

    /// (rows, k) to (rows, n).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.matrix.forward(x, self.bias.as_ref(), None)
    }

    /// The same for a sum, see [`super::Norm::of_sum`].
    pub fn product(&self, x: &Tensor) -> Result<LinearOutput> {
        match (&self.matrix, &self.bias) {
            (Matrix::Device(_), Some(bias)) => Ok(LinearOutput {
                product: self.matrix.forward(x, None, None)?,
                bias: Some(bias.clone()),
            }),
            _ => self.forward(x).map(LinearOutput::from),
        }
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

/// The vectors of the vocabulary's tokens.
pub struct Embedding {
    matrix: Matrix,
    vocabulary: usize,
    device: Device,
}

impl Embedding {
    /// The table is (vocabulary, dim).
    pub fn new(table: &MatrixReader<'_>, backend: &Backend) -> Result<Embedding> {
        Ok(Embedding {
            matrix: Matrix::new(table, backend)?.padded()?,
            vocabulary: table.rows,
            device: backend.device.clone(),
        })
    }

    /// (tokens, dim).
    pub fn forward(&self, tokens: &[u32]) -> Result<Tensor> {
        if let Some(bad) = tokens.iter().find(|&&t| t as usize >= self.vocabulary) {
            return Err(candle_core::Error::Msg(format!(
                "token {bad} in a vocabulary of {}",
                self.vocabulary
            ))
            .into());
        }
        match &self.matrix {
            Matrix::Packed(packed) => {
                let dim = packed.k();
                let mut out = vec![0.0; tokens.len() * dim];
                for (out, &token) in out.chunks_exact_mut(dim).zip(tokens) {
                    packed.row(token as usize, out);
                }
                Ok(Tensor::from_vec(out, (tokens.len(), dim), &self.device)?)
            }
            Matrix::Device(weight) => {
                Ok(weight.index_select(&Tensor::new(tokens, &self.device)?, 0)?)
            }
        }
    }

    /// The output layer that shares these weights.
    pub fn tied_output(&self) -> OutputLayer {
        let matrix = match &self.matrix {
            Matrix::Packed(packed) => Matrix::Packed(packed.clone()),
            Matrix::Device(weight) => Matrix::Device(weight.clone()),
        };
        OutputLayer { matrix, vocabulary: self.vocabulary, bias: None, placed_bias: None }
    }
}

/// The projection of hidden states onto the vocabulary. Its product is visited in blocks of columns
/// and never stored as a whole.
pub struct OutputLayer {
    matrix: Matrix,
    vocabulary: usize,
    /// What is added to each token's logit.
    bias: Option<Vec<f32>>,
    /// The same where the logits arise, if that is a device.
    placed_bias: Option<Tensor>,
}

/// What is wanted of a row's logits.
pub struct TopKRequest {
    /// So many of the largest.
    pub largest: usize,
    /// The columns whose logits are needed in any case, ascending.
    pub columns: Vec<usize>,
}

/// What is known of the logits of a row that stayed on a device.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    /// The largest.
    pub largest: f32,
    /// Σ exp(logit − largest).
    pub total: f32,
}

impl LogSumExp {
    const NONE: LogSumExp = LogSumExp { largest: f32::NEG_INFINITY, total: 0.0 };

    /// The same with more logits.
    fn and(self, logits: &[f32]) -> LogSumExp {
        let largest = logits.iter().copied().fold(self.largest, f32::max);
        if largest == f32::NEG_INFINITY {
            return self;
        }
        let more: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        LogSumExp { largest, total: self.total * (self.largest - largest).exp() + more }
    }

    /// Logarithm of the sum of the exponentials.
    pub fn log_sum_exp(self) -> f32 {
        self.largest + self.total.ln()
    }
}

/// Columns of a device's logits that come to main memory together, when one of them may be wanted.
const STRIP: usize = 128;

impl OutputLayer {
    /// A layer with weights of its own, (vocabulary, dim).
    pub fn new(table: &MatrixReader<'_>, backend: &Backend) -> Result<OutputLayer> {
        Ok(OutputLayer {
            matrix: Matrix::new(table, backend)?.padded()?,
            vocabulary: table.rows,
            bias: None,
            placed_bias: None,
        })
    }

    /// The same with something added to each token's logit, (vocabulary).
    pub fn with_bias(self, bias: &Tensor) -> Result<OutputLayer> {
        let placed_bias = match &self.matrix {
            Matrix::Packed(_) => None,
            Matrix::Device(weight) => Some(bias.flatten_all()?.to_device(weight.device())?),
        };
        Ok(OutputLayer { bias: Some(bias.flatten_all()?.to_vec1()?), placed_bias, ..self })
    }

    /// The layer for some of the tokens alone, in the order given.
    pub fn select(&self, tokens: &[u32]) -> Result<OutputLayer> {
        let matrix = match &self.matrix {
            Matrix::Packed(packed) => Matrix::Packed(Arc::new(packed.select(tokens))),
            Matrix::Device(weight) => {
                Matrix::Device(weight.index_select(&Tensor::new(tokens, weight.device())?, 0)?)
                    .padded()?
            }
        };
        let bias =
            self.bias.as_ref().map(|bias| tokens.iter().map(|&t| bias[t as usize]).collect());
        let placed = |bias: &Tensor| bias.index_select(&Tensor::new(tokens, bias.device())?, 0);
        let placed_bias = self.placed_bias.as_ref().map(placed).transpose()?;
        Ok(OutputLayer { matrix, vocabulary: tokens.len(), bias, placed_bias })
    }

    /// Size of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Whether the logits arise on a device, see [`OutputLayer::wanted`].
    pub fn is_on_device(&self) -> bool {
        matches!(self.matrix, Matrix::Device(_))
    }

    /// Logits that arise on a device, those alone that may be wanted: calls `visit(row, what is
    /// known of all its logits, first token, logits)` for strips of columns, ascending in each row;
    /// what is known of all is `None` unless `counted`. `hidden` is (rows, dim).
    pub fn wanted(
        &self,
        hidden: &Tensor,
        wanted: &[TopKRequest],
        counted: bool,
        mut visit: impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<()> {
        let Matrix::Device(weight) = &self.matrix else {
            return Err(candle_core::Error::msg(
                "logits of a device are asked for, and the kernels compute them",
            )
            .into());
        };
        if self.best(weight, hidden, wanted, counted, &mut visit)? {
            return Ok(());
        }
        let strips = self.vocabulary() / STRIP;
        // A product of its own for what is left over spares a copy of all.
        let product = |columns: std::ops::Range<usize>| -> Result<Tensor> {
            let logits = hidden
                .matmul(&weight.narrow(0, columns.start, columns.len())?.t()?)?
                .to_dtype(DType::F32)?;
            match &self.placed_bias {
                Some(bias) => {
                    Ok(logits.broadcast_add(&bias.narrow(0, columns.start, columns.len())?)?)
                }
                None => Ok(logits),
            }
        };
        let width = self.vocabulary() - strips * STRIP;
        // A device does not take what is empty.
        let rest = (width > 0).then(|| product(strips * STRIP..self.vocabulary())).transpose()?;
        if let (0, Some(rest)) = (strips, &rest) {
            let mut logits: Vec<Vec<f32>> = rest.to_vec2()?;
            logits.iter_mut().enumerate().for_each(|(row, logits)| {
                visit(row, counted.then(|| LogSumExp::NONE.and(logits)), 0, logits)
            });
            return Ok(());
        }
        let logits = product(0..strips * STRIP)?.reshape((wanted.len(), strips, STRIP))?;
        let best = logits.max(2)?; // (rows, strips)
        let mut parts = vec![best.clone()];
        parts.extend(rest);
        if counted {
            let largest = best.max_keepdim(1)?;
            let total =
                logits.broadcast_sub(&largest.unsqueeze(2)?)?.exp()?.sum(2)?.sum_keepdim(1)?;
            parts.extend([largest, total]);
        }
        // One way to main memory for all of it.
        let mut known: Vec<Vec<f32>> = Tensor::cat(&parts, 1)?.to_vec2()?;
        let mut chosen: Vec<Vec<usize>> = Vec::with_capacity(wanted.len());
        for (known, TopKRequest { largest, columns }) in known.iter().zip(wanted) {
            let mut best = TopK::new(*largest);
            best.choose(0, &known[..strips]);
            let ranked = best.ranked().iter().map(|ranked| ranked.column).take(*largest);
            let mut own: Vec<usize> = ranked
                .chain(columns.iter().map(|column| column / STRIP).filter(|&strip| strip < strips))
                .collect();
            own.sort_unstable();
            own.dedup();
            chosen.push(own);
        }
        let places: Vec<u32> = chosen
            .iter()
            .enumerate()
            .flat_map(|(row, own)| own.iter().map(move |strip| (row * strips + strip) as u32))
            .collect();
        let mut values: Vec<f32> = if places.is_empty() {
            Vec::new()
        } else {
            let places = Tensor::new(places, logits.device())?;
            logits
                .reshape((wanted.len() * strips, STRIP))?
                .index_select(&places, 0)?
                .flatten_all()?
                .to_vec1()?
        };
        let mut values = values.chunks_exact_mut(STRIP);
        for (row, (known, own)) in known.iter_mut().zip(chosen).enumerate() {
            let (rest, sums) = known[strips..].split_at_mut(width);
            let all = counted.then(|| LogSumExp { largest: sums[0], total: sums[1] }.and(rest));
            for (strip, values) in own.into_iter().zip(&mut values) {
                visit(row, all, strip * STRIP, values);
            }
            visit(row, all, strips * STRIP, rest);
        }
        Ok(())
    }

    /// The same where a kernel finds the largest, a few in each row, and no others are asked for;
    /// says whether it did.
    fn best(
        &self,
        weight: &Tensor,
        hidden: &Tensor,
        wanted: &[TopKRequest],
        counted: bool,
        visit: &mut impl FnMut(usize, Option<LogSumExp>, usize, &mut [f32]),
    ) -> Result<bool> {
        let most = wanted.iter().map(|wanted| wanted.largest).max().unwrap_or(0).max(1);
        if most > cuda::MOST_WANTED
            || wanted.iter().any(|wanted| !wanted.columns.is_empty())
            || !hidden.device().is_cuda()
        {
            return Ok(false);
        }
        let logits = hidden.matmul(&weight.t()?)?;
        let Some(found) = cuda::best(&logits, self.placed_bias.as_ref(), self.vocabulary, most)?
        else {
            return Ok(false);
        };
        let found: Vec<f32> = found.flatten_all()?.to_vec1()?;
        for (row, found) in found.chunks_exact(2 * most + 2).enumerate() {
            let (logits, columns) = found[..2 * most].split_at(most);
            let all =
                counted.then(|| LogSumExp { largest: found[2 * most], total: found[2 * most + 1] });
            let mut found: Vec<(usize, f32)> = columns
                .iter()
                .zip(logits)
                .filter(|(column, _)| **column >= 0.0)
                .map(|(&column, &logit)| (column as usize, logit))
                .collect();
            found.sort_unstable_by_key(|&(column, _)| column);
            found
                .iter_mut()
                .for_each(|(column, logit)| visit(row, all, *column, std::slice::from_mut(logit)));
        }
        Ok(true)
    }

    /// Calls `visit(first token, width, logits)` for successive blocks; `logits` is (rows, width).
    /// `hidden` is (rows, dim).
    pub fn blocks(
        &self,
        hidden: &Tensor,
        mut visit: impl FnMut(usize, usize, &mut [f32]),
    ) -> Result<()> {
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
