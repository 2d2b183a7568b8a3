//! `polygist batch` as a job: everything in a folder has a record, nothing is done twice, and
//! nothing done is lost.

use crate::common::{
    ENGLISH, FRENCH, GERMAN, ITALIAN, JAPANESE, MODELS, RUSSIAN, SPANISH, Sandbox, TRANSLATOR,
    timeless,
};
use polygist::types::{Record, Status, SummaryMethod};
use std::io::Write;
use std::process::Stdio;

/// A folder `in` with articles of all formats and several encodings, odd names, and files that are
/// none.
fn everything() -> Sandbox {
    let sandbox = Sandbox::with([
        ("in/a10.txt", FRENCH),
        ("in/a2.txt", &format!("Brücke <script>alert(1)</script>\n\n{GERMAN}")),
        ("in/deep/er/English.md", ENGLISH),
        ("in/deep/Größe #1 & mehr.md", GERMAN),
        ("in/empty.txt", ""),
        ("in/picture.png", "no article"),
        ("in/.hidden.txt", FRENCH),
    ]);
    let (cp1251, ..) = encoding_rs::WINDOWS_1251.encode(RUSSIAN);
    sandbox.write("in/deep/er/cp1251.txt", cp1251);
    let wide: Vec<u8> =
        std::iter::once(0xFEFF).chain(SPANISH.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    sandbox.write("in/deep/wide.txt", wide);
    let page = format!(
        "<html><head><meta charset='iso-8859-1'></head><body><article><p>{GERMAN}</p></article></body></html>"
    );
    let (latin1, ..) = encoding_rs::WINDOWS_1252.encode(&page);
    sandbox.write("in/deep/page.html", latin1);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(JAPANESE.as_bytes()).unwrap();
    sandbox.write("in/packed.txt.gz", packed.finish().unwrap());
    sandbox.write("in/binary.txt", (0..4000u32).map(|i| (i * i % 251) as u8).collect::<Vec<u8>>());
    let first =
        serde_json::json!({"id": "n1", "title": "Ponte chiuso", "text": ITALIAN, "desk": "nord"});
    let third = serde_json::json!({"id": "n3", "text": FRENCH});
    sandbox.write(
        "in/agency.jsonl",
        format!("{first}\n{{\"id\": \"n2\", \"text\": \"cut o\n{third}\n"),
    );
    sandbox
}

/// A folder `in` with so many short articles in French.
fn several(number: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    (1..=number).for_each(|i| {
        sandbox.write(
            &format!("in/{i}.txt"),
            format!("Le pont numéro {i} de la vieille ville sera fermé lundi.\n"),
        )
    });
    sandbox
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|r| r.id.as_str()).collect()
}

#[test]
fn every_article_of_a_tree_has_a_record_and_a_file() {
    let sandbox = everything();
    let outcome = sandbox
        .run(&format!("batch in --out out --to en {MODELS}"))
        .expect(2, &["picture.png", "empty.txt", "10 done, 3 failed"]);
    assert_eq!(outcome.stdout, "");
    let records = sandbox.records("out");
    let expected = [
        ("a2.txt", "de"),
        ("a10.txt", "fr"),
        ("agency.jsonl#n1", "it"),
        ("agency.jsonl#2", ""),
        ("agency.jsonl#n3", "fr"),
        ("binary.txt", ""),
        ("deep/Größe #1 & mehr.md", "de"),
        ("deep/er/English.md", "en"),
        ("deep/er/cp1251.txt", "ru"),
        ("deep/page.html", "de"),
        ("deep/wide.txt", "es"),
        ("empty.txt", ""),
        ("packed.txt.gz", "ja"),
    ];
    let found: Vec<_> = records
        .iter()
        .map(|r| {
            (r.id.as_str(), if r.status == Status::Ok { r.language.code.as_str() } else { "" })
        })
        .collect();
    assert_eq!(found, expected);

    let mut files = vec!["report.html", "results.jsonl"];
    for record in &records {
        match record.status {
            Status::Ok => {
                let name = record.output.as_deref().unwrap();
                assert!(name.starts_with(&record.id), "{name} of {}", record.id);
                assert!(name.ends_with(".en.md"), "{name} of {}", record.id);
                assert!(
                    sandbox
                        .read(&format!("out/{name}"))
                        .contains(record.summary.as_ref().unwrap().text.trim()),
                    "{name}"
                );
                assert_eq!(
                    record.translation.is_some(),
                    record.language.code.as_str() != "en",
                    "{name}"
                );
                assert!(record.stats.source_tokens > 0, "{name}");
                assert!(!record.stats.truncated, "{name}");
                files.push(name);
            }
            Status::Failed => {
                assert!(!record.error.as_ref().unwrap().message.is_empty(), "{}", record.id);
                assert!(record.output.is_none(), "{}", record.id);
            }
        }
    }
    files.sort_unstable();
    assert_eq!(sandbox.files("out").into_keys().collect::<Vec<_>>(), files);
    assert_eq!(records[2].extra["desk"], "nord");

    let report = sandbox.read("out/report.html");
    assert!(report.contains("&lt;script&gt;alert(1)"));
    assert!(!report.contains("<script>alert"));
    assert!(report.contains("Größe #1 &amp; mehr.md"));
}

#[test]
fn only_what_is_new_or_changed_is_done() {
    let sandbox = several(3);
    let run = |flags: &str, says: &str| {
        sandbox.run(&format!("batch in --out out --to en {MODELS} {flags}")).expect(0, &[says])
    };
    run("", "3 done; ");
    let (files, records) = (sandbox.files("out"), sandbox.records("out"));
    let rewritten = |before: &std::collections::BTreeMap<String, _>| {
        let after = sandbox.files("out");
        after
            .into_iter()
            .filter(|(name, time)| name.ends_with(".md") && before.get(name) != Some(time))
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };

    run("", "nothing to do, 3 done before");
    assert!(rewritten(&files).is_empty());
    assert_eq!(sandbox.records("out"), records);

    sandbox.write("in/2.txt", FRENCH);
    sandbox.write("in/4.txt", FRENCH);
    run("", "2 done, 2 done before");
    assert_eq!(rewritten(&files), ["2.txt.en.md", "4.txt.en.md"]);
    let after = sandbox.records("out");
    assert_eq!(ids(&after), ["1.txt", "2.txt", "3.txt", "4.txt"]);
    assert_eq!((&after[0], &after[2]), (&records[0], &records[2]));
    assert_ne!(after[1].key, records[1].key);

    // What changes results does everything again, as does --force; what does not change them does
    // nothing.
    let files = sandbox.files("out");
    run("--jobs 2 --threads 1 --quiet", "");
    assert!(rewritten(&files).is_empty());
    run("--force", "4 done; ");
    assert_eq!(rewritten(&files).len(), 4);
    assert_eq!(timeless(sandbox.records("out")), timeless(after));
    run("--length 1s", "4 done; ");
    run("--length 1s --on-bad source", "4 done; ");
    run("--length 1s --on-bad source --precision f32", "4 done; ");
    run("--length 1s --on-bad source --precision f32", "nothing to do");
}

#[test]
fn what_failed_is_tried_again_when_asked_or_changed() {
    let sandbox = several(2);
    sandbox.write("in/2.txt", "");
    let run = |flags: &str, code: i32, says: &str| {
        sandbox.run(&format!("batch in --out out --to en {MODELS} {flags}")).expect(code, &[says])
    };
    run("", 2, "1 done, 1 failed");
    run("", 2, "nothing to do, 1 done before, 1 failed before (--retry-failed");
    run("--retry-failed", 2, "1 failed, 1 left alone");
    sandbox.write("in/2.txt", FRENCH);
    run("", 0, "1 done, 1 done before");
    assert!(sandbox.records("out").iter().all(|record| record.status == Status::Ok));
}

#[test]
fn a_killed_run_goes_on_and_ends_as_if_nothing_had_happened() {
    let sandbox = several(12);
    let line = |out: &str| format!("batch in --out {out} --to en --jobs 1 {MODELS}");
    let mut child = sandbox.command(&line("out")).stderr(Stdio::null()).spawn().unwrap();
    sandbox.wait_for_records("out", 2);
    // Meanwhile nobody else can write there.
    sandbox.run(&line("out")).expect(1, &["another run of polygist is writing there"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let done = sandbox.records("out");
    assert!((2..12).contains(&done.len()), "the run was over before it was killed");

    let says = format!("{} done, {} done before", 12 - done.len(), done.len());
    sandbox.run(&line("out")).expect(0, &[&says]);
    sandbox.run(&line("whole")).expect(0, &["12 done"]);
    let records = sandbox.records("out");
    assert_eq!(records[..done.len()], done);
    assert_eq!(timeless(records), timeless(sandbox.records("whole")));
    assert!(sandbox.files("out").into_keys().eq(sandbox.files("whole").into_keys()));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done() {
    let sandbox = several(12);
    let child = sandbox
        .command(&format!("batch in --out out --to en --jobs 1 {MODELS}"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait_for_records("out", 2);
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("run the same command again"), "{stderr}");
    let done = sandbox.records("out").len();
    assert!((2..12).contains(&done), "the run was over before it was stopped");
    assert!(sandbox.exists("out/report.html"));
}

#[test]
fn results_do_not_depend_on_jobs_and_threads() {
    let sandbox = several(4);
    [("in/5.txt", GERMAN), ("in/6.txt", FRENCH), ("in/7.txt", "")]
        .iter()
        .for_each(|(name, text)| sandbox.write(name, text));
    let run = |out: &str, flags: &str| {
        sandbox.run(&format!("batch in --out {out} --to en {MODELS} {flags}")).expect(2, &[]);
        timeless(sandbox.records(out))
    };
    let one = run("one", "--jobs 1 --threads 1");
    let texts: std::collections::HashSet<_> =
        one.iter().filter_map(|r| Some(r.translation.as_ref()?.text.as_str())).collect();
    assert!(texts.len() >= 3, "{texts:?}");
    assert_eq!(run("many", "--jobs 16 --threads 2"), one);
}

#[test]
fn strict_counts_doubtful_translations_as_failed() {
    // What the tiny model writes never passes the checks.
    let sandbox = several(1);
    sandbox
        .run(&format!("batch in --out out --to en {MODELS} --strict"))
        .expect(2, &["1.txt: ", "--strict"]);
    let record = sandbox.records("out").remove(0);
    assert_eq!((record.status, record.error.unwrap().kind.as_str()), (Status::Failed, "strict"));
    assert!(!record.checks.flagged.is_empty());
    assert!(record.translation.is_some());
}

#[test]
fn limit_and_pattern_choose_articles() {
    let sandbox = several(12);
    sandbox.write("in/sub/1.md", FRENCH);
    let run = |flags: &str| {
        sandbox
            .run(&format!("batch in --out {flags} --to en {MODELS} --tasks translate"))
            .expect(0, &[]);
        sandbox
            .records(flags.split(' ').next().unwrap())
            .into_iter()
            .map(|r| r.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(run("a --limit 3"), ["1.txt", "2.txt", "3.txt"]);
    assert_eq!(run("b --pattern 1*.txt"), ["1.txt", "10.txt", "11.txt", "12.txt"]);
    assert_eq!(run("c --pattern sub/**"), ["sub/1.md"]);
    sandbox
        .run(&format!("batch in --out d --to en {MODELS} --pattern *.pdf"))
        .expect(0, &["no articles that match *.pdf in in"]);
}

#[test]
fn a_dry_run_tells_what_would_be_done_and_writes_nothing() {
    let sandbox = everything();
    let before = sandbox.files("");
    let out = sandbox
        .run("batch in --out out --to en --offline --model translator.gguf --summary-model smollm2-135m-instruct --dry-run")
        .expect(2, &[])
        .stdout;
    for says in [
        "deep/er/cp1251.txt",
        "deep/er/cp1251.txt.en.md",
        "empty.txt",
        "3 de, 1 en, 1 es, 2 fr, 1 it, 1 ja, 1 ru",
        "translator.gguf, installed",
    ] {
        assert!(out.contains(says), "{says}: {out}");
    }
    let missing = out.lines().find(|line| line.starts_with("summaries: ")).unwrap();
    assert!(missing.contains("missing"), "{missing}");
    assert!(missing.contains("polygist models pull"), "{missing}");
    assert_eq!(sandbox.files(""), before);
    assert!(!sandbox.exists("out"));
}

#[test]
fn tasks_and_target_say_what_is_made() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH)]);
    let run = |flags: &str| {
        sandbox.run(&format!("batch in --out {flags}")).expect(0, &[]);
        sandbox.records(flags.split(' ').next().unwrap()).remove(0)
    };
    let summary = run(&format!("a --tasks summarize --to en {MODELS}"));
    assert!(summary.translation.is_none());
    assert_eq!(summary.summary.unwrap().language.as_str(), "en");
    let translation = run(&format!("b --tasks translate --to en {TRANSLATOR}"));
    assert!(translation.translation.is_some());
    assert!(translation.summary.is_none());
    // In its own language an article's own sentences are its summary, and no model is needed.
    let own = run("c --extractive --length 1s --offline");
    let summary = own.summary.unwrap();
    assert!(own.translation.is_none());
    assert!(FRENCH.contains(&summary.text));
    assert!(!summary.text.is_empty());
    assert_eq!(
        (summary.language.as_str(), summary.method, own.output.as_deref()),
        ("fr", SummaryMethod::Extractive, Some("a.txt.fr.md"))
    );
    // By way of English.
    let pivoted = run(&format!("d --tasks translate --to de {TRANSLATOR}")).translation.unwrap();
    assert_eq!(pivoted.route.iter().map(|l| l.as_str()).collect::<Vec<_>>(), ["fr", "en", "de"]);
}

#[test]
fn a_run_that_cannot_work_says_why_and_leaves_no_trace() {
    let sandbox = several(1);
    for (line, says) in [
        ("--to tlh --model translator.gguf", ["(tlh)", "zh"]),
        ("--tasks translate --model translator.gguf", ["--to", "--to en"]),
        ("--to en --model nothing.gguf", ["nothing.gguf", "no such file"]),
        ("--to en", ["gemma-3-270m-news", "polygist models pull gemma-3-270m-news"]),
        ("nowhere --to en --model translator.gguf", ["nowhere", "reading failed"]),
        ("--pattern [ --to en --model translator.gguf", ["pattern `[`", "expected a glob"]),
    ] {
        sandbox
            .run(&format!("batch in --out out --offline --summary-model writer.gguf {line}"))
            .expect(1, &says);
        assert!(!sandbox.exists("out"), "{line}");
    }
    sandbox.write("results/results.jsonl", "{\"mine\": 1}\n");
    sandbox
        .run(&format!("batch in --out results --to en {MODELS}"))
        .expect(1, &["is no file of polygist's"]);
    assert_eq!(sandbox.read("results/results.jsonl"), "{\"mine\": 1}\n");
    sandbox
        .run(&format!("batch in --out in --to en {MODELS}"))
        .expect(1, &["both an input and the output folder"]);
}

#[test]
fn results_below_the_input_are_not_read() {
    let sandbox = several(2);
    for says in ["2 done; ", "nothing to do, 2 done before"] {
        sandbox.run(&format!("batch in --out in/out --to en {MODELS}")).expect(0, &[says]);
        assert_eq!(ids(&sandbox.records("in/out")), ["1.txt", "2.txt"]);
    }
}
