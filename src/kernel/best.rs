//! The best few logits of a row that arrives in blocks, and its running log-sum-exp.

use super::activation::exp;
use super::isa::{Isa, per_isa};

/// One of the best columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Its number.
    pub column: usize,
    /// What it was chosen by: the logit, with noise if there is any.
    pub rank: f32,
    /// Its logit.
    pub logit: f32,
}

/// The best columns so far, and what the softmax needs to know of all.
#[derive(Clone, Debug)]
pub struct TopK {
    keep: usize,
    /// Best first; of equal ones the first column.
    ranked: Vec<Ranked>,
    largest: f32,
    /// Σ exp(logit − largest).
    total: f32,
}

impl TopK {
    /// Nothing seen yet; `keep` columns are wanted.
    pub fn new(keep: usize) -> TopK {
        TopK {
            keep: keep.max(1),
            ranked: Vec::with_capacity(keep.clamp(1, 1024) + 1),
            largest: f32::NEG_INFINITY,
            total: 0.0,
        }
    }

    /// Counts logits for [`TopK::log_sum_exp`].
    pub fn count(&mut self, logits: &[f32]) {
        let (mut largest, mut total) = (0.0, 0.0);
        sum_exp(Isa::current(), logits, &mut largest, &mut total);
        if largest > self.largest {
            self.total = self.total * (self.largest - largest).exp() + total;
            self.largest = largest;
        } else if largest > f32::NEG_INFINITY {
            self.total += total * (largest - self.largest).exp();
        }
    }

    /// Chooses among the columns from `first` on.
    pub fn choose(&mut self, first: usize, logits: &[f32]) {
        const LANES: usize = 32;
        let mut bar = self.bar();
        for (block, logits) in logits.chunks(LANES).enumerate() {
            // A comparison of whole blocks, which vectorizes, keeps nearly all of them from being
            // looked at one by one.
            if !logits.iter().fold(false, |any, &l| any | (l > bar)) {
                continue;
            }
            for (column, &logit) in (first + block * LANES..).zip(logits) {
                if logit > bar {
                    self.insert(Ranked { column, rank: logit, logit });
                    bar = self.bar();
                }
            }
        }
    }

    /// The same, choosing by logit plus noise.
    pub fn choose_with_noise(
        &mut self,
        first: usize,
        logits: &[f32],
        noise: impl Fn(usize) -> f32,
    ) {
        for (column, &logit) in (first..).zip(logits) {
            // Gumbel noise out of 23 bits stays below 17, and costs more than this comparison.
            if logit + 17.0 > self.bar() {
                let rank = logit + noise(column);
                if rank > self.bar() {
                    self.insert(Ranked { column, rank, logit });
                }
            }
        }
    }

    /// What a column must rank above.
    fn bar(&self) -> f32 {
        if self.ranked.len() < self.keep {
            f32::NEG_INFINITY
        } else {
            self.ranked[self.keep - 1].rank
        }
    }

    fn insert(&mut self, new: Ranked) {
        let at = self.ranked.partition_point(|held| held.rank >= new.rank);
        self.ranked.insert(at, new);
        self.ranked.truncate(self.keep);
    }

    /// The best columns, best first.
    pub fn ranked(&self) -> &[Ranked] {
        &self.ranked
    }

    /// Logarithm of the sum of the exponentials of all counted logits.
    pub fn log_sum_exp(&self) -> f32 {
        self.largest + self.total.ln()
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
        assert_eq!(logits[best.ranked()[0].column], largest);
        assert!((f64::from(best.log_sum_exp() - largest) - total.ln()).abs() < 1e-5);
    }

    #[test]
    fn the_best_few_are_those_of_sorting() {
        let logits = numbers().into_iter().map(|l| l.round()).collect::<Vec<f32>>();
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        for keep in [1, 2, 8, 10, 200] {
            let mut best = TopK::new(keep);
            logits.chunks(96).enumerate().for_each(|(i, block)| best.choose(i * 96, block));
            let columns: Vec<usize> = best.ranked().iter().map(|r| r.column).collect();
            assert_eq!(columns, order[..keep]);
        }
    }

    #[test]
    fn banned_logits_are_never_chosen() {
        let mut best = TopK::new(2);
        best.choose(0, &[f32::NEG_INFINITY; 20]);
        best.choose(20, &[f32::NEG_INFINITY, -3.0]);
        assert_eq!(best.ranked().iter().map(|r| r.column).collect::<Vec<_>>(), [21]);
    }
}
