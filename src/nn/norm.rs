//! Normalization of the last dimension, and the sum that stands before or after it.

use super::cpu_ops::Normalize;
use super::{LinearOutput, ops};
use crate::error::Result;
use candle_core::Tensor;

/// A normalization layer.
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
        ops::normalize(&self.normalize(), x)
    }

    /// Normalizes `x + y`, two tensors of the same shape.
    pub fn forward_sum(&self, x: &Tensor, y: &LinearOutput) -> Result<Tensor> {
        ops::normalize_sum(&self.normalize(), x, y.parts())
    }

    fn normalize(&self) -> Normalize<'_> {
        match self {
            Norm::Rms { weight, epsilon } => Normalize { weight, bias: None, epsilon: *epsilon },
            Norm::Layer { weight, bias, epsilon } => {
                Normalize { weight, bias: Some(bias), epsilon: *epsilon }
            }
        }
    }
}
