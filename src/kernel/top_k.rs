//! The largest few logits of a row that arrives in blocks, and its running log-sum-exp.

use super::simd::{Isa, LANES, exp, per_isa};

/// A column that is one of the best so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Number of the column.
    pub column: usize,
    /// The value that ranks it: its logit, plus noise if there is any.
    pub score: f32,
    /// The logit alone.
    pub logit: f32,
}

/// The best columns so far, and the running log-sum-exp of all of them, which the softmax needs.
#[derive(Clone, Debug)]
pub struct TopK {
    k: usize,
    /// Best first; of equal ones the first column.
    candidates: Vec<Candidate>,
    max: f32,
    /// Σ exp(logit − max).
    total: f32,
}

impl TopK {
    /// An empty selection that keeps `k` columns, or one if `k` is zero.
    pub fn new(k: usize) -> TopK {
        TopK {
            k: k.max(1),
            candidates: Vec::with_capacity(k.clamp(1, 1024) + 1),
            max: f32::NEG_INFINITY,
            total: 0.0,
        }
    }

    /// Adds logits to [`TopK::log_sum_exp`].
    pub fn count(&mut self, logits: &[f32]) {
        let (mut max, mut total) = (0.0, 0.0);
        sum_exp(Isa::current(), logits, &mut max, &mut total);
        if max > self.max {
            self.total = self.total * (self.max - max).exp() + total;
            self.max = max;
        } else if max > f32::NEG_INFINITY {
            self.total += total * (max - self.max).exp();
        }
    }

    /// Offers the logits of the columns from `first` on.
    pub fn choose(&mut self, first: usize, logits: &[f32]) {
        const BLOCK: usize = 32;
        let mut threshold = self.threshold();
        for (block, logits) in logits.chunks(BLOCK).enumerate() {
            // A comparison of whole blocks, which vectorizes, keeps nearly all of them from being
            // looked at one by one.
            if !logits.iter().fold(false, |any, &l| any | (l > threshold)) {
                continue;
            }
            for (column, &logit) in (first + block * BLOCK..).zip(logits) {
                if logit > threshold {
                    self.insert(Candidate { column, score: logit, logit });
                    threshold = self.threshold();
                }
            }
        }
    }

    /// Offers the logits of the columns from `first` on, ranked by logit plus noise.
    pub fn choose_with_noise(
        &mut self,
        first: usize,
        logits: &[f32],
        noise: impl Fn(usize) -> f32,
    ) {
        for (column, &logit) in (first..).zip(logits) {
            // Gumbel noise out of 23 bits stays below 17, and costs more than this comparison.
            if logit + 17.0 > self.threshold() {
                let score = logit + noise(column);
                if score > self.threshold() {
                    self.insert(Candidate { column, score, logit });
                }
            }
        }
    }

    /// The score that a column must exceed to be kept.
    fn threshold(&self) -> f32 {
        if self.candidates.len() < self.k {
            f32::NEG_INFINITY
        } else {
            self.candidates[self.k - 1].score
        }
    }

    fn insert(&mut self, new: Candidate) {
        let at = self.candidates.partition_point(|held| held.score >= new.score);
        self.candidates.insert(at, new);
        self.candidates.truncate(self.k);
    }

    /// The best columns, best first.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Logarithm of the sum of the exponentials of all counted logits.
    pub fn log_sum_exp(&self) -> f32 {
        self.max + self.total.ln()
    }
}

per_isa! {
    /// The largest of the logits, and Σ exp(logit − max).
    fn sum_exp(logits: &[f32], max: &mut f32, total: &mut f32) = sum_exp_body
}

#[inline(always)]
fn sum_exp_body(logits: &[f32], max: &mut f32, total: &mut f32) {
    let (chunks, rest) = (logits.chunks_exact(LANES), logits.chunks_exact(LANES).remainder());
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks.clone() {
        for (lane, &l) in lanes.iter_mut().zip(chunk) {
            *lane = if l > *lane { l } else { *lane };
        }
    }
    *max = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    *total = 0.0;
    if *max == f32::NEG_INFINITY {
        return;
    }
    let mut sums = [0.0f32; LANES];
    for chunk in chunks {
        for (sum, &l) in sums.iter_mut().zip(chunk) {
            *sum += exp(l - *max);
        }
    }
    for (sum, &l) in sums.iter_mut().zip(rest) {
        *sum += exp(l - *max);
    }
    *total = sums.iter().sum();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Vec<f32> {
        (0..1000).map(|i| ((i * 7919) % 1000) as f32 / 70.0 - 5.0).collect()
    }

    #[test]
    fn blocks_give_the_softmax_of_the_whole() {
        let logits = numbers();
        let mut best = TopK::new(1);
        for (i, block) in logits.chunks(96).enumerate() {
            best.count(block);
            best.choose(i * 96, block);
        }
        let largest = logits.iter().copied().fold(f32::MIN, f32::max);
        let total: f64 = logits.iter().map(|&l| f64::from(l - largest).exp()).sum();
        assert_eq!(logits[best.candidates()[0].column], largest);
        assert!((f64::from(best.log_sum_exp() - largest) - total.ln()).abs() < 1e-5);
    }

    #[test]
    fn the_best_few_are_those_of_sorting() {
        let logits = numbers().into_iter().map(|l| l.round()).collect::<Vec<f32>>();
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        for k in [1, 2, 8, 10, 200] {
            let mut best = TopK::new(k);
            logits.chunks(96).enumerate().for_each(|(i, block)| best.choose(i * 96, block));
            let columns: Vec<usize> = best.candidates().iter().map(|r| r.column).collect();
            assert_eq!(columns, order[..k]);
        }
    }

    #[test]
    fn banned_logits_are_never_chosen() {
        let mut best = TopK::new(2);
        best.choose(0, &[f32::NEG_INFINITY; 20]);
        best.choose(20, &[f32::NEG_INFINITY, -3.0]);
        assert_eq!(best.candidates().iter().map(|r| r.column).collect::<Vec<_>>(), [21]);
    }
}
