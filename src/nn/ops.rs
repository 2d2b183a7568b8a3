//! The seam between the layers and the devices. Each operation chooses its implementation by where
//! its tensors lie: the kernels of the CPU, this crate's kernels for CUDA devices where they fit,
//! or candle's operations. The layers do not ask which.

use super::cpu_ops::{Add, Gate, Normalize};
use crate::error::Result;
use crate::kernel::cuda::{self, NormParameters};
use crate::kernel::{Activation, AttentionShape};
use candle_core::{D, DType, Device, Tensor};

/// Whether the kernels of the CPU can compute with a tensor.
fn is_for_kernels(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// `activation(x + bias)` of the rows of a product that candle has computed.
pub(super) fn bias_activation(
    x: &Tensor,
    bias: Option<&Tensor>,
    activation: Option<Activation>,
) -> Result<Tensor> {
    if bias.is_none() && activation.is_none() {
        return Ok(x.clone());
    }
    if let Some(done) = cuda::bias_activation(x, bias, activation)? {
        return Ok(done);
    }
    let sum = bias.map_or(Ok(x.clone()), |bias| x.broadcast_add(bias))?;
    activation.map_or(Ok(sum.clone()), |activation| activate(activation, &sum))
}

/// An activation with candle's operations.
fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Silu => x.silu()?,
        Activation::GeluTanh => x.gelu()?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::Relu => x.relu()?,
    })
}

/// `activation(gate) · up` of rows of `[gate | up]`: (rows, 2 · width) to (rows, width).
pub(super) fn gate(gate_up: &Tensor, activation: Activation) -> Result<Tensor> {
    if is_for_kernels(gate_up) {
        return Ok(gate_up.apply_op1_no_bwd(&Gate(activation))?);
    }
    if let Some(gated) = cuda::gated(gate_up, activation)? {
        return Ok(gated);
    }
    let width = gate_up.dim(D::Minus1)? / 2;
    let gate = activate(activation, &gate_up.narrow(D::Minus1, 0, width)?)?;
    Ok((gate * gate_up.narrow(D::Minus1, width, width)?)?)
}

/// The rows of `x`, normalized.
pub(super) fn normalize(norm: &Normalize<'_>, x: &Tensor) -> Result<Tensor> {
    let x = x.contiguous()?;
    if is_for_kernels(&x) {
        return Ok(x.apply_op1_no_bwd(norm)?);
    }
    if let Some(normalized) = cuda::normalize(&x, None, &normalizing(norm))? {
        return Ok(normalized);
    }
    let &Normalize { weight, bias, epsilon } = norm;
    Ok(match bias {
        None => candle_nn::ops::rms_norm(&x, weight, epsilon)?,
        Some(bias) => candle_nn::ops::layer_norm(&x, weight, bias, epsilon)?,
    })
}

/// The rows of `x + (y + y_bias)`, normalized.
pub(super) fn normalize_sum(
    norm: &Normalize<'_>,
    x: &Tensor,
    (y, y_bias): (&Tensor, Option<&Tensor>),
) -> Result<Tensor> {
    if !is_for_kernels(x)
        && let Some(normalized) = cuda::normalize(x, Some((y, y_bias)), &normalizing(norm))?
    {
        return Ok(normalized);
    }
    let y = bias_activation(y, y_bias, None)?;
    if is_for_kernels(x) {
        return Ok(x.contiguous()?.apply_op2_no_bwd(&y.contiguous()?, norm)?);
    }
    normalize(norm, &add(x, &y)?)
}

fn normalizing<'a>(norm: &Normalize<'a>) -> NormParameters<'a> {
    let &Normalize { weight, bias, epsilon } = norm;
    NormParameters { weight, bias, epsilon }
}

/// `x + y` of two tensors of the same shape. On the CPU it stays on the calling thread, where
/// candle's own would wake others.
pub fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if is_for_kernels(x) {
        Ok(x.contiguous()?.apply_op2_no_bwd(&y.contiguous()?, &Add)?)
    } else {
        Ok((x + y)?)
    }
}

/// Writes rows, (tokens, heads, dim), into those of `pool`, (capacity, heads · dim), from `first`
/// on.
pub(super) fn write_rows(pool: &Tensor, rows: &Tensor, first: usize) -> Result<()> {
    if !cuda::append_rows(pool, rows, first)? {
        let (tokens, heads, dim) = rows.dims3()?;
        pool.slice_set(&rows.contiguous()?.reshape((tokens, heads * dim))?, 0, first)?;
    }
    Ok(())
}

/// Brings every element softly between `-cap` and `cap`, if there is a cap: `cap · tanh(x / cap)`.
pub(super) fn soft_cap(x: Tensor, cap: Option<f32>) -> Result<Tensor> {
    let Some(cap) = cap.map(f64::from) else { return Ok(x) };
    Ok((((x / cap)?).tanh()? * cap)?)
}

/// Whether [`attend_rows`] is there for heads of these sizes on a device.
pub(super) fn attends_rows(shape: &AttentionShape, device: &Device) -> bool {
    shape.cap.is_none() && cuda::supports_attention(shape, device)
}

/// Attention of queries (queries, heads, dim) over rows of a pool, (rows, kv_heads · dim), without
/// padding: to (queries, heads · dim). `seen` has for each query where its keys begin, then for
/// each query how many they are; if more follows, the former are places in that list of row
/// numbers.
pub(super) fn attend_rows(
    shape: &AttentionShape,
    q: &Tensor,
    [keys, values]: [&Tensor; 2],
    seen: &Tensor,
) -> Result<Tensor> {
    Ok(cuda::attention(shape, q, keys, values, seen)?)
}

/// The `count` largest of each row of `logits + bias` (its first `width` columns), their columns,
/// the largest, and Σ exp(logit − largest): (rows, 2 · count + 2) in 32 bits; a column is −1 where
/// there are no more. `None` where no kernel fits.
pub(super) fn top_k(
    logits: &Tensor,
    bias: Option<&Tensor>,
    width: usize,
    count: usize,
) -> Result<Option<Tensor>> {
    Ok(cuda::top_k(logits, bias, width, count)?)
}

/// Whether [`top_k`] may be there for so many of the largest on a device.
pub(super) fn may_top_k(count: usize, device: &Device) -> bool {
    device.is_cuda() && count <= cuda::MAX_TOP_K
}
