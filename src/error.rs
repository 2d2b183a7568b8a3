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

    /// Whether a device had no memory left, in the words of its driver or of its library of
    /// products: with less at once it may do.
    pub fn is_out_of_memory(&self) -> bool {
        let Error::Compute(why) = self else { return false };
        let why = why.to_string();
        ["OUT_OF_MEMORY", "out of memory", "STATUS_ALLOC_FAILED"]
            .iter()
            .any(|words| why.contains(words))
    }

    /// A short, stable name of the kind, as it stands in a record's `error.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Io { .. } => "io",
            Error::Input { .. } => "input",
            Error::Usage(_) => "usage",
            Error::Model { .. } => "model",
            Error::Fetch { .. } => "fetch",
            Error::Compute(_) => "compute",
            Error::Tokenizer(_) => "tokenizer",
            Error::Interrupted => "interrupted",
        }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Error {
        Error::Compute(Box::new(error))
    }
}
