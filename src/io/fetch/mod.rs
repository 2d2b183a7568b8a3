//! Getting models: by name from the catalog, from the Hugging Face Hub, or from a path, into the
//! [`Store`](super::store::Store).
//!
//! For each file the sources are tried in the catalog's order. Whatever the source, the bytes
//! gather in a `.part` file that the next run (or the next source) goes on with, and are used only
//! with the right SHA-256.

mod fetcher;
mod firefox;
#[cfg_attr(not(feature = "fetch"), path = "no_http.rs")]
mod http;
#[cfg_attr(not(feature = "fetch"), path = "no_hub.rs")]
mod hub;
mod install;
mod job;
mod options;
mod packed;
mod page;
mod pip;
mod resolved;
#[cfg_attr(not(feature = "fetch"), allow(dead_code))]
mod session;
mod sources;
mod wheel;

pub use super::progress::{Progress, Silent};
pub use fetcher::Fetcher;
pub use firefox::FirefoxRegistry;
pub use options::FetchOptions;
pub use page::{Page, answers, page};
pub use resolved::{Lookup, ResolvedModel, Wanted};
pub use session::Session;

/// Stands, among what a [`Session`] has said, for a host that does not answer: one is named, and
/// the others go without saying.
const UNREACHABLE: &str = "nobody answers";
