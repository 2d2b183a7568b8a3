//! Compiling and launching kernels: they are compiled for the device when the first of them is
//! used, by NVRTC, which candle needs anyway.

use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaStream, CudaView, DeviceRepr, LaunchArgs, LaunchConfig,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaDType, DeviceId, WrapErr};
use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, InplaceOp1, Layout, Result, Shape, Storage,
    Tensor, bail,
};
use half::{bf16, f16};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const SOURCE: &str = include_str!("kernels.cu");
const MODULE: &str = "polygist";

/// The compiled kernels for the architecture of a device, which keeps them once it has loaded one.
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

/// A number type that the kernels are compiled for.
pub(super) trait Number: CudaDType + DeviceRepr {
    /// The suffix of the kernels for it.
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

/// A kernel, and the stream that it runs on.
pub(super) struct Kernel {
    function: CudaFunction,
    stream: Arc<CudaStream>,
}

impl Kernel {
    pub(super) fn builder(&self) -> LaunchArgs<'_> {
        self.stream.launch_builder(&self.function)
    }
}

/// The kernel of a name for numbers of a type. It is looked up once for each device: launches are
/// many and short.
pub(super) fn function<T: Number>(device: &CudaDevice, name: &'static str) -> Result<Kernel> {
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
            candle_core::DType::F32 => $function::<f32>($($argument),*),
            candle_core::DType::BF16 => $function::<half::bf16>($($argument),*),
            candle_core::DType::F16 => $function::<half::f16>($($argument),*),
            other => candle_core::bail!("kernels for {other:?}"),
        }
    };
}
pub(super) use by_type;

/// An operation that makes a result of a tensor on a device.
pub(super) struct Made<F>(pub &'static str, pub F);

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

/// An operation that changes a tensor on a device.
pub(super) struct Changed<F>(pub &'static str, pub F);

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
pub(super) fn view<'a, T: CudaDType>(
    storage: &'a CudaStorage,
    layout: &Layout,
) -> Result<CudaView<'a, T>> {
    let slice: &CudaSlice<T> = storage.as_cuda_slice()?;
    Ok(slice.slice(layout.start_offset()..))
}

/// Calls `use_it` with the numbers of a tensor.
pub(super) fn with_view<T: CudaDType, R>(
    tensor: &Tensor,
    use_it: impl FnOnce(&CudaView<'_, T>) -> Result<R>,
) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else { bail!("expected a tensor on a CUDA device") };
    use_it(&view::<T>(storage, layout)?)
}

/// Calls `use_it` with the numbers of a tensor that may be missing; then with others `instead`,
/// which the kernel does not read.
pub(super) fn with_view_or<T: CudaDType, R>(
    tensor: Option<&Tensor>,
    instead: &CudaView<'_, T>,
    use_it: impl FnOnce(&CudaView<'_, T>) -> Result<R>,
) -> Result<R> {
    match tensor {
        Some(tensor) => with_view(tensor, use_it),
        None => use_it(instead),
    }
}

/// Memory for a result.
pub(super) fn allocate<T: CudaDType + DeviceRepr>(
    device: &CudaDevice,
    count: usize,
) -> Result<CudaSlice<T>> {
    // SAFETY: the kernel that follows writes every number of it before anything reads one.
    unsafe { device.alloc(count) }
}

/// Launches a kernel whose arguments are set.
///
/// # Safety
/// They are those of its signature in kernels.cu, and what they point to has the sizes that they
/// say.
pub(super) unsafe fn launch(
    arguments: &mut LaunchArgs<'_>,
    grid: (usize, usize),
    threads: u32,
) -> Result<()> {
    let shape = LaunchConfig {
        grid_dim: (grid.0 as u32, grid.1 as u32, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: the caller's.
    unsafe { arguments.launch(shape) }.w()?;
    Ok(())
}
