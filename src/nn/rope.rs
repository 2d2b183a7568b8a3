//! Rotary position embedding (Su et al. 2021), in the half-split layout of `transformers`.

use super::Backend;
use crate::error::Result;
use candle_core::{Device, Tensor};

/// Rotation of heads of width `dim` by angles `position / base^(2i/dim)`.
#[derive(Clone, Debug)]
pub struct Rope {
    inverse_frequencies: Vec<f32>,
}

/// Cosines and sines of the positions of a batch, each (tokens, dim / 2).
pub struct Angles {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// The rotation of heads of width `dim`.
    pub fn new(dim: usize, base: f64) -> Rope {
        Rope {
            inverse_frequencies: (0..dim / 2)
                .map(|i| (1.0 / base.powf((2 * i) as f64 / dim as f64)) as f32)
                .collect(),
        }
    }

    /// The angles of a batch's positions.
    pub fn angles(&self, positions: &[usize], backend: &Backend) -> Result<Angles> {
        let shape = (positions.len(), self.inverse_frequencies.len());
        let angles = positions
            .iter()
            .flat_map(|&p| self.inverse_frequencies.iter().map(move |f| p as f32 * f));
        let (cos, sin): (Vec<f32>, Vec<f32>) = angles.map(|a| (a.cos(), a.sin())).unzip();
        let place =
            |values: Vec<f32>| backend.place(&Tensor::from_vec(values, shape, &Device::Cpu)?);
        Ok(Angles { cos: place(cos)?, sin: place(sin)? })
    }
}

impl Angles {
    /// Rotates (tokens, heads, dim).
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.contiguous()?.unsqueeze(0)?;
        Ok(candle_nn::rotary_emb::rope_thd(&x, &self.cos, &self.sin)?.squeeze(0)?)
    }
}
