//! The web in a build without the feature `fetch`: it gives nothing.

use super::job::{Failure, Job};
use super::options::FetchOptions;
use crate::cancel::CancelToken;
use std::path::Path;

const WHY: &str = "this program was built without downloads (the feature `fetch`)";

/// A small answer, which never comes.
pub(super) struct Small {
    pub bytes: Vec<u8>,
    pub etag: Option<String>,
    pub content_type: Option<String>,
}

/// Stands for the web that cannot be reached.
pub(super) struct Http<'a> {
    pub options: &'a FetchOptions,
    #[expect(dead_code, reason = "nobody refuses where nobody is asked")]
    pub hint: &'a str,
}

impl Http<'_> {
    pub fn small(
        &self,
        address: &str,
        _: Option<&str>,
        _: usize,
        _: &CancelToken,
    ) -> Result<Option<Small>, Failure> {
        self.options.session.failed(address, WHY, std::time::Duration::ZERO);
        Err(Failure::Unreachable(WHY.into()))
    }

    pub fn download(&self, _: &str, _: &Path, _: u64, _: &Job<'_>) -> Result<(), Failure> {
        Err(Failure::Unreachable(WHY.into()))
    }
}
