//! The number format of weights.

use crate::error::{Error, Result};
use std::str::FromStr;

/// How weights are stored and multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32-bit floats: the reference.
    F32,
    /// 16-bit floats of IEEE 754, on a GPU.
    F16,
    /// 16-bit floats with the range of 32-bit ones, on a GPU.
    Bf16,
    /// 8-bit integers, a scale per [`GROUP`](crate::kernel::GROUP) weights; activations are
    /// quantized the same way on the fly.
    Int8,
    /// The integers of 4 to 6 bits, and their scales, that a GGUF file has (Q4_0, Q4_K, Q5_K,
    /// Q6_K), as they are; weights that are stored otherwise become 8-bit integers as in
    /// [`Precision::Int8`]. Activations are quantized to 8 bits.
    Int4,
    /// 8-bit integers as [`Precision::Int8`], but activations are quantized with the factors that a
    /// model's file gives for each layer, where it gives any: as Marian runs its students, whose
    /// results this reproduces. Elsewhere it is [`Precision::Int8`].
    Int8Static,
}

impl Precision {
    const ALL: [Precision; 6] = [
        Precision::Int8,
        Precision::Int8Static,
        Precision::Int4,
        Precision::F32,
        Precision::F16,
        Precision::Bf16,
    ];

    /// Its name on the command line and in keys of results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
            Precision::Int4 => "int4",
            Precision::Int8Static => "int8-static",
        }
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Precision> {
        let found = Precision::ALL.into_iter().find(|precision| precision.name() == name);
        found.ok_or_else(|| {
            Error::Usage(format!(
                "precision {name:?} is not known; expected int8, int8-static, int4, f32, f16 or bf16"
            ))
        })
    }
}
