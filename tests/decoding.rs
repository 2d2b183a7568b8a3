//! Alignments, patience and coverage against what `transformers` and CTranslate2 compute with the tiny models: their figures were written
//! down by scripts/fixtures/decoding.py.

use candle_core::Device;
use polygist::error::Error;
use polygist::generate::{EarlyStopping, Engine, Generate, Options, Request};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn expected(part: &str) -> Vec<Value> {
    let text = std::fs::read(fixtures().join("decoding/expected.json")).unwrap();
    let mut all: Value = serde_json::from_slice(&text).unwrap();
    let cases = all[part].take().as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

fn engine(family: &str, precision: Precision) -> Engine {
    let runtime = Runtime { batch: 16, ..Runtime::new(Device::Cpu, precision, 2) };
    model::open(family, &fixtures().join("seq2seq").join(family), &runtime).unwrap()
}

/// The engines of all families, each opened once.
fn engines(cases: &[Value]) -> BTreeMap<String, Engine> {
    let names = cases.iter().map(|case| case["family"].as_str().unwrap().to_string());
    names.map(|name| (name.clone(), engine(&name, Precision::F32))).collect()
}

#[test]
fn alignments_are_the_cross_attentions_of_transformers() {
    let cases = expected("alignments");
    let engines = engines(&cases);
    assert!(engines.len() >= 14, "{:?}", engines.keys());
    for case in &cases {
        let family = case["family"].as_str().unwrap();
        let (source, target) = (ids(&case["source"]), ids(&case["target"]));
        let request = Request { source: Some(source.clone()), ..Request::default() };
        let layers = case["weights"].as_array().unwrap();
        for (layer, weights) in layers.iter().enumerate() {
            let align = |layer| engines[family].align(&[(&request, &target)], layer).unwrap().remove(0);
            let found = align(Some(layer));
            assert_eq!((found.source.len(), found.target.len(), found.weights.len()), (source.len(), target.len(), target.len()));
            for (row, expected) in found.weights.iter().zip(weights.as_array().unwrap()) {
                assert_eq!(row.len(), source.len());
                for (weight, expected) in row.iter().zip(expected.as_array().unwrap()) {
                    let differs = (f64::from(*weight) - expected.as_f64().unwrap()).abs();
                    assert!(differs < 1e-5, "{family}, layer {layer}: {weight} instead of {expected}");
                }
            }
            // Without a layer it is the last.
            assert_eq!(layer + 1 == layers.len(), align(None) == found, "{family}, layer {layer}");
        }
    }
}

/// Longer than what is read in one go, and together with others: the same.
#[test]
fn alignments_depend_on_their_pair_alone() {
    for precision in [Precision::F32, Precision::Int8] {
        let engine = engine("t5", precision);
        let source: Vec<u32> = (3..40).collect();
        let target: Vec<u32> = (0..150).map(|i| 3 + i * 7 % 60).collect();
        let request = Request { source: Some(source), ..Request::default() };
        let whole = engine.align(&[(&request, &target)], None).unwrap().remove(0);
        let short = engine.align(&[(&request, &target[..70]), (&request, &target), (&request, &[])], None).unwrap();
        let pairs = whole.weights.iter().flatten().zip(short[0].weights.iter().flatten());
        assert!(short[0].weights.len() == 70 && pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(whole == short[1] && short[2].weights.is_empty());
        let sums = whole.weights.iter().map(|row| row.iter().sum::<f32>());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-5));
        let (at, weight) = whole.best()[5];
        assert!(whole.weights[5].iter().all(|w| *w <= weight) && whole.weights[5][at] == weight);
    }
}

#[test]
fn what_cannot_be_aligned_is_said() {
    let engine = engine("bart", Precision::F32);
    let request = |source: Vec<u32>| Request { source: Some(source), ..Request::default() };
    let says = |request: &Request, target: &[u32], layer| match engine.align(&[(request, target)], layer) {
        Err(Error::Interrupted) | Ok(_) => panic!("no error"),
        Err(error) => error.to_string(),
    };
    assert!(says(&request(vec![5, 6]), &[7], Some(2)).contains("layers 0 to 1"));
    assert!(says(&request(vec![]), &[7], None).contains("0 tokens"));
    assert!(says(&request(vec![5]), &[7; 200], None).contains("201 tokens"));
    let llama = model::open("llama", &fixtures().join("models/llama/model.gguf"), &Runtime::cpu()).unwrap();
    let error = llama.align(&[(&Request::default(), &[7])], None).unwrap_err();
    assert!(error.to_string().contains("no encoder"), "{error}");
}

#[test]
fn patience_and_coverage_are_those_of_ctranslate2() {
    let cases = expected("beams");
    let engines = engines(&cases);
    let mut wrong = Vec::new();
    for case in &cases {
        let family = case["family"].as_str().unwrap();
        let engine = &engines[family];
        let asked = &case["options"];
        let number = |key: &str, default: f64| asked[key].as_f64().unwrap_or(default) as f32;
        let options = Options {
            beams: number("beam_size", 1.0) as usize,
            outputs: number("num_hypotheses", 1.0) as usize,
            max_tokens: number("max_decoding_length", 0.0) as usize,
            length_penalty: number("length_penalty", 0.0),
            patience: number("patience", 1.0),
            coverage_penalty: number("coverage_penalty", 0.0),
            early_stopping: EarlyStopping::Always,
            ..Options::default()
        };
        let request = |source: &Value| Request { source: Some(ids(source)), options: options.clone(), ..Request::default() };
        let requests: Vec<Request> = case["sources"].as_array().unwrap().iter().map(request).collect();
        let outputs = engine.generate(&requests, &|_, _| true).unwrap();
        for (output, expected) in outputs.iter().zip(case["outputs"].as_array().unwrap()) {
            let first = (output.ids.clone(), output.score);
            let found: Vec<_> = std::iter::once(first).chain(output.variants.iter().map(|v| (v.ids.clone(), v.score))).collect();
            let expected: Vec<_> =
                expected.as_array().unwrap().iter().map(|e| (ids(&e["ids"]), e["score"].as_f64().unwrap() as f32)).collect();
            // An end token is no part of our output.
            let same = |(f, e): (&(Vec<u32>, f32), &(Vec<u32>, f32))| {
                let written = if e.0.len() > f.0.len() { &e.0[..e.0.len() - 1] } else { &e.0 };
                f.0 == *written && (f.1 - e.1).abs() < 2e-4
            };
            if found.len() != expected.len() || !found.iter().zip(&expected).all(same) {
                wrong.push(format!("{family}, {asked}:\n    found {found:?}\n expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
