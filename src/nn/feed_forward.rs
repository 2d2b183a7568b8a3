//! Feed-forward layers: plain (Vaswani et al. 2017) and gated (Shazeer 2020, GLU variants).

use super::{Linear, LinearOutput, ops};
use crate::error::Result;
use crate::kernel::Activation;
use candle_core::Tensor;

/// Numbers between the two layers that the kernels compute at once, at most: 16 MiB. Beside it, a
/// prompt of 512 tokens would take more than twice that in a model of 1.5 billion weights.
const WIDEST: usize = 4 << 20;

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
        match self.in_parts(x, WIDEST) {
            Some(parts) => parts,
            None => self.down.forward(&self.hidden(x)?),
        }
    }

    /// The output for a sum, see [`super::Norm::forward_sum`].
    pub fn output(&self, x: &Tensor) -> Result<LinearOutput> {
        match self.in_parts(x, WIDEST) {
            Some(parts) => parts.map(LinearOutput::from),
            None => self.down.output(&self.hidden(x)?),
        }
    }

    /// The output, a part of the tokens after the other, so that no more than so many numbers lie
    /// between the two layers; `None` where there are no more, or a device computes.
    fn in_parts(&self, x: &Tensor, most: usize) -> Option<Result<Tensor>> {
        let width = self.up.kernel_outputs()?;
        let (rows, part) = (x.dim(0).ok()?, (most / width.max(1)).max(1));
        (rows > part).then(|| {
            let of = |first: usize| {
                let x = x.narrow(0, first, part.min(rows - first))?;
                self.down.forward(&self.hidden(&x)?)
            };
            let parts = (0..rows).step_by(part).map(of).collect::<Result<Vec<_>>>()?;
            Ok(Tensor::cat(&parts, 0)?)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::MatrixReader;
    use crate::kernel::Precision;
    use crate::nn::Backend;
    use candle_core::Device;

    #[test]
    fn parts_of_the_tokens_give_the_same() {
        for precision in [Precision::F32, Precision::Int8] {
            let backend = Backend::new(Device::Cpu, precision);
            let linear = |n: usize, k: usize| {
                let weights = Tensor::randn(0f32, 1.0, (n, k), &Device::Cpu).unwrap();
                Linear::new(&MatrixReader::from_tensor(weights).unwrap(), &backend).unwrap()
            };
            let layer = FeedForward::gated(linear(96, 32), linear(32, 48), Activation::Silu);
            let x = Tensor::randn(0f32, 1.0, (7, 32), &Device::Cpu).unwrap();
            let numbers = |x: &Tensor| x.to_vec2::<f32>().unwrap();
            let whole = numbers(&layer.forward(&x).unwrap());
            for most in [1, 96, 200, 96 * 3, 96 * 6] {
                let parts = layer.in_parts(&x, most).unwrap().unwrap();
                assert_eq!(numbers(&parts), whole, "{most}");
            }
            assert!(layer.in_parts(&x, 96 * 7).is_none());
        }
    }
}
