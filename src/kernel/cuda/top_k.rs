//! The largest logits of a row.

use super::launch::{Made, Number, allocate, by_type, function, launch, view, with_view};
use super::layout::is_in_eights;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaView, PushKernelArg};
use candle_core::{CudaStorage, DType, Layout, Result, Shape, Tensor};

/// Threads that look at a row of logits.
const THREADS: u32 = 512;

/// Logits of a row that [`top_k`] finds, at most: each takes a look at all that are left.
pub(crate) const MAX_TOP_K: usize = 48;

/// The `k` largest of the first `width` columns of each row of `logits + bias`, (rows, at least
/// width) and (width) in 32 bits, best first, their columns (−1 where there are no more), the
/// largest, and the sum of exp(logit − largest): (rows, 2 · k + 2) in 32 bits.
pub(crate) fn top_k(
    logits: &Tensor,
    bias: Option<&Tensor>,
    width: usize,
    k: usize,
) -> Result<Option<Tensor>> {
    fn run<T: Number>(
        x: &CudaStorage,
        layout: &Layout,
        bias: Option<&Tensor>,
        sizes: [usize; 2],
    ) -> Result<(CudaStorage, Shape)> {
        let (device, (rows, stride), [width, k]) = (x.device(), layout.shape().dims2()?, sizes);
        let columns = 2 * k + 2;
        let (kernel, x, out) = (
            function::<T>(device, "top_k")?,
            view::<T>(x, layout)?,
            allocate::<f32>(device, rows * columns)?,
        );
        let sizes = [width as i32, stride as i32, k as i32, i32::from(bias.is_some())];
        let start = |bias: &CudaView<'_, f32>| {
            let mut arguments = kernel.builder();
            arguments.arg(&x).arg(bias).arg(&out);
            sizes.iter().for_each(|size| {
                arguments.arg(size);
            });
            // SAFETY: x is (rows, stride), the bias (width) where there is one, out as `k`
            // says.
            unsafe { launch(&mut arguments, (rows, 1), THREADS) }
        };
        match bias {
            Some(bias) => with_view(bias, start)?,
            // It is not read.
            None => start(&allocate::<f32>(device, 1)?.slice(..))?,
        }
        Ok((CudaStorage::wrap_cuda_slice(out, device.clone()), (rows, columns).into()))
    }
    let (_, stride) = logits.dims2()?;
    // Columns are handed out as floating-point numbers.
    if !is_in_eights(logits, stride) || width > stride || k == 0 || k > MAX_TOP_K || width > 1 << 24
    {
        return Ok(None);
    }
    if bias.is_some_and(|bias| {
        bias.dims() != [width]
            || bias.dtype() != DType::F32
            || !bias.is_contiguous()
            || !bias.device().is_cuda()
    }) {
        return Ok(None);
    }
    let made = Made("top_k", |storage: &CudaStorage, layout: &Layout| {
        by_type!(storage, run, storage, layout, bias, [width, k])
    });
    logits.apply_op1_no_bwd(&made).map(Some)
}
