//! Memory at the borders of cache lines: a register of AVX-512 is a line, and loads that lie across two take twice as long.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Numbers of which any bits are a value; the first one lies at the border of a line.
pub(super) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for f32 {}

/// A vector of a fixed length, all zeros at first, that begins at the border of a cache line.
pub(super) struct Aligned<T> {
    bytes: Vec<u8>,
    /// Where in them it begins.
    first: usize,
    length: usize,
    of: PhantomData<T>,
}

impl<T: Plain> Aligned<T> {
    pub(super) fn zeros(length: usize) -> Aligned<T> {
        // Bytes come from the system as zeros, and nothing has touched them yet.
        let bytes = vec![0; length * size_of::<T>() + LINE - 1];
        in_huge_pages(&bytes);
        let address = bytes.as_ptr().addr();
        Aligned { first: address.next_multiple_of(LINE) - address, bytes, length, of: PhantomData }
    }
}

/// Asks for pages of 2 MiB where the memory is larger than a few of them and still untouched: weights are gone over from one end to the other
/// at every step, and with pages of 4 KiB the search for the pages is a good part of that.
fn in_huge_pages(bytes: &[u8]) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 2 << 20;
        let start = bytes.as_ptr().addr();
        let first = start.next_multiple_of(PAGE);
        let end = (start + bytes.len()) / PAGE * PAGE;
        if end > first {
            // SAFETY: the range is within memory that is ours; the advice changes nothing of what it holds, and may be refused.
            unsafe { libc::madvise(bytes.as_ptr().wrapping_add(first - start).cast_mut().cast(), end - first, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bytes;
}

impl<T: Plain> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let from = &self.bytes[self.first..];
        // SAFETY: from there on, at the border of a line, the bytes hold at least `length` elements, aligned to more than these need, and any
        // bits are a value of them.
        unsafe { std::slice::from_raw_parts(from.as_ptr().cast(), self.length) }
    }
}

impl<T: Plain> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let from = &mut self.bytes[self.first..];
        // SAFETY: as above; the bytes are borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(from.as_mut_ptr().cast(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_slice_at_the_border_of_a_line() {
        for length in [0, 1, 15, 16, 17, 1000] {
            let mut values = Aligned::<f32>::zeros(length);
            assert!(values.len() == length && values.iter().all(|v| *v == 0.0));
            assert!(values.as_ptr().addr().is_multiple_of(64));
            values.iter_mut().enumerate().for_each(|(i, v)| *v = i as f32);
            assert!(values.iter().enumerate().all(|(i, v)| *v == i as f32));
        }
    }
}
