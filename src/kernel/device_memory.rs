//! Memory of a CUDA device.

use candle_core::Device;

/// Has the driver keep the memory that tensors give back, for those to come. By itself it returns all of it to the system whenever
/// somebody waits for a result, at every token, and fetching it again takes longer than the token. Where it cannot be told, nothing is lost
/// but that time.
#[cfg(feature = "cuda")]
pub fn keep_memory(device: &Device) {
    use candle_core::cuda_backend::cudarc::driver::{result, sys::CUmemPool_attribute};
    let Ok(device) = device.as_cuda_device() else { return };
    let stream = device.cuda_stream();
    let mut threshold = u64::MAX;
    // SAFETY: the device is that of an open context, and this attribute is a u64, which outlives the call.
    let _ = unsafe {
        result::device::get_default_mem_pool(stream.context().cu_device()).and_then(|pool| {
            let value = (&raw mut threshold).cast();
            result::mem_pool::set_attribute(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, value)
        })
    };
}

/// Nothing, in a build that knows no such device.
#[cfg(not(feature = "cuda"))]
pub fn keep_memory(_device: &Device) {}
