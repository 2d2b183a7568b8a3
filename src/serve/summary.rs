//! `/summarize`: an article in, its summary out, in its own language or another one.

use super::call::Call;
use super::failure::Failure;
use super::files::refused;
use super::service::Service;
use super::work::{self, Work};
use crate::io::articles::from_text;
use crate::pipeline::Job;
use crate::task::summarize::Settings;
use crate::types::{Lang, Record, Status};
use axum::Json;
use axum::extract::{Request, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a request wants of summaries, where it says something.
///
/// # Errors
/// When a length or a style is none that is known.
pub fn settings(call: &Call, usual: Settings) -> Result<Settings, Failure> {
    let length = call.text("length").map(str::parse).transpose()?;
    let style = call.text("style").map(str::parse).transpose()?;
    Ok(Settings {
        length: length.unwrap_or(usual.length),
        style: style.unwrap_or(usual.style),
        ..usual
    })
}

/// The job of summarizing between two languages.
pub fn job(service: &Service, from: Option<&Lang>, to: Option<&Lang>, wanted: Settings) -> Job {
    Job { translate: false, summary: Some(wanted), ..service.job(from, to) }
}

/// `POST /summarize`
pub async fn summarize(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let call = service.read(request).await?;
    let text = call.required("q")?.to_string();
    let (from, to) = (call.language_if_any("source")?, call.language_if_any("target")?);
    let wanted = settings(&call, service.options.job.summary.unwrap_or_default())?;
    let make = move |work: &Work| {
        let job = job(&work.service, from.as_ref(), to.as_ref(), wanted);
        let mut records = work.records(vec![Ok(from_text("q", &text))], &job)?;
        let record = records.pop().ok_or_else(|| Failure::internal("no record"))?;
        summary(&record)
    };
    Ok(Json(work::run(&service, make).await?))
}

fn summary(record: &Record) -> Result<Value, Failure> {
    if let (Status::Failed, Some(error)) = (record.status, &record.error) {
        return Err(refused(record, error));
    }
    let summary = record.summary.as_ref();
    let summary = summary.ok_or_else(|| Failure::bad("there is nothing to summarize in q"))?;
    Ok(json!({
        "summary": summary.text,
        "language": summary.language,
        "method": summary.method,
        "sentences": summary.sentences,
        "detectedLanguage": {
            "confidence": (f64::from(record.language.confidence) * 100.0).round(),
            "language": record.language.code,
        },
    }))
}
