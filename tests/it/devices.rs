//! What a GPU computes, with candle's operations, computed on the CPU: it is to be what the kernels
//! compute.

use crate::common::{cpu, engine, fixture, fixtures};
use polygist::bench::{self, Shape};
use polygist::generate::{DecodingOptions, Engine, Generate, Request};
use polygist::kernel::Precision;
use polygist::model::Runtime;
use std::path::{Path, PathBuf};

fn models() -> Vec<PathBuf> {
    let mut found = fixtures("seq2seq");
    found.extend(
        ["models/gemma3/model.gguf", "models/llama/model.gguf", "bergamot/float"].map(fixture),
    );
    // Vocabularies of more than a few strips of logits.
    found.extend(["tiny", "tiny-decoder"].map(PathBuf::from));
    found
}

fn open(model: &Path, precision: Precision, candle: bool) -> Engine {
    let runtime = Runtime { candle, batch: 8, ..cpu(precision, 2) };
    match Shape::named(&model.to_string_lossy()) {
        Some(shape) => bench::open(shape, &runtime).unwrap(),
        None => engine(model, &runtime),
    }
}

/// Of different lengths, so that sequences are padded, and more than fit into the batch, so that
/// some wait.
fn requests(engine: &Engine, options: &DecodingOptions) -> Vec<Request> {
    let words = engine.vocabulary_size() as u32 - 5;
    let ids = |i: u32| (0..2 + i).map(move |j| 4 + (i * 31 + j * 17) % words);
    let request = |i| {
        let (prompt, source) = if engine.is_decoder_only() {
            (ids(i).map(|id| format!("t{id}")).collect::<Vec<_>>().join(" "), None)
        } else {
            (String::new(), Some(ids(i).collect()))
        };
        let prefix = if engine.is_decoder_only() { "t9 t7 t8 ".to_string() } else { String::new() };
        Request { prefix, prompt, source, options: options.clone(), ..Request::default() }
    };
    (0..14).map(request).collect()
}

#[test]
fn candle_writes_what_the_kernels_write() {
    for model in models() {
        let (kernels, candle) =
            (open(&model, Precision::F32, false), open(&model, Precision::F32, true));
        let short = DecodingOptions {
            min_tokens: 3,
            max_tokens: 12,
            end_loops: false,
            scored: true,
            ..kernels.defaults()
        };
        for options in [
            DecodingOptions { num_beams: 1, repetition_penalty: 1.3, ..short.clone() },
            DecodingOptions { num_beams: 1, temperature: 0.8, top_k: 5, seed: 3, ..short.clone() },
            DecodingOptions { num_beams: 4, no_repeat_ngram: 2, ..short.clone() },
            DecodingOptions { num_beams: 3, repetition_penalty: 1.2, ..short },
        ] {
            let requests = requests(&kernels, &options);
            let expected = kernels.generate(&requests, &|_, _| true).unwrap();
            let found = candle.generate(&requests, &|_, _| true).unwrap();
            for (expected, found) in expected.iter().zip(&found) {
                assert_eq!(found.ids, expected.ids, "{}, {options:?}", model.display());
                assert!(
                    (found.score - expected.score).abs() < 1e-4,
                    "{}: {} and {}",
                    model.display(),
                    found.score,
                    expected.score
                );
            }
        }
    }
}

#[test]
fn candle_reads_what_the_kernels_read() {
    for model in models() {
        let (kernels, candle) =
            (open(&model, Precision::F32, false), open(&model, Precision::F32, true));
        let requests = requests(&kernels, &DecodingOptions::default());
        let differ = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-4;
        let pairs: Vec<(&Request, &str)> =
            requests.iter().map(|request| (request, "t5 t11 t6")).collect();
        let [expected, found] =
            [&kernels, &candle].map(|engine| engine.score(&pairs, &|_| true).unwrap());
        assert!(
            !expected.iter().zip(&found).any(differ),
            "{}: {expected:?} and {found:?}",
            model.display()
        );
        if !kernels.is_decoder_only() && !model.ends_with("float") {
            let written: &[u32] = &[7, 5, 9];
            let pairs: Vec<(&Request, &[u32])> =
                requests.iter().map(|request| (request, written)).collect();
            let [expected, found] =
                [&kernels, &candle].map(|engine| engine.align(&pairs, None).unwrap());
            for (a, b) in expected.iter().zip(&found) {
                assert!(
                    !a.weights.iter().flatten().zip(b.weights.iter().flatten()).any(differ),
                    "{}: {a:?} and {b:?}",
                    model.display()
                );
            }
        }
    }
}

/// A GPU's other precisions cannot be multiplied here.
#[test]
fn half_precision_stays_close() {
    for model in models() {
        let (exact, half) =
            (open(&model, Precision::F32, true), open(&model, Precision::F16, true));
        let options = DecodingOptions {
            num_beams: 1,
            max_tokens: 1,
            min_tokens: 1,
            scored: true,
            ..exact.defaults()
        };
        let requests = requests(&exact, &options);
        let [expected, found] =
            [&exact, &half].map(|engine| engine.generate(&requests, &|_, _| true).unwrap());
        for (expected, found) in expected.iter().zip(&found).filter(|(a, b)| a.ids == b.ids) {
            assert!(
                (found.score - expected.score).abs() < 0.05,
                "{}: {} and {}",
                model.display(),
                found.score,
                expected.score
            );
        }
        let equal = expected.iter().zip(&found).filter(|(a, b)| a.ids == b.ids).count();
        assert!(equal + 2 >= expected.len(), "{}: {equal} of {}", model.display(), expected.len());
    }
}
