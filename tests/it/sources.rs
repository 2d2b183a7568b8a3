//! Articles as content systems, news services, mail programs and crawlers hand them out, and files
//! that are a little broken. No model is needed.

use crate::common::Sandbox;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

const ONE: &str = "Le conseil a décidé lundi de fermer l’ancien pont aux voitures.";
const TWO: &str = "Il restera fermé pendant un an, a annoncé le maire de la ville.";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The paragraphs that are read from a file, by article, and what is said about it.
fn paragraphs(name: &str, bytes: impl AsRef<[u8]>, flags: &str) -> (Vec<(String, String)>, String) {
    let sandbox = Sandbox::new();
    sandbox.write(name, bytes);
    let outcome = sandbox.run(&format!("detect --paragraphs --format json {flags} {name}"));
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| value[name].as_str().unwrap_or_default().to_string();
        (field("id"), field("text"))
    };
    (outcome.stdout.lines().map(line).collect(), outcome.stderr)
}

/// Checks that a file holds articles of these paragraphs.
#[track_caller]
fn holds(name: &str, bytes: impl AsRef<[u8]>, articles: &[&[&str]]) {
    let (found, said) = paragraphs(name, bytes, "");
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, articles.concat(), "{name}: {said}");
    let mut ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), articles.len(), "{name}: {ids:?}");
}

#[test]
fn articles_of_one_file_are_printed_with_their_ids() {
    let sandbox = Sandbox::new();
    let [one, two] = [1, 2].map(|id| json!({"id": id, "title": "Un pont", "text": TWO}));
    sandbox.write("two.json", json!([one, two]).to_string());
    sandbox.write("one.json", one.to_string());
    let ids = |command: &str| {
        let out = sandbox.run(command).expect(0, &[]).stdout;
        ["two.json#1", "two.json#2", "one.json"].map(|id| out.contains(id))
    };
    assert_eq!(ids("detect two.json"), [true, true, false]);
    assert_eq!(ids("summarize --extractive two.json"), [true, true, false]);
    assert_eq!(ids("detect one.json"), [false; 3]);
    assert_eq!(ids("summarize --extractive one.json"), [false; 3]);
}

#[test]
fn json_of_content_systems() {
    let html =
        format!("<p>{}</p>\n<p>{TWO}</p>", ONE.replace('’', "&#8217;").replace('é', "&eacute;"));
    let post = json!({"id": 3, "title": {"rendered": "A &amp; B"}, "content": {"rendered": html}});
    holds("a.json", json!([post, post]).to_string(), &[&[ONE, TWO], &[ONE, TWO]]);
    let plain = json!({"title": "Un pont", "content": format!("{ONE}\n\n{TWO}")});
    for list in [
        json!({"status": "ok", "totalResults": 1, "articles": [plain]}),
        json!({"response": {"numFound": 1, "docs": [plain]}}),
        json!({"hits": {"total": {"value": 1}, "hits": [{"_id": "x", "_source": plain}]}}),
        json!({"data": [{"id": 1, "attributes": plain}], "meta": {}}),
        json!({"data": {"posts": {"edges": [{"node": plain}]}}}),
        json!({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [
            {"id": "1", "title": "Un pont", "content_html": html}]}),
    ] {
        holds("a.json", list.to_string(), &[&[ONE, TWO]]);
    }
    let blocks = json!({"title": "Un pont", "body": [
        {"type": "paragraph", "children": [{"type": "text", "text": ONE}]},
        {"type": "image", "caption": "Le pont", "url": "p.jpg"},
        {"type": "paragraph", "children": [{"type": "text", "text": TWO}]}]});
    holds("a.json", blocks.to_string(), &[&[ONE, TWO]]);
    let (found, _) =
        paragraphs("a.json", json!([post]).to_string(), "--text-field content.rendered");
    assert_eq!(found.len(), 2);
    let nested = json!({"data": [{"texte_long": ONE}]}).to_string();
    let (found, _) = paragraphs("a.json", &nested, "--text-field data.0.texte_long");
    assert_eq!(found[0].1, ONE);
    let (_, said) = paragraphs("a.json", &nested, "");
    assert!(said.contains("--text-field data.0.texte_long"), "{said}");
}

#[test]
fn news_services_that_cut_their_texts_are_told() {
    let cut = json!({"articles": [{"title": "T", "content": format!("{ONE}… [+871 chars]")}]});
    let (found, said) = paragraphs("a.json", cut.to_string(), "");
    assert_eq!(found[0].1, ONE);
    assert!(said.contains("871 characters are missing"), "{said}");
}

#[test]
fn feeds_and_news_files() {
    let html = format!("<p>{ONE}</p><p>{TWO}</p>");
    let item = format!(
        "<item><title>Un pont</title><description>En bref.</description>\
         <content:encoded><![CDATA[{html}]]></content:encoded></item>"
    );
    let rss = format!(
        "<?xml version=\"1.0\"?>\n<rss><channel><title>F</title>{item}{item}</channel></rss>"
    );
    holds("a.rss", &rss, &[&[ONE, TWO], &[ONE, TWO]]);
    holds("a.xml.gz", gzip(rss.as_bytes()), &[&[ONE, TWO], &[ONE, TWO]]);
    let legacy = rss.replacen("\"1.0\"", "\"1.0\" encoding=\"windows-1252\"", 1);
    holds("a.xml", encoding_rs::WINDOWS_1252.encode(&legacy).0, &[&[ONE, TWO], &[ONE, TWO]]);
    holds("a.rdf", format!("<rdf:RDF><channel/>{item}</rdf:RDF>"), &[&[ONE, TWO]]);
    let atom = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry><id>1</id><title>Un pont</title>\
         <content type='xhtml'><div>{html}</div></content></entry><entry><id>2</id>\
         <content type='html'>{}</content></entry></feed>",
        html.replace('<', "&lt;")
    );
    holds("a.atom", atom, &[&[ONE, TWO], &[ONE, TWO]]);
    let nitf = format!(
        "<nitf><head><title>court</title></head><body><body.head><hedline><hl1>Un pont</hl1></hedline></body.head>\
         <body.content>{html}</body.content></body></nitf>"
    );
    holds("a.nitf", &nitf, &[&[ONE, TWO]]);
    let item = format!(
        "<newsItem guid='urn:a'><contentMeta><headline>Un pont</headline></contentMeta>\
         <contentSet><inlineXML>{nitf}</inlineXML></contentSet></newsItem>"
    );
    holds(
        "a.newsml",
        format!("<newsMessage><itemSet>{item}</itemSet></newsMessage>"),
        &[&[ONE, TWO]],
    );
    let (_, said) = paragraphs("a.xml", "<?xml version='1.0'?><urlset><url/></urlset>", "");
    assert!(said.contains("holds no article; expected RSS"), "{said}");
}

#[test]
fn mails_saved_pages_and_crawls() {
    let mail = format!(
        "From: A <a@example.org>\r\nSubject: Un pont\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{ONE}\r\n\r\n{TWO}\r\n--b\r\n\
         Content-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n"
    );
    holds("a.eml", &mail, &[&[ONE, TWO]]);
    let (_, said) = paragraphs("a.eml", &mail, "");
    assert!(said.contains("plan.pdf"), "{said}");
    let page = format!(
        "<html><head><title>Un pont</title></head><body><article><p>{ONE}</p><p>{TWO}</p></article></body></html>"
    );
    let saved = format!(
        "Subject: Un pont\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html\r\nContent-Location: https://example.org/\r\n\r\n{page}\r\n--b--\r\n"
    );
    holds("a.mht", saved, &[&[ONE, TWO]]);
    let record = |kind: &str, uri: &str, block: String| {
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
            block.len()
        )
    };
    let response = |status: &str, kind: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n{page}")
    };
    let records = [
        record("warcinfo", "", "software: x".into()),
        record("response", "https://example.org/a", response("200 OK", "text/html; charset=utf-8")),
        record("response", "https://example.org/b", response("404 Not Found", "text/html")),
        record("response", "https://example.org/c", response("200 OK", "image/png")),
        record("response", "https://example.org/d", response("200 OK", "text/html")),
    ];
    let packed: Vec<u8> = records.iter().flat_map(|record| gzip(record.as_bytes())).collect();
    holds("a.warc.gz", &packed, &[&[ONE, TWO], &[ONE, TWO]]);
    let (found, _) = paragraphs("a.warc.gz", &packed, "");
    assert!(found[0].0.ends_with("#https://example.org/a"), "{found:?}");
}

#[test]
fn broken_files_are_read_as_well_as_can_be() {
    let text = format!("{ONE}\n\n{TWO}\n");
    let packed = gzip(text.as_bytes());
    for tail in [vec![], vec![0; 700], b"#!junk".to_vec(), gzip(b"")] {
        holds("a.txt.gz", [packed.clone(), tail].concat(), &[&[ONE, TWO]]);
    }
    holds(
        "a.txt.gz",
        [gzip(b""), gzip(ONE.as_bytes()), gzip(format!("\n\n{TWO}").as_bytes())].concat(),
        &[&[ONE, TWO]],
    );
    let (_, said) = paragraphs("a.txt.gz", [packed, b"#!junk".to_vec()].concat(), "");
    assert!(said.contains("after the end of its packed stream"), "{said}");
    let torn = format!("{}\n{{\"text\": \"Il rest", json!({"text": ONE}));
    let (found, said) = paragraphs("a.jsonl", torn, "");
    assert_eq!(found.len(), 1);
    assert!(said.contains("line 2"), "{said}");
    let (found, said) = paragraphs("a.json", r#"{"text": "Le pont \ud83d est fermé."}"#, "");
    assert_eq!(found[0].1, "Le pont \u{FFFD} est fermé.");
    assert!(said.contains("cannot be decoded"), "{said}");
    let mixed = [text.as_bytes(), &encoding_rs::WINDOWS_1252.encode(&text).0].concat();
    let (found, said) = paragraphs("a.txt", mixed, "");
    assert_eq!(found.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>(), [ONE, TWO, ONE, TWO]);
    assert!(said.contains("windows-1252"), "{said}");
    let (_, said) = paragraphs("a.txt", text.replace("pont", "po\0nt"), "");
    assert!(said.contains("NUL"), "{said}");
    let utf16: Vec<u8> = "Le pont est fermé \u{1F309} aux voitures, dit le maire."
        .encode_utf16()
        .filter(|unit| *unit != 0xDF09)
        .flat_map(u16::to_le_bytes)
        .collect();
    let (found, _) = paragraphs("a.txt", utf16, "");
    assert_eq!(found[0].1, "Le pont est fermé \u{FFFD} aux voitures, dit le maire.");
}

#[test]
fn plain_text_of_transcripts_pages_and_scrapers() {
    let wrapped = "Le conseil a décidé lundi\nde fermer l’ancien pont aux\nvoitures. Il restera fermé\n\
                   pendant un an, a annoncé le maire de la\nville.\n";
    holds(
        "a.txt",
        wrapped,
        &[&["Le conseil a décidé lundi de fermer l’ancien pont aux voitures. Il \
        restera fermé pendant un an, a annoncé le maire de la ville."]],
    );
    let paged = "Le conseil a décidé lundi de fermer\n\n- 4 -\n\nl’ancien pont aux voitures.\n";
    holds("a.txt", paged, &[&[ONE]]);
    let glued = "La ville débat de la sécuritéJeanne Morel répond aux questions.";
    holds(
        "a.txt",
        glued,
        &[&["La ville débat de la sécurité", "Jeanne Morel répond aux questions."]],
    );
}
