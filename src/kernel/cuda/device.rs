//! CUDA devices, opened so that workers can share them.

use candle_core::{Device, Result};

/// Opens the CUDA device of a number, with one stream for all threads: work that one of them begins
/// is done before work that another begins later. The memory of dropped tensors is kept for those
/// to come; by itself the driver returns all of it to the system whenever somebody waits for a
/// result, at every token, and fetching it again takes longer than the token.
///
/// # Errors
/// When there is no such device.
#[cfg(feature = "cuda")]
pub fn open_cuda(number: usize) -> Result<Device> {
    use candle_core::cuda_backend::cudarc::driver::{result, sys::CUmemPool_attribute};
    // Candle's usual stream is another one for each thread, and nothing would keep them in order.
    let opened = Device::new_cuda_with_stream(number)?;
    let device = opened.as_cuda_device()?;
    // SAFETY: events keep several streams in order, and there is one.
    unsafe { device.disable_event_tracking() };
    let stream = device.cuda_stream();
    let mut threshold = u64::MAX;
    // Where this fails, nothing is lost but time.
    // SAFETY: the device is that of an open context, and this attribute is a u64, which outlives
    // the call.
    let _ = unsafe {
        result::device::get_default_mem_pool(stream.context().cu_device()).and_then(|pool| {
            let value = (&raw mut threshold).cast();
            result::mem_pool::set_attribute(
                pool,
                CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
                value,
            )
        })
    };
    Ok(opened)
}

/// Fails with candle's error: this build knows no such device.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cuda"))]
pub fn open_cuda(number: usize) -> Result<Device> {
    Device::new_cuda(number)
}
