//! `polygist eval`: scores are sacreBLEU's (`scripts/fixtures/make_metrics.py`).

use crate::common::{Sandbox, fixture, json};
use serde_json::Value;

fn lines(value: &Value) -> String {
    let lines = value.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}

/// What `eval --format json` prints.
fn scores(sandbox: &Sandbox, flags: &str) -> Value {
    let out = sandbox.run(&format!("eval --quiet --format json {flags}")).expect(0, &[]).stdout;
    serde_json::from_str(&out).unwrap()
}

#[test]
fn scores_signatures_and_intervals_are_those_of_sacrebleu() {
    let cases = json(fixture("metrics/cases.json"));
    for case in cases.as_array().unwrap() {
        let sandbox = Sandbox::new();
        sandbox.write("hyp.txt", lines(&case["system"]));
        let mut flags = "--hyp hyp.txt".to_string();
        for (at, references) in case["references"].as_array().unwrap().iter().enumerate() {
            sandbox.write(&format!("ref{at}.txt"), lines(references));
            flags += &format!(" --ref ref{at}.txt");
        }
        let found = scores(&sandbox, &flags);
        let language = &case["language"];
        for metric in ["bleu", "chrf2"] {
            let (found, expected) = (&found["scores"][metric], &case[metric]);
            assert_eq!(found["signature"], expected["signature"], "{language} {metric}");
            for figure in ["score", "mean", "half_width"] {
                let [found, expected] = [found, expected].map(|of| of[figure].as_f64().unwrap());
                // sacreBLEU resamples in single precision.
                assert!(
                    (found - expected).abs() < 1e-3,
                    "{language} {metric} {figure}: {found}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn a_table_tells_lengths_and_copies() {
    let sandbox = Sandbox::with([
        ("src.txt", "Le port est fermé depuis lundi matin.\nMerci.\n"),
        ("hyp.txt", "Le port est fermé since Monday.\nThanks.\n"),
        ("ref.txt", "The port has been closed since Monday morning.\nThanks.\n"),
    ]);
    let run = sandbox.run("eval --src src.txt --hyp hyp.txt --ref ref.txt --to en");
    let out = run.expect(0, &["2 lines; so few lines say little"]).stdout;
    let row = |name: &str| out.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    assert!(out.starts_with("2 translations\n"), "{out}");
    assert!(row("BLEU").contains("nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a"), "{out}");
    assert!(row("length").contains("0.82"), "{out}");
    assert!(row("copied").contains("44.44"), "{out}");
}

#[test]
fn summaries_are_judged_beside_the_first_sentences_of_their_articles() {
    let sandbox = Sandbox::with([(
        "set.jsonl",
        r#"{"article": "The bridge opened. It cost ten million. Trams use it. Nobody came.", "summary": "The bridge opened. It cost ten million. Trams use it.", "mine": "The bridge cost ten million."}
{"article": "Rain fell.\nRivers rose. Fields flooded. Crops were lost.", "summary": "Rain flooded fields.", "mine": "Crops were lost."}
"#,
    )]);
    let files = "--hyp set.jsonl:mine --ref set.jsonl:summary --src set.jsonl:article";
    let found = scores(&sandbox, &format!("--summaries {files}"));
    let score = |name: &str| found["scores"][name]["score"].as_f64().unwrap();
    assert_eq!(score("rouge_1"), (2.0 * 500.0 / 15.0) / 2.0);
    // Lead-3 is the first summary itself.
    assert!((score("lead_3_rouge_1") - (100.0 + 200.0 * 3.0 / 9.0) / 2.0).abs() < 1e-9);
}

#[test]
fn files_that_cannot_be_compared_are_told() {
    let sandbox = Sandbox::with([
        ("two.txt", "a\nb\n"),
        ("three.txt", "a\nb\nc\n"),
        ("none.txt", ""),
        ("set.jsonl", "{\"headline\": \"x\"}\n"),
        ("torn.jsonl", "{\"text\": \"x\"}\n{\"tex"),
    ]);
    sandbox.write("latin.txt", b"caf\xe9\n");
    for (flags, expected) in [
        ("--hyp two.txt --ref three.txt", &["three.txt: has 3 lines", "two.txt has 2"][..]),
        ("--hyp none.txt --ref none.txt", &["none.txt", "has no line"]),
        ("--hyp two.txt --ref gone.txt", &["gone.txt"]),
        ("--hyp set.jsonl --ref two.txt", &["set.jsonl", "headline", "file.jsonl:FIELD"]),
        ("--hyp torn.jsonl --ref two.txt", &["torn.jsonl", "line 2"]),
        ("--hyp latin.txt --ref latin.txt", &["latin.txt", "not UTF-8 at byte 3"]),
    ] {
        sandbox.run(&format!("eval {flags}")).expect(1, expected);
    }
}
