//! The languages that a server offers.

use super::failure::Failure;
use super::languages::Source;
use super::service::Service;
use std::sync::Arc;

/// The languages of texts, and those that each is translated into.
///
/// # Errors
/// As long as the models are being opened.
pub async fn languages(service: &Arc<Service>) -> Result<Arc<Vec<Source>>, Failure> {
    let models = service.models()?;
    if let Some(known) = service.languages.known() {
        return Ok(known);
    }
    let service = service.clone();
    let found = tokio::task::spawn_blocking(move || service.languages.find(&models)).await;
    Ok(found.map_err(|error| Failure::internal(error.to_string()))??)
}
