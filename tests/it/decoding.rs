//! Decoding beyond `transformers`' own: streams and bounds; alignments, patience and coverage
//! against what `transformers` and CTranslate2 compute with the tiny models: their figures were
//! written down by scripts/fixtures/make_decoding.py.

use crate::common::{batches, cpu, engine as open, fixture, fixtures, ids, json};
use polygist::error::Error;
use polygist::generate::{DecodingOptions, EarlyStopping, Engine, Generate, Request};
use polygist::kernel::Precision;
use polygist::model::Runtime;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

fn expected(part: &str) -> Vec<Value> {
    let mut all = json(fixture("decoding/expected.json"));
    let cases = all[part].take().as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn engine(family: &str, precision: Precision) -> Engine {
    open(&fixture("seq2seq").join(family), &batches(precision, 2, 16))
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
            let align =
                |layer| engines[family].align(&[(&request, &target)], layer).unwrap().remove(0);
            let found = align(Some(layer));
            assert_eq!(
                (found.source.len(), found.target.len(), found.weights.len()),
                (source.len(), target.len(), target.len())
            );
            for (row, expected) in found.weights.iter().zip(weights.as_array().unwrap()) {
                assert_eq!(row.len(), source.len());
                for (weight, expected) in row.iter().zip(expected.as_array().unwrap()) {
                    let differs = (f64::from(*weight) - expected.as_f64().unwrap()).abs();
                    assert!(
                        differs < 1e-5,
                        "{family}, layer {layer}: {weight} instead of {expected}"
                    );
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
        let short = engine
            .align(&[(&request, &target[..70]), (&request, &target), (&request, &[])], None)
            .unwrap();
        let pairs = whole.weights.iter().flatten().zip(short[0].weights.iter().flatten());
        assert_eq!(short[0].weights.len(), 70);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(whole, short[1]);
        assert!(short[2].weights.is_empty());
        let sums = whole.weights.iter().map(|row| row.iter().sum::<f32>());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-5));
        let (at, weight) = whole.best()[5];
        assert!(whole.weights[5].iter().all(|w| *w <= weight));
        assert_eq!(whole.weights[5][at], weight);
    }
}

#[test]
fn what_cannot_be_aligned_is_said() {
    let engine = engine("bart", Precision::F32);
    let request = |source: Vec<u32>| Request { source: Some(source), ..Request::default() };
    let says = |request: &Request, target: &[u32], layer| match engine
        .align(&[(request, target)], layer)
    {
        Err(Error::Interrupted) | Ok(_) => panic!("no error"),
        Err(error) => error.to_string(),
    };
    assert!(says(&request(vec![5, 6]), &[7], Some(2)).contains("layers 0 to 1"));
    assert!(says(&request(vec![]), &[7], None).contains("0 tokens"));
    assert!(says(&request(vec![5]), &[7; 200], None).contains("201 tokens"));
    assert_eq!(engine.relate(&[("t4", "t5")]).unwrap(), [None], "it has its attention");
    let llama = open(&fixture("models/llama/model.gguf"), &Runtime::cpu());
    let error = llama.align(&[(&Request::default(), &[7])], None).unwrap_err();
    assert!(error.to_string().contains("no encoder"), "{error}");
}

/// The ids of an output, and its score.
type Beam = (Vec<u32>, f32);

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
        let options = DecodingOptions {
            num_beams: number("beam_size", 1.0) as usize,
            outputs: number("num_hypotheses", 1.0) as usize,
            max_tokens: number("max_decoding_length", 0.0) as usize,
            length_penalty: number("length_penalty", 0.0),
            patience: number("patience", 1.0),
            coverage_penalty: number("coverage_penalty", 0.0),
            early_stopping: EarlyStopping::Always,
            ..DecodingOptions::default()
        };
        let request = |source: &Value| Request {
            source: Some(ids(source)),
            options: options.clone(),
            ..Request::default()
        };
        let requests: Vec<Request> =
            case["sources"].as_array().unwrap().iter().map(request).collect();
        let outputs = engine.generate(&requests, &|_, _| true).unwrap();
        for (output, expected) in outputs.iter().zip(case["outputs"].as_array().unwrap()) {
            let first = (output.ids.clone(), output.score);
            let found: Vec<_> = std::iter::once(first)
                .chain(output.variants.iter().map(|v| (v.ids.clone(), v.score)))
                .collect();
            let expected: Vec<_> = expected
                .as_array()
                .unwrap()
                .iter()
                .map(|e| (ids(&e["ids"]), e["score"].as_f64().unwrap() as f32))
                .collect();
            // An end token is no part of our output.
            let same = |((ids, score), (wanted, wanted_score)): (&Beam, &Beam)| {
                let wanted =
                    if wanted.len() > ids.len() { &wanted[..wanted.len() - 1] } else { wanted };
                ids == wanted && (score - wanted_score).abs() < 2e-4
            };
            if found.len() != expected.len() || !found.iter().zip(&expected).all(same) {
                wrong.push(format!(
                    "{family}, {asked}:\n    found {found:?}\n expected {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Requests of all kinds: greedy, drawn at random, beams, with a stop text.
fn requests_of_all_kinds() -> Vec<Request> {
    let kinds = [
        DecodingOptions { max_tokens: 30, ..DecodingOptions::default() },
        DecodingOptions {
            max_tokens: 30,
            temperature: 3.0,
            seed: 5,
            end_loops: false,
            ..DecodingOptions::default()
        },
        DecodingOptions { max_tokens: 20, num_beams: 4, ..DecodingOptions::default() },
        DecodingOptions {
            max_tokens: 20,
            num_beams: 3,
            stop: vec!["t7".into(), " t1".into()],
            ..DecodingOptions::default()
        },
        DecodingOptions { max_tokens: 20, stop: vec!["t2".into()], ..DecodingOptions::default() },
        DecodingOptions {
            max_tokens: 20,
            num_beams: 4,
            patience: 2.0,
            coverage_penalty: 0.3,
            ..DecodingOptions::default()
        },
    ];
    let source = |n: usize| Some((0..3 + 4 * n as u32).map(|i| 4 + i * 13 % 70).collect());
    kinds
        .into_iter()
        .cycle()
        .take(18)
        .enumerate()
        .map(|(n, options)| Request { source: source(n), options, ..Request::default() })
        .collect()
}

#[test]
fn streamed_pieces_are_the_output() {
    for family in fixtures("seq2seq") {
        let engine = open(&family, &batches(Precision::F32, 2, 16));
        let family = family.display();
        let requests = requests_of_all_kinds();
        let pieces = Mutex::new(vec![Vec::new(); requests.len()]);
        let on_text = |number: usize, text: &str| {
            pieces.lock().unwrap()[number].push(text.to_string());
            true
        };
        let outputs = engine.stream(&requests, &on_text, &|_, _| true).unwrap();
        assert!(outputs == engine.generate(&requests, &|_, _| true).unwrap(), "{family}");
        let pieces = pieces.into_inner().unwrap();
        for (output, pieces) in outputs.iter().zip(&pieces) {
            assert_eq!(pieces.concat(), output.text, "{family}");
        }
        assert!(pieces.iter().any(|pieces| pieces.len() > 3), "{family}: {pieces:?}");
    }
    for (name, text) in [("llama", "Bonjour, le monde"), ("gemma3", "日本語 🇫🇷 text")] {
        let engine = open(&fixture("models").join(name).join("model.gguf"), &Runtime::cpu());
        let options = |n: u64| match n % 3 {
            0 => DecodingOptions {
                max_tokens: 40,
                temperature: 2.0,
                seed: n,
                end_loops: false,
                ..DecodingOptions::default()
            },
            1 => DecodingOptions {
                max_tokens: 40,
                stop: vec!["\n".into(), "e".into()],
                ..DecodingOptions::default()
            },
            _ => DecodingOptions { max_tokens: 20, num_beams: 3, ..DecodingOptions::default() },
        };
        let requests: Vec<Request> = (0..12)
            .map(|n| Request { prompt: text.into(), options: options(n), ..Request::default() })
            .collect();
        let streamed = Mutex::new(vec![String::new(); requests.len()]);
        let on_text = |number: usize, text: &str| {
            streamed.lock().unwrap()[number].push_str(text);
            true
        };
        let outputs = engine.stream(&requests, &on_text, &|_, _| true).unwrap();
        assert_eq!(
            outputs.iter().map(|o| o.text.clone()).collect::<Vec<_>>(),
            streamed.into_inner().unwrap(),
            "{name}"
        );
    }
}

#[test]
fn a_stream_can_be_stopped() {
    let engine = engine("marian", Precision::F32);
    let stopped = engine.stream(&requests_of_all_kinds(), &|_, _| false, &|_, _| true);
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
}

#[test]
fn a_bound_on_tokens_changes_no_result() {
    for (family, precision) in
        [("marian", Precision::Int8), ("t5", Precision::F32), ("bart", Precision::Int8)]
    {
        let bounded = |batch_tokens: usize, threads: usize| {
            let runtime = Runtime { batch_tokens, ..cpu(precision, threads) };
            open(&fixture("seq2seq").join(family), &runtime)
        };
        let requests = requests_of_all_kinds();
        // How often the next piece of text is another request's: with one worker, only where
        // several are in the works at once.
        let run = |batch_tokens: usize, threads: usize| {
            let order = Mutex::new(Vec::new());
            let on_text = |number: usize, _: &str| {
                order.lock().unwrap().push(number);
                true
            };
            let outputs =
                bounded(batch_tokens, threads).stream(&requests, &on_text, &|_, _| true).unwrap();
            (
                outputs,
                order.into_inner().unwrap().windows(2).filter(|pair| pair[0] != pair[1]).count(),
            )
        };
        let (expected, together) = run(usize::MAX, 1);
        let (alone, changes) = run(1, 1);
        assert_eq!(alone, expected, "{family}: {changes}, {together}");
        assert!(changes < requests.len(), "{family}: {changes}, {together}");
        assert!(together > 2 * requests.len(), "{family}: {changes}, {together}");
        for (batch_tokens, threads) in [(150, 1), (150, 3), (1, 2), (500, 2)] {
            assert!(
                run(batch_tokens, threads).0 == expected,
                "{family}, {batch_tokens} tokens, {threads} threads"
            );
        }
    }
}

#[test]
fn a_context_is_read_between_the_prefix_and_the_prompt() {
    let llama = open(&fixture("models/llama/model.gguf"), &Runtime::cpu());
    let written = |context: &str, prompt: &str, suffix: &str| {
        let [prefix, context, prompt, suffix] =
            ["One day, ", context, prompt, suffix].map(String::from);
        let options = DecodingOptions { max_tokens: 12, ..DecodingOptions::default() };
        let request = Request { prefix, context, prompt, suffix, options, ..Request::default() };
        llama.generate(&[request], &|_, _| true).unwrap().remove(0)
    };
    let (first, second) = ("the town closed.\n", "the bridge");
    let whole = written("", first, second);
    let parted = written(first, second, "");
    assert_eq!((&parted.ids, parted.score), (&whole.ids, whole.score));
    assert_ne!(written("", second, "").ids, whole.ids);
    // What looks like a control token is none in it, as in a prompt.
    let mark = "<|im_end|>";
    assert_eq!(written(mark, second, "").ids, written("", mark, second).ids);
    assert!(
        parted.prompt_tokens < whole.prompt_tokens,
        "the context is not the text that was read"
    );
}
