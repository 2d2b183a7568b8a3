//! Gated feed-forward layers (Shazeer 2020, GLU variants).

use super::{Backend, Linear, cpu_slice};
use crate::error::Result;
use crate::kernel::{self, Activation};
use candle_core::{CpuStorage, CustomOp1, D, Layout, Shape, Tensor};

/// `down(activation(gate(x)) · up(x))`.
pub struct FeedForward {
    gate_up: Linear,
    down: Linear,
    activation: Activation,
}

impl FeedForward {
    /// `gate` and `up` are (hidden, dim), `down` is (dim, hidden).
    pub fn new(gate: Tensor, up: Tensor, down: Tensor, activation: Activation, backend: &Backend) -> Result<FeedForward> {
        Ok(FeedForward { gate_up: Linear::new(&[gate, up], backend)?, down: Linear::new(&[down], backend)?, activation })
    }

    /// (tokens, dim) to (tokens, dim).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gate_up = self.gate_up.forward(x)?; // (tokens, 2 · hidden)
        let gated = if gate_up.device().is_cpu() {
            gate_up.apply_op1_no_bwd(&Gated(self.activation))?
        } else {
            let hidden = gate_up.dim(D::Minus1)? / 2;
            let gate = gate_up.narrow(D::Minus1, 0, hidden)?;
            let gate = match self.activation {
                Activation::Silu => gate.silu()?,
                Activation::GeluTanh => gate.gelu()?,
            };
            (gate * gate_up.narrow(D::Minus1, hidden, hidden)?)?
        };
        self.down.forward(&gated)
    }
}

struct Gated(Activation);

impl CustomOp1 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let mut out = vec![0.0; rows * width / 2];
        kernel::gated(self.0, cpu_slice(storage, layout)?, width / 2, &mut out);
        Ok((CpuStorage::F32(out), (rows, width / 2).into()))
    }
}
