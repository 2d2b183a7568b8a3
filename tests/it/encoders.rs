//! Encoders of sentences, compared with `transformers` and `sentence-transformers`' pooling.

use crate::common::{FRENCH, Sandbox, fixture};
use polygist::model::open_sentence_encoder;
use polygist::{Precision, Runtime};
use serde_json::Value;
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
    assert!(record["summary"]["model"].as_str().unwrap().contains("bert"), "{record}");
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
    fails("dense", &["2_Dense"]);
    copy("pooled");
    sandbox.write("pooled/1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}");
    fails("pooled", &["mean of its tokens"]);
    copy("torn");
    sandbox.write("torn/tokenizer.json", "{\"model\": 1}");
    fails("torn", &["tokenizer.json"]);
}
