//! Sentences that were translated before, by the job or by people, and both languages side by side.

use crate::common::{FRENCH, MODELS, Sandbox, TRANSLATOR, timeless};
use polygist::types::{Origin, Place, Problem, Record};
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

const BOILERPLATE: &str = "Le prochain conseil se tiendra jeudi à la mairie.";
const TARGET: &str = "The next council will meet on Thursday at the town hall.";
const MEMORY: &str = "out/.polygist.memory";

/// A folder `in` with so many articles, which share a sentence.
fn wire(number: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    (1..=number).for_each(|i| {
        sandbox.write(
            &format!("in/{i}.txt"),
            format!("Le pont numéro {i} de la ville sera fermé.\n\n{BOILERPLATE}\n"),
        )
    });
    sandbox
}

/// Everything that a job has written, times apart.
fn written(sandbox: &Sandbox, out: &str) -> (Vec<Record>, BTreeMap<String, String>) {
    let articles = sandbox.files(out).into_keys().filter(|name| name.ends_with(".md"));
    let texts = articles.map(|name| (name.clone(), sandbox.read(&format!("{out}/{name}"))));
    (timeless(sandbox.records(out)), texts.collect())
}

fn batch(out: &str, flags: &str) -> String {
    format!("batch in --out {out} --to en --from fr --jobs 2 {MODELS} {flags}")
}

fn memory(units: &[(&str, &str)]) -> String {
    let unit = |(source, target): &(&str, &str)| {
        format!(
            "<tu><tuv xml:lang=\"fr-FR\"><seg>{source}</seg></tuv>\
             <tuv xml:lang=\"en-GB\"><seg>{target}</seg></tuv></tu>"
        )
    };
    let units: String = units.iter().map(unit).collect();
    format!("<?xml version=\"1.0\"?><tmx version=\"1.4\"><header/><body>{units}</body></tmx>")
}

#[test]
fn equal_sentences_are_translated_once_and_results_are_the_same() {
    let sandbox = wire(6);
    sandbox.run(&batch("out", "")).expect(0, &["6 done; 5 of 12 sentences were translated before"]);
    let outcome = sandbox.run(&batch("plain", "--no-translation-memory")).expect(0, &["6 done; "]);
    assert!(!outcome.stderr.contains("translated before"));
    let plain = written(&sandbox, "plain");
    assert_eq!(written(&sandbox, "out"), plain);
    assert!(sandbox.exists(MEMORY) && !sandbox.exists("plain/.polygist.memory"));

    // Another run knows all of it; one that is to do all again, nothing.
    fs::remove_file(sandbox.path("out/results.jsonl")).unwrap();
    let all = "12 of 12 sentences were translated before";
    sandbox.run(&batch("out", "")).expect(0, &[all]);
    assert_eq!(written(&sandbox, "out"), plain);
    sandbox.run(&batch("out", "--force")).expect(0, &["5 of 12 sentences"]);
    assert_eq!(written(&sandbox, "out"), plain);
    // What decides on other things than sentences leaves the memory as it is.
    sandbox.run(&batch("out", "--length 1s")).expect(0, &[all]);
}

#[test]
fn runs_with_other_settings_do_not_mix() {
    let sandbox = wire(3);
    sandbox.run(&batch("out", "")).expect(0, &[]);
    for flags in ["--temperature 0.9 --seed 5", "--precision f32", "--beam 2"] {
        fs::remove_file(sandbox.path("out/results.jsonl")).unwrap();
        let anew = "3 done; 2 of 6 sentences";
        sandbox.run(&batch("out", flags)).expect(0, &[anew]);
        let other = flags.replace([' ', '-'], "");
        sandbox.run(&batch(&other, &format!("{flags} --no-translation-memory"))).expect(0, &[]);
        assert_eq!(written(&sandbox, "out"), written(&sandbox, &other), "{flags}");
    }
}

#[test]
fn a_torn_memory_costs_what_was_torn_off() {
    let sandbox = wire(4);
    sandbox.run(&batch("out", "")).expect(0, &[]);
    let expected = written(&sandbox, "out");
    let whole = fs::read(sandbox.path(MEMORY)).unwrap();
    let lines = whole.iter().filter(|&&b| b == b'\n').count();
    assert_eq!(lines, 5);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for memory in [&whole[..whole.len() - 1], &whole[..whole.len() / 2], b"", b"[", &damaged] {
        fs::write(sandbox.path(MEMORY), memory).unwrap();
        fs::remove_file(sandbox.path("out/results.jsonl")).unwrap();
        sandbox.run(&batch("out", "")).expect(0, &["4 done"]);
        assert_eq!(written(&sandbox, "out"), expected);
        let after = fs::read(sandbox.path(MEMORY)).unwrap();
        assert!(after.ends_with(b"\n") && after.iter().filter(|&&b| b == b'\n').count() >= lines);
    }
}

#[test]
fn a_killed_run_with_a_memory_ends_as_if_nothing_had_happened() {
    let sandbox = wire(12);
    let line = |out: &str| batch(out, "").replace("--jobs 2", "--jobs 1");
    let mut child = sandbox.command(&line("out")).stderr(Stdio::null()).spawn().unwrap();
    sandbox.wait_for_records("out", 2);
    child.kill().unwrap();
    child.wait().unwrap();
    // As if the power had been cut in a line.
    let memory = fs::read(sandbox.path(MEMORY)).unwrap();
    fs::write(sandbox.path(MEMORY), &memory[..memory.len() - 7]).unwrap();
    sandbox.run(&line("out")).expect(0, &[" done before", "translated before"]);
    sandbox.run(&line("whole")).expect(0, &["12 done"]);
    assert_eq!(written(&sandbox, "out"), written(&sandbox, "whole"));
}

#[test]
fn what_people_translated_stands_for_what_a_model_does() {
    let sandbox = wire(2);
    let ours = memory(&[(BOILERPLATE, TARGET)]);
    sandbox.write("ours.tmx", &ours);
    let bridges = [
        ("Le pont numéro 1 de la ville sera fermé.", "Bridge number 1 will be closed."),
        ("Le pont  numéro 2 de la ville sera fermé.", "Bridge number 3 will be closed."),
    ];
    sandbox.write("bridges.tmx", memory(&bridges));
    let run = |flags: &str, says: &[&str]| {
        sandbox.run(&batch("out", flags)).expect(0, says);
        sandbox.records("out")
    };
    let plain = run("", &["2 done"]);
    let known = run("--tm ours.tmx --tm bridges.tmx", &["2 done"]);
    let text = &known[0].translation.as_ref().unwrap().text;
    assert_eq!(text.trim_end(), format!("Bridge number 1 will be closed.\n\n{TARGET}"));
    let origins = |record: &Record| -> Vec<Origin> {
        record.segments.iter().flatten().map(|segment| segment.origin).collect()
    };
    assert_eq!(origins(&plain[0]), [Origin::Model, Origin::Model]);
    assert_eq!(origins(&known[0]), [Origin::Memory, Origin::Memory]);
    assert!(known[0].checks.flagged.is_empty(), "{:?}", known[0].checks);
    // People are not believed blindly, but what they wrote stands.
    let wrong = &known[1].segments.as_ref().unwrap()[0];
    assert_eq!(wrong.problems, [Problem::Number]);
    assert_eq!(wrong.target, "Bridge number 3 will be closed.");
    // The key tells whether they had a part in it, and which.
    assert_ne!(known[0].key, plain[0].key);
    run("--tm ours.tmx --tm bridges.tmx", &["nothing to do"]);
    run("--tm ours.tmx", &["2 done"]);
    let again = run("", &["2 done"]);
    assert_eq!(timeless(again), timeless(plain));

    let lines = format!("translate --lines --to en --from fr --tm ours.tmx {TRANSLATOR}");
    let out = sandbox.run_with(&lines, &format!("{BOILERPLATE}\n")).expect(0, &[]).stdout;
    assert_eq!(out, format!("{TARGET}\n"));
}

#[test]
fn a_memory_that_cannot_be_used_says_why() {
    let sandbox = wire(1);
    let bomb = "<!DOCTYPE tmx [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><tmx>&a;</tmx>";
    sandbox.write("bomb.tmx", bomb);
    sandbox.write("notes.tmx", "some notes");
    sandbox.write("german.tmx", memory(&[]));
    let run = |flags: &str, code: i32, says: &[&str]| {
        sandbox.run(&batch("new", flags)).expect(code, says);
    };
    run("--tm bomb.tmx", 1, &["bomb.tmx", "declarations of its own"]);
    run("--tm notes.tmx", 1, &["notes.tmx", "expected a TMX file"]);
    run("--tm none.tmx", 1, &["none.tmx"]);
    assert!(!sandbox.exists("new"));
    run("--tm german.tmx", 0, &["german.tmx: has no translation into en"]);
    sandbox.run(&format!("batch in --out new --tm german.tmx {MODELS}")).expect(1, &["--to en"]);
    for flags in ["--bilingual", "--write-tm a.tmx"] {
        let line = format!("translate --lines --to en --from fr {flags} {TRANSLATOR}");
        sandbox.run_with(&line, FRENCH).expect(1, &["leave --lines away"]);
    }
}

#[test]
fn a_memory_that_is_written_can_be_read() {
    let sandbox = wire(2);
    sandbox.write(
        "ours.tmx",
        memory(&[(BOILERPLATE, "It meets on Thursday &amp; Friday at the town hall.")]),
    );
    let line = batch("out", "--tm ours.tmx --write-tm new/all.tmx");
    // What the tiny model writes never passes the checks.
    sandbox.run(&line).expect(0, &["all.tmx: 1 sentence; left out as doubtful: 2"]);
    let text = sandbox.read("new/all.tmx");
    assert!(
        text.contains("srclang=\"fr\"") && text.contains("creationtool=\"polygist\""),
        "{text}"
    );
    assert!(
        text.contains("<seg>It meets on Thursday &amp; Friday at the town hall.</seg>"),
        "{text}"
    );
    // It is written of what is done, too.
    sandbox
        .run(&line.replace("new/", "newer/"))
        .expect(0, &["nothing to do", "all.tmx: 1 sentence"]);
    assert_eq!(sandbox.read("newer/all.tmx"), text);
    let origins = |record: &Record| -> Vec<Origin> {
        record.segments.iter().flatten().map(|segment| segment.origin).collect()
    };
    sandbox.run(&batch("other", "--tm new/all.tmx")).expect(0, &[]);
    assert_eq!(origins(&sandbox.records("other")[0]), [Origin::Model, Origin::Memory]);

    let line =
        format!("translate in --to en --from fr --tm ours.tmx --write-tm b.tmx {TRANSLATOR}");
    sandbox.run(&line).expect(0, &["b.tmx: 1 sentence"]);
    assert_eq!(sandbox.read("b.tmx"), text);
}

#[test]
fn segments_are_in_records_unless_nobody_wants_them() {
    let sandbox = wire(1);
    sandbox.write("in/1.md", format!("# Pont fermé\n\n- Le pont est fermé.\n\n{BOILERPLATE}\n"));
    sandbox.run(&batch("out", "")).expect(0, &["2 done"]);
    let records = sandbox.records("out");
    let places = |record: &Record| -> Vec<Place> {
        record.segments.iter().flatten().map(|segment| segment.place).collect()
    };
    let markdown = records.iter().find(|record| record.id == "1.md").unwrap();
    assert_eq!(places(markdown)[0], Place::Title);
    // The title stands among the blocks there, and is none of them.
    assert_eq!(places(markdown)[1..], [Place::Item(0), Place::Paragraph(1)]);
    assert!(!sandbox.read("out/report.html").contains("copied as it is"));
    let sources: Vec<&str> =
        markdown.segments.iter().flatten().map(|segment| segment.source.as_str()).collect();
    assert_eq!(sources, ["Pont fermé", "Le pont est fermé.", BOILERPLATE]);

    // What is copied is told once, where it stands.
    sandbox.write("code/a.md", "# Pont fermé\n\nLe pont est fermé.\n\n```\nx\n```\n\nIl pleut.\n");
    sandbox.run(&batch("copied", "").replace("batch in", "batch code")).expect(0, &["1 done"]);
    let page = sandbox.read("copied/report.html");
    assert_eq!(page.matches("1 block copied as it is").count(), 1, "{page}");

    // Without them the same work counts as done, and with them again.
    sandbox.run(&batch("bare", "--no-segments")).expect(0, &["2 done"]);
    let bare = sandbox.records("bare");
    let without = |record: Record| Record { segments: None, ..record };
    let expected: Vec<Record> = records.iter().cloned().map(without).collect();
    assert_eq!(timeless(bare), timeless(expected));
    sandbox.run(&batch("bare", "")).expect(0, &["nothing to do"]);
    assert!(sandbox.records("bare").iter().all(|record| record.segments.is_none()));
    // What needs them makes them, and the models have nothing to do.
    sandbox.run(&batch("bare", "--bilingual")).expect(0, &["2 done; 5 of 5 sentences"]);
    assert_eq!(timeless(sandbox.records("bare")), timeless(records));
    sandbox
        .run(&batch("out", "--no-segments --bilingual"))
        .expect(1, &["--no-segments", "--bilingual"]);
}

#[test]
fn both_languages_stand_side_by_side() {
    let sandbox = wire(2);
    let target = "The next council will meet on Thursday, at the \"town hall\".";
    sandbox.write("ours.tmx", memory(&[(BOILERPLATE, target)]));
    let run = |flags: &str, says: &str| {
        sandbox.run(&batch("out", &format!("--tm ours.tmx {flags}"))).expect(0, &[says]);
    };
    run("", "2 done");
    // Of what is done the files are made without a model.
    run("--bilingual", "nothing to do, 2 done before");
    let text = sandbox.read("out/1.txt.en.bilingual.md");
    assert!(text.contains(&format!("\n\n{target}\n\n> {BOILERPLATE}\n")), "{text}");
    run("--bilingual=html", "nothing to do, 2 done before");
    let text = sandbox.read("out/2.txt.en.bilingual.html");
    assert!(text.contains("at the &quot;town hall&quot;.") && text.ends_with("</html>\n"));
    sandbox.write("in/1.txt", format!("{BOILERPLATE}\n"));
    run("--bilingual=csv", "1 done, 1 done before");
    let text = sandbox.read("out/1.txt.en.bilingual.csv");
    let quoted = target.replace('"', "\"\"");
    let row = format!("{BOILERPLATE},\"{quoted}\",\r\n");
    assert_eq!(text, format!("source,target,problems\r\n{row}"));
    run("--bilingual=csv", "nothing to do");

    let translate = |flags: &str| {
        let line = format!("translate --to en --from fr --tm ours.tmx {flags} {TRANSLATOR}");
        sandbox.run(&line).expect(0, &[]).stdout
    };
    assert_eq!(translate("in/1.txt --bilingual=csv"), text);
    assert!(translate("in/1.txt --bilingual").contains(&format!("{target}\n\n> {BOILERPLATE}")));
    translate("in --bilingual=html -o pages/");
    assert!(sandbox.read("pages/1.en.bilingual.html").contains("<table>"));
    let line = format!("translate in/1.txt --to en --bilingual --format json {TRANSLATOR}");
    sandbox.run(&line).expect(1, &["\"segments\""]);
}

#[test]
fn documents_hold_both_languages() {
    let film = format!("1\n00:00:01,000 --> 00:00:03,000\n{BOILERPLATE}\n");
    let page = format!("<html><body><p>{BOILERPLATE}</p></body></html>");
    let sandbox = Sandbox::with([("in/film.srt", &film), ("page.html", &page)]);
    let target = "The next council is on Thursday.";
    sandbox.write("ours.tmx", memory(&[(BOILERPLATE, target)]));
    let line = |flags: &str| batch("out", &format!("--tm ours.tmx {flags}"));
    sandbox.run(&line("")).expect(0, &["1 done"]);
    sandbox.run(&line("--bilingual")).expect(0, &["1 done"]);
    let both = sandbox.read("out/film.en.bilingual.srt");
    assert!(both.contains(BOILERPLATE) && both.contains(target), "{both}");
    let one = sandbox.read("out/film.en.srt");
    assert!(!one.contains(BOILERPLATE) && one.contains(target), "{one}");
    sandbox.run(&line("--bilingual")).expect(0, &["nothing to do"]);
    // As a table it is no document.
    sandbox.run(&line("--bilingual=csv")).expect(0, &["nothing to do"]);
    assert!(sandbox.read("out/film.srt.en.bilingual.csv").contains(target));

    let line = format!("translate --to en --from fr --tm ours.tmx {TRANSLATOR} --bilingual");
    let html = format!("{line} --format html page.html");
    let both = sandbox.run(&html).expect(0, &[]).stdout;
    let (source, translation) = (both.find(BOILERPLATE).unwrap(), both.find(target).unwrap());
    assert!(source < translation, "{both}");
    let both = sandbox.run(&format!("{line} in/film.srt")).expect(0, &[]).stdout;
    assert_eq!(both, sandbox.read("out/film.en.bilingual.srt"));
}
