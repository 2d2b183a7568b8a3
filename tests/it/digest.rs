//! `polygist digest` as a user runs it, with a tiny encoder of random weights: equal texts are near
//! to one another, and no others are known to be.

use crate::common::{FRENCH, Sandbox, TRANSLATOR, fixture};
use serde_json::Value;

const WIRE: &str = "Ferry aground off Port Ellen\n\nA ferry with 120 people on board ran aground off \
    Port Ellen on Sunday in thick fog. All of the passengers were brought ashore within three \
    hours, the coast guard said. Two tugs will try to pull it free at high tide on Tuesday.\n";

const BANK: &str = "Bank raises rates\n\nThe central bank raised its interest rate to five percent. \
    Shares fell. The bank said that prices would go on rising.\n";

/// An output folder with two copies of one report, another article and one in French.
fn finished() -> Sandbox {
    let longer = format!("{} It was foggy all day on the coast of the island.\n", WIRE.trim());
    let sandbox = Sandbox::with([
        ("in/a.txt", BANK),
        ("in/b.txt", WIRE),
        ("in/c.txt", &longer),
        ("in/d.txt", FRENCH),
    ]);
    sandbox.run("batch in --out out --extractive --length 3s --offline").expect(0, &["4 done"]);
    sandbox
}

fn line(flags: &str) -> String {
    let encoder = fixture("encoders/bert");
    format!("digest out --offline --model {} {flags}", encoder.display())
}

#[test]
fn articles_come_by_the_stories_that_they_tell() {
    let sandbox = finished();
    let outcome = sandbox
        .run(&line("--threshold 0.9999"))
        .expect(0, &["3 articles in 1 language: 1 story told"]);
    assert_eq!(outcome.stdout.lines().count(), 3, "{}", outcome.stdout);
    let digest: Value = serde_json::from_str(&sandbox.read("out/digest.json")).unwrap();
    assert_eq!((&digest["language"], &digest["left_out"]), (&Value::from("en"), &Value::from(1)));
    let stories = digest["stories"].as_array().unwrap();
    let sources = stories[0]["sources"].as_array().unwrap();
    let ids: Vec<&str> = sources.iter().map(|source| source["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["b.txt", "c.txt"]);
    let copies = sources.iter().filter(|source| source["copy_of"].is_u64()).count();
    assert_eq!(copies, 1, "{digest}");
    // One summary, of one text.
    let sentences = stories[0]["sentences"].as_array().unwrap();
    assert_eq!(sentences.len(), 3);
    let summary = stories[0]["summary"].as_str().unwrap();
    assert_eq!(summary.matches("A ferry with 120 people").count(), 1, "{summary}");
    assert_eq!(stories[1]["sources"].as_array().unwrap().len(), 1);

    let text = sandbox.read("out/digest.md");
    for says in [
        "3 articles in 1 language: 1 story told by several sources, 1 by one. 1 article left out",
        "## 1. Ferry aground off Port Ellen",
        "*2 sources in English · 1 of them with the text of another*",
        "   - the same text: [Ferry aground off Port Ellen](",
        "## Told by one source\n\n- [Bank raises rates](a.txt.en.md) · English · a.txt: The central",
    ] {
        assert!(text.contains(says), "{says}\n{text}");
    }
    let page = sandbox.read("out/digest.html");
    assert!(page.contains("href=\"b.txt.en.md\"") && page.contains("Bank raises rates"), "{page}");
    assert!(!page.contains("<script"), "{page}");

    // Equal input has equal output, and the folder's job is as it was.
    sandbox.run(&line("--threshold 0.9999 --threads 1")).expect(0, &[]);
    assert_eq!(sandbox.read("out/digest.md"), text);
    assert_eq!(sandbox.read("out/digest.html"), page);
    sandbox.run("verify out").expect(0, &["4 records, 0 findings"]);
    let shorter = sandbox.run(&line("--threshold 0.9999 --length 1s")).expect(0, &[]);
    assert!(shorter.stdout.contains("digest.md"));
    let digest: Value = serde_json::from_str(&sandbox.read("out/digest.json")).unwrap();
    assert_eq!(digest["stories"][0]["sentences"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_told_says_why() {
    let sandbox = finished();
    sandbox.run("digest in --offline").expect(1, &["all-MiniLM-L6-v2", "--offline"]);
    let nothing = line("").replace("digest out", "digest in");
    sandbox.run(&nothing).expect(1, &["results.jsonl", "polygist batch"]);
    sandbox.run(&line("--to de")).expect(1, &["German (de)", "--to"]);
    sandbox.run(&line("--threshold 2")).expect(1, &["from 0 to 1"]);
    // Articles in their own language do, if the encoder knows it.
    sandbox.run(&line("--to fr")).expect(0, &["1 article in 1 language: 0 stories"]);
    assert!(!sandbox.exists("in/digest.md"));
}

/// A translation memory with one sentence of [`FRENCH`].
const KNOWN: &str = "<?xml version=\"1.0\"?><tmx version=\"1.4\"><header/><body><tu>\
    <tuv xml:lang=\"fr\"><seg>La ville a fermé son plus vieux pont.</seg></tuv>\
    <tuv xml:lang=\"en\"><seg>The town has closed its oldest bridge.</seg></tuv>\
    </tu></body></tmx>";

#[test]
fn what_the_checks_doubt_leads_no_story_and_is_marked_where_it_stands() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("known.tmx", KNOWN)]);
    let batch = |out: &str, flags: &str| {
        let line = format!("batch in --out {out} --to en --from fr {TRANSLATOR} {flags}");
        sandbox.run(&line).expect(0, &["1 done"]);
    };
    let digest = |out: &str| {
        sandbox.run(&line("").replace("digest out", &format!("digest {out}"))).expect(0, &[]);
        let digest: Value =
            serde_json::from_str(&sandbox.read(&format!("{out}/digest.json"))).unwrap();
        digest["stories"][0]["sentences"].clone()
    };
    let texts = |sentences: &Value| -> Vec<String> {
        let all = sentences.as_array().unwrap().iter();
        all.map(|sentence| sentence["text"].as_str().unwrap().to_string()).collect()
    };
    // One sentence is known, and nonsense stands for the other.
    batch("part", "--tasks translate --on-bad keep --tm known.tmx");
    assert_eq!(texts(&digest("part")), ["The town has closed its oldest bridge."]);
    assert!(!sandbox.read("part/digest.md").contains("to check"));

    // Nonsense alone, with the segments and without.
    for (out, flags) in [("all", ""), ("bare", "--no-segments")] {
        batch(out, &format!("--tasks translate --on-bad keep {flags}"));
        let doubted = digest(out);
        let first = &doubted[0];
        assert!(first["problems"].as_array().is_some_and(|all| !all.is_empty()), "{doubted}");
        let (text, page) = ("digest.md", "digest.html");
        let (text, page) =
            (sandbox.read(&format!("{out}/{text}")), sandbox.read(&format!("{out}/{page}")));
        assert!(text.contains(" [to check: "), "{text}");
        assert!(page.contains("<mark>") && page.contains("(to check: "), "{page}");
    }

    // What stands in the source's language is no text of an English digest.
    batch("left", "--tasks translate --on-bad source --tm known.tmx");
    assert_eq!(texts(&digest("left")), ["The town has closed its oldest bridge."]);
    batch("none", "--tasks translate --on-bad source");
    let none = line("").replace("digest out", "digest none");
    sandbox.run(&none).expect(1, &["no article in English"]);

    // An article that was summarized in English is not read again in French.
    batch("gist", "--tasks summarize --on-bad source --tm known.tmx");
    assert_eq!(texts(&digest("gist")), ["The town has closed its oldest bridge."]);
}
