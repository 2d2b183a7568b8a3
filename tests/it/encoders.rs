//! Encoders of sentences, compared with `transformers` and `sentence-transformers`' pooling.

use crate::common::{ENGLISH, FRENCH, Sandbox, fixture};
use polygist::model::open_sentence_encoder;
use polygist::{Precision, Runtime};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;

const FAMILIES: [&str; 2] = ["bert", "xlm-roberta"];

fn expected(family: &str) -> (Vec<String>, Vec<Vec<f32>>) {
    let path = fixture(&format!("encoders/{family}/expected.json"));
    let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let take = |name: &str| json[name].clone();
    (
        serde_json::from_value(take("texts")).unwrap(),
        serde_json::from_value(take("vectors")).unwrap(),
    )
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_are_those_of_the_reference() {
    for family in FAMILIES {
        let (texts, vectors) = expected(family);
        let runtime = Runtime::cpu().with_precision(Precision::F32).unwrap();
        let folder = fixture(&format!("encoders/{family}"));
        let encoder = open_sentence_encoder(family, &folder, &runtime).unwrap();
        let found = encoder.embed(&texts).unwrap();
        for (text, (found, expected)) in texts.iter().zip(found.iter().zip(&vectors)) {
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-5, "{family} {text}: {worst}");
        }
        // A text's vector is its own, whatever stands beside it.
        for (text, found) in texts.iter().zip(&found) {
            assert_eq!(encoder.embed(&[text]).unwrap()[0], *found, "{family} {text}");
        }
        assert!(encoder.embed(&[] as &[&str]).unwrap().is_empty());
        // In 8 bits they are near.
        let encoder = open_sentence_encoder(family, &folder, &Runtime::cpu()).unwrap();
        for (found, expected) in encoder.embed(&texts).unwrap().iter().zip(&vectors) {
            assert!(cosine(found, expected) > 0.995, "{family}: {}", cosine(found, expected));
        }
    }
}

#[test]
fn an_encoder_ranks_sentences_and_stands_in_the_record() {
    let sandbox = Sandbox::with([("a.txt", &format!("{FRENCH}{FRENCH}Le bac part à midi.\n"))]);
    let folder = fixture("encoders/bert");
    let line = format!(
        "summarize a.txt --length 1s --offline --format json --summary-model {}",
        folder.display()
    );
    let out = sandbox.run(&line).expect(0, &[]).stdout;
    let record: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(record["summary"]["method"], "extractive");
    assert!(record["summary"]["ranked_by"].as_str().unwrap().contains("bert"), "{record}");
    assert!(record["summary"]["model"].is_null(), "{record}");
    let text = record["summary"]["text"].as_str().unwrap();
    assert!(FRENCH.contains(text) || text == "Le bac part à midi.", "{text}");
}

#[test]
fn what_is_no_encoder_that_can_be_used_says_why() {
    let sandbox = Sandbox::with([("a.txt", FRENCH)]);
    let copy = |name: &str| {
        for file in ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"]
        {
            let bytes = fs::read(fixture(&format!("encoders/bert/{file}"))).unwrap();
            sandbox.write(&format!("{name}/{file}"), bytes);
        }
    };
    let fails = |name: &str, says: &[&str]| {
        sandbox.run(&format!("summarize a.txt --offline --summary-model {name}")).expect(1, says);
    };
    copy("dense");
    sandbox.write("dense/2_Dense/config.json", "{}");
    fails("dense", &["2_Dense", "no weights"]);
    sandbox.write("dense/2_Dense/model.safetensors", linear(&[vec![0.5; 32]]));
    let config = r#"{"activation_function": "torch.nn.modules.activation.ReLU"}"#;
    sandbox.write("dense/2_Dense/config.json", config);
    fails("dense", &["Tanh or Identity", "ReLU"]);
    sandbox.write("dense/2_Dense/config.json", "{}");
    sandbox.write("dense/2_Dense/model.safetensors", linear(&[vec![0.5; 8]]));
    fails("dense", &["linear.weight", "[1, 32]"]);
    copy("pooled");
    sandbox.write("pooled/1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}");
    fails("pooled", &["mean of its tokens"]);
    copy("torn");
    sandbox.write("torn/tokenizer.json", "{\"model\": 1}");
    fails("torn", &["tokenizer.json"]);
}

/// A safetensors file with the weight and the bias, zeros, of a linear layer.
fn linear(rows: &[Vec<f32>]) -> Vec<u8> {
    let (n, k) = (rows.len(), rows[0].len());
    let (weight, all) = (4 * n * k, 4 * n * (k + 1));
    let header = format!(
        r#"{{"linear.weight":{{"dtype":"F32","shape":[{n},{k}],"data_offsets":[0,{weight}]}},"linear.bias":{{"dtype":"F32","shape":[{n}],"data_offsets":[{weight},{all}]}}}}"#
    );
    let values = rows.concat().into_iter().chain(vec![0.0; n]).flat_map(f32::to_le_bytes);
    (header.len() as u64)
        .to_le_bytes()
        .into_iter()
        .chain(header.into_bytes())
        .chain(values)
        .collect()
}

#[test]
fn a_layer_after_the_pooling_and_a_prefix_are_applied() {
    let sandbox = Sandbox::new();
    for file in ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"] {
        let bytes = fs::read(fixture(&format!("encoders/bert/{file}"))).unwrap();
        sandbox.write(&format!("own/{file}"), bytes);
    }
    let runtime = Runtime::cpu().with_precision(Precision::F32).unwrap();
    let open = |folder: &std::path::Path| open_sentence_encoder("own", folder, &runtime).unwrap();
    let texts = ["The bridge is closed.", "Ferry"];
    let plain = open(&sandbox.path("own")).embed(&texts).unwrap();
    // It takes the first two of the values, the second one doubled.
    let row =
        |place: usize, value: f32| (0..32).map(|i| if i == place { value } else { 0.0 }).collect();
    sandbox.write("own/2_Dense/model.safetensors", linear(&[row(0, 1.0), row(1, 2.0)]));
    sandbox.write(
        "own/2_Dense/config.json",
        r#"{"activation_function": "torch.nn.modules.linear.Identity"}"#,
    );
    let encoder = open(&sandbox.path("own"));
    assert_eq!(encoder.dim(), 2);
    for (found, plain) in encoder.embed(&texts).unwrap().iter().zip(&plain) {
        let expected = [plain[0], 2.0 * plain[1]];
        let length = expected.iter().map(|x| x * x).sum::<f32>().sqrt();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected / length).abs() < 1e-5, "{found} {expected}");
        }
    }
    // What the makers say is to stand before a text does.
    sandbox.write(
        "own/config_sentence_transformers.json",
        r#"{"prompts": {"query": "the "}, "default_prompt_name": "query"}"#,
    );
    let prefixed = open(&sandbox.path("own")).embed(&["bridge is closed."]).unwrap();
    assert_eq!(prefixed, encoder.embed(&["the bridge is closed."]).unwrap());
}

/// A catalog whose encoder of sentences is a tiny one with random weights, which knows English.
fn catalog(path: &std::path::Path) -> String {
    let file = |name: &str| {
        let bytes = fs::read(path.join(name)).unwrap();
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "[[model.file]]\npath='{name}'\nsize={}\nsha256='{sum}'\n\
             [[model.file.source]]\nkind='folder'\npath='{}'\n",
            bytes.len(),
            path.join(name).display()
        )
    };
    let files = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"];
    format!(
        "[[model]]\nid='tiny-encoder'\nname='T'\ntasks=['encode']\nlanguages=['en']\n\
         architecture='bert'\nlicence={{name='MIT',url='u'}}\n{}",
        files.map(file).concat()
    )
}

const LONG: &str = "The river rose by 40 centimetres on Monday. The town closed its oldest bridge. \
    A ferry leaves every twenty minutes. The mayor said that the bridge stays closed until May.\n";

fn ranked_by(sandbox: &Sandbox, line: &str) -> String {
    let out = sandbox.run(&format!("summarize --length 1s --format json {line}")).expect(0, &[]);
    let record: Value = serde_json::from_str(&out.stdout).unwrap();
    record["summary"]["ranked_by"].as_str().unwrap().into()
}

#[test]
fn the_catalogs_encoder_ranks_what_it_knows_and_words_rank_the_rest() {
    let sandbox = Sandbox::with([("a.txt", LONG), ("b.txt", FRENCH)]);
    sandbox.write("home/polygist/models.toml", catalog(&fixture("encoders/bert")));
    let by = |line: &str| ranked_by(&sandbox, line);
    assert_eq!(by("a.txt"), "tiny-encoder");
    assert_eq!(by("a.txt --extractive"), "words");
    assert_eq!(by("b.txt --from fr"), "words");
    // One of two is enough: the translation, or the source.
    let model = "--model translator.gguf --max-tokens 8";
    assert_eq!(by(&format!("b.txt --from fr --to en {model}")), "tiny-encoder");
    assert_eq!(by(&format!("a.txt --from en --to fr {model}")), "tiny-encoder");
    assert_eq!(by(&format!("b.txt --from fr --to de {model}")), "words");
    // Whoever names a model wants that one.
    let bert = fixture("encoders/xlm-roberta");
    let named = by(&format!("b.txt --summary-model {}", bert.display()));
    assert!(named.contains("xlm-roberta"), "{named}");
    assert_eq!(by("b.txt --summary-model tiny-encoder --offline"), "words");
    let listed = sandbox.run("models list --task encode --offline").expect(0, &[]).stdout;
    assert!(listed.contains("tiny-encoder") && listed.contains("LaBSE"), "{listed}");
    assert!(!listed.contains("bart"), "{listed}");
}

#[test]
fn another_ranking_is_another_setting() {
    let sandbox = Sandbox::with([("in/a.txt", LONG)]);
    sandbox.write("home/polygist/models.toml", catalog(&fixture("encoders/bert")));
    let run = |flags: &str, says: &str| {
        sandbox.run(&format!("batch in --out out --length 1s {flags}")).expect(0, &[says])
    };
    run("", "1 done; ");
    assert_eq!(
        sandbox.records("out")[0].summary.as_ref().unwrap().ranked_by.as_deref(),
        Some("tiny-encoder")
    );
    assert!(sandbox.read("out/a.txt.en.md").contains("by their meaning (tiny-encoder)"));
    run("", "nothing to do, 1 done before");
    run("--extractive", "1 article is done again: the ranking of sentences changed since");
    assert!(!sandbox.read("out/a.txt.en.md").contains("meaning"));
    let plan = sandbox.run("batch in --out out --dry-run").expect(0, &[]).stdout;
    assert!(plan.contains("ranking of sentences: tiny-encoder, installed"), "{plan}");
}

#[test]
fn without_the_encoder_words_rank_and_one_line_says_so() {
    let sandbox = Sandbox::with([("in/a.txt", ENGLISH), ("in/b.txt", FRENCH)]);
    let line =
        format!("batch in --out out --to en,de --max-tokens 8 {}", crate::common::TRANSLATOR);
    let said = "all-MiniLM-L6-v2 is not here (--offline), so sentences of summaries are ranked by \
        their words alone; `polygist models pull all-MiniLM-L6-v2` fetches it";
    let outcome = sandbox.run(&line).expect(0, &[said, "4 done"]);
    assert_eq!(outcome.stderr.matches("all-MiniLM").count(), 2, "{}", outcome.stderr);
    for record in sandbox.records("out") {
        assert_eq!(record.summary.unwrap().ranked_by.as_deref(), Some("words"));
    }
    // It is no failure where nobody answers either.
    let outcome = sandbox.run("summarize --length 1s in/a.txt");
    let outcome = outcome.expect(0, &["all-MiniLM-L6-v2 cannot be fetched, so"]);
    assert!(ENGLISH.contains(outcome.stdout.trim()), "{}", outcome.stdout);
    // What cannot be of use is not missed.
    let outcome = sandbox.run("summarize --offline --from fr --length 1s in/b.txt").expect(0, &[]);
    assert!(!outcome.stderr.contains("MiniLM"), "{}", outcome.stderr);
}
