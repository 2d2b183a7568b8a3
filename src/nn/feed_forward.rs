//! Feed-forward layers: plain (Vaswani et al. 2017) and gated (Shazeer 2020, GLU variants).

use super::linear::on_device;
use super::norm::is_for_kernels;
use super::{Linear, LinearOutput};
use crate::checkpoint::cpu_slice;
use crate::error::Result;
use crate::kernel::{self, Activation, cuda};
use candle_core::{CpuStorage, CustomOp1, D, Layout, Shape, Tensor};

/// `down(activation(up(x)))`, or `down(activation(gate(x)) · up(x))`.
pub struct FeedForward {
    up: Linear,
    down: Linear,
    activation: Activation,
    gated: bool,
}

impl FeedForward {
    /// `up` is dim → hidden, `down` hidden → dim.
    pub fn plain(up: Linear, down: Linear, activation: Activation) -> FeedForward {
        FeedForward { up, down, activation, gated: false }
    }

    /// `gate_up` is dim → 2 · hidden, the gate's outputs first; `down` is hidden → dim.
    pub fn gated(gate_up: Linear, down: Linear, activation: Activation) -> FeedForward {
        FeedForward { up: gate_up, down, activation, gated: true }
    }

    /// (tokens, dim) to (tokens, dim).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.down.forward(&self.raised(x)?)
    }

    /// The same for a sum, see [`super::Norm::of_sum`].
    pub fn product(&self, x: &Tensor) -> Result<LinearOutput> {
        self.down.product(&self.raised(x)?)
    }

    /// (tokens, dim) to (tokens, hidden).
    fn raised(&self, x: &Tensor) -> Result<Tensor> {
        if !self.gated {
            return self.up.activated(x, self.activation);
        }
        let up = self.up.forward(x)?;
        if is_for_kernels(&up) {
            return Ok(up.apply_op1_no_bwd(&Gate { activation: self.activation })?);
        }
        if let Some(gated) = cuda::gated(&up, self.activation)? {
            return Ok(gated);
        }
        let hidden = up.dim(D::Minus1)? / 2;
        Ok((on_device(self.activation, &up.narrow(D::Minus1, 0, hidden)?)?
            * up.narrow(D::Minus1, hidden, hidden)?)?)
    }
}

/// `activation(gate) · up` of rows of `[gate | up]`.
struct Gate {
    activation: Activation,
}

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let out = kernel::gated(self.activation, cpu_slice(storage, layout)?, width / 2);
        Ok((CpuStorage::F32(out), (rows, width / 2).into()))
    }
}
