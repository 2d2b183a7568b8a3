//! What stands around the articles of a page: its head, the overview, the tools, its foot.

use super::charts::charts;
use super::meta::{Meta, Part};
use super::state::State;
use super::tally::Tally;
use crate::languages;
use crate::report::words::{counted, number};
use crate::types::Lang;
use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// The look of the page.
pub const STYLE: &str = include_str!("../web/style.css");

/// What the page does: one script in several files, which see each other.
pub(super) const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../web/fold.js"),
    include_str!("../web/text.js"),
    include_str!("../web/find.js"),
    include_str!("../web/marks.js"),
    include_str!("../web/export.js"),
    include_str!("../web/keys.js"),
    include_str!("../web/start.js"),
    "})();\n",
);

/// Everything before the articles. Elements that stay open are opened by hand; everything else is a
/// template.
pub(super) fn start(meta: &Meta, part: &Part, overview: Markup) -> Markup {
    html! {
        (DOCTYPE) "\n" (PreEscaped("<html lang=\"en\">\n")) (head(meta, part))
        "\n" (PreEscaped("<body>\n")) (overview) (tools(part.is_list)) "\n" (PreEscaped("<main>\n"))
        p #none hidden { "No article matches." } "\n"
    }
}

/// Everything after the articles.
pub(super) fn end(after: Markup) -> Markup {
    html! {
        (PreEscaped("</main>\n")) (after)
        footer {
            "Translations and summaries were made by machine on this computer. “No check complained” "
            "does not say that nothing is wrong: check what matters against the source."
        }
        "\n" (help()) "\n" script { (PreEscaped(SCRIPT)) }
        "\n" (PreEscaped("</body>\n</html>\n"))
    }
}

fn head(meta: &Meta, part: &Part) -> Markup {
    // Even if markup slipped through, only this script would run, only these styles would hold, and
    // nothing would be fetched.
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let generator = concat!("polygist ", env!("CARGO_PKG_VERSION"));
    html! {
        head {
            "\n" meta charset="utf-8";
            "\n" meta http-equiv="Content-Security-Policy" content=(policy);
            "\n" meta name="viewport" content="width=device-width, initial-scale=1";
            "\n" meta name="referrer" content="no-referrer";
            "\n" meta name="generator" content=(generator);
            "\n" title { (meta.title) @if let Some(name) = &part.name { ", " (name) } }
            "\n" style { (PreEscaped(STYLE)) }
            "\n"
        }
    }
}

/// The overview of all articles. `is_whole` says that they are on this page, and that its buttons
/// choose among them.
pub(super) fn overview(meta: &Meta, tally: &Tally) -> Markup {
    html! {
        header {
            "\n" h1 dir="auto" { (meta.title) }
            "\n" p {
                (counted(tally.articles(), "article")) " in "
                (counted(tally.languages(), "language"))
                @if let Some(target) = &meta.target { " · results in " (languages::name(target)) }
                @if !meta.created.is_empty() { " · " (meta.created) }
            }
            "\n"
        }
        "\n" section aria-label="Overview" {
            "\n" div.counts { "\n" (state_buttons(tally)) }
            "\n" (language_buttons(tally)) (charts(tally)) (notes(meta, tally))
        }
        "\n"
    }
}

/// The head of one of many pages.
pub(super) fn part_overview(meta: &Meta, part: &Part) -> Markup {
    html! {
        header {
            "\n" h1 dir="auto" { (meta.title) }
            "\n" p { @if let Some(name) = &part.name { (name) " · " } (part.links) }
            "\n"
        }
        "\n"
    }
}

/// Buttons that choose the articles of one state.
fn state_buttons(tally: &Tally) -> Markup {
    let states = [State::Failed, State::Doubt, State::Passed];
    html! {
        (state_button("", "Articles", "all", tally.articles()))
        @for state in states {
            (state_button(state.name(), state.label(), state.name(), tally.in_state(state)))
        }
    }
}

fn state_button(value: &str, label: &str, class: &str, n: usize) -> Markup {
    let zero = if n == 0 { " zero" } else { "" };
    html! {
        button disabled data-filter="state" data-value=(value) aria-pressed=(value.is_empty())
            class={ (class) (zero) } { b { (number(n)) } (label) }
        "\n"
    }
}

/// Buttons that choose the articles of one language, and the results in one.
fn language_buttons(tally: &Tally) -> Markup {
    let button = |filter: &str, language: &Lang, label: Markup| {
        html! {
            button disabled data-filter=(filter) data-value=(language.as_str())
                aria-pressed="false" { (label) }
            "\n"
        }
    };
    let name = |language: &Lang| match language.is_und() {
        true => html! { "Unknown language" },
        false => html! { span title=(language.as_str()) { (languages::name(language)) } },
    };
    html! {
        div.languages {
            "\n" @for (language, n) in tally.by_frequency() {
                (button("lang", language, html! { (name(language)) small { (number(n)) } }))
            }
        }
        "\n"
        @if tally.targets.len() > 1 {
            div.languages {
                "\n" @for to in &tally.targets {
                    (button("to", to, html! { "into " (name(to)) }))
                }
            }
            "\n"
        }
    }
}

fn notes(meta: &Meta, tally: &Tally) -> Markup {
    let unreadable = (tally.unreadable > 0).then(|| {
        format!("{} could not be read and are left out.", counted(tally.unreadable, "record"))
    });
    let notes: Vec<&str> =
        meta.notes.iter().map(String::as_str).chain(unreadable.as_deref()).collect();
    html! {
        @if !notes.is_empty() {
            div.notes { ul { "\n" @for note in notes { li { (note) } "\n" } } }
            "\n"
        }
    }
}

/// Search, choice, order and export: what needs the script, which shows it.
fn tools(is_list: bool) -> Markup {
    let searched = if is_list { "Search titles" } else { "Search titles, summaries and texts" };
    let sorts = [
        ("", "in order"),
        ("newest", "newest first"),
        ("unsure", "least confident first"),
        ("doubts", "most complaints first"),
        ("lang", "by language"),
        ("state", "by status"),
    ];
    let marks = [
        ("", "any mark"),
        ("none", "not marked"),
        ("checked", "checked"),
        ("fix", "to fix"),
        ("note", "with notes"),
    ];
    let select = |id: &str, label: &str, options: &[(&str, &str)]| {
        html! {
            select id=(id) aria-label=(label) {
                @for (value, name) in options { option value=(value) { (name) } }
            }
            "\n"
        }
    };
    html! {
        div #tools role="search" hidden {
            "\n" input #search type="search" placeholder=(searched) aria-label="Search";
            "\n" (select("mark", "Marks", &marks)) (select("sort", "Order", &sorts))
            button #fold aria-pressed="false" { "Open all" }
            "\n" details.menu {
                summary { "Export" }
                div {
                    @for kind in ["json", "csv", "tmx"] {
                        button data-export=(kind) { (kind.to_uppercase()) }
                    }
                    button #import { "Import JSON" }
                    input #file type="file" accept=".json,application/json" hidden;
                    p { "Your marks, notes and better translations. They are kept in this browser." }
                }
            }
            "\n" button #keys aria-label="Keys" title="Keys" { "?" }
            "\n" span #count role="status" {}
        }
    }
}

/// What the keys do.
fn help() -> Markup {
    let keys = [
        ("j, k", "next, previous article"),
        ("o", "open or close it"),
        ("n, p", "next, previous sentence that a check complains of"),
        ("c", "mark as checked"),
        ("f", "mark as to fix"),
        ("e", "write a note or a better translation"),
        ("/", "search"),
        ("Esc", "leave a sentence or a field"),
        ("?", "show this"),
    ];
    html! {
        dialog #help {
            h2 { "Keys" }
            dl { @for (key, does) in keys { dt { kbd { (key) } } dd { (does) } } }
            button #close { "Close" }
        }
    }
}
