//! Firefox's architectures with random weights, in files as Mozilla publishes them, against their
//! graph in 64 bits, written down by scripts/fixtures/make_students.py: small ones, and the
//! published sizes where POLYGIST_STUDENTS names a folder that the script made.

use crate::common::{self, batches, cpu, engine, fixtures, load};
use polygist::generate::{Engine, Generate, Output, Request};
use polygist::kernel::Precision;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Text {
    text: String,
    /// With the end.
    ids: Vec<u32>,
}

/// A source, a target, and the log-probability of each token of the target.
#[derive(Deserialize)]
struct Case {
    source: Text,
    target: Text,
    words: Vec<f32>,
}

/// Both sides round on their way through the layers.
const TOLERANCE: f32 = 3e-5;

fn folders() -> Vec<PathBuf> {
    let mut folders = fixtures("students");
    assert_eq!(folders.len(), 3, "{folders:?}");
    if let Some(published) = std::env::var_os("POLYGIST_STUDENTS") {
        folders.extend(std::fs::read_dir(published).unwrap().map(|entry| entry.unwrap().path()));
    }
    folders
}

fn cases(folder: &Path) -> Vec<Case> {
    serde_json::from_value(common::json(folder.join("expected.json"))).unwrap()
}

fn requests(cases: &[Case]) -> Vec<Request> {
    let request = |case: &Case| Request { prompt: case.source.text.clone(), ..Request::default() };
    cases.iter().map(request).collect()
}

/// Texts are divided by the vocabularies of their sides, which here is seen in the scores.
fn scores(engine: &Engine, cases: &[Case]) -> Vec<f32> {
    let requests = requests(cases);
    let pairs: Vec<(&Request, &str)> = requests
        .iter()
        .zip(cases)
        .map(|(request, case)| (request, case.target.text.as_str()))
        .collect();
    engine.score(&pairs, &|_| true).unwrap()
}

#[test]
fn every_architecture_is_computed_as_in_64_bits() {
    for folder in folders() {
        let (model, cases) = (load(&folder, Precision::F32), cases(&folder));
        let mut worst = 0f32;
        for case in &cases {
            let (source, target) = (&case.source.ids, &case.target.ids);
            let found = common::log_probabilities(&*model, source, target, None);
            assert_eq!(found.len(), case.words.len());
            let apart = found.iter().zip(&case.words).map(|(a, b)| (a - b).abs());
            worst = apart.fold(worst, f32::max);
        }
        println!("{}: log-probabilities within {worst}", folder.display());
        assert!(worst < TOLERANCE, "{}: {worst}", folder.display());
        let mean = |case: &Case| case.words.iter().sum::<f32>() / case.words.len() as f32;
        let found = scores(&engine(&folder, &cpu(Precision::F32, 2)), &cases);
        for (score, expected) in found.iter().zip(cases.iter().map(mean)) {
            assert!((score - expected).abs() < TOLERANCE, "{}: {score}", folder.display());
        }
    }
}

#[test]
fn eight_bits_stay_close_to_it() {
    for folder in folders() {
        let (model, cases) = (load(&folder, Precision::Int8), cases(&folder));
        let (mut worst, mut sum, mut count) = (0f32, 0.0, 0);
        for case in &cases {
            let (source, target) = (&case.source.ids, &case.target.ids);
            let found = common::log_probabilities(&*model, source, target, None);
            for (a, b) in found.iter().zip(&case.words) {
                worst = worst.max((a - b).abs());
                sum += (a - b).abs();
                count += 1;
            }
        }
        let mean = sum / count as f32;
        println!("{}: in 8 bits {mean} away in the mean, {worst} at most", folder.display());
        // Log-probabilities of random weights are about 1 away from each other.
        assert!(mean > 0.0 && mean < 0.03 && worst < 0.15, "{}: {mean} {worst}", folder.display());
    }
}

#[test]
fn what_they_write_does_not_depend_on_the_batch() {
    for folder in folders() {
        let cases = cases(&folder);
        let write = |threads, batch| -> (Vec<Output>, Vec<f32>) {
            let engine = engine(&folder, &batches(Precision::Int8, threads, batch));
            let options = engine.defaults();
            let requests: Vec<Request> = requests(&cases)
                .into_iter()
                .map(|request| Request { options: options.clone(), ..request })
                .collect();
            (engine.generate(&requests, &|_, _| true).unwrap(), scores(&engine, &cases))
        };
        let alone = write(1, 1);
        assert_eq!(write(2, 64), alone, "{}", folder.display());
        assert!(alone.0.iter().any(|output| output.text.contains('t')));
    }
}
