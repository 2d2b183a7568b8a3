//! Students in Marian's own files, as Firefox has them, against Marian itself: two tiny ones that
//! Marian trained and converted, and what it makes of some sentences, written down by
//! scripts/fixtures/make_bergamot.py.

use crate::common::{self, ENGLISH, Sandbox, batches, engine, fixture, load, parse};
use candle_core::Device;
use polygist::arch::{self, Model};
use polygist::generate::{DecodingOptions, Engine, Generate, Request, Shortlist};
use polygist::io::weights::{ShortlistFile, open_folder};
use polygist::kernel::Precision;
use polygist::model::{self, Runtime};
use polygist::nn::{Backend, KvCache, Span};
use polygist::token::Tokenizer;
use polygist::types::Lang;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// As Marian writes 32-bit floats; as it writes 8-bit integers; as Bergamot's fork, whose files
/// Firefox has, writes them.
const KINDS: [&str; 3] = ["float", "converted", "firefox"];

#[derive(Deserialize)]
struct Source {
    text: String,
    ids: Vec<u32>,
}

/// One of Marian's outputs, with the log-probability of each token, and of the end where it is
/// there.
#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    words: Vec<f32>,
    score: f32,
    text: String,
}

#[derive(Deserialize)]
struct Cases {
    sources: Vec<Source>,
    greedy: Vec<Vec<Expected>>,
    beam: Vec<Vec<Expected>>,
    #[serde(default)]
    greedy_shortlist: Vec<Vec<Expected>>,
    #[serde(default)]
    beam_shortlist: Vec<Vec<Expected>>,
    /// What Marian's own arithmetic on 8-bit integers makes of the same file.
    #[serde(default)]
    greedy_int8: Vec<Vec<Expected>>,
}

fn folder(kind: &str) -> PathBuf {
    fixture("bergamot").join(kind)
}

fn cases(kind: &str) -> Cases {
    serde_json::from_slice(&fs::read(folder(kind).join("expected.json")).unwrap()).unwrap()
}

/// The names of a folder's files, what is expected apart.
fn files(kind: &str) -> Vec<String> {
    let names = fs::read_dir(folder(kind))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "expected.json").collect()
}

/// A copy of a folder; `rename` says under what name a file stands there, `None` to leave it out.
fn copy(kind: &str, rename: impl Fn(&str) -> Option<String>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in files(kind) {
        if let Some(new) = rename(&name) {
            fs::copy(folder(kind).join(&name), dir.path().join(new)).unwrap();
        }
    }
    dir
}

/// The engine of a folder without its shortlist.
fn unrestricted(kind: &str, precision: Precision) -> Engine {
    let dir = copy(kind, |name| (!name.starts_with("lex.")).then(|| name.to_string()));
    engine(dir.path(), &batches(precision, 1, 8))
}

/// Most tokens of a translation.
fn limit(source: &Source) -> usize {
    (2 * source.ids.len()).max(10)
}

fn requests(cases: &Cases, options: &DecodingOptions) -> Vec<Request> {
    cases
        .sources
        .iter()
        .map(|source| Request {
            prompt: source.text.clone(),
            options: options.clone(),
            ..Request::default()
        })
        .collect()
}

fn outputs(engine: &Engine, cases: &Cases, beams: usize) -> Vec<(Vec<u32>, String)> {
    let options = DecodingOptions {
        num_beams: beams,
        end_loops: false,
        shortlist: true,
        ..engine.defaults()
    };
    let outputs = engine.generate(&requests(cases, &options), &|_, _| true).unwrap();
    outputs.into_iter().map(|output| (output.ids, output.text)).collect()
}

/// The log-probability of each token of an output, and of the end where it is there, with the whole
/// vocabulary or some of it.
fn log_probabilities(
    model: &dyn Model,
    source: &[u32],
    output: &Expected,
    tokens: Option<&[u32]>,
) -> Vec<f32> {
    let targets = output.ids.iter().copied().chain([0]).take(output.words.len());
    common::log_probabilities(model, source, &targets.collect::<Vec<_>>(), tokens)
}

/// Marian prints five digits after the point.
const TOLERANCE: f32 = 3e-5;

#[test]
fn probabilities_are_those_of_marian() {
    for kind in KINDS {
        let (model, cases) = (load(&folder(kind), Precision::F32), cases(kind));
        let (mut compared, mut worst) = (0, 0f32);
        for (source, best) in cases.sources.iter().zip(&cases.beam) {
            for expected in best {
                let found = log_probabilities(&*model, &source.ids, expected, None);
                worst = found
                    .iter()
                    .zip(&expected.words)
                    .map(|(a, b)| (a - b).abs())
                    .fold(worst, f32::max);
                compared += found.len();
            }
        }
        assert!(
            compared > 500 && worst < TOLERANCE,
            "{kind}: of {compared} log-probabilities one differs by {worst}"
        );
    }
}

/// The outputs that came to their end and whose text is divided as Marian has written it, with
/// their sources.
fn written<'a>(
    kind: &str,
    cases: &'a Cases,
    outputs: &'a [Vec<Expected>],
) -> Vec<(Request, &'a Source, &'a Expected)> {
    let (config, _) = open_folder(&folder(kind)).unwrap();
    let tokenizer = Tokenizer::from_folder(&folder(kind), &config).unwrap();
    let same = |output: &Expected| {
        let ids = tokenizer.encode_target("", output.text.trim()).unwrap();
        output.words.len() > output.ids.len() && ids == output.ids
    };
    let options = DecodingOptions { shortlist: true, ..DecodingOptions::default() };
    let requests = requests(cases, &options);
    let pairs = requests.into_iter().zip(&cases.sources).zip(outputs);
    pairs
        .flat_map(|((request, source), best)| {
            let best = best.iter().filter(|output| same(output));
            best.map(move |output| (request.clone(), source, output))
        })
        .collect()
}

fn scores(engine: &Engine, written: &[(Request, &Source, &Expected)]) -> Vec<f32> {
    let pairs: Vec<(&Request, &str)> =
        written.iter().map(|(request, _, output)| (request, output.text.as_str())).collect();
    engine.score(&pairs, &|_| true).unwrap()
}

#[test]
fn scores_of_given_texts_are_those_of_marian() {
    for kind in KINDS {
        let cases = cases(kind);
        let found = written(kind, &cases, &cases.beam);
        assert!(found.len() > 20, "{kind}: {}", found.len());
        let scores = scores(&unrestricted(kind, Precision::F32), &found);
        for ((_, _, output), score) in found.iter().zip(scores) {
            let mean = output.words.iter().sum::<f32>() / output.words.len() as f32;
            assert!((score - mean).abs() < TOLERANCE, "{kind}: {score} and {mean}");
        }
    }
}

/// What the list leaves might have come in the place of a text's own tokens, which always might.
#[test]
fn scores_know_the_shortlist() {
    let (cases, model, list) =
        (cases("float"), load(&folder("float"), Precision::F32), shortlist());
    let engine = engine(&folder("float"), &batches(Precision::F32, 2, 8));
    let listed = written("float", &cases, &cases.beam_shortlist);
    for ((_, _, output), score) in listed.iter().zip(scores(&engine, &listed)) {
        let mean = output.words.iter().sum::<f32>() / output.words.len() as f32;
        assert!((score - mean).abs() < TOLERANCE, "{score} and {mean}");
    }
    let mut others = written("float", &cases, &cases.beam);
    // Each beside another source, whose list lacks some of its tokens.
    let sources: Vec<_> = others.iter().map(|(r, source, _)| (r.clone(), *source)).collect();
    for (other, (request, source)) in others.iter_mut().zip(sources.into_iter().rev()) {
        (other.0, other.1) = (request, source);
    }
    let mut outside = 0;
    for ((_, source, output), score) in others.iter().zip(scores(&engine, &others)) {
        let tokens = list.tokens(&source.ids, model.output().vocabulary());
        outside += output.ids.iter().filter(|id| !tokens.contains(id)).count();
        let words = log_probabilities(&*model, &source.ids, output, Some(&tokens));
        let mean = words.iter().sum::<f32>() / words.len() as f32;
        assert!((score - mean).abs() < TOLERANCE, "{score} and {mean}");
    }
    assert!(listed.len() > 20 && outside > 20, "{} {outside}", listed.len());
}

#[test]
fn a_score_does_not_depend_on_the_batch() {
    for (kind, precision) in
        [("float", Precision::F32), ("float", Precision::Int8), ("firefox", Precision::Int8)]
    {
        let cases = cases(kind);
        let found = written(kind, &cases, &cases.beam);
        let together = scores(&engine(&folder(kind), &batches(precision, 2, 64)), &found);
        let one = engine(&folder(kind), &batches(precision, 1, 1));
        let alone: Vec<f32> =
            found.iter().map(|f| scores(&one, std::slice::from_ref(f))[0]).collect();
        assert_eq!(together, alone, "{kind}");
    }
}

#[test]
fn greedy_outputs_are_those_of_marian() {
    for kind in KINDS {
        let cases = cases(kind);
        let found = outputs(&unrestricted(kind, Precision::F32), &cases, 1);
        for ((found, best), source) in found.iter().zip(&cases.greedy).zip(&cases.sources) {
            // What Marian cut off at its limit begins as ours, which has another.
            let ended = best[0].words.len() > best[0].ids.len();
            let cut = found.0.len() == limit(source);
            let length = found.0.len().min(best[0].ids.len());
            assert_eq!(found.0[..length], best[0].ids[..length], "{kind}: {:?}", source.text);
            assert!(cut || length == best[0].ids.len(), "{kind}: {:?}", source.text);
            assert!(
                cut || !ended || found.1 == best[0].text,
                "{kind}: {:?} {:?}",
                found.1,
                best[0].text
            );
        }
    }
}

/// The searches differ: Marian's beam becomes narrower with each hypothesis that ends, ours does
/// not. So ours may find better ones.
#[test]
fn beams_find_what_marian_finds_or_better() {
    for (kind, with_list) in
        [("float", false), ("float", true), ("converted", false), ("firefox", false)]
    {
        let cases = cases(kind);
        let engine = if with_list {
            engine(&folder(kind), &batches(Precision::F32, 1, 8))
        } else {
            unrestricted(kind, Precision::F32)
        };
        let (found, expected) = (
            outputs(&engine, &cases, 4),
            if with_list { &cases.beam_shortlist } else { &cases.beam },
        );
        let (model, mut same) = (load(&folder(kind), Precision::F32), 0);
        for ((found, best), source) in found.into_iter().zip(expected).zip(&cases.sources) {
            if found.0 == best[0].ids {
                same += 1;
                continue;
            }
            if found.0.len() == limit(source) {
                continue;
            }
            let words = vec![0.0; found.0.len() + 1];
            let tokens =
                with_list.then(|| shortlist().tokens(&source.ids, model.output().vocabulary()));
            let own = Expected { ids: found.0, words, score: 0.0, text: found.1 };
            let words = log_probabilities(&*model, &source.ids, &own, tokens.as_deref());
            let score = words.iter().sum::<f32>() / words.len() as f32;
            assert!(
                score >= best[0].score - 1e-4,
                "{kind}: {:?} {score} {:?} {}",
                own.text,
                best[0].text,
                best[0].score
            );
        }
        assert!(same * 10 >= cases.sources.len() * 8, "{kind}: {same} of {}", cases.sources.len());
    }
}

fn shortlist() -> Shortlist {
    let ShortlistFile { first, offsets, targets } =
        ShortlistFile::open(&folder("float").join("lex.30.3.enfr.s2t.bin")).unwrap();
    Shortlist { first, offsets, targets, shared: true }
}

#[test]
fn a_shortlist_leaves_what_marian_leaves() {
    let (cases, model, list) =
        (cases("float"), load(&folder("float"), Precision::F32), shortlist());
    let mut narrower = 0;
    for (source, best) in cases.sources.iter().zip(&cases.beam_shortlist) {
        let tokens = list.tokens(&source.ids, model.output().vocabulary());
        assert_eq!(tokens.len() % 8, 0);
        assert!(tokens.is_sorted());
        narrower += usize::from(tokens.len() < 200);
        for expected in best {
            let found = log_probabilities(&*model, &source.ids, expected, Some(&tokens));
            let worst =
                found.iter().zip(&expected.words).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < TOLERANCE, "{:?}: {worst}", source.text);
        }
    }
    assert!(narrower > 10);
    let found = outputs(&engine(&folder("float"), &batches(Precision::F32, 1, 8)), &cases, 1);
    let expected: Vec<&[u32]> =
        cases.greedy_shortlist.iter().map(|best| best[0].ids.as_slice()).collect();
    for ((found, expected), source) in found.iter().zip(&expected).zip(&cases.sources) {
        let length = expected.len().min(limit(source));
        assert_eq!(found.0.get(..length), Some(&expected[..length]), "{:?}", source.text);
    }
    let without = outputs(&unrestricted("float", Precision::F32), &cases, 1);
    assert!(without != found, "the list should make a difference to one of these");
}

#[test]
fn an_output_does_not_depend_on_the_batch() {
    for (kind, precision) in
        [("float", Precision::F32), ("float", Precision::Int8), ("firefox", Precision::Int8)]
    {
        for beams in [1, 4] {
            let cases = cases(kind);
            let alone = outputs(&engine(&folder(kind), &batches(precision, 1, 1)), &cases, beams);
            for (threads, batch) in [(1, 5), (2, 64)] {
                assert_eq!(
                    outputs(
                        &engine(&folder(kind), &batches(precision, threads, batch)),
                        &cases,
                        beams
                    ),
                    alone,
                    "{kind} {beams}"
                );
            }
        }
    }
}

/// The weights are the same integers; both round activations, Marian with one scale for a whole
/// matrix, we with one for every row, or with that of the file.
#[test]
fn eight_bits_write_mostly_what_marians_eight_bits_write() {
    for precision in [Precision::Int8, Precision::Int8Static] {
        let cases = cases("converted");
        let found = outputs(&unrestricted("converted", precision), &cases, 1);
        let same = found
            .iter()
            .zip(&cases.greedy_int8)
            .filter(|(found, best)| found.0.starts_with(&best[0].ids))
            .count();
        assert!(same * 10 >= found.len() * 7, "{precision:?}: {same} of {}", found.len());
    }
}

#[test]
fn the_files_factors_for_activations_are_known() {
    let mut warnings = Vec::new();
    for precision in [Precision::F32, Precision::Int8, Precision::Int8Static] {
        let runtime = batches(precision, 1, 8);
        let mut warn = |warning: &str| warnings.push(warning.to_string());
        model::open_with("x", &folder("firefox"), None, &runtime, &mut warn).unwrap();
    }
    assert_eq!(warnings, [""; 0]);
    let cases = cases("firefox");
    let [dynamic, fixed] = [Precision::Int8, Precision::Int8Static]
        .map(|precision| outputs(&unrestricted("firefox", precision), &cases, 1));
    let same = dynamic.iter().zip(&fixed).filter(|(a, b)| a == b).count();
    assert!(same * 10 >= dynamic.len() * 6, "{same} of {}", dynamic.len());
}

#[test]
fn a_translation_is_at_most_twice_as_long_as_its_source() {
    let cases = cases("float");
    let engine = unrestricted("float", Precision::F32);
    let ends = DecodingOptions { min_tokens: 1000, end_loops: false, ..engine.defaults() };
    let outputs = engine.generate(&requests(&cases, &ends), &|_, _| true).unwrap();
    for (output, source) in outputs.iter().zip(&cases.sources) {
        assert_eq!(output.ids.len(), limit(source), "{:?}", source.text);
    }
}

#[test]
fn languages_come_from_the_names_of_the_files() {
    let [en, fr, de] = ["en", "fr", "de"].map(|code| Lang::parse(code).unwrap());
    let student = engine(&folder("firefox"), &batches(Precision::F32, 1, 1));
    assert!(student.language_prompt(&en, &fr).is_some());
    assert!(!student.is_decoder_only());
    assert!(student.language_prompt(&fr, &en).is_none());
    assert!(student.language_prompt(&en, &de).is_none());
    let unnamed = copy("firefox", |name| Some(name.replace("enfr.", "")));
    assert!(
        engine(unnamed.path(), &batches(Precision::F32, 1, 1)).language_prompt(&de, &fr).is_some()
    );
}

#[test]
fn folders_go_through_the_program_and_through_english() {
    let sandbox = Sandbox::new();
    for (kind, pair) in [("firefox", "deen"), ("float", "enfr")] {
        for name in files(kind) {
            sandbox.write(
                &format!("{pair}/{}", name.replace("enfr", pair)),
                fs::read(folder(kind).join(&name)).unwrap(),
            );
        }
    }
    let cases = cases("float");
    let lines: String =
        cases.sources[..6].iter().map(|source| format!("{}\n", source.text)).collect();
    let line =
        "translate --lines --from en --to fr --offline --model enfr --precision f32 --shortlist";
    let output = sandbox.run_with(line, &lines).expect(0, &[]).stdout;
    let expected: Vec<&str> =
        cases.greedy_shortlist[..5].iter().map(|best| best[0].text.trim_end()).collect();
    let found: Vec<&str> = output.lines().collect();
    assert_eq!(found[..5], expected);
    // Its digits are not in the vocabulary: they come through all the same.
    assert!(cases.sources[5].text.contains("1651") && found[5].contains("1651"), "{found:?}");

    sandbox.write("a.txt", ENGLISH);
    let line = "translate --from de --to fr --format json --offline --model deen,enfr a.txt";
    let translation =
        parse(&sandbox.run(line).expect(0, &[]).stdout).remove(0).translation.unwrap();
    assert_eq!(
        translation.route.iter().map(Lang::to_string).collect::<Vec<_>>(),
        ["de", "en", "fr"]
    );
    sandbox
        .run("translate --from de --to es --offline --model deen a.txt")
        .expect(2, &["deen", "German (de)", "Spanish (es)"]);
}

#[test]
fn what_is_missing_is_said() {
    let error = |dir: &Path| model::open("x", dir, &Runtime::cpu()).err().unwrap().to_string();
    let no_vocabulary =
        copy("firefox", |name| (!name.starts_with("trgvocab")).then(|| name.to_string()));
    assert!(
        error(no_vocabulary.path()).contains("srcvocab.*.spm and trgvocab.*.spm) is missing"),
        "{}",
        error(no_vocabulary.path())
    );
    let packed = copy("firefox", |name| Some(format!("{name}.gz")));
    assert!(error(packed.path()).contains(".gz"), "{}", error(packed.path()));
    let twice = copy("firefox", |name| Some(name.to_string()));
    fs::copy(
        folder("firefox").join("model.enfr.intgemm.alphas.bin"),
        twice.path().join("model.enfr.bin"),
    )
    .unwrap();
    assert!(error(twice.path()).contains("several models"), "{}", error(twice.path()));
    let damaged = copy("float", |name| Some(name.to_string()));
    let list = damaged.path().join("lex.30.3.enfr.s2t.bin");
    let mut bytes = fs::read(&list).unwrap();
    bytes[200] ^= 1;
    fs::write(&list, bytes).unwrap();
    assert!(error(damaged.path()).contains("checksum"), "{}", error(damaged.path()));
}

/// Files cut off anywhere, and files with numbers that are too large or wrong, are refused or read;
/// nothing panics.
#[test]
fn broken_files_are_refused() {
    let name = "model.enfr.intgemm.alphas.bin";
    let dir = copy("firefox", |name| Some(name.to_string()));
    let whole = fs::read(dir.path().join(name)).unwrap();
    let read = |bytes: &[u8]| -> Result<(), polygist::error::Error> {
        fs::write(dir.path().join(name), bytes).unwrap();
        let (config, weights) = open_folder(dir.path())?;
        let model = arch::load(&config, &*weights, &Backend::new(Device::Cpu, Precision::Int8))?;
        let source = model.encoder().unwrap().encode(&[&[5, 6, 0]])?.remove(0);
        model
            .forward(&mut [Span::new(
                &[model.output().vocabulary() as u32],
                &mut KvCache::reading(source),
            )])
            .map(drop)
    };
    read(&whole).unwrap();
    let steps = (0..400).chain((400..whole.len()).step_by(1999)).chain([whole.len() - 1]);
    for length in steps {
        let error = read(&whole[..length]).expect_err("a file that is cut off");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(read(&[&whole[..], &[0]].concat()).is_err());
    // Every byte of the first headers, and some of all others, of the names, the shapes and the
    // configuration at the end.
    let headers = u64::from_le_bytes(whole[8..16].try_into().unwrap()) as usize * 32 + 16;
    for at in (0..80)
        .chain((80..headers + 3000).step_by(7))
        .chain((whole.len() - 1536..whole.len()).step_by(3))
    {
        for value in [0xff, 0x80, whole[at] ^ 1] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            // Some changes do no harm, such as one in the padding or a new name for what is not
            // read.
            let _ = read(&bytes);
        }
    }
    for (at, number) in [
        (8, u64::MAX),
        (8, 1 << 40),
        (16, u64::MAX),
        (32, u64::MAX),
        (40, u64::MAX),
        (40, 1 << 50),
        (16, 1 << 23),
    ] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        assert!(read(&bytes).is_err(), "{at} {number}");
    }
}
