//! Feed-forward layers: plain (Vaswani et al. 2017) and gated (Shazeer 2020, GLU variants).

use super::{Linear, cpu_slice};
use crate::error::Result;
use crate::kernel::{self, Activation};
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
        let up = self.up.forward(x)?;
        let activated = if up.device().is_cpu() {
            up.apply_op1_no_bwd(&Activate { activation: self.activation, gated: self.gated })?
        } else if self.gated {
            let hidden = up.dim(D::Minus1)? / 2;
            (self.on_device(&up.narrow(D::Minus1, 0, hidden)?)? * up.narrow(D::Minus1, hidden, hidden)?)?
        } else {
            self.on_device(&up)?
        };
        self.down.forward(&activated)
    }

    fn on_device(&self, x: &Tensor) -> Result<Tensor> {
        Ok(match self.activation {
            Activation::Silu => x.silu()?,
            Activation::GeluTanh => x.gelu()?,
            Activation::Gelu => x.gelu_erf()?,
            Activation::Relu => x.relu()?,
        })
    }
}

struct Activate {
    activation: Activation,
    gated: bool,
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let x = cpu_slice(storage, layout)?;
        if !self.gated {
            let mut out = x.to_vec();
            kernel::activate(self.activation, &mut out);
            return Ok((CpuStorage::F32(out), (rows, width).into()));
        }
        let mut out = vec![0.0; rows * width / 2];
        kernel::gated(self.activation, x, width / 2, &mut out);
        Ok((CpuStorage::F32(out), (rows, width / 2).into()))
    }
}
