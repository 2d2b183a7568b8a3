//! The choice of the lanes of a kernel that is written for any.

use super::isa::{Isa, IsaKind};
use super::{F32x16, LANES};

/// A kernel with its arguments, written for lanes of any instruction set.
pub(in crate::kernel) trait LaneKernel {
    type Output;

    /// Runs it. An implementation is inlined (`#[inline(always)]`), so that it is compiled with the
    /// features of the lanes.
    ///
    /// # Safety
    /// The caller has the features of the lanes.
    unsafe fn run<L: F32x16>(self) -> Self::Output;
}

/// Runs a kernel with the lanes of an instruction set.
#[inline]
pub(in crate::kernel) fn run_on<K: LaneKernel>(isa: Isa, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use super::{Avx2, Avx512};
        #[target_feature(enable = "avx2,fma,f16c")]
        fn avx2<K: LaneKernel>(kernel: K) -> K::Output {
            // SAFETY: this function has the features of these lanes.
            unsafe { kernel.run::<Avx2>() }
        }
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
        fn avx512<K: LaneKernel>(kernel: K) -> K::Output {
            // SAFETY: this function has the features of these lanes.
            unsafe { kernel.run::<Avx512>() }
        }
        match isa.kind() {
            // SAFETY: an `Isa` of this kind is made only after the CPU was found to have these
            // features.
            IsaKind::Avx512 => return unsafe { avx512(kernel) },
            // SAFETY: as above; both kinds need AVX2, FMA and F16C.
            IsaKind::Avx2 | IsaKind::AvxVnni => return unsafe { avx2(kernel) },
            IsaKind::Scalar | IsaKind::Neon => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    if isa.kind() == IsaKind::Neon {
        // SAFETY: all code for 64-bit ARM has the features of these lanes.
        return unsafe { kernel.run::<super::Neon>() };
    }
    let _ = isa;
    // SAFETY: portable lanes need no feature.
    unsafe { kernel.run::<[f32; LANES]>() }
}
