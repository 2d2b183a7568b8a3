//! The report of a run, written record by record: one page that needs nothing else, or, where the
//! articles are too many for one, a page that lists them and numbered pages that have them.
//!
//! Every piece of a page is a template that escapes what is put into it, so that nothing in the
//! articles can become markup.

mod article;
mod blocks;
mod characters;
mod charts;
mod details;
mod differences;
mod identity;
mod links;
mod meta;
mod page;
mod sentences;
mod state;
mod tally;

pub use characters::permitted;
pub(super) use links::relative_link;
pub use meta::{Limits, Meta};
pub use page::STYLE;

use super::words::{counted, number};
use crate::error::Result;
use crate::types::{Record, Status};
use article::Entry;
use maud::{Markup, html};
use meta::Part;
use state::State;
use std::io::{self, Write};
use tally::Tally;

/// The path of the report's first page, below the output folder.
pub const REPORT: &str = "report.html";
/// The folder of its other pages, beside it.
pub const PAGES: &str = "report";

/// Makes the file of a page, by its path below the output folder.
pub type Open<'o> = dyn FnMut(&str) -> io::Result<Box<dyn Write>> + 'o;

/// Writes the report: an overview, then the failed articles, then all others in order. `records` is
/// called once for each pass, so that the records need not be kept in memory; records that are
/// errors are counted and left out.
///
/// Nothing on the pages comes from elsewhere, and nothing in the articles can become markup or
/// script.
///
/// # Errors
/// When a page cannot be written.
pub fn html<I>(records: impl Fn() -> I, meta: &Meta, open: &mut Open<'_>) -> io::Result<()>
where
    I: Iterator<Item = Result<Record>>,
{
    let tally = Tally::of(records());
    let has_failures = tally.in_state(State::Failed) > 0;
    let passes = [true, false].into_iter().filter(|failed| has_failures || !failed);
    let mut records = passes.flat_map(|failed| {
        records().flatten().filter(move |record| (record.status == Status::Failed) == failed)
    });
    let is_small = tally.articles() <= meta.limits.articles && tally.bytes <= meta.limits.bytes;
    if is_small { one(&mut records, meta, &tally, open) } else { many(records, meta, &tally, open) }
}

/// Writes all articles to one page.
fn one(
    records: &mut dyn Iterator<Item = Record>,
    meta: &Meta,
    tally: &Tally,
    open: &mut Open<'_>,
) -> io::Result<()> {
    let mut out = open(REPORT)?;
    put(&mut out, page::start(meta, &Part::default(), page::overview(meta, tally)))?;
    for record in records {
        put(&mut out, Entry::of(&record, "").whole())?;
    }
    put(&mut out, page::end(Markup::default()))?;
    out.flush()
}

/// Writes the articles to numbered pages, and a page that lists them.
fn many(
    records: impl Iterator<Item = Record>,
    meta: &Meta,
    tally: &Tally,
    open: &mut Open<'_>,
) -> io::Result<()> {
    let limits = &meta.limits;
    let mut index = open(REPORT)?;
    let list = Part { is_list: true, ..Part::default() };
    put(&mut index, page::start(meta, &list, page::overview(meta, tally)))?;
    let mut records = records.peekable();
    let (mut pages, mut listed) = (Vec::new(), 0);
    while records.peek().is_some() {
        let number = pages.len() + 1;
        let name = file_name(number);
        let mut out = open(&format!("{PAGES}/{name}"))?;
        let (name_of_page, links) = (format!("page {number}"), neighbours(number, false));
        let part = Part { name: Some(name_of_page), is_list: false, links };
        put(&mut out, page::start(meta, &part, page::part_overview(meta, &part)))?;
        let (mut articles, mut bytes) = (0, 0);
        while articles < limits.page_articles.max(1)
            && bytes < limits.page_bytes
            && let Some(record) = records.next()
        {
            articles += 1;
            bytes += tally::bytes(&record);
            put(&mut out, Entry::of(&record, "../").whole())?;
            if listed < limits.listed {
                listed += 1;
                put(&mut index, Entry::of(&record, "").line(&format!("{PAGES}/{name}")))?;
            }
        }
        let links = neighbours(number, records.peek().is_some());
        put(&mut out, page::end(html! { nav.pages { (links) } }))?;
        out.flush()?;
        pages.push(articles);
    }
    put(&mut index, page::end(contents(&pages, listed)))?;
    index.flush()
}

/// The name of a numbered page in its folder.
fn file_name(number: usize) -> String {
    format!("{number:04}.html")
}

/// Links from a page to those beside it.
fn neighbours(page: usize, has_next: bool) -> Markup {
    html! {
        a href={ "../" (REPORT) } { "All articles" }
        @if page > 1 { " · " a href=(file_name(page - 1)) { "Page before" } }
        @if has_next { " · " a href=(file_name(page + 1)) { "Next page" } }
    }
}

/// Links to all pages, by their numbers of articles.
fn contents(pages: &[usize], listed: usize) -> Markup {
    let all: usize = pages.iter().sum();
    html! {
        nav.pages {
            @if listed < all {
                p {
                    "The first " (number(listed)) " of " (counted(all, "article"))
                    " are listed and searched here; the others are on their pages."
                }
            }
            p {
                "Pages: "
                @for (at, articles) in pages.iter().enumerate() {
                    a href={ (PAGES) "/" (file_name(at + 1)) }
                        title=(counted(*articles, "article")) { (at + 1) }
                    " "
                }
            }
        }
        "\n"
    }
}

/// Writes a piece of a page.
fn put(out: &mut dyn Write, markup: Markup) -> io::Result<()> {
    out.write_all(permitted(&markup.into_string()).as_bytes())
}

#[cfg(test)]
mod tests;
