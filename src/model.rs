//! From a model's files to an engine that runs it.

mod chat;
mod encoder;
mod generation;

pub use encoder::{is_sentence_encoder, open_sentence_encoder};

use crate::arch;
use crate::cancel::CancelToken;
use crate::checkpoint::{Amount, Config, TrackedWeights, Weights};
use crate::error::{Error, Result};
use crate::generate::{Engine, EngineSettings, GenerationConfig};
use crate::io::weights::{Adapter, Gguf, open_folder, optional_json};
use crate::kernel::{Precision, open_cuda};
use crate::main_memory::{MemoryBudget, Share};
use crate::nn::{Backend, Compute};
use crate::text::language::script;
use crate::token::Tokenizer;
use candle_core::Device;
use generation::{Stated, shortlists};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The device to compute on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A GPU if this build and this machine have one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A CUDA device, by number.
    Cuda(usize),
    /// The Metal device.
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "auto" => Ok(DeviceChoice::Auto),
            None if text == "cpu" => Ok(DeviceChoice::Cpu),
            None if text == "cuda" => Ok(DeviceChoice::Cuda(0)),
            None if text == "metal" => Ok(DeviceChoice::Metal),
            Some(("cuda", n)) if n.parse::<usize>().is_ok() => {
                Ok(DeviceChoice::Cuda(n.parse().unwrap_or(0)))
            }
            _ => Err(Error::Usage(format!(
                "device {text:?} is not known; expected auto, cpu, cuda, cuda:N or metal"
            ))),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Cuda(n) => write!(f, "cuda:{n}"),
            DeviceChoice::Metal => f.write_str("metal"),
        }
    }
}

impl DeviceChoice {
    /// The device itself; where the choice was left to the program and it had one, also what it
    /// chose, in a few words.
    ///
    /// # Errors
    /// When a GPU is asked for that this build or this machine does not have.
    pub fn open(self) -> Result<(Device, Option<String>)> {
        let missing = |what: &str, feature: &str, built: bool, why: &str| {
            let hint = if built {
                why.to_string()
            } else {
                format!("this binary was built without it: build with `--features {feature}`")
            };
            Error::Usage(format!("no {what} device to be had: {hint}. `--device cpu` always works"))
        };
        // The first line says what happened; the rest is a trace.
        let first =
            |e: candle_core::Error| e.to_string().lines().next().unwrap_or_default().to_string();
        let cuda = |n| open_cuda(n).map_err(first);
        let metal = || Device::new_metal(0).map_err(first);
        let chosen = |found: std::result::Result<Device, String>, name: &str| match found {
            Ok(device) => (device, Some(format!("computing on {name}"))),
            Err(why) => {
                (Device::Cpu, Some(format!("computing on the CPU: {name} is not to be had: {why}")))
            }
        };
        Ok(match self {
            DeviceChoice::Cpu => (Device::Cpu, None),
            DeviceChoice::Cuda(n) => (
                cuda(n).map_err(|why| missing("CUDA", "cuda", cfg!(feature = "cuda"), &why))?,
                None,
            ),
            DeviceChoice::Metal => (
                metal().map_err(|why| missing("Metal", "metal", cfg!(feature = "metal"), &why))?,
                None,
            ),
            DeviceChoice::Auto if cfg!(feature = "cuda") => chosen(cuda(0), "CUDA device 0"),
            DeviceChoice::Auto if cfg!(feature = "metal") => chosen(metal(), "the Metal device"),
            DeviceChoice::Auto => (Device::Cpu, None),
        })
    }
}

/// The device, precision and sizes of batches that a model runs with.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The device.
    pub device: Device,
    /// Precision of the weights; on a GPU, 8-bit integers stand for [`Precision::Bf16`].
    pub precision: Precision,
    /// Whether models whose files have most of their weights in blocks of 4 to 6 bits compute with
    /// these ([`Precision::Int4`]) where `precision` is [`Precision::Int8`].
    pub keeps_blocks: bool,
    /// Whether candle's operations compute, as they do on a GPU; on the CPU that is a way to test
    /// them.
    pub candle: bool,
    /// CPU workers; on a GPU, those that take turns at it.
    pub threads: usize,
    /// Hypotheses that a worker advances at once: one a sequence, or as many as its beam is wide.
    /// It changes the speed, never a result.
    pub batch: usize,
    /// Tokens of the sequences that a worker advances at once, see
    /// [`EngineSettings::batch_tokens`]. It bounds the memory, and changes no result.
    pub batch_tokens: usize,
    /// The main memory for the models that are opened in it, and for the texts that they work on.
    /// It changes no result. A GPU's memory is not counted.
    pub memory: MemoryBudget,
    /// Stops the work between two steps, with [`Error::Interrupted`].
    pub cancel: CancelToken,
}

/// Workers that keep a GPU busy: while it computes for one, the others look at what it made for
/// them.
const FEEDING: usize = 4;

/// Requests submitted one by one that wait for a worker, at most.
const QUEUE: usize = 1024;

impl Runtime {
    /// With a batch that is large enough for the matrix products to be worth their weights' way
    /// through the caches; more changes little on a CPU.
    pub fn new(device: Device, precision: Precision, threads: usize) -> Runtime {
        let candle = !device.is_cpu();
        let (batch, threads) = if candle { (2048, threads.min(FEEDING)) } else { (32, threads) };
        Runtime {
            device,
            precision,
            keeps_blocks: false,
            candle,
            threads,
            batch,
            batch_tokens: usize::MAX,
            memory: MemoryBudget::default(),
            cancel: CancelToken::new(),
        }
    }

    /// This runtime in another precision.
    ///
    /// # Errors
    /// When the CPU is to compute in one that it has no kernels for.
    pub fn with_precision(self, precision: Precision) -> Result<Runtime> {
        match precision {
            Precision::F16 | Precision::Bf16 if !self.candle => {
                Err(Error::Usage("16-bit floats are for GPUs; the CPU computes in int8 or f32, see --precision and --device".into()))
            }
            _ => Ok(Runtime { precision, keeps_blocks: false, ..self }),
        }
    }

    /// The backend that a model computes with in it.
    pub fn backend(&self) -> Backend {
        let compute = if self.candle { Compute::Candle } else { Compute::Kernels };
        Backend { device: self.device.clone(), precision: self.precision, compute }
    }

    /// The backend that a model with these weights computes with in it.
    fn backend_for(&self, weights: &dyn Weights) -> Backend {
        let backend = self.backend();
        let keeps = self.keeps_blocks && backend.compute == Compute::Kernels;
        if keeps && backend.precision == Precision::Int8 && weights.is_in_blocks() {
            return Backend { precision: Precision::Int4, ..backend };
        }
        backend
    }

    /// Counts what a model has taken besides its weights; `unused` bytes that it has told of it
    /// takes when it works.
    ///
    /// # Errors
    /// When that is more than there was.
    fn settle(&self, id: &str, unused: u64) -> Result<()> {
        match self.memory.settle(unused) {
            0 => Ok(()),
            excess => {
                let limit = self.memory.limit().unwrap_or_default();
                Err(Error::model(
                    id,
                    format!(
                        "with it, the program takes about {} MB of memory, and {} MB are allowed; \
                         allow more (--memory), or take a smaller model",
                        megabytes(limit.saturating_add(excess)),
                        megabytes(limit),
                    ),
                ))
            }
        }
    }

    /// The share of its main memory that a model takes whose weights are so much.
    ///
    /// # Errors
    /// When it is not there.
    fn share_of(&self, id: &str, amount: Amount, backend: &Backend) -> Result<Share> {
        let on_cpu = backend.device.is_cpu();
        let bytes = if on_cpu { amount.in_precision(backend.precision) } else { 0 };
        self.memory.hold(bytes).ok_or_else(|| {
            Error::model(
                id,
                format!(
                    "its weights take about {} MB of memory as {}, and of the {} MB that are \
                     allowed {} MB are left; allow more (--memory), or take a smaller model",
                    megabytes(bytes),
                    backend.precision.name(),
                    self.memory.limit().map_or(0, megabytes),
                    self.memory.left().map_or(0, megabytes),
                ),
            )
        })
    }

    /// The settings of an engine in it.
    pub fn settings(&self) -> EngineSettings {
        EngineSettings {
            workers: self.threads,
            batch: self.batch,
            batch_tokens: self.batch_tokens,
            memory: self.memory.clone(),
            // On a GPU, what is read has to keep many more units busy.
            prefill: if self.candle { 8192 } else { 512 },
            queue: QUEUE,
            cancel: self.cancel.clone(),
            allows: script::allows,
        }
    }

    /// On all cores of the CPU, with 8-bit weights.
    pub fn cpu() -> Runtime {
        Runtime::new(
            Device::Cpu,
            Precision::Int8,
            std::thread::available_parallelism().map_or(1, usize::from),
        )
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// Opens a GGUF file, a folder with `config.json`, a tokenizer and weights, or one with a student
/// of Marian's. `id` stands in records.
///
/// # Errors
/// When a file is missing or broken, or the architecture is not known.
pub fn open(id: &str, path: &Path, runtime: &Runtime) -> Result<Engine> {
    open_with(id, path, None, runtime, &mut |_| {})
}

/// As [`open`], with the LoRA adapter of a folder, in PEFT's format, merged into the weights before
/// they are quantized; `warn` is told, in a sentence, what about the files is odd and no error:
/// weights that the model does not use.
///
/// # Errors
/// As [`open`], and when the adapter is broken, of a kind that cannot be merged, or made for
/// another model.
pub fn open_with(
    id: &str,
    path: &Path,
    adapter: Option<&Path>,
    runtime: &Runtime,
    warn: &mut dyn FnMut(&str),
) -> Result<Engine> {
    let (adapter, opened) =
        rayon::join(|| adapter.map(Adapter::open).transpose(), || open_files(path));
    let (adapter, (config, weights, generation)) = (adapter?.unwrap_or_default(), opened?);
    let backend = runtime.backend_for(&*weights);
    let share = runtime.share_of(id, weights.amount(), &backend)?;
    let weights = arch::adapt(&config, &*weights, adapter.changes)?;
    let weights = TrackedWeights::new(&weights);
    // A large vocabulary takes the tokenizer as long as the weights take.
    let (tokenizer, model) = rayon::join(
        || {
            if path.is_dir() {
                Tokenizer::from_folder(path, &config)
            } else {
                Tokenizer::from_gguf(&config, &path.display().to_string())
            }
        },
        || arch::load(&config, &weights, &backend),
    );
    let (tokenizer, model) = (tokenizer?, model?);
    let odd = [arch::assumed(&config, &weights), arch::unused(&weights)];
    odd.iter().flatten().for_each(|what| warn(what));
    let template = chat::template(path, &config, &tokenizer, warn)?;
    let stated = Stated { path, config: &config, generation: &generation, template };
    let generation = stated.generation_config(adapter.usage, &*model, &tokenizer)?;
    let languages = shortlists(path, adapter.languages, model.output().vocabulary())?;
    let generation = GenerationConfig { languages, ..generation };
    let engine = Engine::new(id, model, tokenizer, generation, runtime.settings())?;
    runtime.settle(id, engine.step_memory())?;
    Ok(engine.with_share(share))
}

/// Whether a GGUF file brings a chat template, by its metadata alone; false for what is no such
/// file.
pub fn has_chat_template(gguf: &Path) -> bool {
    Gguf::open(gguf).is_ok_and(|(config, _)| config.gguf_str("tokenizer.chat_template").is_some())
}

/// A model's configuration, its weights and its `generation_config.json`, null where there is none.
fn open_files(path: &Path) -> Result<(Config, Box<dyn Weights>, serde_json::Value)> {
    if !path.is_dir() {
        let (config, weights) = Gguf::open(path)?;
        return Ok((config, Box::new(weights), serde_json::Value::Null));
    }
    let (mut config, weights) = open_folder(path)?;
    if let Config::Json(config) = &mut config {
        // What only the tokenizer's file says of a model's languages.
        let tokenizer = optional_json(path, "tokenizer_config.json")?;
        for key in ["tokenizer_class", "source_lang", "target_lang"] {
            if let (Some(value), Some(object)) = (tokenizer.get(key), config.as_object_mut()) {
                object.entry(key).or_insert_with(|| value.clone());
            }
        }
    }
    Ok((config, weights, optional_json(path, "generation_config.json")?))
}
