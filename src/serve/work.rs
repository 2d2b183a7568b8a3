//! The work of a request: on a thread of its own, once it is its turn, until its client goes away.

use super::failure::Failure;
use super::service::Service;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::event::Event;
use crate::model_store::OpenModels;
use crate::pipeline::{self, Job};
use crate::translator::Translator;
use crate::types::{RawArticle, ReadFailure, Record, Source};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinError;

/// What the work of a request has at hand.
pub struct Work {
    pub models: Arc<OpenModels>,
    /// Cancelled when nobody waits for the result any more.
    pub cancel: CancelToken,
    pub service: Arc<Service>,
}

/// Cancels work when it is dropped: whoever waited for it has gone.
pub struct CancelOnDrop(pub CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does some work and waits for it.
///
/// # Errors
/// Those of the work; when too many wait, or when it takes too long.
pub async fn run<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Work) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let limit = service.options.limits.answer;
    let doing = async {
        let (task, _abandoned) = start(service, work).await?;
        task.await.unwrap_or_else(|error| Err(broken(&error)))
    };
    tokio::time::timeout(limit, doing).await.unwrap_or_else(|_| Err(too_long(limit)))
}

/// Begins some work; it is cancelled when the second result is dropped.
///
/// # Errors
/// When too many wait, or there are no models yet.
pub async fn start<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Work) -> Result<T, Failure> + Send + 'static,
) -> Result<(tokio::task::JoinHandle<Result<T, Failure>>, CancelOnDrop), Failure> {
    let models = service.models()?;
    let place = service.gate.enter().await?;
    let (service, cancel) = (service.clone(), CancelToken::new());
    let abandoned = CancelOnDrop(cancel.clone());
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        let result = work(&Work { models, cancel, service: service.clone() });
        match result {
            // Nobody else cancels a request's work but the end of the server.
            Err(_) if service.stopping.is_made() => Err(Failure::stopping()),
            result => result,
        }
    });
    Ok((task, abandoned))
}

fn broken(error: &JoinError) -> Failure {
    Failure::internal(format!("work on a request ended unexpectedly: {error}"))
}

pub fn too_long(limit: Duration) -> Failure {
    let message = format!(
        "this took more than {} seconds; ask for less at once, or use /batch",
        limit.as_secs()
    );
    Failure::busy(message, Duration::from_secs(5))
}

impl Work {
    /// A translator for this request.
    pub fn translator(&self) -> Translator {
        let settings = self.service.options.job.translating.clone();
        Translator::sharing(&self.models, settings, &self.cancel)
    }

    /// The records of some articles.
    ///
    /// # Errors
    /// What stops all of it; an article that fails has a record that says why.
    pub fn records(
        &self,
        articles: Vec<Result<RawArticle, Box<ReadFailure>>>,
        job: &Job,
    ) -> Result<Vec<Record>> {
        let key = |source: &Source| source.sha256.clone();
        let goes_on = |_| !self.cancel.is_cancelled();
        let listener = self.service.listener();
        self.models.with(&listener, |models| pipeline::run(articles, job, models, &key, &goes_on))
    }

    /// Does something with what hears of models that are fetched and opened.
    pub fn listening<T>(&self, f: impl FnOnce(crate::event::OnEvent<'_>) -> T) -> T {
        let listener = self.service.listener();
        f(&|event: Event<'_>| listener(event))
    }
}
