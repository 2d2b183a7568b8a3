//! The layout of the int8 product's operands, as each instruction set multiplies them.

use crate::kernel::simd::{Isa, IsaKind};

/// Elements along `k` that share a scale.
pub const GROUP: usize = 64;

/// Output features a panel: half of them with 6 rows, the sums of a group and those of all before
/// it take 24 of AVX-512's 32 registers.
pub(in crate::kernel::gemm) const PANEL: usize = 64;

/// Rows a tile, at most.
pub(super) const MAX_MR: usize = 6;

/// Rows a tile of an instruction set, at most: with six, NEON's registers would not hold the sums
/// and what is multiplied.
pub(super) fn mr(isa: Isa) -> usize {
    if isa.kind() == IsaKind::Neon { 5 } else { MAX_MR }
}

/// Values along `k` that stand together in a panel, as the instruction set multiplies them: bytes
/// four at a time, words two.
pub(super) fn k_pack(isa: Isa) -> usize {
    match isa.kind() {
        IsaKind::AvxVnni | IsaKind::Avx512 | IsaKind::Neon => 4,
        IsaKind::Scalar | IsaKind::Avx2 => 2,
    }
}

/// Number added to every weight: VNNI's first factor has no sign.
pub(super) fn weight_bias(isa: Isa) -> u8 {
    if matches!(isa.kind(), IsaKind::AvxVnni | IsaKind::Avx512) { 128 } else { 0 }
}

/// A panel of weights.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// (k/k_pack, PANEL, k_pack)
    pub values: &'a [u8],
    /// (groups, PANEL)
    pub scales: &'a [f32],
    /// The memory that a micro-kernel may prefetch meanwhile: a panel, or as much as there is.
    pub ahead: &'a [u8],
}

/// The rows of quantized activations that make a tile.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    /// Number of rows.
    pub mr: usize,
    /// (rows, depth)
    pub values: &'a [T],
    /// (rows, groups)
    pub scales: &'a [f32],
}
