//! Requests for memory that will be read soon.

/// Requests the whole of a slice for the first cache.
#[inline(always)]
pub(in crate::kernel) fn prefetch_l1<E>(values: &[E]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(64 / size_of::<E>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: it has no effect but on the cache, and all x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    let _ = values;
}

/// Requests the cache line of an address for the second cache; there need be no memory there.
#[inline(always)]
pub(in crate::kernel) fn prefetch_l2(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: it has no effect but on the cache, and all x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
    }
    let _ = address;
}
