//! `polygist bench`: its numbers fit together, and it leaves nothing behind. No time is asserted.

use crate::common::{FRENCH, GERMAN, MODELS, Sandbox, TRANSLATOR};
use serde_json::Value;
use std::process::Stdio;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A rate times the time is the amount, and the spreads have an order.
#[track_caller]
fn fits(measured: &Value, rate: &str, amount: &str) {
    let (seconds, rate, amount) =
        (&measured["seconds"], &measured[rate], number(&measured[amount]));
    for (time, rate) in
        [("median", "median"), ("min", "max"), ("max", "min")].map(|(t, r)| (&seconds[t], &rate[r]))
    {
        let product = number(time) * number(rate);
        assert!(
            (product - amount).abs() < 1e-6 * amount.max(1.0),
            "{time} s × {rate}/s = {product}, not {amount}"
        );
    }
    assert!(number(&rate["min"]) <= number(&rate["median"]), "{rate}");
    assert!(number(&rate["median"]) <= number(&rate["max"]), "{rate}");
}

#[test]
fn every_combination_of_random_weights_is_measured_and_its_numbers_fit() {
    let sandbox = Sandbox::new();
    let line = "bench --synthetic tiny,tiny-decoder --precision int8,f32 --threads 1,2 --batch 2,8 --beam 1,3 --sentences 5 --tokens 7 \
                --runs 2 --format json --seed 3";
    let report = json(&sandbox.run(line).expect(0, &[]).stdout);
    let all = report["measurements"].as_array().unwrap();
    let mut settings: Vec<String> = all
        .iter()
        .map(|m| {
            ["model", "precision", "threads", "batch", "beam"]
                .map(|key| m[key].to_string())
                .join(" ")
        })
        .collect();
    assert_eq!(settings.first().unwrap(), "\"tiny\" \"int8\" 1 2 1");
    settings.sort();
    settings.dedup();
    assert_eq!((all.len(), settings.len()), (32, 32));
    assert_eq!(
        report["peaks"].as_array().unwrap().len(),
        4,
        "one for each precision and number of threads"
    );
    for m in all {
        assert_eq!(
            (&m["sentences"], &m["requests"], &m["target_tokens"]),
            (&5.into(), &5.into(), &35.into()),
            "{m}"
        );
        assert_eq!(m["source_tokens"], all[0]["source_tokens"], "the same sources for all");
        assert_eq!(m["runs"].as_array().unwrap().len(), 2);
        fits(m, "sentences_per_second", "sentences");
        fits(m, "source_tokens_per_second", "source_tokens");
        fits(m, "target_tokens_per_second", "target_tokens");
        let peak = report["peaks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["precision"] == m["precision"] && p["threads"] == m["threads"]);
        let share = number(&m["gops"]["median"]) / number(&peak.unwrap()["gops"]);
        assert!((number(&m["share_of_peak"]) - share).abs() < 1e-9 * share, "{m}");
        let gops = number(&m["operations"]) / 1e9 / number(&m["stages"]["generate"]);
        assert!((number(&m["gops"]["median"]) - gops).abs() < 1e-6 * gops, "{m}");
        assert!(number(&m["first_token_seconds"]["median"]) > 0.0);
        assert!(number(&m["load_seconds"]) > 0.0);
        assert!(m.get("articles").is_none());
        assert!(m.get("articles_per_second").is_none());
        #[cfg(target_os = "linux")]
        for memory in ["peak_memory", "load_memory"] {
            assert!(number(&m[memory]) > 1e6, "{memory}");
        }
    }
    // Neither threads nor batch change what is computed; a beam computes more, and a source is read
    // once for all of it.
    let operations = |model: &str, beam: u64| {
        let of = |m: &&Value| m["model"] == model && m["beam"] == beam;
        let mut all: Vec<f64> = all.iter().filter(of).map(|m| number(&m["operations"])).collect();
        all.dedup();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    };
    for model in ["tiny", "tiny-decoder"] {
        let (one, three) = (operations(model, 1), operations(model, 3));
        assert!(one < three && three < 3.0 * one, "{model}: {one} {three}");
    }
    assert_eq!(operations("tiny", 1), by_hand(number(&all[0]["source_tokens"]), 5.0, 7.0));
}

/// Operations of the shape `tiny`: two layers of width 64 and 128 in each half, 512 tokens.
fn by_hand(source: f64, sentences: f64, tokens: f64) -> f64 {
    let (square, fed) = (64.0 * 64.0, 2.0 * 64.0 * 128.0);
    let encoder = 2.0 * (4.0 * square + fed) + 2.0 * 2.0 * square;
    let decoder = 2.0 * (6.0 * square + fed) + 64.0 * 512.0;
    2.0 * (source * encoder + sentences * tokens * decoder)
}

#[test]
fn presets_are_those_of_translate() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH)]);
    let line = format!("bench in --to en --runs 1 --warmup 0 --threads 1 --format json {MODELS}");
    let written = |flags: &str| {
        let report = json(&sandbox.run(&format!("{line} {flags}")).expect(0, &[]).stdout);
        number(&report["measurements"][0]["operations"])
    };
    assert_eq!(written("--fast"), written("--beam 1"));
    assert_eq!(written("--best"), written("--beam 4"));
    assert!(written("--fast") != written("--best"));
    sandbox.run(&format!("{line} --fast --best")).expect(1, &["cannot be used with"]);
}

#[test]
fn articles_go_through_the_pipeline_and_nothing_is_written() {
    let sandbox = Sandbox::with([
        ("in/a.txt", FRENCH),
        ("in/b.txt", GERMAN),
        ("in/broken.json", "{\"text\": \"cut o"),
    ]);
    let before = sandbox.files(".");
    let line = format!(
        "bench in --to en --task translate,summarize --runs 1 --warmup 0 --threads 1 --format json {MODELS}"
    );
    let report = json(&sandbox.run(&line).expect(0, &["broken.json"]).stdout);
    assert_eq!(sandbox.files("."), before);
    let m = &report["measurements"][0];
    assert_eq!(
        (&m["articles"], &m["failed"], &m["sentences"]),
        (&2.into(), &0.into(), &4.into()),
        "{m}"
    );
    assert!(number(&m["requests"]) >= 4.0, "{m}");
    assert!(m.get("beam").is_none(), "{m}");
    assert_eq!(
        (&m["task"], &m["model"]),
        (&"translate,summarize".into(), &"translator.gguf + writer.gguf".into())
    );
    fits(m, "articles_per_second", "articles");
    fits(m, "sentences_per_second", "sentences");
    fits(m, "target_tokens_per_second", "target_tokens");
    let stage = |name: &str| number(&m["stages"][name]);
    assert!(stage("read") > 0.0);
    assert!(stage("write") > 0.0);
    assert!(stage("tokenize") > 0.0);
    let sum = stage("text") + stage("tokenize") + stage("generate") + stage("write");
    assert!((sum - number(&m["seconds"]["median"])).abs() < 1e-6, "{m}");

    // The counts are those of a batch.
    sandbox
        .run(&format!("batch in --to en --tasks translate --out out --threads 1 {MODELS}"))
        .expect(2, &[]);
    let line = format!("bench in --to en --runs 2 --threads 1,2 --jobs 1 --format json {MODELS}");
    let report = json(&sandbox.run(&line).expect(0, &[]).stdout);
    let batch: usize = sandbox.records("out").iter().map(|r| r.stats.output_tokens).sum();
    for m in report["measurements"].as_array().unwrap() {
        assert!(number(&m["target_tokens"]) >= batch as f64, "{m} and {batch}");
        assert!(batch > 0, "{m} and {batch}");
    }
    // A summary alone has no sentences that were translated.
    let line = "bench in/a.txt --task summarize --model writer.gguf --offline --runs 1 --beam 2 --format json";
    let m = &json(&sandbox.run(line).expect(0, &[]).stdout)["measurements"][0];
    assert!(m.get("sentences").is_none(), "{m}");
    assert_eq!(m["beam"], 2, "{m}");
    assert_eq!(m["articles"], 1, "{m}");
}

#[test]
fn a_table_and_a_page_say_the_same() {
    let sandbox = Sandbox::new();
    let line = "bench --synthetic tiny --sentences 3 --tokens 4 --threads 1,2 --runs 2";
    let table = sandbox.run(line).expect(0, &["making tiny"]).stdout;
    for part in [
        "MODEL",
        "SENTENCES/S",
        "TOK/S OUT",
        "FIRST",
        "OF PEAK",
        "GOPS",
        "3 sentences",
        "2 runs after 1 run",
        "load ",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    assert!(!table.contains("ARTICLES/S"), "{table}");
    assert_eq!(table.lines().filter(|line| line.starts_with("tiny  ")).count(), 2, "{table}");

    let outcome =
        sandbox.run(&format!("{line} --format html --out page.html --quiet")).expect(0, &[]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    let page = sandbox.read("page.html");
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.trim_end().ends_with("</html>"));
    assert!(!page.contains("<script"), "it loads nothing");
    assert!(!page.contains("://"), "it loads nothing");
    for title in [
        "Target tokens a second",
        "Sentences a second",
        "Time to the first token",
        "Share of the measured peak",
    ] {
        let plot = page
            .split("<section>")
            .find(|section| section.contains(&format!("<h2>{title}</h2>")))
            .expect(title);
        assert_eq!(plot.matches("class=\"bar\"").count(), 2, "{plot}");
    }
    let balanced = |tag: &str| {
        page.matches(&format!("<{tag}")).count() == page.matches(&format!("</{tag}>")).count()
    };
    assert!(
        ["section", "svg", "g>", "tr", "td", "small", "table"]
            .iter()
            .all(|tag| balanced(tag.trim_end_matches('>'))),
        "{page}"
    );
}

#[test]
fn wrong_flags_are_told() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH), ("none/picture.png", "no article")]);
    for (line, says) in [
        ("bench", "--synthetic"),
        ("bench --synthetic opus", "marian-base"),
        ("bench --synthetic tiny in", "cannot be used with"),
        ("bench --synthetic tiny --model translator.gguf", "cannot be used with"),
        ("bench --synthetic tiny --tokens 9999", "at most 511 tokens"),
        ("bench --synthetic tiny --tokens 0", "from 1"),
        ("bench --synthetic tiny --sentences 99999999999999", "--sentences"),
        ("bench --synthetic tiny --threads 0", "--threads"),
        ("bench --synthetic tiny --batch 4,many", "\"many\" is not a whole number from 1"),
        ("bench --synthetic tiny --beam 100", "--beam"),
        ("bench --synthetic tiny --runs 0", "--runs"),
        ("bench --synthetic tiny --task translate,summarize", "one task at a time"),
        ("bench --synthetic tiny --device cuda:x", "device"),
        ("bench in --tokens 3 --to en", "--sentences and --tokens go with --synthetic"),
        ("bench in --offline", "--to"),
        ("bench none --to en --offline", "no articles in none"),
        ("bench absent --to en --offline", "absent"),
    ] {
        sandbox.run(line).expect(1, &[says]);
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_it() {
    let sandbox = Sandbox::new();
    // Hours of work.
    let mut command = sandbox.command("bench --synthetic tiny --sentences 5000 --tokens 400 --runs 1000 --threads 1 --out out.txt");
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // What it says first is said once it listens.
    let mut said = [0; 1];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    assert!(!sandbox.exists("out.txt"));
}

#[test]
fn models_are_compared_with_each_other_and_with_an_earlier_run() {
    let sandbox = Sandbox::with([("in/a.txt", FRENCH)]);
    let line = format!("bench in --to en --runs 1 --warmup 0 --threads 1 {MODELS}");
    let run = |flags: &str| sandbox.run(&format!("{line} {flags}"));
    run("--against writer.gguf --format json --out before.json").expect(0, &[]);
    let before = json(&sandbox.read("before.json"));
    let models = |report: &Value| {
        let all = report["measurements"].as_array().unwrap().iter();
        all.map(|m| m["model"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(models(&before), ["translator.gguf", "writer.gguf"]);
    let rate = |report: &Value, row: usize| {
        number(&report["measurements"][row]["articles_per_second"]["median"])
    };
    let now = run("--against writer.gguf --baseline before.json --format json").expect(0, &[]);
    let now = json(&now.stdout);
    for row in 0..2 {
        let times = number(&now["measurements"][row]["times_baseline"]);
        let expected = rate(&now, row) / rate(&before, row);
        assert!((times - expected).abs() < 1e-9 * expected, "{times} {expected}");
    }
    let table = run("--against writer.gguf --baseline before.json").expect(0, &[]).stdout;
    assert!(table.contains("BASELINE") && table.contains("× "), "{table}");
    // What is the same for both stands above them.
    assert!(table.contains("\ntranslate, int8, 1 thread, batch"), "{table}");
    let rows = table.lines().skip_while(|line| !line.starts_with("MODEL")).take(3);
    assert!(rows.clone().count() == 3 && rows.clone().all(|row| row.chars().count() <= 100));

    run("--baseline before.json --beam 3").expect(0, &["has none of these models and settings"]);
    sandbox.write("other.json", "{}");
    run("--baseline other.json").expect(1, &["other.json is no result of"]);
}

#[test]
fn of_a_large_folder_some_articles_tell_how_long_all_take() {
    let sandbox = Sandbox::new();
    for number in 0..20 {
        sandbox.write(&format!("in/{number:02}.txt"), FRENCH);
    }
    let line = format!("bench in --to en --runs 2 --warmup 0 --threads 1 {MODELS}");
    let report =
        json(&sandbox.run(&format!("{line} --sample 6 --format json")).expect(0, &[]).stdout);
    let m = &report["measurements"][0];
    assert_eq!(report["sample"], "5 of 20 articles of in, 16 at once");
    assert_eq!(m["articles"], 5);
    // Equal articles take four times as long when there are four times as many.
    let expected = number(&m["load_seconds"]) + 4.0 * number(&m["seconds"]["median"]);
    assert!((number(&m["folder_seconds"]) - expected).abs() < 1e-9 * expected, "{m}");
    let table = sandbox.run(&line).expect(0, &[]).stdout;
    assert!(table.contains("\n20 articles of in, 16 at once; 2 runs"), "{table}");
    assert!(table.contains("FOLDER"), "{table}");
    // A shape of random weights knows of no folder.
    let table = sandbox.run("bench --synthetic tiny --sentences 3 --tokens 4 --runs 1").stdout;
    assert!(!table.contains("FOLDER"), "{table}");
}

#[test]
fn quality_stands_beside_speed() {
    let lines = [FRENCH.trim(), "", "Le pont est fermé."].join("\n");
    let sandbox = Sandbox::with([("a.txt", &lines), ("two.txt", "a\nb\n")]);
    // As in a batch, a small language model leaves what it fails at in its own language.
    let translated =
        format!("translate --lines --from fr --to en --on-bad source a.txt {TRANSLATOR}");
    let made = sandbox.run(&translated).expect(0, &[]).stdout;
    assert_eq!(made.lines().count(), 3, "{made}");
    sandbox.write("same.txt", &made);
    sandbox.write("other.txt", made.replace(|c: char| c.is_alphabetic(), "q"));
    let line = format!("bench a.txt --to en --runs 1 --warmup 0 --threads 1 {TRANSLATOR}");
    let scored = |flags: &str| {
        let report =
            json(&sandbox.run(&format!("{line} --format json {flags}")).expect(0, &[]).stdout);
        assert_eq!(report["sample"], "3 lines of a.txt, 1024 at once");
        let m = report["measurements"][0].clone();
        assert!(m.get("folder_seconds").is_none(), "{m}");
        (number(&m["bleu"]["score"]), number(&m["chrf"]["score"]))
    };
    // `eval` says the same of what is judged here.
    let (bleu, chrf) = scored("--ref same.txt");
    assert!((bleu - 100.0).abs() < 1e-9 && (chrf - 100.0).abs() < 1e-9, "{bleu} {chrf}");
    let (bleu, chrf) = scored("--ref other.txt");
    assert!(bleu < 50.0 && chrf < 50.0, "{bleu} {chrf}");
    let evaluated = sandbox.run("eval --ref other.txt --hyp same.txt --to en --format json");
    let evaluated = json(&evaluated.expect(0, &[]).stdout);
    assert_eq!(number(&evaluated["scores"]["bleu"]["score"]), bleu);
    assert_eq!(number(&evaluated["scores"]["chrf2"]["score"]), chrf);
    assert_eq!(scored("--ref other.txt --ref same.txt").0.round(), 100.0, "the best of several");

    let table =
        sandbox.run(&format!("{line} --ref other.txt --against writer.gguf")).expect(0, &[]).stdout;
    let rows: Vec<&str> = table.lines().skip_while(|line| !line.starts_with("MODEL")).collect();
    assert!(rows[0].contains("SENTENCES/S") && rows[0].contains("BLEU"), "{table}");
    assert!(rows[1].contains(" ±") && rows[2].starts_with("writer.gguf"), "{table}");
    assert!(rows.iter().take(4).all(|row| row.chars().count() <= 100), "{table}");

    for (flags, says) in [
        ("--ref two.txt", "two.txt: has 2 lines, and a.txt has 3"),
        ("--ref same.txt --task summarize", "--ref goes with --task translate"),
        ("--ref same.txt two.txt", "--ref goes with one file to translate"),
    ] {
        sandbox.run(&format!("{line} {flags}")).expect(1, &[says]);
    }
}
