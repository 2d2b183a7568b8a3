//! Which instruction set the kernels use, found once at run time.

use std::sync::OnceLock;

/// Instruction sets that have kernels of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
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
            named.or(available.last().copied()).unwrap_or(Isa::Scalar)
        })
    }

    /// All sets that this machine can run, the best last.
    pub fn available() -> Vec<Isa> {
        let mut available = vec![Isa::Scalar];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            available.push(Isa::Avx2);
            // AVX-512 has the same instruction in another encoding.
            let vl_vnni =
                is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni");
            if is_x86_feature_detected!("avxvnni") || vl_vnni {
                available.push(Isa::AvxVnni);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                available.push(Isa::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            available.push(Isa::Neon);
        }
        available
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::AvxVnni => "avx-vnni",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
        }
    }
}

/// Defines a function whose body is compiled once per instruction set; the compiler vectorizes the
/// fixed-width lane arrays in it. NEON needs no copy of its own: all code for 64-bit ARM may use
/// it. The first parameter of the generated function is the [`Isa`].
macro_rules! per_isa {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<const $c:ident: usize>)? ($($arg:ident: $ty:ty),* $(,)?) = $body:path) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<const $c: usize>)? (isa: $crate::kernel::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
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
                if isa == $crate::kernel::Isa::Avx512 {
                    // SAFETY: `Isa::Avx512` is only ever made after the CPU was found to have these
                    // features.
                    return unsafe { avx512 $(::<$c>)? ($($arg),*) };
                }
                if matches!(isa, $crate::kernel::Isa::Avx2 | $crate::kernel::Isa::AvxVnni) {
                    // SAFETY: these are only ever made after the CPU was found to have AVX2, FMA
                    // and F16C.
                    return unsafe { avx2 $(::<$c>)? ($($arg),*) };
                }
            }
            let _ = isa;
            $body($($arg),*)
        }
    };
}
pub(crate) use per_isa;
