//! The formats of blocks, and how their parts lie in a panel.

/// Activations that share a scale, and weights of one step of the product.
pub(super) const GROUP: usize = 32;

/// Output features a panel, as many as in one of 8-bit integers.
pub(in crate::kernel::gemm) const PANEL: usize = 64;

/// A format of blocks of GGUF files that the kernels multiply as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockFormat {
    /// 4 bits less 8, a scale for 32 weights.
    Q4_0,
    /// 4 bits; a scale and a minimum for 256 weights, each times a 6-bit integer for 32 of them.
    Q4K,
    /// 5 bits, with scales as [`BlockFormat::Q4K`].
    Q5K,
    /// 6 bits less 32; a scale for 256 weights, times an 8-bit integer for 16 of them.
    Q6K,
}

impl BlockFormat {
    /// Weights of a block.
    pub fn width(self) -> usize {
        self.layout().width
    }

    /// Bytes of a block in a file.
    pub fn bytes(self) -> usize {
        match self {
            BlockFormat::Q4_0 => 18,
            BlockFormat::Q4K => 144,
            BlockFormat::Q5K => 176,
            BlockFormat::Q6K => 210,
        }
    }

    /// How a panel's blocks lie in memory.
    pub(super) const fn layout(self) -> Layout {
        match self {
            BlockFormat::Q4_0 => Layout { width: 32, halves: 1, bytes: 0, words: 4 },
            BlockFormat::Q4K => Layout { width: 256, halves: 2, bytes: 16, words: 4 },
            BlockFormat::Q5K => Layout { width: 256, halves: 2, bytes: 16, words: 5 },
            BlockFormat::Q6K => Layout { width: 256, halves: 1, bytes: 16, words: 6 },
        }
    }
}

/// The blocks of a panel's features that stand for the same columns. They consist of lines of
/// [`PANEL`] numbers, one of each feature:
///
///  1. of halves: scales, and then factors of the minimums;
///  2. of bytes, two for each [`GROUP`] of columns: factors of the scale, or one of the scale and
///     one of the minimum;
///  3. of 32-bit words, some for each [`GROUP`] of columns: its eight fours of weights, of which
///     two share a word, the low bits of the second one above those of the first; then, where there
///     are any, the higher bits of all: one bit of each four in one word, or two bits each of four
///     in two.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Weights of a block.
    pub width: usize,
    /// Lines of halves.
    pub halves: usize,
    /// Lines of bytes.
    pub bytes: usize,
    /// Lines of words of a group.
    pub words: usize,
}

impl Layout {
    /// Bytes before the words.
    pub(super) const fn header(self) -> usize {
        PANEL * (2 * self.halves + self.bytes)
    }

    /// Bytes of the words of one group.
    pub(super) const fn step(self) -> usize {
        PANEL * 4 * self.words
    }

    /// Bytes of the blocks of a panel's features.
    pub(super) const fn size(self) -> usize {
        self.header() + self.width / GROUP * self.step()
    }
}
