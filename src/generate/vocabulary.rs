//! Choosing the next tokens: the output layer's logits, what the rules change in them, and the best
//! that are left.

use super::selection::{Places, Selection};
use crate::error::Result;
use crate::kernel::TopK;
use crate::nn::{LogSumExp, OutputLayer, TopKRequest};
use candle_core::Tensor;

/// Banned tokens up to which a device looks for the best: it looks for as many more.
const MOST_BANNED_ON_DEVICE: usize = 256;

/// Which tokens may be written, and the output layer for just these.
pub(super) struct Vocabulary {
    /// Ascending; `None` for every token of the model.
    tokens: Option<Vec<u32>>,
    layer: Layer,
}

/// Where the logits of a vocabulary's tokens come from.
enum Layer {
    /// The model's own layer.
    Whole,
    /// The layer's rows for the tokens.
    Own(OutputLayer),
    /// Places in a worker's selection of rows.
    Shared(Places),
}

/// A token that may come next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub token: u32,
    /// Under the model's distribution; of a beam, what the rules make of it.
    pub log_probability: f32,
}

/// What is done to one row's logits before tokens are chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct LogitsEdits {
    /// Ascending.
    pub banned: Vec<u32>,
    /// Tokens, ascending, and their penalties.
    pub penalized: Vec<(u32, f32)>,
    /// The one token that may come.
    pub forced: Option<u32>,
    pub sampling: Option<Sampling>,
    /// How many candidates are wanted.
    pub keep: usize,
    /// Whether the rules apply to log-probabilities, as in beam search, or to logits.
    pub of_beam: bool,
    /// Whether the candidates need their log-probabilities; otherwise these are zero.
    pub scored: bool,
    /// Tokens, ascending, that are candidates in any case: those that are not among the best come
    /// after these.
    pub wanted: Vec<u32>,
}

/// How one row's choice goes on.
struct Choice<'a> {
    edits: &'a LogitsEdits,
    /// The columns of the banned and of the penalized tokens.
    banned: Vec<usize>,
    penalized: Vec<(usize, f32)>,
    best: TopK,
    /// What is known of all logits, where some of them are never looked at.
    all: Option<LogSumExp>,
    /// The penalized columns of a beam, which are left out of `best`, with their logits and
    /// penalties.
    penalized_logits: Vec<(usize, f32, f32)>,
    /// The columns of the wanted tokens, and their logits.
    wanted: Vec<(usize, f32)>,
    /// All logits, where the draw depends on their order.
    row: Vec<f32>,
}

impl Vocabulary {
    /// Every token.
    pub(super) fn all() -> Vocabulary {
        Vocabulary { tokens: None, layer: Layer::Whole }
    }

    /// Some of the tokens, ascending. Their rows are copied out of the layer, so that the others
    /// cost nothing.
    pub(super) fn some(tokens: Vec<u32>, output: &OutputLayer) -> Result<Vocabulary> {
        let layer = Layer::Own(output.select(&tokens)?);
        Ok(Vocabulary { tokens: Some(tokens), layer })
    }

    /// Those of its tokens that are among `tokens`, which are ascending. Their logits come from a
    /// selection that others share, if there is one: see [`Vocabulary::places`].
    pub(super) fn among(
        &self,
        mut tokens: Vec<u32>,
        output: &OutputLayer,
        selection: Option<&mut Selection>,
    ) -> Result<Vocabulary> {
        tokens.retain(|&token| self.column(token).is_some());
        let Some(selection) = selection else { return Vocabulary::some(tokens, output) };
        let layer = Layer::Shared(selection.take_up(&tokens, output)?);
        Ok(Vocabulary { tokens: Some(tokens), layer })
    }

    /// The places of its tokens in the selection that they are in, if they are in one.
    pub(super) fn places(&self) -> Option<&Places> {
        match &self.layer {
            Layer::Shared(places) => Some(places),
            Layer::Whole | Layer::Own(_) => None,
        }
    }

    /// The best tokens after a row whose logits, one for each token, are there already; see
    /// [`Vocabulary::candidates`].
    pub(super) fn candidates_of(&self, logits: &mut [f32], edits: &LogitsEdits) -> Vec<Candidate> {
        let mut choice = self.choice(edits);
        choice.look(0, logits, |column| self.token(column));
        choice.candidates(|column| self.token(column))
    }

    /// The layer that gives the logits, of a vocabulary that is in no selection.
    fn layer<'a>(&'a self, output: &'a OutputLayer) -> Result<&'a OutputLayer> {
        match &self.layer {
            Layer::Whole => Ok(output),
            Layer::Own(layer) => Ok(layer),
            Layer::Shared(_) => {
                let message = "the logits of a selection are computed for all at once";
                Err(candle_core::Error::msg(message).into())
            }
        }
    }

    /// Whether it is of these tokens.
    pub(super) fn is(&self, tokens: &[u32]) -> bool {
        self.tokens.as_ref().is_some_and(|own| own == tokens)
    }

    /// How many tokens, where these are not all.
    pub(super) fn size(&self) -> Option<usize> {
        self.tokens.as_ref().map(Vec::len)
    }

    fn token(&self, column: usize) -> u32 {
        self.tokens.as_ref().map_or(column as u32, |t| t[column])
    }

    /// The column that a token has here.
    fn column(&self, token: u32) -> Option<usize> {
        match &self.tokens {
            Some(all) => all.binary_search(&token).ok(),
            None => Some(token as usize),
        }
    }

    /// The best tokens of each row of `hidden`, (rows, dim), once `edits` has changed the logits,
    /// best first. The logits are looked at block by block and, as a rule, never stored.
    pub(super) fn candidates(
        &self,
        hidden: &Tensor,
        output: &OutputLayer,
        edits: &[LogitsEdits],
    ) -> Result<Vec<Vec<Candidate>>> {
        let choice = |edits| self.choice(edits);
        let mut choices: Vec<Choice<'_>> = edits.iter().map(choice).collect();
        let output = self.layer(output)?;
        // A draw may take any token.
        // Only constraints ban so many, and a device would look for as many more.
        let is_plain = |edits: &LogitsEdits| {
            edits.sampling.is_none() && edits.banned.len() <= MOST_BANNED_ON_DEVICE
        };
        if output.is_on_device() && edits.iter().all(is_plain) {
            let wanted: Vec<TopKRequest> = choices.iter().map(Choice::request).collect();
            output.top_k_device(
                hidden,
                &wanted,
                edits.iter().any(|edits| edits.scored),
                |row, all, first, logits| {
                    choices[row].all = all;
                    choices[row].look(first, logits, |column| self.token(column));
                },
            )?;
        } else {
            output.blocks(hidden, |first, width, logits| {
                for (choice, logits) in choices.iter_mut().zip(logits.chunks_exact_mut(width)) {
                    choice.look(first, logits, |column| self.token(column));
                }
            })?;
        }
        Ok(choices
            .into_iter()
            .map(|choice| choice.candidates(|column| self.token(column)))
            .collect())
    }

    /// The log-probability of one token after each row of `hidden`, (rows, dim), among those of the
    /// vocabulary and that token itself.
    pub(super) fn log_probabilities(
        &self,
        hidden: &Tensor,
        output: &OutputLayer,
        tokens: &[u32],
    ) -> Result<Vec<f32>> {
        let columns: Vec<Option<usize>> = tokens.iter().map(|&token| self.column(token)).collect();
        let mut all: Vec<TopK> = tokens.iter().map(|_| TopK::new(1)).collect();
        let mut own = vec![f32::NEG_INFINITY; tokens.len()];
        self.layer(output)?.blocks(hidden, |first, width, logits| {
            for (row, logits) in logits.chunks_exact_mut(width).enumerate() {
                all[row].count(logits);
                if let Some(logit) =
                    columns[row].and_then(|column| logits.get(column.checked_sub(first)?))
                {
                    own[row] = *logit;
                }
            }
        })?;
        // A name may have tokens that no list has.
        let out_of_vocabulary: Vec<usize> =
            (0..tokens.len()).filter(|&row| columns[row].is_none()).collect();
        if !out_of_vocabulary.is_empty() {
            // A column for each of these rows, in their order.
            let ids: Vec<u32> = out_of_vocabulary.iter().map(|&row| tokens[row]).collect();
            let rows: Vec<u32> = out_of_vocabulary.iter().map(|&row| row as u32).collect();
            let hidden = hidden.index_select(&Tensor::new(rows, hidden.device())?, 0)?;
            output.select(&ids)?.blocks(&hidden, |first, width, logits| {
                for (column, (logits, &row)) in
                    logits.chunks_exact_mut(width).zip(&out_of_vocabulary).enumerate()
                {
                    if let Some(logit) =
                        column.checked_sub(first).and_then(|column| logits.get(column))
                    {
                        own[row] = *logit;
                        all[row].count(&[*logit]);
                    }
                }
            })?;
        }
        Ok(own.iter().zip(&all).map(|(own, all)| own - all.log_sum_exp()).collect())
    }

    fn choice<'a>(&self, edits: &'a LogitsEdits) -> Choice<'a> {
        let banned = edits.banned.iter().filter_map(|&token| self.column(token)).collect();
        let penalized = edits
            .penalized
            .iter()
            .filter_map(|&(token, penalty)| Some((self.column(token)?, penalty)))
            .collect();
        let wanted = edits.wanted.iter().filter_map(|&token| self.column(token));
        Choice {
            edits,
            wanted: wanted.map(|column| (column, f32::NEG_INFINITY)).collect(),
            banned,
            penalized,
            best: TopK::new(edits.keep),
            all: None,
            penalized_logits: Vec::new(),
            row: Vec::new(),
        }
    }
}

impl Choice<'_> {
    /// What decides it: as many logits as are kept when all that the rules change are worth
    /// nothing, and those that they change.
    fn request(&self) -> TopKRequest {
        if self.edits.forced.is_some() {
            return TopKRequest { largest: 0, columns: Vec::new() };
        }
        let penalized = self.penalized.iter().map(|&(column, _)| column);
        let mut columns: Vec<usize> =
            penalized.chain(self.wanted.iter().map(|&(column, _)| column)).collect();
        columns.sort_unstable();
        columns.dedup();
        TopKRequest {
            largest: self.edits.keep.max(1) + self.banned.len() + self.penalized.len(),
            columns,
        }
    }

    /// Looks at the logits of the columns from `first` on.
    fn look(&mut self, first: usize, logits: &mut [f32], token: impl Fn(usize) -> u32) {
        if self.edits.forced.is_some() {
            return;
        }
        let counts = self.edits.scored && self.all.is_none();
        for (column, logit) in &mut self.wanted {
            if let Some(own) = column.checked_sub(first).and_then(|at| logits.get(at)) {
                *logit = *own;
            }
        }
        let mut largest = if counts { self.best.count(logits) } else { f32::INFINITY };
        let end = first + logits.len();
        let banned = &self.banned[self.banned.partition_point(|&c| c < first)
            ..self.banned.partition_point(|&c| c < end)];
        let penalized = self.penalized.partition_point(|p| p.0 < first)
            ..self.penalized.partition_point(|p| p.0 < end);
        for &(column, penalty) in &self.penalized[penalized] {
            // One that becomes larger may be the largest.
            largest = f32::INFINITY;
            let logit = &mut logits[column - first];
            if self.edits.of_beam {
                if banned.binary_search(&column).is_err() {
                    self.penalized_logits.push((column, *logit, penalty));
                }
                *logit = f32::NEG_INFINITY;
            } else {
                *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
            }
        }
        for &column in banned {
            logits[column - first] = f32::NEG_INFINITY;
        }
        match &self.edits.sampling {
            // Nearly no block has one of the best.
            None if self.best.would_keep(largest) => self.best.choose(first, logits),
            None => {}
            Some(sampling) if sampling.is_plain() => {
                logits.iter_mut().for_each(|l| *l /= sampling.temperature);
                self.best.choose_with_noise(first, logits, |column| sampling.gumbel(token(column)));
            }
            Some(_) => self.row.extend_from_slice(logits),
        }
    }

    fn candidates(mut self, token: impl Fn(usize) -> u32) -> Vec<Candidate> {
        if let Some(token) = self.edits.forced {
            return vec![Candidate { token, log_probability: 0.0 }];
        }
        let total = if self.edits.scored {
            self.all.map_or_else(|| self.best.log_sum_exp(), LogSumExp::log_sum_exp)
        } else {
            0.0
        };
        let mut temperature = 1.0;
        if let Some(sampling) = &self.edits.sampling {
            temperature = sampling.temperature;
            if !sampling.is_plain() {
                for (column, logit) in sampling.kept(&self.row) {
                    self.best.choose_with_noise(column, &[logit], |column| {
                        sampling.gumbel(token(column))
                    });
                }
            }
        }
        let mut candidates: Vec<Candidate> = self
            .best
            .candidates()
            .iter()
            .map(|r| {
                let log_probability =
                    if self.edits.scored { r.logit * temperature - total } else { 0.0 };
                Candidate { token: token(r.column), log_probability }
            })
            .collect();
        if !self.penalized_logits.is_empty() {
            let penalized = |&(column, logit, penalty): &(usize, f32, f32)| Candidate {
                token: token(column),
                log_probability: (logit - total) * penalty,
            };
            candidates.extend(self.penalized_logits.iter().map(penalized));
            candidates.sort_by(|a, b| {
                b.log_probability.total_cmp(&a.log_probability).then(a.token.cmp(&b.token))
            });
            candidates.truncate(self.edits.keep);
        }
        for &(column, logit) in &self.wanted {
            let token = token(column);
            if self.banned.binary_search(&column).is_err()
                && candidates.iter().all(|candidate| candidate.token != token)
            {
                candidates.push(Candidate { token, log_probability: logit - total });
            }
        }
        candidates
    }
}

/// Drawing from the softmax by adding Gumbel noise to the logits and taking the best (Gumbel 1954;
/// Maddison et al. 2014): the noise of a token depends on the draw and the token alone, and the
/// plain case needs no second pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub temperature: f32,
    pub top_k: usize,
    pub top_p: f32,
    pub min_p: f32,
    /// Different for each seed and position.
    pub draw: u64,
}

impl Sampling {
    /// Whether every token may be drawn.
    fn is_plain(&self) -> bool {
        self.top_k == 0 && self.top_p >= 1.0 && self.min_p <= 0.0
    }

    /// The columns that may be drawn, with their logits at the temperature: the `top_k` likeliest,
    /// of these the likeliest that have `top_p` together, of these those that have `min_p` of the
    /// likeliest's probability; the likeliest always.
    fn kept(&self, logits: &[f32]) -> Vec<(usize, f32)> {
        let mut kept: Vec<(usize, f32)> = logits
            .iter()
            .map(|l| l / self.temperature)
            .enumerate()
            .filter(|(_, l)| *l > f32::NEG_INFINITY)
            .collect();
        kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let Some(&(_, largest)) = kept.first() else { return kept };
        if self.top_k > 0 {
            // Ties with the last one stay, as there.
            let bar = kept[self.top_k.min(kept.len()) - 1].1;
            kept.retain(|(_, l)| *l >= bar);
        }
        let weight = |l: f32| f64::from(l - largest).exp();
        if self.top_p < 1.0 {
            let total: f64 = kept.iter().map(|(_, l)| weight(*l)).sum();
            let mut before = 0.0;
            let enough = kept.iter().position(|(_, l)| {
                let full = before >= f64::from(self.top_p) * total;
                before += weight(*l);
                full
            });
            kept.truncate(enough.unwrap_or(kept.len()).max(1));
        }
        if self.min_p > 0.0 {
            let likeliest = kept[0].0;
            kept.retain(|(column, l)| *column == likeliest || weight(*l) >= f64::from(self.min_p));
        }
        kept
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn look(edits: &LogitsEdits, logits: &[f32]) -> Vec<Candidate> {
        let vocabulary = Vocabulary::all();
        let mut choice = vocabulary.choice(edits);
        for (i, block) in logits.to_vec().chunks_mut(3).enumerate() {
            choice.look(i * 3, block, |c| c as u32);
        }
        choice.candidates(|c| c as u32)
    }

    #[test]
    fn a_beams_rules_change_log_probabilities() {
        let logits = [1.0f32, 3.0, 2.0, 0.5, -1.0];
        let total = logits.iter().map(|l| l.exp()).sum::<f32>().ln();
        let edits = LogitsEdits {
            banned: vec![2],
            penalized: vec![(1, 4.0), (2, 4.0)],
            keep: 3,
            of_beam: true,
            scored: true,
            ..LogitsEdits::default()
        };
        let found = look(&edits, &logits);
        let expected = [(1, (3.0 - total) * 4.0), (0, 1.0 - total), (3, 0.5 - total)];
        let mut expected = expected.to_vec();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(found.len(), 3);
        for (found, (token, log_probability)) in found.iter().zip(expected) {
            assert!(
                found.token == token && (found.log_probability - log_probability).abs() < 1e-5,
                "{found:?}"
            );
        }
    }

    #[test]
    fn drawing_keeps_to_its_limits() {
        let sampling = Sampling { temperature: 0.5, top_k: 0, top_p: 1.0, min_p: 0.0, draw: 1 };
        let logits = [1.0, 0.5, 0.0, -0.5, -4.0];
        let kept = |sampling: Sampling| {
            sampling.kept(&logits).into_iter().map(|(c, _)| c).collect::<Vec<_>>()
        };
        assert_eq!(kept(Sampling { top_k: 2, ..sampling }), [0, 1]);
        // At this temperature the probabilities are about 0.64, 0.24, 0.09, 0.03, 0.00.
        assert_eq!(kept(Sampling { top_p: 0.7, ..sampling }), [0, 1]);
        assert_eq!(kept(Sampling { top_p: 0.9, ..sampling }), [0, 1, 2]);
        assert_eq!(kept(Sampling { min_p: 0.3, ..sampling }), [0, 1]);
        let edits = |draw| LogitsEdits {
            keep: 1,
            sampling: Some(Sampling { top_k: 3, draw, ..sampling }),
            ..LogitsEdits::default()
        };
        let mut counts = [0; 5];
        (0..4000).for_each(|draw| counts[look(&edits(draw), &logits)[0].token as usize] += 1);
        let weights = logits[..3].iter().map(|l| f64::from(l * 2.0).exp());
        let total: f64 = weights.clone().sum();
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) / 4000.0 - weight / total).abs() < 0.03, "{counts:?}");
        }
        assert_eq!(counts[3..], [0, 0]);
    }
}
