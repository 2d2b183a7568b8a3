//! A page to paste an article, or drop a file, and read its translation or summary. It is a form
//! and works without scripts; it has none.

use super::call::{Call, Upload};
use super::failure::Failure;
use super::files::{self, TranslatedFile, refused};
use super::languages::Source;
use super::offer;
use super::service::Service;
use super::summary;
use super::work::{self, Work};
use crate::io::articles::from_text;
use crate::languages as table;
use crate::report::{self, permitted};
use crate::types::{Lang, Record, Status};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use std::sync::Arc;

/// Nothing is loaded but the page's own style, and no other page may hold it in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("page.css");

/// Most characters of a file's translation that are shown; all of it can be fetched.
const MOST_SHOWN: usize = 200_000;

/// What stands in the form.
#[derive(Default)]
struct Filled {
    text: String,
    from: Option<Lang>,
    to: Option<Lang>,
    summarize: bool,
}

/// What came of it.
struct Outcome {
    record: Record,
    text: Option<String>,
    /// The name of the translated file, and where it is fetched.
    file: Option<(String, String)>,
    /// What to know of the models that did it.
    remarks: Vec<String>,
}

impl Outcome {
    fn of(work: &Work, record: Record) -> Outcome {
        Outcome { remarks: remarks(work, &record), record, text: None, file: None }
    }
}

/// What the command line says after its work about models that are weak for the article's
/// languages.
fn remarks(work: &Work, record: &Record) -> Vec<String> {
    let target = record.translation.as_ref().map(|translation| &translation.language);
    let target = target.or(record.summary.as_ref().map(|summary| &summary.language));
    let (Some(pool), Some(target)) = (&work.models.pool, target) else { return Vec::new() };
    let is_source = |from: &Lang| record.language.code == *from || record.passages.contains(from);
    pool.chooser().remarks_on(|pair| is_source(&pair.from) && pair.to == *target)
}

/// `GET /style.css`
pub async fn style() -> Response {
    let style = format!("{}\n{STYLE}", report::STYLE);
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}

/// `GET /`
pub async fn show(State(service): State<Arc<Service>>) -> Response {
    let filled = Filled { to: Some(service.options.target.clone()), ..Filled::default() };
    respond(&service, &filled, html! {}, StatusCode::OK).await
}

/// `POST /`
pub async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response {
    let call = match service.read(request).await {
        Ok(call) => call,
        Err(failure) => {
            let filled = Filled { to: Some(service.options.target.clone()), ..Filled::default() };
            return respond(&service, &filled, told(&failure), failure.status).await;
        }
    };
    let filled = Filled {
        text: call.text("text").unwrap_or_default().into(),
        from: call.language_if_any("source").ok().flatten(),
        to: call.language_if_any("target").ok().flatten(),
        summarize: call.text("task") == Some("summarize"),
    };
    match made(&service, call, &filled).await {
        Ok(outcome) => respond(&service, &filled, shown(&outcome), StatusCode::OK).await,
        Err(failure) => {
            let mut response = respond(&service, &filled, told(&failure), failure.status).await;
            response.extensions_mut().insert(failure);
            response
        }
    }
}

async fn made(service: &Arc<Service>, mut call: Call, filled: &Filled) -> Result<Outcome, Failure> {
    let from = call.language_if_any("source")?;
    let to = call.language_if_any("target")?;
    let at = call.files.iter().position(|upload| !upload.bytes.is_empty());
    let upload = at.map(|at| call.files.swap_remove(at));
    if upload.is_none() && filled.text.trim().is_empty() {
        return Err(Failure::bad("Paste a text, or choose a file."));
    }
    let (text, summarize) = (filled.text.clone(), filled.summarize);
    let wanted = summary::settings(&call, service.options.job.summary.unwrap_or_default())?;
    let work = move |work: &Work| match (upload, summarize, to) {
        (None, false, None) | (Some(_), false, None) => {
            Err(Failure::bad("Into which language? Choose one."))
        }
        (Some(upload), false, Some(to)) => file(work, &upload, from.as_ref(), &to),
        (upload, _, to) => {
            let article = match upload {
                Some(upload) => files::article(work, &upload)?,
                None => from_text("text", &text),
            };
            let job = match summarize {
                true => summary::job(&work.service, from.as_ref(), to.as_ref(), wanted),
                false => work.service.job(from.as_ref(), to.as_ref()),
            };
            let mut records = work.records(vec![Ok(article)], &job)?;
            let record = records.pop().ok_or_else(|| Failure::internal("no record"))?;
            if let (Status::Failed, Some(error)) = (record.status, &record.error) {
                return Err(refused(&record, error));
            }
            let same = record.translation.is_none() && !summarize;
            Ok(Outcome { text: same.then_some(text), ..Outcome::of(work, record) })
        }
    };
    work::run(service, work).await
}

/// A file's translation, to read where it is text, and to fetch.
fn file(work: &Work, upload: &Upload, from: Option<&Lang>, to: &Lang) -> Result<Outcome, Failure> {
    let TranslatedFile { name, bytes, mut records } = files::translate(work, upload, from, to)?;
    let id = work.service.kept.put(name.clone(), &bytes)?;
    let place = files::address(&id, &name);
    let record = (!records.is_empty()).then(|| records.swap_remove(0));
    let record = record.ok_or_else(|| Failure::bad("there is no text in this file"))?;
    Ok(Outcome { file: Some((name, place)), ..Outcome::of(work, record) })
}

async fn respond(
    service: &Arc<Service>,
    filled: &Filled,
    result: Markup,
    status: StatusCode,
) -> Response {
    // As long as the models are being opened, all languages are offered.
    let known = offer::languages(service).await.ok();
    let page = page(service, filled, known.as_deref().map(Vec::as_slice), result);
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // A form's origin has to be told, or it would be taken for another page's.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, head, page.into_string()).into_response()
}

/// Languages as a list to choose from.
fn choices(known: Option<&[Source]>, targets: bool) -> Vec<(String, String)> {
    let codes: Vec<String> = match known {
        None => table::all().keys().cloned().collect(),
        Some(known) if !targets => known.iter().map(|source| source.code.clone()).collect(),
        Some(known) => known.iter().flat_map(|source| source.targets.clone()).collect(),
    };
    let name = |code: String| {
        let language = table::all().get(&code)?;
        let name = match language.name == language.native {
            true => language.name.clone(),
            false => format!("{} – {}", language.name, language.native),
        };
        Some((name, code))
    };
    let mut named: Vec<(String, String)> = codes.into_iter().filter_map(name).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The same as options, of which one may be chosen.
fn options(choices: Vec<(String, String)>, chosen: Option<&Lang>) -> Markup {
    html! {
        @for (name, code) in choices {
            option value=(code) selected[chosen.is_some_and(|lang| lang.as_str() == code)] {
                (name)
            }
        }
    }
}

fn page(service: &Service, filled: &Filled, known: Option<&[Source]>, result: Markup) -> Markup {
    let accepted = files::extensions().join(",");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "polygist" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    h1 { "polygist" }
                    p { "Translates and summarizes articles on this machine." }
                }
                main {
                    form method="post" action="/" enctype="multipart/form-data" {
                        label for="text" { "Text" }
                        textarea #text name="text" rows="9" dir="auto"
                            placeholder="Paste an article" { (permitted(&filled.text)) }
                        label for="file" { "or a file" }
                        input #file type="file" name="file" accept=(accepted);
                        div.row {
                            span {
                                label for="source" { "From" }
                                select #source name="source" {
                                    option value="auto" { "Find out" }
                                    (options(choices(known, false), filled.from.as_ref()))
                                }
                            }
                            span {
                                label for="target" { "Into" }
                                select #target name="target" {
                                    option value="" { "its own language" }
                                    (options(choices(known, true), filled.to.as_ref()))
                                }
                            }
                            span {
                                label for="length" { "Summary" }
                                select #length name="length" {
                                    option value="short" { "one sentence" }
                                    option value="medium" selected { "three sentences" }
                                    option value="long" { "six sentences" }
                                }
                            }
                        }
                        @if !service.options.keys.is_empty() {
                            label for="key" { "API key" }
                            input #key type="password" name="api_key" autocomplete="current-password";
                        }
                        div.row {
                            button type="submit" name="task" value="translate" { "Translate" }
                            button type="submit" name="task" value="summarize" { "Summarize" }
                        }
                    }
                    (result)
                }
                footer {
                    "Texts stay on the machine that serves this page. Programs use "
                    a href="/openapi.json" { "the same server" } "."
                }
            }
        }
    }
}

/// A failure for people.
fn told(failure: &Failure) -> Markup {
    html! { p.error role="alert" { (permitted(&failure.message)) } }
}

fn shown(outcome: &Outcome) -> Markup {
    let Outcome { record, text, file, remarks } = outcome;
    let source = &record.language;
    let title = record.title.as_ref();
    let title = title.map(|title| title.translation.as_ref().unwrap_or(&title.source));
    let translation = record.translation.as_ref();
    let body = translation.map(|translation| &translation.text).or(text.as_ref());
    let of = |lang: &Lang| table::name(lang).to_string();
    let language = translation.map(|t| &t.language).unwrap_or(&source.code);
    let direction = |lang: &Lang| match table::get(lang) {
        Some((_, language)) if language.rtl => "rtl",
        _ => "ltr",
    };
    html! {
        article {
            @if let Some(title) = title {
                h2 lang=(language.as_str()) dir=(direction(language)) { (permitted(title)) }
            }
            p.where {
                span.language { (of(&source.code)) }
                @if let Some(translation) = translation {
                    span { "into " (of(&translation.language)) }
                    span { "by " (permitted(&translation.model)) }
                }
                @if report::is_doubtful(record) {
                    span.badge.doubt { "look twice" }
                }
            }
            @for remark in remarks { p.how { (permitted(remark)) } }
            @if let Some(summary) = &record.summary {
                div.gist lang=(summary.language.as_str()) dir=(direction(&summary.language)) {
                    p { (permitted(&summary.text)) }
                }
            }
            @if let Some(body) = body.filter(|_| record.summary.is_none()) {
                div.text lang=(language.as_str()) dir=(direction(language)) {
                    p { (permitted(&beginning(body))) }
                }
            }
            @if let Some((name, place)) = file {
                p.how { a href=(place) { "Save " (permitted(name)) } }
            }
        }
    }
}

/// As much of a text as a page shows.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.trim().to_string(),
    }
}
