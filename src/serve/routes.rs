//! Which address is answered by what, and what is done around every answer.

use super::call::decoded;
use super::failure::Failure;
use super::service::Service;
use super::{batch, chat, files, openapi, page, summary, translate};
use crate::event::Event;
use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// All of it.
pub fn app(service: &Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page::show).post(page::answer))
        .route("/style.css", get(page::style))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(measured))
        .route("/openapi.json", get(openapi::document))
        // LibreTranslate's name for it.
        .route("/spec", get(openapi::document))
        .route("/languages", get(translate::offered))
        .route("/detect", post(translate::detect))
        .route("/translate", post(translate::translate))
        .route("/translate_file", post(files::translate_file))
        .route("/download_file/{id}/{name}", get(files::download))
        .route("/frontend/settings", get(translate::settings))
        .route("/suggest", post(translate::suggest))
        .route("/summarize", post(summary::summarize))
        .route("/batch", post(batch::start))
        .route("/batch/{id}", get(batch::status).delete(batch::remove))
        .route("/batch/{id}/events", get(batch::events))
        .route("/batch/{id}/results", get(batch::results))
        .route("/v1/models", get(chat::models))
        .route("/v1/chat/completions", post(chat::completions))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        // Bodies are read and bounded by `call`.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(service.clone(), around))
        .with_state(service.clone())
}

/// Lets a request in, counts its answer, and says in its head what browsers should know.
async fn around(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unknown", MatchedPath::as_str).to_string();
    let checked = check_path(request.uri().path())
        .and_then(|()| service.guard.check(request.uri(), request.headers()));
    let mut response = match checked {
        Err(refused) => refused.into_response(),
        Ok(origin) => {
            let mut response = match (&origin, &method) {
                (Some(_), &Method::OPTIONS) => StatusCode::NO_CONTENT.into_response(),
                _ => next.run(request).await,
            };
            if let Some(origin) = origin {
                allow(&origin, response.headers_mut());
            }
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(failure) = response.extensions().get::<Failure>()
        && let Some(why) = &failure.private
    {
        service.tell(Event::Warning(&format!("{method} {route}: {why}")));
    }
    let method = if is_usual(&method) { method.as_str() } else { "other" };
    service.metrics.count(method, &route, response.status().as_u16(), begun.elapsed());
    response
}

/// A path that is no text is nobody's.
fn check_path(path: &str) -> Result<(), Failure> {
    decoded(path.as_bytes(), false).map(drop)
}

fn is_usual(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Lets a page of another origin read an answer.
fn allow(origin: &str, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE");
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type");
    set(header::ACCESS_CONTROL_MAX_AGE, "3600");
    set(header::VARY, "Origin");
}

async fn unknown() -> Failure {
    Failure::not_found("there is nothing at this address; /openapi.json says what there is")
}

async fn wrong_method() -> Failure {
    let message = "this address is for another method; /openapi.json says which";
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn ready(State(service): State<Arc<Service>>) -> Result<Json<Value>, Failure> {
    service.models()?;
    Ok(Json(json!({"status": "ready"})))
}

async fn measured(State(service): State<Arc<Service>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.measured()).into_response()
}
