//! Two columns in one page that needs nothing else.

use super::pairs::{Pair, pairs};
use crate::report::html::permitted;
use crate::report::markdown::{source_title, title};
use crate::report::words;
use crate::types::{Lang, Place, Record};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
td { border-top: 1px solid #8884; padding: .3rem .8rem; vertical-align: top; width: 50%;
  overflow-wrap: anywhere; }
td p, td h2 { margin: .2rem 0; }
td h2 { font-size: 1.1rem; }
.where, .was { opacity: .7; }
.doubt td:last-child { border-inline-start: .25rem solid #c80; }
.why { color: #a60; font-size: .85rem; }
";

/// What stands after the last article.
pub(super) const END: &str = "</body>\n</html>\n";

/// What stands before the first article.
pub(super) fn start() -> String {
    // Even if markup slipped through, nothing would run or be fetched.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";
    let head = html! {
        (DOCTYPE) "\n" (PreEscaped("<html lang=\"en\">\n"))
        head {
            "\n" meta charset="utf-8";
            "\n" meta http-equiv="Content-Security-Policy" content=(policy);
            "\n" meta name="viewport" content="width=device-width, initial-scale=1";
            "\n" title { "Source and translation" }
            "\n" style { (PreEscaped(STYLE)) }
            "\n"
        }
        "\n" (PreEscaped("<body>\n"))
    };
    head.into_string()
}

/// An article as a table.
pub(super) fn article(record: &Record) -> String {
    let from = &record.language.code;
    let to = record.translation.as_ref().map_or(from, |translation| &translation.language);
    let markup = html! {
        article {
            "\n" h1 dir="auto" lang=[known(to)] { (title(record)) }
            "\n"
            @if let Some(source) = source_title(record) {
                p class="was" dir="auto" lang=[known(from)] { (source) } "\n"
            }
            p class="where" {
                bdi { (record.id) } " · " (from.as_str()) " → " (to.as_str())
                @if let Some(translation) = &record.translation { " · " (translation.model) }
            }
            "\n" table {
                "\n" @for pair in pairs(record) {
                    @if pair.place != Place::Title { (row(&pair, from, to)) "\n" }
                }
            }
            "\n"
        }
        "\n"
    };
    permitted(&markup.into_string()).into_owned()
}

fn row(pair: &Pair, from: &Lang, to: &Lang) -> Markup {
    let class = (!pair.problems.is_empty()).then_some("doubt");
    html! {
        tr class=[class] {
            td lang=[known(from)] dir="auto" { (text(pair.place, &pair.source)) }
            td lang=[known(to)] dir="auto" {
                (text(pair.place, &pair.target))
                @if class.is_some() {
                    p class="why" lang="en" { (words::problems(&pair.problems)) }
                }
            }
        }
    }
}

fn text(place: Place, text: &str) -> Markup {
    html! {
        @match place {
            Place::Heading(_) => { h2 { (text) } }
            Place::Item(_) => { p { "• " (text) } }
            Place::Title | Place::Paragraph(_) | Place::Aside(_) => { p { (text) } }
        }
    }
}

/// Value of a `lang` attribute; `None` for an unknown language.
fn known(language: &Lang) -> Option<&str> {
    (!language.is_und()).then_some(language.as_str())
}
