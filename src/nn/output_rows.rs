//! Some rows of an output layer, side by side.

use super::OutputLayer;
use super::matrix::Matrix;
use crate::checkpoint::with_slice;
use crate::error::Result;
use crate::kernel::Packed;
use candle_core::Tensor;

/// Rows of an output layer in main memory, copied one by one as they are wanted.
pub struct OutputRows {
    packed: Packed,
    bias: Option<Vec<f32>>,
}

impl OutputRows {
    /// Room for as many rows as the layer has, of which none is there yet; `None` where the layer
    /// is on a device.
    pub fn new(layer: &OutputLayer) -> Option<OutputRows> {
        let Matrix::Packed(packed) = &layer.matrix else { return None };
        let bias = layer.bias.as_ref().map(|bias| vec![0.0; bias.len()]);
        Some(OutputRows { packed: packed.zeros_like(layer.vocabulary()), bias })
    }

    /// Puts a token's row in a place.
    ///
    /// # Errors
    /// When the layer is on a device.
    pub fn put(&mut self, place: usize, layer: &OutputLayer, token: u32) -> Result<()> {
        let Matrix::Packed(all) = &layer.matrix else {
            return Err(candle_core::Error::msg("rows of a layer that is on a device").into());
        };
        self.packed.copy_row(place, all, token as usize);
        if let (Some(own), Some(bias)) = (&mut self.bias, &layer.bias) {
            own[place] = bias[token as usize];
        }
        Ok(())
    }

    /// The logits of the first `count` places after each row of `hidden`, (rows, dim): (rows,
    /// count).
    pub fn logits(&self, hidden: &Tensor, count: usize) -> Result<Vec<f32>> {
        let bias = self.bias.as_ref().map(|bias| &bias[..count]);
        with_slice(&hidden.contiguous()?, |x| self.packed.matmul_first(count, x, bias))
    }
}
