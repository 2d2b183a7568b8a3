//! Where and how a model computes.

use crate::error::Result;
use crate::kernel::Precision;
use candle_core::{DType, Device, Tensor};

/// The implementation of the layers' operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// The kernels of the CPU, on packed weights and on caches in main memory.
    Kernels,
    /// candle's operations, on tensors wherever they lie, and on one KV pool for all sequences.
    /// On CUDA devices this crate's own kernels take over where they fit.
    Candle,
}

/// Device, precision and implementation of a model.
#[derive(Clone, Debug)]
pub struct Backend {
    /// CPU, CUDA or Metal.
    pub device: Device,
    /// Precision of the weights.
    pub precision: Precision,
    /// Implementation of the layers' operations.
    pub compute: Compute,
}

impl Backend {
    /// The kernels on the CPU, candle elsewhere.
    pub const fn new(device: Device, precision: Precision) -> Backend {
        let compute =
            if matches!(device, Device::Cpu) { Compute::Kernels } else { Compute::Candle };
        Backend { device, precision, compute }
    }

    /// The type of the numbers that tensors hold.
    pub fn dtype(&self) -> DType {
        match (self.compute, self.precision) {
            (Compute::Candle, Precision::F16) => DType::F16,
            // candle has no products of 8-bit integers.
            (
                Compute::Candle,
                Precision::Bf16 | Precision::Int8 | Precision::Int8Static | Precision::Int4,
            ) => DType::BF16,
            _ => DType::F32,
        }
    }

    /// Whether inputs and weights of layers are quantized to 8 bits.
    pub fn quantizes(&self) -> bool {
        matches!(self.precision, Precision::Int8 | Precision::Int8Static | Precision::Int4)
            && self.compute == Compute::Kernels
    }

    /// A weight, given as f32 in main memory, on the device and in the type of the model.
    pub fn place(&self, weight: &Tensor) -> Result<Tensor> {
        Ok(weight.to_dtype(self.dtype())?.to_device(&self.device)?)
    }
}
