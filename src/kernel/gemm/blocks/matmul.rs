//! The product of quantized activations with blocks of weights, tile by tile.

use super::activations::Activations;
use super::layout::{BlockFormat, PANEL};
use super::micro_kernel;
use crate::kernel::gemm::int8::Epilogue;
use crate::kernel::gemm::target::Target;

/// Some panels of weights.
#[derive(Clone, Copy)]
pub(in crate::kernel::gemm) struct Panels<'a> {
    pub format: BlockFormat,
    /// From the first of them to the end of the matrix.
    pub bytes: &'a [u8],
    /// Bytes of one.
    pub size: usize,
}

/// Multiplies activations, (rows, k), with the weights of `n` features, adds the features' bias if
/// there is one, and writes (rows, n).
pub(in crate::kernel::gemm) fn matmul(
    x: &Activations,
    weights: Panels<'_>,
    n: usize,
    bias: Option<&[f32]>,
    target: Target<'_>,
) {
    let Target { out, stride } = target;
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over
    // it.
    for column in (0..n).step_by(PANEL) {
        let panel = &weights.bytes[column / PANEL * weights.size..];
        let width = PANEL.min(n - column);
        let bias = bias.map(|bias| &bias[column..column + width]);
        for tile in 0..x.tiles() {
            let rows = x.tile_rows(tile);
            let first = rows.start * stride + column;
            let out = &mut out[first..(rows.end - 1) * stride + column + width];
            let epilogue = Epilogue { bias, out, stride, width };
            micro_kernel::multiply(x.isa(), weights.format, x.tile(tile), panel, epilogue);
        }
    }
}
