//! Where and how models compute, as a user asks for it.

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::event::{Event, OnEvent};
use crate::kernel::Precision;
use crate::main_memory::MemoryBudget;
use crate::model::{DeviceChoice, Runtime};

/// What a user says about where and how to compute; what is left out is chosen for the machine.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// The device.
    pub device: DeviceChoice,
    /// Precision of the weights; by default [`Precision::Int8`], or [`Precision::Int4`] for the
    /// files of [`Runtime::keeps_blocks`]; on a GPU 16-bit floats.
    pub precision: Option<Precision>,
    /// CPU workers; one a core by default.
    pub threads: Option<usize>,
    /// See [`Runtime::batch`].
    pub batch: Option<usize>,
    /// See [`Runtime::batch_tokens`].
    pub batch_tokens: Option<usize>,
    /// Most bytes of main memory that the process is to take, see [`Runtime::memory`].
    pub memory: Option<u64>,
}

impl RuntimeOptions {
    /// The precision that is asked for.
    pub fn precision(&self) -> Precision {
        self.precision.unwrap_or(Precision::Int8)
    }

    /// The name of the precision in keys of results: 8 bits that were asked for are others than
    /// those that were not, see [`Runtime::keeps_blocks`].
    pub(crate) fn precision_key(&self) -> &'static str {
        match self.precision {
            Some(Precision::Int8) => "int8 throughout",
            _ => self.precision().name(),
        }
    }

    /// Opens the device. What `cancel` stops is the models' work.
    ///
    /// # Errors
    /// When a device or a precision is asked for that this build or this machine does not have.
    pub fn open(&self, cancel: &CancelToken, on_event: OnEvent<'_>) -> Result<Runtime> {
        let (device, choice) = self.device.open()?;
        choice.iter().for_each(|choice| on_event(Event::Note(choice)));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or(cores).max(1);
        let usual =
            Runtime::new(device, Precision::Int8, threads).with_precision(self.precision())?;
        Ok(Runtime {
            cancel: cancel.clone(),
            keeps_blocks: self.precision.is_none(),
            batch: self.batch.unwrap_or(usual.batch),
            batch_tokens: self.batch_tokens.unwrap_or(usual.batch_tokens),
            memory: self.memory.map(MemoryBudget::of).unwrap_or_default(),
            ..usual
        })
    }
}
