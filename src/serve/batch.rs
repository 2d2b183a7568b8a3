//! `/batch`: many articles as one job. They are sent as JSON Lines, worked on together, and fetched
//! as records when they are done, or as they are.

pub mod jobs;
mod run;
mod upload;
mod wanted;

use super::call::Call;
use super::events;
use super::failure::Failure;
use super::service::Service;
use crate::event::Event;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jobs::Batch;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// Between two signs of life of a stream of events.
const BEAT: Duration = Duration::from_secs(15);
/// Bytes of results that are sent at once.
const PART: usize = 64 << 10;

/// `POST /batch`
pub async fn start(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Response, Failure> {
    let folder = service.jobs.folder()?;
    let sent = upload::take(&service, request, folder.path()).await?;
    let client = service.admit(&sent.call)?;
    let job = wanted::job(&service, &sent.call)?;
    if sent.articles == 0 {
        return Err(Failure::bad("expected articles, one JSON object a line, found none"));
    }
    let models = service.models()?;
    let batch = service.jobs.start(folder, client, sent.articles)?;
    let (id, status) = (batch.id.clone(), batch.told());
    let (working, own) = (service.clone(), batch.clone());
    let work = tokio::task::spawn_blocking(move || run::run(&working, &own, job, &models));
    tokio::spawn(async move {
        if let Err(error) = work.await {
            service
                .tell(Event::Warning(&format!("batch {} ended unexpectedly: {error}", batch.id)));
            batch.end("failed", Some("the server could not do that; its log says why".into()));
        }
    });
    let place = [("location", format!("/batch/{id}"))];
    Ok((StatusCode::ACCEPTED, place, Json(status)).into_response())
}

/// The batch of an id, for the client that it belongs to.
async fn find(service: &Arc<Service>, id: &str, request: Request) -> Result<Arc<Batch>, Failure> {
    let call = Call::open(&service.options.limits, request).await?;
    let client = service.admit(&call)?;
    let found = service.jobs.get(id).filter(|batch| {
        // Without keys, whoever knows the id may see it.
        service.options.keys.is_empty() || batch.client == client
    });
    found.ok_or_else(|| Failure::not_found("there is no such batch"))
}

/// `GET /batch/{id}`
pub async fn status(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    Ok(Json(find(&service, &id, request).await?.told()))
}

/// `DELETE /batch/{id}`
pub async fn remove(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let batch = find(&service, &id, request).await?;
    service.jobs.remove(&batch);
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /batch/{id}/events`: how far it is, each time it is further, and in the end how it ended.
pub async fn events(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let batch = find(&service, &id, request).await?;
    let (parts, received) = events::channel();
    tokio::spawn(async move {
        let mut changes = batch.changes();
        loop {
            changes.mark_unchanged();
            let (is_over, told) = (batch.is_over(), batch.told().to_string());
            let event = events::event(if is_over { "end" } else { "progress" }, &told);
            if parts.send(event).await.is_err() || is_over {
                return;
            }
            while tokio::time::timeout(BEAT, changes.changed()).await.is_err() {
                if parts.send(Bytes::from_static(b": \n\n")).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(events::answer(events::KIND, None, received, ()))
}

/// `GET /batch/{id}/results`: the records that there are, one a line, in the articles' order.
pub async fn results(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let batch = find(&service, &id, request).await?;
    let (parts, received) = events::channel();
    tokio::task::spawn_blocking(move || {
        let Ok(file) = File::open(batch.results()) else { return };
        let mut rest = file.take(batch.written());
        loop {
            let mut part = Vec::with_capacity(PART);
            // A file that cannot be read to its end is cut off, which a client sees.
            match rest.by_ref().take(PART as u64).read_to_end(&mut part) {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            if parts.blocking_send(Bytes::from(part)).is_err() {
                return;
            }
        }
    });
    Ok(events::answer("application/x-ndjson", None, received, ()))
}
