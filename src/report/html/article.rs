//! One article on the report's page.

use super::blocks::blocks;
use super::links::{relative_link, web_link};
use crate::report::markdown::{body, detour, source_title, title};
use crate::report::words::{self, Remark, counted, number, percent};
use crate::types::{Lang, Record, Status};
use maud::{Markup, html};

/// State of an article.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Not processed.
    Failed,
    /// With something that a reader should look at twice.
    Doubt,
    /// With nothing found wrong.
    Fine,
}

impl State {
    pub(super) fn of(record: &Record) -> State {
        match record.status {
            Status::Failed => State::Failed,
            Status::Ok if words::is_doubtful(record) => State::Doubt,
            Status::Ok => State::Fine,
        }
    }

    fn class(self) -> &'static str {
        match self {
            State::Failed => "failed",
            State::Doubt => "doubt",
            State::Fine => "ok",
        }
    }
}

/// The article as an element of the page. `room` is the number of bytes of translations that the
/// page still takes.
pub(super) fn article(record: &Record, room: &mut usize) -> Markup {
    let state = State::of(record);
    let source_language = &record.language.code;
    let title_language = record.title.as_ref().map(|title| match title.translation {
        Some(_) => result_language(record),
        None => source_language,
    });
    let (resolved, doubts): (Vec<_>, Vec<_>) =
        words::remarks(record).into_iter().partition(|remark| remark.dealt_with);
    html! {
        article class=(state.class()) data-state=(state.class())
            data-lang=(source_language.as_str()) {
            "\n" h2 dir="auto" lang=[title_language.and_then(known)] { (title(record)) }
            "\n"
            @if let Some(source) = source_title(record) {
                p class="was" dir="auto" lang=[known(source_language)] { (source) } "\n"
            }
            p.where { (place(record, state)) }
            "\n"
            @if let Some(error) = &record.error {
                p class="error" dir="auto" { (error.message) } "\n"
            }
            @if let Some(summary) = &record.summary {
                div class="gist" lang=[known(&summary.language)] { (blocks(&summary.text, &[])) }
                "\n" p.how { (words::method(summary)) }
                "\n"
            }
            (remarks("doubts", &doubts))
            (translation(record, room))
            details {
                summary { "Source and details" }
                "\n" dl {
                    "\n" @for (name, value) in facts(record) { dt { (name) } dd { (value) } "\n" }
                }
                "\n" (remarks("dealt", &resolved))
            }
            "\n"
        }
        "\n"
    }
}

/// A language's code, in an element that the page's script gives the language's name.
pub(super) fn language_code(language: &Lang) -> Markup {
    html! { span data-code=(language.as_str()) { (language.as_str()) } }
}

/// Language of the results.
fn result_language(record: &Record) -> &Lang {
    let translated = record.translation.as_ref().map(|t| &t.language);
    translated.or(record.summary.as_ref().map(|s| &s.language)).unwrap_or(&record.language.code)
}

/// Value of a `lang` attribute; `None` for an unknown language.
fn known(language: &Lang) -> Option<&str> {
    (!language.is_und()).then_some(language.as_str())
}

/// The line below the title: languages, state, id and link.
fn place(record: &Record, state: State) -> Markup {
    let code = record.language.code.as_str();
    html! {
        span class="language" data-code=(code) { (code) }
        @if let Some(translation) = &record.translation {
            " → " (language_code(&translation.language))
        }
        @match state {
            State::Failed => { "\n" span.badge.failed { "failed" } }
            State::Doubt => { "\n" span.badge.doubt { "to check" } }
            State::Fine => {}
        }
        "\n" bdi { (record.id) }
        @if let Some(link) = record.output.as_deref().and_then(relative_link) {
            "\n" a href=(link) { "Open file" }
        }
    }
}

fn remarks(class: &str, remarks: &[Remark]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            div class=(class) {
                "\n" @for remark in remarks {
                    p { (remark.text) }
                    "\n"
                    @if !remark.quotes.is_empty() {
                        ul {
                            "\n" @for quote in &remark.quotes {
                                li { (quote.complaint) q dir="auto" { (quote.text) } }
                                "\n"
                            }
                        }
                        "\n"
                    }
                }
            }
            "\n"
        }
    }
}

/// The translation, where the page has room for it.
fn translation(record: &Record, room: &mut usize) -> Markup {
    let Some(translation) = &record.translation else { return Markup::default() };
    let Some(left) = room.checked_sub(translation.text.len()) else {
        return html! {
            p.how {
                "The translation is in its file only; "
                "this page has become too large for it."
            }
            "\n"
        };
    };
    *room = left;
    let doubtful: Vec<&str> = record.checks.flagged.iter().map(|flag| flag.text.as_str()).collect();
    html! {
        details {
            summary { "Translation" }
            "\n" div class="text" lang=[known(&translation.language)] {
                (blocks(&body(record, &translation.text), &doubtful))
            }
        }
        "\n"
    }
}

/// Names and values of what a reader may want to look up.
fn facts(record: &Record) -> Vec<(&'static str, Markup)> {
    let output = record.output.as_deref();
    let file = output.and_then(relative_link).map(|link| {
        html! { a href=(link) { bdi { (output.unwrap_or_default()) } } }
    });
    let bytes = number(usize::try_from(record.source.bytes).unwrap_or(usize::MAX));
    let source = html! { bdi { (record.source.path) } " (" (bytes) " bytes)" };
    let address = ["url", "link", "source_url", "canonical_url"]
        .iter()
        .find_map(|key| record.extra.get(*key)?.as_str());
    let page = address.and_then(web_link).map(|url| {
        html! { a href=(url) rel="noopener noreferrer nofollow" { (url) } }
    });
    let language = known(&record.language.code).map(|_| {
        let sure = percent(record.language.confidence);
        html! { (language_code(&record.language.code)) ", " (sure) " sure" }
    });
    let model = record.summary.as_ref().and_then(|s| s.model.as_deref());
    let facts = [
        ("File", file),
        ("Source", Some(source)),
        ("Web page", page),
        ("Language", language),
        ("Translation", translation_fact(record)),
        ("Summary", model.map(|model| html! { (model) })),
        ("Tokens", tokens_fact(record)),
        ("SHA-256", Some(html! { code { (record.source.sha256) } })),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn translation_fact(record: &Record) -> Option<Markup> {
    let translation = record.translation.as_ref()?;
    let checks = &record.checks;
    Some(html! {
        (translation.model)
        @if let Some(route) = detour(record) { ", by way of " (route) }
        "; " (counted(checks.segments, "sentence"))
        @if checks.retried > 0 { "; " (number(checks.retried)) " translated a second time" }
        @if let Some(mean) = checks.confidence { "; mean confidence " (percent(mean)) }
    })
}

fn tokens_fact(record: &Record) -> Option<Markup> {
    let stats = &record.stats;
    let (read, all, written) =
        (number(stats.read_tokens), number(stats.source_tokens), number(stats.output_tokens));
    (stats.source_tokens > 0).then(|| {
        let seconds = format!("{:.1}", stats.seconds);
        html! { (read) " of " (all) " read, " (written) " written, in " (seconds) " s" }
    })
}
