//! `polygist stream`: a record for each line, in the lines' order, as soon as it can be had.

use crate::common::{ENGLISH, FRENCH, GERMAN, MODELS, Sandbox, TRANSLATOR, parse};
use polygist::types::Status;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

fn values(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_line_has_a_record_with_its_own_id() {
    let sandbox = Sandbox::new();
    let lines = [
        json!({"id": 17, "text": FRENCH, "desk": "nord"}).to_string(),
        "nonsense".into(),
        String::new(),
        json!({"id": "b", "title": "Brücke", "text": GERMAN}).to_string(),
        json!({"id": 17, "text": FRENCH}).to_string(),
        json!({"id": "c", "text": ENGLISH}).to_string(),
        json!({"id": "d", "text": " "}).to_string(),
    ];
    let input = lines.join("\n");
    let found = sandbox.run_with(&format!("stream --to en {MODELS}"), &input);
    let found = found.expect(2, &["4 done, 2 failed"]);
    let all = values(&found.stdout);
    let ids: Vec<&Value> = all.iter().map(|record| &record["id"]).collect();
    assert_eq!(
        ids,
        [&json!(17), &json!("line 2"), &json!("b"), &json!(17), &json!("c"), &json!("d")]
    );
    assert_eq!(all[0]["extra"]["desk"], "nord");
    assert_eq!(all[0]["translation"]["text"], all[3]["translation"]["text"]);
    assert!(all[1]["error"]["message"].as_str().unwrap().contains("line 2"));
    assert!(all[4].get("translation").is_none() && all[4]["summary"]["text"].is_string());
    let failed: Vec<bool> = all.iter().map(|record| record["status"] == "failed").collect();
    assert_eq!(failed, [false, true, false, false, false, true]);

    // The same lines as a job give the same results.
    sandbox.write("in/lines.jsonl", &input);
    sandbox.run(&format!("batch in --out out --to en {MODELS}")).expect(2, &[]);
    let of_job = sandbox.records("out");
    let texts = |record: &Value| record["translation"]["text"].clone();
    for (record, streamed) in of_job.iter().zip(&all) {
        let text = record.translation.as_ref().map(|translation| json!(translation.text));
        assert_eq!(text.unwrap_or_default(), texts(streamed), "{}", record.id);
    }
}

#[test]
fn order_and_groups_change_nothing_but_the_order() {
    let sandbox = Sandbox::new();
    let line = |i: usize| json!({"id": format!("{i:03}"), "text": FRENCH.repeat(1 + i % 3)});
    let input: String = (0..40).map(|i| format!("{}\n", line(i))).collect();
    let run = |flags: &str| {
        let line = format!("stream --to en --tasks translate {TRANSLATOR} {flags}");
        let found = sandbox.run_with(&line, &input).expect(0, &["40 done, 0 failed"]);
        let mut records = parse(&found.stdout);
        records.iter_mut().for_each(|record| record.stats.seconds = 0.0);
        assert!(records.iter().all(|record| record.status == Status::Ok));
        records
    };
    let ordered = run("--jobs 7");
    assert!(ordered.is_sorted_by_key(|record| record.id.clone()));
    let mut unordered = run("--unordered --jobs 1");
    unordered.sort_by_key(|record| record.id.clone());
    assert_eq!(ordered, unordered);
}

#[test]
fn who_sends_one_line_gets_its_answer() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&format!("stream --to en --tasks translate {TRANSLATOR}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (send, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || output.lines().try_for_each(|line| send.send(line.unwrap())));
    for id in ["one", "two"] {
        writeln!(input, "{}", json!({"id": id, "text": FRENCH})).unwrap();
        let answer = answers.recv_timeout(Duration::from_secs(60)).expect("an answer");
        assert_eq!(values(&answer)[0]["id"], id);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
