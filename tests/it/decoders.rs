//! Language models of all families against `transformers`: tiny ones with random weights, whose
//! logits, greedy continuations and beams were written down by scripts/fixtures/make_decoders.py.

use crate::common::{batches, fixture, fixtures, json, next_logits};
use candle_core::Device;
use polygist::arch::{self, Model};
use polygist::checkpoint::{Config, TrackedWeights, Weights};
use polygist::generate::{
    DecodingOptions, EarlyStopping, Engine, Generate, GenerationConfig, Request,
};
use polygist::io::weights::{Gguf, open_folder};
use polygist::kernel::Precision;
use polygist::nn::{Backend, Compute, Span};
use polygist::token::Tokenizer;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Largest difference of a logit that is accepted, as a share of the largest logit: both sides
/// compute in f32 and sum in different orders.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Case {
    prompt: String,
    ids: Vec<u32>,
    logits: Vec<f32>,
    greedy: Vec<u32>,
    beams: Vec<Beam>,
}

#[derive(Deserialize)]
struct Beam {
    ids: Vec<u32>,
    score: f32,
}

fn cases(folder: &Path) -> Vec<Case> {
    serde_json::from_value(json(folder.join("expected.json"))).unwrap()
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

/// The files of a family: the folder, and its GGUF file if there is one.
fn sources(folder: &Path) -> Vec<(&'static str, Config, Box<dyn Weights>)> {
    let (config, weights) = open_folder(folder).unwrap();
    let mut all = vec![("safetensors", config, weights)];
    let gguf = folder.join("model.gguf");
    if gguf.exists() {
        let (config, weights) = Gguf::open(&gguf).unwrap();
        all.push(("gguf", config, Box::new(weights)));
    }
    all
}

fn backend(compute: Compute, precision: Precision) -> Backend {
    Backend { compute, ..Backend::new(Device::Cpu, precision) }
}

fn logits(model: &dyn Model, ids: &[u32]) -> Vec<f32> {
    next_logits(model, ids, &mut model.new_cache())
}

#[test]
fn logits_and_greedy_tokens_are_those_of_transformers() {
    let folders = fixtures("decoders");
    assert!(folders.len() >= 12, "{folders:?}");
    let mut wrong = Vec::new();
    for folder in &folders {
        for (source, config, weights) in sources(folder) {
            for compute in [Compute::Kernels, Compute::Candle] {
                let backend = backend(compute, Precision::F32);
                let model = arch::load(&config, &*weights, &backend)
                    .unwrap_or_else(|e| panic!("{}, {source}: {e}", name(folder)));
                for case in cases(folder) {
                    let at = format!("{}, {source}, {compute:?}, {:?}", name(folder), case.prompt);
                    let mut cache = model.new_cache();
                    let mut next = case.ids;
                    let mut written = Vec::new();
                    for _ in 0..case.greedy.len() {
                        let logits = next_logits(&*model, &next, &mut cache);
                        if written.is_empty() {
                            assert_eq!(logits.len(), case.logits.len(), "{at}");
                            let scale = case.logits.iter().fold(1.0f32, |m, v| m.max(v.abs()));
                            let differ = |(a, b): (&f32, &f32)| (a - b).abs() / scale;
                            let worst =
                                logits.iter().zip(&case.logits).map(differ).fold(0.0, f32::max);
                            if worst.is_nan() || worst >= TOLERANCE {
                                wrong.push(format!("logits differ by {worst} of {scale}: {at}"));
                            }
                        }
                        let best = (0..logits.len())
                            .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
                            .unwrap() as u32;
                        written.push(best);
                        next = vec![best];
                    }
                    if written != case.greedy {
                        wrong.push(format!("{written:?} for {:?}: {at}", case.greedy));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The engine of a folder, with the vocabulary that all of them have.
fn engine(folder: &Path, precision: Precision, threads: usize) -> Engine {
    let runtime = batches(precision, threads, 6);
    let (config, weights) = open_folder(folder).unwrap();
    let model = arch::load(&config, &*weights, &runtime.backend()).unwrap();
    let tokens = Config::Json(json!({"bos_token_id": 1, "eos_token_id": 2}));
    let tokenizer = fixture("models/llama/tokenizer.json");
    let tokenizer = Tokenizer::from_file(&tokenizer, &tokens).unwrap();
    let generation = GenerationConfig::default();
    Engine::new(name(folder), model, tokenizer, generation, runtime.settings()).unwrap()
}

fn requests(folder: &Path, options: &DecodingOptions) -> Vec<Request> {
    let request = |case: Case| Request {
        prompt: case.prompt,
        options: options.clone(),
        ..Request::default()
    };
    cases(folder).into_iter().map(request).collect()
}

#[test]
fn beams_are_those_of_transformers() {
    let mut wrong = Vec::new();
    let options = DecodingOptions {
        num_beams: 3,
        outputs: 3,
        max_tokens: 12,
        early_stopping: EarlyStopping::Unlikely,
        end_loops: false,
        ..DecodingOptions::default()
    };
    for folder in fixtures("decoders") {
        let outputs = engine(&folder, Precision::F32, 2)
            .generate(&requests(&folder, &options), &|_, _| true)
            .unwrap();
        for (output, case) in outputs.iter().zip(cases(&folder)) {
            let first = (&output.ids, output.score);
            let found: Vec<_> = std::iter::once(first)
                .chain(output.variants.iter().map(|v| (&v.ids, v.score)))
                .collect();
            // An end token is none of the output's.
            let expected: Vec<_> = case
                .beams
                .iter()
                .map(|beam| (beam.ids.strip_suffix(&[2]).unwrap_or(&beam.ids), beam.score))
                .collect();
            let same = found.len() == expected.len()
                && found.iter().zip(&expected).all(|(found, expected)| {
                    found.0 == expected.0 && (found.1 - expected.1).abs() < 5e-4
                });
            if !same {
                wrong.push(format!(
                    "{}, {:?}:\n    found {found:?}\n expected {expected:?}",
                    name(&folder),
                    case.prompt
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn results_do_not_depend_on_the_batch_or_the_threads() {
    for folder in fixtures("decoders") {
        for (precision, beams) in [(Precision::F32, 1), (Precision::Int8, 2)] {
            let options = DecodingOptions {
                num_beams: beams,
                max_tokens: 10,
                end_loops: false,
                ..DecodingOptions::default()
            };
            let requests = requests(&folder, &options);
            let one = engine(&folder, precision, 1);
            let alone: Vec<_> = requests
                .iter()
                .map(|r| one.generate(std::slice::from_ref(r), &|_, _| true).unwrap().remove(0))
                .collect();
            let together = engine(&folder, precision, 3).generate(&requests, &|_, _| true).unwrap();
            assert_eq!(together, alone, "{}, {precision:?}", name(&folder));
        }
    }
}

#[test]
fn tokens_of_the_same_meaning_are_related() {
    for folder in fixtures("decoders") {
        let [engine, two] = [1, 2].map(|threads| engine(&folder, Precision::F32, threads));
        let case = cases(&folder).into_iter().max_by_key(|case| case.prompt.len()).unwrap();
        let text = case.prompt.as_str();
        let (half, _) = text.split_at(text.floor_char_boundary(text.len() / 2));
        // A token means what it means itself.
        let pairs = [(text, text), (half, text), ("", text)];
        let found = engine.relate(&pairs).unwrap();
        let same = found[0].as_ref().unwrap();
        assert!(same.source.len() > 3, "{same:?}");
        for (number, token) in same.target.iter().enumerate() {
            assert_eq!((token.source, &token.text), (number, &same.source[number]), "{same:?}");
            assert_eq!(token.weight, 0.8);
        }
        let other = found[1].as_ref().unwrap();
        assert_eq!(other.target.len(), same.target.len());
        assert!(other.target.iter().all(|token| token.source < other.source.len()));
        assert_eq!(found[2], None, "nothing belongs to no text");
        // Whatever else is asked, and however many compute.
        assert_eq!(two.relate(&pairs[1..2]).unwrap(), found[1..2], "{}", name(&folder));
        assert_eq!(engine.relate(&[]).unwrap(), []);
    }
}

#[test]
fn int8_stays_close_to_f32() {
    for folder in fixtures("decoders") {
        let (config, weights) = open_folder(&folder).unwrap();
        let all = |precision| -> Vec<f32> {
            let backend = backend(Compute::Kernels, precision);
            let model = arch::load(&config, &*weights, &backend).unwrap();
            cases(&folder).iter().flat_map(|case| logits(&*model, &case.ids)).collect()
        };
        let (exact, rounded) = (all(Precision::F32), all(Precision::Int8));
        let norm = |values: &mut dyn Iterator<Item = f32>| {
            values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
        };
        let error = norm(&mut exact.iter().zip(&rounded).map(|(a, b)| a - b))
            / norm(&mut exact.iter().copied());
        assert!(error > 0.0 && error < 0.1, "{}: relative error {error}", name(&folder));
    }
}

/// All that files hold is used, but for the part of a larger model that sees images.
#[test]
fn weights_that_are_not_used_are_expected() {
    for folder in fixtures("decoders") {
        for (source, config, weights) in sources(&folder) {
            let sees = weights.names().iter().any(|name| name.contains("vision_tower"));
            assert_eq!(sees, name(&folder) == "gemma3-images");
            let tracked = TrackedWeights::new(&*weights);
            arch::load(&config, &tracked, &backend(Compute::Kernels, Precision::F32)).unwrap();
            assert_eq!(arch::unused(&tracked), None, "{}, {source}", name(&folder));
        }
    }
}

/// A folder's `config.json`, changed.
fn changed(family: &str, change: impl FnOnce(&mut Value)) -> (Config, Box<dyn Weights>) {
    let folder: PathBuf = fixture("decoders").join(family);
    let mut config = json(folder.join("config.json"));
    change(&mut config);
    (Config::Json(config), open_folder(&folder).unwrap().1)
}

/// `config.json` of older files says the same in other words.
#[test]
fn older_configurations_of_rotary_embeddings_mean_the_same() {
    for family in ["llama3", "llama-bias", "qwen2", "hunyuan", "phi3", "ministral3"] {
        let (config, weights) = changed(family, |config| {
            let mut scaling = config["rope_parameters"].take();
            config["rope_theta"] = scaling["rope_theta"].take();
            let kind = scaling["rope_type"].take();
            scaling["type"] = kind;
            if !scaling["partial_rotary_factor"].is_null() {
                config["partial_rotary_factor"] = scaling["partial_rotary_factor"].take();
            }
            config["rope_scaling"] = scaling;
        });
        let backend = backend(Compute::Kernels, Precision::F32);
        let older = arch::load(&config, &*weights, &backend).unwrap();
        let (config, weights) = changed(family, |_| {});
        let newer = arch::load(&config, &*weights, &backend).unwrap();
        let ids = &cases(&fixture("decoders").join(family))[2].ids;
        assert_eq!(logits(&*older, ids), logits(&*newer, ids), "{family}");
        assert_eq!(older.context_length(), newer.context_length(), "{family}");
    }
}

/// Where positions further on would be rotated otherwise, the context ends.
#[test]
fn contexts_end_where_rotary_embeddings_do() {
    for (family, expected) in [("phi3", 256), ("ministral3", 128), ("llama3", 2048)] {
        for (source, config, weights) in sources(&fixture("decoders").join(family)) {
            let backend = backend(Compute::Kernels, Precision::F32);
            let model = arch::load(&config, &*weights, &backend).unwrap();
            assert_eq!(model.context_length(), expected, "{family}, {source}");
        }
    }
}

#[test]
fn rotary_embeddings_that_make_no_sense_are_clear_errors() {
    let backend = backend(Compute::Kernels, Precision::F32);
    for (family, key, value, says) in [
        ("llama3", "rope_type", json!("spiral"), "the spiral way; polygist knows linear"),
        ("llama3", "factor", json!(null), "no number factor"),
        ("llama3", "factor", json!(0), "no number factor"),
        ("llama3", "rope_theta", json!(0.5), "rope_theta"),
        ("qwen2", "beta_fast", json!(-1), "no number beta_fast"),
        ("phi3", "short_factor", json!([1.0, 2.0]), "no angles"),
        ("phi3", "short_factor", json!([1, 1, 1, 1, 1, 0]), "no angles"),
        ("phi3", "partial_rotary_factor", json!(2.0), "rotates 32 numbers"),
        ("phi3", "partial_rotary_factor", json!(0.2), "rotates 3 numbers"),
        ("hunyuan", "alpha", json!(-4), "alpha"),
    ] {
        let (config, weights) = changed(family, |config| config["rope_parameters"][key] = value);
        let error = arch::load(&config, &*weights, &backend)
            .err()
            .unwrap_or_else(|| panic!("{family} was loaded with another {key}"))
            .to_string();
        assert!(error.contains(says), "{family}, {key}: {error}");
    }
}

/// Read at once or token by token, in beams or alone: positions are counted the same.
#[test]
fn logits_do_not_depend_on_how_a_text_is_read() {
    for folder in fixtures("decoders") {
        let (config, weights) = open_folder(&folder).unwrap();
        let backend = backend(Compute::Kernels, Precision::F32);
        let model = arch::load(&config, &*weights, &backend).unwrap();
        let ids = &cases(&folder)[2].ids;
        let whole = logits(&*model, ids);
        let mut cache = model.new_cache();
        for (number, id) in ids.iter().enumerate() {
            let one = [*id];
            let hidden = model.forward(&mut [Span::new(&one, &mut cache)]).unwrap();
            if number + 1 < ids.len() {
                continue;
            }
            let mut last = Vec::new();
            model.output().blocks(&hidden, |_, _, block| last.extend_from_slice(block)).unwrap();
            assert_eq!(last, whole, "{}", name(&folder));
        }
    }
}
