//! What is to be done with the articles of a batch.

use crate::pipeline::Job;
use crate::serve::call::Call;
use crate::serve::failure::Failure;
use crate::serve::service::Service;
use crate::serve::summary;
use crate::types::Lang;
use serde_json::{Value, json};

/// The job that a request describes.
///
/// # Errors
/// When it asks for nothing, or for what is not known.
pub fn job(service: &Service, call: &Call) -> Result<Job, Failure> {
    let tasks = match call.fields.get("tasks") {
        None | Some(Value::Null) => vec!["translate".to_string(), "summarize".into()],
        Some(Value::String(tasks)) => tasks.split(',').map(|task| task.trim().into()).collect(),
        Some(Value::Array(tasks)) => {
            tasks.iter().map(|task| task.as_str().unwrap_or_default().into()).collect()
        }
        Some(_) => Vec::new(),
    };
    if tasks.is_empty() || tasks.iter().any(|task| task != "translate" && task != "summarize") {
        return Err(Failure::bad("tasks: expected translate, summarize, or both"));
    }
    let has = |name: &str| tasks.iter().any(|task| task == name);
    let from: Option<Lang> = call.language_if_any("source")?;
    let to = call.language_if_any("target")?;
    if to.is_none() && !has("summarize") {
        return Err(Failure::missing("target"));
    }
    let usual = service.options.job.summary.unwrap_or_default();
    let summary = summary::settings(call, usual)?;
    let segments = call.fields.get("segments").is_some_and(|wanted| *wanted != json!(false));
    Ok(Job {
        translate: has("translate"),
        summary: has("summarize").then_some(summary),
        segments,
        ..service.job(from.as_ref(), to.as_ref())
    })
}
