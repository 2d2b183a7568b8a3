//! The output layer's weights: the embedding's ("tied"), or some of their own.
//!
//! Published files leave a tied weight out or repeat it, under either of its names; reference:
//! `tie_weights` of `transformers` 5, which ties what is left out, or is there twice and equal.

use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};

/// Rows that are compared at a time.
const ROWS: usize = 256;

/// The name of the embedding: the first of `names` that is there, or the output layer's where the
/// configuration ties the two.
pub(super) fn embedding<'a>(
    weights: &dyn Weights,
    names: &[&'a str],
    output: &'a str,
    tied: bool,
) -> Option<&'a str> {
    let tied = tied.then_some(output);
    names.iter().copied().chain(tied).find(|name| weights.has(name))
}

/// Whether the output layer has weights of its own beside an embedding of that name, of `dim`
/// numbers a token; `tied` is what the configuration says.
///
/// # Errors
/// When they are missing, and the configuration does not tie them.
pub(super) fn is_separate(
    weights: &dyn Weights,
    embedding: &str,
    output: &str,
    dim: usize,
    tied: bool,
) -> Result<bool> {
    if !tied && !weights.has(output) {
        let message = format!(
            "weight {output} is missing, and its configuration does not tie it to the embedding (tie_word_embeddings); \
             fetch the model again, or set \"tie_word_embeddings\": true if you know that the two are one"
        );
        return Err(Error::model(weights.model(), message));
    }
    if embedding == output || !weights.has(output) {
        return Ok(false);
    }
    if !tied {
        return Ok(true);
    }
    let [embedding, own] = [embedding, output].map(|name| weights.get_rows_reader(name, dim));
    Ok(!are_equal(&embedding?, &own?)?)
}

fn are_equal(a: &MatrixReader<'_>, b: &MatrixReader<'_>) -> Result<bool> {
    if (a.rows, a.width) != (b.rows, b.width) {
        return Ok(false);
    }
    let mut read = [Vec::new(), Vec::new()];
    for first in (0..a.rows).step_by(ROWS) {
        let range = first..(first + ROWS).min(a.rows);
        for (matrix, numbers) in [a, b].into_iter().zip(&mut read) {
            numbers.resize(range.len() * a.width, 0.0);
            matrix.read(range.clone(), numbers)?;
        }
        if read[0] != read[1] {
            return Ok(false);
        }
    }
    Ok(true)
}
