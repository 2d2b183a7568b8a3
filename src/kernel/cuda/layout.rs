//! The layouts of tensors that the kernels can read.

use candle_core::{DType, Tensor};

/// Numbers that a thread reads at once.
pub(super) const EIGHT: usize = 8;

/// Threads that read a row, eight numbers each.
pub(super) fn threads(width: usize) -> u32 {
    width.div_ceil(EIGHT).next_multiple_of(32).clamp(32, 256) as u32
}

/// Whether a tensor has numbers that the kernels know.
pub(super) fn is_known(x: &Tensor) -> bool {
    x.device().is_cuda()
        && matches!(x.dtype(), DType::F32 | DType::BF16 | DType::F16)
        && x.elem_count() > 0
}

/// Whether a tensor begins where a thread can read eight numbers at once.
fn is_aligned(x: &Tensor) -> bool {
    x.layout().start_offset().is_multiple_of(EIGHT)
}

/// Whether a tensor is rows of whole eights, without gaps, of numbers that the kernels know.
pub(super) fn is_in_eights(x: &Tensor, width: usize) -> bool {
    is_known(x) && x.is_contiguous() && is_aligned(x) && width.is_multiple_of(EIGHT)
}

/// Whether `weight` is a row of so many numbers of the type of `x`.
pub(super) fn is_row_beside(weight: &Tensor, x: &Tensor, width: usize) -> bool {
    weight.dims() == [width]
        && weight.is_contiguous()
        && is_aligned(weight)
        && weight.dtype() == x.dtype()
        && weight.device().is_cuda()
}

/// Whether rows of `x`, (rows, heads, dim) or (rows, width), have their numbers side by side,
/// though the rows may be apart.
pub(super) fn has_whole_rows(x: &Tensor) -> bool {
    let are_whole = match (x.dims(), x.stride()) {
        ([_, _, dim], [_, head, 1]) => head == dim,
        ([_, _], [_, 1]) => true,
        _ => false,
    };
    are_whole && x.stride()[0].is_multiple_of(EIGHT) && is_aligned(x)
}
