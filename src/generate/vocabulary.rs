//! Restricting the output to the tokens that a language can use.

use crate::error::Result;
use crate::kernel::Best;
use crate::nn::OutputLayer;
use candle_core::Tensor;

/// Which tokens may be written, and the output layer for just these.
pub(super) struct Vocabulary {
    /// Ascending; `None` for every token of the model.
    tokens: Option<Vec<u32>>,
    /// The layer's rows for `tokens`; `None` to use the model's own.
    layer: Option<OutputLayer>,
}

impl Vocabulary {
    /// Every token.
    pub(super) fn all() -> Vocabulary {
        Vocabulary { tokens: None, layer: None }
    }

    /// Some of the tokens, ascending. Their rows are copied out of the layer, so that the others cost nothing.
    pub(super) fn some(tokens: Vec<u32>, output: &OutputLayer) -> Result<Vocabulary> {
        let layer = Some(output.select(&tokens)?);
        Ok(Vocabulary { tokens: Some(tokens), layer })
    }

    fn token(&self, column: usize) -> u32 {
        self.tokens.as_ref().map_or(column as u32, |t| t[column])
    }

    /// The columns that some ascending tokens have here.
    fn columns(&self, tokens: &[u32]) -> Vec<usize> {
        let column = |token: &u32| match &self.tokens {
            Some(all) => all.binary_search(token).ok(),
            None => Some(*token as usize),
        };
        tokens.iter().filter_map(column).collect()
    }

    /// The best token of each row of `hidden`, (rows, dim), and its log-probability, once `edits` has changed the logits.
    /// The logits are looked at block by block and never stored.
    pub(super) fn best(&self, hidden: &Tensor, output: &OutputLayer, edits: &[Edits]) -> Result<Vec<(u32, f32)>> {
        let columns: Vec<(Vec<usize>, Vec<usize>)> = edits.iter().map(|e| (self.columns(&e.banned), self.columns(&e.penalized))).collect();
        let mut best = vec![Best::default(); edits.len()];
        self.layer.as_ref().unwrap_or(output).blocks(hidden, |first, width, logits| {
            for (((row, logits), edit), (banned, penalized)) in best.iter_mut().zip(logits.chunks_exact_mut(width)).zip(edits).zip(&columns)
            {
                let within = |columns: &[usize]| {
                    let from = columns.partition_point(|&c| c < first);
                    from..columns.partition_point(|&c| c < first + width)
                };
                for &column in &penalized[within(penalized)] {
                    let logit = &mut logits[column - first];
                    *logit = if *logit > 0.0 { *logit / edit.penalty } else { *logit * edit.penalty };
                }
                for &column in &banned[within(banned)] {
                    logits[column - first] = f32::NEG_INFINITY;
                }
                match &edit.sampling {
                    None => row.update(first, logits),
                    Some(sampling) => {
                        logits.iter_mut().for_each(|l| *l /= sampling.temperature);
                        row.update_with_noise(first, logits, |column| sampling.gumbel(self.token(column)));
                    }
                }
            }
        })?;
        Ok(best.iter().map(|b| (self.token(b.column()), b.log_probability())).collect())
    }
}

/// What is done to one row's logits before a token is chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    /// Ascending.
    pub banned: Vec<u32>,
    /// Ascending.
    pub penalized: Vec<u32>,
    pub penalty: f32,
    pub sampling: Option<Sampling>,
}

/// Drawing from the softmax by adding Gumbel noise to the logits and taking the best (Gumbel 1954; Maddison et al. 2014):
/// it needs no second pass, and the noise of a token depends on the draw and the token alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub temperature: f32,
    /// Different for each seed and position.
    pub draw: u64,
}

impl Sampling {
    fn gumbel(&self, token: u32) -> f32 {
        let bits = mix(self.draw ^ mix(u64::from(token).wrapping_add(1)));
        // Uniform in (0, 1): the middle of one of 2^23 steps, which f32 holds exactly.
        let uniform = ((bits >> 41) as f32 + 0.5) / 8_388_608.0;
        -(-uniform.ln()).ln()
    }
}

/// SplitMix64's finalizer (Steele et al. 2014).
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
