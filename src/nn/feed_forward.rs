//! Feed-forward layers: plain (Vaswani et al. 2017) and gated (Shazeer 2020, GLU variants).

use super::{Linear, LinearOutput, ops};
use crate::error::Result;
use crate::kernel::Activation;
use candle_core::Tensor;

/// `down(activation(up(x)))`, or `down(activation(gate(x)) · up(x))`.
pub struct FeedForward {
    up: Linear,
    down: Linear,
    activation: Activation,
    gated: bool,
}

impl FeedForward {
    /// A layer without a gate; `up` is dim → hidden, `down` hidden → dim.
    pub fn plain(up: Linear, down: Linear, activation: Activation) -> FeedForward {
        FeedForward { up, down, activation, gated: false }
    }

    /// A layer with a gate; `gate_up` is dim → 2 · hidden, the gate's outputs first, `down` is
    /// hidden → dim.
    pub fn gated(gate_up: Linear, down: Linear, activation: Activation) -> FeedForward {
        FeedForward { up: gate_up, down, activation, gated: true }
    }

    /// (tokens, dim) to (tokens, dim).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.down.forward(&self.hidden(x)?)
    }

    /// The output for a sum, see [`super::Norm::forward_sum`].
    pub fn output(&self, x: &Tensor) -> Result<LinearOutput> {
        self.down.output(&self.hidden(x)?)
    }

    /// (tokens, dim) to (tokens, hidden).
    fn hidden(&self, x: &Tensor) -> Result<Tensor> {
        if self.gated {
            ops::gate(&self.up.forward(x)?, self.activation)
        } else {
            self.up.activated(x, self.activation)
        }
    }
}
