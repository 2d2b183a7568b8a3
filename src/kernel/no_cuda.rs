//! What stands for the kernels for CUDA devices in a build that has none of them: candle's
//! operations have to do.

use super::{Activation, AttentionShape};
use candle_core::{Device, Result, Tensor};

pub(crate) const MOST_WANTED: usize = 0;

#[expect(dead_code, reason = "nothing reads it here")]
pub(crate) struct Normalizing<'a> {
    pub weight: &'a Tensor,
    pub bias: Option<&'a Tensor>,
    pub epsilon: f32,
}

pub(crate) fn biased(
    _: &Tensor,
    _: Option<&Tensor>,
    _: Option<Activation>,
) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn gated(_: &Tensor, _: Activation) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn normalized(
    _: &Tensor,
    _: Option<(&Tensor, Option<&Tensor>)>,
    _: &Normalizing<'_>,
) -> Result<Option<Tensor>> {
    Ok(None)
}

pub(crate) fn appended(_: &Tensor, _: &Tensor, _: usize) -> Result<bool> {
    Ok(false)
}

pub(crate) fn attends(_: &AttentionShape, _: &Device) -> bool {
    false
}

pub(crate) fn attended(
    _: &AttentionShape,
    _: &Tensor,
    _: &Tensor,
    _: &Tensor,
    _: &Tensor,
) -> Result<Tensor> {
    candle_core::bail!("attention by a kernel that this build does not have")
}

pub(crate) fn best(_: &Tensor, _: Option<&Tensor>, _: usize, _: usize) -> Result<Option<Tensor>> {
    Ok(None)
}
