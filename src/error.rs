//! One error type for the whole crate: what went wrong, where, what was expected, what was found.

use std::path::{Path, PathBuf};

/// Result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, grouped by what the user has to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as a noun phrase: `reading`, `writing`, `creating the folder`.
        action: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// An article or another input is not what it should be.
    #[error("{input}: {message}")]
    Input {
        /// The file, or `<stdin>`.
        input: String,
        /// Expected, found, what to do next.
        message: String,
    },
    /// A flag, a configuration value or a combination of them makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A model, or one of its files, is missing, broken or of an unknown kind.
    #[error("model {model}: {message}")]
    Model {
        /// Catalog name, Hub name or folder.
        model: String,
        /// Expected, found, what to do next.
        message: String,
    },
    /// A model could not be fetched from any of its sources.
    #[error("could not fetch {what}: {message}")]
    Fetch {
        /// The model or file.
        what: String,
        /// One line a source that was tried, and what to do next.
        message: String,
    },
    /// Tensor computation failed.
    #[error("computation: {0}")]
    Compute(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A device had no memory left for a computation; with a smaller batch it may have.
    #[error("computation: {0}")]
    OutOfMemory(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Tokenization failed.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The user asked to stop (Ctrl-C); what was finished is kept.
    #[error("stopped on request; run the same command again to go on where it stopped")]
    Interrupted,
}

/// A conversion that cannot fail, where one that can is expected: a [`crate::Lang`] for a code.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Error {
        match never {}
    }
}

impl Error {
    /// [`Error::Io`] in one call, for `map_err`.
    pub fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, action, source }
    }

    /// [`Error::Input`] in one call.
    pub fn input(input: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Input { input: input.into(), message: message.into() }
    }

    /// [`Error::Model`] in one call.
    pub fn model(model: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Model { model: model.into(), message: message.into() }
    }

    /// Whether a device had no memory left, so that a smaller batch may do.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Error::OutOfMemory(_))
    }

    /// A short, stable name of the kind, as it stands in a record's `error.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Io { .. } => "io",
            Error::Input { .. } => "input",
            Error::Usage(_) => "usage",
            Error::Model { .. } => "model",
            Error::Fetch { .. } => "fetch",
            Error::Compute(_) | Error::OutOfMemory(_) => "compute",
            Error::Tokenizer(_) => "tokenizer",
            Error::Interrupted => "interrupted",
        }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Error {
        if ran_out_of_memory(&error) {
            Error::OutOfMemory(Box::new(error))
        } else {
            Error::Compute(Box::new(error))
        }
    }
}

/// Whether candle failed because a device had no memory left.
fn ran_out_of_memory(error: &candle_core::Error) -> bool {
    use candle_core::Error;
    match error {
        Error::Context { inner, .. }
        | Error::WithPath { inner, .. }
        | Error::WithBacktrace { inner, .. } => ran_out_of_memory(inner),
        Error::Cuda(why) => is_cuda_out_of_memory(&**why),
        _ => false,
    }
}

/// Whether the driver, or its library of matrix products, had no memory left.
#[cfg(feature = "cuda")]
fn is_cuda_out_of_memory(why: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    use candle_core::cuda_backend::CudaError;
    use candle_core::cuda_backend::cudarc::cublas::sys::cublasStatus_t;
    use candle_core::cuda_backend::cudarc::driver::sys::CUresult;
    match why.downcast_ref::<CudaError>() {
        Some(CudaError::Cuda(why) | CudaError::Load { cuda: why, .. }) => {
            why.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY
        }
        Some(CudaError::Cublas(why)) => why.0 == cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED,
        _ => false,
    }
}

/// Whether the driver had no memory left: a build without CUDA has no driver.
#[cfg(not(feature = "cuda"))]
fn is_cuda_out_of_memory(_: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    false
}
