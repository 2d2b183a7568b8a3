//! What `polygist batch` makes of every kind of file that lies in people's folders. No model is
//! needed: each summary is a sentence of its article.

use crate::common::{ENGLISH, FRENCH, GERMAN, ITALIAN, RUSSIAN, SPANISH, Sandbox, TRANSLATOR};
use flate2::{Compression, write::GzEncoder};
use polygist::io::parquet::TableWriter;
use polygist::types::{Cell, ColumnKind, Format, Record, Removal, Status};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

const SUMMARIZE: &str = "--extractive --length 1s --offline --out out";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut head = [0; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        head[257..265].copy_from_slice(b"ustar\x0000");
        head[148..156].fill(b' ');
        let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
        head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Id, language and first word of the summary of each article; what failed has its error.
fn told(records: &[Record]) -> Vec<(&str, &str, &str)> {
    let first =
        |r: &Record| r.summary.as_ref().and_then(|s| s.text.split(' ').next().map(str::to_string));
    records
        .iter()
        .map(|r| match r.status {
            Status::Ok => {
                (r.id.as_str(), r.language.code.as_str(), first(r).map_or("", |word| word.leak()))
            }
            Status::Failed => (r.id.as_str(), "", r.error.as_ref().unwrap().message.as_str()),
        })
        .collect()
}

#[test]
fn every_format_is_read_plain_and_packed() {
    let sandbox = Sandbox::new();
    let page = format!(
        "<html><body><nav>Home | News</nav><article><h1>Pegel</h1><p>{GERMAN}</p></article></body></html>"
    );
    let files = [
        ("a.txt", Format::Text, GERMAN.to_string()),
        ("b.md", Format::Markdown, format!("# Pegel\n\n{GERMAN}")),
        ("c.html", Format::Html, page),
        ("d.json", Format::Json, serde_json::json!({"title": "Pegel", "text": GERMAN}).to_string()),
        (
            "e.jsonl",
            Format::Jsonl,
            format!("{}\n", serde_json::json!({"id": "e", "title": "Pegel", "text": GERMAN})),
        ),
    ];
    for (name, _, text) in &files {
        sandbox.write(&format!("in/{name}"), text);
        sandbox.write(&format!("in/{name}.gz"), gzip(text.as_bytes()));
        sandbox.write(&format!("in/{name}.zst"), zstd(text.as_bytes()));
        // The first half of a packed file: its download broke off.
        let packed = gzip(text.repeat(200).as_bytes());
        sandbox.write(&format!("broken/{name}.gz"), &packed[..packed.len() / 2]);
        let packed = zstd(text.repeat(200).as_bytes());
        sandbox.write(&format!("broken/{name}.zst"), &packed[..packed.len() / 2]);
    }
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(0, &["15 done"]);
    let records = sandbox.records("out");
    assert_eq!(records.len(), 15);
    for (record, format) in
        records.iter().zip(files.iter().flat_map(|(_, format, _)| [format, format, format]))
    {
        assert_eq!(
            (record.source.format, record.language.code.as_str()),
            (*format, "de"),
            "{}",
            record.id
        );
        let summary = record.summary.as_ref().unwrap().text.trim();
        assert!(GERMAN.contains(summary), "{}: {summary}", record.id);
        assert!(!summary.is_empty(), "{}: {summary}", record.id);
    }
    sandbox.run("batch broken --extractive --offline --out torn").expect(2, &["failed"]);
    for record in sandbox.records("torn").iter().filter(|r| r.status == Status::Failed) {
        let message = &record.error.as_ref().unwrap().message;
        assert!(
            message.contains("cut off") || message.contains("end of file"),
            "{}: {message}",
            record.id
        );
    }
    assert!(sandbox.records("torn").iter().any(|r| r.status == Status::Failed));
}

#[test]
fn captions_of_pictures_are_told_and_those_of_tables_stay() {
    let caption = "Der Pegel am Morgen, von der alten Mühle aus gesehen.";
    let prose = format!("<p>{GERMAN}</p>").repeat(4);
    let figure = format!("<figure><img src='a.jpg'><figcaption>{caption}</figcaption></figure>");
    let page = |inner: &str| {
        format!("<html><body><article><h1>Pegel</h1>{prose}{inner}{prose}</article></body></html>")
    };
    let paragraph = serde_json::json!({"type": "paragraph", "data": {"text": GERMAN}});
    let image = serde_json::json!({"type": "image", "data": {"caption": caption}});
    let tree = serde_json::json!({"title": "Pegel", "content": {"blocks": [paragraph, image]}});
    let nitf = format!(
        "<nitf><body><body.head><hedline><hl1>Pegel</hl1></hedline></body.head><body.content>\
         <p>{GERMAN}</p><media><media-caption><p>{caption}</p></media-caption></media>\
         </body.content></body></nitf>"
    );
    let told = [
        ("figure.html", page(&figure)),
        ("named.html", page(&format!("<div class='wp-caption'><img src='a.jpg'>{caption}</div>"))),
        ("tree.json", tree.to_string()),
        ("nitf.xml", nitf),
    ];
    let sandbox = Sandbox::new();
    told.iter().for_each(|(name, text)| sandbox.write(&format!("in/{name}"), text));
    sandbox.run("batch in --extractive --length 100% --offline --out out").expect(0, &["4 done"]);
    for record in sandbox.records("out") {
        let text = &record.summary.as_ref().unwrap().text;
        assert!(text.contains("ntimeter") && !text.contains("Mühle"), "{}: {text}", record.id);
        let captions = record.removed.iter().find(|one| one.reason == Removal::Caption);
        assert!(captions.is_some_and(|one| one.start == caption), "{record:?}");
    }

    let row = "<tr><td>Montag</td><td>40 Zentimeter</td></tr>";
    let table = format!("<table><caption>Die Pegel der letzten Woche</caption>{row}{row}</table>");
    sandbox.write("table.html", page(&table));
    let line = format!("translate --from de --to de table.html {TRANSLATOR}");
    let same = sandbox.run(&line).expect(0, &[]);
    let (caption, cell) = ("Die Pegel der letzten Woche\n", "| Montag | 40 Zentimeter |");
    assert!(same.stdout.contains(caption) && same.stdout.contains(cell), "{}", same.stdout);
}

#[test]
fn the_files_of_an_archive_are_articles() {
    let sandbox = Sandbox::new();
    let lines = [FRENCH, GERMAN].map(|text| serde_json::json!({"text": text}).to_string());
    let archive = tar(&[
        ("2024/a.txt", FRENCH.as_bytes()),
        ("./2024/b.jsonl.gz", &gzip(lines.join("\n").as_bytes())),
        ("2024/c.md", GERMAN.as_bytes()),
        ("2024/c.md", ITALIAN.as_bytes()),
        ("../../evil.txt", SPANISH.as_bytes()),
        ("2024/.hidden.txt", SPANISH.as_bytes()),
        ("2024/pic.png", b"\x89PNG\r\n\x1A\n"),
        ("2024/inner.tar", &tar(&[("x.txt", FRENCH.as_bytes())])),
    ]);
    sandbox.write("in/news.tar.gz", gzip(&archive));
    sandbox.write("in/plain.tar", tar(&[("a.txt", RUSSIAN.as_bytes())]));
    sandbox.write("in/pics.tgz", gzip(&tar(&[("pic.png", b"\x89PNG")])));
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(2, &["7 done, 2 failed"]);
    let records = sandbox.records("out");
    let found = told(&records);
    assert_eq!(
        found[..6],
        [
            ("news.tar.gz/2024/a.txt", "fr", "La"),
            ("news.tar.gz/2024/b.jsonl.gz#1", "fr", "La"),
            ("news.tar.gz/2024/b.jsonl.gz#2", "de", "Der"),
            ("news.tar.gz/2024/c.md", "de", "Der"),
            ("news.tar.gz/2024/c.md~2", "it", "Lunedì"),
            ("news.tar.gz/_/_/evil.txt", "es", "El"),
        ]
    );
    assert!(found[6].2.contains("archive inside of an archive"), "{found:?}");
    assert!(found[7].2.contains("holds no article"), "{found:?}");
    assert_eq!(found[8], ("plain.tar/a.txt", "ru", "В"));
    assert!(sandbox.exists("out/news.tar.gz/2024/b.jsonl.gz#1.fr.md"));
    assert!(sandbox.files("out").keys().all(|name| !name.contains("..")));
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(2, &["nothing to do, 7 done before"]);
    sandbox.run("clean out --gone --dry-run").expect(0, &[", 0 of articles that are gone"]);
    // What was cut off on its way here.
    sandbox.write("torn/news.tar", &archive[..800]);
    let torn = sandbox.run("batch torn --extractive --offline --out torn-out");
    torn.expect(2, &["1 done, 1 failed", "may have been cut off"]);
}

#[test]
fn documents_in_an_archive_are_translated_in_place() {
    let film = "1\n00:00:01,000 --> 00:00:03,000\nLe pont est fermé.\n";
    let sandbox = Sandbox::new();
    sandbox.write("in/all.tar", tar(&[("a.txt", b"Le bac."), ("film.srt", film.as_bytes())]));
    let line = format!("batch in --out out --to en --from fr --tasks translate {TRANSLATOR}");
    sandbox.run(&line).expect(0, &["2 done"]);
    assert!(sandbox.read("out/all.tar/film.en.srt").contains("00:00:01,000 --> 00:00:03,000"));
    sandbox.run(&line).expect(0, &["nothing to do, 2 done before"]);
}

#[test]
fn the_rows_of_a_table_are_articles() {
    let sandbox = Sandbox::with([
        ("in/a.csv", &format!("id;Headline;Body;desk\n7;Pont;\"{FRENCH}\";B\n8;Fluss;{GERMAN}")),
        ("in/b.tsv", &format!("text\tlang\n{}\tes\n", SPANISH.trim())),
        ("in/labels.csv", "key,label\nok,Alles ist gut\nno,Nichts ist gut\n"),
    ]);
    let columns =
        [("id", ColumnKind::Integer), ("title", ColumnKind::Text), ("text", ColumnKind::Text)];
    let file = std::fs::File::create(sandbox.path("in/c.parquet")).unwrap();
    let mut writer = TableWriter::new(file, &columns).unwrap();
    let row = |id: usize, text: &str| vec![id.into(), Cell::Missing, text.into()];
    writer.rows(&[row(1, ITALIAN), vec![Cell::Missing; 3], row(2, RUSSIAN)]).unwrap();
    writer.finish().unwrap();
    let bytes = std::fs::read(sandbox.path("in/c.parquet")).unwrap();
    sandbox.write("in/d.parquet.gz", gzip(&bytes));
    sandbox.write("in/e.parquet", &bytes[..bytes.len() / 2]);
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(2, &["8 done, 1 failed"]);
    let records = sandbox.records("out");
    let found = told(&records);
    assert_eq!(
        found[..7],
        [
            ("a.csv#7", "fr", "La"),
            ("a.csv#8", "de", "Der"),
            ("b.tsv#1", "es", "El"),
            ("c.parquet#1", "it", "Lunedì"),
            ("c.parquet#2", "ru", "В"),
            ("d.parquet.gz#1", "it", "Lunedì"),
            ("d.parquet.gz#2", "ru", "В"),
        ]
    );
    assert!(found[7].2.contains("no Parquet that can be read"), "{found:?}");
    // A table without a text is a document.
    assert_eq!(found[8].0, "labels.csv");
    assert_eq!(records[0].source.format, Format::Table);
    assert_eq!(records[0].title.as_ref().unwrap().source, "Pont");
    assert_eq!(records[0].extra["desk"], "B");
    let line = format!("batch in {SUMMARIZE}2 --text-field label --pattern *.csv");
    sandbox.run(&line).expect(0, &["done"]);
    assert_eq!(sandbox.records("out2").last().unwrap().id, "labels.csv#2");
}

#[test]
fn a_damaged_parquet_file_is_an_error_and_no_panic() {
    let sandbox = Sandbox::with([("in/a.txt", ITALIAN)]);
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(0, &["1 done"]);
    sandbox.run("export out --out table").expect(0, &[]);
    let whole = std::fs::read(sandbox.path("table/language=it/part-00000.parquet")).unwrap();
    // The four bytes at either end say what the file is.
    for at in (4..whole.len() - 4).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        sandbox.write(&format!("damaged/{at:05}.parquet"), bytes);
    }
    let line = "batch damaged --text-field summary --extractive --length 1s --offline --out told";
    // "It is damaged" is what is said where the reader has panicked; `expect` wants no panic to be
    // told.
    sandbox.run(line).expect(2, &["is no Parquet that can be read", "it is damaged"]);
}

#[test]
fn encodings_are_found_out() {
    let sandbox = Sandbox::new();
    let utf16 = |text: &str, big: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    sandbox.write("in/1.txt", utf16(SPANISH, false, true));
    sandbox.write("in/2.txt", utf16(SPANISH, true, true));
    sandbox.write("in/3.txt", utf16(SPANISH, false, false));
    sandbox.write("in/4.txt", utf16(SPANISH, true, false));
    sandbox.write("in/5.txt", [b"\xEF\xBB\xBF", SPANISH.as_bytes()].concat());
    sandbox.write("in/6.txt", encoding_rs::WINDOWS_1252.encode(SPANISH).0);
    sandbox.write("in/7.txt", encoding_rs::WINDOWS_1251.encode(RUSSIAN).0);
    sandbox.write("in/8.txt", encoding_rs::KOI8_R.encode(RUSSIAN).0);
    sandbox.write("in/9.txt", gzip(&encoding_rs::SHIFT_JIS.encode(crate::common::JAPANESE).0));
    let name = sandbox.path("in/9.txt");
    std::fs::rename(&name, name.with_extension("txt.gz")).unwrap();
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(0, &["9 done"]);
    for record in sandbox.records("out") {
        let text = record.summary.unwrap().text;
        let whole = [SPANISH, RUSSIAN, crate::common::JAPANESE]
            .iter()
            .any(|source| source.contains(text.trim()));
        assert!(whole, "{}: {text:?}", record.id);
        assert!(!text.is_empty(), "{}: {text:?}", record.id);
    }
}

#[test]
fn names_that_would_share_an_output_are_kept_apart() {
    let sandbox = Sandbox::with([
        ("in/a/x.txt", FRENCH),
        ("in/b/x.txt", GERMAN),
        ("in/b/X.txt", SPANISH),
        ("in/b/x", "no article by its name"),
        ("in/b/con.txt", ENGLISH),
        ("in/b/-  leading, trailing .txt", ENGLISH),
    ]);
    let plan = sandbox.run(&format!("batch in {SUMMARIZE} --dry-run")).expect(0, &[]).stdout;
    assert!(plan.contains("would collide; a hash keeps them apart"), "{plan}");
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(0, &["5 done"]);
    let records = sandbox.records("out");
    let mut names: Vec<String> =
        records.iter().map(|r| r.output.clone().unwrap().to_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5, "{names:?}");
    for record in &records {
        let name = record.output.as_deref().unwrap();
        assert!(
            sandbox
                .read(&format!("out/{name}"))
                .contains(record.summary.as_ref().unwrap().text.trim()),
            "{name}"
        );
        assert!(plan.contains(name), "{name} is not in the plan: {plan}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_once_and_loops_end() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::with([("in/deep/er/a.txt", FRENCH), ("elsewhere/b.txt", GERMAN)]);
    symlink(sandbox.path("in"), sandbox.path("in/deep/loop")).unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path("in/linked")).unwrap();
    symlink(sandbox.path("nowhere"), sandbox.path("in/dangling.txt")).unwrap();
    let outcome = sandbox.run(&format!("batch in {SUMMARIZE}"));
    assert!(outcome.stderr.contains("dangling.txt"), "{}", outcome.stderr);
    let records = sandbox.records("out");
    let found: Vec<_> =
        told(&records).into_iter().filter(|(_, language, _)| !language.is_empty()).collect();
    assert_eq!(found, [("deep/er/a.txt", "fr", "La"), ("linked/b.txt", "de", "Der")]);
}

#[test]
fn a_long_article_is_read_whole() {
    let sandbox = Sandbox::new();
    let mut text = String::new();
    let mut number = 0;
    while text.len() < 10 << 20 {
        number += 1;
        text.push_str(&format!(
            "Im Jahr {number} stieg der Fluss um {} Zentimeter. Die Stadt schloss ihre älteste Brücke.\n\n",
            number % 90
        ));
    }
    sandbox.write("in/long.txt", &text);
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(0, &["1 done"]);
    let record = sandbox.records("out").remove(0);
    assert!(!record.stats.truncated);
    assert_eq!(record.source.bytes, text.len() as u64);
    assert!(text.contains(record.summary.unwrap().text.trim()));
    // Beyond the limit nothing is cut off in silence: the article fails, and says which flag raises
    // the limit.
    sandbox
        .run("batch in --extractive --offline --max-bytes 1000000 --out small")
        .expect(2, &["long.txt", "--max-bytes"]);
}

/// A PDF file with a page of these lines, set from top to bottom.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let set = |line: &&str| format!("({}) Tj 0 -14 Td ", line.replace(['(', ')'], ""));
    let text: String = lines.iter().map(set).collect();
    let page = format!("BT /F1 11 Tf 72 720 Td {text}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_string(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_string(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_string(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_string(),
    ];
    let mut out = "%PDF-1.4\n".to_string();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = out.len();
    out.push_str("xref\n0 6\n0000000000 65535 f \n");
    places.iter().for_each(|place| out.push_str(&format!("{place:010} 00000 n \n")));
    out.push_str(&format!("trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"));
    out.into_bytes()
}

#[test]
fn a_pdf_is_read_where_its_reader_is_installed() {
    let sandbox = Sandbox::new();
    let text = ["The council closed the old bridge on Monday after an in-", "spection."];
    sandbox.write("in/bridge.pdf", pdf(&text));
    sandbox.write("in/scan.pdf", pdf(&[]));
    sandbox.write("in/broken.pdf", b"%PDF-1.4\nnothing more");
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(2, &["failed"]);
    let records = sandbox.records("out");
    let message = |i: usize| records[i].error.as_ref().map_or("", |error| error.message.as_str());
    assert_eq!(records.len(), 3);
    let is_installed = std::process::Command::new("pdftotext").arg("-v").output().is_ok();
    if is_installed {
        assert_eq!((records[0].status, records[0].language.code.as_str()), (Status::Ok, "en"));
        assert!(message(1).contains("no PDF file"), "{}", message(1));
        assert!(message(2).contains("pictures of pages"), "{}", message(2));
        let detected =
            sandbox.run("detect --paragraphs --format json in/bridge.pdf").expect(0, &[]).stdout;
        assert!(detected.contains("after an inspection."), "{detected}");
    } else {
        println!("pdftotext is not installed: only its absence is tested");
        assert!((0..3).all(|i| message(i).contains("install poppler")), "{}", message(0));
    }
}
