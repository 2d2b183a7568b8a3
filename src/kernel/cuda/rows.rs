//! The steps between two matrix products, row by row.

use super::launch::{
    Made, Number, allocate, by_type, function, launch, view, with_view, with_view_or,
};
use super::layout::{EIGHT, is_in_eights, is_row_beside, threads};
use super::parameters::NormParameters;
use crate::kernel::activation::Activation;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaView, PushKernelArg};
use candle_core::{CudaStorage, D, Layout, Result, Shape, Tensor};

/// The number by which the kernels choose an activation.
fn number(activation: Option<Activation>) -> i32 {
    match activation {
        None => 0,
        Some(Activation::Silu) => 1,
        Some(Activation::GeluTanh) => 2,
        Some(Activation::Gelu) => 3,
        Some(Activation::Relu) => 4,
    }
}

/// `activation(x + bias)` of rows, (rows, width), with a bias of (width).
pub(crate) fn bias_activation(
    x: &Tensor,
    bias: Option<&Tensor>,
    activation: Option<Activation>,
) -> Result<Option<Tensor>> {
    fn run<T: Number>(
        x: &CudaStorage,
        layout: &Layout,
        bias: Option<&Tensor>,
        activation: Option<Activation>,
    ) -> Result<CudaStorage> {
        let (device, (rows, width)) = (x.device(), layout.shape().dims2()?);
        let (kernel, x, out) = (
            function::<T>(device, "bias_activation")?,
            view::<T>(x, layout)?,
            allocate::<T>(device, rows * width)?,
        );
        let (columns, has_bias, activation) =
            (width as i32, i32::from(bias.is_some()), number(activation));
        let start = |bias: &CudaView<'_, T>| {
            let mut arguments = kernel.builder();
            arguments.arg(&x).arg(bias).arg(&out).arg(&columns).arg(&has_bias).arg(&activation);
            // SAFETY: x and out are (rows, width), and the bias, where there is one, (width):
            // `bias_activation` has looked.
            unsafe { launch(&mut arguments, (rows, 1), threads(width)) }
        };
        with_view_or(bias, &x, start)?;
        Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
    }
    let Ok((_, width)) = x.dims2() else { return Ok(None) };
    if !is_in_eights(x, width) || bias.is_some_and(|bias| !is_row_beside(bias, x, width)) {
        return Ok(None);
    }
    let made = Made("bias_activation", |storage: &CudaStorage, layout: &Layout| {
        Ok((by_type!(storage, run, storage, layout, bias, activation)?, layout.shape().clone()))
    });
    x.apply_op1_no_bwd(&made).map(Some)
}

/// `activation(gate) · up` of rows of `[gate | up]`, (rows, 2 · width), to (rows, width).
pub(crate) fn gated(x: &Tensor, activation: Activation) -> Result<Option<Tensor>> {
    fn run<T: Number>(
        x: &CudaStorage,
        layout: &Layout,
        activation: Activation,
    ) -> Result<(CudaStorage, Shape)> {
        let (device, (rows, both)) = (x.device(), layout.shape().dims2()?);
        let width = both / 2;
        let (kernel, x, out) = (
            function::<T>(device, "gated")?,
            view::<T>(x, layout)?,
            allocate::<T>(device, rows * width)?,
        );
        let (columns, activation) = (width as i32, number(Some(activation)));
        let mut arguments = kernel.builder();
        arguments.arg(&x).arg(&out).arg(&columns).arg(&activation);
        // SAFETY: x is (rows, 2 · width) and out (rows, width).
        unsafe { launch(&mut arguments, (rows, 1), threads(width)) }?;
        Ok((CudaStorage::wrap_cuda_slice(out, device.clone()), (rows, width).into()))
    }
    let Ok((_, both)) = x.dims2() else { return Ok(None) };
    if !is_in_eights(x, both) || !both.is_multiple_of(2 * EIGHT) {
        return Ok(None);
    }
    x.apply_op1_no_bwd(&Made("gated", |storage: &CudaStorage, layout: &Layout| {
        by_type!(storage, run, storage, layout, activation)
    }))
    .map(Some)
}

/// A tensor to be added, and its bias.
type Addends<'a> = Option<(&'a Tensor, Option<&'a Tensor>)>;

/// Normalizes the rows of `x`, or of `x + (y + y_bias)`: (…, width) to the same. A bias of `y` is
/// (width).
pub(crate) fn normalize(
    x: &Tensor,
    y: Addends<'_>,
    norm: &NormParameters<'_>,
) -> Result<Option<Tensor>> {
    let width = x.dims().last().copied().unwrap_or(0);
    let is_row = |row: &Tensor| is_row_beside(row, x, width);
    let beside =
        |y: &Tensor| y.dims() == x.dims() && y.dtype() == x.dtype() && is_in_eights(y, width);
    if !is_in_eights(x, width) || !is_row(norm.weight) || !norm.bias.is_none_or(is_row) {
        return Ok(None);
    }
    if !y.is_none_or(|(y, bias)| beside(y) && bias.is_none_or(is_row)) {
        return Ok(None);
    }
    let made = Made("normalize", |storage: &CudaStorage, layout: &Layout| {
        Ok((by_type!(storage, launch_normalize, storage, layout, y, norm)?, layout.shape().clone()))
    });
    x.apply_op1_no_bwd(&made).map(Some)
}

/// Launches the kernel on rows whose sizes have been checked.
fn launch_normalize<T: Number>(
    x: &CudaStorage,
    layout: &Layout,
    y: Addends<'_>,
    norm: &NormParameters<'_>,
) -> Result<CudaStorage> {
    let (device, count) = (x.device(), layout.shape().elem_count());
    let width = norm.weight.dim(D::Minus1)?;
    let (kernel, x, out) =
        (function::<T>(device, "normalize")?, view::<T>(x, layout)?, allocate::<T>(device, count)?);
    let addends = y.map_or(0, |(_, bias)| 1 + i32::from(bias.is_some()));
    let (columns, centred) = (width as i32, i32::from(norm.bias.is_some()));
    let start = |[y, y_bias, weight, bias]: [&CudaView<'_, T>; 4]| {
        let mut arguments = kernel.builder();
        arguments
            .arg(&x)
            .arg(y)
            .arg(y_bias)
            .arg(weight)
            .arg(bias)
            .arg(&out)
            .arg(&columns)
            .arg(&addends)
            .arg(&centred)
            .arg(&norm.epsilon);
        // SAFETY: x, out and y are as many numbers, whole rows of `width`; the others are one
        // row each: `normalize` has looked. What is not there is not read.
        unsafe { launch(&mut arguments, (count / width, 1), threads(width)) }
    };
    let (y, y_bias) = y.unzip();
    with_view_or(y, &x, |y| {
        with_view_or(y_bias.flatten(), &x, |y_bias| {
            with_view(norm.weight, |weight| {
                with_view_or(norm.bias, &x, |bias| start([y, y_bias, weight, bias]))
            })
        })
    })?;
    Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
}
