//! Normalization of the last dimension, and the sum that stands before or after it.

use super::LinearOutput;
use crate::checkpoint::{cpu_slice, with_slice};
use crate::error::Result;
use crate::kernel;
use crate::kernel::cuda::{self, Normalizing};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Shape, Tensor};

/// How a family normalizes.
#[derive(Clone, Debug)]
pub enum Norm {
    /// Root-mean-square (Zhang and Sennrich 2019).
    Rms {
        /// (dim)
        weight: Tensor,
        /// Added to the mean square.
        epsilon: f32,
    },
    /// Mean and variance (Ba et al. 2016).
    Layer {
        /// (dim)
        weight: Tensor,
        /// (dim)
        bias: Tensor,
        /// Added to the variance.
        epsilon: f32,
    },
}

impl Norm {
    /// Normalizes the last dimension.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.contiguous()?;
        if is_for_kernels(&x) {
            return Ok(x.apply_op1_no_bwd(self)?);
        }
        if let Some(normalized) = cuda::normalized(&x, None, &self.normalizing())? {
            return Ok(normalized);
        }
        Ok(match self {
            Norm::Rms { weight, epsilon } => candle_nn::ops::rms_norm(&x, weight, *epsilon)?,
            Norm::Layer { weight, bias, epsilon } => {
                candle_nn::ops::layer_norm(&x, weight, bias, *epsilon)?
            }
        })
    }

    /// Normalizes `x + y`, two tensors of the same shape.
    pub fn of_sum(&self, x: &Tensor, y: &LinearOutput) -> Result<Tensor> {
        if !is_for_kernels(x)
            && let Some(normalized) = cuda::normalized(x, Some(y.parts()), &self.normalizing())?
        {
            return Ok(normalized);
        }
        self.forward(&add(x, &y.value()?)?)
    }

    fn normalizing(&self) -> Normalizing<'_> {
        match self {
            Norm::Rms { weight, epsilon } => Normalizing { weight, bias: None, epsilon: *epsilon },
            Norm::Layer { weight, bias, epsilon } => {
                Normalizing { weight, bias: Some(bias), epsilon: *epsilon }
            }
        }
    }
}

impl CustomOp1 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut out = cpu_slice(storage, layout)?.to_vec();
        let width = layout.shape().dims().last().copied().unwrap_or(0);
        let fits = |weight: &[f32]| {
            if weight.len() == width {
                Ok(())
            } else {
                candle_core::bail!("a norm of {} got {width}", weight.len())
            }
        };
        match self {
            Norm::Rms { weight, epsilon } => with_slice(weight, |weight| {
                fits(weight)?;
                kernel::rms_norm(&mut out, weight, *epsilon);
                Ok(())
            }),
            Norm::Layer { weight, bias, epsilon } => with_slice(weight, |weight| {
                fits(weight)?;
                with_slice(bias, |bias| kernel::layer_norm(&mut out, weight, bias, *epsilon))
                    .map_err(candle_core::Error::wrap)
            }),
        }
        .map_err(candle_core::Error::wrap)??;
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// Whether the kernels can compute with a tensor.
pub(super) fn is_for_kernels(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
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

struct Add;

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        y: &CpuStorage,
        yl: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        if xl.shape() != yl.shape() {
            candle_core::bail!("a sum of {:?} and {:?}", xl.shape(), yl.shape());
        }
        let mut out = cpu_slice(x, xl)?.to_vec();
        kernel::add(&mut out, cpu_slice(y, yl)?);
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }
}
