//! One output folder, many runs: of other folders, into other languages, by several machines; and
//! what is looked at, checked and cleaned in it.

use crate::common::{ENGLISH, FRENCH, GERMAN, ITALIAN, MODELS, Sandbox, TRANSLATOR, timeless};
use polygist::types::{Record, Status};
use std::collections::BTreeSet;

const SUMMARIZE: &str = "--extractive --length 1s --offline --out out";

fn ids(sandbox: &Sandbox) -> Vec<String> {
    sandbox.records("out").into_iter().map(|record| record.id).collect()
}

#[test]
fn an_article_of_the_same_name_from_elsewhere_keeps_its_own_result() {
    let sandbox = Sandbox::with([
        ("mon/lead.txt", FRENCH),
        ("tue/lead.txt", GERMAN),
        ("wed/tue/lead.txt", ITALIAN),
        ("mon/agency.jsonl", &serde_json::json!({"id": "n1", "text": FRENCH}).to_string()),
        ("tue/agency.jsonl", &serde_json::json!({"id": "n1", "text": GERMAN}).to_string()),
    ]);
    let run = |input: &str, says: &[&str]| {
        sandbox.run(&format!("batch {input} {SUMMARIZE}")).expect(0, says)
    };
    run("mon", &["2 done"]);
    let monday = sandbox.read("out/lead.txt.fr.md");
    run("tue", &["2 done", "articles from elsewhere have the same names", "tue/"]);
    run("wed/tue", &["1 done", "tue/lead.txt"]);
    assert_eq!(sandbox.read("out/lead.txt.fr.md"), monday);
    let all: BTreeSet<String> = ids(&sandbox).into_iter().collect();
    let expected =
        ["agency.jsonl#n1", "lead.txt", "tue/agency.jsonl#n1", "tue/lead.txt", "wed/tue/lead.txt"];
    assert!(all.iter().eq(expected), "{all:?}");
    // Each finds its own again, by whatever path.
    run("tue", &["nothing to do, 2 done before"]);
    run("./wed/../mon", &["nothing to do, 2 done before"]);
    // What has changed in its place takes the place of its own old result.
    sandbox.write("tue/lead.txt", ITALIAN);
    run("tue", &["1 done, 1 done before"]);
    assert_eq!(ids(&sandbox).len(), 5);
    // A folder that was moved holds the same articles.
    std::fs::rename(sandbox.path("mon"), sandbox.path("archive")).unwrap();
    run("archive", &["nothing to do, 2 done before"]);
}

#[test]
fn each_language_is_added_to_a_folder() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", GERMAN)]);
    let run = |flags: &str, says: &[&str]| {
        let line = format!("batch in --out out --tasks translate {TRANSLATOR} {flags}");
        sandbox.run(&line).expect(0, says)
    };
    run("--to en", &["2 done"]);
    let english = sandbox.records("out");
    run("--to es,it,es", &["4 done"]);
    let records = sandbox.records("out");
    let told = |record: &Record| {
        let target = record.target.as_ref().map(|target| target.to_string());
        (record.id.clone(), target.unwrap_or_default())
    };
    let all: BTreeSet<_> = records.iter().map(told).collect();
    assert_eq!(all.len(), 6);
    assert!(english.iter().all(|record| records.contains(record)));
    for name in ["a.txt.en.md", "a.txt.es.md", "b.txt.it.md"] {
        assert!(sandbox.exists(&format!("out/{name}")), "{name}");
    }
    run("--to en,es,it", &["nothing to do, 6 done before"]);
    let report = sandbox.read("out/report.html");
    assert!(report.contains("a.txt.es.md") && report.contains("a.txt.it.md"));
}

#[test]
fn a_file_that_is_gone_is_written_again() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", GERMAN)]);
    let line = format!("batch in --out out --to en {MODELS}");
    sandbox.run(&line).expect(0, &["2 done"]);
    let (text, records) = (sandbox.read("out/a.txt.en.md"), sandbox.records("out"));
    std::fs::remove_file(sandbox.path("out/a.txt.en.md")).unwrap();
    sandbox.write("out/b.txt.en.md", "edited");
    let found = sandbox.run("verify out").expect(2, &["2 records, 2 findings"]).stdout;
    assert_eq!(found, "gone: a.txt.en.md\nchanged: b.txt.en.md\n");
    sandbox.run(&line).expect(0, &["nothing to do, 2 done before"]);
    assert_eq!((sandbox.read("out/a.txt.en.md"), sandbox.records("out")), (text, records));
    assert_eq!(sandbox.read("out/b.txt.en.md"), "edited");
}

#[test]
fn what_has_failed_is_done_alone_and_changed_settings_are_told() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", "")]);
    let run = |flags: &str, code: i32, says: &[&str]| {
        sandbox.run(&format!("batch in --out out --to en {MODELS} {flags}")).expect(code, says)
    };
    run("", 2, &["1 done, 1 failed"]);
    let before = sandbox.records("out").remove(0);
    sandbox.write("in/b.txt", GERMAN);
    sandbox.write("in/c.txt", ITALIAN);
    // Other settings would do the first one again.
    run("--length 1s --retry-failed", 0, &["1 done, 2 left alone"]);
    let after = sandbox.records("out");
    assert_eq!(after[0], before);
    assert_eq!(after[1].status, Status::Ok);
    let said =
        run("--length 1s", 0, &["1 article is done again: the settings of summaries changed"]);
    assert!(said.stderr.contains("2 done, 1 done before"), "{}", said.stderr);
    run("--length 1s --on-bad source", 0, &["3 articles are done again", "translations changed"]);
    run("--length 1s --on-bad source", 0, &["nothing to do"]);
}

#[test]
fn what_was_read_of_an_article_that_failed_is_kept() {
    let read = "https://example.org/1 https://example.org/2";
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", read)]);
    sandbox.run(&format!("batch in --out out --to en {MODELS}")).expect(2, &["1 done, 1 failed"]);
    let failed = sandbox.records("out").remove(1);
    assert_eq!(failed.excerpt.as_deref(), Some(read));
    let report = sandbox.read("out/report.html");
    assert!(report.contains("What was read of it") && report.contains(read), "{report}");
}

#[test]
fn parts_of_a_job_become_one() {
    let sandbox = Sandbox::new();
    for i in 0..12 {
        sandbox.write(&format!("in/{i}.txt"), format!("{FRENCH}Le pont numéro {i} reste fermé.\n"));
    }
    sandbox.write("in/empty.txt", "");
    let line = format!("batch in --to en {MODELS} --out");
    sandbox.run(&format!("{line} whole")).expect(2, &["12 done, 1 failed"]);
    let part = |shard: &str| sandbox.run(&format!("{line} out --shard {shard}"));
    sandbox.run("merge out").expect(1, &["holds no parts"]);
    part("0/3");
    part("2/3");
    sandbox.run("merge out").expect(1, &["parts 1 of 3 are missing or not complete", "--partial"]);
    let partial = sandbox.run("merge out --partial").expect(0, &["2 parts"]);
    assert!(partial.stderr.contains("see out/report.html"));
    let some = sandbox.records("out").len();
    assert!((1..13).contains(&some), "{some}");
    let slurm = |index: &str, count: &str| {
        [("SLURM_PROCID", index.to_string()), ("SLURM_NTASKS", count.to_string())]
    };
    sandbox.run_in(&format!("{line} out --shard auto"), &slurm("1", "3"));
    let rest = format!("13 records, {} of them new", 13 - some);
    sandbox.run("merge out").expect(0, &["3 parts", &rest]);
    sandbox.run("merge out").expect(0, &["13 records, 0 of them new"]);
    let sorted = |out: &str| {
        let mut records = timeless(sandbox.records(out));
        records.sort_by(|a, b| a.id.cmp(&b.id));
        records
    };
    assert_eq!(sorted("out"), sorted("whole"));
    for name in sandbox.files("whole").into_keys().filter(|name| name.ends_with(".md")) {
        let of = |out: &str| sandbox.read(&format!("{out}/{name}"));
        assert_eq!(of("out"), of("whole"), "{name}");
    }
    sandbox.run(&format!("{line} out --shard 3/3")).expect(1, &["0/16"]);
}

#[test]
fn a_folder_tells_how_far_it_is_and_is_cleaned() {
    let sandbox = Sandbox::with([
        ("in/a.txt", FRENCH),
        ("in/b.txt", GERMAN),
        ("in/c.txt", ENGLISH),
        ("in/d.txt", ""),
    ]);
    sandbox.run("status out").expect(1, &["holds no job"]);
    sandbox.run(&format!("batch in --out out --to en {MODELS}")).expect(2, &["3 done, 1 failed"]);
    let told = sandbox.run("status out").expect(2, &[]).stdout;
    assert!(told.starts_with("3 of 4 done, "), "{told}");
    assert!(told.lines().next().unwrap().ends_with(" to check, 1 failed, 0 to do"), "{told}");
    for line in ["      1  fr → en", "      1  failed: ", "      2  by translator"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let json = sandbox.run("status out --format json").expect(2, &[]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["done"], &json["running"]), (&3.into(), &false.into()));

    std::fs::remove_file(sandbox.path("in/b.txt")).unwrap();
    let says = ["1 records of failed articles would be removed, 1 of articles that are gone"];
    sandbox.run("clean out --gone --dry-run").expect(0, &says);
    assert_eq!(ids(&sandbox).len(), 4);
    sandbox.run("clean out --gone").expect(0, &[&says[0].replace("would be ", "")]);
    assert_eq!(ids(&sandbox), ["a.txt", "c.txt"]);
    assert!(!sandbox.exists("out/b.txt.en.md") && sandbox.exists("out/a.txt.en.md"));
    sandbox.run("verify out").expect(0, &["2 records, 0 findings"]);
    // From elsewhere nothing is to be found.
    std::fs::rename(sandbox.path("in"), sandbox.path("away")).unwrap();
    sandbox.run("clean out --gone").expect(1, &["none of the 2 articles"]);
    assert_eq!(ids(&sandbox).len(), 2);
}

#[test]
fn what_a_run_has_left_is_told() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", GERMAN), ("in/c.txt", "")]);
    let line = format!("batch in --out out --tasks translate {TRANSLATOR}");
    let first = |code: i32| {
        let told = sandbox.run("status out").expect(code, &[]).stdout;
        told.lines().next().unwrap().to_string()
    };
    // Ended after the first article, before the second language.
    let mut command = sandbox.command(&format!("{line} --to en,es --jobs 1 --threads 1"));
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    sandbox.wait_for_records("out", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let records = sandbox.read("out/results.jsonl").matches('\n').count();
    let json = sandbox.run("status out --format json").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    // A run that is killed may have told one group less than it has done.
    let left = json["to_do"].as_u64().unwrap() as usize;
    assert!((6 - records..=7 - records).contains(&left), "{records}: {json}");
    sandbox.run(&format!("{line} --to en,es")).expect(2, &[]);
    assert!(first(2).starts_with("4 of 6 done, "), "{}", first(2));
    assert!(first(2).ends_with(" 2 failed, 0 to do"), "{}", first(2));
    // Nobody knows how much comes through a pipe.
    sandbox
        .run_with("batch - --out piped --extractive --length 1s --offline", FRENCH)
        .expect(0, &[]);
    let told = sandbox.run("status piped").expect(0, &[]).stdout;
    assert!(told.starts_with("1 done, 0 to check, 0 failed\n"), "{told}");
}

#[test]
fn records_are_exported_as_tables_by_language() {
    let sandbox = Sandbox::with([
        ("in/a.txt", FRENCH),
        ("in/b.txt", GERMAN),
        ("in/c.txt", FRENCH),
        ("in/d.txt", ""),
    ]);
    sandbox.run(&format!("batch in {SUMMARIZE}")).expect(2, &["3 done, 1 failed"]);
    let export = |flags: &str, code: i32, says: &[&str]| {
        sandbox.run(&format!("export out --out {flags}")).expect(code, says)
    };
    export("t/parquet", 0, &["4 records in 3 files, of 3 languages"]);
    export("t/parquet", 1, &["holds something already"]);
    export("t/csv --format csv --rows 1", 0, &["4 records in 4 files"]);
    export("t/jsonl --format jsonl", 0, &["4 records in 3 files"]);
    let files: Vec<String> = sandbox.files("t").into_keys().collect();
    let expected = [
        "csv/language=de/part-00000.csv",
        "csv/language=fr/part-00000.csv",
        "csv/language=fr/part-00001.csv",
        "csv/language=und/part-00000.csv",
        "jsonl/language=de/part-00000.jsonl",
        "jsonl/language=fr/part-00000.jsonl",
        "jsonl/language=und/part-00000.jsonl",
        "parquet/language=de/part-00000.parquet",
        "parquet/language=fr/part-00000.parquet",
        "parquet/language=und/part-00000.parquet",
    ];
    assert_eq!(files, expected);
    let lines = sandbox.read("t/jsonl/language=fr/part-00000.jsonl");
    let french: Vec<Record> =
        sandbox.records("out").into_iter().filter(|r| r.language.code.as_str() == "fr").collect();
    assert_eq!(crate::common::parse(&lines), french);
    let csv = sandbox.read("t/csv/language=de/part-00000.csv");
    assert!(csv.starts_with("id,target,status,") && csv.contains("\r\nb.txt,,ok,"), "{csv}");
    // What was written is read: summaries of the summaries.
    let again = "batch t/parquet --text-field summary --extractive --length 1s --offline --out x";
    sandbox.run(again).expect(2, &["3 done, 1 failed"]);
    let again = sandbox.records("x");
    assert_eq!(again[1].id, "language=fr/part-00000.parquet#a.txt");
    assert_eq!(again[1].extra["sha256"], french[0].source.sha256.as_str());
    sandbox.run("export nothing --out y").expect(1, &["holds no job"]);
}

#[test]
fn a_dry_run_tells_what_is_done_and_how_long_the_rest_takes() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", GERMAN), ("in/c.txt", "")]);
    let line = format!("batch in --out out --to en --tasks translate {TRANSLATOR}");
    let plan = |flags: &str| {
        let before = sandbox.files("");
        let told = sandbox.run(&format!("{line} --dry-run {flags}")).expect(2, &[]).stdout;
        assert_eq!(sandbox.files(""), before);
        told
    };
    let told = plan("");
    let says = ["to do: 3 articles (3 new)\n", "time: about ", "tried on ", "articles: 3 articles"];
    says.iter().for_each(|says| assert!(told.contains(says), "{says}\n{told}"));
    assert!(!sandbox.exists("out"));
    sandbox.run(&line).expect(2, &["2 done, 1 failed"]);
    let told = plan("");
    assert!(told.contains("to do: nothing; 2 done before; 1 failed before"), "{told}");
    assert!(!told.contains("time: "), "{told}");
    sandbox.write("in/b.txt", ITALIAN);
    sandbox.write("in/d.txt", GERMAN);
    let told = plan("");
    assert!(
        told.contains("to do: 2 articles (1 new, 1 changed); 1 done before; 1 failed"),
        "{told}"
    );
    let states: Vec<&str> =
        told.lines().filter(|line| line.contains(" text ")).map(|line| &line[66..73]).collect();
    assert_eq!(states, ["done   ", "changed", "new    "], "{told}");
    let told = plan("--seed 5");
    assert!(told.contains("(1 new, 1 changed, 2 made with other models or settings)"), "{told}");
    assert!(plan("--force").contains("(1 new, 3 again)"));
    let told = plan("--to es,en");
    assert!(told.contains("to do into es: 4 articles (4 new)"), "{told}");
    assert!(told.contains("to do into en: 2 articles (1 new, 1 changed)"), "{told}");
    // Without its model nobody knows what would change.
    let told = sandbox
        .run("batch in --out out --to en --tasks translate --offline --model gone --dry-run");
    assert!(told.code != Some(0), "{}", told.stdout);
}

#[test]
fn neither_clocks_nor_a_second_run_change_anything() {
    let sandbox =
        Sandbox::with([("in/a.txt", FRENCH), ("in/b.jsonl", "{\"text\": \"Le bac.\"}\n")]);
    let run = || sandbox.run(&format!("batch in {SUMMARIZE}"));
    run().expect(0, &["2 done"]);
    let written = sandbox.files("out");
    run().expect(0, &["nothing to do, 2 done before"]);
    assert_eq!(sandbox.files("out"), written);
    // Clocks go wrong: files of tomorrow, and of years ago.
    let times = [0, 4_000_000_000, 1_000_000_000].map(std::time::Duration::from_secs);
    let names = sandbox.files("").into_keys().zip(times.iter().cycle());
    for (name, time) in names.filter(|(name, _)| !name.ends_with(".gguf")) {
        let file = std::fs::File::options().append(true).open(sandbox.path(&name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + *time).unwrap();
    }
    run().expect(0, &["nothing to do, 2 done before"]);
    // A run that was killed before its end has left an old page.
    std::fs::remove_file(sandbox.path("out/.polygist.report")).unwrap();
    sandbox.write("out/report.html", "old");
    run().expect(0, &["nothing to do"]);
    assert!(sandbox.read("out/report.html").contains("b.jsonl"));
}

#[test]
fn a_file_that_vanishes_while_it_waits_stops_no_other() {
    let sandbox = Sandbox::new();
    (0..60).for_each(|n| sandbox.write(&format!("in/{n:02}.txt"), format!("{n}. {FRENCH}")));
    let line = format!("batch in --out out --to en --tasks translate --jobs 1 {TRANSLATOR}");
    let child = sandbox.command(&line).stderr(std::process::Stdio::piped()).spawn().unwrap();
    sandbox.wait_for_records("out", 1);
    std::fs::rename(sandbox.path("in/59.txt"), sandbox.path("59.txt")).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("59.txt") && said.contains("59 done, 1 failed"), "{said}");
    let records = sandbox.records("out");
    assert_eq!(records.iter().filter(|record| record.status == Status::Failed).count(), 1);
    std::fs::rename(sandbox.path("59.txt"), sandbox.path("in/59.txt")).unwrap();
    sandbox.run(&line).expect(0, &["1 done, 59 done before"]);
}

#[test]
fn a_file_that_can_be_read_again_has_failed_no_more() {
    let lines = format!("{{\"text\": {FRENCH:?}}}\n{{\"text\": {GERMAN:?}}}\n");
    let sandbox = Sandbox::with([("in/b.txt", FRENCH)]);
    sandbox.write("in/a.jsonl.gz", b"\x1f\x8b\x08 no more of it");
    let line = "batch in --out out --extractive --length 1s --offline";
    sandbox.run(line).expect(2, &["1 done, 1 failed"]);
    assert_eq!(ids(&sandbox), ["a.jsonl.gz", "b.txt"]);
    std::fs::remove_file(sandbox.path("in/a.jsonl.gz")).unwrap();
    sandbox.write("in/a.jsonl.gz", lines);
    // What is read of a part of the articles tells nothing of the rest.
    sandbox.run(&format!("{line} --limit 1")).expect(0, &["1 done"]);
    assert_eq!(ids(&sandbox), ["a.jsonl.gz#1", "a.jsonl.gz", "b.txt"]);
    sandbox.run(line).expect(0, &["1 done, 2 done before"]);
    assert_eq!(ids(&sandbox), ["a.jsonl.gz#1", "a.jsonl.gz#2", "b.txt"]);
    let status = sandbox.run("status out").expect(0, &[]).stdout;
    assert!(status.starts_with("3 of 3 done, 0 to check, 0 failed"), "{status}");
    sandbox.run(line).expect(0, &["nothing to do, 3 done before"]);
}

#[test]
fn what_cannot_be_written_ends_a_run_that_is_resumed_later() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/b.txt", GERMAN)]);
    let line = format!("batch in --to en --tasks translate --jobs 1 {TRANSLATOR} --out");
    sandbox.run(&format!("{line} in/a.txt/out")).expect(1, &["in/a.txt/out"]);
    // A folder in the place of a file.
    sandbox.write("out/b.txt.en.md/x", "");
    sandbox.run(&format!("{line} out")).expect(1, &["writing", "b.txt.en.md"]);
    assert_eq!(ids(&sandbox), ["a.txt"]);
    assert!(sandbox.read("out/report.html").contains("a.txt"));
    std::fs::remove_dir_all(sandbox.path("out/b.txt.en.md")).unwrap();
    sandbox.run(&format!("{line} out")).expect(0, &["1 done, 1 done before"]);
    assert!(sandbox.files("out").keys().all(|name| !name.ends_with(".tmp")));
}

#[test]
fn an_article_that_takes_too_long_stops_no_other() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("in/c.txt", FRENCH)]);
    let long: String = (0..3000).map(|i| FRENCH.replace("40", &i.to_string())).collect();
    sandbox.write("in/b.txt", long);
    let line = format!("batch in --out out --to en --tasks translate {TRANSLATOR} --timeout");
    sandbox.run(&format!("{line} never")).expect(1, &["no length of time", "90s"]);
    sandbox.run(&format!("{line} 1ms")).expect(2, &["b.txt", "--timeout"]);
    let records = sandbox.records("out");
    assert_eq!(records.len(), 3);
    let failed = records.iter().find(|record| record.id == "b.txt").unwrap();
    assert!(failed.error.as_ref().unwrap().message.contains("takes longer than"));
    sandbox.run(&format!("{line} 1h --retry-failed --pattern a.txt")).expect(0, &[]);
    assert!(sandbox.records("out").iter().any(|record| record.status == Status::Ok));
}

#[cfg(unix)]
#[test]
fn a_request_to_end_is_told_by_the_exit_code() {
    let sandbox = Sandbox::new();
    for i in 0..40 {
        sandbox.write(&format!("in/{i}.txt"), format!("{FRENCH}Le pont numéro {i} reste fermé.\n"));
    }
    let line = format!("batch in --out out --to en --jobs 1 {MODELS}");
    let child = sandbox.command(&line).stderr(std::process::Stdio::piped()).spawn().unwrap();
    sandbox.wait_for_records("out", 2);
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    sandbox.run(&line).expect(0, &["done before"]);
    assert_eq!(ids(&sandbox).len(), 40);
}
