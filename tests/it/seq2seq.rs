//! Encoder–decoder models against `transformers`: tiny models with random weights, whose logits and
//! outputs were written down by scripts/fixtures/make_seq2seq.py.

use crate::common::{self, batches, cpu, engine as open, fixture, fixtures, ids, load, logits};
use polygist::generate::{DecodingOptions, Engine, Finish, Generate, Request};
use polygist::kernel::Precision;
use serde_json::Value;
use std::path::PathBuf;

fn folder(family: &str) -> PathBuf {
    fixture("seq2seq").join(family)
}

fn families() -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_string();
    fixtures("seq2seq").into_iter().map(name).collect()
}

fn json(family: &str, file: &str) -> Value {
    common::json(folder(family).join(file))
}

/// Largest difference of a logit that is accepted, as a share of the largest logit: both sides
/// compute in f32 and sum in different orders.
const TOLERANCE: f32 = 2e-5;

#[test]
fn logits_are_those_of_transformers() {
    for family in families() {
        let model = load(&folder(&family), Precision::F32);
        for case in json(&family, "expected.json")["logits"].as_array().unwrap() {
            let (source, decoder) = (ids(&case["source"]), ids(&case["decoder"]));
            let found = logits(&*model, &source, &decoder);
            let expected: Vec<f32> = case["logits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap() as f32)
                .collect();
            assert_eq!(found.len(), expected.len(), "{family}");
            let scale = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
            // What is banned by an infinite bias is as good as any other such number.
            let differ = |(a, b): (&f32, &f32)| if a == b { 0.0 } else { (a - b).abs() / scale };
            let worst = found.iter().zip(&expected).map(differ).fold(0.0, f32::max);
            assert!(
                worst < TOLERANCE,
                "{family}: logits differ by {worst} of {scale} after {source:?}, {decoder:?}"
            );
        }
    }
}

#[test]
fn int8_stays_close_to_f32() {
    for family in families() {
        let (exact, rounded) =
            (load(&folder(&family), Precision::F32), load(&folder(&family), Precision::Int8));
        let (mut error, mut size) = (0.0, 0.0);
        for case in json(&family, "expected.json")["logits"].as_array().unwrap() {
            let (source, decoder) = (ids(&case["source"]), ids(&case["decoder"]));
            let (a, b) = (logits(&*exact, &source, &decoder), logits(&*rounded, &source, &decoder));
            error += a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            size += a.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>();
        }
        let share = (error / size).sqrt();
        assert!(share > 0.0 && share < 0.1, "{family}: relative error {share}");
    }
}

fn engine(family: &str, precision: Precision, threads: usize, batch: usize) -> Engine {
    open(&folder(family), &batches(precision, threads, batch))
}

/// The words that stand for some tokens in the fixtures' vocabulary.
fn words(ids: &[u32], family: &str) -> String {
    let vocabulary = json(family, "tokenizer.json")["model"]["vocab"].clone();
    let word = |id: &u32| {
        vocabulary
            .as_object()
            .unwrap()
            .iter()
            .find(|(_, v)| v.as_u64() == Some(u64::from(*id)))
            .unwrap()
            .0
            .clone()
    };
    ids.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The engine of a family whose decoder starts with another token: a folder with other words in its
/// `generation_config.json`.
fn engine_starting_with(family: &str, token: u64) -> Engine {
    let dir = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(folder(family).join(file), dir.path().join(file)).unwrap();
    }
    let mut generation = json(family, "generation_config.json");
    generation["decoder_start_token_id"] = token.into();
    std::fs::write(dir.path().join("generation_config.json"), generation.to_string()).unwrap();
    open(dir.path(), &cpu(Precision::F32, 2))
}

/// One set of options, its requests, and what is expected: (ids, score) of each output, best first.
struct Case {
    name: String,
    /// What the decoder starts with, if not with what the model's files say.
    start: Option<u64>,
    requests: Vec<Request>,
    expected: Vec<Vec<(Vec<u32>, Option<f32>)>>,
}

fn cases(family: &str) -> Vec<Case> {
    let config = json(family, "config.json");
    let generation = json(family, "generation_config.json");
    let number = |key: &str| {
        [&generation, &config].iter().find_map(|file| file[key].as_u64()).map(|n| n as u32)
    };
    let end = number("eos_token_id").unwrap();
    let read = |case: &Value| {
        let asked = &case["options"];
        let mut options = DecodingOptions::of_model(&[asked, &generation, &config]);
        options.end_loops = false;
        options.outputs = asked["num_return_sequences"].as_u64().unwrap_or(1) as usize;
        let start = asked["decoder_input_ids"]
            .as_array()
            .map(|_| ids(&asked["decoder_input_ids"]))
            .unwrap_or_default();
        // `transformers` puts the token that decoding starts with before a prefix that lacks it.
        let prefix = start
            .strip_prefix(&[number("decoder_start_token_id").unwrap()][..])
            .unwrap_or(&start)
            .to_vec();
        if !prefix.is_empty() {
            options.forced_begin = None;
        }
        let request = |source: &Value| Request {
            source: Some(ids(source)),
            output_prefix: words(&prefix, family),
            options: options.clone(),
            ..Request::default()
        };
        let output = |output: &Value| {
            let written = ids(&output["ids"]);
            let written = written.strip_suffix(&[end]).unwrap_or(&written);
            (written[1.min(written.len())..].to_vec(), output["score"].as_f64().map(|s| s as f32))
        };
        Case {
            start: asked["decoder_start_token_id"].as_u64(),
            name: case["name"].as_str().unwrap().to_string(),
            requests: case["sources"].as_array().unwrap().iter().map(request).collect(),
            expected: case["outputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|o| o.as_array().unwrap().iter().map(output).collect())
                .collect(),
        }
    };
    json(family, "expected.json")["generate"].as_array().unwrap().iter().map(read).collect()
}

#[test]
fn outputs_are_those_of_transformers() {
    let mut wrong = Vec::new();
    for family in families() {
        let engine = engine(&family, Precision::F32, 2, 6);
        for case in cases(&family) {
            let other = case.start.map(|token| engine_starting_with(&family, token));
            let outputs =
                other.as_ref().unwrap_or(&engine).generate(&case.requests, &|_, _| true).unwrap();
            for (i, (output, expected)) in outputs.iter().zip(&case.expected).enumerate() {
                let first = (output.ids.clone(), output.score);
                let found: Vec<_> = std::iter::once(first)
                    .chain(output.variants.iter().map(|v| (v.ids.clone(), v.score)))
                    .collect();
                let same = found.len() == expected.len()
                    && found.iter().zip(expected).all(|(f, e)| {
                        f.0 == e.0 && e.1.is_none_or(|score| (f.1 - score).abs() < 2e-4)
                    });
                if !same {
                    wrong.push(format!(
                        "{family}, {}, source {i}:\n    found {found:?}\n expected {expected:?}",
                        case.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a beam of `transformers` found, and how likely it is: its scores know nothing of rules that
/// ban or force.
fn found_by_beams(family: &str) -> Vec<(Request, String, f32)> {
    let mut found = Vec::new();
    for case in cases(family).into_iter().filter(|case| case.name == "beam 4") {
        for (request, outputs) in case.requests.into_iter().zip(case.expected) {
            let options = &request.options;
            for (ids, score) in outputs {
                let power = ((ids.len() + 1) as f32).powf(options.length_penalty);
                let begin: &[u32] = options.forced_begin.as_slice();
                let text = words(ids.strip_prefix(begin).unwrap_or(&ids), family);
                // One that was cut off has no end, and control tokens are none in a text.
                let cut = ids.len() + 1 >= options.max_tokens;
                if cut || text.split(' ').any(|word| !word.starts_with('t')) {
                    continue;
                }
                let tokens = ids.len() + 1 - begin.len();
                found.push((request.clone(), text, score.unwrap() * power / tokens as f32));
            }
        }
    }
    found
}

#[test]
fn scores_of_given_texts_are_those_of_transformers() {
    let mut compared = 0;
    for family in families() {
        let found = found_by_beams(&family);
        let pairs: Vec<(&Request, &str)> =
            found.iter().map(|(request, text, _)| (request, text.as_str())).collect();
        let scores = engine(&family, Precision::F32, 2, 6).score(&pairs, &|_| true).unwrap();
        for ((_, text, expected), score) in found.iter().zip(&scores) {
            assert!(
                (score - expected).abs() < 2e-4,
                "{family} {text:?}: {score} where {expected} is expected"
            );
        }
        compared += found.len();
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn scores_do_not_depend_on_what_is_scored_with_them() {
    for family in families() {
        for precision in [Precision::F32, Precision::Int8] {
            let found = found_by_beams(&family);
            let mut pairs: Vec<(&Request, &str)> =
                found.iter().map(|(request, text, _)| (request, text.as_str())).collect();
            let greedy = cases(&family).remove(0).requests;
            pairs.extend(greedy.iter().flat_map(|r| ["", "t9 t7"].map(|text| (r, text))));
            let one = engine(&family, precision, 1, 1);
            let alone: Vec<f32> = pairs
                .iter()
                .map(|pair| one.score(std::slice::from_ref(pair), &|_| true).unwrap()[0])
                .collect();
            assert!(alone.iter().all(|score| *score < 0.0), "{family}: {alone:?}");
            let three = engine(&family, precision, 3, 64);
            assert_eq!(three.score(&pairs, &|_| true).unwrap(), alone, "{family} {precision:?}");
            assert!(one.score(&pairs, &|_| false).is_err());
        }
    }
}

#[test]
fn what_an_output_is_given_to_begin_with_does_not_count() {
    let engine = engine("marian", Precision::F32, 1, 1);
    let source = ids(&json("marian", "expected.json")["logits"][3]["source"]);
    let request = Request { source: Some(source), ..Request::default() };
    let begun = Request { output_prefix: "t9 t7".into(), ..request.clone() };
    let pairs = [(&request, "t9 t7 t30"), (&request, "t9 t7"), (&begun, "t30"), (&begun, "")];
    let [whole, beginning, rest, end] =
        engine.score(&pairs, &|_| true).unwrap().try_into().unwrap();
    // All but the end after the beginning, which is another than that after the whole.
    let beginning = beginning * 3.0 - end;
    assert!((whole * 4.0 - (beginning + rest * 2.0)).abs() < 1e-4, "{whole} {beginning} {rest}");
    let long = vec!["t9"; 100].join(" ");
    let error = engine.score(&[(&request, &long)], &|_| true).unwrap_err().to_string();
    assert!(error.contains("its context of 80"), "{error}");
}

/// Draws follow the distribution that `transformers` draws from, whatever is cut off it.
#[test]
fn draws_have_the_distribution_of_transformers() {
    const DRAWS: u32 = 500;
    for family in ["marian", "t5"] {
        let engine = engine(family, Precision::F32, 2, 64);
        for case in json(family, "expected.json")["sampling"].as_array().unwrap() {
            let options = DecodingOptions::of_model(&[&case["options"]]);
            let number = |key: &str| case["options"][key].as_f64().map(|n| n as f32);
            let options = DecodingOptions {
                temperature: number("temperature").unwrap_or(1.0),
                top_k: case["options"]["top_k"].as_u64().unwrap_or(0) as usize,
                top_p: number("top_p").unwrap_or(1.0),
                min_p: number("min_p").unwrap_or(0.0),
                max_tokens: 1,
                ..options
            };
            let request = |seed: u32| Request {
                source: Some(ids(&case["source"])),
                output_prefix: words(&ids(&case["decoder"])[1..], family),
                options: DecodingOptions { seed: seed.into(), ..options.clone() },
                ..Request::default()
            };
            let outputs = engine
                .generate(&(0..DRAWS).map(request).collect::<Vec<_>>(), &|_, _| true)
                .unwrap();
            let given = case["decoder"].as_array().unwrap().len() - 1;
            let end = json(family, "config.json")["eos_token_id"].as_u64().unwrap() as u32;
            let mut counts = std::collections::BTreeMap::new();
            for output in &outputs {
                // An end token is no part of the output.
                *counts.entry(output.ids.get(given).copied().unwrap_or(end)).or_insert(0.0) +=
                    1.0 / f64::from(DRAWS);
            }
            let pairs = case["probabilities"].as_array().unwrap();
            let expected: Vec<(u32, f64)> = pairs
                .iter()
                .map(|p| (p[0].as_u64().unwrap() as u32, p[1].as_f64().unwrap()))
                .collect();
            let known = |id: u32| expected.iter().find(|(e, _)| *e == id).map_or(0.0, |(_, p)| *p);
            assert!(
                counts.keys().all(|&id| known(id) > 0.0),
                "{family}, {}: {counts:?} out of {expected:?}",
                case["options"]
            );
            let distance: f64 = expected
                .iter()
                .map(|(id, p)| (p - counts.get(id).copied().unwrap_or(0.0)).abs())
                .sum::<f64>()
                / 2.0;
            // Five hundred draws from a hundred tokens are about this far from their distribution.
            assert!(distance < 0.15, "{family}, {}: distance {distance}", case["options"]);
        }
    }
}

/// The promise of the engine, for beams and int8 too: a result depends on its request alone, to the
/// bit.
#[test]
fn results_do_not_depend_on_the_batch_or_the_threads() {
    for family in families() {
        for precision in [Precision::F32, Precision::Int8] {
            let mut requests: Vec<Request> =
                cases(&family).into_iter().flat_map(|case| case.requests).collect();
            let drawn = |r: &Request| Request {
                options: DecodingOptions {
                    temperature: 0.9,
                    num_beams: 1,
                    top_p: 0.9,
                    ..r.options.clone()
                },
                ..r.clone()
            };
            requests.extend(requests.iter().take(5).map(drawn).collect::<Vec<_>>());
            let one = engine(&family, precision, 1, 1);
            let alone: Vec<_> = requests
                .iter()
                .map(|r| one.generate(std::slice::from_ref(r), &|_, _| true).unwrap().remove(0))
                .collect();
            for (threads, batch) in [(1, 64), (3, 7)] {
                let together = engine(&family, precision, threads, batch)
                    .generate(&requests, &|_, _| true)
                    .unwrap();
                assert!(
                    together == alone,
                    "{family}, {precision:?}, {threads} threads, batch {batch}"
                );
            }
        }
    }
}

/// An end that is forced at the longest output is a cut, and is told as one; what an output is
/// given to begin with always fits.
#[test]
fn cuts_are_told() {
    let engine = engine("bart", Precision::F32, 1, 8);
    let source: Vec<u32> = ids(&json("bart", "expected.json")["logits"][3]["source"]);
    for (beams, max_tokens) in [(1, 4), (4, 4), (1, 1), (4, 1)] {
        let options =
            DecodingOptions { num_beams: beams, max_tokens, min_tokens: 40, ..engine.defaults() };
        assert!(options.forced_begin.is_some());
        assert!(options.forced_end.is_some());
        let request = Request { source: Some(source.clone()), options, ..Request::default() };
        let output = engine.generate(&[request], &|_, _| true).unwrap().remove(0);
        assert_eq!(output.finish, Finish::Length, "{beams}, {max_tokens}: {output:?}");
        assert!((1..=4).contains(&output.tokens), "{beams}, {max_tokens}: {output:?}");
    }
}
