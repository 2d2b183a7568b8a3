//! The running maximum and log-sum-exp of a row of logits that arrives in blocks.

use super::activation::exp;
use super::isa::{Isa, per_isa};

/// Largest logit so far, and what the softmax needs to know of the others.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    column: usize,
    /// What the choice went by: the logit, with noise if there is any.
    rank: f32,
    logit: f32,
    largest: f32,
    /// Σ exp(logit − largest).
    total: f32,
}

impl Default for Best {
    fn default() -> Self {
        Best { column: 0, rank: f32::NEG_INFINITY, logit: f32::NEG_INFINITY, largest: f32::NEG_INFINITY, total: 0.0 }
    }
}

impl Best {
    /// Sees the logits of the columns from `first` on. Of equal ones the first wins.
    pub fn update(&mut self, first: usize, logits: &[f32]) {
        let largest = self.sum(logits);
        if largest > self.rank
            && let Some(at) = logits.iter().position(|&l| l == largest)
        {
            (self.column, self.rank, self.logit) = (first + at, largest, largest);
        }
    }

    /// The same, choosing by logit plus noise.
    pub fn update_with_noise(&mut self, first: usize, logits: &[f32], noise: impl Fn(usize) -> f32) {
        self.sum(logits);
        for (column, &logit) in (first..).zip(logits) {
            // Gumbel noise out of 23 bits stays below 17, and costs more than this comparison.
            if logit + 17.0 > self.rank {
                let rank = logit + noise(column);
                if rank > self.rank {
                    (self.column, self.rank, self.logit) = (column, rank, logit);
                }
            }
        }
    }

    fn sum(&mut self, logits: &[f32]) -> f32 {
        let (mut largest, mut total) = (0.0, 0.0);
        sum_exp(Isa::current(), logits, &mut largest, &mut total);
        if largest > self.largest {
            self.total = self.total * (self.largest - largest).exp() + total;
            self.largest = largest;
        } else if largest > f32::NEG_INFINITY {
            self.total += total * (largest - self.largest).exp();
        }
        largest
    }

    /// The chosen column.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Logarithm of the chosen column's probability.
    pub fn log_probability(&self) -> f32 {
        self.logit - self.largest - self.total.ln()
    }
}

per_isa! {
    fn sum_exp(logits: &[f32], largest: &mut f32, total: &mut f32) = sum_exp_body
}

#[inline(always)]
fn sum_exp_body(logits: &[f32], largest: &mut f32, total: &mut f32) {
    const LANES: usize = 16;
    let (chunks, rest) = (logits.chunks_exact(LANES), logits.chunks_exact(LANES).remainder());
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks.clone() {
        for (lane, &l) in lanes.iter_mut().zip(chunk) {
            *lane = if l > *lane { l } else { *lane };
        }
    }
    *largest = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    *total = 0.0;
    if *largest == f32::NEG_INFINITY {
        return;
    }
    let mut sums = [0.0f32; LANES];
    for chunk in chunks {
        for (sum, &l) in sums.iter_mut().zip(chunk) {
            *sum += exp(l - *largest);
        }
    }
    for (sum, &l) in sums.iter_mut().zip(rest) {
        *sum += exp(l - *largest);
    }
    *total = sums.iter().sum();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_give_the_softmax_of_the_whole() {
        let logits: Vec<f32> = (0..1000).map(|i| ((i * 7919) % 1000) as f32 / 70.0 - 5.0).collect();
        let mut best = Best::default();
        for (i, block) in logits.chunks(96).enumerate() {
            best.update(i * 96, block);
        }
        let largest = logits.iter().copied().fold(f32::MIN, f32::max);
        let total: f64 = logits.iter().map(|&l| f64::from(l - largest).exp()).sum();
        assert_eq!(logits[best.column()], largest);
        assert!((f64::from(best.log_probability()) + total.ln()).abs() < 1e-5);
    }

    #[test]
    fn banned_logits_are_never_chosen() {
        let mut best = Best::default();
        best.update(0, &[f32::NEG_INFINITY; 20]);
        best.update(20, &[f32::NEG_INFINITY, -3.0]);
        assert_eq!(best.column(), 21);
        assert!(best.log_probability().abs() < 1e-6);
    }
}
