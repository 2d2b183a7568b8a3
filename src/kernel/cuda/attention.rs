//! Attention over rows of a cache, and the rows that are added to it.

use super::launch::{Changed, Made, Number, allocate, by_type, function, launch, view, with_view};
use super::layout::{EIGHT, has_whole_rows, is_in_eights, is_known, threads};
use crate::kernel::attention::AttentionShape;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaView, PushKernelArg};
use candle_core::{CudaStorage, Layout, Result, Tensor, bail};

/// Threads that read the keys of a query, at least; at most so many groups of them as the kernel
/// has room for.
const MIN_THREADS: usize = 64;

/// Writes rows, (rows, heads, dim), into those of `cache`, (capacity, heads · dim), from `first`
/// on; returns whether it did.
///
/// # Errors
/// When they are beyond its end.
pub(crate) fn append_rows(cache: &Tensor, rows: &Tensor, first: usize) -> Result<bool> {
    fn run<T: Number>(
        cache: &mut CudaStorage,
        layout: &Layout,
        new: &Tensor,
        first: usize,
    ) -> Result<()> {
        let (device, width, count) = (cache.device().clone(), layout.dims()[1], new.dim(0)?);
        let (kernel, stride, columns) =
            (function::<T>(&device, "append_rows")?, new.stride()[0] as i32, width as i32);
        let mut out =
            cache.as_cuda_slice_mut::<T>()?.slice_mut(layout.start_offset() + first * width..);
        with_view(new, |new: &CudaView<'_, T>| {
            let mut arguments = kernel.builder();
            arguments.arg(new).arg(&mut out).arg(&columns).arg(&stride);
            // SAFETY: there are `count` rows of `width` numbers from `first` on in the cache, and
            // as many in `new`, `stride` apart.
            unsafe { launch(&mut arguments, (count, 1), threads(width)) }
        })
    }
    let (count, heads, dim) = rows.dims3()?;
    let (capacity, width) = cache.dims2()?;
    if !is_in_eights(cache, width)
        || !is_known(rows)
        || !has_whole_rows(rows)
        || cache.dtype() != rows.dtype()
        || width != heads * dim
    {
        return Ok(false);
    }
    if first + count > capacity {
        bail!("{count} rows from {first} on in a cache of {capacity}");
    }
    cache.inplace_op1(&Changed("append_rows", |storage: &mut CudaStorage, layout: &Layout| {
        by_type!(storage, run, storage, layout, rows, first)
    }))?;
    Ok(true)
}

/// Whether [`attention`] has a kernel for heads of these sizes on a device.
pub(crate) fn supports_attention(shape: &AttentionShape, device: &candle_core::Device) -> bool {
    device.is_cuda() && shape.dim.is_power_of_two() && (EIGHT..=32 * EIGHT).contains(&shape.dim)
}

/// Attention of queries, (queries, heads, dim), over rows of keys and values, (rows, kv_heads ·
/// dim) or (rows, kv_heads, dim) each, where [`supports_attention`] allows it: to (queries, heads ·
/// dim). `seen` has, for each query, the start of what it sees, then, for each query, its length.
/// These count rows of keys and values, or, where `seen` is longer, the numbers of rows that
/// follow.
///
/// # Errors
/// When the tensors do not have these sizes.
pub(crate) fn attention(
    shape: &AttentionShape,
    q: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    seen: &Tensor,
) -> Result<Tensor> {
    let (queries, heads, dim) = q.dims3()?;
    let row = shape.kv_heads * dim;
    let held = |x: &Tensor| {
        is_known(x)
            && x.dtype() == q.dtype()
            && has_whole_rows(x)
            && x.elem_count() == x.dims()[0] * row
    };
    let are_rows = is_known(q)
        && has_whole_rows(q)
        && held(keys)
        && held(values)
        && keys.stride() == values.stride();
    if !supports_attention(shape, q.device())
        || !are_rows
        || (heads, dim) != (shape.heads, shape.dim)
        || seen.elem_count() < 2 * queries
    {
        bail!(
            "{shape:?} for queries {:?}, keys {:?} and {} numbers of what they see",
            q.layout(),
            keys.layout(),
            seen.elem_count()
        );
    }
    let made = Made("attention", |storage: &CudaStorage, layout: &Layout| {
        Ok((
            by_type!(storage, launch_attention, storage, layout, shape, [keys, values, seen])?,
            (queries, heads * dim).into(),
        ))
    });
    q.apply_op1_no_bwd(&made)
}

/// Launches the kernel over `parts`, keys, values and what is seen, whose sizes have been checked.
fn launch_attention<T: Number>(
    q: &CudaStorage,
    layout: &Layout,
    shape: &AttentionShape,
    parts: [&Tensor; 3],
) -> Result<CudaStorage> {
    let (device, (queries, heads, dim)) = (q.device(), layout.shape().dims3()?);
    let (kernel, q, out) = (
        function::<T>(device, "attention")?,
        view::<T>(q, layout)?,
        allocate::<T>(device, queries * heads * dim)?,
    );
    let scattered = usize::from(parts[2].elem_count() > 2 * queries);
    let sizes =
        [queries, scattered, layout.stride()[0], parts[0].stride()[0], heads, shape.kv_heads, dim]
            .map(|size| size as i32);
    let start = |keys: &CudaView<'_, T>, values: &CudaView<'_, T>, seen: &CudaView<'_, u32>| {
        let mut arguments = kernel.builder();
        arguments.arg(&q).arg(keys).arg(values).arg(seen).arg(&out);
        sizes.iter().for_each(|size| {
            arguments.arg(size);
        });
        arguments.arg(&shape.scale);
        // SAFETY: the sizes are those of the tensors, as `attention` has seen; the numbers of
        // rows are those of rows that the cache holds.
        unsafe { launch(&mut arguments, (queries, heads), dim.max(MIN_THREADS) as u32) }
    };
    let [keys, values, seen] = parts;
    with_view(keys, |keys| {
        with_view(values, |values| with_view(seen, |seen| start(keys, values, seen)))
    })?;
    Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
}
