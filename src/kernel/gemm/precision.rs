//! The number format of weights.

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
    /// 8-bit integers as [`Precision::Int8`], but activations are quantized with the factors that a
    /// model's file gives for each layer, where it gives any: as Marian runs its students, whose
    /// results this reproduces. Elsewhere it is [`Precision::Int8`].
    Int8Static,
}
