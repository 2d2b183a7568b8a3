//! Documents that are translated in place, through the program.

use crate::common::{MODELS, Sandbox, TRANSLATOR};

const FILM: &str = "1\n00:00:01,000 --> 00:00:03,000\n<i>Le pont de la vieille ville</i>\n\n2\n\
    00:00:03,100 --> 00:00:05,000\n<i>sera fermé lundi.</i>\n";
const TABLE: &str = "id,title,text\n1,Pont fermé,\"Le pont, dit-il, sera fermé lundi.\"\n";

/// The lines of a subtitle file that are no text.
fn frame(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.contains(char::is_alphabetic)).collect()
}

#[test]
fn a_folder_of_documents_is_translated() {
    let sandbox = Sandbox::with([("in/film.srt", FILM), ("in/sub/table.csv", TABLE)]);
    let line = format!("batch in --out out --to en --from fr --columns text {MODELS}");
    sandbox.run(&line).expect(0, &["2 done"]);
    let records = sandbox.records("out");
    let documents: Vec<_> = records.iter().map(|r| r.document.as_deref().unwrap()).collect();
    assert_eq!(documents, ["film.en.srt", "sub/table.en.csv"]);
    assert!(sandbox.exists("out/film.srt.en.md"));
    assert_eq!(frame(&sandbox.read("out/film.en.srt")), frame(FILM));
    let table = sandbox.read("out/sub/table.en.csv");
    assert!(table.starts_with("id,title,text\n1,Pont fermé,\""), "{table}");
    sandbox.run(&line).expect(0, &["nothing to do, 2 done before"]);
}

#[test]
fn one_document_goes_to_its_place() {
    let sandbox = Sandbox::with([("film.srt", FILM), ("table.csv", TABLE), ("a.csv", "a,\"b\n")]);
    let run = |line: &str| sandbox.run(&format!("translate --to en --from fr {TRANSLATOR} {line}"));
    run("film.srt -o new/film.en.srt").expect(0, &[]);
    assert_eq!(frame(&sandbox.read("new/film.en.srt")), frame(FILM));
    let printed = run("film.srt").expect(0, &[]).stdout;
    assert_eq!(printed, sandbox.read("new/film.en.srt"));
    let line = format!("translate --to en --from fr --format srt {TRANSLATOR}");
    assert_eq!(sandbox.run_with(&line, FILM).expect(0, &[]).stdout, printed);
    run("film.srt table.csv -o out/").expect(0, &[]);
    assert!(sandbox.exists("out/film.en.srt") && sandbox.exists("out/table.en.csv"));
    run("film.srt table.csv").expect(1, &["name a folder with --output"]);
    run("film.srt -o film.txt").expect(1, &["stays one"]);
    run("film.srt --format docy").expect(1, &["expected text, json"]);
    run("table.csv --columns body").expect(2, &["no column", "id, title, text"]);
    assert!(!run("film.srt --format text").expect(0, &[]).stdout.contains("-->"));
}
