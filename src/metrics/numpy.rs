//! numpy's generator of random numbers, as far as resampling needs it: `default_rng(seed)` and its
//! `integers(0, below)`. With it an interval is sacreBLEU's own, and not only one like it.
//!
//! Sources: numpy's `SeedSequence` (after M. E. O'Neill's `seed_seq` alternatives), `PCG64`
//! (O'Neill 2014: a 128-bit linear congruential generator with the output function XSL-RR) and
//! Lemire's method for bounded integers (2019).

/// PCG64, seeded with one number.
pub(super) struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of a draw of 64 bits whose lower half has been given out.
    half: Option<u32>,
}

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

impl Generator {
    /// `numpy.random.default_rng(seed)`.
    pub(super) fn new(seed: u32) -> Generator {
        let words = seed_words(seed);
        let [state, sequence] = [0, 4].map(|at| {
            let word = |n: usize| u128::from(words[at + n]);
            word(1) << 96 | word(0) << 64 | word(3) << 32 | word(2)
        });
        let mut generator = Generator { state: 0, increment: sequence << 1 | 1, half: None };
        generator.step();
        generator.state = generator.state.wrapping_add(state);
        generator.step();
        generator
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let drawn = folded.rotate_right((self.state >> 122) as u32);
        self.half = Some((drawn >> 32) as u32);
        drawn as u32
    }

    /// A number below `below`, which is at least 1; nothing is drawn where there is no choice.
    pub(super) fn below(&mut self, below: u32) -> u32 {
        if below <= 1 {
            return 0;
        }
        let rejected = (u32::MAX - (below - 1)) % below;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(below);
            if product as u32 >= rejected {
                return (product >> 32) as u32;
            }
        }
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)` as eight words, the lower half of each pair
/// first.
fn seed_words(seed: u32) -> [u32; 8] {
    let fold = |value: u32| value ^ value >> 16;
    let mut constant: u32 = 0x43b0_d7e5;
    let mut hash = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        fold(value.wrapping_mul(constant))
    };
    let mut pool = [seed, 0, 0, 0].map(&mut hash);
    for from in 0..4 {
        for to in (0..4).filter(|&to| to != from) {
            let (kept, mixed) = (pool[to].wrapping_mul(0xca01_f9dd), hash(pool[from]));
            pool[to] = fold(kept.wrapping_sub(mixed.wrapping_mul(0x4973_f715)));
        }
    }
    let mut constant: u32 = 0x8b51_f9dd;
    std::array::from_fn(|at| {
        let value = pool[at % 4] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        fold(value.wrapping_mul(constant))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.random.default_rng(12345).integers(0, 997, 10)` of numpy 2.
    #[test]
    fn numbers_are_those_of_numpy() {
        let mut generator = Generator::new(12345);
        let drawn: Vec<u32> = (0..10).map(|_| generator.below(997)).collect();
        assert_eq!(drawn, [697, 226, 786, 315, 203, 794, 640, 674, 985, 389]);
    }
}
