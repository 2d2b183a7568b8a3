//! The largest few logits of a row that arrives in blocks, and its running log-sum-exp.

use super::simd::{F32x16, Isa, LANES, LaneKernel, exp2_lanes, run_on};
use std::f32::consts::LOG2_E;

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
    /// Σ exp(logit − max), in lanes.
    totals: [f32; LANES],
}

impl TopK {
    /// An empty selection that keeps `k` columns, or one if `k` is zero.
    pub fn new(k: usize) -> TopK {
        TopK {
            k: k.max(1),
            candidates: Vec::with_capacity(k.clamp(1, 1024) + 1),
            max: f32::NEG_INFINITY,
            totals: [0.0; LANES],
        }
    }

    /// Adds logits to [`TopK::log_sum_exp`]; returns the largest of them.
    pub fn count(&mut self, logits: &[f32]) -> f32 {
        run_on(Isa::current(), Count { logits, max: &mut self.max, totals: &mut self.totals })
    }

    /// Whether a column with this logit would be one of the best so far.
    pub fn would_keep(&self, logit: f32) -> bool {
        logit > self.threshold()
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
        self.max + self.totals.iter().sum::<f32>().ln()
    }
}

/// The counting of some logits.
struct Count<'a> {
    logits: &'a [f32],
    /// The largest of all so far.
    max: &'a mut f32,
    /// Σ exp(logit − max), in lanes.
    totals: &'a mut [f32; LANES],
}

impl LaneKernel for Count<'_> {
    /// The largest of them.
    type Output = f32;

    #[inline(always)]
    unsafe fn run<L: F32x16>(self) -> f32 {
        let Count { logits, max, totals } = self;
        let (blocks, rest) = logits.as_chunks::<LANES>();
        let mut last = [f32::NEG_INFINITY; LANES];
        last[..rest.len()].copy_from_slice(rest);
        // SAFETY: as the caller promises; each block has sixteen floats.
        unsafe {
            // Four, so that none waits for the one before.
            let mut largest = [L::load(last.as_ptr()).max(L::splat(f32::NEG_INFINITY)); 4];
            for four in blocks.chunks(4) {
                for (largest, block) in largest.iter_mut().zip(four) {
                    *largest = L::load(block.as_ptr()).max(*largest);
                }
            }
            let [a, b, c, d] = largest;
            let largest = a.max(b).max(c.max(d)).max_lane();
            let mut sums = L::load(totals.as_ptr());
            if largest > *max {
                let fewer = scaled(L::splat(*max), largest);
                sums = sums.mul(exp2_lanes(fewer));
                *max = largest;
            }
            if *max == f32::NEG_INFINITY {
                return largest;
            }
            for block in blocks {
                sums = sums.add(exp2_lanes(scaled(L::load(block.as_ptr()), *max)));
            }
            if !rest.is_empty() {
                sums = sums.add(exp2_lanes(scaled(L::load(last.as_ptr()), *max)));
            }
            sums.store(totals);
            largest
        }
    }
}

/// (x − max) · log₂ e, not below −126, where the powers of two end.
///
/// # Safety
/// The caller has the features of the lanes.
#[inline(always)]
unsafe fn scaled<L: F32x16>(x: L, max: f32) -> L {
    // SAFETY: as the caller promises.
    unsafe { L::splat(-126.0).max(x.sub(L::splat(max)).mul(L::splat(LOG2_E))) }
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
