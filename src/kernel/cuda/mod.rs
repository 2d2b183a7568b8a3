//! Kernels of this crate's own for CUDA devices: what candle does in many small steps (attention
//! over the rows of a log, what stands between two products, the best of a row of logits), each in
//! one. Every function says `None`, or `false`, where its kernel does not fit, and candle's
//! operations have to do; for attention, [`attends`] says it beforehand.
//!
//! They are compiled for the device when the first of them is used, by NVRTC, which candle needs
//! anyway.

use super::{Activation, AttentionShape};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaStream, CudaView, DeviceRepr, LaunchArgs, LaunchConfig,
    PushKernelArg,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaDType, DeviceId, WrapErr};
use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, D, DType, InplaceOp1, Layout, Result, Shape,
    Storage, Tensor, bail,
};
use half::{bf16, f16};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const SOURCE: &str = include_str!("kernels.cu");
const MODULE: &str = "polygist";

/// Numbers that a thread reads at once.
const EIGHT: usize = 8;
/// Threads that read the keys of a query, at least; at most so many groups of them as the kernel
/// has room for.
const ATTENDING: usize = 64;
/// Threads that look at a row of logits.
const CHOOSING: u32 = 512;
/// Logits of a row that [`best`] finds, at most: each takes a look at all that are left.
pub(crate) const MOST_WANTED: usize = 48;

/// The kernels for the architecture of a device, which keeps them once one of them is loaded.
fn compiled(device: &CudaDevice) -> Result<String> {
    static COMPILED: Mutex<Option<((i32, i32), String)>> = Mutex::new(None);
    let architecture = device.cuda_stream().context().compute_capability().w()?;
    let mut held = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, text)) = &*held
        && *of == architecture
    {
        return Ok(text.clone());
    }
    let options = vec![format!("--gpu-architecture=compute_{}{}", architecture.0, architecture.1)];
    let ptx =
        compile_ptx_with_opts(SOURCE, CompileOptions { options, ..CompileOptions::default() });
    let ptx = ptx.map_err(|why| {
        candle_core::Error::msg(format!("the kernels for the GPU cannot be compiled: {why:?}"))
    })?;
    *held = Some((architecture, ptx.to_src()));
    Ok(ptx.to_src())
}

/// A type of numbers that the kernels know.
trait Number: CudaDType + DeviceRepr {
    /// How they call it.
    const NAME: &str;
}

impl Number for f32 {
    const NAME: &str = "float";
}

impl Number for bf16 {
    const NAME: &str = "bf16";
}

impl Number for f16 {
    const NAME: &str = "f16";
}

/// A kernel, and where it is to run.
struct Kernel {
    function: CudaFunction,
    stream: Arc<CudaStream>,
}

impl Kernel {
    fn builder(&self) -> LaunchArgs<'_> {
        self.stream.launch_builder(&self.function)
    }
}

/// The kernel of a name for numbers of a type. It is looked up once for each device: launches are
/// many and short.
fn function<T: Number>(device: &CudaDevice, name: &'static str) -> Result<Kernel> {
    type Known = HashMap<(DeviceId, &'static str, &'static str), CudaFunction>;
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let stream = device.cuda_stream();
    let mut known =
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let key = (device.id(), name, T::NAME);
    if let Some(function) = known.get(&key) {
        return Ok(Kernel { function: function.clone(), stream });
    }
    let function = device
        .get_or_load_custom_func(&format!("{name}_{}", T::NAME), MODULE, &compiled(device)?)?
        .into_cuda_function();
    known.insert(key, function.clone());
    Ok(Kernel { function, stream })
}

/// Calls a function for the type of the numbers of a storage.
macro_rules! by_type {
    ($storage:expr, $function:ident, $($argument:expr),*) => {
        match $storage.dtype() {
            DType::F32 => $function::<f32>($($argument),*),
            DType::BF16 => $function::<bf16>($($argument),*),
            DType::F16 => $function::<f16>($($argument),*),
            other => bail!("kernels for {other:?}"),
        }
    };
}

/// A result that a function makes of a tensor on a device.
struct Made<F>(&'static str, F);

impl<F: Fn(&CudaStorage, &Layout) -> Result<(CudaStorage, Shape)>> CustomOp1 for Made<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{} is a kernel for CUDA devices", self.0)
    }

    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        (self.1)(storage, layout)
    }
}

/// What a function changes in a tensor on a device.
struct Changed<F>(&'static str, F);

impl<F: Fn(&mut CudaStorage, &Layout) -> Result<()>> InplaceOp1 for Changed<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout) -> Result<()> {
        bail!("{} is a kernel for CUDA devices", self.0)
    }

    fn cuda_fwd(&self, storage: &mut CudaStorage, layout: &Layout) -> Result<()> {
        (self.1)(storage, layout)
    }
}

/// The numbers of a storage, from where a layout begins.
fn view<'a, T: CudaDType>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, T>> {
    let slice: &CudaSlice<T> = storage.as_cuda_slice()?;
    Ok(slice.slice(layout.start_offset()..))
}

/// Calls `use_it` with the numbers of a tensor.
fn with_view<T: CudaDType, R>(
    tensor: &Tensor,
    use_it: impl FnOnce(&CudaView<'_, T>) -> Result<R>,
) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else { bail!("expected a tensor on a CUDA device") };
    use_it(&view::<T>(storage, layout)?)
}

/// The same, of a tensor that may be missing: then of something `instead`, which the kernel does
/// not read.
fn with_view_or<T: CudaDType, R>(
    tensor: Option<&Tensor>,
    instead: &CudaView<'_, T>,
    use_it: impl FnOnce(&CudaView<'_, T>) -> Result<R>,
) -> Result<R> {
    match tensor {
        Some(tensor) => with_view(tensor, use_it),
        None => use_it(instead),
    }
}

/// Room for a result.
fn room<T: CudaDType + DeviceRepr>(device: &CudaDevice, count: usize) -> Result<CudaSlice<T>> {
    // SAFETY: the kernel that follows writes every number of it before anything reads one.
    unsafe { device.alloc(count) }
}

/// Launches a kernel that has got its arguments.
///
/// # Safety
/// They are those of its signature in kernels.cu, and what they point to has the sizes that they
/// say.
unsafe fn launch(arguments: &mut LaunchArgs<'_>, grid: (usize, usize), threads: u32) -> Result<()> {
    let shape = LaunchConfig {
        grid_dim: (grid.0 as u32, grid.1 as u32, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: the caller's.
    unsafe { arguments.launch(shape) }.w()?;
    Ok(())
}

/// Threads that read a row, eight numbers each.
fn threads(width: usize) -> u32 {
    width.div_ceil(EIGHT).next_multiple_of(32).clamp(32, 256) as u32
}

fn is_known(x: &Tensor) -> bool {
    x.device().is_cuda()
        && matches!(x.dtype(), DType::F32 | DType::BF16 | DType::F16)
        && x.elem_count() > 0
}

/// Whether a tensor begins where a thread can read eight numbers at once.
fn is_aligned(x: &Tensor) -> bool {
    x.layout().start_offset().is_multiple_of(EIGHT)
}

/// Whether a tensor is rows of whole eights, without gaps, of numbers that the kernels know.
fn is_in_eights(x: &Tensor, width: usize) -> bool {
    is_known(x) && x.is_contiguous() && is_aligned(x) && width.is_multiple_of(EIGHT)
}

/// Whether `weight` is a row of so many numbers of the type of `x`.
fn is_row_beside(weight: &Tensor, x: &Tensor, width: usize) -> bool {
    weight.dims() == [width]
        && weight.is_contiguous()
        && is_aligned(weight)
        && weight.dtype() == x.dtype()
        && weight.device().is_cuda()
}

/// How the kernels number activations.
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
pub(crate) fn biased(
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
            function::<T>(device, "biased")?,
            view::<T>(x, layout)?,
            room::<T>(device, rows * width)?,
        );
        let (columns, has_bias, activation) =
            (width as i32, i32::from(bias.is_some()), number(activation));
        let start = |bias: &CudaView<'_, T>| {
            let mut arguments = kernel.builder();
            arguments.arg(&x).arg(bias).arg(&out).arg(&columns).arg(&has_bias).arg(&activation);
            // SAFETY: x and out are (rows, width), and the bias, where there is one, (width):
            // `biased` has looked.
            unsafe { launch(&mut arguments, (rows, 1), threads(width)) }
        };
        with_view_or(bias, &x, start)?;
        Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
    }
    let Ok((_, width)) = x.dims2() else { return Ok(None) };
    if !is_in_eights(x, width) || bias.is_some_and(|bias| !is_row_beside(bias, x, width)) {
        return Ok(None);
    }
    let made = Made("biased", |storage: &CudaStorage, layout: &Layout| {
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
            room::<T>(device, rows * width)?,
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

/// How rows are normalized: by their mean and variance where there is a bias, else by their root
/// mean square.
pub(crate) struct Normalizing<'a> {
    /// (width)
    pub weight: &'a Tensor,
    /// (width)
    pub bias: Option<&'a Tensor>,
    /// Added to the variance or the mean square.
    pub epsilon: f32,
}

/// The rows of `x`, or of `x + (y + y_bias)`, normalized: (…, width) to the same. A bias of `y` is
/// (width).
pub(crate) fn normalized(
    x: &Tensor,
    y: Option<(&Tensor, Option<&Tensor>)>,
    how: &Normalizing<'_>,
) -> Result<Option<Tensor>> {
    type Addends<'a> = Option<(&'a Tensor, Option<&'a Tensor>)>;
    fn run<T: Number>(
        x: &CudaStorage,
        layout: &Layout,
        y: Addends<'_>,
        how: &Normalizing<'_>,
    ) -> Result<CudaStorage> {
        let (device, count) = (x.device(), layout.shape().elem_count());
        let width = how.weight.dim(D::Minus1)?;
        let (kernel, x, out) = (
            function::<T>(device, "normalized")?,
            view::<T>(x, layout)?,
            room::<T>(device, count)?,
        );
        let addends = y.map_or(0, |(_, bias)| 1 + i32::from(bias.is_some()));
        let (columns, centred) = (width as i32, i32::from(how.bias.is_some()));
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
                .arg(&how.epsilon);
            // SAFETY: x, out and y are as many numbers, whole rows of `width`; the others are one
            // row each: `normalized` has looked. What is not there is not read.
            unsafe { launch(&mut arguments, (count / width, 1), threads(width)) }
        };
        let (y, y_bias) = y.unzip();
        with_view_or(y, &x, |y| {
            with_view_or(y_bias.flatten(), &x, |y_bias| {
                with_view(how.weight, |weight| {
                    with_view_or(how.bias, &x, |bias| start([y, y_bias, weight, bias]))
                })
            })
        })?;
        Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
    }
    let width = x.dims().last().copied().unwrap_or(0);
    let is_row = |row: &Tensor| is_row_beside(row, x, width);
    let beside =
        |y: &Tensor| y.dims() == x.dims() && y.dtype() == x.dtype() && is_in_eights(y, width);
    if !is_in_eights(x, width) || !is_row(how.weight) || !how.bias.is_none_or(is_row) {
        return Ok(None);
    }
    if !y.is_none_or(|(y, bias)| beside(y) && bias.is_none_or(is_row)) {
        return Ok(None);
    }
    let made = Made("normalized", |storage: &CudaStorage, layout: &Layout| {
        Ok((by_type!(storage, run, storage, layout, y, how)?, layout.shape().clone()))
    });
    x.apply_op1_no_bwd(&made).map(Some)
}

/// Whether rows of `x`, (rows, heads, dim) or (rows, width), have their numbers side by side,
/// though the rows may be apart.
fn has_whole_rows(x: &Tensor) -> bool {
    let are_whole = match (x.dims(), x.stride()) {
        ([_, _, dim], [_, head, 1]) => head == dim,
        ([_, _], [_, 1]) => true,
        _ => false,
    };
    are_whole && x.stride()[0].is_multiple_of(EIGHT) && is_aligned(x)
}

/// Writes rows, (rows, heads, dim), into those of `log`, (capacity, heads · dim), from `first` on;
/// says whether it did.
///
/// # Errors
/// When they are beyond its end.
pub(crate) fn appended(log: &Tensor, rows: &Tensor, first: usize) -> Result<bool> {
    fn run<T: Number>(
        log: &mut CudaStorage,
        layout: &Layout,
        new: &Tensor,
        first: usize,
    ) -> Result<()> {
        let (device, width, count) = (log.device().clone(), layout.dims()[1], new.dim(0)?);
        let (kernel, stride, columns) =
            (function::<T>(&device, "appended")?, new.stride()[0] as i32, width as i32);
        let mut out =
            log.as_cuda_slice_mut::<T>()?.slice_mut(layout.start_offset() + first * width..);
        with_view(new, |new: &CudaView<'_, T>| {
            let mut arguments = kernel.builder();
            arguments.arg(new).arg(&mut out).arg(&columns).arg(&stride);
            // SAFETY: there are `count` rows of `width` numbers from `first` on in the log, and as
            // many in `new`, `stride` apart.
            unsafe { launch(&mut arguments, (count, 1), threads(width)) }
        })
    }
    let (count, heads, dim) = rows.dims3()?;
    let (capacity, width) = log.dims2()?;
    if !is_in_eights(log, width)
        || !is_known(rows)
        || !has_whole_rows(rows)
        || log.dtype() != rows.dtype()
        || width != heads * dim
    {
        return Ok(false);
    }
    if first + count > capacity {
        bail!("{count} rows from {first} on in a log of {capacity}");
    }
    log.inplace_op1(&Changed("appended", |storage: &mut CudaStorage, layout: &Layout| {
        by_type!(storage, run, storage, layout, rows, first)
    }))?;
    Ok(true)
}

/// Whether [`attended`] can be had for heads of these sizes on a device.
pub(crate) fn attends(shape: &AttentionShape, device: &candle_core::Device) -> bool {
    device.is_cuda() && shape.dim.is_power_of_two() && (EIGHT..=32 * EIGHT).contains(&shape.dim)
}

/// Attention of queries, (queries, heads, dim), over rows of keys and values, (rows, kv_heads ·
/// dim) or (rows, kv_heads, dim) each, where [`attends`] says so: to (queries, heads · dim). `seen`
/// has, for each query, where what it sees begins, then for each query how much that is. That are
/// rows of keys and values, or, where more stands there, places of the numbers of rows that follow.
///
/// # Errors
/// When the tensors are not as they are said to be.
pub(crate) fn attended(
    shape: &AttentionShape,
    q: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    seen: &Tensor,
) -> Result<Tensor> {
    fn run<T: Number>(
        q: &CudaStorage,
        layout: &Layout,
        shape: &AttentionShape,
        parts: [&Tensor; 3],
    ) -> Result<CudaStorage> {
        let (device, (queries, heads, dim)) = (q.device(), layout.shape().dims3()?);
        let (kernel, q, out) = (
            function::<T>(device, "attended")?,
            view::<T>(q, layout)?,
            room::<T>(device, queries * heads * dim)?,
        );
        let scattered = usize::from(parts[2].elem_count() > 2 * queries);
        let sizes = [
            queries,
            scattered,
            layout.stride()[0],
            parts[0].stride()[0],
            heads,
            shape.kv_heads,
            dim,
        ]
        .map(|size| size as i32);
        let start = |keys: &CudaView<'_, T>, values: &CudaView<'_, T>, seen: &CudaView<'_, u32>| {
            let mut arguments = kernel.builder();
            arguments.arg(&q).arg(keys).arg(values).arg(seen).arg(&out);
            sizes.iter().for_each(|size| {
                arguments.arg(size);
            });
            arguments.arg(&shape.scale);
            // SAFETY: the sizes are those of the tensors, as `attended` has seen; the numbers of
            // rows are those of rows that the log holds.
            unsafe { launch(&mut arguments, (queries, heads), dim.max(ATTENDING) as u32) }
        };
        let [keys, values, seen] = parts;
        with_view(keys, |keys| {
            with_view(values, |values| with_view(seen, |seen| start(keys, values, seen)))
        })?;
        Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
    }
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
    if !attends(shape, q.device())
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
    let made = Made("attended", |storage: &CudaStorage, layout: &Layout| {
        Ok((
            by_type!(storage, run, storage, layout, shape, [keys, values, seen])?,
            (queries, heads * dim).into(),
        ))
    });
    q.apply_op1_no_bwd(&made)
}

/// Of each row of `logits + bias`, (rows, at least width) and (width) in 32 bits, of the first
/// `width` columns, the `wanted` largest, best first, their columns (−1 where there are no more),
/// the largest, and the sum of exp(logit − largest): (rows, 2 · wanted + 2) in 32 bits.
pub(crate) fn best(
    logits: &Tensor,
    bias: Option<&Tensor>,
    width: usize,
    wanted: usize,
) -> Result<Option<Tensor>> {
    fn run<T: Number>(
        x: &CudaStorage,
        layout: &Layout,
        bias: Option<&Tensor>,
        sizes: [usize; 2],
    ) -> Result<(CudaStorage, Shape)> {
        let (device, (rows, stride), [width, wanted]) =
            (x.device(), layout.shape().dims2()?, sizes);
        let columns = 2 * wanted + 2;
        let (kernel, x, out) = (
            function::<T>(device, "best")?,
            view::<T>(x, layout)?,
            room::<f32>(device, rows * columns)?,
        );
        let sizes = [width as i32, stride as i32, wanted as i32, i32::from(bias.is_some())];
        let start = |bias: &CudaView<'_, f32>| {
            let mut arguments = kernel.builder();
            arguments.arg(&x).arg(bias).arg(&out);
            sizes.iter().for_each(|size| {
                arguments.arg(size);
            });
            // SAFETY: x is (rows, stride), the bias (width) where there is one, out as `wanted`
            // says.
            unsafe { launch(&mut arguments, (rows, 1), CHOOSING) }
        };
        match bias {
            Some(bias) => with_view(bias, start)?,
            // It is not read.
            None => start(&room::<f32>(device, 1)?.slice(..))?,
        }
        Ok((CudaStorage::wrap_cuda_slice(out, device.clone()), (rows, columns).into()))
    }
    let (_, stride) = logits.dims2()?;
    // Columns are handed out as floating-point numbers.
    if !is_in_eights(logits, stride)
        || width > stride
        || wanted == 0
        || wanted > MOST_WANTED
        || width > 1 << 24
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
    let made = Made("best", |storage: &CudaStorage, layout: &Layout| {
        by_type!(storage, run, storage, layout, bias, [width, wanted])
    });
    logits.apply_op1_no_bwd(&made).map(Some)
}
