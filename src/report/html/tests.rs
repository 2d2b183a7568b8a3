use super::page::{SCRIPT, STYLE};
use super::*;
use crate::error::Error;
use crate::report::samples;
use crate::types::{Flag, Lang, Problem, SegmentRecord};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

type Pages = BTreeMap<String, Vec<u8>>;

/// A file in memory.
struct Memory(Rc<RefCell<Pages>>, String);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().entry(self.1.clone()).or_default().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pages<I>(records: impl Fn() -> I, meta: &Meta) -> BTreeMap<String, String>
where
    I: Iterator<Item = Result<Record>>,
{
    let all = Rc::new(RefCell::new(Pages::new()));
    let mut open = |name: &str| Ok(Box::new(Memory(all.clone(), name.into())) as Box<dyn Write>);
    html(records, meta, &mut open).unwrap();
    let all = all.borrow();
    all.iter()
        .map(|(name, page)| (name.clone(), String::from_utf8(page.clone()).unwrap()))
        .collect()
}

fn page(records: &[Record], meta: &Meta) -> String {
    let mut all = pages(|| records.iter().cloned().map(Ok), meta);
    assert_eq!(all.len(), 1);
    all.remove(REPORT).unwrap()
}

/// The page as a browser without scripts reads it.
fn unscripted(page: &str) -> String {
    page.replace("<noscript>", "<div>").replace("</noscript>", "</div>")
}

/// The page as a browser with scripts reads it, to which a `noscript` is text up to its end, and
/// the texts in those.
fn scripted(page: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<noscript>") {
        let end = after.to_ascii_lowercase().find("</noscript").unwrap();
        outside.push_str(before);
        inside.push(after[..end].to_string());
        rest = after[end..].strip_prefix("</noscript>").unwrap();
    }
    assert!(!rest.to_ascii_lowercase().contains("noscript>"));
    (outside + rest, inside)
}

/// For looking at in a browser: `POLYGIST_SAMPLE_REPORT` is a folder, `POLYGIST_SAMPLE_ARTICLES`
/// how many articles there are to be.
#[test]
fn a_report_of_any_size_is_written() {
    let count = std::env::var("POLYGIST_SAMPLE_ARTICLES").ok().and_then(|n| n.parse().ok());
    let meta =
        Meta { title: "news".into(), created: "2026-03-09 10:00:00 UTC".into(), ..Meta::default() };
    let all = match count {
        Some(count) => pages(|| samples::many(count).map(Ok), &meta),
        None => pages(|| samples::records().into_iter().map(Ok), &meta),
    };
    assert!(all.contains_key(REPORT));
    if let Ok(folder) = std::env::var("POLYGIST_SAMPLE_REPORT") {
        for (name, page) in all {
            let path = std::path::Path::new(&folder).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, page).unwrap();
        }
    }
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
    assert_eq!(page.matches("<article ").count(), records.len());
    assert!(page.find("scan-0007").unwrap() < page.find("Lyon closes").unwrap());
    assert!(
        page.contains("12 articles in 11 languages") && page.contains("3 files &lt;skipped&gt;")
    );
    assert!(page.contains("2 sentences of the translation may be wrong:"));
    assert!(page.contains("href=\"france/lyon-%C3%A9coles.html.en.md\""));
    assert!(page.contains("lang=\"he\"") && page.contains("lang=\"zh\""));
    assert!(page.contains("No check complained") && !page.to_lowercase().contains("nothing found"));
}

#[test]
fn equal_records_make_equal_pages() {
    let records = samples::records();
    assert_eq!(page(&records, &Meta::default()), page(&records, &Meta::default()));
}

#[test]
fn each_sentence_stands_beside_its_source_with_what_was_changed_marked() {
    let document =
        dom_query::Document::from(unscripted(&page(&samples::records(), &Meta::default())));
    let article = document.select("article").iter().find(|a| a.text().contains("lyon")).unwrap();
    let rows = article.select(".pair");
    let segments = samples::records()[0].segments.clone().unwrap();
    assert_eq!(rows.length(), segments.len());
    for (row, SegmentRecord { source, target, problems, .. }) in rows.iter().zip(&segments) {
        assert_eq!(&*row.select(".src").text(), source);
        assert_eq!(&*row.select(".tgt").text(), target);
        assert_eq!(row.has_class("doubt"), !problems.is_empty());
        assert_eq!(row.select(".why").length(), usize::from(!problems.is_empty()));
        assert_eq!(row.select("[lang=fr]").length() + row.select("[lang=en]").length(), 2);
    }
    let marked = |class: &str| {
        let marks = article.select(&format!(".pair .{class} mark"));
        marks.iter().map(|one| one.text().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (marked("src"), marked("tgt")),
        (vec!["14".to_string(), "mars".into()], vec!["41".to_string(), "May".into()],)
    );
    // The source stands under each complaint, too.
    let quoted = article.select(".doubts .quoted");
    assert_eq!(quoted.length(), 2);
    assert!(quoted.select(".src").first().text().contains("14 %"));
    // Six of the nine blocks are translated; the one between two of them is a block of code.
    assert_eq!(
        &*article.select(".copied").text(),
        "1 block copied as it is: code, a table, a rule"
    );
    assert!(article.select(".removed").text().contains("teasers of other articles (3 parts"));
    assert_eq!(
        article.select(".where a.original").attr("href").unwrap().to_string(),
        "https://example.org/lyon?rue=1&x='2'"
    );
}

#[test]
fn sentences_of_a_summary_lead_to_what_supports_them() {
    let page = unscripted(&page(&samples::records(), &Meta::default()));
    let document = dom_query::Document::from(page);
    let claims = document.select("a.claim");
    assert!(claims.length() >= 3);
    for claim in claims.iter() {
        let first = claim.attr("href").unwrap().to_string();
        assert_eq!(document.select(&first).length(), 1, "{first}");
        let name = first.rsplit_once("-s").unwrap().0.to_string();
        for number in claim.attr("data-support").unwrap().split(' ') {
            assert_eq!(document.select(&format!("{name}-s{number}")).length(), 1);
        }
    }
    let lyon = document.select("article").iter().find(|a| a.text().contains("lyon")).unwrap();
    assert_eq!(lyon.select("a.claim").first().attr("data-support").unwrap().to_string(), "1 2");
    let summary = &samples::records()[0].summary.as_ref().unwrap().text.clone();
    assert_eq!(lyon.select(".gist").text().trim(), summary);
}

#[test]
fn what_was_read_of_a_failed_article_is_shown() {
    let page = unscripted(&page(&samples::records(), &Meta::default()));
    let document = dom_query::Document::from(page);
    let failed = document.select("article.failed");
    assert_eq!(&*failed.select("h2").text(), "Barabara mpya yafunguliwa");
    assert!(failed.select(".body .text").text().contains("ilifunguliwa Jumatatu"));
    assert!(failed.select(".error").text().contains("no model translates that"));
    assert!(failed.select(".where").text().contains("Swahili"));
}

#[test]
fn many_complaints_are_listed_in_part_and_marked_all() {
    let mut record = samples::records().remove(0);
    let segment = record.segments.as_ref().unwrap()[1].clone();
    let segment = SegmentRecord { problems: vec![Problem::Copy], ..segment };
    record.segments = Some(vec![segment.clone(); 30]);
    let flag = |segment| Flag { problem: Problem::Copy, segment, text: "x".into() };
    record.checks.flagged = (0..30).map(flag).collect();
    let document = dom_query::Document::from(unscripted(&page(&[record], &Meta::default())));
    assert_eq!(document.select(".doubts li").length(), 9);
    assert!(document.select(".doubts").text().contains("and 22 sentences more"));
    assert_eq!(document.select(".pair.doubt .why").length(), 30);
}

#[test]
fn articles_cannot_inject_markup_or_script() {
    let page = page(
        &samples::records(),
        &Meta { title: "<script>alert(0)</script>".into(), ..Meta::default() },
    );
    let body = &page[page.find("<body>").unwrap()..];
    assert_eq!(body.matches("<script").count(), 1);
    assert_eq!(page.matches("</title>").count() - page.matches("<svg").count(), 1);
    for bad in ["<iframe", "<svg onload", "<img", "<b ", "href=\"javascript", "href=\".."] {
        assert!(!body.contains(bad), "{bad}");
    }
    assert_harmless(&page, "");
    // Nothing is loaded from anywhere.
    assert!(!page.contains("src=\"") && !page.contains("url(") && !page.contains("@import"));
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--") && !STYLE.contains('<'));
}

/// Elements and attributes that the templates make.
const ELEMENTS: &str = "html head meta title style body header h1 h2 h4 p span section div \
    button b small ul li main article mark details summary dl dt dd bdi a q code pre hr blockquote \
    input footer script noscript time nav select option dialog kbd figure figcaption svg rect text \
    line polyline polygon";
const ATTRIBUTES: &str = "lang charset name content http-equiv class id hidden disabled dir href \
    rel role type placeholder title value accept open datetime aria-label aria-pressed viewBox x y \
    x1 x2 y1 y2 width height points text-anchor data-filter data-lang data-to data-state \
    data-value data-version data-date data-confidence data-doubts data-n data-support data-export";

/// Reads the page as a browser does, with scripts and without, and looks for what no template
/// makes. `up` leads from the page to the output folder.
fn assert_harmless(page: &str, up: &str) {
    let (scripted, folded) = scripted(page);
    let document = dom_query::Document::from(scripted);
    assert_made_here(&document, up);
    for part in folded {
        // What the script makes of it.
        assert_made_here(&dom_query::Document::from(part), up);
    }
    assert_made_here(&dom_query::Document::from(unscripted(page)), up);
    let scripts = document.select("script");
    assert_eq!((scripts.length(), &*scripts.text()), (1, SCRIPT));
    assert_eq!(&*document.select("style").text(), STYLE);
    let policy = document.select("meta[http-equiv]").attr("content").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && policy.contains("style-src 'sha256-"));
}

fn assert_made_here(document: &dom_query::Document, up: &str) {
    for node in document.select("*").nodes() {
        let name = node.node_name().unwrap_or_default().to_string();
        assert!(ELEMENTS.split_whitespace().any(|known| known == name), "<{name}>");
        for attribute in node.attrs() {
            let (name, value) = (attribute.name.local.to_string(), attribute.value.to_string());
            assert!(ATTRIBUTES.split_whitespace().any(|known| known == name), "{name}={value}");
            let below = value.strip_prefix(up).unwrap_or(&value);
            let leads_away = below.contains(':') || below.starts_with(['/', '.']);
            let is_web = value.starts_with("https://") || value.starts_with("http://");
            assert!(name != "href" || is_web || !leads_away, "{value}");
        }
    }
}

const ATTACKS: [&str; 8] = [
    "\"><script>alert(1)</script>",
    "' onmouseover='alert(2)' \" onclick=\"alert(3)\" x=",
    "</title></style></script><img src=x onerror=alert(4)>",
    "--><svg/onload=alert(5)>]]>",
    "&lt;script&gt;alert(6)&lt;/script&gt;&quot; onclick=&quot;alert(7)",
    "javascript:alert(8)",
    "https://x.org/\"onclick=\"alert(9)",
    "</noscript></details><!--<img src=x onerror=alert(10)>",
];

/// Paths of all texts in a JSON value.
fn texts(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) => found.push(path),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| texts(item, format!("{path}/{i}"), found))
        }
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| texts(field, format!("{path}/{name}"), found))
        }
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
            assert_harmless(&page(&attacked, &Meta::default()), "");
        }
    }
    assert!(tried > 1000, "only {tried} fields");
}

#[test]
fn a_record_that_is_an_attack_in_every_field_is_harmless_on_every_page() {
    let mut records = Vec::new();
    for record in samples::records() {
        let whole = serde_json::to_value(&record).unwrap();
        let mut paths = Vec::new();
        texts(&whole, String::new(), &mut paths);
        for attack in ATTACKS {
            let mut value = whole.clone();
            for path in &paths {
                let before = value.clone();
                *value.pointer_mut(path).unwrap() = attack.into();
                if serde_json::from_value::<Record>(value.clone()).is_err() {
                    value = before;
                }
            }
            records.push(serde_json::from_value::<Record>(value).unwrap());
        }
    }
    assert_harmless(&page(&records, &Meta::default()), "");
    let limits = Limits { articles: 10, page_articles: 7, ..Limits::default() };
    let meta = Meta { title: ATTACKS[0].into(), limits, ..Meta::default() };
    for (name, page) in pages(|| records.iter().cloned().map(Ok), &meta) {
        assert_harmless(&page, if name == REPORT { "" } else { "../" });
    }
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
        assert_harmless(&page, "");
        let document = dom_query::Document::from(page);
        // What was put in is what a reader sees.
        for place in ["head title", "h1", ".notes li", "article h2"] {
            assert_eq!(&*document.select(place).text(), attack, "{place}");
        }
    }
}

#[test]
fn a_large_run_is_several_pages_and_a_list_of_them() {
    let count = 250;
    let limits = Limits { articles: 100, page_articles: 40, listed: 210, ..Limits::default() };
    let meta = Meta { limits, ..Meta::default() };
    let all = pages(|| samples::many(count).map(Ok), &meta);
    assert_eq!(all.len(), 1 + count.div_ceil(40));
    let index = dom_query::Document::from(all[REPORT].as_str());
    assert_eq!(index.select("article").length(), 210);
    assert!(index.select(".pages").text().contains("The first 210 of 250 articles"));
    for link in index.select("article h2 a").iter() {
        let link = link.attr("href").unwrap().to_string();
        let (name, anchor) = link.split_once('#').unwrap();
        assert!(all[name].contains(&format!("<article id=\"{anchor}\"")), "{link}");
    }
    let whole: usize = all
        .iter()
        .filter(|(name, _)| *name != REPORT)
        .map(|(_, page)| page.matches("<article ").count())
        .sum();
    assert_eq!(whole, count);
    // Each page leads to the others, and to the files of its articles.
    let second = dom_query::Document::from(unscripted(&all["report/0002.html"]));
    let links: Vec<String> =
        second.select(".pages a").iter().map(|a| a.attr("href").unwrap().to_string()).collect();
    assert_eq!(links, ["../report.html", "0001.html", "0003.html"]);
    let file = second.select("article a.file").first().attr("href").unwrap().to_string();
    assert!(file.starts_with("../wire/000/"), "{file}");
    // A page is full by its bytes, too.
    let limits = Limits { articles: 1, page_bytes: 20_000, ..Limits::default() };
    let small = pages(|| samples::many(30).map(Ok), &Meta { limits, ..Meta::default() });
    assert!(small.len() > 4, "{}", small.len());
}

#[test]
fn twenty_thousand_articles_are_pages_that_open() {
    let count = 20_000;
    let mut sizes = BTreeMap::<String, usize>::new();
    let mut articles = 0;
    /// Counts what is written and forgets it.
    struct Counter(Rc<RefCell<usize>>, Rc<RefCell<usize>>);
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            *self.0.borrow_mut() += bytes.len();
            *self.1.borrow_mut() += usize::from(bytes.starts_with(b"<article "));
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counts = Vec::new();
    let mut open = |name: &str| {
        let (bytes, seen) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(0)));
        counts.push((name.to_string(), bytes.clone(), seen.clone()));
        Ok(Box::new(Counter(bytes, seen)) as Box<dyn Write>)
    };
    html(|| samples::many(count).map(Ok), &Meta::default(), &mut open).unwrap();
    for (name, bytes, seen) in counts {
        sizes.insert(name.clone(), *bytes.borrow());
        articles += if name == REPORT { 0 } else { *seen.borrow() };
    }
    assert_eq!((sizes.len(), articles), (21, count));
    assert!(sizes.values().all(|size| *size < 32 << 20), "{sizes:?}");
}

#[test]
fn records_that_cannot_be_read_are_counted() {
    let all = pages(|| [Err(Error::input("x", "y"))].into_iter(), &Meta::default());
    assert!(all[REPORT].contains("1 record could not be read"));
}
