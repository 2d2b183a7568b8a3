//! OpenAI's interface for chats, for what it is used for with translators: a conversation that asks
//! for the translation of a text gets it. The model's name may say the languages, or the prompt;
//! nothing else is answered.

use super::call::{Call, language};
use super::events;
use super::failure::Failure;
use super::offer;
use super::service::Service;
use super::translate::{detect_all, translate_texts};
use super::work::{self, Work};
use crate::languages;
use crate::types::Lang;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use prompt::Asked;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

mod prompt;

/// The name of what answers; with a language after a colon, as `polygist:fr` or `polygist:en-fr`.
const MODEL: &str = "polygist";

/// A chat that asks for a translation.
struct Chat {
    model: String,
    asked: Asked,
    stream: bool,
}

impl Chat {
    fn of(call: &Call) -> Result<Chat, Failure> {
        let model = call.required("model")?.to_string();
        let pair = match model.strip_prefix(MODEL).map(|rest| rest.strip_prefix(':')) {
            Some(Some(pair)) => Some(languages_of(pair)?),
            Some(None) if model == MODEL => None,
            _ => {
                let message = format!(
                    "there is no such model; expected {MODEL}, or {MODEL}:LANGUAGE as {MODEL}:fr"
                );
                return Err(Failure::not_found(message));
            }
        };
        if call.fields.get("n").is_some_and(|n| !n.is_null() && n.as_u64() != Some(1)) {
            return Err(Failure::bad("n: expected 1; a text has one translation here"));
        }
        let messages = call.fields.get("messages").and_then(Value::as_array);
        let messages = messages.ok_or_else(|| Failure::bad("messages: expected a list"))?;
        let stream = match call.fields.get("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => *stream,
            Some(_) => return Err(Failure::bad("stream: expected true or false")),
        };
        Ok(Chat { asked: prompt::read(messages, pair)?, model, stream })
    }
}

/// The languages in a model's name: `fr`, or `en-fr`.
fn languages_of(pair: &str) -> Result<(Option<Lang>, Lang), Failure> {
    if let Ok(to) = language(pair) {
        // `en-fr` is no region of English, and `zh-TW-en` none of Taiwan's Chinese.
        let further = || pair.split('-').skip(1);
        // Regions and scripts are written large, or are of a language that is known.
        let is_large = further().all(|part| part.bytes().any(|byte| byte.is_ascii_uppercase()));
        let is_one = is_large || languages::all().contains_key(to.as_str());
        if is_one && !further().any(is_small) {
            return Ok((None, to));
        }
    }
    let cut = pair.char_indices().filter(|(_, c)| *c == '-').map(|(at, _)| at);
    let mut ways = cut.filter_map(|at| {
        let (from, to) = (&pair[..at], &pair[at + 1..]);
        Some((Some(language(from).ok()?), language(to).ok().filter(|_| is_small_start(to))?))
    });
    ways.next_back()
        .ok_or_else(|| Failure::not_found(format!("{pair} is no language that is known")))
}

fn is_small(text: &str) -> bool {
    text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn is_small_start(text: &str) -> bool {
    is_small(text.split('-').next().unwrap_or_default())
}

/// `POST /v1/chat/completions`
pub async fn completions(State(service): State<Arc<Service>>, request: Request) -> Response {
    completed(&service, request).await.unwrap_or_else(|failure| failure.as_openai())
}

async fn completed(service: &Arc<Service>, request: Request) -> Result<Response, Failure> {
    let call = service.read(request).await?;
    let chat = Chat::of(&call)?;
    service.metrics.count_characters(chat.asked.text.chars().count() as u64);
    let head = Head::new(&chat.model)?;
    if chat.stream {
        return streamed(service, chat, head).await;
    }
    let Asked { text, from, to } = chat.asked;
    let make = move |work: &Work| {
        let texts = [text];
        let from = from.unwrap_or_else(|| detect_all(&texts).remove(0).code);
        Ok(translate_texts(work, &texts, &[from], &to)?.remove(0))
    };
    let text = work::run(service, make).await?;
    let message = json!({"role": "assistant", "content": text, "refusal": null});
    let choice = json!({
        "index": 0, "message": message, "logprobs": null, "finish_reason": "stop",
    });
    Ok(Json(head.with("chat.completion", choice)).into_response())
}

/// An answer whose text comes as it is made.
async fn streamed(service: &Arc<Service>, chat: Chat, head: Head) -> Result<Response, Failure> {
    let limit = service.options.limits.answer;
    let (parts, mut received) = events::channel();
    let Asked { text, from, to } = chat.asked;
    let make = move |work: &Work| {
        let chunk = |delta: Value, finish: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            events::event("", &head.with("chat.completion.chunk", choice).to_string())
        };
        let texts = [text];
        let from = from.unwrap_or_else(|| detect_all(&texts).remove(0).code);
        let mut is_first = true;
        let mut send = |piece: &str| {
            let start = json!({"role": "assistant", "content": ""});
            let begun = !std::mem::take(&mut is_first)
                || parts.blocking_send(chunk(start, Value::Null)).is_ok();
            begun && parts.blocking_send(chunk(json!({"content": piece}), Value::Null)).is_ok()
        };
        let translator = work.translator();
        let (from, to) = (from.as_str(), to.as_str());
        let done = work.listening(|on_event| {
            translator.translate_in_pieces(from, to, &texts[0], on_event, &mut send)
        });
        let last = match done.map_err(Failure::from) {
            Ok(()) => chunk(json!({}), json!("stop")),
            Err(failure) if is_first => return Err(failure),
            Err(failure) => {
                let error = json!({"message": failure.message, "type": "server_error"});
                events::event("", &json!({"error": error}).to_string())
            }
        };
        // Where nobody listens any more, there is nobody to tell.
        let _ = parts.blocking_send(last);
        let _ = parts.blocking_send(events::event("", "[DONE]"));
        Ok(())
    };
    let (task, abandoned) = work::start(service, make).await?;
    let Ok(first) = tokio::time::timeout(limit, received.recv()).await else {
        return Err(work::too_long(limit));
    };
    let Some(first) = first else {
        let ended = task.await.map_err(|error| Failure::internal(error.to_string()))?;
        return Err(ended.err().unwrap_or_else(|| Failure::internal("a stream without events")));
    };
    let cancel = abandoned.0.clone();
    tokio::spawn(async move {
        if tokio::time::timeout(limit, task).await.is_err() {
            cancel.cancel();
        }
    });
    Ok(events::answer(events::KIND, Some(first), received, abandoned))
}

/// What all parts of an answer begin with.
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    fn new(model: &str) -> Result<Head, Failure> {
        let id = format!("chatcmpl-{}", super::kept::id()?);
        let created = SystemTime::now().duration_since(UNIX_EPOCH);
        let created = created.map_or(0, |since| since.as_secs());
        Ok(Head { id, created, model: model.into() })
    }

    fn with(&self, object: &str, choice: Value) -> Value {
        let Head { id, created, model } = self;
        json!({
            "id": id, "object": object, "created": created, "model": model, "choices": [choice],
        })
    }
}

/// `GET /v1/models`
pub async fn models(State(service): State<Arc<Service>>, request: Request) -> Response {
    listed(&service, request).await.unwrap_or_else(|failure| failure.as_openai())
}

async fn listed(service: &Arc<Service>, request: Request) -> Result<Response, Failure> {
    service.read(request).await?;
    let known = offer::languages(service).await?;
    let mut targets: Vec<&String> = known.iter().flat_map(|source| &source.targets).collect();
    targets.sort_unstable();
    targets.dedup();
    let names = targets.into_iter().map(|to| format!("{MODEL}:{to}"));
    let model = |id: String| json!({"id": id, "object": "model", "created": 0, "owned_by": MODEL});
    let all: Vec<Value> = [MODEL.to_string()].into_iter().chain(names).map(model).collect();
    Ok((StatusCode::OK, Json(json!({"object": "list", "data": all}))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_says_the_languages() {
        let read = |pair: &str| {
            languages_of(pair)
                .ok()
                .map(|(from, to)| (from.map(|from| from.to_string()), to.to_string()))
        };
        let both = |from: &str, to: &str| Some((Some(from.to_string()), to.to_string()));
        assert_eq!(read("fr"), Some((None, "fr".into())));
        assert_eq!(read("zh-TW"), Some((None, "zh-TW".into())));
        assert_eq!(read("en-fr"), both("en", "fr"));
        assert_eq!(read("zh-TW-en"), both("zh-TW", "en"));
        assert_eq!(read("en-zh-TW"), both("en", "zh-TW"));
        for wrong in ["", "-", "what", "en-what", "fr-", "-fr"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
