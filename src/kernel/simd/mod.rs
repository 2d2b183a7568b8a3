//! What all kernels of the CPU stand on: the instruction set, found at run time; sixteen floats
//! that are computed side by side; memory that begins at the border of a cache line.

mod aligned;
mod dispatch;
mod f32x16;
mod isa;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod prefetch;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use isa::Isa;

pub(super) use aligned::Aligned;
pub(super) use dispatch::{LaneKernel, run_on};
pub(super) use f32x16::{Element, F32x16, LANES};
pub(super) use isa::{IsaKind, per_isa};
pub(super) use math::{exp, exp_lanes, exp2_lanes, soft_cap};
#[cfg(target_arch = "aarch64")]
pub(super) use neon::Neon;
pub(super) use prefetch::{prefetch_l1, prefetch_l2};
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};
