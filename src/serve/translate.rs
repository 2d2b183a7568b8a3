//! LibreTranslate's interface for texts: `/translate`, `/detect`, `/languages`, and what its own
//! page asks for.

use super::call::Call;
use super::failure::Failure;
use super::files;
use super::offer;
use super::service::Service;
use super::work::{self, Work};
use crate::document::{HTML, Placement};
use crate::io::articles::{at_hand, from_document};
use crate::job::translated_document;
use crate::languages;
use crate::text::{language, protect};
use crate::translator::Translation;
use crate::types::{Detection, Lang, Status};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

type Reply = Result<Json<Value>, Failure>;

/// Form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Html,
}

/// What `/translate` is asked.
struct Wanted {
    texts: Vec<String>,
    /// Whether the texts came as a list, so that the answer is one too.
    is_list: bool,
    from: Option<Lang>,
    to: Lang,
    form: Form,
    /// Other translations that are asked for.
    alternatives: u64,
}

impl Wanted {
    fn of(call: &Call, most: usize) -> Result<Wanted, Failure> {
        let (texts, is_list) = texts(call, most)?;
        let from = call.language("source")?;
        let to = call.language("target")?.ok_or_else(|| Failure::bad("auto is not supported"))?;
        let form = match call.fields.get("format") {
            None | Some(Value::Null) => Form::Text,
            Some(Value::String(form)) if form == "text" || form.is_empty() => Form::Text,
            Some(Value::String(form)) if form == "html" => Form::Html,
            Some(form) => {
                let form: String = form.to_string().chars().take(40).collect();
                return Err(Failure::bad(format!("{form} format is not supported")));
            }
        };
        let alternatives = match call.fields.get("alternatives") {
            None | Some(Value::Null) => Some(0),
            Some(Value::String(number)) => number.parse().ok(),
            Some(number) => number.as_u64(),
        };
        let alternatives = alternatives
            .ok_or_else(|| Failure::bad("Invalid request: alternatives is not a number"))?;
        Ok(Wanted { texts, is_list, from, to, form, alternatives })
    }
}

/// The texts of a request, and whether they are a list.
fn texts(call: &Call, most: usize) -> Result<(Vec<String>, bool), Failure> {
    let Some(Value::Array(all)) = call.fields.get("q") else {
        return Ok((vec![call.required("q")?.to_string()], false));
    };
    if all.is_empty() {
        return Err(Failure::missing("q"));
    }
    if all.len() > most {
        let message =
            format!("Invalid request: request ({}) exceeds text limit ({most})", all.len());
        return Err(Failure::bad(message));
    }
    let text = |text: &Value| {
        let text = text.as_str().map(String::from);
        text.ok_or_else(|| Failure::bad("Invalid request: q has an item that is not a text"))
    };
    Ok((all.iter().map(text).collect::<Result<_, _>>()?, true))
}

/// `POST /translate`
pub async fn translate(State(service): State<Arc<Service>>, request: Request) -> Reply {
    let call = service.read(request).await?;
    let wanted = Wanted::of(&call, service.options.limits.texts)?;
    let characters = wanted.texts.iter().map(|text| text.chars().count() as u64).sum();
    let answer = work::run(&service, move |work| answer(work, &wanted)).await?;
    service.metrics.count_characters(characters);
    Ok(Json(answer))
}

fn answer(work: &Work, wanted: &Wanted) -> Result<Value, Failure> {
    let Wanted { texts, is_list, from, to, form, alternatives } = wanted;
    let detected = from.is_none().then(|| detect_all(texts));
    let sources: Vec<Lang> = match (from, &detected) {
        (Some(from), _) => vec![from.clone(); texts.len()],
        (None, Some(detected)) => detected.iter().map(|found| found.code.clone()).collect(),
        (None, None) => Vec::new(),
    };
    let (translated, others): (Vec<String>, Vec<Vec<String>>) = match form {
        Form::Text => {
            let number = usize::try_from(*alternatives).unwrap_or(usize::MAX);
            let found = translate_with_others(work, texts, &sources, to, number)?;
            found.into_iter().map(|found| (found.text, found.alternatives)).unzip()
        }
        // As LibreTranslate, which has none of HTML.
        Form::Html => {
            let each = texts.iter().zip(&sources);
            let each = each.map(|(text, from)| translate_html(work, text, from, to));
            (each.collect::<Result<_, _>>()?, vec![Vec::new(); texts.len()])
        }
    };
    let whole = |mut all: Vec<Value>| match is_list {
        true => Value::Array(all),
        false => all.pop().unwrap_or_default(),
    };
    let mut answer = json!({
        "translatedText": whole(translated.into_iter().map(Value::String).collect()),
    });
    if let Some(detected) = detected {
        answer["detectedLanguage"] = whole(detected.iter().map(told).collect());
    }
    if *alternatives > 0 {
        answer["alternatives"] = whole(others.into_iter().map(Value::from).collect());
    }
    Ok(answer)
}

/// The translations of some texts; those of one language go through the models together.
pub fn translate_texts(
    work: &Work,
    texts: &[String],
    sources: &[Lang],
    to: &Lang,
) -> Result<Vec<String>, Failure> {
    let found = translate_with_others(work, texts, sources, to, 0)?;
    Ok(found.into_iter().map(|found| found.text).collect())
}

/// The same with so many other translations of each.
fn translate_with_others(
    work: &Work,
    texts: &[String],
    sources: &[Lang],
    to: &Lang,
    number: usize,
) -> Result<Vec<Translation>, Failure> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let translator = work.translator().with_alternatives(number);
    Ok(work.listening(|on_event| translator.translate_each(&texts, sources, to, on_event))?)
}

/// A piece of HTML with its texts translated; every byte between them stays.
fn translate_html(work: &Work, text: &str, from: &Lang, to: &Lang) -> Result<String, Failure> {
    let reading = &work.service.options.reading;
    let bytes = text.as_bytes().to_vec();
    let Ok(article) = from_document(&at_hand("q.html"), &HTML, bytes, reading) else {
        // There is nothing to read in it.
        return Ok(text.into());
    };
    let job = work.service.job(Some(from), Some(to));
    let records = work.records(vec![Ok(article)], &job)?;
    let Some(record) = records.first() else { return Ok(text.into()) };
    if let (Status::Failed, Some(error)) = (record.status, &record.error) {
        return Err(files::refused(record, error));
    }
    let bytes = translated_document(&HTML, text.as_bytes(), record, reading, Placement::Instead)?;
    String::from_utf8(bytes).map_err(|error| Failure::internal(error.to_string()))
}

/// The languages of some texts of one request. What is too short to tell is taken to be in the
/// language of all of them; where even that is not known, in English, without confidence.
pub fn detect_all(texts: &[String]) -> Vec<Detection> {
    let own: Vec<Detection> = texts.iter().map(|text| detected(text)).collect();
    let is_known = |found: &Detection| !found.code.is_und();
    if own.iter().all(is_known) {
        return own;
    }
    let together = match texts.len() {
        1 => Detection::none(),
        _ => detected(&texts.join("\n")),
    };
    let otherwise = if is_known(&together) {
        Detection { confidence: 0.0, ..together }
    } else {
        Detection::new(Lang::en(), 0.0)
    };
    own.into_iter().map(|found| if is_known(&found) { found } else { otherwise.clone() }).collect()
}

/// The language of a text; the likeliest of its near relatives where that is in doubt.
fn detected(text: &str) -> Detection {
    if !protect::is_translatable(text) {
        return Detection::none();
    }
    let found = language_of(text);
    let likeliest = found.candidates.iter().max_by(|a, b| a.1.total_cmp(b.1));
    match likeliest {
        Some((code, confidence)) if found.code.is_und() => {
            Detection::new(languages::canonical(code), *confidence)
        }
        _ => found,
    }
}

/// The language of a text, by the code that it has here.
fn language_of(text: &str) -> Detection {
    let found = language::detect(text);
    Detection { code: languages::canonical(&found.code), ..found }
}

/// A detection as LibreTranslate tells it: confidence from 0 to 100.
fn told(found: &Detection) -> Value {
    json!({"confidence": percent(found.confidence), "language": found.code})
}

fn percent(share: f32) -> f64 {
    (f64::from(share) * 100.0).round()
}

/// `POST /detect`
pub async fn detect(State(service): State<Arc<Service>>, request: Request) -> Reply {
    let call = service.read(request).await?;
    let (texts, _) = texts(&call, service.options.limits.texts)?;
    let find = move |_: &Work| {
        let text = texts.join("\n");
        let best = detect_all(std::slice::from_ref(&text)).remove(0);
        let others = language_of(&text).candidates;
        let others = others.iter().filter(|(code, _)| **code != best.code);
        let mut all: Vec<(f64, String)> =
            others.map(|(code, share)| (percent(*share), code.to_string())).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let others = all.into_iter();
        let others = others.map(|(share, code)| json!({"confidence": share, "language": code}));
        Ok(Value::Array([told(&best)].into_iter().chain(others).collect()))
    };
    Ok(Json(work::run(&service, find).await?))
}

/// `GET /languages`
pub async fn offered(State(service): State<Arc<Service>>) -> Result<Response, Failure> {
    Ok(Json(offer::languages(&service).await?.as_ref()).into_response())
}

/// `GET /frontend/settings`
pub async fn settings(State(service): State<Arc<Service>>) -> Reply {
    let options = &service.options;
    let target = &options.target;
    Ok(Json(json!({
        "apiKeys": !options.keys.is_empty(),
        "charLimit": -1,
        "filesTranslation": true,
        "frontendTimeout": 500,
        "keyRequired": !options.keys.is_empty(),
        "language": {
            "source": {"code": "auto", "name": "Auto Detect"},
            "target": {"code": target, "name": languages::name(target)},
        },
        "suggestions": false,
        "supportedFilesFormat": files::extensions(),
    })))
}

/// `POST /suggest`
pub async fn suggest() -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "Suggestions are disabled on this server")
}
