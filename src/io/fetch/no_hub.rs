//! The Hub in a build without the feature `fetch`: nothing is downloaded, from nowhere.

use super::job::{Failure, Job, Listing};
use super::options::FetchOptions;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::names::HubName;

const WHY: &str = "this program was built without downloads (the feature `fetch`)";

/// Stands for the Hub that cannot be reached.
pub(super) struct Hub<'a> {
    pub options: &'a FetchOptions,
}

impl<'a> Hub<'a> {
    pub fn new(options: &'a FetchOptions) -> Self {
        Hub { options }
    }

    pub fn offline(&self) -> bool {
        true
    }

    pub fn fetch(&self, _: &str, _: &str, _: &str, _: &Job<'_>) -> Result<(), Failure> {
        Err(Failure::Source(WHY.into()))
    }

    pub fn list(&self, name: &HubName, _: &CancelToken) -> Result<Listing> {
        let message = format!("{WHY}; put its files into a folder, and name that");
        Err(Error::Fetch { what: name.to_string(), message })
    }
}
