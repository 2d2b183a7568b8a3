//! The languages that a server offers.

use super::failure::Failure;
use super::languages::{self, Source};
use super::service::Service;
use super::work::{self, Work};
use std::sync::Arc;

/// The languages of texts, and those that each is translated into; found out once.
///
/// # Errors
/// As long as the models are being opened.
pub async fn languages(service: &Arc<Service>) -> Result<Arc<Vec<Source>>, Failure> {
    if let Some(known) = service.languages.get() {
        return Ok(known.clone());
    }
    let find = |work: &Work| -> Result<Arc<Vec<Source>>, Failure> {
        let found = Arc::new(languages::of(&work.models)?);
        Ok(work.service.languages.get_or_init(|| found).clone())
    };
    work::run(service, find).await
}
