//! The choice of the micro-kernel, by instruction set and by the rows of a tile.

use super::activations::Tile;
#[cfg(target_arch = "aarch64")]
use super::dot_neon;
#[cfg(target_arch = "x86_64")]
use super::dot_x86;
use super::epilogue::Epilogue;
use super::layout::{MAX_MR, PANEL, Panel, Rows};
use super::madd;
#[cfg(target_arch = "x86_64")]
use super::madd_avx2;
use crate::kernel::simd::{Isa, IsaKind};

/// Calls a micro-kernel that is compiled for each number of rows of a tile.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_mr {
    ($mr:expr, $module:ident::$kernel:ident $arguments:tt) => {
        by_mr!($mr, $module::$kernel $arguments, 1 2 3 4 5 6)
    };
    ($mr:expr, $module:ident::$kernel:ident $arguments:tt, $($rows:literal)*) => {
        match $mr {
            // SAFETY: an `Isa` is made only after the CPU was found to have its features, and the
            // arm that this stands in is that of the kernel's own.
            $($rows => unsafe { $module::$kernel::<$rows> $arguments },)*
            mr => unreachable!("no tile has {mr} rows"),
        }
    };
}

/// Multiplies a tile of rows with a panel of weights, both made for the instruction set.
#[inline]
pub(super) fn multiply(isa: Isa, tile: Tile<'_>, panel: Panel<'_>, epilogue: Epilogue<'_>) {
    match tile {
        Tile::I16(rows) => {
            let mut sums = [[0.0f32; PANEL]; MAX_MR];
            let sums = &mut sums[..rows.mr];
            multiply_i16(isa, rows, panel, sums);
            epilogue.finish(isa, sums);
        }
        Tile::I8(rows, starts) => multiply_i8(isa, rows, starts, panel, epilogue),
    }
}

fn multiply_i16(isa: Isa, rows: Rows<'_, i16>, panel: Panel<'_>, sums: &mut [[f32; PANEL]]) {
    match isa.kind() {
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx2 => by_mr!(rows.mr, madd_avx2::tile(rows, panel, sums)),
        IsaKind::Scalar => madd::tile(rows, panel, sums),
        _ => unreachable!("{} multiplies bytes", isa.name()),
    }
}

#[inline]
fn multiply_i8(
    isa: Isa,
    rows: Rows<'_, i8>,
    starts: &[i32],
    panel: Panel<'_>,
    epilogue: Epilogue<'_>,
) {
    let of_rows = rows.scales.len() == rows.mr;
    match isa.kind() {
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx512 if of_rows => {
            by_mr!(rows.mr, dot_x86::avx512_of_rows(rows, starts, panel, epilogue))
        }
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni if of_rows && is_x86_feature_detected!("avxvnni") => {
            by_mr!(rows.mr, dot_x86::avx_vnni_of_rows(rows, starts, panel, epilogue))
        }
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni if of_rows => {
            by_mr!(rows.mr, dot_x86::avx512vl_vnni_of_rows(rows, starts, panel, epilogue))
        }
        #[cfg(target_arch = "aarch64")]
        IsaKind::Neon if of_rows => {
            by_mr!(rows.mr, dot_neon::neon_of_rows(rows, starts, panel, epilogue))
        }
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx512 => by_mr!(rows.mr, dot_x86::avx512(rows, starts, panel, epilogue)),
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni if is_x86_feature_detected!("avxvnni") => {
            by_mr!(rows.mr, dot_x86::avx_vnni(rows, starts, panel, epilogue))
        }
        // Without AVX-VNNI, it is AVX-512's encoding of the instruction that was detected.
        #[cfg(target_arch = "x86_64")]
        IsaKind::AvxVnni => by_mr!(rows.mr, dot_x86::avx512vl_vnni(rows, starts, panel, epilogue)),
        #[cfg(target_arch = "aarch64")]
        IsaKind::Neon => by_mr!(rows.mr, dot_neon::neon(rows, starts, panel, epilogue)),
        _ => unreachable!("{} multiplies words", isa.name()),
    }
}
