//! Scalings of rotary position embeddings, by which models read longer texts than they were first
//! trained on. Reference: `modeling_rope_utils.py` of `transformers`.
//!
//! Every scaling comes to other frequencies, and to a factor of what is rotated; both are fixed for
//! a model. Scalings that change with the length of the text (dynamic NTK, the long factors of
//! LongRoPE) are not here: keys that are in a cache already would have to be rotated anew. Within
//! the length that a model was first trained on they change nothing.

use std::f64::consts::TAU;

/// A scaling of the frequencies `1 / base^(2i/dim)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RopeScaling {
    /// The frequencies as they are.
    #[default]
    None,
    /// All divided by a factor: positions lie closer together (Chen et al. 2023, position
    /// interpolation).
    Linear {
        /// By which lengths grow.
        factor: f64,
    },
    /// Each divided by a number of its own (LongRoPE, Ding et al. 2024; the numbers of Llama 3 in
    /// GGUF files).
    Divided {
        /// (dim / 2)
        divisors: Vec<f64>,
        /// The factor of what is rotated.
        attention_factor: f64,
    },
    /// Slow ones divided by a factor, fast ones left, those between in part (Llama 3.1).
    Llama3 {
        /// By which lengths grow.
        factor: f64,
        /// Turns within the original context below which a frequency is slow.
        low: f64,
        /// Turns within the original context above which a frequency is fast.
        high: f64,
        /// Positions that the model was first trained on.
        original_context: f64,
    },
    /// The same with a ramp over the numbers of the frequencies (Peng et al. 2023).
    Yarn {
        /// By which lengths grow.
        factor: f64,
        /// Turns within the original context above which a frequency is left, 32 if not said
        /// otherwise.
        beta_fast: f64,
        /// Turns within the original context below which it is divided, 1 if not said otherwise.
        beta_slow: f64,
        /// Whether the ramp begins and ends at whole numbers.
        truncate: bool,
        /// Positions that the model was first trained on.
        original_context: f64,
        /// The factor of what is rotated, see [`RopeScaling::yarn_attention`].
        attention_factor: f64,
    },
}

impl RopeScaling {
    /// YaRN's factor of what is rotated for lengths that grow by `factor`: the published one, with
    /// a multiplier of its logarithm.
    pub fn yarn_attention(factor: f64, multiplier: f64) -> f64 {
        if factor <= 1.0 { 1.0 } else { 0.1 * multiplier * factor.ln() + 1.0 }
    }

    /// LongRoPE's factor of what is rotated, for lengths that grow by `factor`.
    pub fn longrope_attention(factor: f64, original_context: f64) -> f64 {
        if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / original_context.ln()).sqrt() }
    }

    /// The factor of what is rotated.
    pub fn attention_factor(&self) -> f64 {
        match self {
            RopeScaling::Divided { attention_factor, .. }
            | RopeScaling::Yarn { attention_factor, .. } => *attention_factor,
            _ => 1.0,
        }
    }

    /// The scaled frequencies, in radians a position: (dim / 2).
    pub fn frequencies(&self, dim: usize, base: f64) -> Vec<f64> {
        let plain = (0..dim / 2).map(|i| base.powf((2 * i) as f64 / dim as f64).recip());
        match self {
            RopeScaling::None => plain.collect(),
            RopeScaling::Linear { factor } => plain.map(|f| f / factor).collect(),
            RopeScaling::Divided { divisors, .. } => {
                plain.zip(divisors).map(|(f, divisor)| f / divisor).collect()
            }
            RopeScaling::Llama3 { factor, low, high, original_context } => {
                let scaled = |f: f64| {
                    let turns = original_context * f / TAU;
                    // All of it at `high` turns, none at `low`.
                    let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    (1.0 - kept) * f / factor + kept * f
                };
                plain.map(scaled).collect()
            }
            RopeScaling::Yarn {
                factor, beta_fast, beta_slow, truncate, original_context, ..
            } => {
                // The number of the frequency that makes so many turns in the original context.
                let number = |turns: f64| {
                    dim as f64 * (original_context / (turns * TAU)).ln() / (2.0 * base.ln())
                };
                let (mut from, mut to) = (number(*beta_fast), number(*beta_slow));
                if *truncate {
                    (from, to) = (from.floor(), to.ceil());
                }
                (from, to) = (from.max(0.0), to.min(dim as f64 - 1.0));
                if from == to {
                    to += 0.001;
                }
                let scaled = |(i, f): (usize, f64)| {
                    let divided = ((i as f64 - from) / (to - from)).clamp(0.0, 1.0);
                    f / factor * divided + f * (1.0 - divided)
                };
                plain.enumerate().map(scaled).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scaling, a base, and what `ROPE_INIT_FUNCTIONS` of `transformers` 5.24 make of them for
    /// heads of 16.
    fn reference() -> [(RopeScaling, f64, [f64; 8], f64); 5] {
        let short = [1.0, 1.1, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0];
        let yarn = RopeScaling::Yarn {
            factor: 4.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            truncate: true,
            original_context: 32768.0,
            attention_factor: RopeScaling::yarn_attention(4.0, 1.0),
        };
        let other_yarn = RopeScaling::Yarn {
            factor: 16.0,
            beta_fast: 16.0,
            beta_slow: 2.0,
            truncate: false,
            original_context: 4096.0,
            attention_factor: RopeScaling::yarn_attention(16.0, 1.0)
                / RopeScaling::yarn_attention(16.0, 0.7),
        };
        let llama3 =
            RopeScaling::Llama3 { factor: 32.0, low: 1.0, high: 4.0, original_context: 8192.0 };
        let longrope = RopeScaling::Divided {
            divisors: short.to_vec(),
            attention_factor: RopeScaling::longrope_attention(32.0, 4096.0),
        };
        [
            (
                RopeScaling::Linear { factor: 8.0 },
                1e6,
                [
                    0.125,
                    0.02222849,
                    0.003952847,
                    0.0007029267,
                    0.000125,
                    2.222849e-05,
                    3.952847e-06,
                    7.029267e-07,
                ],
                1.0,
            ),
            (
                llama3,
                5e5,
                [
                    1.0,
                    0.1939228,
                    0.03760603,
                    0.007292665,
                    0.0004295567,
                    8.570256e-06,
                    1.661967e-06,
                    3.222933e-07,
                ],
                1.0,
            ),
            (
                yarn,
                1e6,
                [
                    1.0,
                    0.1778279,
                    0.03162278,
                    0.00421756,
                    0.0005,
                    4.445699e-05,
                    7.905694e-06,
                    1.405853e-06,
                ],
                1.138_629_4,
            ),
            (
                other_yarn,
                1e4,
                [
                    1.0,
                    0.3162278,
                    0.1,
                    0.03162278,
                    0.005952024,
                    0.0002408111,
                    6.25e-05,
                    1.976424e-05,
                ],
                1.069_658_3,
            ),
            (
                longrope,
                1e4,
                [
                    1.0,
                    0.2874798,
                    0.08333334,
                    0.02108185,
                    0.005,
                    0.001264911,
                    0.0003333333,
                    7.905695e-05,
                ],
                1.190_238_1,
            ),
        ]
    }

    #[test]
    fn frequencies_are_those_of_transformers() {
        for (scaling, base, expected, attention_factor) in reference() {
            let found = scaling.frequencies(16, base);
            for (found, expected) in found.iter().zip(expected) {
                let error = (found / expected - 1.0).abs();
                assert!(error < 1e-5, "{scaling:?}: {found} for {expected}");
            }
            assert!((scaling.attention_factor() - attention_factor).abs() < 1e-6, "{scaling:?}");
        }
    }
}
