//! The choice of the micro-kernel, by instruction set, format and rows of a tile.

use super::activations::Tile;
use super::format::{Format, Q4_0, Q4K, Q5K, Q6K};
#[cfg(target_arch = "aarch64")]
use super::lanes_neon::Four;
#[cfg(target_arch = "x86_64")]
use super::lanes_x86::{Evex, Madd, Vex, Ymm, Zmm};
use super::layout::BlockFormat;
use super::tile::tile;
use crate::kernel::gemm::int8::Epilogue;
use crate::kernel::simd::{Isa, IsaKind, LANES};

/// Multiplies a tile of rows with a panel of blocks.
#[inline]
pub(super) fn multiply(
    isa: Isa,
    format: BlockFormat,
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    match format {
        BlockFormat::Q4_0 => multiply_in::<Q4_0>(isa, rows, panel, epilogue),
        BlockFormat::Q4K => multiply_in::<Q4K>(isa, rows, panel, epilogue),
        BlockFormat::Q5K => multiply_in::<Q5K>(isa, rows, panel, epilogue),
        BlockFormat::Q6K => multiply_in::<Q6K>(isa, rows, panel, epilogue),
    }
}

/// Calls a micro-kernel that is compiled for each number of rows of a tile, with as many times
/// sixteen features at a time as the registers have room for.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_mr {
    ($kernel:ident ($rows:expr, $panel:expr, $epilogue:expr), $($mr:literal of $n:literal)*) => {
        match $rows.mr {
            // SAFETY: an `Isa` is made only after the CPU was found to have its features, and the
            // arm that this stands in is that of the kernel's own.
            $($mr => unsafe { $kernel::<F, $mr, $n>($rows, $panel, $epilogue) },)*
            mr => unreachable!("no tile has {mr} rows"),
        }
    };
}

fn multiply_in<F: Format>(isa: Isa, rows: Tile<'_>, panel: &[u8], epilogue: Epilogue<'_>) {
    match isa.kind() {
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx512 => by_mr!(
            avx512(rows, panel, epilogue),
            1 of 4 2 of 4 3 of 4 4 of 2 5 of 2 6 of 2
            7 of 1 8 of 1 9 of 1 10 of 1 11 of 1 12 of 1
        ),
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni if is_x86_feature_detected!("avxvnni") => {
            by_mr!(avx_vnni(rows, panel, epilogue), 1 of 2 2 of 1 3 of 1 4 of 1 5 of 1 6 of 1)
        }
        // Without AVX-VNNI, it is AVX-512's encoding of the instruction that was detected.
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni => {
            by_mr!(avx512vl_vnni(rows, panel, epilogue), 1 of 2 2 of 1 3 of 1 4 of 1 5 of 1 6 of 1)
        }
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx2 => {
            by_mr!(avx2(rows, panel, epilogue), 1 of 2 2 of 1 3 of 1 4 of 1 5 of 1 6 of 1)
        }
        #[cfg(target_arch = "aarch64")]
        IsaKind::Neon => by_mr!(neon(rows, panel, epilogue), 1 of 2 2 of 1 3 of 1 4 of 1),
        _ => match rows.mr {
            1 => scalar::<F, 1>(rows, panel, epilogue),
            2 => scalar::<F, 2>(rows, panel, epilogue),
            3 => scalar::<F, 3>(rows, panel, epilogue),
            4 => scalar::<F, 4>(rows, panel, epilogue),
            mr => unreachable!("no tile has {mr} rows"),
        },
    }
}

/// Portable code.
fn scalar<F: Format, const MR: usize>(rows: Tile<'_>, panel: &[u8], epilogue: Epilogue<'_>) {
    // SAFETY: portable lanes need no feature.
    unsafe { tile::<[i32; LANES], F, MR, 1>(rows, panel, epilogue) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vnni")]
fn avx512<F: Format, const MR: usize, const N: usize>(
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Zmm, F, MR, N>(rows, panel, epilogue) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
fn avx_vnni<F: Format, const MR: usize, const N: usize>(
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Ymm<Vex>, F, MR, N>(rows, panel, epilogue) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512vl,avx512vnni")]
fn avx512vl_vnni<F: Format, const MR: usize, const N: usize>(
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Ymm<Evex>, F, MR, N>(rows, panel, epilogue) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn avx2<F: Format, const MR: usize, const N: usize>(
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Ymm<Madd>, F, MR, N>(rows, panel, epilogue) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "dotprod")]
fn neon<F: Format, const MR: usize, const N: usize>(
    rows: Tile<'_>,
    panel: &[u8],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: this function has the features of these registers.
    unsafe { tile::<Four, F, MR, N>(rows, panel, epilogue) }
}
