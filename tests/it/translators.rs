//! Models made for translation or summaries, through the program: tiny ones with random weights,
//! whose text is nonsense.

use crate::common::{ENGLISH, FRENCH, GERMAN, Sandbox, fixture, parse};
use polygist::types::{Lang, Status, SummaryMethod, TokenAlignment};
use std::fs;

/// A sandbox with a tiny model of these families, each in a folder of that name.
fn sandbox(families: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for family in families {
        copy(&sandbox, family, family);
    }
    sandbox
}

fn copy(sandbox: &Sandbox, family: &str, name: &str) {
    let from = fixture("seq2seq").join(family);
    for file in ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"] {
        sandbox.write(&format!("{name}/{file}"), fs::read(from.join(file)).unwrap());
    }
}

/// A Marian model of one pair of languages.
fn pair(sandbox: &Sandbox, name: &str, from: &str, to: &str) {
    copy(sandbox, "marian", name);
    let config = format!(
        r#"{{"tokenizer_class": "MarianTokenizer", "source_lang": "{from}", "target_lang": "{to}"}}"#
    );
    sandbox.write(&format!("{name}/tokenizer_config.json"), config);
}

#[test]
fn lines_go_through_a_translation_model() {
    let sandbox = sandbox(&["marian"]);
    let input = "t4 t5 t6 t7\n\nt8 t9 t10 t11\nt4 t5 t6 t7\n";
    let line = "translate --lines --from fr --to en --offline --model marian";
    let output = sandbox.run_with(line, input).expect(0, &[]).stdout;
    let lines: Vec<&str> = output.split_terminator('\n').collect();
    assert_eq!((lines.len(), lines[1]), (4, ""), "{output}");
    assert_eq!(lines[0], lines[3], "{output}");
    assert!(lines[0] != lines[2], "{output}");
    assert!(lines[0].starts_with('t'), "{output}");
    for flags in ["--threads 1", "--threads 3"] {
        assert_eq!(
            sandbox.run_with(&format!("{line} {flags}"), input).expect(0, &[]).stdout,
            output,
            "{flags}"
        );
    }
    // Flags change what the model's files say.
    let short =
        sandbox.run_with(&format!("{line} --max-tokens 2 --beam 3"), input).expect(0, &[]).stdout;
    assert!(short.lines().all(|line| line.split(' ').count() <= 2), "{short}");
    assert_ne!(short, output, "{short}");
}

#[test]
fn a_pair_without_a_model_of_its_own_goes_through_english() {
    let sandbox = Sandbox::new();
    pair(&sandbox, "fr-en", "fr", "en");
    pair(&sandbox, "en-de", "en", "de");
    sandbox.write("a.txt", FRENCH);
    let record = |to: &str, models: &str| {
        let line =
            format!("translate --to {to} --from fr --format json --offline --model {models} a.txt");
        parse(&sandbox.run(&line).expect(0, &[]).stdout).remove(0)
    };
    let codes = |langs: &[Lang]| langs.iter().map(Lang::to_string).collect::<Vec<_>>();
    let both = record("de", "en-de,fr-en").translation.unwrap();
    assert_eq!(
        (codes(&both.route), both.model.as_str()),
        (vec!["fr".into(), "en".into(), "de".into()], "fr-en + en-de")
    );
    let one = record("en", "en-de,fr-en").translation.unwrap();
    assert_eq!((codes(&one.route), one.model.as_str()), (vec!["fr".into(), "en".into()], "fr-en"));

    // What no model knows is an error of that article, and says which model it was.
    sandbox.write("b.txt", GERMAN);
    let line = "batch a.txt b.txt --out out --to en --tasks translate --offline --model fr-en";
    sandbox.run(line).expect(2, &["b.txt", "German (de)", "fr-en", "English (en)", "--from"]);
    let records = sandbox.records("out");
    assert_eq!(records[0].status, Status::Ok, "{records:?}");
    assert_eq!(records[1].status, Status::Failed, "{records:?}");
}

#[test]
fn a_summarization_model_reads_the_article_itself() {
    let sandbox = sandbox(&["bart", "t5"]);
    let article: String =
        (0..40).map(|i| format!("Bridge number {i} was closed on Monday. ")).collect();
    sandbox.write("a.txt", &article);
    for model in ["bart", "t5"] {
        let line = format!("summarize a.txt --offline --format json --model {model} --length 2s");
        let record = parse(&sandbox.run(&line).expect(0, &[]).stdout).remove(0);
        let summary = record.summary.unwrap();
        // Nothing that a random model writes is borne out by the article: it is rejected, and the
        // article's own sentences stand in.
        assert_eq!(
            (summary.sentences.len(), summary.method),
            (2, SummaryMethod::Extractive),
            "{model}"
        );
        assert!(!record.stats.truncated, "{model}");
        assert!(record.stats.output_tokens > 0, "{model}");
        assert!(!record.checks.rejected.is_empty(), "{model}");
    }
}

#[test]
fn what_a_model_cannot_do_is_said() {
    let sandbox = sandbox(&["bart"]);
    sandbox.write("a.txt", ENGLISH);
    let run = |line: &str| sandbox.run(&format!("{line} --offline"));
    run("translate a.txt --to fr --from en --model bart")
        .expect(2, &["bart cannot translate", "French (fr)"]);
    sandbox.write("bart/config.json", r#"{"model_type": "whisper"}"#);
    run("translate a.txt --to fr --model bart").expect(1, &["whisper", "marian", "m2m_100", "t5"]);
    sandbox.write("bart/config.json", r#"{"model_type": "bart", "d_model": 30}"#);
    run("translate a.txt --to fr --model bart").expect(1, &["encoder_attention_heads"]);
    fs::remove_file(sandbox.path("bart/tokenizer.json")).unwrap();
    run("translate a.txt --to fr --model bart").expect(1, &["bart"]);
    run("translate a.txt --to fr --model bart --beam 0").expect(1, &["--beam"]);
    run("translate a.txt --to fr --model bart --top-p 1.5").expect(1, &["from 0 to 1"]);
}

/// The source token that each token comes from, for each sentence.
#[test]
fn alignments_stand_in_json() {
    let sandbox = sandbox(&["marian"]);
    pair(&sandbox, "fr-en", "fr", "en");
    pair(&sandbox, "en-de", "en", "de");
    let input = "t4 t5 t6 t7\n\nt8 t9 t10\n";
    let line = "translate --from fr --offline --format json --align";
    let lines = sandbox
        .run_with(&format!("{line} --lines --to en --model fr-en"), input)
        .expect(0, &[])
        .stdout;
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let alignment: Vec<TokenAlignment> =
        serde_json::from_value(lines[0]["alignments"].clone()).unwrap();
    assert_eq!(alignment[0].source, ["t4", "t5", "t6", "t7", "</s>"]);
    let written: Vec<&str> = alignment[0].target.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(written.join(" "), lines[0]["text"].as_str().unwrap());
    assert!(
        alignment[0]
            .target
            .iter()
            .all(|t| t.source < 5 && t.weight > 0.2 - 1e-6 && t.weight <= 1.0),
        "{alignment:?}"
    );
    assert_eq!(lines[1]["alignments"], serde_json::json!([]));

    // Through English there are two steps; an article's segments are numbered.
    sandbox.write("a.txt", "t4 t5 t6 t7\n\nt8 t9 t10 t11\n");
    let record = parse(
        &sandbox.run(&format!("{line} --to de --model fr-en,en-de a.txt")).expect(0, &[]).stdout,
    )
    .remove(0);
    let segments: Vec<usize> =
        record.translation.unwrap().alignments.iter().map(|a| a.segment).collect();
    assert!(segments.is_sorted(), "{segments:?}");
    assert!(segments.iter().filter(|s| **s == 0).count() >= 2, "{segments:?}");
    assert!(segments.contains(&1), "{segments:?}");

    sandbox
        .run("translate a.txt --from fr --to en --offline --align --model fr-en")
        .expect(1, &["--align needs --format json"]);
    sandbox
        .run(&format!("{line} --to en --model translator.gguf a.txt"))
        .expect(1, &["--align needs translation models", "translator"]);
}

/// Every flag of decoding reaches the model, also under the names that other programs have for it.
#[test]
fn decoding_flags_are_known() {
    let sandbox = sandbox(&["marian"]);
    let input: String =
        (4..40).map(|i| format!("t{i} t{} t{} t{}\n", i + 17, i + 5, i + 9)).collect();
    let line = "translate --lines --from fr --to en --offline --model marian";
    let run =
        |flags: &str| sandbox.run_with(&format!("{line} {flags}"), &input).expect(0, &[]).stdout;
    let plain = run("--beam 4 --early-stopping always");
    for flags in [
        "--patience 4",
        "--coverage-penalty 5",
        "--encoder-no-repeat-ngram 1",
        "--encoder-repetition-penalty 3",
        "--min-tokens 12",
    ] {
        assert_ne!(run(&format!("--beam 4 --early-stopping always {flags}")), plain, "{flags}");
    }
    assert_eq!(run("--num-beams 4 --early-stopping always --batch 3 --batch-tokens 60"), plain);
    assert_eq!(run("--num-beams 4 --early-stopping always --memory 400MB"), plain);
    assert_eq!(run("--beam-size 2 --max-new-tokens 5"), run("--beam 2 --max-tokens 5"));
    for (flags, says) in [
        ("--patience 0", "above 0, up to 16"),
        ("--coverage-penalty=-1", "from 0 to 100"),
        ("--batch-tokens 0", "from 1"),
        ("--memory 5", "such as 6GB"),
    ] {
        sandbox.run_with(&format!("{line} {flags}"), &input).expect(1, &[says]);
    }
}
