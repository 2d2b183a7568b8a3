//! The instruction set that the kernels use, found once at run time.

use std::sync::OnceLock;

/// An instruction set that this machine has. Only the detection makes one, which is what lets the
/// kernels call code for the set without looking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(IsaKind);

/// The instruction sets that have kernels of their own, from the slowest to the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum IsaKind {
    /// Portable code, the reference.
    Scalar,
    /// AVX2, FMA and F16C (x86-64 since 2013).
    Avx2,
    /// AVX2 with VNNI in 256 bits (Intel since Alder Lake, where there is no AVX-512).
    AvxVnni,
    /// AVX-512 with VNNI (AMD since Zen 4, Intel since Ice Lake).
    Avx512,
    /// NEON with its dot product (Apple silicon, ARM servers since Neoverse N1).
    Neon,
}

impl Isa {
    /// The best set of this machine, or the one named by the environment variable `POLYGIST_ISA`
    /// (`scalar`, `avx2`, `avx-vnni`, `avx512`, `neon`) if the machine has it; made for tests and
    /// for finding faults.
    pub fn current() -> Isa {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = Isa::available();
            let named = std::env::var("POLYGIST_ISA").ok();
            let named =
                named.and_then(|name| available.iter().find(|isa| isa.name() == name).copied());
            named.or(available.last().copied()).unwrap_or(Isa(IsaKind::Scalar))
        })
    }

    /// All sets that this machine can run, the slowest (`scalar`) first, the best last.
    pub fn available() -> Vec<Isa> {
        use IsaKind::{Avx2, Avx512, AvxVnni, Neon, Scalar};
        let all = [Scalar, Avx2, AvxVnni, Avx512, Neon];
        all.into_iter().filter(|kind| kind.is_detected()).map(Isa).collect()
    }

    /// Which of the sets it is.
    #[inline(always)]
    pub(in crate::kernel) fn kind(self) -> IsaKind {
        self.0
    }

    /// The name by which `POLYGIST_ISA` chooses it.
    pub fn name(self) -> &'static str {
        match self.0 {
            IsaKind::Scalar => "scalar",
            IsaKind::Avx2 => "avx2",
            IsaKind::AvxVnni => "avx-vnni",
            IsaKind::Avx512 => "avx512",
            IsaKind::Neon => "neon",
        }
    }
}

impl IsaKind {
    /// Whether this machine has every feature that the set's kernels are compiled with.
    #[cfg(target_arch = "x86_64")]
    fn is_detected(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        // AVX-512 has the same instruction in another encoding.
        let vl_vnni =
            is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni");
        match self {
            IsaKind::Scalar => true,
            IsaKind::Avx2 => avx2,
            IsaKind::AvxVnni => avx2 && (is_x86_feature_detected!("avxvnni") || vl_vnni),
            IsaKind::Avx512 => {
                avx2 && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vnni")
            }
            IsaKind::Neon => false,
        }
    }

    /// Whether this machine has every feature that the set's kernels are compiled with.
    #[cfg(target_arch = "aarch64")]
    fn is_detected(self) -> bool {
        match self {
            IsaKind::Scalar => true,
            IsaKind::Neon => std::arch::is_aarch64_feature_detected!("dotprod"),
            IsaKind::Avx2 | IsaKind::AvxVnni | IsaKind::Avx512 => false,
        }
    }

    /// Whether this machine has every feature that the set's kernels are compiled with.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn is_detected(self) -> bool {
        self == IsaKind::Scalar
    }
}

/// Defines a function whose body is compiled once per instruction set; the compiler vectorizes the
/// fixed-width lane arrays in it. NEON needs no copy of its own: all code for 64-bit ARM may use
/// it. The first parameter of the generated function is the [`Isa`].
macro_rules! per_isa {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<const $c:ident: usize>)? ($($arg:ident: $ty:ty),* $(,)?)
            = $body:path
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<const $c: usize>)? (isa: $crate::kernel::simd::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernel::simd::IsaKind;
                #[target_feature(enable = "avx2,fma,f16c")]
                #[allow(clippy::too_many_arguments)]
                fn avx2 $(<const $c: usize>)? ($($arg: $ty),*) {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
                #[allow(clippy::too_many_arguments)]
                fn avx512 $(<const $c: usize>)? ($($arg: $ty),*) {
                    $body($($arg),*)
                }
                match isa.kind() {
                    // SAFETY: an `Isa` of this kind is made only after the CPU was found to have
                    // these features.
                    IsaKind::Avx512 => return unsafe { avx512 $(::<$c>)? ($($arg),*) },
                    IsaKind::Avx2 | IsaKind::AvxVnni => {
                        // SAFETY: as above; both kinds need AVX2, FMA and F16C.
                        return unsafe { avx2 $(::<$c>)? ($($arg),*) };
                    }
                    IsaKind::Scalar | IsaKind::Neon => {}
                }
            }
            let _ = isa;
            $body($($arg),*)
        }
    };
}
pub(in crate::kernel) use per_isa;
