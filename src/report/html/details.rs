//! What a reader may want to look up about an article.

use super::links::{address, relative_link};
use crate::languages;
use crate::report::markdown::detour;
use crate::report::words::{self, counted, number, percent};
use crate::types::Record;
use maud::{Markup, html};

/// Names and values. `up` leads from the page to the output folder.
pub(super) fn facts(record: &Record, up: &str) -> Markup {
    let link = |path: &str| {
        let href = relative_link(path)?;
        Some(html! { a.file href={ (up) (href) } { bdi { (path) } } })
    };
    let bytes = number(usize::try_from(record.source.bytes).unwrap_or(usize::MAX));
    let source = html! { bdi { (record.source.path) } " (" (bytes) " bytes)" };
    let page = address(record).map(|url| {
        html! { a href=(url) rel="noopener noreferrer nofollow" { (url) } }
    });
    let code = &record.language.code;
    let language = (!code.is_und()).then(|| {
        let sure = percent(record.language.confidence);
        html! { (languages::name(code)) " (" (code.as_str()) "), " (sure) " sure" }
    });
    let model = record.summary.as_ref().and_then(|s| s.model.as_deref());
    let facts = [
        ("File", record.output.as_deref().and_then(link)),
        ("Document", record.document.as_deref().and_then(link)),
        ("Source", Some(source)),
        ("Web page", page),
        ("Language", language),
        ("Translation", translation(record)),
        ("Summary", model.map(|model| html! { (model) })),
        ("Tokens", tokens(record)),
        ("SHA-256", Some(html! { code { (record.source.sha256) } })),
    ];
    html! {
        dl {
            "\n" @for (name, value) in facts {
                @if let Some(value) = value { dt { (name) } dd { (value) } "\n" }
            }
        }
        "\n"
    }
}

fn translation(record: &Record) -> Option<Markup> {
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

fn tokens(record: &Record) -> Option<Markup> {
    let stats = &record.stats;
    let (read, all, written) =
        (number(stats.read_tokens), number(stats.source_tokens), number(stats.output_tokens));
    (stats.source_tokens > 0).then(|| {
        let seconds = format!("{:.1}", stats.seconds);
        html! { (read) " of " (all) " read, " (written) " written, in " (seconds) " s" }
    })
}

/// What of the source is no part of the article.
pub(super) fn removed(record: &Record) -> Markup {
    html! {
        @if !record.removed.is_empty() {
            div.removed {
                p { "Left out of the source:" }
                ul {
                    "\n" @for removed in &record.removed {
                        li {
                            (words::removal(removed.reason)) " ("
                            (counted(removed.parts, "part")) ", "
                            (counted(removed.characters, "character")) ")"
                            @if !removed.start.is_empty() { q dir="auto" { (removed.start) } }
                        }
                        "\n"
                    }
                }
            }
            "\n"
        }
    }
}
