//! What holds for every text, tried with random ones. `PROPTEST_CASES` asks for more of them.

use crate::common::{fixture, json};
use polygist::checkpoint::Config;
use polygist::io::articles::{FoundFile, ReadOptions, read_from};
use polygist::io::write::OutputNames;
use polygist::report::{Meta, html};
use polygist::text::clean::normalize;
use polygist::text::extract::extract;
use polygist::text::sentences::{split, split_long};
use polygist::token::Tokenizer;
use polygist::types::{Format, Lang, Markup, RawArticle, Record, Sentence, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Read};

/// Few cases, unless more are asked for.
fn cases(cases: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(cases),
    }
}

/// Letters, marks and spaces of many scripts, and what readers look for.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z]{1,8}",
        1 => "\\PC{1,6}",
        2 => prop::sample::select(vec![
            ". ", "! ", "? ", "。", "！", " », ", "« ", "\"", "“", "U.S. ", "z. B. ", "3.5", "՝", "·",
            "\n", "\n\n", " ", "\u{a0}", "\u{3000}", "\t", "\r\n", "- ", "1. ", "# ", "> ", "```\n",
            "| a | b |\n", "---\n", "https://x.org/a?b=c", "`code`", "**", "_", "[a](b)", "<p>",
            "</p>", "<script>", "&amp;", "&#x41;", "<!--", "-->", "水", "ё", "e\u{301}", "🇫🇷", "\0",
        ])
        .prop_map(String::from),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_language() -> impl Strategy<Value = Lang> {
    let codes = ["en", "fr", "de", "el", "hy", "zh", "ja", "th", "ar", "ru", "am", "hi"];
    prop::sample::select(codes.to_vec()).prop_map(|code| Lang::parse(code).unwrap())
}

fn joined(sentences: &[Sentence]) -> String {
    sentences.iter().map(|s| format!("{}{}", s.text, s.gap)).collect()
}

fn article(text: &str, markup: Markup) -> RawArticle {
    let format = match markup {
        Markup::Html => Format::Html,
        Markup::Markdown => Format::Markdown,
        _ => Format::Text,
    };
    let bytes = text.len() as u64;
    RawArticle {
        id: "a".into(),
        source: Source {
            path: "a".into(),
            format,
            bytes,
            sha256: String::new(),
            notes: Vec::new(),
        },
        // With a title of its own no heading of the text is taken for it.
        title: Some("Xyzzy 0".into()),
        text: text.into(),
        markup,
        blocks: None,
        extra: Default::default(),
    }
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether all of `part` is in `whole`, in the same order.
fn is_within(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|c| whole.any(|other| other == c))
}

/// A page in memory.
#[derive(Clone, Default)]
struct Page(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn sentences_are_the_text(text in any_text(), lang in any_language()) {
        let sentences = split(&text, &lang);
        prop_assert_eq!(joined(&sentences), text.trim_start());
        for sentence in &sentences {
            prop_assert_eq!(sentence.text.trim(), &sentence.text);
            prop_assert!(sentence.gap.trim().is_empty());
        }
    }

    #[test]
    fn pieces_of_a_long_sentence_are_the_text(
        text in any_text(),
        lang in any_language(),
        room in 1usize..40,
    ) {
        let fits = |piece: &str| piece.chars().count() <= room;
        let pieces = split_long(&text, &lang, &fits);
        prop_assert_eq!(joined(&pieces), text.trim_start());
    }

    #[test]
    fn extraction_adds_nothing_and_keeps_markdown_whole(text in any_text()) {
        for markup in [Markup::Plain, Markup::Markdown] {
            let Ok(article) = extract(&article(&text, markup)) else { continue };
            // Of Markdown only what is translated is brought into one form.
            let text = if markup == Markup::Markdown { text.clone() } else { normalize(&text) };
            let (found, whole) = (dense(&article.text()), dense(&text));
            prop_assert!(is_within(&found, &whole), "{:?}: {} of {}", markup, found, whole);
            // Marks with nothing after them make no block.
            if markup == Markup::Markdown && !article.blocks.is_empty() {
                prop_assert_eq!(found, whole);
            }
        }
        let _ = extract(&article(&text, Markup::Html));
        let _ = extract(&article(&text, Markup::Undeclared));
    }

    #[test]
    fn the_layout_of_a_document_stays(blocks in vec(markdown_block(), 1..8)) {
        let text = blocks.join("\n\n") + "\n";
        let Ok(article) = extract(&article(&text, Markup::Markdown)) else {
            // Nothing but code.
            prop_assert!(blocks.iter().all(|block| block.starts_with("```")), "{}", text);
            return Ok(());
        };
        prop_assert_eq!(article.text(), text);
    }

    #[test]
    fn paragraphs_of_a_page_come_out_in_order(
        paragraphs in vec("[A-Z][a-z]{3,9}( [a-z]{4,9}){8,14}\\.", 1..6),
    ) {
        let body: String = paragraphs.iter().map(|p| format!("<p>{p}</p>\n")).collect();
        let page = format!("<!doctype html><html><body><article>{body}</article></body></html>");
        let article = extract(&article(&page, Markup::Html)).unwrap();
        let found: Vec<&str> = article.blocks.iter().map(|block| block.text.as_str()).collect();
        prop_assert_eq!(found, paragraphs.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn output_files_stay_in_their_folder_and_apart(
        ids in prop::collection::btree_set(any_id(), 1..12),
    ) {
        let file = |id: &str| id.find(".jsonl#").map_or(id.len(), |at| at + ".jsonl".len());
        let files: BTreeSet<&str> = ids.iter().map(|id| &id[..file(id)]).collect();
        let names = OutputNames::new(files, "md");
        let mut seen = BTreeSet::new();
        for id in &ids {
            let name = names.name(id, &Lang::en());
            for part in name.split('/') {
                prop_assert!(!part.is_empty() && part.len() <= 200, "{:?}: {}", id, name);
                prop_assert!(part != "." && part != "..", "{:?}: {}", id, name);
                let is_odd = |c: char| c.is_control() || "\\<>:\"|?*".contains(c);
                prop_assert!(!part.contains(is_odd), "{:?}: {}", id, name);
            }
            prop_assert!(seen.insert(name.to_lowercase()), "{:?}: {} twice of {:?}", id, name, ids);
        }
    }
}

fn markdown_block() -> impl Strategy<Value = String> {
    let words = || "[A-Z][a-zà-ÿ]{1,8}( [a-zа-я]{1,8}){1,6}\\.";
    prop_oneof![
        ("#{1,4}", words()).prop_map(|(marks, text)| format!("{marks} {text}")),
        words().prop_map(|text| text),
        vec(words(), 1..4).prop_map(|items| format!("- {}", items.join("\n- "))),
        vec(words(), 1..4).prop_map(|items| format!("1. {}", items.join("\n2. "))),
        words().prop_map(|text| format!("> {text}")),
        words().prop_map(|text| format!("```\n{text}\n\n  {text}\n```")),
    ]
}

/// Ids of files and of articles in them, and what an attacker would like an id to be.
fn any_id() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => "[a-cA-C]{1,2}",
        1 => "\\PC{0,4}",
        1 => prop::sample::select(vec![
            "..", ".", "", "con", "LPT1", "c:\\x", "a\0b", "q?", "e\u{301}", "é", "\n", " ",
        ])
        .prop_map(String::from),
    ];
    (vec(part, 1..4), prop::option::of("[aA#/.]{1,3}")).prop_map(|(parts, member)| {
        let file = parts.join("/");
        member.map_or(format!("{file}.txt"), |member| format!("{file}.jsonl#{member}"))
    })
}

/// Gives its bytes in pieces of these lengths.
struct Drip(Vec<u8>, Vec<usize>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.1.pop().unwrap_or(usize::MAX);
        let length = wanted.min(buffer.len()).min(self.0.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0.drain(..length);
        Ok(length)
    }
}

fn read_all(bytes: Vec<u8>, format: Option<Format>, drip: Vec<usize>) -> Vec<Option<String>> {
    let file = FoundFile { path: "a".into(), id: "a".into(), format, copy_of: None };
    let options = ReadOptions { rows: true, ..ReadOptions::default() };
    let articles = read_from(Drip(bytes, drip), &file, &options);
    articles.map(|article| article.ok().map(|article| article.text)).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z\"\\\\{}\\[\\]]{0,5}", inner), 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn articles_of_json_are_those_that_serde_json_finds(
        articles in vec(("[a-zа-я水\"\\\\{}\\[\\]\n]{1,20}", any_json()), 1..6),
        pretty in any::<bool>(),
        lines in any::<bool>(),
        drip in vec(1usize..30, 0..50),
    ) {
        let articles: Vec<Value> = articles
            .into_iter()
            .map(|(text, other)| json!({"other": other, "text": format!("x{text}")}))
            .collect();
        let (format, bytes) = if lines {
            let lines: String = articles.iter().map(|article| format!("{article}\n")).collect();
            (Format::Jsonl, lines.into_bytes())
        } else if pretty {
            (Format::Json, serde_json::to_vec_pretty(&articles).unwrap())
        } else {
            (Format::Json, serde_json::to_vec(&articles).unwrap())
        };
        let expected: Vec<Option<String>> =
            articles.iter().map(|article| article["text"].as_str().map(String::from)).collect();
        prop_assert_eq!(read_all(bytes, Some(format), drip), expected);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(
        articles in vec(any_json(), 0..4),
        at in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = serde_json::to_vec(&articles).unwrap();
        for (at, byte) in at {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let formats = [
            Format::Text,
            Format::Markdown,
            Format::Html,
            Format::Json,
            Format::Jsonl,
            Format::Csv,
            Format::Parquet,
            Format::Tar,
        ];
        for format in [None].into_iter().chain(formats.map(Some)) {
            read_all(bytes.clone(), format, Vec::new());
        }
    }

    #[test]
    fn a_report_is_text_whatever_the_records_say(hostile in any_text(), kind in 0..3usize) {
        let marks = ["<x-evil onevil=1>", "\" onevil=\"1", "' onevil='1' <x-evil>"];
        let hostile = format!("{}{hostile}{}", marks[kind], marks[(kind + 1) % 3]);
        let text = format!("# {hostile}\n\n- {hostile}\n\n[{hostile}](javascript:evil) {hostile}");
        let record = |status: &str| -> Record {
            serde_json::from_value(json!({
                "id": hostile, "key": hostile,
                "source": {"path": format!("https://x.org/{hostile}"), "format": "html", "bytes": 1, "sha256": hostile},
                "language": {"code": "fr", "confidence": 0.5},
                "title": {"source": hostile, "translation": hostile},
                "translation": {"language": "en", "text": text, "model": hostile, "route": ["fr", "en"]},
                "summary": {
                    "language": "en", "text": hostile, "method": "mixed", "model": hostile,
                    "sentences": [{"text": hostile, "support": [0], "origin": "abstractive"}],
                },
                "checks": {
                    "segments": 1,
                    "flagged": [{"problem": "number", "segment": 0, "text": hostile}],
                    "rejected": [{"problem": "name", "segment": 0, "text": hostile}],
                },
                "stats": {}, "status": status, "output": hostile,
                "error": {"kind": hostile, "message": hostile},
                "segments": [{
                    "source": hostile, "target": hostile, "place": {"paragraph": 1},
                    "language": hostile, "problems": ["number", "name"],
                }],
                "removed": [{"reason": "links", "parts": 1, "characters": 1, "start": hostile}],
                "excerpt": text,
                "url": format!("javascript:{hostile}"), hostile.clone(): hostile,
            }))
            .unwrap()
        };
        let records = [record("ok"), record("failed")];
        let meta = Meta {
            title: hostile.clone(),
            created: hostile.clone(),
            notes: vec![hostile.clone()],
            ..Meta::default()
        };
        let page = Page::default();
        let mut open = |_: &str| Ok(Box::new(page.clone()) as Box<dyn std::io::Write>);
        html(|| records.iter().cloned().map(Ok), &meta, &mut open).unwrap();
        let page = String::from_utf8(page.0.take()).unwrap();
        // With scripts, what is folded is text; without them, it is elements.
        let open = page.replace("<noscript>", "<div>").replace("</noscript>", "</div>");
        for page in [page, open] {
            let page = dom_query::Document::from(page);
            prop_assert!(page.select("x-evil").is_empty());
            prop_assert!(page.select("[onevil]").is_empty());
            prop_assert!(page.select("[href^='javascript']").is_empty());
            prop_assert_eq!(page.select("script").length(), 1);
            prop_assert!(page.text().contains("evil"), "the texts are not in the report");
        }
    }

    #[test]
    fn bytes_come_back_from_tokens(text in any_text()) {
        for family in ["bart", "bart_json"] {
            let folder = fixture("tokenizers").join(family);
            let config = Config::Json(json(folder.join("config.json")));
            let tokenizer = Tokenizer::from_folder(&folder, &config).unwrap();
            let ids = tokenizer.encode_plain(&text).unwrap();
            prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text.as_str(), "{}", family);
        }
    }
}
