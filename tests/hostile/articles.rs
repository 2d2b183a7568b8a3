//! Articles' files that are broken or mean harm, of every format: an article, an error that says
//! something, and never a panic nor memory beyond the limit for one article.

use crate::readers::peak;
use flate2::{Compression, write::GzEncoder};
use polygist::io::articles::{FindOptions, ReadOptions, find, read};
use polygist::text::extract::extract;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The limit for one article in these tests.
const LIMIT: usize = 1 << 20;

/// What a run may take beyond what the process had, in address space.
const BOUND: u64 = 400 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Reads a folder as far as blocks; articles and errors, in words.
fn told(folder: &Path) -> Vec<String> {
    let found = find(&[folder.to_path_buf()], &FindOptions::default()).unwrap();
    let options = ReadOptions { max_bytes: LIMIT, ..ReadOptions::default() };
    let before = peak();
    let mut out = Vec::new();
    for file in &found.files {
        let start = out.len();
        for article in read(file, &options) {
            out.push(
                match article.map_err(|failure| failure.error).and_then(|raw| extract(&raw)) {
                    Ok(article) => format!("{}: {} blocks", article.id, article.blocks.len()),
                    Err(error) => format!("{}! {error}", file.id),
                },
            );
        }
        assert!(out.len() > start, "{}: nothing was said", file.id);
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < BOUND, "{} MB", (after - before) >> 20);
    }
    out
}

/// A small good file of each format.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    let text = "The river rose on Monday. The town closed its oldest bridge.";
    let page = format!("<html><body><article><p>{text}</p><p>{text}</p></article></body></html>");
    let response = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}");
    let files = [
        ("a.txt", format!("A title\n\n{text}\n\n{text}\n")),
        ("a.md", format!("---\ntitle: T\n---\n\n# T\n\n{text}\n\n- {text}\n")),
        ("a.html", page.clone()),
        ("a.json", format!("{{\"articles\": [{{\"title\": \"T\", \"content\": \"{text}\"}}]}}")),
        ("a.jsonl", format!("{{\"text\": \"{text}\"}}\n{{\"text\": \"{text}\"}}\n")),
        (
            "a.xml",
            format!(
                "<rss><channel><item><title>T</title><description>{text}</description></item></channel></rss>"
            ),
        ),
        ("a.nitf", format!("<nitf><body><body.content><p>{text}</p></body.content></body></nitf>")),
        (
            "a.eml",
            format!(
                "From: a@example.org\r\nSubject: T\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n--b--\r\n"
            ),
        ),
        (
            "a.warc",
            format!(
                "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {}\r\n\r\n{response}\r\n\r\n",
                response.len()
            ),
        ),
    ];
    files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

#[test]
fn files_cut_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in good() {
        let packed = gzip(&bytes);
        let (stem, ending) = name.split_once('.').unwrap();
        for part in 1..16 {
            let write = |name: String, bytes: &[u8]| {
                fs::write(folder.path().join(name), &bytes[..bytes.len() * part / 16]).unwrap();
            };
            write(format!("{stem}{part}.{ending}"), &bytes);
            write(format!("{stem}{part}.{ending}.gz"), &packed);
        }
        fs::write(folder.path().join(format!("whole.{ending}")), &bytes).unwrap();
    }
    let told = told(folder.path());
    let whole = told.iter().filter(|line| line.starts_with("whole.") && line.contains("blocks"));
    assert_eq!(whole.count(), 10, "{told:#?}");
}

#[test]
fn bytes_of_other_kinds_between() {
    let folder = tempfile::tempdir().unwrap();
    let dirt: [(&str, &[u8]); 5] = [
        ("nul", &[0; 3]),
        ("legacy", b"caf\xE9 \xFC\xDF\n"),
        ("half", b"\xED\xA0\xBD \xF0\x9F"),
        ("mark", b"\xFF\xFE"),
        ("control", b"\x1B$B\x01\x02"),
    ];
    for (name, bytes) in good() {
        for (kind, dirt) in dirt {
            for (place, at) in [0, bytes.len() / 2, bytes.len()].into_iter().enumerate() {
                let dirty = [&bytes[..at], dirt, &bytes[at..]].concat();
                fs::write(folder.path().join(format!("{kind}{place}{name}")), dirty).unwrap();
            }
        }
        let wide: Vec<u8> =
            String::from_utf8(bytes).unwrap().encode_utf16().flat_map(u16::to_be_bytes).collect();
        fs::write(folder.path().join(format!("wide{name}")), wide).unwrap();
    }
    assert!(told(folder.path()).len() >= 9 * 16);
}

#[test]
fn deep_nesting_and_entity_bombs() {
    const DEEP: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let (open, close) = ("<div>".repeat(DEEP), "</div>".repeat(DEEP));
    write("deep.html", format!("<html><body>{open}The river rose.{close}</body></html>"));
    write(
        "deep.xml",
        format!("<rss><item><description>{open}The river rose.{close}</description></item></rss>"),
    );
    write(
        "deep.atom",
        format!("<feed>{open}<entry><content>The river rose.</content></entry>{close}</feed>"),
    );
    write(
        "items.xml",
        format!("<rss>{}The river rose.{}</rss>", "<item>".repeat(DEEP), "</item>".repeat(DEEP)),
    );
    write("deep.json", format!("{}\"x\"{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)));
    write("arrays.json", format!("{{\"text\": {}\"x\"{}}}", "[".repeat(DEEP), "]".repeat(DEEP)));
    write("deep.md", format!("{}The river rose.\n", "> ".repeat(DEEP)));
    write("lists.md", format!("{}The river rose.\n", "- ".repeat(DEEP)));
    write("parts.eml", {
        let part =
            |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
        let parts: String = (0..DEEP).map(part).collect();
        format!(
            "From: a\r\nMIME-Version: 1.0\r\n{parts}Content-Type: text/plain\r\n\r\nThe river rose.\r\n"
        )
    });
    let entities: String = (1..10)
        .map(|n| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10)))
        .collect();
    write(
        "bomb.xml",
        format!(
            "<!DOCTYPE rss [<!ENTITY lol0 \"lol\">{entities}]><rss><item><title>T</title><description>The river &lol9; rose.</description></item></rss>"
        ),
    );
    write("outside.xml", "<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss><item><title>T</title><description>The river &x; rose.</description></item></rss>".into());
    let told = told(folder.path());
    let read =
        |name: &str| told.iter().any(|line| line.starts_with(name) && line.contains("blocks"));
    for name in ["bomb.xml", "outside.xml", "deep.atom", "deep.html", "deep.xml"] {
        assert!(read(name), "{name}: {told:#?}");
    }
}

#[test]
fn bombs_and_endless_lines() {
    const HUGE: usize = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let bomb = |name: &str, before: &str| {
        let file = fs::File::create(folder.path().join(name)).unwrap();
        let mut packed = GzEncoder::new(BufWriter::new(file), Compression::fast());
        packed.write_all(before.as_bytes()).unwrap();
        let megabyte = vec![b'a'; 1 << 20];
        // One of them is longer than anything that is read.
        let size = if name == "a.jsonl.gz" { 200 << 20 } else { HUGE };
        (0..size >> 20).for_each(|_| packed.write_all(&megabyte).unwrap());
        packed.finish().unwrap().flush().unwrap();
    };
    for (name, before) in [
        ("a.txt.gz", ""),
        ("a.md.gz", "# "),
        ("a.html.gz", "<html><p>"),
        ("a.json.gz", "{\"text\": \""),
        ("wrapped.json.gz", "{\"articles\": [{\"title\": \"T\", \"text\": \"x\"}, {\"text\": \""),
        ("name.json.gz", "{\"articles\": [{\"title\": \"T\", \"text\": \"x\"}], \""),
        ("a.jsonl.gz", "{\"text\": \"x\"}\n{\"text\": \""),
        (
            "a.xml.gz",
            "<rss><item><title>T</title><description>x</description></item><item><description>",
        ),
        ("tag.xml.gz", "<rss><item "),
        ("a.eml.gz", "From: a\nSubject: b\n\n"),
        (
            "a.warc.gz",
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 999999999999\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        ),
        ("line.warc.gz", "WARC/1.0\r\n"),
    ] {
        bomb(name, before);
    }
    let told = told(folder.path());
    let good = told.iter().filter(|line| line.contains("blocks")).count();
    assert_eq!(good, 4, "{told:#?}");
    assert!(told.iter().filter(|line| line.contains("--max-bytes")).count() >= 6, "{told:#?}");
}
