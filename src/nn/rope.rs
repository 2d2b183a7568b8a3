//! Rotary position embedding (Su et al. 2021), in the half-split layout of `transformers`.

use super::{Backend, RopeScaling};
use crate::error::Result;
use candle_core::{Device, Tensor};

/// Rotation of the first numbers of each head by angles `position / base^(2i/dim)`, scaled or not.
#[derive(Clone, Debug)]
pub struct Rope {
    inverse_frequencies: Vec<f32>,
    /// Factor of what is rotated.
    factor: f32,
}

/// Cosines and sines of the positions of a batch, each (tokens, dim / 2).
pub struct Angles {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// The rotation of the first `dim` numbers of heads.
    pub fn new(dim: usize, base: f64, scaling: &RopeScaling) -> Rope {
        Rope {
            inverse_frequencies: scaling
                .frequencies(dim, base)
                .into_iter()
                .map(|f| f as f32)
                .collect(),
            factor: scaling.attention_factor() as f32,
        }
    }

    /// The angles of a batch's positions.
    pub fn angles(&self, positions: &[usize], backend: &Backend) -> Result<Angles> {
        let shape = (positions.len(), self.inverse_frequencies.len());
        let angles = positions
            .iter()
            .flat_map(|&p| self.inverse_frequencies.iter().map(move |f| p as f32 * f));
        let (cos, sin): (Vec<f32>, Vec<f32>) =
            angles.map(|a| (a.cos() * self.factor, a.sin() * self.factor)).unzip();
        let place =
            |values: Vec<f32>| backend.place(&Tensor::from_vec(values, shape, &Device::Cpu)?);
        Ok(Angles { cos: place(cos)?, sin: place(sin)? })
    }
}

impl Angles {
    /// Rotates (tokens, heads, dim); what a head has beyond the angles' numbers stays as it is.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let (rotated, dim) = (2 * self.cos.dim(1)?, x.dim(2)?);
        let rotate = |x: &Tensor| -> Result<Tensor> {
            let x = x.contiguous()?.unsqueeze(0)?;
            Ok(candle_nn::rotary_emb::rope_thd(&x, &self.cos, &self.sin)?.squeeze(0)?)
        };
        if rotated == dim {
            return rotate(x);
        }
        let rest = x.narrow(2, rotated, dim - rotated)?;
        Ok(Tensor::cat(&[&rotate(&x.narrow(2, 0, rotated)?)?, &rest], 2)?.contiguous()?)
    }
}
