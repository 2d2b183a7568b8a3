//! The kernels for CUDA devices in a build that has none of them: candle's operations have to do.

use super::parameters::NormParameters;
use crate::kernel::activation::Activation;
use crate::kernel::attention::AttentionShape;
use candle_core::{Device, Result, Tensor};

pub(crate) const MAX_TOP_K: usize = 48;

pub(crate) fn bias_activation(
    _: &Tensor,
    _: Option<&Tensor>,
    _: Option<Activation>,
) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn gated(_: &Tensor, _: Activation) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn normalize(
    _: &Tensor,
    _: Option<(&Tensor, Option<&Tensor>)>,
    _: &NormParameters<'_>,
) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn append_rows(_: &Tensor, _: &Tensor, _: usize) -> Result<bool> {
    Ok(false)
}

pub(crate) fn supports_attention(_: &AttentionShape, _: &Device) -> bool {
    false
}

pub(crate) fn attention(
    _: &AttentionShape,
    _: &Tensor,
    _: &Tensor,
    _: &Tensor,
    _: &Tensor,
) -> Result<Tensor> {
    candle_core::bail!("attention by a kernel that this build does not have")
}

pub(crate) fn top_k(_: &Tensor, _: Option<&Tensor>, _: usize, _: usize) -> Result<Option<Tensor>> {
    Ok(None)
}
