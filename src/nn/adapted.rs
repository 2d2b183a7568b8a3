//! Weights with an adapter merged into them.

use super::weights::{MatrixReader, Weights};
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// What low-rank adaptation adds to a weight matrix: `scale · B · A` (Hu et al. 2021, LoRA).
#[derive(Clone, Debug)]
pub struct LowRank {
    /// A: (rank, input features).
    pub down: Tensor,
    /// B: (output features, rank).
    pub up: Tensor,
    /// What the product is multiplied with.
    pub scale: f64,
}

impl LowRank {
    fn added_to<'a>(&self, table: MatrixReader<'a>) -> Result<MatrixReader<'a>> {
        table.plus(&self.up, &(&self.down * self.scale)?)
    }
}

/// What an adapter has for a model, by the names of the modules that `transformers` has
/// (`model.layers.0.self_attn.q_proj`), or of weights.
#[derive(Clone, Debug, Default)]
pub struct AdapterDelta {
    /// What is added to weight matrices.
    pub added: BTreeMap<String, LowRank>,
    /// What inputs are divided by: see [`Weights::smoothing`].
    pub smoothing: BTreeMap<String, Tensor>,
}

/// Weights to some of which something is added when they are read: the layers, and the kernels that
/// pack and quantize them, see the sum.
pub struct LoraMerged<'a> {
    weights: &'a dyn Weights,
    changes: AdapterDelta,
}

impl<'a> LoraMerged<'a> {
    /// The changes are by the names of the weights.
    pub fn new(weights: &'a dyn Weights, changes: AdapterDelta) -> LoraMerged<'a> {
        LoraMerged { weights, changes }
    }

    /// What is added to a weight, which has the shape that was found.
    fn added(&self, name: &str, found: &[usize]) -> Result<Option<&LowRank>> {
        let Some(low_rank) = self.changes.added.get(name) else { return Ok(None) };
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

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        let table = self.weights.get_rows_reader(name, width)?;
        let added = self.added(name, &[table.rows, table.width])?;
        match added {
            Some(low_rank) => low_rank.added_to(table),
            None => Ok(table),
        }
    }

    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        let Some(smoothing) = self.changes.smoothing.get(name) else { return Ok(None) };
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
        let added = self.added(name, weight.dims())?;
        match added {
            Some(low_rank) => low_rank.added_to(MatrixReader::of(weight)?)?.all(),
            None => Ok(weight),
        }
    }
}
