//! Weights with a LoRA adapter merged into them.

use super::{MatrixReader, Weights};
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// The low-rank matrix `scale · B · A` that LoRA adds to a weight matrix (Hu et al. 2021).
#[derive(Clone, Debug)]
pub struct LowRank {
    /// A: (rank, input features).
    pub down: Tensor,
    /// B: (output features, rank).
    pub up: Tensor,
    /// The factor of the product.
    pub scale: f64,
}

impl LowRank {
    fn added_to<'a>(&self, matrix: MatrixReader<'a>) -> Result<MatrixReader<'a>> {
        matrix.add_low_rank(&self.up, &(&self.down * self.scale)?)
    }
}

/// The changes that an adapter makes to a model's weights, by the names of `transformers`' modules
/// (`model.layers.0.self_attn.q_proj`), or of weights.
#[derive(Clone, Debug, Default)]
pub struct AdapterDelta {
    /// The matrices added to weight matrices.
    pub added: BTreeMap<String, LowRank>,
    /// The SmoothQuant factors of weight matrices, see [`Weights::smoothing`].
    pub smoothing: BTreeMap<String, Tensor>,
}

/// Weights with an adapter's changes merged in while they are read: the layers, and the kernels
/// that pack and quantize, see the sum.
pub struct LoraMerged<'a> {
    weights: &'a dyn Weights,
    delta: AdapterDelta,
}

impl<'a> LoraMerged<'a> {
    /// Merges `delta`, which is by the names of the weights, into `weights`.
    pub fn new(weights: &'a dyn Weights, delta: AdapterDelta) -> LoraMerged<'a> {
        LoraMerged { weights, delta }
    }

    /// The matrix added to a weight, if there is one; `found` is the weight's shape.
    ///
    /// # Errors
    /// When it is made for another shape.
    fn low_rank(&self, name: &str, found: &[usize]) -> Result<Option<&LowRank>> {
        let Some(low_rank) = self.delta.added.get(name) else { return Ok(None) };
        let made_for = [low_rank.up.dim(0)?, low_rank.down.dim(1)?];
        if found != made_for {
            let message = format!(
                "the adapter is made for a weight {name} of the shape {made_for:?}, and it has {found:?}: it belongs to another model"
            );
            return Err(Error::model(self.model(), message));
        }
        Ok(Some(low_rank))
    }
}

impl Weights for LoraMerged<'_> {
    fn model(&self) -> &str {
        self.weights.model()
    }

    fn has(&self, name: &str) -> bool {
        self.weights.has(name)
    }

    fn names(&self) -> Vec<String> {
        self.weights.names()
    }

    fn get_integers(&self, name: &str) -> Result<Option<MatrixReader<'_>>> {
        // What an adapter changes are no integers any longer.
        if self.delta.added.contains_key(name) {
            return Ok(None);
        }
        self.weights.get_integers(name)
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        let matrix = self.weights.get_rows_reader(name, width)?;
        match self.low_rank(name, &[matrix.rows, matrix.width])? {
            Some(low_rank) => low_rank.added_to(matrix),
            None => Ok(matrix),
        }
    }

    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        let Some(smoothing) = self.delta.smoothing.get(name) else { return Ok(None) };
        if smoothing.dims() != [inputs] {
            let found = smoothing.elem_count();
            let message = format!(
                "the adapter's smoothing of {name} is for {found} inputs, and it has {inputs}: it belongs to another model"
            );
            return Err(Error::model(self.model(), message));
        }
        Ok(Some(smoothing.clone()))
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let weight = self.weights.get(name)?;
        match self.low_rank(name, weight.dims())? {
            Some(low_rank) => low_rank.added_to(MatrixReader::from_tensor(weight)?)?.all(),
            None => Ok(weight),
        }
    }
}
