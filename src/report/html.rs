//! The report of a run: one page that needs nothing else, written record by record.

use super::blocks::{blocks, escape, relative_link, web_link};
use super::markdown::{body, detour, source_title, title};
use super::words::{self, Remark, number, percent};
use crate::error::Result;
use crate::types::{Lang, Record, Status};
use base64::Engine;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// What a report says of the run as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Heading of the page.
    pub title: String,
    /// When, as a person writes it; empty to leave it out.
    pub created: String,
    /// Target language of the run.
    pub target: Option<Lang>,
    /// Lines below the overview: what was skipped, and the like.
    pub notes: Vec<String>,
    /// Bytes of translations that the page takes in; beyond, articles have their summary and the
    /// link to their file, so that a browser can still open the page.
    pub max_text: usize,
}

impl Default for Meta {
    fn default() -> Self {
        Meta {
            title: "Articles".into(),
            created: String::new(),
            target: None,
            notes: Vec::new(),
            max_text: 16 << 20,
        }
    }
}

/// How an article stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Failed,
    Doubt,
    Fine,
}

impl State {
    fn of(record: &Record) -> State {
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

#[derive(Default)]
struct Tally {
    states: BTreeMap<State, usize>,
    languages: BTreeMap<Lang, usize>,
    unreadable: usize,
}

/// Writes the report: an overview, then the failed articles, then all others in order. `records` is
/// called anew for each pass, so that none is held; records that are errors are counted and left
/// out.
///
/// Nothing on the page comes from elsewhere, and nothing in the articles can become markup or
/// script.
pub fn html<I>(
    records: impl Fn() -> I,
    meta: &Meta,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()>
where
    I: Iterator<Item = Result<Record>>,
{
    let mut tally = Tally::default();
    for record in records() {
        match record {
            Ok(record) => {
                *tally.states.entry(State::of(&record)).or_default() += 1;
                *tally.languages.entry(record.language.code).or_default() += 1;
            }
            Err(_) => tally.unreadable += 1,
        }
    }
    head(meta, out)?;
    overview(meta, &tally, out)?;
    writeln!(out, "<main>\n<p id=\"none\" hidden>No article matches.</p>")?;
    let mut room = meta.max_text;
    for failed in [true, false] {
        for record in records().flatten().filter(|r| (r.status == Status::Failed) == failed) {
            article(&record, &mut room, out)?;
        }
    }
    writeln!(
        out,
        "</main>\n<footer>Translations and summaries were made by machine on this computer. Check what matters against the source.</footer>"
    )?;
    writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
}

fn head(meta: &Meta, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    // Even if markup slipped through, only this script would run, and nothing would be fetched.
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let title = escape(&meta.title);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"polygist {}\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn overview(meta: &Meta, tally: &Tally, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let all: usize = tally.states.values().sum();
    let of = |state| tally.states.get(&state).copied().unwrap_or_default();
    let known = tally.languages.keys().filter(|l| !l.is_und()).count();
    let mut line = vec![format!("{} in {}", counted(all, "article"), counted(known, "language"))];
    line.extend(
        meta.target.as_ref().map(|to| {
            format!("results in <span data-code=\"{0}\">{0}</span>", escape(to.as_str()))
        }),
    );
    line.extend(Some(escape(&meta.created)).filter(|c| !c.is_empty()));
    writeln!(
        out,
        "<header>\n<h1>{}</h1>\n<p>{}</p>\n</header>",
        escape(&meta.title),
        line.join(" · ")
    )?;

    writeln!(out, "<section aria-label=\"Overview\">\n<div class=\"counts\">")?;
    let counts = [
        ("", "Articles", "all", all),
        ("failed", "Failed", "failed", of(State::Failed)),
        ("doubt", "To check", "doubt", of(State::Doubt)),
        ("ok", "Nothing found wrong", "ok", of(State::Fine)),
    ];
    for (value, label, class, n) in counts {
        let zero = if n == 0 { " zero" } else { "" };
        let pressed = value.is_empty();
        writeln!(
            out,
            "<button disabled data-filter=\"state\" data-value=\"{value}\" aria-pressed=\"{pressed}\" \
             class=\"{class}{zero}\"><b>{}</b>{label}</button>",
            number(n)
        )?;
    }
    writeln!(out, "</div>\n<div class=\"languages\">")?;
    let mut languages: Vec<_> = tally.languages.iter().collect();
    languages.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    for (language, n) in languages {
        let code = escape(language.as_str());
        writeln!(
            out,
            "<button disabled data-filter=\"lang\" data-value=\"{code}\" aria-pressed=\"false\">\
             <span data-code=\"{code}\">{code}</span><small>{}</small></button>",
            number(*n)
        )?;
    }
    writeln!(out, "</div>")?;
    let unreadable = (tally.unreadable > 0).then(|| {
        format!("{} could not be read and are left out.", counted(tally.unreadable, "record"))
    });
    let notes: Vec<&str> =
        meta.notes.iter().map(String::as_str).chain(unreadable.as_deref()).collect();
    if !notes.is_empty() {
        let items: String =
            notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
        writeln!(out, "<div class=\"notes\"><ul>\n{items}</ul></div>")?;
    }
    writeln!(
        out,
        "</section>\n<div id=\"tools\" role=\"search\" hidden>\
         <input id=\"search\" type=\"search\" placeholder=\"Search titles, summaries and texts\" aria-label=\"Search\">\
         <button id=\"fold\" aria-pressed=\"false\">Open all</button><span id=\"count\" role=\"status\"></span></div>"
    )
}

fn article(record: &Record, room: &mut usize, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let state = State::of(record);
    let code = escape(record.language.code.as_str());
    writeln!(
        out,
        "<article class=\"{}\" data-state=\"{}\" data-lang=\"{code}\">",
        state.class(),
        state.class()
    )?;
    let language = record.title.as_ref().map(|t| {
        if t.translation.is_some() { result_language(record) } else { &record.language.code }
    });
    writeln!(out, "<h2 dir=\"auto\"{}>{}</h2>", lang_attribute(language), escape(&title(record)))?;
    if let Some(source) = source_title(record) {
        writeln!(
            out,
            "<p class=\"was\" dir=\"auto\"{}>{}</p>",
            lang_attribute(Some(&record.language.code)),
            escape(&source)
        )?;
    }
    writeln!(out, "<p class=\"where\">{}</p>", place(record, state))?;
    if let Some(error) = &record.error {
        writeln!(out, "<p class=\"error\" dir=\"auto\">{}</p>", escape(&error.message))?;
    }
    if let Some(summary) = &record.summary {
        let lang = lang_attribute(Some(&summary.language));
        writeln!(
            out,
            "<div class=\"gist\"{lang}>{}</div>\n<p class=\"how\">{}</p>",
            blocks(&summary.text, &[]),
            escape(&words::method(summary))
        )?;
    }
    let (dealt_with, doubts): (Vec<_>, Vec<_>) =
        words::remarks(record).into_iter().partition(|r| r.dealt_with);
    remarks("doubts", &doubts, out)?;
    if let Some(translation) = &record.translation {
        let lang = lang_attribute(Some(&translation.language));
        if translation.text.len() <= *room {
            *room -= translation.text.len();
            let doubtful: Vec<&str> =
                record.checks.flagged.iter().map(|flag| flag.text.as_str()).collect();
            writeln!(
                out,
                "<details><summary>Translation</summary>\n<div class=\"text\"{lang}>{}</div></details>",
                blocks(&body(record, &translation.text), &doubtful)
            )?;
        } else {
            writeln!(
                out,
                "<p class=\"how\">The translation is in its file only; this page has become too large for it.</p>"
            )?;
        }
    }
    let facts: String = facts(record)
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>\n"))
        .collect();
    writeln!(out, "<details><summary>Source and details</summary>\n<dl>\n{facts}</dl>")?;
    remarks("dealt", &dealt_with, out)?;
    writeln!(out, "</details>\n</article>")
}

/// The language of the results.
fn result_language(record: &Record) -> &Lang {
    let translated = record.translation.as_ref().map(|t| &t.language);
    translated.or(record.summary.as_ref().map(|s| &s.language)).unwrap_or(&record.language.code)
}

fn lang_attribute(language: Option<&Lang>) -> String {
    language
        .filter(|l| !l.is_und())
        .map(|l| format!(" lang=\"{}\"", escape(l.as_str())))
        .unwrap_or_default()
}

/// The line below the title: language, state, where it is.
fn place(record: &Record, state: State) -> String {
    let code = escape(record.language.code.as_str());
    let mut parts = vec![format!("<span class=\"language\" data-code=\"{code}\">{code}</span>")];
    match state {
        State::Failed => parts.push("<span class=\"badge failed\">failed</span>".into()),
        State::Doubt => parts.push("<span class=\"badge doubt\">to check</span>".into()),
        State::Fine => {}
    }
    parts.push(format!("<bdi>{}</bdi>", escape(&record.id)));
    if let Some(link) = record.output.as_deref().and_then(relative_link) {
        parts.push(format!("<a href=\"{link}\">Open file</a>"));
    }
    parts.join("\n")
}

fn remarks(class: &str, remarks: &[Remark], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    if remarks.is_empty() {
        return Ok(());
    }
    writeln!(out, "<div class=\"{class}\">")?;
    for remark in remarks {
        writeln!(out, "<p>{}</p>", escape(&remark.text))?;
        let quotes: String = remark
            .quotes
            .iter()
            .map(|q| {
                format!(
                    "<li>{}<q dir=\"auto\">{}</q></li>\n",
                    escape(&q.complaint),
                    escape(&q.text)
                )
            })
            .collect();
        if !quotes.is_empty() {
            writeln!(out, "<ul>\n{quotes}</ul>")?;
        }
    }
    writeln!(out, "</div>")
}

/// Name and HTML of what a reader may want to look up.
fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(link) = record.output.as_deref().and_then(relative_link) {
        facts.push((
            "File",
            format!(
                "<a href=\"{link}\"><bdi>{}</bdi></a>",
                escape(record.output.as_deref().unwrap_or_default())
            ),
        ));
    }
    facts.push((
        "Source",
        format!(
            "<bdi>{}</bdi> ({} bytes)",
            escape(&record.source.path),
            number(usize::try_from(record.source.bytes).unwrap_or(usize::MAX))
        ),
    ));
    let address = ["url", "link", "source_url", "canonical_url"]
        .iter()
        .find_map(|key| record.extra.get(*key)?.as_str());
    if let Some(url) = address.and_then(web_link) {
        facts.push((
            "Web page",
            format!("<a href=\"{0}\" rel=\"noopener noreferrer nofollow\">{0}</a>", escape(url)),
        ));
    }
    if !record.language.code.is_und() {
        let code = escape(record.language.code.as_str());
        facts.push((
            "Language",
            format!(
                "<span data-code=\"{code}\">{code}</span>, {} sure",
                percent(record.language.confidence)
            ),
        ));
    }
    if let Some(translation) = &record.translation {
        let way = detour(record)
            .map(|route| format!(", by way of {}", escape(&route)))
            .unwrap_or_default();
        let checks = &record.checks;
        let retried = if checks.retried > 0 {
            format!("; {} translated a second time", number(checks.retried))
        } else {
            String::new()
        };
        let trusted = checks
            .confidence
            .map(|p| format!("; mean confidence {}", percent(p)))
            .unwrap_or_default();
        let sentences = counted(checks.segments, "sentence");
        facts.push((
            "Translation",
            format!("{}{way}; {sentences}{retried}{trusted}", escape(&translation.model)),
        ));
    }
    if let Some(model) = record.summary.as_ref().and_then(|s| s.model.as_deref()) {
        facts.push(("Summary", escape(model)));
    }
    let stats = &record.stats;
    if stats.source_tokens > 0 {
        let (read, all, written) =
            (number(stats.read_tokens), number(stats.source_tokens), number(stats.output_tokens));
        facts.push((
            "Tokens",
            format!("{read} of {all} read, {written} written, in {:.1} s", stats.seconds),
        ));
    }
    facts.push(("SHA-256", format!("<code>{}</code>", escape(&record.source.sha256))));
    facts
}

fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::report::samples;

    fn page(records: &[Record], meta: &Meta) -> String {
        let mut out = Vec::new();
        html(|| records.iter().cloned().map(Ok), meta, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_page_is_whole_and_failures_come_first() {
        let records = samples::records();
        let page = page(
            &records,
            &Meta {
                created: "24 November 2025".into(),
                target: Some(Lang::en()),
                notes: vec!["3 files <skipped>".into()],
                ..Meta::default()
            },
        );
        // For looking at it in a browser.
        if let Ok(path) = std::env::var("POLYGIST_SAMPLE_REPORT") {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(page.matches("<article ").count(), records.len());
        assert!(page.find("scan-0007").unwrap() < page.find("Lyon closes").unwrap());
        assert!(
            page.contains("12 articles in 10 languages")
                && page.contains("3 files &lt;skipped&gt;")
        );
        assert!(page.contains("2 sentences of the translation may be wrong:"));
        assert!(page.contains("href=\"france/lyon-%C3%A9coles.html.en.md\""));
        assert!(page.contains("lang=\"he\"") && page.contains("lang=\"zh\""));
    }

    #[test]
    fn articles_cannot_inject_markup_or_script() {
        let page = page(
            &samples::records(),
            &Meta { title: "<script>alert(0)</script>".into(), ..Meta::default() },
        );
        let body = &page[page.find("<body>").unwrap()..];
        assert_eq!(body.matches("<script").count(), 1);
        assert_eq!(page.matches("</title>").count(), 1);
        for bad in [
            "<iframe",
            "<svg",
            "<img",
            "<b ",
            "href='",
            "href=\"javascript",
            "href=\"..",
            "onclick='",
        ] {
            assert!(!body.contains(bad), "{bad}");
        }
        // Nothing is loaded from anywhere.
        assert!(
            !page.contains("src=\"")
                && !page.contains("url(")
                && !page.contains("@import")
                && !SCRIPT.contains("</script")
        );
    }

    #[test]
    fn a_large_run_stays_a_page_that_opens() {
        let records = samples::records();
        let meta = Meta { max_text: 1000, ..Meta::default() };
        let small = page(&records, &meta);
        assert!(
            small.contains("in its file only")
                && !small.contains("A first assessment is planned for March.</p>\n<p")
        );
        assert!(small.contains("forty minutes instead of two hours"));
        let mut out = Vec::new();
        html(|| [Err(Error::input("x", "y"))].into_iter(), &meta, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("1 record could not be read"));
    }
}
