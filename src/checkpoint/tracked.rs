//! Weights that remember which of them a model has used.

use super::{MatrixReader, Weights};
use crate::error::Result;
use candle_core::Tensor;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Weights that remember which of them were used: read, or looked up with [`Weights::has`].
pub struct TrackedWeights<'a> {
    weights: &'a dyn Weights,
    used: Mutex<BTreeSet<String>>,
}

impl<'a> TrackedWeights<'a> {
    /// Tracks `weights`, none of which counts as used yet.
    pub fn new(weights: &'a dyn Weights) -> TrackedWeights<'a> {
        TrackedWeights { weights, used: Mutex::default() }
    }

    /// The names of the weights that were not used, in order.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.weights.names().into_iter().filter(|name| !used.contains(name)).collect()
    }

    fn note(&self, name: &str) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_string());
    }
}

impl Weights for TrackedWeights<'_> {
    fn model(&self) -> &str {
        self.weights.model()
    }

    fn has(&self, name: &str) -> bool {
        self.note(name);
        self.weights.has(name)
    }

    fn names(&self) -> Vec<String> {
        self.weights.names()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        self.note(name);
        self.weights.get(name)
    }

    fn get_integers(&self, name: &str) -> Result<Option<MatrixReader<'_>>> {
        self.note(name);
        self.weights.get_integers(name)
    }

    fn get_rows_reader(&self, name: &str, width: usize) -> Result<MatrixReader<'_>> {
        self.note(name);
        self.weights.get_rows_reader(name, width)
    }

    fn smoothing(&self, name: &str, inputs: usize) -> Result<Option<Tensor>> {
        self.weights.smoothing(name, inputs)
    }
}
