//! The interval in which a score lies, by resampling its lines (Koehn 2004).

use super::numpy::Generator;
use rayon::prelude::*;

/// Resamples of a corpus, sacreBLEU's usual number.
pub const SAMPLES: usize = 1000;
/// sacreBLEU's usual seed.
pub const SEED: u32 = 12345;

/// Where a score lies when other lines of the same kind had been taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Mean over the resamples.
    pub mean: f64,
    /// Half the width of the range that holds 95% of them.
    pub half_width: f64,
}

/// The interval of `score`, which gets the indices of a resample's lines; `None` for less than two
/// lines. The resamples are sacreBLEU's: the same seed draws the same lines.
pub fn interval(lines: usize, score: impl Fn(&[u32]) -> f64 + Sync) -> Option<Interval> {
    let below = u32::try_from(lines).ok().filter(|&lines| lines > 1)?;
    let mut generator = Generator::new(SEED);
    let mut scores = Vec::with_capacity(SAMPLES);
    // A batch at a time bounds the memory: the draws come one after the other, the scores do not.
    const BATCH: usize = 50;
    for _ in 0..SAMPLES / BATCH {
        let samples: Vec<Vec<u32>> =
            (0..BATCH).map(|_| (0..lines).map(|_| generator.below(below)).collect()).collect();
        scores.par_extend(samples.par_iter().map(|sample| score(sample)));
    }
    let mean = scores.iter().sum::<f64>() / SAMPLES as f64;
    scores.sort_by(f64::total_cmp);
    let cut = SAMPLES / 40;
    Some(Interval { mean, half_width: (scores[SAMPLES - cut - 1] - scores[cut]) / 2.0 })
}
