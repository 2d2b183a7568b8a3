//! The embedding of tokens.

use super::matrix::Matrix;
use super::{Backend, OutputLayer};
use crate::checkpoint::MatrixReader;
use crate::error::Result;
use candle_core::Tensor;

/// The vectors of the vocabulary's tokens.
pub struct Embedding {
    matrix: Matrix,
    vocabulary: usize,
}

impl Embedding {
    /// An embedding whose weights are (vocabulary, dim).
    pub fn new(weights: &MatrixReader<'_>, backend: &Backend) -> Result<Embedding> {
        let matrix = Matrix::new(weights, backend)?.padded()?;
        Ok(Embedding { matrix, vocabulary: weights.rows })
    }

    /// The vectors of some tokens, (tokens, dim).
    ///
    /// # Errors
    /// When one of them is not in the vocabulary.
    pub fn forward(&self, tokens: &[u32]) -> Result<Tensor> {
        if let Some(bad) = tokens.iter().find(|&&t| t as usize >= self.vocabulary) {
            return Err(candle_core::Error::Msg(format!(
                "token {bad} in a vocabulary of {}",
                self.vocabulary
            ))
            .into());
        }
        self.matrix.rows(tokens)
    }

    /// The output layer that shares these weights.
    pub fn tied_output(&self) -> OutputLayer {
        OutputLayer::tied(self.matrix.clone(), self.vocabulary)
    }
}
