//! Blocks of weights: as files have them, as panels have them, and as numbers.

use super::layout::{BlockFormat, GROUP, PANEL};
use half::f16;

/// The parts of a block.
pub(super) struct Block {
    format: BlockFormat,
    /// Scale, and factor of the minimums.
    halves: [u16; 2],
    /// For each group two, see [`Layout`](super::layout::Layout).
    factors: [u8; 16],
    /// The integers, without a sign.
    values: [u8; 256],
}

/// The lowest byte of each four.
const ONES: u32 = 0x0101_0101;

impl Block {
    /// Reads a block of a file.
    pub(super) fn from_file(format: BlockFormat, bytes: &[u8]) -> Block {
        let mut block = Block { format, halves: [0; 2], factors: [0; 16], values: [0; 256] };
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        match format {
            BlockFormat::Q4_0 => {
                block.halves[0] = half(0);
                let (low, high) = block.values[..GROUP].split_at_mut(GROUP / 2);
                for ((low, high), byte) in low.iter_mut().zip(high).zip(&bytes[2..18]) {
                    (*low, *high) = (byte & 15, byte >> 4);
                }
            }
            BlockFormat::Q4K | BlockFormat::Q5K => {
                block.halves = [half(0), half(2)];
                block.factors = k_factors(&bytes[4..16]);
                let (high, low) = bytes[16..].split_at(bytes.len() - 16 - 128);
                let groups = block.values.as_chunks_mut::<GROUP>().0;
                for (pair, low) in groups.chunks_exact_mut(2).zip(low.as_chunks::<GROUP>().0) {
                    for (i, byte) in low.iter().enumerate() {
                        (pair[0][i], pair[1][i]) = (byte & 15, byte >> 4);
                    }
                }
                for (g, group) in groups.iter_mut().enumerate() {
                    // Without higher bits there is nothing to go through.
                    for (value, byte) in group.iter_mut().zip(high) {
                        *value |= (byte >> g & 1) << 4;
                    }
                }
            }
            BlockFormat::Q6K => {
                block.halves[0] = half(208);
                block.factors.copy_from_slice(&bytes[192..208]);
                let values = block.values.as_chunks_mut::<128>().0;
                let low = bytes[..128].as_chunks::<64>().0;
                let high = bytes[128..192].as_chunks::<32>().0;
                for ((values, low), high) in values.iter_mut().zip(low).zip(high) {
                    for i in 0..32 {
                        let (a, b, high) = (low[i], low[i + 32], high[i]);
                        values[i] = a & 15 | (high & 3) << 4;
                        values[i + 32] = b & 15 | (high >> 2 & 3) << 4;
                        values[i + 64] = a >> 4 | (high >> 4 & 3) << 4;
                        values[i + 96] = b >> 4 | (high >> 6) << 4;
                    }
                }
            }
        }
        block
    }

    /// Writes it as the block of a feature of a panel's blocks.
    pub(super) fn put(&self, panel: &mut [u8], lane: usize) {
        let layout = self.format.layout();
        for (i, half) in self.halves[..layout.halves].iter().enumerate() {
            let at = 2 * (i * PANEL + lane);
            panel[at..at + 2].copy_from_slice(&half.to_le_bytes());
        }
        let (header, words) = panel.split_at_mut(layout.header());
        let factors = header[2 * layout.halves * PANEL..].iter_mut().skip(lane).step_by(PANEL);
        factors.zip(&self.factors).for_each(|(place, factor)| *place = *factor);
        let mut words = words.as_chunks_mut::<4>().0[lane..].iter_mut().step_by(PANEL);
        let mut write = |word: u32| {
            if let Some(place) = words.next() {
                *place = word.to_le_bytes();
            }
        };
        for group in self.values[..layout.width].as_chunks::<GROUP>().0 {
            let mut fours = [0u32; 8];
            for (four, bytes) in fours.iter_mut().zip(group.as_chunks::<4>().0) {
                *four = u32::from_le_bytes(*bytes);
            }
            for two in fours.as_chunks::<2>().0 {
                write(two[0] & (15 * ONES) | (two[1] & (15 * ONES)) << 4);
            }
            let high = fours.map(|four| four >> 4 & (15 * ONES));
            let together = |fours: &[u32], bits: usize| {
                fours.iter().enumerate().fold(0, |all, (i, four)| all | four << (i * bits))
            };
            match self.format {
                BlockFormat::Q4_0 | BlockFormat::Q4K => {}
                BlockFormat::Q5K => write(together(&high, 1)),
                BlockFormat::Q6K => {
                    write(together(&high[..4], 2));
                    write(together(&high[4..], 2));
                }
            }
        }
    }

    /// Reads the block of a feature of a panel's blocks.
    pub(super) fn from_panel(format: BlockFormat, panel: &[u8], lane: usize) -> Block {
        let layout = format.layout();
        let mut block = Block { format, halves: [0; 2], factors: [0; 16], values: [0; 256] };
        for (i, half) in block.halves[..layout.halves].iter_mut().enumerate() {
            let at = 2 * (i * PANEL + lane);
            *half = u16::from_le_bytes([panel[at], panel[at + 1]]);
        }
        let (header, words) = panel.split_at(layout.header());
        let factors = header[2 * layout.halves * PANEL..].iter().skip(lane).step_by(PANEL);
        block.factors.iter_mut().zip(factors).for_each(|(factor, found)| *factor = *found);
        let all: Vec<u32> = words
            .as_chunks::<4>()
            .0
            .iter()
            .skip(lane)
            .step_by(PANEL)
            .map(|word| u32::from_le_bytes(*word))
            .collect();
        let groups = block.values.as_chunks_mut::<GROUP>().0;
        for (group, words) in groups.iter_mut().zip(all.chunks_exact(layout.words)) {
            for (i, four) in group.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let low = words[i / 2] >> (i % 2 * 4) & (15 * ONES);
                let high = match format {
                    BlockFormat::Q4_0 | BlockFormat::Q4K => 0,
                    BlockFormat::Q5K => words[4] >> i & ONES,
                    BlockFormat::Q6K => words[4 + i / 4] >> (i % 4 * 2) & (3 * ONES),
                };
                *four = (low | high << 4).to_le_bytes();
            }
        }
        block
    }

    /// Writes the weights that it stands for.
    pub(super) fn dequantize(&self, out: &mut [f32]) {
        let [scale, min] = self.halves.map(|half| f16::from_bits(half).to_f32());
        let parts = |width: usize| self.values.chunks_exact(width);
        match self.format {
            BlockFormat::Q4_0 => {
                for (out, value) in out.iter_mut().zip(&self.values) {
                    *out = (f32::from(*value) - 8.0) * scale;
                }
            }
            BlockFormat::Q4K | BlockFormat::Q5K => {
                let factors = self.factors.as_chunks::<2>().0;
                for ((out, values), factors) in out.chunks_mut(32).zip(parts(32)).zip(factors) {
                    let (scale, min) = (scale * f32::from(factors[0]), min * f32::from(factors[1]));
                    for (out, value) in out.iter_mut().zip(values) {
                        *out = scale * f32::from(*value) - min;
                    }
                }
            }
            BlockFormat::Q6K => {
                for ((out, values), factor) in out.chunks_mut(16).zip(parts(16)).zip(self.factors) {
                    let scale = scale * f32::from(factor as i8);
                    for (out, value) in out.iter_mut().zip(values) {
                        *out = scale * (f32::from(*value) - 32.0);
                    }
                }
            }
        }
    }
}

/// The factors of scale and minimum of each group, which take 6 bits each in a file: those of the
/// first four groups in bytes of their own, the others in what is left.
fn k_factors(packed: &[u8]) -> [u8; 16] {
    let mut factors = [0; 16];
    for (g, pair) in factors.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        *pair = match g {
            0..4 => [packed[g] & 63, packed[g + 4] & 63],
            _ => [
                packed[g + 4] & 15 | packed[g - 4] >> 6 << 4,
                packed[g + 4] >> 4 | packed[g] >> 6 << 4,
            ],
        };
    }
    factors
}
