//! Memory that begins at the border of a cache line, and in large pages: a register of AVX-512 is a
//! line, and loads that lie across two take twice as long; all weights are read at every step, and
//! with pages of 4 KiB the translation of their addresses is a good part of that.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Plain old data: numbers of which any bits are a value.
pub(in crate::kernel) trait Pod: Copy {}
impl Pod for u8 {}
impl Pod for i8 {}
impl Pod for f32 {}
impl Pod for half::f16 {}

/// A vector of a fixed length, all zeros at first, that begins at the border of a cache line.
pub(in crate::kernel) struct Aligned<T> {
    /// The memory of which a part is its own, and nobody else's.
    slab: Arc<Slab>,
    /// Byte of the slab at which it begins.
    offset: usize,
    length: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Aligned<T> {
    /// A vector in memory of its own, for a while.
    pub(in crate::kernel) fn zeros(length: usize) -> Aligned<T> {
        let slab = Slab::new(length * size_of::<T>());
        Aligned { offset: 0, slab: Arc::new(slab), length, of: PhantomData }
    }

    /// A vector beside others that are made one after the other and stay about as long: the
    /// matrices of a model, most of which are smaller than a large page.
    pub(in crate::kernel) fn in_slab(length: usize) -> Aligned<T> {
        /// The slab that is being filled, and how far. The system gets it back with the last of its
        /// vectors.
        static OPEN: Mutex<(Weak<Slab>, usize)> = Mutex::new((Weak::new(), 0));
        let bytes = (length * size_of::<T>()).next_multiple_of(LINE);
        if bytes > SLAB / 4 {
            return Aligned::zeros(length);
        }
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (slab, offset) = match open.0.upgrade() {
            Some(slab) if open.1 + bytes <= SLAB => (slab, open.1),
            _ => (Arc::new(Slab::new(SLAB)), 0),
        };
        *open = (Arc::downgrade(&slab), offset + bytes);
        Aligned { slab, offset, length, of: PhantomData }
    }
}

/// Bytes of memory that vectors share.
const SLAB: usize = 16 << 20;

/// Memory of which vectors own parts.
struct Slab {
    /// The first border of a line, from which on there are as many bytes as were asked for.
    start: *mut u8,
    /// Owns the memory; never looked at.
    _bytes: Vec<u8>,
}

// SAFETY: a slab gives no access to its memory; vectors do, each to its own part.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

impl Slab {
    fn new(bytes: usize) -> Slab {
        // The bytes come from the system as zeros, and nothing has touched them yet.
        let mut bytes = vec![0; bytes + LINE - 1];
        advise_large_pages(&bytes);
        let start = bytes.as_mut_ptr();
        let start = start.wrapping_add(start.addr().next_multiple_of(LINE) - start.addr());
        Slab { start, _bytes: bytes }
    }
}

/// Asks the system for pages of 2 MiB, for memory that holds whole ones and is still untouched.
fn advise_large_pages(bytes: &[u8]) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 2 << 20;
        let start = bytes.as_ptr().addr();
        let first = start.next_multiple_of(PAGE);
        let end = (start + bytes.len()) / PAGE * PAGE;
        if end > first {
            // SAFETY: the range is within memory that is ours; the advice changes nothing of what
            // it holds, and may be refused.
            unsafe {
                libc::madvise(
                    bytes.as_ptr().wrapping_add(first - start).cast_mut().cast(),
                    end - first,
                    libc::MADV_HUGEPAGE,
                )
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bytes;
}

impl<T: Pod> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: from there on, at the border of a line, the slab has `length` elements that are
        // this vector's own, aligned to more than these need; any bits are a value of them.
        unsafe { std::slice::from_raw_parts(self.slab.start.add(self.offset).cast(), self.length) }
    }
}

impl<T: Pod> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; the vector is borrowed alone, and no other has this part of the slab.
        unsafe {
            std::slice::from_raw_parts_mut(self.slab.start.add(self.offset).cast(), self.length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_a_slab_lie_side_by_side() {
        let mut all: Vec<Aligned<f32>> =
            [5, 0, 100, SLAB / 4, SLAB / 20, SLAB / 16, SLAB / 16, SLAB / 16, 7]
                .map(Aligned::in_slab)
                .into();
        for (n, values) in (1u8..).zip(&mut all) {
            assert!(values.as_ptr().addr().is_multiple_of(64) && values.iter().all(|v| *v == 0.0));
            values.fill(f32::from(n));
        }
        all.swap_remove(3);
        all.push(Aligned::in_slab(9));
        let own = |values: &Aligned<f32>| values.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(
            all.iter().all(own)
                && all.last().is_some_and(|values| values.iter().all(|v| *v == 0.0))
        );
    }

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
