//! Normalization of the last dimension.

use crate::error::Result;
use candle_core::Tensor;

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
        Ok(match self {
            Norm::Rms { weight, epsilon } => candle_nn::ops::rms_norm(&x, weight, *epsilon)?,
            Norm::Layer { weight, bias, epsilon } => candle_nn::ops::layer_norm(&x, weight, bias, *epsilon)?,
        })
    }
}
