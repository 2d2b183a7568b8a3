//! The kernels of the CPU as operations on candle's tensors.

use crate::checkpoint::{cpu_slice, with_slice};
use crate::kernel::{self, Activation};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

/// Normalization of rows: by their mean and variance where there is a bias, else by their root mean
/// square.
pub(super) struct Normalize<'a> {
    /// (width)
    pub weight: &'a Tensor,
    /// (width)
    pub bias: Option<&'a Tensor>,
    /// Added to the variance or the mean square.
    pub epsilon: f32,
}

impl CustomOp1 for Normalize<'_> {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = cpu_slice(storage, layout)?.to_vec();
        self.rows(&mut out, layout.shape())?;
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

impl Normalize<'_> {
    /// Normalizes the rows of `out`, which are as wide as the last dimension.
    fn rows(&self, out: &mut [f32], shape: &Shape) -> Result<()> {
        let width = shape.dims().last().copied().unwrap_or(0);
        let normalize = |weight: &[f32]| {
            if weight.len() != width {
                candle_core::bail!("a norm of {} got {width}", weight.len())
            }
            match self.bias {
                None => kernel::rms_norm(out, weight, self.epsilon),
                Some(bias) => {
                    with_slice(bias, |bias| kernel::layer_norm(out, weight, bias, self.epsilon))
                        .map_err(candle_core::Error::wrap)?
                }
            }
            Ok(())
        };
        with_slice(self.weight, normalize).map_err(candle_core::Error::wrap)?
    }
}

/// The sum of two tensors of the same shape, normalized.
impl CustomOp2 for Normalize<'_> {
    fn name(&self) -> &'static str {
        "norm-of-sum"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        y: &CpuStorage,
        yl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut out = sum(x, xl, y, yl)?;
        self.rows(&mut out, xl.shape())?;
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }
}

/// `x + y` of two tensors of the same shape.
pub(super) struct Add;

fn sum(x: &CpuStorage, xl: &Layout, y: &CpuStorage, yl: &Layout) -> Result<Vec<f32>> {
    if xl.shape() != yl.shape() {
        candle_core::bail!("a sum of {:?} and {:?}", xl.shape(), yl.shape());
    }
    let mut out = cpu_slice(x, xl)?.to_vec();
    kernel::add(&mut out, cpu_slice(y, yl)?);
    Ok(out)
}

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
    ) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(sum(x, xl, y, yl)?), xl.shape().clone()))
    }
}

/// `activation(gate) · up` of rows of `[gate | up]`.
pub(super) struct Gate(pub Activation);

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let out = kernel::gated(self.0, cpu_slice(storage, layout)?, width / 2);
        Ok((CpuStorage::F32(out), (rows, width / 2).into()))
    }
}
