//! Where and how a model computes.

use crate::error::Result;
use crate::kernel::Precision;
use candle_core::{DType, Device, Tensor};

/// Where and how a model computes.
#[derive(Clone, Debug)]
pub struct Backend {
    /// CPU, CUDA or Metal.
    pub device: Device,
    /// Precision of the weights.
    pub precision: Precision,
    /// Whether candle's operations compute, and not the kernels of the CPU.
    pub candle: bool,
}

impl Backend {
    /// With the kernels on the CPU, and candle elsewhere.
    pub const fn new(device: Device, precision: Precision) -> Backend {
        let candle = !matches!(device, Device::Cpu);
        Backend { device, precision, candle }
    }

    /// The numbers in which candle computes.
    pub fn dtype(&self) -> DType {
        match self.precision {
            Precision::F16 if self.candle => DType::F16,
            // There are no products of 8-bit integers.
            Precision::Bf16 | Precision::Int8 if self.candle => DType::BF16,
            _ => DType::F32,
        }
    }

    /// Whether inputs and weights of layers are rounded to 8 bits.
    pub fn rounds(&self) -> bool {
        self.precision == Precision::Int8 && !self.candle
    }

    /// A weight, as f32 in main memory, where the model computes.
    pub fn place(&self, weight: &Tensor) -> Result<Tensor> {
        Ok(weight.to_dtype(self.dtype())?.to_device(&self.device)?)
    }
}
