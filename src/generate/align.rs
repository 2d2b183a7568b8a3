//! Which source tokens a written token comes from: the weights of the decoder's attention to the
//! source, read off a finished pair.
//!
//! Generation itself never computes them: a finished output is read once more, all of its tokens at
//! once.

use super::{Alignment, Engine, Request};
use crate::arch::Encoder;
use crate::error::{Error, Result};
use crate::nn::{KvCache, SourceCache, Span};
use std::sync::Arc;

/// Tokens that are read in one go: what a layer makes of them bounds the memory.
const CHUNK: usize = 64;

/// The weights with which each of the tokens after the first `start` tokens was chosen, over the
/// tokens of the source: a row for each, the mean over the heads of a layer. With `next`, one row
/// more: that of the token after the last.
pub(super) fn weights(
    encoder: &dyn Encoder,
    source: Arc<SourceCache>,
    tokens: &[u32],
    start: usize,
    next: bool,
    layer: usize,
) -> Result<Vec<Vec<f32>>> {
    // A token is chosen after the one before it was read.
    let read = &tokens[..(tokens.len() + usize::from(next)).saturating_sub(1)];
    let mut cache = KvCache::reading(source);
    let mut rows = Vec::with_capacity(read.len());
    for chunk in read.chunks(CHUNK) {
        rows.extend(encoder.attention(&mut Span::new(chunk, &mut cache), layer)?.to_vec2::<f32>()?);
    }
    Ok(rows.split_off(start.saturating_sub(1).min(rows.len())))
}

/// The sum of the logarithms of the weights that the tokens of a source get in all, those above 1
/// as 1 (Wu et al. 2016). One without any weight does not count, as in CTranslate2: its logarithm
/// has no end.
pub(super) fn coverage(weights: &[Vec<f32>]) -> f32 {
    let columns = weights.first().map_or(0, Vec::len);
    let total = |column: usize| weights.iter().map(|row| row[column]).sum::<f32>();
    (0..columns).map(total).filter(|total| *total > 0.0).map(|total| total.min(1.0).ln()).sum()
}

impl Engine {
    /// See [`super::Generate::align`].
    pub(super) fn alignments(
        &self,
        pairs: &[(&Request, &[u32])],
        layer: Option<usize>,
    ) -> Result<Vec<Alignment>> {
        let Some(encoder) = self.model.encoder() else {
            let message = "it has no encoder, whose tokens could be aligned with what is written; take a translation model";
            return Err(Error::model(&self.id, message));
        };
        let layers = encoder.attention_layers();
        let layer = layer.unwrap_or(layers.saturating_sub(1));
        if layer >= layers {
            return Err(Error::Usage(format!(
                "layer {layer} is asked for; the decoder of {} has layers 0 to {}",
                self.id,
                layers - 1
            )));
        }
        let start = self.conventions.start.len();
        let mut alignments = Vec::with_capacity(pairs.len());
        let mut reading = Vec::with_capacity(pairs.len());
        for (request, output) in pairs {
            let source = self.source(encoder, request)?;
            let tokens = [&self.conventions.start, *output].concat();
            if tokens.len() > self.model.context_length() {
                return Err(self.too_long(tokens.len()));
            }
            let text = |ids: &[u32], of: &dyn Fn(u32) -> Option<String>| {
                ids.iter().map(|id| of(*id).unwrap_or_default()).collect()
            };
            alignments.push(Alignment {
                source: text(&source, &|id| self.tokenizer.source_token(id)),
                target: text(output, &|id| self.tokenizer.token(id)),
                weights: Vec::new(),
            });
            reading.push((source, tokens));
        }
        let (id, model) = (self.id.clone(), self.model.clone());
        let attend = move |(source, tokens): (Vec<u32>, Vec<u32>)| {
            let nothing = || Error::model(&id, "its encoder gave nothing back");
            let encoder = model.encoder().ok_or_else(nothing)?;
            let read = encoder.encode(&[&source])?.into_iter().next().ok_or_else(nothing)?;
            weights(encoder, read, &tokens, start, false, layer)
        };
        self.on_workers(reading, attend, |number, weights| {
            alignments[number].weights = weights;
            Ok(())
        })?;
        Ok(alignments)
    }
}

#[cfg(test)]
mod tests {
    use super::coverage;

    #[test]
    fn coverage_is_that_of_wu_et_al() {
        // The totals are 0.5, 1.5 and 0: ln 0.5 + ln 1.
        let weights = [vec![0.25, 0.75, 0.0], vec![0.25, 0.75, 0.0]];
        assert!((coverage(&weights) - 0.5f32.ln()).abs() < 1e-6);
        assert_eq!(coverage(&[]), 0.0);
    }
}
