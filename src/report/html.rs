//! The report of a run: one page that needs nothing else, written record by record.
//!
//! Every piece of the page is a template that escapes what is put into it, so that nothing in the
//! articles can become markup.

mod article;
mod blocks;
mod characters;
mod links;

pub use characters::permitted;
pub(super) use links::relative_link;

use super::words::{counted, number};
use crate::error::Result;
use crate::types::{Lang, Record, Status};
use article::{State, article, language_code};
use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The look of the page.
pub const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Facts about the run as a whole, for the head of its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Heading of the page.
    pub title: String,
    /// Time of the run as a person writes it; empty to leave it out.
    pub created: String,
    /// Target language of the run.
    pub target: Option<Lang>,
    /// Lines below the overview, such as the files that were skipped.
    pub notes: Vec<String>,
    /// Largest number of bytes of translations on the page. Articles beyond it have only their
    /// summary and the link to their file, so that a browser can still open the page.
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

/// Number of articles by state and by language.
#[derive(Default)]
struct Tally {
    states: BTreeMap<State, usize>,
    languages: BTreeMap<Lang, usize>,
    unreadable: usize,
}

impl Tally {
    fn of(records: impl Iterator<Item = Result<Record>>) -> Tally {
        let mut tally = Tally::default();
        for record in records {
            match record {
                Ok(record) => {
                    *tally.states.entry(State::of(&record)).or_default() += 1;
                    *tally.languages.entry(record.language.code).or_default() += 1;
                }
                Err(_) => tally.unreadable += 1,
            }
        }
        tally
    }

    fn articles(&self) -> usize {
        self.states.values().sum()
    }

    fn in_state(&self, state: State) -> usize {
        self.states.get(&state).copied().unwrap_or_default()
    }

    /// Languages and their numbers of articles, the most frequent first.
    fn by_frequency(&self) -> Vec<(&Lang, usize)> {
        let mut languages: Vec<_> = self.languages.iter().map(|(lang, n)| (lang, *n)).collect();
        languages.sort_by_key(|(_, n)| Reverse(*n));
        languages
    }
}

/// Writes the report: an overview, then the failed articles, then all others in order. `records` is
/// called once for each pass, so that the records need not be kept in memory; records that are
/// errors are counted and left out.
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
    let tally = Tally::of(records());
    // The elements that hold the articles are opened and closed by hand, so that one article is in
    // memory at a time; everything else is a template.
    put(out, html! { (DOCTYPE) "\n" (PreEscaped("<html lang=\"en\">\n")) (head(meta)) })?;
    put(out, html! { "\n" (PreEscaped("<body>\n")) (overview(meta, &tally)) "\n" })?;
    put(out, html! { (PreEscaped("<main>\n")) p #none hidden { "No article matches." } "\n" })?;
    let mut room = meta.max_text;
    for failed in [true, false] {
        for record in records().flatten().filter(|r| (r.status == Status::Failed) == failed) {
            put(out, article(&record, &mut room))?;
        }
    }
    put(out, html! { (PreEscaped("</main>\n")) (foot()) (PreEscaped("</body>\n</html>\n")) })
}

/// Writes a piece of the page.
fn put(out: &mut (impl Write + ?Sized), markup: Markup) -> io::Result<()> {
    out.write_all(permitted(&markup.into_string()).as_bytes())
}

fn head(meta: &Meta) -> Markup {
    // Even if markup slipped through, only this script would run, and nothing would be fetched.
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'"
    );
    let generator = concat!("polygist ", env!("CARGO_PKG_VERSION"));
    html! {
        head {
            "\n" meta charset="utf-8";
            "\n" meta http-equiv="Content-Security-Policy" content=(policy);
            "\n" meta name="viewport" content="width=device-width, initial-scale=1";
            "\n" meta name="referrer" content="no-referrer";
            "\n" meta name="generator" content=(generator);
            "\n" title { (meta.title) }
            "\n" style { "\n" (PreEscaped(STYLE)) }
            "\n"
        }
    }
}

fn overview(meta: &Meta, tally: &Tally) -> Markup {
    let languages = tally.languages.keys().filter(|lang| !lang.is_und()).count();
    html! {
        header {
            "\n" h1 { (meta.title) }
            "\n" p {
                (counted(tally.articles(), "article")) " in " (counted(languages, "language"))
                @if let Some(target) = &meta.target { " · results in " (language_code(target)) }
                @if !meta.created.is_empty() { " · " (meta.created) }
            }
            "\n"
        }
        "\n" section aria-label="Overview" {
            "\n" div.counts { "\n" (state_buttons(tally)) }
            "\n" div.languages { "\n" (language_buttons(tally)) }
            "\n" (notes(meta, tally))
        }
        "\n" div #tools role="search" hidden {
            input #search type="search" placeholder="Search titles, summaries and texts"
                aria-label="Search";
            button #fold aria-pressed="false" { "Open all" }
            span #count role="status" {}
        }
    }
}

/// Buttons that choose the articles of one state.
fn state_buttons(tally: &Tally) -> Markup {
    let states = [
        ("", "Articles", "all", tally.articles()),
        ("failed", "Failed", "failed", tally.in_state(State::Failed)),
        ("doubt", "To check", "doubt", tally.in_state(State::Doubt)),
        ("ok", "Nothing found wrong", "ok", tally.in_state(State::Fine)),
    ];
    html! {
        @for (value, label, class, n) in states {
            @let zero = if n == 0 { " zero" } else { "" };
            button disabled data-filter="state" data-value=(value) aria-pressed=(value.is_empty())
                class={ (class) (zero) } { b { (number(n)) } (label) }
            "\n"
        }
    }
}

/// Buttons that choose the articles of one language.
fn language_buttons(tally: &Tally) -> Markup {
    html! {
        @for (language, n) in tally.by_frequency() {
            button disabled data-filter="lang" data-value=(language.as_str()) aria-pressed="false" {
                (language_code(language)) small { (number(n)) }
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

fn foot() -> Markup {
    html! {
        footer {
            "Translations and summaries were made by machine on this computer. "
            "Check what matters against the source."
        }
        "\n" script { (PreEscaped(SCRIPT)) }
        "\n"
    }
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
        for bad in ["<iframe", "<svg", "<img", "<b ", "href=\"javascript", "href=\".."] {
            assert!(!body.contains(bad), "{bad}");
        }
        assert_harmless(&page);
        // Nothing is loaded from anywhere.
        assert!(
            !page.contains("src=\"")
                && !page.contains("url(")
                && !page.contains("@import")
                && !SCRIPT.contains("</script")
        );
    }

    /// Elements and attributes that the templates make.
    const ELEMENTS: &str = "html head meta title style body header h1 h2 h4 p span section div \
        button b small ul li main article mark details summary dl dt dd bdi a q code pre hr \
        blockquote input footer script";
    const ATTRIBUTES: &str = "lang charset name content http-equiv class id hidden disabled dir \
        href rel role type placeholder aria-label aria-pressed data-code data-filter data-lang \
        data-state data-value";

    /// Reads the page as a browser does and looks for what no template makes.
    fn assert_harmless(page: &str) {
        let document = dom_query::Document::from(page);
        for node in document.select("*").nodes() {
            let name = node.node_name().unwrap_or_default().to_string();
            assert!(ELEMENTS.split_whitespace().any(|known| known == name), "<{name}>");
            for attribute in node.attrs() {
                let (name, value) = (attribute.name.local.to_string(), attribute.value.to_string());
                assert!(ATTRIBUTES.split_whitespace().any(|known| known == name), "{name}={value}");
                let leads_away = value.contains(':') || value.starts_with(['/', '.']);
                assert!(name != "href" || value.starts_with("https://") || !leads_away, "{value}");
            }
        }
        let scripts = document.select("script");
        assert_eq!((scripts.length(), &*scripts.text()), (1, SCRIPT));
        assert_eq!(&*document.select("style").text(), format!("\n{STYLE}"));
        let policy = document.select("meta[http-equiv]").attr("content").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
    }

    const ATTACKS: [&str; 7] = [
        "\"><script>alert(1)</script>",
        "' onmouseover='alert(2)' \" onclick=\"alert(3)\" x=",
        "</title></style></script><img src=x onerror=alert(4)>",
        "--><svg/onload=alert(5)>]]>",
        "&lt;script&gt;alert(6)&lt;/script&gt;&quot; onclick=&quot;alert(7)",
        "javascript:alert(8)",
        "https://x.org/\"onclick=\"alert(9)",
    ];

    /// Paths of all texts in a JSON value.
    fn texts(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(_) => found.push(path),
            serde_json::Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| texts(item, format!("{path}/{i}"), found)),
            serde_json::Value::Object(fields) => fields
                .iter()
                .for_each(|(name, field)| texts(field, format!("{path}/{name}"), found)),
            _ => {}
        }
    }

    #[test]
    fn no_field_of_a_record_can_inject_markup() {
        let mut tried = 0;
        for record in samples::records() {
            let whole = serde_json::to_value(&record).unwrap();
            let mut paths = Vec::new();
            texts(&whole, String::new(), &mut paths);
            for attack in ATTACKS {
                let attacked = paths.iter().filter_map(|path| {
                    let mut value = whole.clone();
                    *value.pointer_mut(path)? = attack.into();
                    // Where only certain words are allowed, others are refused.
                    serde_json::from_value(value).ok()
                });
                let attacked: Vec<Record> = attacked.collect();
                tried += attacked.len();
                assert_harmless(&page(&attacked, &Meta::default()));
            }
        }
        assert!(tried > 1000, "only {tried} fields");
    }

    #[test]
    fn no_field_of_a_run_can_inject_markup() {
        for attack in ATTACKS {
            let mut record = samples::records().remove(0);
            record.title.as_mut().unwrap().translation = Some(attack.into());
            let meta = Meta {
                title: attack.into(),
                created: attack.into(),
                notes: vec![attack.into()],
                ..Meta::default()
            };
            let page = page(&[record], &meta);
            assert_harmless(&page);
            let document = dom_query::Document::from(page);
            // What was put in is what a reader sees.
            for place in ["title", "h1", ".notes li", "article h2"] {
                assert_eq!(&*document.select(place).text(), attack, "{place}");
            }
        }
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
