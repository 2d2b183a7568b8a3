//! The weights of a normalization.

use candle_core::Tensor;

/// The parameters of a normalization: by mean and variance where there is a bias, else by the root
/// mean square.
#[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "only the kernels read it"))]
pub(crate) struct NormParameters<'a> {
    /// (width)
    pub weight: &'a Tensor,
    /// (width)
    pub bias: Option<&'a Tensor>,
    /// Added to the variance or the mean square.
    pub epsilon: f32,
}
