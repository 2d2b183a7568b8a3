//! Which source tokens a written token comes from: the weights of the decoder's attention to the
//! source, read off a finished pair.
//!
//! Generation itself never computes them: a finished output is read once more, all of its tokens at
//! once.

use super::attention::{Heads, weights};
use super::{Alignment, Engine, Request};
use crate::error::{Error, Result};

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
        // Of a layer that is asked for, all heads are of interest.
        let heads = match layer {
            None => encoder.aligning_head().map_or(Heads::Mean, Heads::One),
            Some(_) => Heads::Mean,
        };
        let layer = layer.unwrap_or(layers.saturating_sub(1));
        if layer >= layers {
            return Err(Error::Usage(format!(
                "layer {layer} is asked for; the decoder of {} has layers 0 to {}",
                self.id,
                layers - 1
            )));
        }
        let start = self.config.start.len();
        let mut alignments = Vec::with_capacity(pairs.len());
        let mut reading = Vec::with_capacity(pairs.len());
        for (request, output) in pairs {
            let source = self.source(encoder, request)?;
            let tokens = [&self.config.start, *output].concat();
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
            weights(encoder, read, &tokens, start, false, (layer, heads))
        };
        self.on_workers(reading, attend, |number, weights| {
            alignments[number].weights = weights;
            Ok(())
        })?;
        Ok(alignments)
    }
}
