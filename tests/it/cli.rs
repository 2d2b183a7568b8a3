//! The one-off commands, as they are used in a shell.

use crate::common::{ENGLISH, FRENCH, GERMAN, RUSSIAN, Sandbox, TRANSLATOR, parse};
use polygist::types::{Problem, Status, SummaryMethod};
use std::process::Stdio;

/// An article of eight sentences in two paragraphs.
const ARTICLE: &str = "\
The island of Skarvøy will get its first bridge to the mainland, the regional council decided on Wednesday after nine hours of debate. \
The bridge will be 1,240 metres long and is to cost 96 million euros, which is 14 million more than planned two years ago. \
Work will begin next spring and take about three years, said Ingrid Dahl, who leads the council's transport department. \
Until then the old ferry will go on crossing the sound eleven times a day.

Many of the 2,300 islanders have asked for a bridge since a storm cut them off for six days in the winter of 2019. \
Fishermen fear that the pillars will drive the herring out of the sound, and they have said that they will go to court. \
The council promised to pay for a study of the currents before the first pillar is built. \
A vote on the toll for cars will be held in September.
";

#[test]
fn lines_stay_lines() {
    let sandbox = Sandbox::new();
    let input = "La rivière est montée lundi.\n\n12.05.2026\n   — 40 % —\nLa ville a fermé son pont.\n\nhttps://example.org/a?b=1\nLa rivière est montée lundi.\n";
    let output = sandbox
        .run_with(&format!("translate --lines --from fr --to en {TRANSLATOR}"), input)
        .expect(0, &[])
        .stdout;
    let (source, target): (Vec<&str>, Vec<&str>) =
        (input.lines().collect(), output.split_terminator('\n').collect());
    assert_eq!(target.len(), source.len(), "{output}");
    for i in [1, 2, 3, 5, 6] {
        assert_eq!(target[i], source[i], "line {i}");
    }
    assert_eq!(target[0], target[7], "{output}");
    assert!(target[0] != target[4], "{output}");
    assert!(target[0] != source[0], "{output}");

    // The sentences of a line are translated as if each were alone.
    let two = "  La rivière est montée lundi. La ville a fermé son pont.\n";
    let joined = sandbox
        .run_with(&format!("translate --lines --from fr --to en {TRANSLATOR}"), two)
        .expect(0, &[])
        .stdout;
    assert_eq!(joined, format!("  {} {}\n", target[0], target[4]));

    // In another order, each line has the same translation.
    let turned: String = source.iter().rev().map(|line| format!("{line}\r\n")).collect();
    sandbox.write("turned.txt", turned);
    let again = sandbox
        .run(&format!("translate --lines --from fr --to en turned.txt {TRANSLATOR}"))
        .expect(0, &[])
        .stdout;
    assert!(again.split_terminator('\n').rev().eq(target), "{again}");

    let json = sandbox
        .run_with(&format!("translate --lines --format json --from fr --to en {TRANSLATOR}"), input)
        .expect(0, &[])
        .stdout;
    let sources = json.lines().map(|line| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["source"]
            .as_str()
            .unwrap()
            .to_string()
    });
    assert!(sources.eq(source), "{json}");
    assert_eq!(
        sandbox
            .run_with(&format!("translate --lines --to en {TRANSLATOR}"), "")
            .expect(0, &[])
            .stdout,
        ""
    );
    assert_eq!(
        sandbox
            .run_with(&format!("translate --lines --to en {TRANSLATOR}"), "1\n\n2\n")
            .expect(0, &[])
            .stdout,
        "1\n\n2\n"
    );
}

#[test]
fn what_is_doubted_is_told_beside_the_text() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", FRENCH);
    let line = format!("translate a.txt --to en --from fr {TRANSLATOR}");
    let found = parse(&sandbox.run(&format!("{line} --format json")).expect(0, &[]).stdout)
        .remove(0)
        .checks
        .flagged;
    assert!(found.iter().any(|flag| flag.segment == 0), "random weights write nonsense: {found:?}");
    let told = sandbox
        .run(&line)
        .expect(0, &["a.txt:\n- ", "left as in the source, for what is wrong", "  - Sentence 1: "]);
    assert!(!told.stdout.contains("may be wrong"), "{}", told.stdout);
    assert_eq!(sandbox.run(&format!("{line} --quiet")).expect(0, &[]).stderr, "");
    let lines = sandbox
        .run(&format!("translate --lines a.txt --to en --from fr {TRANSLATOR}"))
        .expect(0, &["1 of 1 lines may be wrong; --format json"]);
    assert!(!lines.stdout.contains("may be wrong"), "{}", lines.stdout);
}

#[test]
fn a_document_keeps_its_form() {
    let sandbox = Sandbox::new();
    let document = "---\nauthor: Claire\n---\n\n# La rivière monte\n\nLa rivière est montée lundi.\nVoir https://example.org/a?b=1&c=2 pour la suite.\n\n\
                    https://example.org/b?c=3&d=4\n\n- La ville a fermé son pont.\n- Le train est en retard.\n\n1. Premier conseil\n2. Deuxième conseil\n\n\
                    ```sh\necho \"ne pas traduire\"   # ceci\n```\n\n> Personne n'a été blessé.\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    sandbox.write("a.md", document);
    let output = sandbox
        .run(&format!("translate a.md --to en --from fr --on-bad keep {TRANSLATOR}"))
        .expect(0, &[])
        .stdout;
    let shape = |text: &str| text.trim_end().split("\n\n").map(marker).collect::<Vec<_>>();
    assert_eq!(shape(&output), shape(document), "{output}");
    for kept in [
        "---\nauthor: Claire\n---\n",
        "```sh\necho \"ne pas traduire\"   # ceci\n```\n",
        "\nhttps://example.org/b?c=3&d=4\n",
        "\n|---|---|\n| 1 | 2 |",
    ] {
        assert!(output.contains(kept), "{kept}\n{output}");
    }
    for gone in ["La rivière est montée", "Le train", "conseil", "Personne"] {
        assert!(!output.contains(gone), "{gone}\n{output}");
    }

    // An address within a sentence stands in its translation, or the record tells that it does not.
    let record = parse(
        &sandbox
            .run(&format!("translate a.md --to en --from fr --format json {TRANSLATOR}"))
            .expect(0, &[])
            .stdout,
    )
    .remove(0);
    let lost = !record.translation.unwrap().text.contains("https://example.org/a?b=1&c=2");
    assert_eq!(lost, record.checks.flagged.iter().any(|flag| flag.problem == Problem::Protected));

    let text = "La rivière monte\n\nLa rivière est montée\nde 40 centimètres lundi.\n\n\n\nLa ville a fermé son pont.\n";
    let output = sandbox
        .run_with(&format!("translate --to en --from fr {TRANSLATOR} -"), text)
        .expect(0, &[])
        .stdout;
    assert_eq!(output.trim_end().split("\n\n").count(), 4, "{output:?}");
    // A title on the line before the text stays there.
    let text = "Le pont est fermé\nLa rivière est montée lundi.\nLa ville attend.\n";
    let output = sandbox
        .run_with(&format!("translate --to en --from fr {TRANSLATOR} -"), text)
        .expect(0, &[])
        .stdout;
    assert_eq!(output.trim_end().lines().filter(|line| !line.is_empty()).count(), 3, "{output:?}");
    assert!(!output.trim_end().contains("\n\n"), "{output:?}");

    sandbox
        .write("b.md", "---\ntitle: La rivière monte\ndate: 2025-01-02\n---\n\nLa ville attend.\n");
    let output = sandbox
        .run(&format!("translate b.md --to en --from fr {TRANSLATOR}"))
        .expect(0, &[])
        .stdout;
    let title = output.lines().nth(1).and_then(|line| line.strip_prefix("title: ")).unwrap();
    assert!(!title.is_empty() && !output.contains("# "), "{output:?}");
    assert!(output.contains("\ndate: 2025-01-02\n---\n"), "{output:?}");
}

/// What a block of Markdown begins with, a line.
fn marker(block: &str) -> String {
    let starts = ["# ", "- ", "1. ", "2. ", "> ", "```", "---", "|"];
    let mark = |line: &str| starts.iter().find(|s| line.starts_with(**s)).copied();
    block.lines().filter_map(mark).collect()
}

#[test]
fn records_come_out_as_json_in_the_order_of_the_articles() {
    let sandbox =
        Sandbox::with([("a.txt", FRENCH), ("b.txt", ENGLISH), ("c.txt", ""), ("d.txt", GERMAN)]);
    let outcome = sandbox
        .run(&format!("translate d.txt c.txt b.txt a.txt --to en --format json {TRANSLATOR}"))
        .expect(2, &["c.txt: is empty"]);
    let records = parse(&outcome.stdout);
    let told: Vec<_> = records
        .iter()
        .map(|r| (r.id.as_str(), r.language.code.as_str(), r.status, r.translation.is_some()))
        .collect();
    let (ok, failed) = (Status::Ok, Status::Failed);
    assert_eq!(
        told,
        [
            ("d.txt", "de", ok, true),
            ("c.txt", "und", failed, false),
            ("b.txt", "en", ok, false),
            ("a.txt", "fr", ok, true)
        ]
    );
    // From a pipe, the same text has the same translation.
    let piped = parse(
        &sandbox
            .run_with(&format!("translate --to en --format json {TRANSLATOR}"), FRENCH)
            .expect(0, &[])
            .stdout,
    )
    .remove(0);
    assert_eq!(piped.translation, records[3].translation);
    // What is in the language already comes out as it is.
    let plain =
        sandbox.run_with(&format!("translate --to en {TRANSLATOR}"), ENGLISH).expect(0, &[]).stdout;
    assert_eq!(plain, ENGLISH);
}

#[test]
fn wrong_usage_is_told_with_what_was_expected() {
    let sandbox = Sandbox::with([
        ("a.txt", FRENCH),
        ("wrong.toml", "langauge = 'en'\n"),
        ("notes.gguf", "no model"),
    ]);
    for (line, says) in [
        ("transalte a.txt", &["transalte", "translate"][..]),
        ("translate a.txt", &["--to en"]),
        ("translate a.txt --to klingon", &["\"klingon\"", "expected one as fr, de, zh"]),
        ("translate a.txt --to en --from f", &["\"f\"", "expected one as fr, de, zh"]),
        ("translate a.txt --to French", &["that of French is fr"]),
        ("translate a.txt --to tlh", &["(tlh)", "fr"]),
        ("translate b.txt --to en", &["b.txt: reading failed"]),
        ("translate a.txt --to en --format xml", &["'xml'", "text, json"]),
        ("translate a.txt --to en --device tpu", &["\"tpu\"", "auto, cpu, cuda"]),
        ("translate a.txt --to en --precision int2", &["'int2'", "int8"]),
        ("translate a.txt --to en --threads 0", &["--threads"]),
        ("translate a.txt --to en --model notes.gguf", &["notes.gguf"]),
        ("summarize a.txt --length 3q", &["\"3q\"", "short, medium, long"]),
        ("summarize a.txt --style haiku", &["\"haiku\"", "paragraph, bullets, line or headline"]),
        ("detect a.txt --config wrong.toml", &["wrong.toml", "langauge", "to"]),
        ("detect a.txt --config none.toml", &["none.toml", "reading the configuration failed"]),
        ("models info gemma-3-270n", &["gemma-3-270n: unknown", "did you mean gemma-3-270m"]),
    ] {
        let model = if line.contains("--model") || !line.starts_with("translate") {
            ""
        } else {
            "--model translator.gguf"
        };
        let outcome = sandbox.run(&format!("{line} {model} --offline")).expect(1, says);
        assert_eq!(outcome.stdout, "", "{line}");
    }
    // A text whose language cannot be told, or is none that the model knows, says how to go on.
    sandbox
        .run_with(&format!("translate --to en {TRANSLATOR}"), "Qwrt zxcv bnmp\n")
        .expect(2, &["could not be told", "--from"]);
    sandbox
        .run_with(&format!("translate --to en --from tlh {TRANSLATOR}"), "nuqneH\n")
        .expect(2, &["(tlh)", "--from"]);
}

#[test]
fn without_the_model_the_command_that_fetches_it_is_named() {
    let sandbox = Sandbox::new();
    for (line, model) in [
        ("translate --to en", "gemma-3-270m-news"),
        ("translate --lines --to en", "gemma-3-270m-news"),
        ("summarize --model smollm2-135m-instruct", "smollm2-135m-instruct"),
    ] {
        let fetch = format!("polygist models pull {model}");
        sandbox.run_with(&format!("{line} --offline"), ENGLISH).expect(1, &[&fetch, "--offline"]);
    }
    sandbox.run_with("summarize --extractive --offline", ENGLISH).expect(0, &[]);
    // What is not there is not asked for.
    let told = ["sentences of summaries are ranked by their words alone"];
    sandbox.run_with("summarize --summary-model auto --offline", ENGLISH).expect(0, &told);
}

#[test]
fn the_configuration_gives_defaults_and_flags_win() {
    let sandbox = Sandbox::with([(
        "my.toml",
        "to = 'en'\nmodel = 'translator.gguf'\noffline = true\nthreads = 1\n",
    )]);
    let target = |flags: &str| {
        let out = sandbox
            .run_with(
                &format!("translate --format json --from fr --config my.toml {flags}"),
                "Le train est en retard.",
            )
            .expect(0, &[])
            .stdout;
        parse(&out).remove(0).translation.unwrap().language.to_string()
    };
    assert_eq!((target("").as_str(), target("--to de").as_str()), ("en", "de"));
}

#[test]
fn languages_are_told() {
    let sandbox = Sandbox::with([("a.txt", RUSSIAN), ("b.txt", GERMAN)]);
    let out = sandbox.run_with("detect", FRENCH).expect(0, &[]).stdout;
    let (code, confidence) = out.trim_end().split_once('\t').unwrap();
    assert_eq!(code, "fr", "{out}");
    assert!((0.5..=1.0).contains(&confidence.parse::<f32>().unwrap()), "{out}");
    assert!(
        sandbox.run_with("detect -", "Qwrt zxcv bnmp\n").expect(0, &[]).stdout.starts_with("und\t")
    );
    assert_eq!(sandbox.run_with("detect", "12 345\n").expect(0, &[]).stdout, "und\t0.00\n");

    let out = sandbox.run("detect b.txt a.txt").expect(0, &[]).stdout;
    let told: Vec<_> = out
        .lines()
        .map(|line| (line.split('\t').next().unwrap(), line.split('\t').next_back().unwrap()))
        .collect();
    assert_eq!(told, [("de", "b.txt"), ("ru", "a.txt")]);

    let mixed = format!("{FRENCH}\n{RUSSIAN}\n{ENGLISH}");
    let out = sandbox.run_with("detect --paragraphs --format json", &mixed).expect(0, &[]).stdout;
    let values: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        values.iter().map(|v| v["language"].as_str().unwrap()).collect::<Vec<_>>(),
        ["fr", "ru", "en"]
    );
    assert_eq!(values[1]["text"].as_str().unwrap(), RUSSIAN.trim_end());
}

#[test]
fn a_summary_has_the_length_and_form_that_was_asked_for() {
    let sandbox = Sandbox::with([("a.txt", ARTICLE)]);
    let own: Vec<&str> =
        ARTICLE.split_inclusive(". ").flat_map(|s| s.split("\n\n")).map(str::trim).collect();
    for source in ["--extractive --offline", "--offline --summary-model writer.gguf"] {
        let summary = |flags: &str| {
            let out = sandbox
                .run(&format!("summarize a.txt --format json {flags} {source}"))
                .expect(0, &[])
                .stdout;
            parse(&out).remove(0).summary.unwrap()
        };
        for n in [1, 2, 5] {
            let summary = summary(&format!("--length {n}s"));
            assert_eq!(summary.sentences.len(), n);
            assert!(summary.sentences.is_sorted_by_key(|s| s.support[0]), "{}", summary.text);
        }
        for n in [12, 20, 60] {
            let words = summary(&format!("--length {n}w")).text.split_whitespace().count();
            assert!((n / 2..=n).contains(&words), "{n}: {words}");
        }
        let bullets = summary("--style bullets --length 3s").text;
        assert_eq!(bullets.lines().count(), 3, "{bullets}");
        assert!(bullets.lines().all(|line| line.starts_with("- ")), "{bullets}");
        let headline = summary("--style headline").text;
        assert_eq!(headline.lines().count(), 1, "{headline}");
        assert!((3..=14).contains(&headline.split_whitespace().count()), "{headline}");
        // What the tiny model writes is nonsense, so the article's own sentences stand in.
        let whole = summary("--length 99s");
        assert_eq!((whole.method, whole.sentences.len()), (SummaryMethod::Extractive, own.len()));
        assert!(whole.sentences.iter().zip(&own).all(|(s, own)| s.text == *own), "{}", whole.text);
    }
    let text =
        sandbox.run("summarize a.txt --extractive --length 1s --offline").expect(0, &[]).stdout;
    assert!(own.contains(&text.trim_end()), "{text}");
    assert!(text.ends_with(".\n"), "{text}");
}

#[test]
fn models_are_imported_listed_verified_and_deleted() {
    let sandbox = Sandbox::new();
    let run = |line: &str, code: i32| {
        sandbox.run(&format!("models {line} --offline")).expect(code, &[]).stdout
    };
    let state =
        || run("list", 0).lines().find(|line| line.starts_with("tiny ")).map(str::to_string);
    assert!(state().is_none());
    assert!(run("list", 0).contains("gemma-3-270m"));
    run("import translator.gguf --name tiny", 0);
    assert!(state().unwrap().contains("installed"));
    let info = run("info tiny", 0);
    assert!(info.contains("installed in"), "{info}");
    assert!(info.contains("translator.gguf"), "{info}");
    assert_eq!(run("verify", 0), "tiny\tok\n");
    let out = sandbox
        .run_with(
            "translate --lines --offline --from fr --to en --model tiny",
            "Le train est en retard.\n",
        )
        .expect(0, &[])
        .stdout;
    assert_eq!(out.split_terminator('\n').count(), 1);

    // One bit of a weight.
    let mut bytes = std::fs::read(sandbox.path("translator.gguf")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    sandbox.write("cache/models/tiny/translator.gguf", bytes);
    assert!(run("verify tiny", 2).contains("translator.gguf"));

    run("rm tiny", 0);
    assert!(state().is_none());
    assert!(!sandbox.exists("cache/models/tiny"));
    assert!(sandbox.exists("translator.gguf"));
    sandbox.run("models rm tiny").expect(1, &["is not installed", "polygist models list"]);
    sandbox
        .run("models import translator.gguf --name gemma-3-270m --offline")
        .expect(1, &["is a name of the catalog"]);
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let sandbox = Sandbox::new();
    (0..400).for_each(|i| sandbox.write(&format!("in/{i}.txt"), FRENCH));
    for line in [
        "detect in",
        "batch in --out out --to en --offline --dry-run",
        "models list",
        "models info gemma-3-270m",
        "--help",
    ] {
        let mut child =
            sandbox.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {:?} {stderr}", output.status);
        assert!(!stderr.contains("panicked"), "{line}: {:?} {stderr}", output.status);
    }
}

#[test]
fn help_tells_what_each_command_does() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox.run("--version").expect(0, &[]).stdout,
        format!("polygist {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = sandbox.run("--help").expect(0, &[]).stdout;
    assert!(help.contains("Examples:"));
    assert!(help.contains("Exit codes:\n  0 "));
    for command in ["translate", "summarize", "batch", "detect", "models"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let own = sandbox.run(&format!("{command} --help")).expect(0, &[]).stdout;
        assert!(own.contains("Usage: polygist "), "{own}");
        assert!(own.contains("Example"), "{own}");
    }
    for command in ["list", "pull", "info", "verify", "rm", "import"] {
        let own = sandbox.run(&format!("models {command} --help")).expect(0, &[]).stdout;
        assert!(own.lines().next().is_some_and(|line| line.len() > 10), "{own}");
    }
    // An argument stands under the heading that it belongs to.
    let own = sandbox.run("translate --help").expect(0, &[]).stdout;
    let at = |what: &str| own.find(what).unwrap_or_else(|| panic!("{what}: {own}"));
    assert!(at("[FILE]...\n") < at("--to <LANG>"), "{own}");
    assert!(at("--to <LANG>") < at("Reading:"), "{own}");
    assert!(at("--format <FORMAT>") < at("Reading:"), "{own}");
}
