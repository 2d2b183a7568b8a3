//! The operands of attention: sizes, keys and values, and which of them a query sees.

use super::relative_bias::RelativeBias;
use half::f16;

/// Sizes of one attention layer.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads (Ainslie et al. 2023,
    /// grouped-query attention).
    pub kv_heads: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// What the scaled scores are softly kept below: `cap · tanh(score / cap)`; `None` where they
    /// are taken as they are. For the masks of decoders, as `window`.
    pub cap: Option<f32>,
    /// Number of last positions that a query sees, itself included; `None` for all. For
    /// [`Mask::Causal`] and [`Mask::BeamPaths`].
    pub window: Option<usize>,
}

impl AttentionShape {
    /// Floats of one position's keys.
    pub(super) fn kv_width(&self) -> usize {
        self.kv_heads * self.dim
    }
}

/// Keys and values of successive cached positions, each (positions, kv_heads, dim).
#[derive(Clone, Copy, Debug)]
pub struct KeyValues<'a, E> {
    /// Keys.
    pub keys: &'a [E],
    /// Values.
    pub values: &'a [E],
}

impl<E> KeyValues<'_, E> {
    /// No position.
    pub const NONE: Self = KeyValues { keys: &[], values: &[] };
}

/// The keys and values that queries attend to, in two parts: a prefix, which sequences may share,
/// then their own.
#[derive(Clone, Copy, Debug)]
pub enum KvView<'a> {
    /// In f32.
    F32([KeyValues<'a, f32>; 2]),
    /// In half precision: half as much to read, at an error of at most 2⁻¹¹ of each number.
    F16([KeyValues<'a, f16>; 2]),
}

/// The positions that a query sees.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// The queries stand at the last positions, and each sees those up to its own.
    Causal,
    /// Every query sees every position; the queries stand at the first ones.
    Full,
    /// A query sees the whole prefix, and of the second part the rows that its path names; it
    /// stands at the last of them. Hypotheses of a beam share their cache this way: what they have
    /// in common is there once, and nothing is ever moved.
    BeamPaths(&'a [Vec<u32>]),
    /// A query sees the whole prefix, and of the second part the rows within `radius` of itself;
    /// the queries stand beside the first rows of the second part. For encoders of long sources
    /// (Beltagy et al. 2020; Guo et al. 2021).
    Local {
        /// Positions seen on either side.
        radius: usize,
        /// The blocks that the rows of the prefix stand for; `None` when nothing is added to the
        /// prefix's scores.
        blocks: Option<GlobalBlocks<'a>>,
    },
}

/// The prefix of [`Mask::Local`] when its rows stand for blocks of the second part (Guo et al.
/// 2021, transient global attention).
#[derive(Clone, Copy, Debug)]
pub struct GlobalBlocks<'a> {
    /// Positions of a block; those that are left over belong to the last one.
    pub size: usize,
    /// The bias by the distance from the query's block to the key's.
    pub bias: &'a RelativeBias,
}

impl GlobalBlocks<'_> {
    /// The block of a position, one of `count`.
    pub fn of(&self, position: usize, count: usize) -> usize {
        (position / self.size).min(count.saturating_sub(1))
    }
}

/// Some columns of rows that may have others: the queries, keys or values of a projection.
#[derive(Clone, Copy)]
pub struct RowColumns<'a> {
    /// (rows, stride)
    pub values: &'a [f32],
    /// Width of a row with all its columns.
    pub stride: usize,
    /// The first of the columns.
    pub first: usize,
    /// How many they are.
    pub width: usize,
}

impl<'a> RowColumns<'a> {
    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.stride
    }

    pub(super) fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.stride + self.first..][..self.width]
    }
}
