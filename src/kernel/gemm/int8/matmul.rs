//! The product of quantized activations with packed weights, tile by tile.

use super::activations::Activations;
use super::epilogue::Epilogue;
use super::layout::{PANEL, Panel, mr};
use super::micro_kernel;
use super::weights::Panels;
use crate::kernel::gemm::target::Target;

/// Multiplies activations, (rows, k), with the weights of `n` features, adds the features' bias if
/// there is one, and writes (rows, n). Both are made for the same instruction set.
pub(in crate::kernel::gemm) fn matmul(
    x: &Activations,
    weights: Panels<'_>,
    n: usize,
    bias: Option<&[f32]>,
    target: Target<'_>,
) {
    let isa = weights.isa();
    let Target { out, stride } = target;
    let rows = x.rows();
    // Tiles of nearly the same height.
    let tiles = rows.div_ceil(mr(isa));
    // Panels outside, rows inside: a panel of weights stays in the cache while all rows pass over
    // it.
    for (number, panel) in weights.iter().enumerate() {
        let column = number * PANEL;
        let width = PANEL.min(n - column);
        let bias = bias.map(|bias| &bias[column..column + width]);
        for tile in 0..tiles {
            let (first, end) = (tile * rows / tiles, (tile + 1) * rows / tiles);
            let out = &mut out[first * stride + column..(end - 1) * stride + column + width];
            let epilogue = Epilogue { bias, out, stride, width };
            // Each tile fetches its share of the next panel from memory.
            let next = &panel.ahead[..panel.ahead.len().min(panel.values.len())];
            let ahead = &next[tile * next.len() / tiles..(tile + 1) * next.len() / tiles];
            micro_kernel::multiply(isa, x.tile(first..end), Panel { ahead, ..panel }, epilogue);
        }
    }
}
